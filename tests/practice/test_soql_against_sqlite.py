"""SOQL gives what SQLite gives on the same rows, once Salesforce's rules for null are spelled out.

Conditions, order, limit and offset; groups with aggregates, HAVING and date functions; parents, child lists and
semi-joins over two tables.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_practice.seeds import campaign_member_id, lead_id
from salesforce_driver.practice import soql
from salesforce_driver.practice.org import Org

TEXTS = ["", "a", "A", "ab", "Ab", "b", "B'c", "a_b", "a%b", "100%", "\\", "x y", "zz"]
MOMENTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=13 * n) for n in range(6)]
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(6)]
NUMBERS = [-1, 0, 1, 2, 50]
COLUMNS: dict[str, list[Any]] = {
    "Email": [text for text in TEXTS if text],
    "City": [text for text in TEXTS if text],
    "NumberOfEmployees": NUMBERS,
    "AnnualRevenue": [-0.5, 0.0, 1.5, 2.0],
    "IsConverted": [True, False],
    "ConvertedDate": DAYS,
    "CreatedDate": MOMENTS,
}
NOW = datetime(2026, 1, 4, 12, tzinfo=UTC)
RANGES = {
    "TODAY": (0, 1),
    "YESTERDAY": (-1, 0),
    "LAST_N_DAYS:2": (-2, 1),
    "NEXT_N_DAYS:1": (1, 2),
    "N_DAYS_AGO:2": (-2, -1),
}
Pair = tuple[str, str]  # the same condition in SOQL and in SQLite's SQL


def in_soql(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def in_sqlite(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def quoted(value: Any) -> str:
    value = in_sqlite(value)
    if value is None or value == "":
        return "NULL"
    return (
        "'" + value.replace("'", "''") + "'"
        if isinstance(value, str)
        else str(int(value) if isinstance(value, bool) else value)
    )


@st.composite
def comparison(draw: st.DrawFn) -> Pair:
    name = draw(st.sampled_from(sorted(COLUMNS)))
    is_text = name in ("Email", "City")
    collate = " COLLATE NOCASE" if is_text else ""
    values = [*COLUMNS[name], None, *([""] if is_text else [])]
    operators = ["=", "!="] if name == "IsConverted" else ["=", "!=", "<", "<=", ">", ">="]
    op = draw(st.sampled_from(operators))
    value = draw(st.sampled_from(values if op in ("=", "!=") else COLUMNS[name]))
    spelled = name.swapcase() if draw(st.booleans()) else name
    plain = {"=": f"{name}{collate} IS {quoted(value)}", "!=": f"{name}{collate} IS NOT {quoted(value)}"}
    return f"{spelled} {op} {in_soql(value)}", plain.get(op, f"COALESCE({name}{collate} {op} {quoted(value)}, 0)")


@st.composite
def membership(draw: st.DrawFn) -> Pair:
    name = draw(st.sampled_from(["Email", "City", "NumberOfEmployees", "ConvertedDate"]))
    collate = " COLLATE NOCASE" if name in ("Email", "City") else ""
    values = draw(st.lists(st.sampled_from([*COLUMNS[name], None]), min_size=1, max_size=4))
    negated = draw(st.booleans())
    soql = f"{name} {'NOT IN' if negated else 'IN'} ({', '.join(map(in_soql, values))})"
    any_of = " OR ".join(f"{name}{collate} IS {quoted(value)}" for value in values)
    return soql, f"{'NOT ' if negated else ''}({any_of})"


@st.composite
def like(draw: st.DrawFn) -> Pair:
    parts = draw(st.lists(st.sampled_from(["%", "_", "a", "B", "'", "\\%", "\\_", " "]), min_size=1, max_size=4))
    pattern = "".join(parts)
    soql = "Email LIKE '" + pattern.replace("'", "\\'") + "'"
    return soql, "COALESCE(Email LIKE '" + pattern.replace("'", "''") + "' ESCAPE '\\', 0)"


@st.composite
def relative(draw: st.DrawFn) -> Pair:
    name = draw(st.sampled_from(["CreatedDate", "ConvertedDate"]))
    op = draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
    word = draw(st.sampled_from(sorted(RANGES)))
    first, after = (NOW.replace(hour=0) + timedelta(days=n) for n in RANGES[word])
    low, high = (quoted(end if name == "CreatedDate" else end.date()) for end in (first, after))
    inside = f"COALESCE({name} >= {low} AND {name} < {high}, 0)"
    sql = {
        "=": inside,
        "!=": f"NOT {inside}",
        "<": f"COALESCE({name} < {low}, 0)",
        "<=": f"COALESCE({name} < {high}, 0)",
        ">": f"COALESCE({name} >= {high}, 0)",
        ">=": f"COALESCE({name} >= {low}, 0)",
    }[op]
    return f"{name} {op} {word}", sql


def combined(children: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    several = st.lists(children, min_size=2, max_size=3)
    joined = st.tuples(st.sampled_from([" AND ", " OR "]), several).map(
        lambda drawn: tuple(drawn[0].join(f"({pair[side]})" for pair in drawn[1]) for side in (0, 1))
    )
    negated = children.map(lambda pair: (f"NOT ({pair[0]})", f"NOT ({pair[1]})"))
    return st.one_of(joined, negated)  # type: ignore[arg-type]


conditions = st.recursive(st.one_of(comparison(), membership(), like(), relative()), combined, max_leaves=6)
values = {name: [*known, *([] if name == "IsConverted" else [None])] for name, known in COLUMNS.items()}
rows = st.lists(st.fixed_dictionaries({name: st.sampled_from(some) for name, some in values.items()}), max_size=12)
orders = st.lists(
    st.tuples(st.sampled_from(sorted(COLUMNS)), st.sampled_from(["", "DESC"]), st.sampled_from(["FIRST", "LAST"])),
    max_size=3,
    unique_by=lambda order: order[0],
)


def database_of(**tables: list[dict[str, Any]]) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    for name, (columns, found) in {
        key: (list(rows[0]) if rows else ["Id"], rows) for key, rows in tables.items()
    }.items():
        database.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        database.executemany(
            f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})",
            [[in_sqlite(row[column]) for column in columns] for row in found],
        )
    return database


def run_soql(org: Org, text: str) -> list[dict[str, Any]]:
    """The records of the answer, child lists with all their records."""

    def children(rows: Any, render: Any, base: str) -> dict[str, Any]:
        return {"records": [render(row, base) for row in rows]}

    found = soql.run(text, org, soql.Clock(NOW, ZoneInfo("GMT")), include_deleted=False, children=children)
    return [found.render(row, "") for row in found.found]


def ask_soql(people: list[dict[str, Any]], where: str, order: str) -> list[str]:
    org = Org()
    org.fill("Lead", people)
    clock = soql.Clock(NOW, ZoneInfo("GMT"))
    text = f"SELECT Id FROM Lead WHERE {where} ORDER BY {order}"
    result = soql.run(text, org, clock, include_deleted=False, children=lambda rows, render, base: {})
    return [row["Id"] for row in result.found]


def ask_sqlite(people: list[dict[str, Any]], where: str, order: str) -> list[str]:
    with sqlite3.connect(":memory:") as database:
        names = ["Id", *COLUMNS]
        database.execute(f"CREATE TABLE Lead ({', '.join(names)})")
        database.executemany(
            f"INSERT INTO Lead VALUES ({', '.join('?' * len(names))})",
            [[in_sqlite(person[name]) for name in names] for person in people],
        )
        found = [row[0] for row in database.execute(f"SELECT Id FROM Lead WHERE {where} ORDER BY {order}")]
    database.close()
    return found


@settings(max_examples=200, deadline=None)
@given(rows, conditions, orders)
def test_where_and_order_agree_with_sqlite(
    drawn: list[dict[str, Any]], condition: Pair, order: list[tuple[str, str, str]]
) -> None:
    people = [{**row, "Id": lead_id(1, n), "IsDeleted": False} for n, row in enumerate(drawn)]
    clauses = [f"{name} {way} NULLS {nulls}" for name, way, nulls in order]
    sql = [clause.replace(" ", " COLLATE NOCASE ", 1) for clause in clauses]
    found = ask_soql(people, condition[0], ", ".join([*clauses, "Id"]))
    assert found == ask_sqlite(people, condition[1], ", ".join([*sql, "Id"])), condition


limits = st.tuples(st.integers(0, 8), st.integers(0, 8))


@settings(max_examples=60, deadline=None)
@given(rows, conditions, limits)
def test_limit_and_offset_agree_with_sqlite(
    drawn: list[dict[str, Any]], condition: Pair, limit: tuple[int, int]
) -> None:
    people = [{**row, "Id": lead_id(1, n), "IsDeleted": False} for n, row in enumerate(drawn)]
    cut = f"Id LIMIT {limit[0]} OFFSET {limit[1]}"
    assert ask_soql(people, condition[0], cut) == ask_sqlite(people, condition[1], cut)


# How a column is grouped: in SOQL, and in SQLite.
GROUPED = {
    "City": "City COLLATE NOCASE",
    "IsConverted": "IsConverted",
    "NumberOfEmployees": "NumberOfEmployees",
    "ConvertedDate": "ConvertedDate",
    "CALENDAR_MONTH(CreatedDate)": "CAST(strftime('%m', CreatedDate) AS INTEGER)",
    "DAY_IN_WEEK(ConvertedDate)": "CAST(strftime('%w', ConvertedDate) AS INTEGER) + 1",
    "DAY_ONLY(CreatedDate)": "date(CreatedDate)",
    "HOUR_IN_DAY(CreatedDate)": "CAST(strftime('%H', CreatedDate) AS INTEGER)",
}
AGGREGATED = {
    "COUNT(Id)": "COUNT(*)",
    "COUNT(Email)": "COUNT(Email)",
    "COUNT_DISTINCT(Email)": "COUNT(DISTINCT LOWER(Email))",
    "SUM(AnnualRevenue)": "SUM(AnnualRevenue)",
    "AVG(NumberOfEmployees)": "AVG(NumberOfEmployees)",
    "MIN(ConvertedDate)": "MIN(ConvertedDate)",
    "MAX(AnnualRevenue)": "MAX(AnnualRevenue)",
}
KEPT = ["", "COUNT(Id) > 1", "COUNT(Email) = 0", "MAX(AnnualRevenue) != null", "NOT (COUNT(Id) = 1)"]
KEPT_SQL = ["1", "COUNT(*) > 1", "COUNT(Email) = 0", "MAX(AnnualRevenue) IS NOT NULL", "NOT (COUNT(*) = 1)"]


@settings(max_examples=150, deadline=None)
@given(
    rows,
    conditions,
    st.lists(st.sampled_from(sorted(GROUPED)), max_size=2, unique=True),
    st.lists(st.sampled_from(sorted(AGGREGATED)), min_size=1, max_size=3, unique=True),
    st.integers(0, len(KEPT) - 1),
)
def test_groups_agree_with_sqlite(
    drawn: list[dict[str, Any]], condition: Pair, by: list[str], shown: list[str], kept: int
) -> None:
    people = [{**row, "Id": lead_id(1, n), "IsDeleted": False} for n, row in enumerate(drawn)]
    org = Org()
    org.fill("Lead", people)
    names = [f"c{n}" for n in range(len(by) + len(shown))]
    items = ", ".join(f"{item} {name}" for item, name in zip([*by, *shown], names, strict=True))
    text = f"SELECT {items} FROM Lead WHERE {condition[0]}"
    text += f" GROUP BY {', '.join(by)}" if by else ""
    text += f" HAVING {KEPT[kept]}" if by and KEPT[kept] else ""
    found = Counter(tuple(plain(row[name]) for name in names) for row in run_soql(org, text))
    if not people:
        assert sum(found.values()) == (0 if by else 1)
        return
    sql_by = [GROUPED[one] for one in by]
    picked = [f"{one.replace(' COLLATE NOCASE', '')}" for one in sql_by]
    picked = [f"LOWER({one})" if one == "City" else one for one in picked] + [AGGREGATED[one] for one in shown]
    sql = f"SELECT {', '.join(picked)} FROM Lead WHERE {condition[1]}"
    sql += f" GROUP BY {', '.join(sql_by)} HAVING {KEPT_SQL[kept]}" if by else ""
    database = database_of(Lead=people)
    expected = Counter(tuple(plain(value) for value in row) for row in database.execute(sql))
    database.close()
    assert found == expected, text


def plain(value: Any) -> Any:
    """Comparable: text without regard to case, numbers as numbers."""
    if isinstance(value, str):
        return value.casefold()
    return round(float(value), 6) if isinstance(value, int | float) else value


touches = st.lists(
    st.fixed_dictionaries(
        {
            "person": st.sampled_from([None, 0, 1, 2, 3]),
            "Status": st.sampled_from(["Sent", "Responded"]),
            "HasResponded": st.booleans(),
            "FirstRespondedDate": st.sampled_from([None, *DAYS]),
        }
    ),
    max_size=10,
)
members_where = st.sampled_from(
    [
        ("Status = 'responded'", "Status = 'Responded'"),
        ("HasResponded = false", "HasResponded = 0"),
        ("FirstRespondedDate != null", "FirstRespondedDate IS NOT NULL"),
        ("FirstRespondedDate < 2026-01-04", "COALESCE(FirstRespondedDate < '2026-01-04', 0)"),
    ]
)


@settings(max_examples=120, deadline=None)
@given(rows, touches, comparison(), members_where, st.booleans())
def test_parents_children_and_semi_joins_agree_with_sqlite(
    drawn: list[dict[str, Any]], touched: list[dict[str, Any]], of_lead: Pair, of_member: Pair, negated: bool
) -> None:
    people = [{**row, "Id": lead_id(1, n), "IsDeleted": False} for n, row in enumerate(drawn)]
    members = [
        {
            **{key: value for key, value in row.items() if key != "person"},
            "Id": campaign_member_id(1, n),
            "LeadId": None if row["person"] is None or row["person"] >= len(people) else people[row["person"]]["Id"],
            "IsDeleted": False,
        }
        for n, row in enumerate(touched)
    ]
    org = Org()
    org.fill("Lead", people)
    org.fill("CampaignMember", members)
    database = database_of(Lead=people or [dict.fromkeys(["Id", *COLUMNS])], Member=members or [no_member()])

    def ids(sql: str) -> list[Any]:
        return [row[0] for row in database.execute(sql) if row[0]]

    name = of_lead[0].split()[0]
    through = of_lead[0].replace(name, f"Lead.{name}", 1)
    found = run_soql(org, f"SELECT Id, Lead.Email FROM CampaignMember WHERE {through} ORDER BY Id")
    outer = f"SELECT Member.Id FROM Member LEFT JOIN Lead ON Lead.Id = LeadId WHERE {of_lead[1]} ORDER BY Member.Id"
    assert [row["Id"] for row in found] == ids(outer), through

    word = "NOT IN" if negated else "IN"
    found = run_soql(
        org, f"SELECT Id FROM Lead WHERE Id {word} (SELECT LeadId FROM CampaignMember WHERE {of_member[0]}) ORDER BY Id"
    )
    inner = f"(SELECT LeadId FROM Member WHERE LeadId IS NOT NULL AND {of_member[1]})"
    assert [row["Id"] for row in found] == ids(f"SELECT Id FROM Lead WHERE Id {word} {inner} ORDER BY Id")

    text = f"SELECT Id, (SELECT Id FROM CampaignMembers WHERE {of_member[0]} ORDER BY Id) FROM Lead ORDER BY Id"
    for row in run_soql(org, text):
        shown = [child["Id"] for child in (row["CampaignMembers"] or {"records": []})["records"]]
        assert shown == ids(f"SELECT Id FROM Member WHERE LeadId = '{row['Id']}' AND {of_member[1]} ORDER BY Id")
    database.close()


def no_member() -> dict[str, Any]:
    return dict.fromkeys(["Id", "LeadId", "Status", "HasResponded", "FirstRespondedDate"])

"""WHERE and ORDER BY give what SQLite gives on the same rows, once Salesforce's rules for null are spelled out."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_practice.seeds import lead_id
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

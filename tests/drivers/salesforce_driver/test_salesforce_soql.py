from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator_drivers import Field, ValidationError
from salesforce_driver.practice.soql import parse
from salesforce_driver.src.querying import columns_of
from salesforce_driver.src.soql import condition, encoded_length, fitting, literal

TEXT: Field = {"type": "text", "native_type": "string", "nullable": True}
NUMBER: Field = {"type": "number", "native_type": "currency", "nullable": True}
FLAG: Field = {"type": "boolean", "native_type": "boolean", "nullable": False}
DAY: Field = {"type": "date", "native_type": "date", "nullable": True}
MOMENT: Field = {"type": "datetime", "native_type": "datetime", "nullable": True}


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ('O\'Hara \\ "x"\n', TEXT, "'O\\'Hara \\\\ \\\"x\\\"\\n'"),
        ("", TEXT, "''"),
        (5, TEXT, "'5'"),
        (None, TEXT, "null"),
        (float("nan"), NUMBER, "null"),
        (True, FLAG, "true"),
        ("False", FLAG, "false"),
        (1e20, NUMBER, "100000000000000000000"),
        (Decimal("1.50"), NUMBER, "1.50"),
        ("12", NUMBER, "12"),
        (date(2026, 11, 21), DAY, "2026-11-21"),
        ("2026-11-21", DAY, "2026-11-21"),
        (datetime(2026, 11, 21, 1, tzinfo=timezone(timedelta(hours=2))), DAY, "2026-11-20"),
        (datetime(2026, 11, 21, 1, 2, 3, 456789, UTC), MOMENT, "2026-11-21T01:02:03.456Z"),
        (datetime(2026, 11, 21, 1, tzinfo=timezone(timedelta(hours=2))), MOMENT, "2026-11-20T23:00:00.000Z"),
        (date(2026, 11, 21), MOMENT, "2026-11-21T00:00:00.000Z"),
        ("2026-11-21T01:00:00+02:00", MOMENT, "2026-11-20T23:00:00.000Z"),
        ("last_n_days:30", MOMENT, "LAST_N_DAYS:30"),
        ("THIS_FISCAL_QUARTER", DAY, "THIS_FISCAL_QUARTER"),
        ("N_DAYS_AGO:3", DAY, "N_DAYS_AGO:3"),
    ],
)
def test_values_become_soql(value: Any, field: Field, expected: str) -> None:
    assert literal(value, field, "X") == expected


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        (datetime(2026, 11, 21), MOMENT, "no time zone"),
        ("21.11.2026", DAY, "is no date"),
        ("2026-11-21' OR Name != '", MOMENT, "is no date"),
        (5, DAY, "compare it with a date"),
        ("many", NUMBER, "is a number"),
        (float("inf"), NUMBER, "can't be compared"),
        ("1 OR 1", NUMBER, "is a number"),
        ("perhaps", FLAG, "True or False"),
        (datetime(2026, 11, 21, tzinfo=UTC), TEXT, "can't be compared with a time"),
        (["Web"], TEXT, "for several use in"),
        ({"a": 1}, TEXT, "for several use in"),
    ],
)
def test_values_that_do_not_fit_are_refused(value: Any, field: Field, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        literal(value, field, "X")


@pytest.mark.parametrize(
    ("entry", "field", "expected"),
    [
        (("Name", "=", "Ann"), TEXT, "Name = 'Ann'"),
        (("Name", "=", None), TEXT, "Name = null"),
        (("Name", "is null", None), TEXT, "Name = null"),
        (("Name", "NOT NULL", None), TEXT, "Name != null"),
        (("Name", "contains", "50%_'"), TEXT, "Name LIKE '%50\\%\\_\\'%'"),
        (("Name", "not in", ["a", "b", "a"]), TEXT, "Name NOT IN ('a', 'b')"),
        (("Name", "not in", []), TEXT, ""),
        (("At", ">=", date(2026, 11, 21)), MOMENT, "At >= 2026-11-21T00:00:00.000Z"),
        (("At", "<=", date(2026, 11, 21)), MOMENT, "At < 2026-11-22T00:00:00.000Z"),
        (("At", ">", date(2026, 11, 21)), MOMENT, "At >= 2026-11-22T00:00:00.000Z"),
        (
            ("At", "=", date(2026, 11, 21)),
            MOMENT,
            "(At >= 2026-11-21T00:00:00.000Z AND At < 2026-11-22T00:00:00.000Z)",
        ),
    ],
)
def test_conditions_become_soql(entry: tuple[str, str, Any], field: Field, expected: str) -> None:
    assert condition(entry, field, entry[0]) == expected


@pytest.mark.parametrize("op", ["like", "==", "", "= 'x' OR Name !="])
def test_an_unknown_operator_names_the_native_query(op: str) -> None:
    with pytest.raises(ValidationError, match=r"use query\(soql\)"):
        condition(("Name", op, "x"), TEXT, "Name")


@pytest.mark.parametrize(("value", "field"), [("x", NUMBER), ("", TEXT), (None, TEXT)])
def test_contains_is_for_text(value: Any, field: Field) -> None:
    with pytest.raises(ValidationError, match="contains looks for a piece of text"):
        condition(("X", "contains", value), field, "X")


def test_a_list_is_needed_where_one_is_compared() -> None:
    with pytest.raises(ValidationError, match="need a list"):
        condition(("Name", "not in", "abc"), TEXT, "Name")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_stays_inside_its_quotes(text: str) -> None:
    statement = parse(f"SELECT Id FROM Lead WHERE Company = {literal(text, TEXT, 'Company')} AND Name = 'end'")
    assert "end" in repr(statement)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=60))
def test_long_lists_are_split_and_lose_nothing(values: list[str]) -> None:
    parts = list(fitting("Name", TEXT, values, 400))
    assert all(encoded_length(part) <= 400 or "'," not in part for part in parts)
    assert sum(part.count(literal(value, TEXT, "Name")) > 0 for part in parts for value in set(values)) >= len(
        set(values)
    )
    assert bool(parts) == bool(values)


@pytest.mark.parametrize(
    ("soql", "expected"),
    [
        ("SELECT Id, Owner.Name FROM Lead", ("Lead", ["Id", "Owner.Name"])),
        ("select Id from Lead where Name = 'a FROM b'", ("Lead", ["Id"])),
        ("SELECT COUNT() FROM Lead", ("Lead", ["count"])),
        ("SELECT LeadSource, COUNT(Id) n, MAX(A), SUM(B) FROM Lead", ("Lead", ["LeadSource", "n", "expr0", "expr1"])),
        ("SELECT Campaign.Name c, COUNT_DISTINCT(LeadId) FROM CampaignMember", ("CampaignMember", ["c", "expr0"])),
        ("SELECT Id, (SELECT Id FROM Cs WHERE Status IN ('a', 'b')) FROM Lead", ("Lead", ["Id", "Cs"])),
        ("SELECT Id\n, Name\nFROM\nLead", ("Lead", ["Id", "Name"])),
        ("SELECT Id, (SELECT Id FROM Contacts), Name FROM Account", ("Account", ["Id", "Contacts", "Name"])),
        ("SELECT FIELDS(ALL) FROM Lead LIMIT 200", ("Lead", [])),
        ("SELECT TYPEOF What WHEN Account THEN Phone END FROM Event", ("Event", [])),
        ("SELECT FromDate__c FROM Lead", ("Lead", ["FromDate__c"])),
    ],
)  # fmt: skip
def test_columns_are_read_off_the_statement(soql: str, expected: tuple[str, list[str]]) -> None:
    obj, columns = columns_of(soql)
    assert (obj, [column.name for column in columns]) == expected

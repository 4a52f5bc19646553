"""SQL is judged by its tree: what is not known to read only is not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_magics.policy import Label, classify

TEXT = (Path(__file__).parent / "data" / "sql_statements.txt").read_text(encoding="utf-8")
CASES = [
    (block.partition("\n")[0].strip(), block.partition("\n")[2].strip("\n").replace("\\0;", "\0;"))
    for block in TEXT.split("\n", 1)[1].split("\n---\n")
]
READS = [sql for label, sql in CASES if label == "read"]
OTHERS = [(label, sql) for label, sql in CASES if label != "read"]


def test_there_are_enough_statements() -> None:
    assert len(READS) >= 40
    assert len(OTHERS) >= 90


@pytest.mark.parametrize("sql", READS)
def test_a_statement_that_reads_passes(sql: str) -> None:
    verdict = classify(sql, "sql")
    assert verdict.label is Label.READ, verdict.reasons
    assert verdict.reasons == []


@pytest.mark.parametrize(("label", "sql"), OTHERS)
def test_any_other_statement_is_not_a_read_and_says_why(label: str, sql: str) -> None:
    verdict = classify(sql, "sql")
    assert verdict.label is not Label.READ
    assert verdict.label == label, verdict.reasons
    assert all(reason.what and reason.line >= 1 for reason in verdict.reasons)


@settings(max_examples=100, deadline=None)
@given(
    case=st.sampled_from(
        [
            case
            for case in CASES
            if "\\" not in case[1] and "'" not in case[1] and '"' not in case[1] and "$$" not in case[1]
        ]
    ),
    comment=st.sampled_from(["/* SELECT */ ", "-- x\n", "  \n\t", "/* a /* nested */ b */"]),
    change=st.sampled_from([str.upper, str.lower, str.swapcase, str]),
)
def test_case_and_comments_do_not_change_the_label(case, comment: str, change) -> None:
    label, sql = case
    assert classify(comment + change(sql) + " " + comment, "sql").label == label


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert classify(text, "sql").label in Label


def test_a_deeply_nested_text_gets_a_verdict() -> None:
    assert classify("SELECT " + "(" * 20_000 + "1" + ")" * 20_000, "sql").label is Label.UNKNOWN


def test_the_line_of_a_finding_is_told() -> None:
    verdict = classify("SELECT 1;\n\n-- now\nDELETE FROM leads", "sql")
    assert [reason.line for reason in verdict.reasons if reason.label is Label.DELETE] == [4]


def test_soql_reads_and_its_marking_clauses_do_not() -> None:
    for soql in (
        "SELECT Id, Name, Owner.Name, (SELECT Id FROM CampaignMembers) FROM Lead WHERE CreatedDate = LAST_N_DAYS:30",
        "SELECT COUNT() FROM Lead WHERE Name = 'for update; delete'",
        "SELECT Id FROM Lead WHERE Name = 'it\\'s' ORDER BY Name LIMIT 10 OFFSET 5 ALL ROWS",
        "SELECT LeadSource, COUNT(Id) FROM Lead GROUP BY ROLLUP(LeadSource) HAVING COUNT(Id) > 1",
        "FIND {Ann} IN NAME FIELDS RETURNING Lead(Id, Name)",
        "SELECT Id FROM Account WITH SECURITY_ENFORCED",
        "select fields(all) from Lead limit 200",
    ):
        assert classify(soql, "soql").label is Label.READ, soql
    for label, soql in (
        ("write", "SELECT Id FROM Lead FOR UPDATE"),
        ("write", "SELECT Id FROM Lead LIMIT 1 for\nview"),
        ("write", "SELECT Id FROM Lead FOR REFERENCE"),
        ("write", "SELECT Title FROM FAQ__kav UPDATE VIEWSTAT"),
        ("write", "SELECT Title FROM FAQ__kav UPDATE TRACKING"),
        ("delete", "DELETE [SELECT Id FROM Lead]"),
        ("write", "UPDATE Lead SET Name = 'x'"),
        ("unknown", "SELECT Id FROM Lead; SELECT Id FROM Contact"),
        ("unknown", "SELECT Id FROM Lead WHERE Name = 'open"),
        ("unknown", ""),
        ("unknown", "Database.delete(leads)"),
        ("dangerous", "SELECT Id\0 FROM Lead"),
    ):
        assert classify(soql, "soql").label == label, soql

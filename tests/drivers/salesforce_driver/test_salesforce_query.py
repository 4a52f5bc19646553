from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from integrator_drivers import FieldNotFoundError, ObjectNotFoundError, ValidationError
from salesforce_driver import SalesforceClient


def test_aggregates_have_names_and_types(salesforce: SalesforceClient) -> None:
    records = salesforce.query(
        "SELECT LeadSource, COUNT(Id) leads, MAX(CreatedDate), SUM(AnnualRevenue) FROM Lead GROUP BY LeadSource"
    )
    assert {name: field["type"] for name, field in records.fields.items()} == {
        "LeadSource": "text",
        "leads": "integer",
        "expr0": "datetime",
        "expr1": "number",
    }
    assert sum(row["leads"] for row in records.rows()) == 450


def test_a_semicolon_at_the_end_does_no_harm(salesforce: SalesforceClient) -> None:
    assert len(list(salesforce.query(" SELECT Id FROM Lead LIMIT 1; ").rows())) == 1


def test_count_is_one_row(salesforce: SalesforceClient) -> None:
    assert list(salesforce.query("SELECT COUNT() FROM Lead").rows()) == [{"count": 450}]


def test_children_are_json_lists_and_leads_without_campaign_are_kept(salesforce: SalesforceClient) -> None:
    records = salesforce.query(
        "SELECT Id, (SELECT Campaign.Name, Status FROM CampaignMembers) FROM Lead WHERE IsConverted = false"
    )
    rows = list(records.rows())
    assert records.fields["CampaignMembers"]["type"] == "json"
    assert {len(row["CampaignMembers"] or []) for row in rows} >= {0, 1, 3}
    some = next(row["CampaignMembers"] for row in rows if row["CampaignMembers"])
    assert set(some[0]) == {"Campaign.Name", "Status"}


def test_an_empty_answer_still_has_its_columns(salesforce: SalesforceClient) -> None:
    records = salesforce.query("SELECT Id, ConvertedOpportunity.Amount FROM Lead WHERE Name = 'nobody at all'")
    assert list(records.fields) == ["Id", "ConvertedOpportunity.Amount"]
    assert list(records.rows()) == []


def test_a_parent_that_is_empty_in_every_row_has_its_column(salesforce: SalesforceClient) -> None:
    records = salesforce.query("SELECT Id, ConvertedOpportunity.Amount FROM Lead WHERE IsConverted = false LIMIT 3")
    assert [row["ConvertedOpportunity.Amount"] for row in records.rows()] == [None] * 3


def test_rows_can_be_gone_through_again(org: Any, salesforce: SalesforceClient) -> None:
    records = salesforce.query("SELECT Id FROM Lead ORDER BY Id")
    assert list(records.rows()) == list(records.rows())
    assert records.source_count == 450


@pytest.mark.parametrize(
    ("soql", "error", "words"),
    [
        ("SELECT Id, Emial FROM Lead", FieldNotFoundError, 'Lead has no field "Emial".*Close matches: Email'),
        ("SELECT Id FROM Leed", ObjectNotFoundError, 'no object "Leed".*Close matches: Lead'),
        ("SELECT Id FROM Lead WHERE", ValidationError, "did not understand the query: unexpected token.*row 1"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 'x'", ValidationError, "must be of type dateTime"),
        ("SELECT Id, Campain.Name FROM CampaignMember", FieldNotFoundError, 'no relationship "Campain"'),
        ("DELETE FROM Lead", ValidationError, "starts with SELECT"),
        ("", ValidationError, "starts with SELECT"),
    ],
)
def test_mistakes_are_one_sentence(salesforce: SalesforceClient, soql: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        salesforce.query(soql)
    assert "\n" not in str(caught.value)
    assert "^" not in str(caught.value)


def test_parts_of_dates_and_subtotals_have_types(salesforce: SalesforceClient) -> None:
    by_day = salesforce.query(
        "SELECT DAY_ONLY(convertTimezone(CreatedDate)) d, CALENDAR_YEAR(CreatedDate) y, COUNT(Id) n FROM Lead "
        "GROUP BY DAY_ONLY(convertTimezone(CreatedDate)), CALENDAR_YEAR(CreatedDate)"
    )
    types = {name: field["type"] for name, field in by_day.fields.items()}
    assert types == {"d": "date", "y": "integer", "n": "integer"}
    row = by_day.first(1)[0]
    assert isinstance(row["d"], date) and row["y"] == row["d"].year
    rolled = salesforce.query("SELECT Status, GROUPING(Status) g, COUNT(Id) n FROM Lead GROUP BY ROLLUP(Status)")
    assert rolled.fields["g"]["type"] == "integer"
    assert sum(row["n"] for row in rolled.rows() if row["g"] == 1) == 450


def test_columns_that_are_not_named_in_the_statement_are_described_too(salesforce: SalesforceClient) -> None:
    every = salesforce.query("SELECT FIELDS(STANDARD) FROM Lead WHERE IsConverted = true LIMIT 3")
    types = {name: every.fields[name]["type"] for name in ("Id", "CreatedDate", "ConvertedDate", "AnnualRevenue")}
    assert types == {"Id": "text", "CreatedDate": "datetime", "ConvertedDate": "date", "AnnualRevenue": "number"}
    row = every.first(1)[0]
    assert row["CreatedDate"].tzinfo and isinstance(row["ConvertedDate"], date)
    owners = salesforce.query("SELECT Id, TYPEOF Owner WHEN User THEN Username, CreatedDate END FROM Lead LIMIT 2")
    assert list(owners.fields) == ["Id", "Owner.Username", "Owner.CreatedDate"]
    assert owners.first(1)[0]["Owner.CreatedDate"].tzinfo

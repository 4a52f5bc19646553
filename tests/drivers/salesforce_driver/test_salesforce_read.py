from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from integrator_drivers import (
    FieldNotFoundError,
    ObjectNotFoundError,
    RateLimitError,
    ValidationError,
    days_ago,
    registry,
)
from salesforce_driver import SalesforceClient


def ids(records: Any) -> set[str]:
    return {row["Id"] for row in records.rows()}


@pytest.fixture
def every(salesforce: SalesforceClient) -> list[dict[str, Any]]:
    fields = ["Id", "Name", "Email", "LeadSource", "IsConverted", "ConvertedDate", "CreatedDate", "AnnualRevenue"]
    return list(salesforce.read("Lead", fields=fields).rows())


def test_common_objects_come_first(salesforce: SalesforceClient) -> None:
    assert salesforce.list_objects()[:4] == ["Lead", "Contact", "Account", "Opportunity"]


def test_objects_are_described_with_purpose_and_counts_within_a_second(salesforce: SalesforceClient) -> None:
    start = time.monotonic()
    lead = salesforce.describe_objects()[0]
    assert time.monotonic() - start < 1
    assert (lead.name, lead.label, lead.records) == ("Lead", "Lead", 450)
    assert "customers" in lead.purpose
    assert lead.fields and lead.fields > 50


def test_fields_are_in_the_words_of_the_contract(salesforce: SalesforceClient) -> None:
    fields = salesforce.get_fields("Lead")
    assert fields["Id"] == {
        "type": "text",
        "native_type": "id",
        "nullable": False,
        "label": "Lead ID",
        "writable": False,
        "personal": False,
        "primary_key": True,
        "length": 18,
    }
    assert fields["OwnerId"]["type"] == "reference"
    assert fields["OwnerId"]["references"] == ["Group", "User"]
    assert "Web" in fields["LeadSource"]["choices"]
    assert fields["Email"]["personal"] and fields["LastName"]["personal"] and not fields["LeadSource"]["personal"]
    assert fields["Address"] == {**fields["Address"], "type": "json", "compound": "Address", "writable": False}
    assert fields["City"]["compound"] == "Address"
    assert fields["AnnualRevenue"]["type"] == "number"
    assert fields["CreatedDate"]["type"] == "datetime" and not fields["CreatedDate"]["writable"]


def test_names_may_be_typed_in_any_case(salesforce: SalesforceClient) -> None:
    records = salesforce.read("lead", fields=["id", "EMAIL"], limit=1)
    assert list(records.fields) == ["id", "EMAIL"]
    assert list(records.first(1)[0]) == ["id", "EMAIL"]


def test_values_have_python_types(every: list[dict[str, Any]]) -> None:
    converted = next(row for row in every if row["IsConverted"])
    assert isinstance(converted["ConvertedDate"], date)
    assert converted["CreatedDate"].tzinfo is UTC
    assert isinstance(next(row["AnnualRevenue"] for row in every if row["AnnualRevenue"]), int | float)


def test_parents_are_read_by_path_and_empty_where_there_is_none(salesforce: SalesforceClient) -> None:
    rows = list(
        salesforce.read("CampaignMember", fields=["LeadId", "Campaign.Name", "Lead.Owner.Name", "Contact.Name"]).rows()
    )
    of_lead = next(row for row in rows if row["LeadId"])
    of_contact = next(row for row in rows if not row["LeadId"])
    assert list(of_lead) == ["LeadId", "Campaign.Name", "Lead.Owner.Name", "Contact.Name"]
    assert of_lead["Campaign.Name"] and of_lead["Lead.Owner.Name"]
    assert of_contact["Lead.Owner.Name"] is None


def test_a_parents_field_is_described_as_what_it_is(salesforce: SalesforceClient) -> None:
    fields = salesforce.read("Opportunity", fields=["Account.AnnualRevenue", "Owner.Email"]).fields
    assert fields["Account.AnnualRevenue"]["type"] == "number"
    assert fields["Account.AnnualRevenue"]["nullable"] and not fields["Account.AnnualRevenue"]["writable"]
    assert fields["Owner.Email"]["personal"]


def test_without_fields_all_but_compound_ones_are_read(salesforce: SalesforceClient) -> None:
    row = salesforce.read("Lead", limit=1).first(1)[0]
    assert "Address" not in row and "Street" in row and len(row) > 50


CONDITIONS: list[tuple[tuple[str, str, Any], Callable[[dict[str, Any]], bool]]] = [
    (("LeadSource", "=", "web"), lambda row: row["LeadSource"] == "Web"),
    (("LeadSource", "!=", "Web"), lambda row: row["LeadSource"] != "Web"),
    (("LeadSource", "in", ["Web", "Event", "No such"]), lambda row: row["LeadSource"] in ("Web", "Event")),
    (("LeadSource", "in", []), lambda row: False),
    (("LeadSource", "not in", []), lambda row: True),
    (("Email", "is null", None), lambda row: row["Email"] is None),
    (("Email", "not null", None), lambda row: row["Email"] is not None),
    (("Name", "contains", "é"), lambda row: "é" in row["Name"].lower()),
    (("Name", "contains", "%"), lambda row: "%" in row["Name"]),
    (("IsConverted", "=", True), lambda row: row["IsConverted"]),
    (("CreatedDate", ">=", days_ago(30)), lambda row: row["CreatedDate"] >= days_ago(30)),
    (("CreatedDate", "<", days_ago(30).date()), lambda row: row["CreatedDate"] < days_ago(30)),
    (("CreatedDate", "=", days_ago(30).date()), lambda row: row["CreatedDate"].date() == days_ago(30).date()),
    (("CreatedDate", "<=", days_ago(30).date()), lambda row: row["CreatedDate"] < days_ago(29)),
    (("AnnualRevenue", ">", 100000), lambda row: (row["AnnualRevenue"] or 0) > 100000),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS, ids=[str(entry[0][:2]) for entry in CONDITIONS])
def test_conditions_choose_the_right_records(
    salesforce: SalesforceClient,
    every: list[dict[str, Any]],
    condition: tuple[str, str, Any],
    expected: Callable[[dict[str, Any]], bool],
) -> None:
    assert ids(salesforce.read("Lead", fields=["Id"], where=[condition])) == {
        row["Id"] for row in every if expected(row)
    }


def test_conditions_hold_together(salesforce: SalesforceClient, every: list[dict[str, Any]]) -> None:
    where = [("LeadSource", "=", "Web"), ("IsConverted", "=", False)]
    found = ids(salesforce.read("Lead", fields=["Id"], where=where))
    assert found == {row["Id"] for row in every if row["LeadSource"] == "Web" and not row["IsConverted"]}


def test_a_condition_may_be_about_a_parent(salesforce: SalesforceClient) -> None:
    where = [("Campaign.Name", "=", 'Webinar "Data without tears"')]
    rows = list(salesforce.read("CampaignMember", fields=["Id", "Campaign.Name"], where=where).rows())
    assert {row["Campaign.Name"] for row in rows} == {'Webinar "Data without tears"'}


def test_lists_longer_than_an_address_are_asked_in_parts(
    org: Any, salesforce: SalesforceClient, every: list[dict[str, Any]]
) -> None:
    wanted = {row["Id"] for row in every}
    unknown = [f"00Q5g0000{n:06}" for n in range(1500)]
    records = salesforce.read("Lead", fields=["Id", "Name"], where=[("Id", "in", [*wanted, *unknown])])
    assert ids(records) == wanted
    queries = [request for request in org.requests() if request["path"].endswith("/query")]
    assert len(queries) > 4
    assert max(len(request["query"]) for request in queries) < 16_384
    assert records.source_count == len(wanted)


def test_a_limit_holds_over_all_parts(salesforce: SalesforceClient, every: list[dict[str, Any]]) -> None:
    wanted = [row["Id"] for row in every] * 3 + [f"00Q5g0000{n:06}" for n in range(900)]
    records = salesforce.read("Lead", fields=["Id"], where=[("Id", "in", wanted)], limit=7)
    assert len(list(records.rows())) == 7
    assert records.source_count == 7


def test_a_question_too_long_for_any_way_is_refused_before_it_is_sent(org: Any, salesforce: SalesforceClient) -> None:
    long = [f"name {n}" for n in range(30_000)]
    with pytest.raises(ValidationError, match="longer than Salesforce takes"):
        salesforce.read("Lead", fields=["Id"], where=[("Name", "not in", long)])


def test_all_pages_are_read_and_the_count_is_salesforces_own(org: Any, salesforce: SalesforceClient) -> None:
    records = salesforce.read("CampaignMember", fields=["Id"])
    first = list(records.rows())
    assert (
        len(first)
        == records.source_count
        == salesforce.query("SELECT COUNT() FROM CampaignMember").first(1)[0]["count"]
    )
    assert len({row["Id"] for row in first}) == len(first)
    assert list(records.rows()) == first


def test_several_pages_are_followed_in_order(org: Any, salesforce: SalesforceClient) -> None:
    connection = salesforce._connection
    connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
    pages = list(connection.pages("SELECT Id FROM Lead ORDER BY Id"))
    assert [len(page["records"]) for page in pages] == [200, 200, 50]
    found = [row["Id"] for page in pages for row in page["records"]]
    assert found == sorted(set(found))


def test_since_is_inclusive_until_exclusive_and_rows_come_in_order(salesforce: SalesforceClient) -> None:
    stamps = sorted(row["SystemModstamp"] for row in salesforce.read("Lead", fields=["SystemModstamp"]).rows())
    start, end = stamps[100], stamps[300]
    found = [
        row["SystemModstamp"]
        for row in salesforce.read("Lead", fields=["SystemModstamp"], since=start, until=end).rows()
    ]
    assert found == [stamp for stamp in stamps if start <= stamp < end]


def test_a_time_without_a_zone_is_refused(salesforce: SalesforceClient) -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        salesforce.read("Lead", fields=["Id"], since=datetime(2026, 11, 1))


def test_unknown_objects_and_fields_offer_what_may_have_been_meant(salesforce: SalesforceClient) -> None:
    with pytest.raises(
        ObjectNotFoundError, match=r'no object "Leads" that this user can see\. Close matches: Lead'
    ) as obj:
        salesforce.get_fields("Leads")
    assert obj.value.near[0] == "Lead"
    with pytest.raises(FieldNotFoundError) as caught:
        salesforce.read("Lead", fields=["Lead_Source__c"])
    assert str(caught.value) == (
        'Lead has no field "Lead_Source__c" that this user can see. It may be hidden by field-level security. '
        "Close matches: LeadSource."
    )
    with pytest.raises(FieldNotFoundError) as relation:
        salesforce.read("CampaignMember", fields=["Campain.Name"])
    assert "Campaign" in relation.value.near


@pytest.mark.parametrize("name", ["Lead/../Contact", "", "Lead Contact", "Léad", "Lead?x=1"])
def test_a_name_that_can_be_no_object_is_not_asked_for(org: Any, salesforce: SalesforceClient, name: str) -> None:
    with pytest.raises(ObjectNotFoundError):
        salesforce.get_fields(name)
    assert not [request for request in org.requests() if request["path"].endswith("/describe")]


def test_a_field_hidden_by_the_administrator_is_not_there(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("hide_field", object="Lead", field="LeadSource")
    assert "LeadSource" not in salesforce.get_fields("Lead")
    with pytest.raises(FieldNotFoundError, match="hidden by field-level security"):
        salesforce.read("Lead", fields=["LeadSource"])


def test_a_daily_limit_stops_with_a_sentence(org: Any, salesforce: SalesforceClient) -> None:
    salesforce.list_objects()
    org.fault("next_status", status=403, path="/sobjects")
    with pytest.raises(RateLimitError, match="daily API limit is used up"):
        salesforce.list_objects()


def test_a_new_field_is_seen_at_once(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("hide_field", object="Lead", field="Title")
    before = salesforce.get_fields("Lead")
    org.calm()
    assert set(salesforce.get_fields("Lead")) - set(before) == {"Title"}


def test_a_field_list_must_be_a_list(salesforce: SalesforceClient) -> None:
    with pytest.raises(ValidationError, match="fields is a list"):
        salesforce.read("Lead", fields="Id")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"where": "LeadSource = 'Web'"}, "where is a list of conditions"),
        ({"where": [("Email", "is null")]}, "three parts"),
        ({"where": [("LeadSource", "in", "Web")]}, "in needs a list"),
        ({"where": [("LeadSource", "=", ["Web"])]}, "for several use in"),
        ({"limit": -1}, "limit is a whole number"),
        ({"limit": "5"}, "limit is a whole number"),
    ],
)
def test_a_question_of_the_wrong_shape_is_refused_in_words(
    salesforce: SalesforceClient, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        salesforce.read("Lead", fields=["Id"], **arguments)


def test_a_parent_alone_is_no_field_and_the_error_says_what_is(salesforce: SalesforceClient) -> None:
    with pytest.raises(FieldNotFoundError) as caught:
        salesforce.read("Lead", fields=["owner"])
    assert str(caught.value) == (
        "Lead.Owner is a record of its own; name a field of it, such as Owner.Name or OwnerId."
    )
    assert caught.value.near == ["Owner.Name", "OwnerId"]


def test_lookup_finds_by_the_value_asked_for(salesforce: SalesforceClient, every: list[dict[str, Any]]) -> None:
    row = next(row for row in every if row["Email"] and row["Email"] != row["Email"].upper())
    found = salesforce.lookup("Lead", "Email", [row["Email"].upper(), None, "nobody@nowhere.example"], ["Id"])
    assert list(found) == [row["Email"].upper()]
    short = row["Id"][:15]
    assert salesforce.lookup("Lead", "Id", [short], ["Name"]) == {short: {"Name": row["Name"], "Id": row["Id"]}}
    assert salesforce.lookup("Lead", "Id", [], ["Name"]) == {}
    assert salesforce.lookup("Lead", "Id", ["no id", "'"], ["Name"]) == {}


def test_the_cursor_of_the_manifest_is_a_field_of_every_common_object(salesforce: SalesforceClient) -> None:
    manifest = registry.manifest("salesforce")
    for obj in ("Lead", "Contact", "Opportunity"):
        assert {manifest.cursor, manifest.created} <= set(salesforce.get_fields(obj))


def test_a_window_fixed_at_preview_does_not_move(salesforce: SalesforceClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_NOW", (datetime.now(UTC) - timedelta(days=40)).isoformat())
    earlier = salesforce.read("Lead", fields=["Id"], where=[("CreatedDate", ">=", days_ago(30))])
    monkeypatch.delenv("INTEGRATOR_NOW")
    later = salesforce.read("Lead", fields=["Id"], where=[("CreatedDate", ">=", days_ago(30))])
    assert ids(later) < ids(earlier)

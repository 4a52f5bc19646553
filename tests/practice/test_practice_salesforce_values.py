"""What a write keeps of the values it is given, and the rarer ways to write."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest

from integrator_practice import seeds

LEAD = {"LastName": "A", "Company": "B"}
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("IsUnreadByOwner", "TRUE", True),
        ("IsUnreadByOwner", True, True),
        ("NumberOfEmployees", "31", 31),
        ("NumberOfEmployees", 31.0, 31),
        ("AnnualRevenue", 1, 1.0),
        ("AnnualRevenue", "", None),
        ("EmailBouncedReason", None, None),
        ("Title", 5, "5"),
        ("Title", True, "true"),
        ("Description", "two\nlines \N{ROCKET}", "two\nlines \N{ROCKET}"),
    ],
)
def test_a_value_is_kept_as_its_field_holds_it(small: Any, name: str, given: Any, kept: Any) -> None:
    if name == "EmailBouncedReason":
        record_id = small.rest("POST", "/sobjects/Lead", LEAD)[1]["id"]
        assert small.rest("PATCH", f"/sobjects/Lead/{record_id}", {name: given})[0] == 204
    else:
        status, answer = small.rest("POST", "/sobjects/Lead", {**LEAD, name: given})
        assert status == 201, answer
        record_id = answer["id"]
    assert small.rest("GET", f"/sobjects/Lead/{record_id}?fields={name}")[1][name] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2026-12-31", "2026-12-31"), ("2026-12-31T23:00:00Z", "2026-12-31"), ("31.12.2026", None), (5, None)],
)
def test_a_date_is_read_from_its_iso_form_only(small: Any, given: Any, kept: str | None) -> None:
    status, answer = small.rest("POST", "/sobjects/Opportunity", {**DEAL, "CloseDate": given})
    if kept is None:
        assert (status, answer[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    else:
        assert small.rest("GET", f"/sobjects/Opportunity/{answer['id']}")[1]["CloseDate"] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2026-11-21T10:00:00+02:00", "2026-11-21T08:00:00.000+0000"), ("2026-11-21T10:00:00", None), ("soon", None)],
)
def test_a_datetime_needs_its_zone(small: Any, given: str, kept: str | None) -> None:
    record_id = small.rest("POST", "/sobjects/Lead", LEAD)[1]["id"]
    status, answer = small.rest("PATCH", f"/sobjects/Lead/{record_id}", {"EmailBouncedDate": given})
    if kept is None:
        assert (status, answer[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    else:
        assert small.rest("GET", f"/sobjects/Lead/{record_id}")[1]["EmailBouncedDate"] == kept


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("IsUnreadByOwner", "maybe", "JSON_PARSER_ERROR"),
        ("Title", {"a": 1}, "JSON_PARSER_ERROR"),
        ("Title", [1], "JSON_PARSER_ERROR"),
        ("NumberOfEmployees", True, "JSON_PARSER_ERROR"),
        ("NumberOfEmployees", 10**9, "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_a_value_of_another_kind_is_refused(small: Any, name: str, value: Any, code: str) -> None:
    status, errors = small.rest("POST", "/sobjects/Lead", {**LEAD, name: value})
    assert (status, errors[0]["errorCode"]) == (400, code)


@pytest.mark.parametrize("body", ["", "no json", "[1]", '"text"'])
def test_a_body_that_is_no_object_is_refused(small: Any, body: str) -> None:
    status, errors = small.rest("POST", "/sobjects/Lead", body)
    assert (status, errors[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert small.rest("POST", "/composite/sobjects", body)[1][0]["errorCode"] == "JSON_PARSER_ERROR"


def test_a_record_can_not_lose_what_it_needs(small: Any) -> None:
    record_id = small.rest("POST", "/sobjects/Lead", LEAD)[1]["id"]
    _, errors = small.rest("PATCH", f"/sobjects/Lead/{record_id}", {"LastName": None})
    assert errors[0]["message"] == "Required fields are missing: [LastName]"
    _, errors = small.rest("PATCH", f"/sobjects/Lead/{record_id}", {"Id": record_id})
    assert errors[0]["message"] == "The Id field should not be specified in the sobject data."


def test_users_are_not_made_or_changed_here(small: Any) -> None:
    assert small.rest("POST", "/sobjects/User", {"LastName": "A"})[0] == 400
    assert small.rest("PATCH", f"/sobjects/User/{seeds.user_id(1, 0)}", {"LastName": "A"})[0] == 400


def test_a_new_member_counts_in_its_campaign(small: Any) -> None:
    campaign = seeds.campaign_id(1, 0)
    count = f"SELECT NumberOfLeads, NumberOfResponses FROM Campaign WHERE Id = '{campaign}'"
    before = small.rows(count)[0]
    lead = small.rest("POST", "/sobjects/Lead", LEAD)[1]["id"]
    member = {"CampaignId": campaign, "LeadId": lead, "Status": "Responded"}
    assert small.rest("POST", "/sobjects/CampaignMember", {"CampaignId": campaign})[0] == 400
    status, made = small.rest("POST", "/sobjects/CampaignMember", member)
    assert status == 201
    after = small.rows(count)[0]
    assert after["NumberOfLeads"] == before["NumberOfLeads"] + 1
    assert after["NumberOfResponses"] == before["NumberOfResponses"] + 1
    row = small.rows(
        f"SELECT HasResponded, FirstRespondedDate, CompanyOrAccount FROM CampaignMember WHERE Id = '{made['id']}'"
    )
    assert (row[0]["HasResponded"], row[0]["CompanyOrAccount"]) == (True, "B")
    assert row[0]["FirstRespondedDate"]


def test_an_opportunity_follows_its_stage(small: Any) -> None:
    record_id = small.rest("POST", "/sobjects/Opportunity", {**DEAL, "Amount": 100})[1]["id"]
    for given, probability, won in (
        ({"StageName": "Closed Won"}, 100.0, True),
        ({"StageName": "Closed Lost"}, 0.0, False),
        ({"StageName": "Needs Analysis", "Probability": 33}, 33.0, False),
        ({"NextStep": "Call"}, 33.0, False),
    ):
        assert small.rest("PATCH", f"/sobjects/Opportunity/{record_id}", given)[0] == 204
        row = small.rest("GET", f"/sobjects/Opportunity/{record_id}")[1]
        assert (row["Probability"], row["ExpectedRevenue"], row["IsWon"]) == (probability, probability, won)


def test_an_upsert_key_that_several_records_have_is_a_300(small: Any) -> None:
    emails = Counter(row["Email"].casefold() for row in small.rows("SELECT Email FROM Lead WHERE Email != null"))
    email = next(email for email, count in emails.items() if count == 2)
    status, paths = small.rest("PATCH", f"/sobjects/Lead/Email/{quote(email)}", {"Title": "x"})
    assert (status, len(paths)) == (300, 2)


def test_a_collection_upserts_by_id_too(small: Any) -> None:
    kind = {"attributes": {"type": "Lead"}}
    known = small.rest("POST", "/sobjects/Lead", LEAD)[1]["id"]
    records = [{**kind, "Id": known, "Title": "x"}, {**kind, **LEAD}, {**kind, "Id": seeds.lead_id(1, 999)}]
    _, answers = small.rest("PATCH", "/composite/sobjects/Lead/Id", {"records": records})
    assert [answer.get("created") for answer in answers] == [False, True, None]
    assert answers[0]["id"] == known


def test_a_collection_needs_a_type_and_an_id(small: Any) -> None:
    records = [{"Title": "x"}, {"attributes": {"type": "Leed"}}, {"attributes": {"type": "Lead"}, "Title": "x"}]
    _, answers = small.rest("PATCH", "/composite/sobjects", {"records": records})
    codes = [answer["errors"][0]["statusCode"] for answer in answers]
    assert codes == ["INVALID_INPUT", "INVALID_TYPE", "MISSING_ARGUMENT"]


def test_labels_and_mixed_lists_can_be_asked_for(seeded: Any) -> None:
    row = seeded.rows("SELECT toLabel(Status), Status s FROM Lead GROUP BY Status, toLabel(Status) LIMIT 1")[0]
    assert row["Status"] == row["s"]
    assert seeded.rows("SELECT toLabel(Lead.LeadSource) FROM CampaignMember LIMIT 1")[0].keys() == {
        "attributes",
        "Lead",
    }
    assert "duplicate field selected: Status" in seeded.error("SELECT Status, toLabel(Status) FROM Lead")[1]
    every = seeded.total("SELECT COUNT() FROM Lead WHERE ConvertedDate IN (THIS_YEAR, LAST_YEAR, 2001-01-01, null)")
    years = seeded.total("SELECT COUNT() FROM Lead WHERE ConvertedDate = THIS_YEAR OR ConvertedDate = LAST_YEAR")
    null = seeded.total("SELECT COUNT() FROM Lead WHERE ConvertedDate = null")
    assert every == years + null
    assert seeded.total("SELECT COUNT() FROM Lead WHERE DAY_ONLY(CreatedDate) = TODAY") > 0
    assert seeded.total("SELECT COUNT() FROM Lead WHERE toLabel(Status) = 'working - contacted'") > 100


def test_a_parent_can_be_named_by_its_external_id(small: Any) -> None:
    _, made = small.rest("PATCH", "/sobjects/Lead/External_Id__c/f-1", {"LastName": "A", "Company": "B"})
    campaign = small.rest("POST", "/sobjects/Campaign", {"Name": "New"})[1]["id"]
    member = {"CampaignId": campaign, "Lead": {"External_Id__c": "F-1"}, "Status": "Sent"}
    status, answer = small.rest("POST", "/sobjects/CampaignMember", member)
    assert status == 201
    assert small.rest("GET", f"/sobjects/CampaignMember/{answer['id']}?fields=LeadId")[1]["LeadId"] == made["id"]
    status, errors = small.rest("POST", "/sobjects/CampaignMember", {**member, "Lead": {"External_Id__c": "no"}})
    assert (status, errors[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert errors[0]["message"] == "Foreign key external ID: no not found for field External_Id__c in entity Lead"
    for wrong in ({"Company": "B"}, {}, {"External_Id__c": "f-1", "Id": made["id"]}, "f-1"):
        assert small.rest("POST", "/sobjects/CampaignMember", {**member, "Lead": wrong})[0] == 400


def test_a_person_is_in_a_campaign_once(small: Any) -> None:
    row = small.rows("SELECT CampaignId, LeadId FROM CampaignMember WHERE LeadId != null LIMIT 1")[0]
    again = {"CampaignId": row["CampaignId"], "LeadId": row["LeadId"]}
    status, errors = small.rest("POST", "/sobjects/CampaignMember", again)
    assert (status, errors[0]["errorCode"]) == (400, "DUPLICATE_VALUE")
    assert errors[0]["message"] == "Already a campaign member."

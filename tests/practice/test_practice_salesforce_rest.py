"""Login, describe, records and errors of the practice Salesforce, in plain HTTP."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from integrator_practice import seeds
from salesforce_driver.practice.auth import Accounts


def ask_token(salesforce: Any, headers: dict[str, str] | None = None, **form: str) -> tuple[int, Any]:
    status, answer = salesforce.send("POST", "/services/oauth2/token", urlencode(form), headers)
    return status, answer


def app(salesforce: Any) -> dict[str, str]:
    return {
        "client_id": salesforce.env["SALESFORCE_CLIENT_ID"],
        "client_secret": salesforce.env["SALESFORCE_CLIENT_SECRET"],
    }


def test_a_token_reply_has_what_clients_need(seeded: Any) -> None:
    status, answer = ask_token(seeded, grant_type="client_credentials", **app(seeded))
    assert status == 200
    assert set(answer) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}
    assert answer["instance_url"] == seeded.served.base_url
    assert abs(int(answer["issued_at"]) / 1000 - datetime.now(UTC).timestamp()) < 60


def test_the_app_may_log_in_with_a_basic_header(seeded: Any) -> None:
    pair = base64.b64encode(":".join(app(seeded).values()).encode()).decode()
    status, _ = ask_token(seeded, {"Authorization": f"Basic {pair}"}, grant_type="client_credentials")
    assert status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "password", "username": "x", "password": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_login_is_refused(seeded: Any, form: dict[str, str], error: str) -> None:
    status, answer = ask_token(seeded, **{**app(seeded), **form})
    assert (status, answer["error"]) == (400, error)
    assert answer["error_description"]


def test_the_password_needs_the_security_token_behind_it(seeded: Any) -> None:
    person = Accounts(1).person
    form = {"grant_type": "password", "username": person.username, **app(seeded)}
    assert ask_token(seeded, password=person.password, **form)[0] == 400
    assert ask_token(seeded, password=person.password + person.security_token, **form)[0] == 200


def test_a_refresh_token_gives_a_new_session(seeded: Any) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": Accounts(1).refresh_token}
    assert ask_token(seeded, **form, **app(seeded))[0] == 200


def test_without_a_live_session_nothing_is_answered(small: Any) -> None:
    assert small.rest("GET", "/sobjects")[0] == 200
    small.fault(fault="expire_sessions")
    status, errors = small.rest("GET", "/sobjects")
    assert (status, errors) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    small.log_in()
    assert small.rest("GET", "/sobjects")[0] == 200


def test_versions_are_listed_and_others_are_not_there(seeded: Any) -> None:
    _, versions = seeded.send("GET", "/services/data")
    assert {"label": "Winter '24", "url": "/services/data/v59.0", "version": "59.0"} in versions
    for version in ("v50.0", "v61.0", versions[-1]["url"].rpartition("/")[2]):
        assert seeded.send("GET", f"/services/data/{version}/sobjects")[0] == 200
    for version in ("v30.0", "v99.0", "59.0", "v59"):
        status, errors = seeded.send("GET", f"/services/data/{version}/sobjects")
        assert (status, errors[0]["errorCode"]) == (404, "NOT_FOUND")


def test_every_answer_tells_the_api_usage(seeded: Any) -> None:
    seeded.rest("GET", "/sobjects")
    used, _, most = seeded.headers["Sforce-Limit-Info"].removeprefix("api-usage=").partition("/")
    assert int(used) < int(most) / 100
    assert seeded.rest("GET", "/limits")[1]["DailyApiRequests"]["Max"] == int(most)


def test_describe_says_what_the_recordings_say(seeded: Any) -> None:
    _, described = seeded.rest("GET", "/sobjects/lead/describe")
    fields = {field["name"]: field for field in described["fields"]}
    assert len(fields) == 55  # 54 recorded and the external id
    assert described["keyPrefix"] == "00Q"
    assert (fields["Email"]["idLookup"], fields["Email"]["externalId"], fields["Email"]["length"]) == (True, False, 80)
    assert fields["ConvertedOpportunityId"]["relationshipName"] == "ConvertedOpportunity"
    assert fields["OwnerId"]["referenceTo"] == ["Group", "User"]
    assert fields["Street"]["compoundFieldName"] == "Address"
    assert fields["External_Id__c"]["externalId"]
    assert len(fields["Id"]) == 57
    assert [choice["value"] for choice in fields["Rating"]["picklistValues"]] == ["Hot", "Warm", "Cold"]
    children = {child["relationshipName"]: child["childSObject"] for child in described["childRelationships"]}
    assert children["CampaignMembers"] == "CampaignMember"


def test_the_global_describe_lists_every_object(seeded: Any) -> None:
    _, answer = seeded.rest("GET", "/sobjects")
    names = {entry["name"] for entry in answer["sobjects"] if entry["queryable"]}
    assert names >= {"Lead", "Contact", "Account", "Opportunity", "Campaign", "CampaignMember", "User", "Case"}
    assert answer["maxBatchSize"] == 200


@pytest.mark.parametrize("path", ["/sobjects/Leed/describe", "/sobjects/Leed", "/sobjects/Lead/abc", "/nope"])
def test_what_is_not_there_is_not_found(seeded: Any, path: str) -> None:
    status, errors = seeded.rest("GET", path)
    assert (status, errors[0]["errorCode"]) == (404, "NOT_FOUND")


def test_an_address_that_is_too_long_is_a_414_page(seeded: Any) -> None:
    status, text = seeded.rest("GET", "/query?q=" + "a" * 16_400)
    assert (status, text) == (414, "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>")


def test_a_record_is_found_by_its_id_and_its_external_id(seeded: Any) -> None:
    row = seeded.rows("SELECT Id, External_Id__c FROM Lead WHERE External_Id__c != null LIMIT 1")[0]
    _, whole = seeded.rest("GET", f"/sobjects/Lead/{row['Id'][:15]}")
    assert whole["Id"] == row["Id"]
    assert len(whole) == 56
    key = quote(row["External_Id__c"])
    _, some = seeded.rest("GET", f"/sobjects/Lead/External_Id__c/{key}?fields=Name,Email")
    assert list(some) == ["attributes", "Name", "Email"]
    _, errors = seeded.rest("GET", "/sobjects/Lead/LastName/Singh")
    assert errors[0]["message"] == "Provided external ID field does not exist or is not accessible: LastName"


def test_several_records_of_one_email_are_a_300(seeded: Any) -> None:
    emails = Counter(row["Email"].casefold() for row in seeded.rows("SELECT Email FROM Lead WHERE Email != null"))
    email = next(email for email, count in emails.items() if count == 2)
    status, found = seeded.rest("GET", f"/sobjects/Lead/Email/{quote(email)}")
    assert status == 300
    assert [path.rpartition("/")[0] for path in found] == ["/services/data/v59.0/sobjects/Lead"] * 2


def test_an_insert_stamps_and_completes_the_record(small: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    given = {"LastName": "Okafor", "FirstName": "Ada", "Company": "Lantern"}
    status, answer = small.rest("POST", "/sobjects/Lead", given)
    assert (status, answer["success"], answer["errors"]) == (201, True, [])
    _, row = small.rest("GET", f"/sobjects/Lead/{answer['id']}")
    assert row["Name"] == "Ada Okafor"
    assert row["Status"] == "Open - Not Contacted"
    assert row["IsConverted"] is False
    assert row["OwnerId"] == row["CreatedById"] == seeds.user_id(1, 4)
    assert datetime.fromisoformat(row["SystemModstamp"]) >= before
    assert small.total("SELECT COUNT() FROM Lead") == 61


def test_an_update_moves_the_system_modstamp_only_of_its_record(small: Any) -> None:
    rows = {row["Id"]: row for row in small.rows("SELECT Id, SystemModstamp FROM Lead WHERE IsConverted = false")}
    record_id = min(rows, key=lambda key: str(rows[key]["SystemModstamp"]))
    status, nothing = small.rest("PATCH", f"/sobjects/Lead/{record_id}", {"Title": "Buyer", "Email": ""})
    assert (status, nothing) == (204, "")
    after = {row["Id"]: row for row in small.rows("SELECT Id, SystemModstamp FROM Lead WHERE IsConverted = false")}
    assert [key for key in rows if rows[key] != after[key]] == [record_id]
    assert small.rows(f"SELECT Email, Title FROM Lead WHERE Id = '{record_id}'")[0]["Email"] is None


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", ["LastName", "Company"]),
        ({"LastName": "A", "Company": "B", "Nope": 1}, "INVALID_FIELD", None),
        ({"LastName": "A", "Company": "B", "Id": "00Q"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Id"]),
        ({"LastName": "A", "Company": "B", "CreatedDate": "x"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ({"LastName": "A" * 81, "Company": "B"}, "STRING_TOO_LONG", ["LastName"]),
        ({"LastName": "A", "Company": "B", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"LastName": "A", "Company": "B", "AnnualRevenue": "much"}, "JSON_PARSER_ERROR", None),
        ({"LastName": "A", "Company": "B", "NumberOfEmployees": 1.5}, "JSON_PARSER_ERROR", None),
        ({"LastName": "A", "Company": "B", "OwnerId": "me"}, "MALFORMED_ID", ["OwnerId"]),
        ({"LastName": "A", "Company": "B", "IsUnreadByOwner": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD", None),
        ({"LastName": "A", "Company": "B", "CleanStatus": "Spotless"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", None),
        ({"LastName": "A", "Company": "B", "External_Id__c": "crm-000000"}, "DUPLICATE_VALUE", []),
    ],
)
def test_a_record_that_does_not_fit_is_refused(
    small: Any, body: dict[str, Any], code: str, fields: list[str] | None
) -> None:
    status, errors = small.rest("POST", "/sobjects/Lead", body)
    assert (status, errors[0]["errorCode"]) == (400, code)
    if fields is not None:
        assert errors[0]["fields"] == fields
    assert small.total("SELECT COUNT() FROM Lead") == 60


def test_a_reference_must_lead_to_a_record_of_the_right_kind(small: Any) -> None:
    deal: dict[str, Any] = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    for value, code in (
        (seeds.account_id(1, 999), "INVALID_CROSS_REFERENCE_KEY"),
        (seeds.lead_id(1, 0), "FIELD_INTEGRITY_EXCEPTION"),
    ):
        _, errors = small.rest("POST", "/sobjects/Opportunity", {**deal, "AccountId": value})
        assert errors[0]["errorCode"] == code
    deal |= {"AccountId": seeds.account_id(1, 0), "Amount": 80}
    status, answer = small.rest("POST", "/sobjects/Opportunity", deal)
    assert status == 201
    row = small.rows(f"SELECT Probability, ExpectedRevenue, IsClosed FROM Opportunity WHERE Id = '{answer['id']}'")
    assert (row[0]["Probability"], row[0]["ExpectedRevenue"], row[0]["IsClosed"]) == (10.0, 8.0, False)


def test_converted_and_deleted_leads_can_not_be_changed(small: Any) -> None:
    converted = small.rows("SELECT Id FROM Lead WHERE IsConverted = true LIMIT 1")[0]["Id"]
    _, errors = small.rest("PATCH", f"/sobjects/Lead/{converted}", {"Title": "x"})
    assert errors[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"
    status, errors = small.rest("PATCH", f"/sobjects/Lead/{seeds.lead_id(1, 60)}", {"Title": "x"})
    assert (status, errors[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


def test_an_upsert_by_external_id_adds_and_then_changes(small: Any) -> None:
    path = "/sobjects/Lead/External_Id__c/new%2F1"
    status, created = small.rest("PATCH", path, {"LastName": "A", "Company": "B"})
    assert (status, created["created"]) == (201, True)
    status, changed = small.rest("PATCH", path, {"LastName": "C"})
    assert (status, changed["created"], changed["id"]) == (200, False, created["id"])
    status, nothing = small.send("PATCH", "/services/data/v45.0" + path, {"LastName": "D"})
    assert (status, nothing) == (204, "")
    row = small.rows(f"SELECT LastName, External_Id__c FROM Lead WHERE Id = '{created['id']}'")[0]
    assert (row["LastName"], row["External_Id__c"]) == ("D", "new/1")


def lead(**values: Any) -> dict[str, Any]:
    return {"attributes": {"type": "Lead"}, "LastName": "A", "Company": "B", **values}


def test_a_collection_answers_each_record_in_its_place(small: Any) -> None:
    records = [lead(), lead(Email="no"), lead(LastName="C")]
    status, answers = small.rest("POST", "/composite/sobjects", {"allOrNone": False, "records": records})
    assert status == 200
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert answers[1]["errors"][0] == {
        "statusCode": "INVALID_EMAIL_ADDRESS",
        "message": "Email: invalid email address: no",
        "fields": ["Email"],
    }
    assert small.total("SELECT COUNT() FROM Lead") == 62


def test_all_or_none_takes_everything_back(small: Any) -> None:
    known = small.rows("SELECT Id, Title, SystemModstamp FROM Lead WHERE IsConverted = false LIMIT 1")[0]
    records = [lead(External_Id__c="one"), lead(External_Id__c="one")]
    _, answers = small.rest("POST", "/composite/sobjects", {"allOrNone": True, "records": records})
    codes = [answer["errors"][0]["statusCode"] for answer in answers]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "DUPLICATE_VALUE"]
    changes = [lead(Id=known["Id"], Title="x"), lead(Id=seeds.lead_id(1, 999))]
    _, answers = small.rest("PATCH", "/composite/sobjects", {"allOrNone": True, "records": changes})
    assert answers[1]["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert small.rows("SELECT Id, Title, SystemModstamp FROM Lead WHERE IsConverted = false LIMIT 1")[0] == known
    assert small.total("SELECT COUNT() FROM Lead") == 60
    _, answers = small.rest("POST", "/composite/sobjects", {"allOrNone": True, "records": records[:1]})
    assert answers[0]["success"]


def test_a_collection_upserts_by_external_id(small: Any) -> None:
    known = small.rows("SELECT Id, External_Id__c FROM Lead WHERE External_Id__c != null LIMIT 1")[0]
    keys = [known["External_Id__c"], "n", "N"]
    records = [*(lead(External_Id__c=key) for key in keys), lead()]
    _, answers = small.rest("PATCH", "/composite/sobjects/Lead/External_Id__c", {"records": records})
    assert [answer.get("created") for answer in answers] == [False, True, None, None]
    assert answers[0]["id"] == known["Id"]
    assert answers[2]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"
    assert answers[3]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"


def test_more_than_200_records_are_refused(small: Any) -> None:
    _, answers = small.rest("POST", "/composite/sobjects", {"records": [lead()] * 201})
    assert {answer["errors"][0]["statusCode"] for answer in answers} == {"EXCEEDED_ID_LIMIT"}
    assert small.total("SELECT COUNT() FROM Lead") == 60


def test_many_records_are_retrieved_by_id_in_order(seeded: Any) -> None:
    ids = [seeds.lead_id(1, 3), seeds.lead_id(1, 99_999), seeds.lead_id(1, 1)]
    _, by_post = seeded.rest("POST", "/composite/sobjects/Lead", {"ids": ids, "fields": ["Id", "Name"]})
    _, by_get = seeded.rest("GET", f"/composite/sobjects/Lead?ids={','.join(ids)}&fields=Id,Name")
    assert by_post == by_get
    assert [row and row["Id"] for row in by_post] == [ids[0], None, ids[2]]


def test_a_locked_record_is_refused_until_the_lock_is_gone(small: Any) -> None:
    small.fault(fault="lock", times=1)
    _, answers = small.rest("POST", "/composite/sobjects", {"records": [lead(), lead()]})
    assert [answer["success"] for answer in answers] == [False, True]
    assert answers[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_a_deleted_record_is_in_the_recycle_bin_with_what_goes_with_it(small: Any) -> None:
    of_lead = small.rows("SELECT LeadId, CampaignId FROM CampaignMember WHERE LeadId != null LIMIT 1")[0]
    campaign = f"SELECT NumberOfLeads FROM Campaign WHERE Id = '{of_lead['CampaignId']}'"
    before = small.rows(campaign)[0]["NumberOfLeads"]
    members = f"SELECT COUNT() FROM CampaignMember WHERE LeadId = '{of_lead['LeadId']}'"
    assert small.total(members) > 0
    path = f"/sobjects/Lead/{of_lead['LeadId']}"
    assert small.rest("DELETE", path) == (204, "")
    status, errors = small.rest("DELETE", path)
    assert (status, errors[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert small.total("SELECT COUNT() FROM Lead") == 59
    assert small.total(members) == 0
    assert small.rows(campaign)[0]["NumberOfLeads"] == before - 1
    _, page = small.rest("GET", "/queryAll?q=" + quote("SELECT Id FROM Lead WHERE IsDeleted = true"))
    assert page["totalSize"] == 7 and of_lead["LeadId"] in {row["Id"] for row in page["records"]}
    assert small.asked()["mutations"] == 2
    assert small.asked()["changed"] == 1


def test_records_are_deleted_by_key_and_many_at_once(small: Any) -> None:
    for name in ("k1", "k2"):
        small.rest("PATCH", f"/sobjects/Lead/External_Id__c/{name}", {"LastName": "A", "Company": "B"})
    assert small.rest("DELETE", "/sobjects/Lead/External_Id__c/k1")[0] == 204
    assert small.rest("DELETE", "/sobjects/Lead/External_Id__c/k1")[0] == 404
    left = small.rest("GET", "/sobjects/Lead/External_Id__c/k2")[1]["Id"]
    ids = [left, seeds.campaign_id(1, 0), left, "nonsense"]
    _, answers = small.rest("DELETE", f"/composite/sobjects?ids={','.join(ids)}&allOrNone=true")
    assert [answer["success"] for answer in answers] == [False] * 4
    _, answers = small.rest("DELETE", f"/composite/sobjects?ids={','.join(ids)}")
    assert [answer["success"] for answer in answers] == [True, True, False, False]
    assert [answer["errors"][0]["statusCode"] for answer in answers[2:]] == ["ENTITY_IS_DELETED", "MALFORMED_ID"]
    assert small.rest("DELETE", "/composite/sobjects")[1][0]["errorCode"] == "MISSING_ARGUMENT"
    status, errors = small.rest("DELETE", f"/sobjects/User/{seeds.user_id(1, 0)}")
    assert (status, errors[0]["errorCode"]) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")


def test_reading_and_logging_in_are_no_mutations(small: Any) -> None:
    small.rows("SELECT Id FROM Lead")
    small.rest("POST", "/composite/sobjects/Lead", {"ids": [seeds.lead_id(1, 0)], "fields": ["Id"]})
    assert small.asked()["mutations"] == 0
    small.rest("POST", "/composite/sobjects", {"records": [lead(), lead(Email="no")]})
    assert (small.asked()["mutations"], small.asked()["changed"]) == (1, 1)


def test_changed_and_deleted_records_of_a_span_are_listed(small: Any) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    _, made = small.rest("POST", "/sobjects/Lead", {"LastName": "A", "Company": "B"})
    span = urlencode({"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()})
    assert made["id"] in small.rest("GET", f"/sobjects/Lead/updated?{span}")[1]["ids"]
    small.rest("DELETE", f"/sobjects/Lead/{made['id']}")
    assert made["id"] not in small.rest("GET", f"/sobjects/Lead/updated?{span}")[1]["ids"]
    gone = small.rest("GET", f"/sobjects/Lead/deleted?{span}")[1]["deletedRecords"]
    assert made["id"] in {entry["id"] for entry in gone}
    for began, ended in ((start - timedelta(days=40), start), (start, start + timedelta(seconds=1))):
        wrong = urlencode({"start": began.isoformat(), "end": ended.isoformat()})
        assert small.rest("GET", f"/sobjects/Lead/updated?{wrong}")[1][0]["errorCode"] == "INVALID_REPLICATION_DATE"
    assert small.rest("GET", "/sobjects/Lead/updated")[1][0]["errorCode"] == "MISSING_ARGUMENT"


def test_counts_of_records_leave_empty_objects_out(seeded: Any) -> None:
    _, answer = seeded.rest("GET", "/limits/recordCount?sObjects=Lead,Case")
    assert answer == {"sObjects": [{"count": 1240, "name": "Lead"}]}


def test_relationships_of_a_record_have_addresses(seeded: Any) -> None:
    row = seeded.rows("SELECT LeadId, Lead.Owner.Name, CampaignId FROM CampaignMember WHERE LeadId != null LIMIT 1")[0]
    _, owner = seeded.rest("GET", f"/sobjects/Lead/{row['LeadId']}/Owner?fields=Name")
    assert owner["Name"] == row["Lead"]["Owner"]["Name"] and owner["attributes"]["type"] == "User"
    _, page = seeded.rest("GET", f"/sobjects/Lead/{row['LeadId'][:15]}/CampaignMembers")
    assert row["CampaignId"] in {member["CampaignId"] for member in page["records"]}
    for wrong in ("ConvertedAccount", "Nothing"):
        assert seeded.rest("GET", f"/sobjects/Lead/{row['LeadId']}/{wrong}x")[0] == 404


def test_a_method_can_be_named_in_the_address(small: Any) -> None:
    path = f"/sobjects/Lead/{seeds.lead_id(1, 0)}"
    assert small.rest("POST", f"{path}?_HttpMethod=PATCH", {"Title": "Buyer"})[0] == 204
    assert small.rest("GET", f"{path}?fields=Title")[1]["Title"] == "Buyer"
    assert small.rest("POST", path, {"Title": "x"})[0] == 405

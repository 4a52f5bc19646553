from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scripted_salesforce import Scripted

from integrator_drivers import (
    FieldNotFoundError,
    ReadOnlyError,
    Receipt,
    RowLimitError,
    Source,
    Target,
    ValidationError,
    WriteResult,
    sync,
)
from salesforce_driver import SalesforceClient
from salesforce_driver.src.values import UnfitValueError, encoded

KEY = "External_Id__c"


def lead(number: int, **more: Any) -> dict[str, Any]:
    return {KEY: f"TEST-{number}", "LastName": f"Test {number}", "Company": "Test Company", **more}


def counts(result: WriteResult) -> tuple[int, int, int, int]:
    return result.inserted, result.updated, result.unchanged, len(result.rejected)


@pytest.fixture
def mode(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda name: monkeypatch.setenv("INTEGRATOR_MODE", name)


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[dict[str, Any]]]:
    path = tmp_path / "report"
    monkeypatch.setenv("INTEGRATOR_REPORT", str(path))

    def of_kind(kind: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [fact for fact in found if fact["kind"] == kind]

    return of_kind


def test_records_are_added_changed_and_left_alone(org: Any, salesforce: SalesforceClient) -> None:
    rows = [lead(n, Email=f"t{n}@test.example") for n in range(3)]
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (3, 0, 0, 0)
    changed = [rows[0], {**rows[1], "Email": None}, {**rows[2], "Title": "Boss"}, lead(3)]
    assert counts(salesforce.upsert("Lead", changed, key=KEY)) == (1, 2, 1, 0)
    before = org.mutations()
    assert counts(salesforce.upsert("Lead", changed, key=KEY)) == (0, 0, 4, 0)
    assert org.mutations() == before
    found = salesforce.lookup("Lead", KEY, ["TEST-1", "TEST-2"], ["Email", "Title"])
    assert (found["TEST-1"]["Email"], found["TEST-2"]["Title"]) == (None, "Boss")


def test_a_preview_counts_what_the_run_will_do_and_sends_nothing(
    org: Any, salesforce: SalesforceClient, mode: Callable[[str], None]
) -> None:
    known = [lead(n) for n in range(10, 13)]
    salesforce.upsert("Lead", known, key=KEY)
    rows = [{**known[0], "Title": "Boss"}, known[1], lead(14), lead(15, LastName=None), lead(16, Email="x" * 81)]
    before = org.mutations()
    mode("preview")
    preview = salesforce.upsert("Lead", rows, key=KEY)
    assert org.mutations() == before
    mode("apply")
    applied = salesforce.upsert("Lead", rows, key=KEY)
    assert counts(preview) == counts(applied) == (1, 1, 1, 2)
    assert [entry.reason for entry in preview.rejected] == [entry.reason for entry in applied.rejected]
    assert preview.differences == [{"key": "TEST-10", "column": "Title", "old": None, "new": "Boss"}]


@pytest.mark.parametrize("call", ["insert", "update", "upsert"])
def test_discovery_refuses_before_anything_is_asked(
    org: Any, salesforce: SalesforceClient, mode: Callable[[str], None], call: str
) -> None:
    mode("discovery")
    arguments: dict[str, Any] = {} if call == "insert" else {"key": KEY}
    with pytest.raises(ReadOnlyError, match="Discovery only reads"):
        getattr(salesforce, call)("Lead", [lead(1)], **arguments)
    assert org.requests() == []


def test_every_record_is_in_exactly_one_count(salesforce: SalesforceClient) -> None:
    rows = [
        lead(20),
        lead(20, Title="again"),
        lead(21, LastName=""),
        lead(22, AnnualRevenue="much"),
        lead(23, Status="No such status"),
        {**lead(24), KEY: None},
        lead(25),
    ]
    result = salesforce.upsert("Lead", rows, key=KEY)
    assert result.inserted + len(result.rejected) == len(rows)
    reasons = {entry.record["LastName"]: entry.reason for entry in result.rejected}
    assert reasons["Test 20"] == f"a record with the same {KEY} came before in this run"
    assert reasons[""] == "LastName must not be empty in a new Lead"
    assert reasons["Test 22"] == 'AnnualRevenue is a number, not "much"'
    assert reasons["Test 24"] == f"no value in the key {KEY}"


def test_what_salesforce_itself_refuses_comes_back_with_its_reason(salesforce: SalesforceClient) -> None:
    result = salesforce.insert("Lead", [lead(30), lead(30, LastName="Second")])
    assert counts(result) == (1, 0, 0, 1)
    assert "duplicate" in result.rejected[0].reason.lower()
    assert result.rejected[0].record["LastName"] == "Second"


def test_update_finds_by_key_and_never_adds(salesforce: SalesforceClient) -> None:
    salesforce.insert("Lead", [lead(40)])
    rows = [{KEY: "TEST-40", "Title": "Boss"}, {KEY: "TEST-41", "Title": "Nobody"}]
    result = salesforce.update("Lead", rows, key=KEY)
    assert counts(result) == (0, 1, 0, 1)
    assert result.rejected[0].reason == f"there is no Lead with this {KEY}"
    record_id = salesforce.lookup("Lead", KEY, ["TEST-40"], ["Id"])["TEST-40"]["Id"]
    assert counts(salesforce.update("Lead", [{"Id": record_id, "Title": "Boss"}])) == (0, 0, 1, 0)
    assert counts(salesforce.update("Lead", [{"Id": record_id[:15], "Title": "Chief"}])) == (0, 1, 0, 0)
    assert counts(salesforce.update("Lead", [{"Id": "no id", "Title": "Chief"}])) == (0, 0, 0, 1)


def test_a_key_that_fits_several_records_is_refused(salesforce: SalesforceClient) -> None:
    salesforce.insert("Lead", [lead(50, Email="same@test.example"), lead(51, Email="SAME@test.example")])
    result = salesforce.upsert("Lead", [{"Email": "Same@test.example", "LastName": "X", "Company": "Y"}], key="Email")
    assert counts(result) == (0, 0, 0, 1)
    assert "2 Lead records have the same Email" in result.rejected[0].reason


def test_a_key_that_is_no_external_id_is_looked_up(salesforce: SalesforceClient) -> None:
    row = {"Email": "single@test.example", "LastName": "Single", "Company": "Test Company"}
    assert counts(salesforce.upsert("Lead", [row], key="Email")) == (1, 0, 0, 0)
    assert counts(salesforce.upsert("Lead", [{**row, "Title": "Boss"}], key="Email")) == (0, 1, 0, 0)


def test_more_than_one_collection_is_written_in_groups(org: Any, salesforce: SalesforceClient) -> None:
    rows = [lead(n, Company="Many") for n in range(1000, 1450)]
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (450, 0, 0, 0)
    assert org.mutations() == 3
    assert salesforce.query("SELECT COUNT() FROM Lead WHERE Company = 'Many'").first(1) == [{"count": 450}]


def test_it_stops_before_the_group_that_is_more_than_was_approved(
    org: Any, salesforce: SalesforceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "300")
    with pytest.raises(RowLimitError, match="more than the 300 that were approved"):
        salesforce.insert("Lead", [lead(n, Company="Limited") for n in range(2000, 2450)])
    assert salesforce.query("SELECT COUNT() FROM Lead WHERE Company = 'Limited'").first(1) == [{"count": 200}]


def test_columns_that_can_not_be_written_are_named_before_anything_is_sent(
    org: Any, salesforce: SalesforceClient
) -> None:
    with pytest.raises(ValidationError, match=r"Lead\.CreatedDate can't be written"):
        salesforce.insert("Lead", [lead(60, CreatedDate=datetime.now(UTC))])
    with pytest.raises(FieldNotFoundError, match="Close matches: Company"):
        salesforce.insert("Lead", [lead(60, Companny="x")])
    assert org.mutations() == 0


def test_a_connection_lost_while_writing_says_what_is_uncertain(org: Any, salesforce: SalesforceClient) -> None:
    salesforce.insert("Lead", [lead(70)])
    org.fault("drop", method="POST", path="/composite/sobjects")
    with pytest.raises(ConnectionError, match="Up to 1 Lead records may or may not have been written, 1 before them"):
        salesforce.insert("Lead", [lead(71)])


def test_a_session_that_ended_does_not_lose_a_write(org: Any, salesforce: SalesforceClient) -> None:
    salesforce.list_objects()
    org.fault("expire_sessions")
    assert counts(salesforce.insert("Lead", [lead(80)])) == (1, 0, 0, 0)
    assert salesforce.query("SELECT COUNT() FROM Lead WHERE External_Id__c = 'TEST-80'").first(1) == [{"count": 1}]


def test_a_direct_write_is_reported_once(
    org: Any, facts: Callable[[str], list[dict[str, Any]]], mode: Callable[[str], None]
) -> None:
    mode("preview")
    with SalesforceClient() as salesforce:
        salesforce.upsert("Lead", [lead(90), lead(91, LastName=None)], key=KEY)
        salesforce.upsert("Lead", [lead(92)], key=KEY)
    (target,) = facts("target")
    assert (target["system"], target["object"], target["operation"], target["key"]) == (
        "salesforce",
        "Lead",
        "upsert",
        KEY,
    )
    assert (target["add"], target["update"], target["unchanged"], target["reject"], target["read"]) == (2, 0, 0, 1, 3)
    assert target["columns"] == [KEY, "LastName", "Company"]
    assert target["rejects"][0]["reason"] == "LastName must not be empty in a new Lead"


def test_a_sync_into_salesforce_is_reported_once_and_a_second_run_changes_nothing(
    org: Any, facts: Callable[[str], list[dict[str, Any]]]
) -> None:
    def copy() -> Receipt:
        with SalesforceClient() as salesforce:
            return sync(
                Source(salesforce, "Contact", {"Id": KEY, "LastName": "LastName", "Account.Name": "Company"},
                       where=[("Account.Name", "not null", None), ("Email", "not null", None)]),
                Target(salesforce, "Lead"),
                key=KEY,
            )  # fmt: skip

    first, second = copy(), copy()
    assert first.inserted > 0
    assert (second.inserted, second.updated) == (0, 0)
    assert [target["add"] for target in facts("target")] == [first.inserted, 0]


def test_only_records_that_were_locked_are_sent_again(
    org: Any, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(body: object) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, json.dumps(body).encode()

    column = {"type": "string", "label": "Name", "nillable": True, "createable": True, "updateable": True}
    locked = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record"}
    scripted.answers = [
        answer({"access_token": "t", "instance_url": scripted.url, "id": ""}),
        answer({"name": "Lead", "fields": [{"name": "LastName", **column}]}),
        answer([{"success": True, "id": "1"}, {"success": False, "errors": [locked]}]),
        answer([{"success": True, "id": "2"}]),
    ]
    monkeypatch.setenv("SALESFORCE_BASE_URL", scripted.url)
    waits: list[float] = []
    with SalesforceClient() as salesforce:
        salesforce._writer._sleep = waits.append
        result = salesforce.insert("Lead", [{"LastName": "first"}, {"LastName": "second"}])
    assert counts(result) == (2, 0, 0, 0)
    assert [json.loads(body)["records"][0]["LastName"] for body in scripted.bodies[2:]] == ["first", "second"]
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("value", "raw", "expected"),
    [
        ("", {"type": "currency"}, None),
        (float("nan"), {"type": "double"}, None),
        (Decimal("1.50"), {"type": "currency"}, 1.5),
        ("7", {"type": "int"}, 7),
        (1, {"type": "boolean"}, True),
        ("FALSE", {"type": "boolean"}, False),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), {"type": "datetime"}, "2026-01-02T03:04:05.000Z"),
        (date(2026, 1, 2), {"type": "date"}, "2026-01-02"),
        ("2026-01-02", {"type": "datetime"}, "2026-01-02T00:00:00.000Z"),
        (["a", "b"], {"type": "multipicklist"}, "a;b"),
        (5, {"type": "string", "length": 5}, "5"),
    ],
)
def test_values_are_encoded_for_salesforce(value: Any, raw: dict[str, Any], expected: Any) -> None:
    assert encoded(value, {"name": "X", **raw}) == expected


@pytest.mark.parametrize(
    ("value", "raw", "reason"),
    [
        ("123456", {"type": "string", "length": 5}, "X is longer than 5 characters"),
        (1.5, {"type": "int"}, "X is a whole number, not 1.5"),
        ("perhaps", {"type": "boolean"}, 'X is yes or no, not "perhaps"'),
        (datetime(2026, 1, 2), {"type": "datetime"}, "X needs a time with a time zone"),
        ("soon", {"type": "date"}, 'X is a date, not "soon"'),
        ("00Q000000000001XYZ", {"type": "reference"}, 'X "00Q000000000001XYZ" is no Salesforce id'),
        (date(2026, 1, 2), {"type": "string"}, "X is text in Salesforce and got a time"),
    ],
)
def test_values_that_do_not_fit_have_a_reason(value: Any, raw: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnfitValueError) as caught:
        encoded(value, {"name": "X", **raw})
    assert str(caught.value) == reason


def test_a_restricted_picklist_names_its_choices() -> None:
    raw = {
        "name": "Stage",
        "type": "picklist",
        "restrictedPicklist": True,
        "picklistValues": [{"value": "Open", "active": True}, {"value": "Old", "active": False}],
    }
    with pytest.raises(UnfitValueError, match='Stage can\'t be "Old"; it can be Open'):
        encoded("Old", raw)

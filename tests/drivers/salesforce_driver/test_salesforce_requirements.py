"""What people complain about in Salesforce clients, and that it does not happen here: one test or more for each."""

from __future__ import annotations

import json
import logging
import math
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scripted_salesforce import Scripted
from simple_salesforce.exceptions import SalesforceGeneralError

from integrator_drivers import (
    AuthError,
    FieldNotFoundError,
    RateLimitError,
    ValidationError,
    registry,
)
from salesforce_driver import API_VERSION, SalesforceClient
from salesforce_driver.practice import schema
from salesforce_driver.src import bulk_ingest, bulk_query, jobs, soql
from salesforce_driver.src.csv_page import Page
from salesforce_driver.src.faults import translate
from salesforce_driver.src.fields import fields_of

README = (registry.manifest("salesforce").folder / "README.md").read_text(encoding="utf-8")
KEY = "External_Id__c"
SCORE = {"name": "Score__c", "label": "Score", "type": "double", "custom": True, "calculated": True, "nillable": True}


@pytest.fixture(scope="module")
def served_org(make_org: Callable[[int], Any]) -> Any:
    """An org of this file, with a formula field."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(schema.CUSTOM_FIELDS, "Lead", [*schema.CUSTOM_FIELDS["Lead"], SCORE])
        return make_org(11)


@pytest.fixture
def bulky(salesforce: SalesforceClient, monkeypatch: pytest.MonkeyPatch) -> SalesforceClient:
    """A client for which 100 rows are many to read and 10 to write, with small pages."""
    monkeypatch.setattr(bulk_query, "BULK_FROM", 100)
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 150)
    monkeypatch.setattr(bulk_ingest, "INGEST_FROM", 10)
    monkeypatch.setattr(jobs, "FIRST_PAUSE", 0.001)
    salesforce._connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
    return salesforce


def leads(run: str, count: int, **more: Any) -> list[dict[str, Any]]:
    return [{KEY: f"{run}-{n}", "LastName": f"Row {n}", "Company": "Company", **more} for n in range(count)]


def paths(org: Any) -> list[str]:
    return [request["path"] for request in org.requests()]


def test_01_a_session_that_ends_is_renewed_once_on_every_path_and_never_closed(
    org: Any, bulky: SalesforceClient
) -> None:
    places = ["/describe$", "/query$", "/query/", "/jobs/query$", "/jobs/query/[^/]+$", "/results$"]
    for place in places:
        org.calm()
        org.fault("next_status", status=401, path=place)
        if place == "/query/":
            count = len(list(bulky._connection.pages("SELECT Id FROM Lead")))
            assert count >= 1
        else:
            assert len(list(bulky.read("Lead", fields=["Id"]).rows())) == 450, place
        bulky._connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
    for number, place in enumerate(["/jobs/ingest$", "/batches$", "/jobs/ingest/[^/]+$", "/successfulResults$"]):
        org.calm()
        org.fault("next_status", status=401, path=place)
        assert bulky.insert("Lead", leads(f"R1-{number}", 12)).inserted == 12, place
        assert len([path for path in paths(org) if path.endswith("/oauth2/token")]) == 1
    bulky.close()
    assert not [path for path in paths(org) if "revoke" in path or "logout" in path]


def test_02_all_words_for_an_ended_session_are_one_error() -> None:
    words: list[tuple[int, Any]] = [
        (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]),
        (400, {"exceptionCode": "InvalidSessionId", "exceptionMessage": "Invalid session id"}),
        (500, {"errorCode": "INVALID_SESSION_ID"}),
    ]
    found = [translate(SalesforceGeneralError("x", status, "x", content)) for status, content in words]
    assert {(type(error), str(error)) for error in found} == {(AuthError, str(found[0]))}


def test_03_rows_stream_and_memory_stays_flat(org: Any, bulky: SalesforceClient) -> None:
    rows = bulky.read("Lead", fields=["Id"]).rows()
    next(rows)
    # Three pages; beside the one in use at most one was asked for.
    assert len([path for path in paths(org) if path.endswith("/results")]) <= 2
    line = b'"00Q5g0000000001AAA","' + b"x" * 500 + b'"\n'
    tracemalloc.start()
    page = Page()
    for _ in range(1_000):
        page.feed(line * 100)  # 52 MB in all
    assert page.finish()
    assert sum(block.rows for block in page.blocks(header=False)) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    page.close()
    assert peak < 20_000_000


@pytest.mark.parametrize("bulk", [False, True])
def test_04_deleted_records_can_be_read_by_rest_and_by_bulk(
    org: Any, bulky: SalesforceClient, monkeypatch: pytest.MonkeyPatch, bulk: bool
) -> None:
    if not bulk:
        monkeypatch.setattr(bulk_query, "BULK_FROM", 10**9)
    rows = list(bulky.read("Lead", fields=["Id", "IsDeleted"], deleted=True).rows())
    assert sum(row["IsDeleted"] for row in rows) == 6
    assert any("/jobs/query" in path for path in paths(org)) is bulk


def test_05_at_least_three_pages_are_followed_by_locator(org: Any, bulky: SalesforceClient) -> None:
    total = bulky.query("SELECT COUNT() FROM CampaignMember").first(1)[0]["count"]
    org.calm()
    rows = list(bulky.read("CampaignMember", fields=["Id"]).rows())
    assert len(rows) == len({row["Id"] for row in rows}) == total
    assert len([path for path in paths(org) if path.endswith("/results")]) >= 3


def test_06_compound_fields_are_marked_and_bulk_is_asked_for_their_parts(org: Any, bulky: SalesforceClient) -> None:
    fields = bulky.get_fields("Lead")
    assert (fields["Address"]["compound"], fields["City"]["compound"]) == ("Address", "Address")
    assert "Address" not in bulky.read("Lead").fields
    addresses = [row["Address"] for row in bulky.read("Lead", fields=["Address"]).rows()]
    assert any(path.endswith("/results") for path in paths(org))
    assert any(address and address["city"] for address in addresses)


def test_07_rows_are_flat_with_dotted_names_and_a_missing_parent_is_empty(salesforce: SalesforceClient) -> None:
    fields = ["Campaign.Name", "Lead.Name", "Lead.Owner.Name", "Contact.Name"]
    rows = list(salesforce.read("CampaignMember", fields=fields).rows())
    assert {tuple(row) for row in rows} == {tuple(fields)}
    assert any(row["Lead.Name"] is None and row["Lead.Owner.Name"] is None and row["Contact.Name"] for row in rows)


def test_08_no_value_is_null_everywhere_and_a_cell_that_is_not_given_stays(bulky: SalesforceClient) -> None:
    rows = leads("R8", 12, Title='Head of "Sales", EMEA', AnnualRevenue=1.5)
    assert bulky.upsert("Lead", rows, key=KEY).inserted == 12
    changed: list[dict[str, Any]] = [{KEY: row[KEY], "AnnualRevenue": math.nan} for row in rows]
    changed[0] = {KEY: "R8-0", "Title": None}
    assert bulky.update("Lead", changed, key=KEY).updated == 12
    found = bulky.lookup("Lead", KEY, [row[KEY] for row in rows], ["Title", "AnnualRevenue"])
    assert (found["R8-0"]["Title"], found["R8-0"]["AnnualRevenue"]) == (None, 1.5)
    assert {(row["Title"], row["AnnualRevenue"]) for key, row in found.items() if key != "R8-0"} == {
        ('Head of "Sales", EMEA', None)
    }


@pytest.mark.parametrize("count", [3, 12])
def test_09_empty_text_is_null_and_never_zero(bulky: SalesforceClient, count: int) -> None:
    rows = leads(f"R9-{count}", count, NumberOfEmployees=5)
    bulky.upsert("Lead", rows, key=KEY)
    bulky.update("Lead", [{KEY: row[KEY], "NumberOfEmployees": ""} for row in rows], key=KEY)
    found = bulky.lookup("Lead", KEY, [row[KEY] for row in rows], ["NumberOfEmployees"])
    assert [row["NumberOfEmployees"] for row in found.values()] == [None] * count


def test_10_no_address_gets_too_long(org: Any, salesforce: SalesforceClient) -> None:
    many = [f"Name {n} é" for n in range(3_000)]
    list(salesforce.read("Lead", fields=["Id"], where=[("LastName", "in", many)]).rows())
    list(salesforce.read("Lead", fields=["Id"], where=[("LastName", "not in", many)]).rows())
    assert max(len(request["query"]) for request in org.requests()) < 16_384
    assert any(path.endswith("/jobs/query") for path in paths(org))
    assert soql.encoded_length("é") == 6


def test_11_an_unknown_field_may_be_hidden_or_misspelt_and_near_names_are_offered(
    org: Any, salesforce: SalesforceClient
) -> None:
    org.fault("hide_field", object="Lead", field="LeadSource")
    for ask in (
        lambda: salesforce.read("Lead", fields=["LeadSource"]),
        lambda: salesforce.query("SELECT LeadSource FROM Lead"),
    ):
        with pytest.raises(FieldNotFoundError, match="hidden by field-level security"):
            ask()
    with pytest.raises(FieldNotFoundError, match="Close matches: Email"):
        salesforce.query("SELECT Emial FROM Lead")


def test_12_formulas_are_marked_and_a_read_of_changes_warns_of_them(
    salesforce: SalesforceClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert "SystemModstamp does not move" in salesforce.get_fields("Lead")["Score__c"]["help"]
    assert "help" not in salesforce.get_fields("Lead")["Email"]
    since = datetime.now(UTC) - timedelta(days=3)
    with caplog.at_level(logging.WARNING, "integrator"):
        salesforce.read("Lead", fields=["Id", "Email"], since=since)
        salesforce.read("Lead", fields=["Id", "Score__c"])
        assert not caplog.messages
        salesforce.read("Lead", fields=["Id", "Score__c"], since=since)
    assert caplog.messages[0].startswith("Score__c of Lead are formulas")
    assert "Formulas do not move `SystemModstamp`" in README


def test_13_a_window_has_a_fixed_end_and_two_windows_side_by_side_miss_nothing(salesforce: SalesforceClient) -> None:
    stamps = sorted(row["SystemModstamp"] for row in salesforce.read("Lead", fields=["SystemModstamp"]).rows())
    edge = stamps[200]
    before = list(salesforce.read("Lead", fields=["Id"], until=edge).rows())
    after = list(salesforce.read("Lead", fields=["Id"], since=edge).rows())
    assert len(before) + len(after) == len({row["Id"] for row in before + after}) == len(stamps)


def test_14_fields_are_asked_on_every_call(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("hide_field", object="Lead", field="Title")
    assert "Title" not in salesforce.get_fields("Lead")
    org.calm()
    assert "Title" in salesforce.get_fields("Lead")
    assert "Title" in salesforce.read("Lead").fields


def test_15_a_daily_limit_stops_at_once_and_a_short_one_is_waited_out(
    org: Any, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = json.dumps({"access_token": "t", "instance_url": scripted.url, "id": ""}).encode()

    def limit(words: str) -> bytes:
        return json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": words}]).encode()

    usage = {"Sforce-Limit-Info": "api-usage=14990/15000"}
    scripted.answers = [
        (200, {}, token),
        (403, {}, limit("ConcurrentRequests (Concurrent API Requests) Limit exceeded.")),
        (503, {}, b"[]"),
        (200, usage, b'{"sobjects": []}'),
        (403, usage, limit("TotalRequests Limit exceeded.")),
    ]
    monkeypatch.setenv("SALESFORCE_BASE_URL", scripted.url)
    waits: list[float] = []
    with SalesforceClient() as salesforce:
        salesforce._connection._transport._sleep = waits.append
        assert salesforce.list_objects() == []
        assert len(waits) == 2 and max(waits) <= 30
        assert salesforce._connection.api_usage == (14_990, 15_000)
        with pytest.raises(RateLimitError, match=r"daily API limit is used up\. What was written before is kept"):
            salesforce.list_objects()
        assert len(waits) == 2


def test_16_only_locked_rows_are_sent_again_and_rows_of_one_parent_go_together(
    org: Any, bulky: SalesforceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulky._writer._sleep = lambda seconds: None
    sent: list[list[str]] = []
    files = bulk_ingest._files

    def watched(columns: Any, steps: Any) -> Any:
        sent.append([step.body["CampaignId"] for step in steps])
        return files(columns, steps)

    monkeypatch.setattr(bulk_ingest, "_files", watched)
    names = [{"Name": f"Lock {n}"} for n in range(3)]
    bulky.insert("Campaign", names)
    known = bulky.lookup("Campaign", "Name", [one["Name"] for one in names], ["Id"])
    people = bulky.read("Lead", fields=["Id"], where=[("IsConverted", "=", False)]).first(15)
    members = [
        {"LeadId": person["Id"], "CampaignId": known[f"Lock {n % 3}"]["Id"], "Status": "Sent"}
        for n, person in enumerate(people)
    ]
    org.calm()
    org.fault("lock", times=2)
    assert bulky.insert("CampaignMember", members).inserted == 15
    assert sent == [sorted(sent[0])]
    again = [request for request in org.requests() if request["path"].endswith("/composite/sobjects")]
    assert [request["changed"] for request in again] == [2]


def test_17_the_version_is_pinned_and_shown(org: Any, bulky: SalesforceClient) -> None:
    list(bulky.read("Lead", fields=["Id"]).rows())
    versions = {path.split("/")[3] for path in paths(org) if path.startswith("/services/data/")}
    assert versions == {f"v{API_VERSION}"}
    assert f"pinned to {API_VERSION}" in README


def test_18_owners_are_read_by_path_and_times_need_a_zone(salesforce: SalesforceClient) -> None:
    assert salesforce.read("Lead", fields=["Owner.Name"]).first(1)[0]["Owner.Name"]
    assert salesforce.read("Lead", fields=["CreatedDate"]).first(1)[0]["CreatedDate"].tzinfo is UTC
    with pytest.raises(ValidationError, match="no time zone"):
        salesforce.read("Lead", fields=["Id"], where=[("CreatedDate", ">", datetime(2026, 11, 1))])
    raw = {"name": "Body", "type": "base64", "label": "Body"}
    assert fields_of({"name": "Attachment", "fields": [raw]})["Body"]["type"] == "binary"
    assert "LAST_N_DAYS:30" in README


def test_19_only_objects_that_can_be_queried_are_listed_and_restrictions_are_explained(
    salesforce: SalesforceClient,
) -> None:
    names = salesforce.list_objects()
    assert "Lead" in names and "Name" not in names
    message = (
        "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
        "LinkedEntityId using the equals operator."
    )
    error = SalesforceGeneralError("x", 400, "x", [{"errorCode": "MALFORMED_QUERY", "message": message}])
    assert str(translate(error)) == (
        f"Salesforce restricts what can be asked of this object: {message} Other objects are not affected."
    )


def test_a_token_is_never_written_down(
    org: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    with caplog.at_level(logging.DEBUG), SalesforceClient() as salesforce:
        salesforce.check()
        token = salesforce._connection._open().session_id
    seen = caplog.text + (tmp_path / "report").read_text(encoding="utf-8")
    assert token not in seen and org.env["SALESFORCE_CLIENT_SECRET"] not in seen

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from integrator_drivers import ConnectionError, RowLimitError, WriteResult
from salesforce_driver import SalesforceClient
from salesforce_driver.src import bulk_ingest, jobs

KEY = "External_Id__c"
numbers = itertools.count(1)


@pytest.fixture
def salesforce(org: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SalesforceClient]:
    """A client for which ten records are many."""
    monkeypatch.setattr(bulk_ingest, "INGEST_FROM", 10)
    monkeypatch.setattr(jobs, "FIRST_PAUSE", 0.001)
    with SalesforceClient() as client:
        client._writer._sleep = lambda seconds: None
        yield client


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Thirty new leads."""
    run = next(numbers)
    return [{KEY: f"BULK-{run}-{n}", "LastName": f"Bulk {n}", "Company": "Bulk, Inc."} for n in range(30)]


def counts(result: WriteResult) -> tuple[int, int, int, int]:
    return result.inserted, result.updated, result.unchanged, len(result.rejected)


def asked(org: Any, path: str, method: str = "") -> list[dict[str, Any]]:
    return [
        request for request in org.requests() if path in request["path"] and (not method or request["method"] == method)
    ]


def found(salesforce: SalesforceClient, rows: list[dict[str, Any]], *fields: str) -> dict[Any, dict[str, Any]]:
    return salesforce.lookup("Lead", KEY, [row[KEY] for row in rows], fields)


def test_many_records_go_by_bulk_and_are_counted_one_by_one(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)
    assert len(asked(org, "/batches", "PUT")) == 1
    assert not asked(org, "/composite/sobjects", "PATCH")
    before = org.mutations()
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (0, 0, 30, 0)
    assert org.mutations() == before
    changed = [{**row, "Title": f"Title {n}"} if n < 20 else row for n, row in enumerate(rows)]
    assert counts(salesforce.upsert("Lead", changed, key=KEY)) == (0, 20, 10, 0)
    assert len(asked(org, "/batches", "PUT")) == 2
    assert {row["Title"] for row in found(salesforce, rows, "Title").values()} == {
        None,
        *(f"Title {n}" for n in range(20)),
    }


def test_few_records_cost_no_job(org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]) -> None:
    assert counts(salesforce.upsert("Lead", rows[:9], key=KEY)) == (9, 0, 0, 0)
    assert not asked(org, "/jobs/")


def test_values_arrive_as_they_were_given(salesforce: SalesforceClient, rows: list[dict[str, Any]]) -> None:
    values = {
        "Description": 'Two\nlines, "quoted", 😀',
        "AnnualRevenue": 12345678.5,
        "NumberOfEmployees": 7,
        "IsUnreadByOwner": False,
        "Title": "=1+1",
    }
    assert counts(salesforce.upsert("Lead", [row | values for row in rows], key=KEY)) == (30, 0, 0, 0)
    kept = found(salesforce, rows, *values)
    assert all({name: row[name] for name in values} == values for row in kept.values())


def test_no_value_empties_a_field_and_a_field_that_is_not_given_stays(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    salesforce.upsert("Lead", [{**row, "Title": "Boss", "AnnualRevenue": 5.0, "Website": "x"} for row in rows], key=KEY)
    nothing: list[Any] = [None, "", math.nan]
    emptied = [{KEY: row[KEY], "Title": nothing[n % 3] if n else "Chief"} for n, row in enumerate(rows)]
    emptied[1]["AnnualRevenue"] = math.nan
    assert counts(salesforce.update("Lead", emptied, key=KEY)) == (0, 30, 0, 0)
    kept = list(found(salesforce, rows, "Title", "AnnualRevenue", "Website").values())
    assert [row["Title"] for row in kept] == ["Chief", *[None] * 29]
    assert [row["AnnualRevenue"] for row in kept] == [5.0, None, *[5.0] * 28]
    assert {row["Website"] for row in kept} == {"x"}
    assert len(asked(org, "/batches", "PUT")) == 2


def test_a_text_that_bulk_would_misread_goes_another_way(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    rows[3]["Title"] = "#N/A"
    rows[4]["Description"] = "a\r\nb"
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)
    kept = found(salesforce, rows, "Title", "Description")
    assert kept[rows[3][KEY]]["Title"] == "#N/A"
    assert kept[rows[4][KEY]]["Description"] == "a\r\nb"
    assert len(asked(org, "/composite/sobjects", "PATCH")) == 1


def test_records_that_salesforce_refuses_come_back_with_its_reason(
    salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    rows[5]["Email"] = "no address"
    rows[6]["Email"] = "a@b@c.example"
    result = salesforce.upsert("Lead", rows, key=KEY)
    assert counts(result) == (28, 0, 0, 2)
    assert {entry.record[KEY] for entry in result.rejected} == {rows[5][KEY], rows[6][KEY]}
    assert result.rejected[0].reason == "Email: invalid email address: no address"


def test_plain_inserts_are_mapped_back_by_all_their_values(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    given = [{"LastName": row["LastName"], "Company": "Same"} for row in rows] + [
        {"LastName": "Bad", "Company": "Same", "Email": "no address"}
    ] * 2
    result = salesforce.insert("Lead", given)
    assert counts(result) == (30, 0, 0, 2)
    assert [entry.record for entry in result.rejected] == given[-2:]
    assert len(asked(org, "/batches", "PUT")) == 1


def test_only_locked_rows_are_sent_again(org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]) -> None:
    org.fault("lock", times=4)
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)
    again = asked(org, "/composite/sobjects", "PATCH")
    assert [request["changed"] for request in again] == [4]


def test_a_slow_job_is_waited_for(org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]) -> None:
    org.fault("slow_job", polls=3)
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)


@pytest.mark.parametrize("fault", [{"fault": "next_status", "status": 404, "path": "/jobs/ingest$"}])
def test_where_bulk_is_not_allowed_the_records_go_by_collections(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]], fault: dict[str, Any]
) -> None:
    org.fault(**fault)
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)
    assert len(asked(org, "/composite/sobjects", "PATCH")) == 1


@pytest.mark.parametrize("path", ["/jobs/ingest$", "/batches", "/jobs/ingest/[^/]+$", "Results"])
def test_a_session_that_ends_is_renewed_at_every_step(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]], path: str
) -> None:
    org.fault("next_status", status=401, path=path)
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)


def test_a_connection_that_breaks_says_what_is_not_known(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    org.fault("drop", path="/batches")
    with pytest.raises(ConnectionError, match="0 records were written before"):
        salesforce.upsert("Lead", rows, key=KEY)
    assert asked(org, "/jobs/ingest/")[-1]["method"] == "PATCH"
    org.fault("drop", path="/jobs/ingest/[^/]+$", method="PATCH")
    with pytest.raises(ConnectionError, match="Up to 30 Lead records may or may not have been written"):
        salesforce.upsert("Lead", rows, key=KEY)
    assert sum(counts(salesforce.upsert("Lead", rows, key=KEY))[:3]) == 30


def test_half_of_the_results_is_asked_for_again(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]]
) -> None:
    salesforce._connection._transport._sleep = lambda seconds: None
    org.fault("cut_csv", times=2)
    rows[7]["Email"] = "no address"
    result = salesforce.upsert("Lead", rows, key=KEY)
    assert counts(result) == (29, 0, 0, 1)
    assert result.rejected[0].record == rows[7]
    assert len(asked(org, "/successfulResults")) == 3


def test_the_approved_number_of_rows_holds_before_the_job(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "29")
    with pytest.raises(RowLimitError):
        salesforce.upsert("Lead", rows, key=KEY)
    assert org.mutations() == 0


def test_a_preview_sends_nothing(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)
    assert org.mutations() == 0


def test_large_amounts_are_split_into_files(
    org: Any, salesforce: SalesforceClient, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_ingest, "FILE_BYTES", 400)
    assert counts(salesforce.upsert("Lead", rows, key=KEY)) == (30, 0, 0, 0)
    assert len(asked(org, "/batches", "PUT")) == 3


def test_times_and_references_are_understood(salesforce: SalesforceClient) -> None:
    leads = [row["Id"] for row in salesforce.read("Lead", fields=["Id"], where=[("IsConverted", "=", False)]).first(15)]
    campaign = {"Name": "Bulk campaign", "StartDate": datetime(2026, 11, 1, tzinfo=UTC)}
    assert counts(salesforce.insert("Campaign", [campaign])) == (1, 0, 0, 0)
    known = salesforce.lookup("Campaign", "Name", ["Bulk campaign"], ["Id", "StartDate"])["Bulk campaign"]
    members = [{"CampaignId": known["Id"], "LeadId": lead, "Status": "Sent"} for lead in leads]
    assert counts(salesforce.insert("CampaignMember", members)) == (15, 0, 0, 0)

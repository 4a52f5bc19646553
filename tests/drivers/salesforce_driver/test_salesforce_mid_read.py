"""Whatever happens between two pages, a read ends with every row once, or stops with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrator_drivers import ConnectionError, RateLimitError
from integrator_drivers.errors import AuthError, DriverError
from salesforce_driver import SalesforceClient
from salesforce_driver.src import bulk_query, jobs, transport

BETWEEN = "/query/01g|/results$"  # the second page of REST on, and the pages of Bulk


@pytest.fixture(params=["REST", "Bulk"])
def paged(request: pytest.FixtureRequest, salesforce: SalesforceClient, monkeypatch: Any) -> Iterator[SalesforceClient]:
    """A client that reads 450 leads in three pages, and does not really wait."""
    salesforce._connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
    salesforce._connection._transport._sleep = lambda seconds: None
    monkeypatch.setattr(jobs, "FIRST_PAUSE", 0.0)
    if request.param == "Bulk":
        monkeypatch.setattr(bulk_query, "BULK_FROM", 100)
        monkeypatch.setattr(bulk_query, "PAGE_ROWS", 200)
    yield salesforce


def read(salesforce: SalesforceClient) -> list[str]:
    return [row["Id"] for row in salesforce.read("Lead", fields=["Id"]).rows()]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "next_status", "status": 401},
        {"fault": "next_status", "status": 429, "times": 3},
        {"fault": "next_status", "status": 503, "times": 3},
        {"fault": "truncate", "times": 2},
        {"fault": "drop", "times": 2},
        {"fault": "slow", "seconds": 0.2, "times": 2},
        {"fault": "expire_sessions"},
    ],
    ids=lambda fault: f"{fault['fault']} {fault.get('status', '')}".strip(),
)
def test_a_read_goes_on_after_what_passes(org: Any, paged: SalesforceClient, fault: dict[str, Any]) -> None:
    whole = read(paged)
    assert len(set(whole)) == 450
    paged._connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
    org.fault(**fault, path=BETWEEN)
    assert read(paged) == whole


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"fault": "next_status", "status": 403}, RateLimitError, "daily API limit is used up"),
        ({"fault": "next_status", "status": 503}, RateLimitError, "Try again in a minute"),
        ({"fault": "next_status", "status": 401}, AuthError, "refused a new one"),
        ({"fault": "truncate"}, ConnectionError, r"(rows were|Nothing was) read\. (Try again|Run again)"),
        ({"fault": "drop"}, ConnectionError, r"(rows were|Nothing was) read\. Try again"),
    ],
    ids=lambda part: f"{part['fault']} {part.get('status', '')}".strip() if isinstance(part, dict) else "",
)
def test_a_read_stops_with_a_sentence_where_it_does_not_pass(
    org: Any, paged: SalesforceClient, fault: dict[str, Any], error: type[DriverError], words: str
) -> None:
    read(paged)
    paged._connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
    org.fault(**fault, path=BETWEEN, times=50)
    with pytest.raises(error, match=words) as caught:
        read(paged)
    assert "\n" not in str(caught.value)


def test_a_page_that_does_not_come_says_for_how_long_it_was_waited(
    org: Any, paged: SalesforceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_TIMEOUT", 1.0)
    org.fault("slow", seconds=1.5, times=20, path=BETWEEN)
    with pytest.raises(ConnectionError, match=r"not answer within 1 s\. (200 of 450 rows were|Nothing was) read\. Try"):
        read(paged)
    org.calm()

"""A read asks for its next page while the current one is used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripted_salesforce import Answer, Scripted

from integrator_drivers import ConnectionError, RateLimitError
from salesforce_driver import SalesforceClient

FIELDS = [{"name": "Id", "type": "id", "label": "Id"}]


def answer(body: object, status: int = 200) -> Answer:
    return status, {}, json.dumps(body).encode()


def page(start: int, following: str = "") -> Answer:
    records = [{"attributes": {"type": "Lead"}, "Id": f"{n:015}"} for n in range(start, start + 3)]
    more = {"nextRecordsUrl": following} if following else {}
    return answer({"totalSize": 9, "done": not following, "records": records, **more})


@pytest.fixture
def paged(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Three pages of three leads."""
    monkeypatch.setenv("SALESFORCE_BASE_URL", scripted.url)
    monkeypatch.setenv("SALESFORCE_CLIENT_ID", "fake-id")
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "fake-secret")
    scripted.answers = [
        answer({"access_token": "t", "instance_url": scripted.url, "id": ""}),
        answer({"name": "Lead", "fields": FIELDS}),
        page(0, "/services/data/v62.0/query/01g-3"),
        page(3, "/services/data/v62.0/query/01g-6"),
        page(6),
    ]
    return scripted


def came(scripted: Scripted, count: int) -> bool:
    return all(scripted.came.acquire(timeout=10) for _ in range(count))


def test_the_second_page_is_under_way_when_the_first_row_arrives(paged: Scripted) -> None:
    with SalesforceClient() as salesforce:
        rows = salesforce.read("Lead", fields=["Id"]).rows()
        assert next(rows)["Id"] == f"{0:015}"
        assert came(paged, 4)  # login, describe, page 1, and page 2 though two rows of page 1 are still to come
        assert not paged.came.acquire(blocking=False)
        assert [row["Id"] for row in rows] == [f"{n:015}" for n in range(1, 9)]


def test_a_look_at_the_first_rows_asks_for_no_page_it_does_not_need(paged: Scripted) -> None:
    with SalesforceClient() as salesforce:
        assert len(salesforce.read("Lead", fields=["Id"]).first(2)) == 2
        assert came(paged, 3)
        assert not paged.came.acquire(blocking=False)


def test_a_read_that_is_given_up_leaves_no_trace(paged: Scripted) -> None:
    with SalesforceClient() as salesforce:
        rows: Any = salesforce.read("Lead", fields=["Id"]).rows()
        next(rows)
        assert came(paged, 4)
        rows.close()
    assert len(paged.asked) == 4


def test_a_limit_in_the_middle_of_a_read_comes_after_the_rows_before_it(paged: Scripted) -> None:
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    paged.answers[4] = answer(body, 403)
    found: list[str] = []
    with SalesforceClient() as salesforce, pytest.raises(RateLimitError, match="daily API limit is used up"):
        for row in salesforce.read("Lead", fields=["Id"]).rows():
            found.append(row["Id"])
    assert found == [f"{n:015}" for n in range(6)]


def test_a_line_that_breaks_for_good_says_how_far_the_read_came(paged: Scripted) -> None:
    half: Answer = (200, {"Content-Length": "500", "Connection": "close"}, b'{"records": ')
    paged.answers[4:] = [half] * 5
    found: list[str] = []
    with SalesforceClient() as salesforce:
        salesforce._connection._transport._sleep = lambda seconds: None
        with pytest.raises(ConnectionError, match=r"6 of 9 rows were read\. Try again"):
            for row in salesforce.read("Lead", fields=["Id"]).rows():
                found.append(row["Id"])
    assert len(found) == 6

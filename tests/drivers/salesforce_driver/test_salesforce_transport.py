from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from scripted_salesforce import Answer, Scripted

from integrator_drivers import ConnectionError, RateLimitError
from salesforce_driver import SalesforceClient
from salesforce_driver.src import faults, transport
from salesforce_driver.src.connection import Connection
from salesforce_driver.src.settings import Settings
from salesforce_driver.src.transport import Transport, open_session


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def session(scripted: Scripted, waits: list[float]) -> Iterator[requests.Session]:
    with open_session(Transport(scripted.url, waits.append)) as opened:
        yield opened


OK: Answer = (200, {}, b"{}")
BUSY: Answer = (503, {}, b"[]")
ADDRESS = "https://acme.my.salesforce.com/services/data?x=1%2C2"


def test_the_address_moves_and_path_and_query_stay(scripted: Scripted, session: requests.Session) -> None:
    scripted.answers = [OK]
    session.get(ADDRESS, headers={"Authorization": "Bearer good"})
    assert scripted.asked[0][:2] == ("GET", "/services/data?x=1%2C2")
    assert scripted.asked[0][2]["Authorization"] == "Bearer good"


def test_netrc_does_not_replace_the_session(
    scripted: Scripted, session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    scripted.answers = [OK]
    session.get(ADDRESS, headers={"Authorization": "Bearer good"})
    assert scripted.asked[0][2]["Authorization"] == "Bearer good"


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    scripted: Scripted, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    scripted.answers = [OK]
    assert session.get(ADDRESS).status_code == 200


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_reads_are_repeated_with_growing_pauses(
    scripted: Scripted, session: requests.Session, waits: list[float], status: int
) -> None:
    scripted.answers = [(status, {}, b"[]")] * 3 + [OK]
    assert session.get(ADDRESS).status_code == 200
    assert len(waits) == 3
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1.0 <= waits[2] <= 2.0


def test_a_concurrent_limit_is_waited_out(scripted: Scripted, session: requests.Session, waits: list[float]) -> None:
    body = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests Limit exceeded."}])
    scripted.answers = [(403, {}, body.encode()), OK]
    assert session.get(ADDRESS).status_code == 200
    assert len(waits) == 1


def test_a_daily_limit_is_not_waited_for(scripted: Scripted, session: requests.Session, waits: list[float]) -> None:
    body = json.dumps([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    scripted.answers = [(403, {}, body.encode())]
    assert session.get(ADDRESS).status_code == 403
    assert waits == []


def test_retry_after_is_kept(scripted: Scripted, session: requests.Session, waits: list[float]) -> None:
    scripted.answers = [(429, {"Retry-After": "7"}, b"[]"), OK]
    assert session.get(ADDRESS).status_code == 200
    assert waits == [7.0]


def test_a_very_long_retry_after_is_handed_on(
    scripted: Scripted, session: requests.Session, waits: list[float]
) -> None:
    scripted.answers = [(429, {"Retry-After": "3600"}, b"[]")]
    assert session.get(ADDRESS).status_code == 429
    assert waits == []


def test_it_gives_up_after_five_times(scripted: Scripted, session: requests.Session, waits: list[float]) -> None:
    scripted.answers = [BUSY] * 5
    assert session.get(ADDRESS).status_code == 503
    assert len(waits) == 4


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_writes_are_never_repeated(
    scripted: Scripted, session: requests.Session, waits: list[float], method: str
) -> None:
    scripted.answers = [BUSY]
    assert session.request(method, ADDRESS, json={}).status_code == 503
    assert len(scripted.asked) == 1
    assert waits == []


def test_half_an_answer_is_asked_for_again(scripted: Scripted, session: requests.Session) -> None:
    scripted.answers = [(200, {"Content-Length": "500", "Connection": "close"}, b'{"a": '), (200, {}, b'{"a": 1}')]
    assert session.get(ADDRESS).json() == {"a": 1}


def test_discovery_does_not_wait_longer_than_its_budget(
    scripted: Scripted, session: requests.Session, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "discovery")
    scripted.answers = [(503, {"Retry-After": "11"}, b"[]")]
    assert session.get(ADDRESS).status_code == 503
    assert waits == []


def test_a_lost_connection_is_tried_again(org: Any, salesforce: SalesforceClient) -> None:
    salesforce.list_objects()
    org.fault("drop", path="/sobjects")
    assert "Lead" in salesforce.list_objects()


def test_every_try_is_reported(org: Any, salesforce: SalesforceClient, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    org.fault("next_status", status=503, path="/query")
    salesforce.query("SELECT COUNT() FROM Lead WHERE Name = 'O\\'Hara'")
    calls = [json.loads(line) for line in (tmp_path / "report").read_text(encoding="utf-8").splitlines()]
    assert [(call["status"], call["method"], call["system"]) for call in calls if "query" in call["template"]] == [
        (503, "GET", "salesforce"),
        (200, "GET", "salesforce"),
    ]
    assert calls[0]["template"] == "/services/oauth2/token"
    assert calls[-1]["template"] == "query: SELECT COUNT() FROM Lead WHERE Name = ?"
    assert "Hara" not in (tmp_path / "report").read_text(encoding="utf-8")


def test_no_answer_in_time_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "discovery")
    monkeypatch.setattr(transport, "DISCOVERY_BUDGET", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {
            "SALESFORCE_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "SALESFORCE_CLIENT_ID": "fake-id",
            "SALESFORCE_CLIENT_SECRET": "fake-secret",
        }
        connection = Connection(Settings.from_environment(environ))
        with pytest.raises(ConnectionError, match=r"it did not answer within \S+ s\. Nothing was read\. Try again, or"):
            connection.call("GET", "sobjects")
        connection.close()


def test_the_sentence_names_the_seconds_and_the_variable() -> None:
    settings = Settings("client_credentials", "acme", "")
    said = faults.no_answer(requests.ReadTimeout("Read timed out. (read timeout=10.0)"), settings)
    assert str(said) == (
        "I couldn't connect to Salesforce: it did not answer within 10 s. Nothing was read. "
        "Try again, or check SALESFORCE_DOMAIN."
    )


def test_a_limit_carries_the_seconds_to_wait(org: Any, scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"access_token": "t", "instance_url": scripted.url, "id": "https://x/id/00D/005"}
    limited = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    scripted.answers = [
        (200, {}, json.dumps(token).encode()),
        (403, {"Retry-After": "120"}, json.dumps(limited).encode()),
    ]
    monkeypatch.setenv("SALESFORCE_BASE_URL", scripted.url)
    with SalesforceClient() as salesforce, pytest.raises(RateLimitError, match="daily API limit is used up") as caught:
        salesforce.list_objects()
    assert caught.value.retry_after == 120


def test_salesforces_own_running_count_is_used_where_it_is_offered(
    org: Any, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {"queryable": True, "label": "Lead"}
    bodies: list[object] = [
        {"access_token": "t", "instance_url": scripted.url, "id": ""},
        {"sobjects": [{"name": "Lead", **described}, {"name": "Odd__c", **described}]},
        {"sObjects": [{"name": "Lead", "count": 123456}]},
        {"name": "Lead", "fields": [{"name": "Id"}]},
    ]
    scripted.answers = [(200, {}, json.dumps(body).encode()) for body in bodies]
    monkeypatch.setenv("SALESFORCE_BASE_URL", scripted.url)
    with SalesforceClient() as salesforce:
        lead, odd = salesforce.describe_objects()
    assert (lead.records, lead.fields, odd.records, odd.fields) == (123456, 1, None, None)
    assert scripted.asked[2][1].endswith("/limits/recordCount?sObjects=Lead")

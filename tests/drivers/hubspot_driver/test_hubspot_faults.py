from __future__ import annotations

import socket
from typing import Any

import pytest

from hubspot_driver import HubSpotClient
from integrator_drivers.errors import AuthError, ConnectionError, ForbiddenError, RateLimitError, ValidationError


@pytest.fixture
def waits(hubspot: HubSpotClient, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the client would have waited."""
    found: list[float] = []
    monkeypatch.setattr(hubspot._connection._api, "_sleep", found.append)
    return found


def test_the_token_is_asked_for_at_once_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
    with pytest.raises(AuthError, match=r"HUBSPOT_ACCESS_TOKEN in \.env"):
        HubSpotClient()
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "obviously-fake-token")
    monkeypatch.setenv("HUBSPOT_BASE_URL", "api.hubapi.com")
    with pytest.raises(ValidationError, match="HUBSPOT_BASE_URL") as wrong:
        HubSpotClient()
    assert "obviously-fake" not in str(wrong.value)
    monkeypatch.setenv("HUBSPOT_BASE_URL", "http://proxy.customer.example")
    with pytest.raises(ValidationError, match="must start with https"):
        HubSpotClient()


def test_a_withdrawn_token_is_said_in_a_sentence(portal: Any, hubspot: HubSpotClient) -> None:
    portal.fault("revoke_token")
    with pytest.raises(AuthError, match="HubSpot refused the token") as refused:
        hubspot.check()
    assert "HUBSPOT_ACCESS_TOKEN" in str(refused.value) and "practice-token" not in str(refused.value)


def test_a_missing_scope_is_named_where_it_matters_and_warned_of_by_check(portal: Any, hubspot: HubSpotClient) -> None:
    assert hubspot.check().warnings == ()
    assert hubspot.check().environment == "practice"
    portal.fault("hide_object", object="deals")
    portal.fault("hide_object", object="tickets")
    with pytest.raises(ForbiddenError, match=r"lacks the scope crm\.objects\.deals\.read"):
        list(hubspot.read("deals", ["id"]).rows())
    assert hubspot.check().warnings == (
        "deals can't be read: the token lacks the scope crm.objects.deals.read.",
        "tickets can't be read: the token lacks the scope tickets.",
    )
    described = {entry.name: entry.records for entry in hubspot.describe_objects()}
    assert described["deals"] is None and described["contacts"]


def test_without_the_scope_for_schemas_there_are_the_standard_objects(portal: Any, hubspot: HubSpotClient) -> None:
    assert "subscriptions" in hubspot.list_objects()
    portal.fault("hide_schemas")
    assert "subscriptions" not in hubspot.list_objects() and "contacts" in hubspot.list_objects()


def test_the_ten_secondly_limit_is_waited_for_as_told(portal: Any, hubspot: HubSpotClient, waits: list[float]) -> None:
    portal.fault("next_status", status=429, times=2)
    assert hubspot.read("contacts", ["id"]).first(1)
    assert waits[:2] == [1.0, 1.0]


def test_requests_slow_down_when_little_is_left(portal: Any, hubspot: HubSpotClient, waits: list[float]) -> None:
    portal.fault("rate_limit", calls=100_000)
    hubspot.check()
    assert waits == []
    portal.fault("rate_limit", calls=len(portal.app._taken) + 5)
    hubspot.check()
    assert waits and max(waits) <= 10.0


def test_the_daily_limit_stops_at_once_with_a_sentence(portal: Any, hubspot: HubSpotClient, waits: list[float]) -> None:
    portal.fault("daily_limit")
    with pytest.raises(RateLimitError, match="daily API limit is used up"):
        list(hubspot.read("contacts", ["id"]).rows())
    assert waits == []


@pytest.mark.parametrize("fault", ["drop", "truncate"])
def test_a_lost_answer_is_asked_for_again(portal: Any, hubspot: HubSpotClient, waits: list[float], fault: str) -> None:
    expected = len(portal.account.kinds["contacts"].rows)
    portal.fault(fault, path="/crm/objects")
    assert len(list(hubspot.read("contacts", ["id"]).rows())) == expected
    portal.fault(fault, path="/search")
    assert len(list(hubspot.read("contacts", ["id"], [("email", "not null", None)]).rows())) <= expected
    assert len(waits) == 2


def test_five_attempts_are_enough(portal: Any, hubspot: HubSpotClient, waits: list[float]) -> None:
    portal.fault("next_status", status=503, times=9)
    with pytest.raises(RateLimitError, match="HubSpot is busy"):
        hubspot.list_objects()
    assert len(waits) == 4 and all(0 < wait <= 30 for wait in waits)


def test_discovery_gives_up_after_ten_seconds(
    portal: Any, hubspot: HubSpotClient, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "discovery")
    now = [0.0]
    monkeypatch.setattr(hubspot._connection._api, "_clock", lambda: now[0])
    monkeypatch.setattr(hubspot._connection._api, "_sleep", lambda wait: now.__setitem__(0, now[0] + 4.0))
    portal.fault("next_status", status=503, times=20)
    with pytest.raises(RateLimitError):
        hubspot.list_objects()
    assert len(portal.paths()) < 5


def test_nobody_there_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HUBSPOT_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "fake")
    with (
        HubSpotClient() as hubspot,
        pytest.raises(ConnectionError, match=r"it refused the connection\. Nothing was read"),
    ):
        hubspot.check()


def test_every_request_is_reported_without_ids_or_values(
    portal: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    path = tmp_path / "report"
    path.touch()
    monkeypatch.setenv("INTEGRATOR_REPORT", str(path))
    with HubSpotClient() as hubspot:
        list(hubspot.read("contacts", ["email"], [("email", "=", "ann@secret.example")]).rows())
    text = path.read_text()
    assert '"template": "/crm/objects/2026-09/contacts/search"' in text and '"status": 200' in text
    assert "secret.example" not in text and "practice-token" not in text


def test_searches_keep_to_five_a_second(portal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for name, value in portal.env.items():
        monkeypatch.setenv(name, value)
    waits: list[float] = []
    with HubSpotClient() as hubspot:
        monkeypatch.setattr(hubspot._connection._api, "_sleep", waits.append)
        monkeypatch.setattr(hubspot._connection._api, "_clock", lambda: 100.0)
        for _ in range(7):
            list(hubspot.read("contacts", ["id"], [("email", "=", "ann@customer.example")]).rows())
    assert waits == [1.0, 1.0]

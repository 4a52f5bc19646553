from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from hubspot_driver import HubSpotClient
from hubspot_driver.practice import account as practice_account
from hubspot_driver.practice.app import HubSpotApp
from hubspot_driver.practice.seeded import seeded_account
from hubspot_driver.src import connection
from integrator_practice.http import Request as Asked
from integrator_practice.http import Response
from integrator_practice.server import serve_app

TOKEN = "practice-token-for-tests"


class Recording(HubSpotApp):
    """A practice account that keeps what it was asked and what it answered."""

    def __init__(self, account: practice_account.Account) -> None:
        super().__init__(account, TOKEN)
        self.exchanges: list[tuple[Asked, Response]] = []
        self.before_write: Any = None  # called once, before the next batch write

    def handle(self, request: Asked) -> Response:
        if self.before_write and self.is_mutation(request):
            call, self.before_write = self.before_write, None
            call()
        response = super().handle(request)
        self.exchanges.append((request, response))
        return response


class Portal:
    """A practice account in this process: its variables, its switchboard, its records."""

    def __init__(self, rows: int = 200) -> None:
        self.account = seeded_account(3, rows)
        self.app = Recording(self.account)
        self.served = serve_app(self.app, 0, "nonce")
        self.env = {"HUBSPOT_BASE_URL": self.served.base_url, "HUBSPOT_ACCESS_TOKEN": TOKEN}
        self._open = build_opener(ProxyHandler({})).open
        self._thread = threading.Thread(target=self.served.serve_forever, daemon=True)
        self._thread.start()

    def fault(self, fault: str, **options: Any) -> None:
        self._ask("POST", "faults", {"fault": fault, **options})

    def log(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "requests")
        return found

    def paths(self) -> list[str]:
        return [f"{entry['method']} {entry['path']}" for entry in self.log()["requests"]]

    def mutations(self) -> int:
        return int(self.log()["mutations"])

    def calm(self) -> None:
        self._ask("DELETE", "faults")
        self._ask("DELETE", "requests")
        self.app.token = TOKEN
        self.app.exchanges.clear()

    def close(self) -> None:
        self.served.close()
        self._thread.join(10)

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.served.control_url}/{what}"
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)
        with self._open(request, timeout=10) as response:
            return json.load(response)


def enter(portal: Portal, patch: pytest.MonkeyPatch) -> None:
    """The portal's variables, and searches as fast as they come."""
    for name, value in portal.env.items():
        patch.setenv(name, value)
    patch.setattr(connection, "SEARCH_PACE", 10_000)


@pytest.fixture(scope="module")
def shared_portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture
def portal(shared_portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """The account of this file, calm, and its variables in the environment."""
    shared_portal.calm()
    enter(shared_portal, monkeypatch)
    return shared_portal


@pytest.fixture
def own_portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """An account for one test, to write to."""
    portal = Portal(60)
    enter(portal, monkeypatch)
    yield portal
    portal.close()


@pytest.fixture
def hubspot(portal: Portal) -> Iterator[HubSpotClient]:
    with HubSpotClient() as client:
        yield client


@pytest.fixture
def writable(own_portal: Portal) -> Iterator[HubSpotClient]:
    with HubSpotClient() as client:
        yield client

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from scripted_salesforce import Scripted

from salesforce_driver import SalesforceClient
from salesforce_driver.practice import serve


class Org:
    """A practice org in this process: its variables, its switchboard."""

    def __init__(self, env: dict[str, str], control_url: str) -> None:
        self.env = env
        self._url = control_url
        self._open = build_opener(ProxyHandler({})).open

    def fault(self, fault: str, **options: Any) -> None:
        self._ask("POST", "faults", {"fault": fault, **options})

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "requests")["requests"]
        return found

    def mutations(self) -> int:
        return int(self._ask("GET", "requests")["mutations"])

    def calm(self) -> None:
        self._ask("DELETE", "faults")
        self._ask("DELETE", "requests")

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._url}/{what}", data, {"Content-Type": "application/json"}, method=method)
        with self._open(request, timeout=10) as response:
            return json.load(response)


@pytest.fixture(scope="module")
def make_org() -> Iterator[Callable[[int], Org]]:
    """Starts orgs of 450 leads; they end with the file."""
    with ExitStack() as stack:

        def make(seed: int) -> Org:
            served = serve(seed=seed, rows=450)
            thread = threading.Thread(target=served.serve_forever, daemon=True)
            thread.start()
            stack.callback(thread.join, 10)
            stack.callback(served.close)
            assert served.control_url
            return Org(served.env, served.control_url)

        yield make


@pytest.fixture(scope="module")
def served_org(make_org: Callable[[int], Org]) -> Org:
    return make_org(7)


@pytest.fixture
def org(served_org: Org, monkeypatch: pytest.MonkeyPatch) -> Org:
    """The org of this file, calm, and its variables in the environment."""
    served_org.calm()
    for name, value in served_org.env.items():
        monkeypatch.setenv(name, value)
    return served_org


@pytest.fixture
def salesforce(org: Org) -> Iterator[SalesforceClient]:
    with SalesforceClient() as client:
        yield client


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()

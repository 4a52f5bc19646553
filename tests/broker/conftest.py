"""The made-up system, and a passage of the broker that leads to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import acme_access
import pytest
from acme_server import HTTP, TOKEN, Acme, Door

from integrator_drivers import Mode
from integrator_magics.broker.authority import Authority
from integrator_magics.broker.http import PROXY
from integrator_magics.broker.logins import Logins
from integrator_magics.broker.passage import Passage, Shared
from integrator_magics.broker.system import System
from integrator_magics.broker.upstream import Upstreams


@pytest.fixture
def acme() -> Iterator[Acme]:
    acme_access.logins.clear()
    found = Acme()
    thread = threading.Thread(target=found.serve)
    thread.start()
    yield found
    found.listener.shutdown(socket.SHUT_RDWR)
    found.listener.close()
    thread.join()


@pytest.fixture
def door(acme: Acme) -> Iterator[Callable[..., Door]]:
    """door(mode="discovery", password=..., endpoints=...)"""
    with ExitStack() as stack:

        def make(mode: str = "discovery", password: str = "fake-secret", **more: Any) -> Door:
            told: list[Any] = []
            secrets: list[str] = []
            endpoints = tuple(more.pop("endpoints", [("127.0.0.1", acme.port)]))
            system = System(
                "acme", "Acme", "http", endpoints, {"ACME_PASSWORD": password}, HTTP, "acme_access:authorize", **more
            )
            upstreams = Upstreams()
            stack.callback(upstreams.close)
            shared = Shared(Authority(), Logins(lambda value, name: secrets.append(value)), upstreams)
            passage = Passage(shared, [system], Mode(mode), TOKEN, lambda *facts: told.append(facts))
            stack.callback(passage.close)
            ports = []
            for destination in (("127.0.0.1", acme.port), PROXY):
                listener = socket.create_server(("127.0.0.1", 0))
                ports.append(int(listener.getsockname()[1]))
                passage.serve(listener, destination)
            return Door(passage, *ports, told, secrets)

        yield make

"""A dialog at a desk: what the tests of the agent work with."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stand_ins.anthropic_messages import MessagesServer

import integrator_practice
from integrator_magics.agent import Agent, ModelChoice, Turn, Workspace
from integrator_magics.audit import AuditLog
from integrator_magics.events import Event
from integrator_magics.sandbox import Runner

E = TypeVar("E", bound=Event)

SYNC = '''\
# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql,salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Leads of the last 30 days, Salesforce -> PostgreSQL (public.leads).

Reads leads created in the last 30 days; adds new ones and updates known ones (same Salesforce id); never deletes.
"""

from integrator_drivers import Source, Target, days_ago, run, sync
from postgresql_driver import PostgresClient
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce, PostgresClient() as postgresql:
        sync(
            source=Source(
                salesforce,
                "Lead",
                {"Id": "salesforce_id", "Name": "name", "Email": "email", "LeadSource": "lead_source"},
                where=[("CreatedDate", ">=", days_ago(30))],
            ),
            target=Target(postgresql, "public.leads"),
            key="salesforce_id",
        )


if __name__ == "__main__":
    run(main, SCHEDULE)
'''


class CountingRunner(Runner):
    """The runner, which also notes what it was asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[tuple[str, ...]] = []

    def call(self, system: str, method: str, *args: Any) -> Any:
        self.asked.append((system, method, *map(str, args)))
        return super().call(system, method, *args)

    def run(self, code: str, **more: Any) -> Any:
        self.asked.append(("run", str(more.get("mode"))))
        return super().run(code, **more)


@dataclass
class Desk:
    """One notebook's dialog with the model stand-in."""

    workspace: Workspace
    server: MessagesServer
    choice: ModelChoice
    runner: CountingRunner
    audit: AuditLog
    events: list[Event]
    history: list[Any] = field(default_factory=list)
    turn: Turn | None = None

    def say(self, text: str) -> Turn:
        """The user writes a prompt."""
        return self._go(text, "")

    def answer(self, text: str) -> Turn:
        """The user answers the question that waits."""
        assert self.turn and self.turn.call
        return self._go(text, self.turn.call)

    def _go(self, text: str, call: str) -> Turn:
        self.turn = asyncio.run(Agent(self.workspace, self.choice).turn(self.history, text, call=call))
        return self.turn

    def heard(self, kind: type[E]) -> list[E]:
        """Events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def result(self, number: int = -1) -> str:
        """What the model got back from its calls, in the newest (or another) request."""
        return "\n".join(self.server.asked[number].results)


class Control:
    """The switchboard of a practice system."""

    def __init__(self, practice: integrator_practice.Practice) -> None:
        assert practice.control_url
        self.url = practice.control_url.rstrip("/")

    def fault(self, **options: Any) -> None:
        """Switch a fault on."""
        self._ask("POST", "faults", options)

    def clear(self) -> None:
        """Switch all faults off and forget the requests."""
        self._ask("DELETE", "faults")
        self._ask("DELETE", "requests")

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since `clear`."""
        found: list[dict[str, Any]] = self._ask("GET", "requests")["requests"]
        return found

    def _ask(self, method: str, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.url}/{what}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

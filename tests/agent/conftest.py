"""The real tools, runner and practice systems, and the stand-in for the model's API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_desk import Control, CountingRunner, Desk
from stand_ins.anthropic_messages import MessagesServer

import integrator_practice
from integrator_magics.agent import ModelChoice, Workspace
from integrator_magics.audit import AuditLog
from integrator_magics.config import Settings, home
from integrator_magics.credentials import Credentials
from integrator_magics.events import Event
from integrator_magics.export import ScriptStore
from integrator_magics.integration import Integrations
from integrator_magics.knowledge import Index
from integrator_magics.policy import Approvals


@pytest.fixture(scope="session")
def practice() -> Iterator[dict[str, integrator_practice.Practice]]:
    """Practice Salesforce and PostgreSQL, for all tests of the agent; nobody writes to them."""
    with (
        integrator_practice.start("salesforce", rows=150) as salesforce,
        integrator_practice.start("postgresql") as postgresql,
    ):
        yield {"salesforce": salesforce, "postgresql": postgresql}


@pytest.fixture
def control(practice: dict[str, integrator_practice.Practice]) -> Iterator[Control]:
    """The switchboard of the practice Salesforce, clean before and after."""
    board = Control(practice["salesforce"])
    board.clear()
    yield board
    board.clear()


@pytest.fixture
def server() -> Iterator[MessagesServer]:
    """The model's API."""
    with MessagesServer() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, server: MessagesServer, practice: dict[str, integrator_practice.Practice]) -> Iterator[Desk]:
    """A dialog in a new notebook, with both practice systems connected."""
    credentials = Credentials(tmp_path, tmp_path / "home", environ={"ANTHROPIC_API_KEY": server.key})
    for system, running in practice.items():
        credentials.use_practice(system, running.env)
    settings = Settings()
    audit = AuditLog(tmp_path / "audit")
    runner = CountingRunner(credentials, audit, settings, tmp_path)
    store = ScriptStore(tmp_path / "home", str(tmp_path / "a.ipynb"))
    events: list[Event] = []
    integrations = Integrations(
        "a.ipynb",
        tmp_path,
        credentials=credentials,
        audit=audit,
        approvals=Approvals(tmp_path / "approvals.sqlite"),
        runner=runner,
        store=store,
    )
    workspace = Workspace(
        runner=runner,
        credentials=credentials,
        index=Index(home() / "index"),
        audit=audit,
        settings=settings,
        scripts=store,
        emit=events.append,
        preview=lambda name: integrations.preview(name, store.latest(name).code, events.append),
    )
    choice = ModelChoice("anthropic", "claude-sonnet-5-5", "claude-sonnet-5-5", server.key, server.base_url)
    yield Desk(workspace, server, choice, runner, audit, events)
    runner.close()

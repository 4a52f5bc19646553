"""The side panel's data: from a real session, and over the comm of a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ui_events import PREVIEWED
from ui_front_end import FrontEnd

from integrator_magics import events as e
from integrator_magics.session import DIALOG, Session, run_channel
from integrator_magics.ui.audit_lines import newest
from integrator_magics.ui.panel_state import Seen, standing
from integrator_magics.ui.story import Story


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path / "home"))
    for name in ("PGHOST", "PGUSER", "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)
    session = Session("leads.ipynb", tmp_path)
    yield session
    session.close()


def nowhere(channel: str) -> str:
    return ""


def test_at_the_start_nothing_waits_and_every_system_says_what_it_needs(session: Session) -> None:
    state = standing(session, Seen(), nowhere)
    assert (state["waiting"], state["running"], state["scripts"]) == ([], [], [])
    postgresql = next(system for system in state["systems"] if system["name"] == "postgresql")
    assert postgresql["state"] == "missing"
    assert "PGHOST" in postgresql["needs"]
    assert state["audit"]["whole"]
    assert state["cost"]["used"] == ""


def test_connected_systems_come_first(session: Session, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PGHOST=db.example\nPGDATABASE=demo\nPGUSER=jana\nPGPASSWORD=not-a-real-one\n")
    systems = standing(session, Seen(), nowhere)["systems"]
    assert (systems[0]["name"], systems[0]["state"]) == ("postgresql", "ready")
    assert "not-a-real-one" not in str(systems)


def test_an_open_question_waits_in_the_cell_that_shows_it(session: Session) -> None:
    session.dialog.state, session.dialog.question = "asking", "Which one do you mean?"
    cells = {DIALOG: "cell1"}
    (item,) = standing(session, Seen(), lambda channel: cells.get(channel, ""))["waiting"]
    assert (item["kind"], item["title"], item["cell"], item["detail"]) == (
        "question",
        "Which one do you mean?",
        "cell1",
        "",
    )
    (item,) = standing(session, Seen(), nowhere)["waiting"]
    assert item["detail"] == "Run the cell of the dialog again to answer."


def test_a_failed_preview_waits_until_something_is_chosen(session: Session) -> None:
    story = Story([e.Failed("It broke.", options=[e.Option("Try again")])])
    seen = Seen({run_channel("lead_sync"): story})
    (item,) = standing(session, seen, nowhere)["waiting"]
    assert (item["kind"], item["name"]) == ("failure", "lead_sync")
    story.add(PREVIEWED)
    assert standing(session, seen, nowhere)["waiting"] == []


def test_a_script_is_told_by_the_hash_of_each_version(session: Session) -> None:
    first = session.store.save("lead_sync", "print(1)\n")
    session.store.mark_approved("lead_sync", first.sha256, "jana")
    second = session.store.save("lead_sync", "print(2)\n")
    seen = Seen(last_runs={"lead_sync": "2020-01-02T03:04:00+00:00"})
    (script,) = standing(session, seen, nowhere)["scripts"]
    assert script["versions"] == {first.sha256: "approved", second.sha256: "new"}
    assert (script["version"], script["state"], script["approved"]) == (2, "new", True)
    assert script["by"].startswith("approved by jana")
    assert "January 2020" in script["last_run"]


def test_cost_names_what_was_used_and_the_ceiling(session: Session) -> None:
    session.dialog.events += [e.Opened("x", "claude", "embedded (full)"), e.Usage(12300, 900, 0.5, 2.0)]
    cost = standing(session, Seen(), nowhere)["cost"]
    assert cost["used"] == "12,300 tokens in, 900 out, 0.50 USD of 2.00 USD"
    assert cost["share"] == 0.25
    assert (cost["mode"], cost["sandbox"]) == ("claude", "embedded (full)")


def test_the_newest_records_are_told_once_each() -> None:
    records = [
        {"n": 1, "at": "2026-11-28T05:00:00Z", "event": "prompt", "text": "Sync\nleads", "person": "jana"},
        {"n": 2, "event": "discovery", "phase": "before", "method": "get_fields", "object": "Lead", "system": "x"},
        {"n": 3, "event": "discovery", "phase": "after", "of": 2, "method": "check", "outcome": "ok", "system": "x"},
        {"n": 4, "event": "preview", "phase": "before", "name": "a"},
        {"n": 5, "event": "preview", "phase": "after", "of": 4, "name": "a", "outcome": "ok"},
        {"n": 6, "event": "preview", "name": "a"},
        {"n": 7, "event": "run", "phase": "before", "name": "a"},
        {"n": 8, "event": "run", "phase": "after", "of": 7, "name": "a", "outcome": "failed"},
        {"n": 9, "event": "receipt", "name": "a", "counts": [{"add": 1000, "update": 234}]},
        {"n": 10, "event": "something new", "name": "a"},
    ]
    assert [line["what"] for line in newest(records)] == [
        "something new a",
        "a: 1,234 rows written",
        "a run: failed",
        "a previewed",
        "asked: Sync leads",
    ]
    assert len(newest(records, 2)) == 2


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import os

    from jupyter_client.manager import start_new_kernel

    environment = {**os.environ, "INTEGRATOR_HOME": str(tmp_path_factory.mktemp("home"))}
    manager, client = start_new_kernel(kernel_name="python3", env=environment)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_loading_tells_every_page_where_things_stand_and_prints_nothing(kernel: Any) -> None:
    page = FrontEnd(kernel)
    assert page.run("%load_ext integrator_magics", person=True) == ""
    state = page.until_state(lambda state: state["systems"])
    assert {system["name"] for system in state["systems"]} >= {"salesforce", "postgresql"}
    page.state = {}
    page.hello("another tab")
    assert page.until_state(lambda state: state["systems"]) == state


def test_the_panel_can_stop_and_cancel_and_nothing_else(kernel: Any) -> None:
    page = FrontEnd(kernel)
    page.run("%reload_ext integrator_magics", person=True)
    page.until_state(lambda state: state["systems"])
    page.run("done = []; session = get_ipython().integrator.session", person=True)
    page.run("session.cancel = lambda: done.append('cancelled')", person=True)
    page.run("session.approve = lambda *a: done.append('approved')", person=True)
    for act in ("approve", "confirm", "connect", "integrate", "stop", "", "cancel"):
        page.say(type="act", act=act, name="lead_sync")
    page.until("done")
    assert page.run("print(done)", person=True) == "['cancelled']"


def test_a_notebook_executed_by_a_program_opens_no_line(kernel: Any) -> None:
    page = FrontEnd(kernel)
    page.run("%reload_ext integrator_magics")
    page.run("import time; time.time()")
    assert page.comm == ""

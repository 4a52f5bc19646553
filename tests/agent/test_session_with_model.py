"""The session with a model in it: what a notebook sees of the whole conversation, a stop and a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_desk import SYNC
from stand_ins.anthropic_messages import MessagesServer, Reply, overloaded, say, use, use_all

import integrator_practice
from integrator_magics.events import Asked, Ended, Event, Failed, Opened, Step, Wrote
from integrator_magics.session import DIALOG, Session

PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us"


class Notebook:
    """A session whose events are kept."""

    def __init__(self, folder: Path, practice: dict[str, integrator_practice.Practice]) -> None:
        self.session = Session(str(folder / "a.ipynb"), folder)
        for system, running in practice.items():
            self.session.credentials.use_practice(system, running.env)
        self.events: list[Event] = []
        self.cells: list[Wrote] = []
        self.session.listen(DIALOG, self.events.append)
        self.session.on_scripts = self.cells.extend

    def say(self, text: str) -> None:
        self.session.integrate(text)
        self.session.wait()

    def answer(self, text: str) -> None:
        self.session.answer(text)
        self.session.wait()


@pytest.fixture
def notebook(
    tmp_path: Path,
    state_home: Path,
    server: MessagesServer,
    practice: dict[str, integrator_practice.Practice],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Notebook]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", server.key)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url)
    opened = Notebook(tmp_path, practice)
    yield opened
    opened.session.close()


def test_a_notebook_sees_question_script_and_end(notebook: Notebook, server: MessagesServer) -> None:
    server.add(
        use_all(("load_driver", {"name": "salesforce"}), ("load_driver", {"name": "postgresql"})),
        use("ask_user", question="How do you define it?", options=[{"label": "LeadSource"}, {"label": "Campaign"}]),
    )
    notebook.say(PROMPT)
    assert notebook.session.dialog.state == "asking"
    asked = notebook.events[-1]
    assert isinstance(asked, Asked)
    assert [option.label for option in asked.options] == ["LeadSource", "Campaign"]
    server.add(
        use_all(
            ("get_fields", {"system": "salesforce", "object": "Lead"}),
            ("get_fields", {"system": "postgresql", "object": "public.leads"}),
        ),
        use("write_script", name="lead_sync", code=SYNC, explanation=["reads leads", "adds and updates them"]),
        use("run_script", name="lead_sync"),
        say("Run the cell below to see a preview."),
    )
    notebook.answer("LeadSource")
    assert notebook.session.dialog.state == "done"
    assert [cell.code for cell in notebook.cells] == [SYNC]
    assert isinstance(notebook.events[-1], Ended)
    (opened,) = [event for event in notebook.events if isinstance(event, Opened)]
    assert opened.mode.startswith("claude-sonnet-")


def test_a_stopped_dialog_can_be_gone_on_with(notebook: Notebook, server: MessagesServer) -> None:
    free = threading.Event()
    server.add(Reply("I am thinking about the fields of Lead.", hold=free))
    begun = threading.Event()
    notebook.session.listen(DIALOG, lambda event: begun.set() if type(event).__name__ == "Said" else None)
    notebook.session.integrate(PROMPT)
    assert begun.wait(30)
    turn = notebook.session._turn
    ended = threading.Event()
    notebook.session.listen(DIALOG, lambda event: ended.set() if isinstance(event, Ended) else None)
    notebook.session.cancel()
    assert ended.wait(30)
    free.set()
    assert turn
    assert notebook.session.dialog.state == "cancelled"
    server.add(say("Here we go."))
    notebook.say("go on please")
    assert PROMPT in server.asked[-1].raw


def test_a_failure_at_the_model_is_shown_and_the_same_step_can_be_done_again(
    notebook: Notebook, server: MessagesServer
) -> None:
    server.add(overloaded(), say("Here I am."))
    notebook.say(PROMPT)
    (failed,) = [event for event in notebook.events if isinstance(event, Failed)]
    assert "overloaded" in failed.what
    assert "guided mode" in failed.next
    notebook.session.retry()
    notebook.session.wait()
    assert notebook.session.dialog.state == "done"
    assert server.asked[-1].raw.count(PROMPT) == 1


def test_a_dialog_goes_on_after_the_kernel_was_restarted(
    notebook: Notebook, server: MessagesServer, practice: dict[str, integrator_practice.Practice]
) -> None:
    server.add(use("load_driver", name="salesforce"), use("ask_user", question="Which field?"))
    notebook.say(PROMPT)
    again = Notebook(notebook.session.workdir, practice)
    assert again.session.dialog.state == "asking"
    server.add(say("LeadSource it is."))
    again.answer("LeadSource")
    assert again.session.dialog.state == "done"
    assert server.asked[-1].results == ["LeadSource"]
    assert [step.title for step in again.events if isinstance(step, Step)] == ["Model"]
    again.session.close()

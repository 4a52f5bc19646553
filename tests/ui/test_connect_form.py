from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ipywidgets as W
import pytest

import integrator_practice
from integrator_magics.config import Settings
from integrator_magics.session import Session
from integrator_magics.ui import connect
from integrator_magics.ui.dispatch import Dispatcher


@pytest.fixture(scope="module")
def salesforce(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(tmp_path_factory.mktemp("home")))
        with integrator_practice.start("salesforce", rows=20) as practice:
            yield practice.env


@pytest.fixture
def session(tmp_path: Path, state_home: Path) -> Iterator[Session]:
    made = Session("connect.ipynb", tmp_path, Settings(model="guided"))
    yield made
    made.close()


class Form:
    """The form as a person has it before them."""

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[W.VBox] = []
        monkeypatch.setattr("IPython.display.display", shown.append)
        self.dispatcher = Dispatcher()
        connect.show_form(session, "salesforce", self.dispatcher)
        self.parts = shown[0].children
        self.fields = {part.description: part for part in self.parts if isinstance(part, (W.Text, W.Password))}

    def press(self) -> str:
        next(part for part in self.parts if isinstance(part, W.Button)).click()
        result = self.parts[-1]
        self.dispatcher.drain(20, lambda: "Logging in" not in result.value)
        return str(result.value)


def test_the_form_keeps_the_values_in_env_clears_itself_and_logs_in(
    session: Session, salesforce: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    form = Form(session, monkeypatch)
    for name, value in salesforce.items():
        form.fields[name].value = value
    assert isinstance(form.fields["SALESFORCE_CLIENT_SECRET"], W.Password)
    assert "Connected to Salesforce: Practice Org" in form.press()
    assert all(field.value == "" for field in form.fields.values())
    kept = session.workdir / ".env"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert salesforce["SALESFORCE_CLIENT_SECRET"] in kept.read_text()
    assert salesforce["SALESFORCE_CLIENT_SECRET"] not in (session.home / "audit" / "log.jsonl").read_text()


def test_a_refused_login_says_which_variables_to_check(
    session: Session, salesforce: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    form = Form(session, monkeypatch)
    for name, value in (salesforce | {"SALESFORCE_CLIENT_SECRET": "obviously-not-the-secret"}).items():
        form.fields[name].value = value
    said = form.press()
    assert "the login did not work" in said
    assert "SALESFORCE_CLIENT_SECRET" in said
    assert "obviously-not-the-secret" not in said


def test_an_empty_form_changes_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing was changed" in Form(session, monkeypatch).press()
    assert not (session.workdir / ".env").exists()


def test_the_form_says_what_to_tick_at_the_vendor(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    introduction = Form(session, monkeypatch).parts[0].value
    assert "Lead: to read: Leads: Read; to write: Leads: Create, Edit; people&#x27;s data" in introduction

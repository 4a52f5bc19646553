from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ipywidgets as W
import pytest

import integrator_practice
from integrator_drivers import ValidationError, registry
from integrator_magics.config import Settings
from integrator_magics.session import Session
from integrator_magics.ui import connect
from integrator_magics.ui.dispatch import Dispatcher
from integrator_magics.ui.letter import letter, mail_link, objects_with_needs


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

    def __init__(self, session: Session, monkeypatch: pytest.MonkeyPatch, system: str = "salesforce") -> None:
        shown: list[W.VBox] = []
        monkeypatch.setattr("IPython.display.display", shown.append)
        self.dispatcher = Dispatcher()
        connect.show_form(session, system, self.dispatcher)
        self.form = shown[0]

    def parts(self, kind: type, widget: W.Widget | None = None) -> list[Any]:
        widget = self.form if widget is None else widget
        inner = [part for child in getattr(widget, "children", ()) for part in self.parts(kind, child)]
        return [*([widget] if isinstance(widget, kind) else []), *inner]

    @property
    def fields(self) -> dict[str, Any]:
        return {part.description: part for part in self.parts(W.Text) if part.description}

    @property
    def text(self) -> str:
        return "\n".join(part.value for part in self.parts(W.HTML))

    @property
    def letter(self) -> str:
        return str(self.parts(W.Textarea)[0].value)

    def tick(self, name: str) -> None:
        box = next(part for part in self.parts(W.Checkbox) if part.description == name)
        box.value = not box.value
        self.dispatcher.run_pending()

    def press(self) -> str:
        self.parts(W.Button)[0].click()
        self.dispatcher.drain(20, lambda: 'role="status"' in self.text and "Logging in" not in self.text)
        return self.text


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
    form = Form(session, monkeypatch)
    assert "Lead: to read: Leads: Read; people&#x27;s data" in form.text
    form.tick("also write")
    assert "Lead: to read: Leads: Read; to write: Leads: Create, Edit; people&#x27;s data" in form.text


def test_the_letter_follows_the_objects_and_the_way_to_log_in(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = Form(session, monkeypatch)
    assert "SALESFORCE_CLIENT_SECRET" in form.letter
    assert "Opportunities: Read" not in form.letter
    form.tick("Opportunity")
    assert "Opportunities: Read" in form.letter
    form.fields["SALESFORCE_DOMAIN"].value = "acme"
    form.parts(W.Dropdown)[0].value = "jwt"
    form.dispatcher.run_pending()
    assert "SALESFORCE_PRIVATE_KEY" in form.letter
    assert "SALESFORCE_CLIENT_SECRET" not in form.letter
    assert form.fields["SALESFORCE_DOMAIN"].value == "acme"
    assert "SALESFORCE_CLIENT_SECRET" not in form.fields


@pytest.mark.parametrize("system", registry.names())
def test_every_system_has_a_letter_that_names_its_variables_and_no_value(system: str) -> None:
    manifest = registry.manifest(system)
    text = letter(manifest, objects=objects_with_needs(manifest), write=True)
    for variable in next(iter(manifest.auth_groups.values())):
        assert variable.name in text
    assert unquote(mail_link(text)).endswith(text.partition("\n\n")[2])


def test_the_key_of_a_model_is_taken_by_the_same_form(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.settings.model = ""
    form = Form(session, monkeypatch, "anthropic")
    form.fields["ANTHROPIC_API_KEY"].value = "obviously-fake-model-key"
    said = form.press()
    assert "Dialogs from now on: claude" in said
    assert "obviously-fake-model-key" in (session.workdir / ".env").read_text()
    assert "obviously-fake-model-key" not in said


def test_an_object_the_driver_has_no_rights_for_is_named() -> None:
    with pytest.raises(ValidationError, match="Lead"):
        letter(registry.manifest("salesforce"), objects=["Leed"])

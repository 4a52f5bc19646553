"""The mapping table of the live dialog: an edit becomes a change request, a newer version takes the table's place."""

from __future__ import annotations

import ipywidgets as W
from test_live_view import Shown
from ui_events import DIALOG, WROTE

from integrator_magics import events as e

MAPPED = e.Mapped(
    "lead_sync",
    "Salesforce Lead",
    "PostgreSQL leads",
    [
        e.MappedField("Id", "sf_id", "Lead ID", "text", True),
        e.MappedField("Email", "email", "<script>alert(1)</script>", "text"),
    ],
    ["Phone", "Title"],
)


def shown(*events: e.Event) -> Shown:
    return Shown(*DIALOG[:6], *(events or (MAPPED, WROTE, e.Ended())))


def column(view: Shown, name: str) -> W.Text:
    return next(found for found in view.widgets(W.Text) if found.value == name)


def test_nothing_can_be_asked_for_before_an_edit() -> None:
    view = shown()
    assert view.buttons["Change the script"].disabled
    column(view, "email").value = "mail"
    view.dispatcher.run_pending()
    assert not view.buttons["Change the script"].disabled


def test_edits_are_asked_of_the_agent_in_words() -> None:
    view = shown()
    column(view, "email").value = "mail"
    more = view.widgets(W.Dropdown)[-1]
    more.value = "Phone"
    view.dispatcher.run_pending()
    assert "Phone" not in more.options
    view.press("Change the script")
    assert view.session.calls[-1] == ("change", "Rename the column email to mail. Add the field Phone.")


def test_an_edit_that_makes_no_sense_says_so_at_once() -> None:
    view = shown()
    column(view, "email").value = "sf_id"
    view.dispatcher.run_pending()
    assert "Two fields would go into sf_id" in view.text
    assert view.buttons["Change the script"].disabled


def test_the_table_of_a_newer_version_takes_the_place_of_the_older_one() -> None:
    view = shown(MAPPED, WROTE, e.Answered("x", unasked=True), MAPPED, WROTE)
    assert len([button for button in view.widgets(W.Button) if button.description == "Change the script"]) == 1


def test_labels_are_text() -> None:
    view = shown()
    assert "<script>" not in view.text
    assert "&lt;script&gt;" in view.text

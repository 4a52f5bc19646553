"""The live dialog's logic: what is offered when, and what a press leads to. Its looks are tests/browser's."""

from __future__ import annotations

from typing import Any

import ipywidgets as W
import pytest
from ui_events import DIALOG, PREVIEWED, RAN, WROTE

from integrator_magics import events as e
from integrator_magics.errors import IntegratorError
from integrator_magics.ui.bridge import AskingCell, Bridge
from integrator_magics.ui.dispatch import Dispatcher
from integrator_magics.ui.live import LiveView
from integrator_magics.ui.script_cells import Placed


class Session:
    """Notes each call; refuses with a sentence when told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.refusal = ""

    def __getattr__(self, name: str) -> Any:
        def call(*values: Any) -> None:
            self.calls.append((name, *values))
            if self.refusal:
                raise IntegratorError(self.refusal)

        return call


class Shown:
    """A view outside any kernel; work is done by `press` and `settled`."""

    def __init__(self, *events: e.Event) -> None:
        self.session = Session()
        self.dispatcher = Dispatcher()
        self.view = LiveView(self.session, self.dispatcher, Bridge(self.dispatcher), AskingCell())
        for event in events:
            self.view.show(event)

    def widgets(self, kind: type, widget: Any = None) -> list[Any]:
        """All visible widgets of a kind."""
        widget = widget or self.view.widget
        if widget.layout.display == "none":
            return []
        inner = [found for child in getattr(widget, "children", ()) for found in self.widgets(kind, child)]
        return [*([widget] if isinstance(widget, kind) else []), *inner]

    @property
    def buttons(self) -> dict[str, Any]:
        return {found.description: found for found in self.widgets(W.Button)}

    @property
    def text(self) -> str:
        return "\n".join(found.value for found in self.widgets(W.HTML))

    def press(self, label: str) -> None:
        self.dispatcher.drain(3, until=lambda: not self.buttons[label].disabled)
        self.buttons[label].click()
        self.dispatcher.run_pending()


def test_an_option_is_the_answer_and_the_buttons_go() -> None:
    shown = Shown(*DIALOG[:5])
    assert set(shown.buttons) >= {"Lead Source", "Campaign", "Answer", "Cancel"}
    shown.press("Campaign")
    assert shown.session.calls == [("answer", "Campaign")]
    assert shown.buttons["Lead Source"].disabled
    shown.view.show(e.Answered("Campaign"))
    assert "Lead Source" not in shown.buttons
    assert "Working ..." in shown.text


def test_a_refusal_is_one_sentence_in_the_card_and_the_buttons_come_back() -> None:
    shown = Shown(*DIALOG[:5])
    shown.session.refusal = "This text holds what looks like a <credential>."
    shown.press("Campaign")
    assert "looks like a &lt;credential&gt;." in shown.text
    assert not shown.buttons["Campaign"].disabled


def test_approve_can_not_be_pressed_at_once_and_carries_the_code() -> None:
    shown = Shown(PREVIEWED)
    label = "Approve writing 412 rows to PostgreSQL"
    assert shown.buttons[label].disabled
    shown.press(label)
    assert shown.session.calls == [("approve", "lead_sync", "7K2Q")]


def test_approve_stays_off_when_the_card_was_over_before() -> None:
    shown = Shown(PREVIEWED)
    button = shown.buttons["Approve writing 412 rows to PostgreSQL"]
    shown.view.show(e.Decided("lead_sync", False, "jana", "2026-10-22T14:03:00+00:00"))
    shown.dispatcher.drain(0.6)
    assert button.disabled


def test_a_script_that_only_reads_is_confirmed_or_sent_back_with_a_reason() -> None:
    event = e.Previewed("a", "b", [], [], [], 1.0, "embedded (full)", writes=False, needs_decision=True)
    shown = Shown(event)
    shown.press("Yes")
    shown.view.show(event)
    shown.press("No, because ...")
    (field,) = shown.widgets(W.Text)
    field.value = "too few"
    shown.press("Send")
    assert shown.session.calls == [("confirm", "a", True), ("confirm", "a", False, "too few")]


def test_stop_names_the_script_that_runs() -> None:
    shown = Shown(PREVIEWED, DIALOG[9], DIALOG[10])
    shown.press("Stop")
    assert shown.session.calls == [("stop_run", "lead_sync")]
    shown.view.show(RAN)
    assert not [label for label in shown.buttons if label.startswith("Stop")]


def test_a_failure_without_options_can_be_tried_again_and_leaves_no_step_running() -> None:
    shown = Shown(e.Step("1", "Preview", "", "running"), e.Failed("It broke.", "Nothing was written."))
    assert "under way" not in shown.text
    shown.press("Try again")
    assert shown.session.calls == [("retry",)]
    shown.view.show(e.Step("1", "Preview", "", "running"))
    assert "under way" in shown.text


def test_the_options_of_a_failure_are_answers() -> None:
    shown = Shown(e.Failed("It broke.", options=[e.Option("Try again"), e.Option("Stop")]))
    shown.press("Stop")
    assert shown.session.calls == [("answer", "Stop")]


def test_an_ended_dialog_offers_no_cancel_and_a_cancelled_one_a_new_start() -> None:
    shown = Shown(*DIALOG[:5], e.Ended("cancelled", "Cancelled."))
    assert set(shown.buttons) == {"Start again", "58 rows ▸"}
    shown.press("Start again")
    assert shown.session.calls == [("start_again",)]


def test_a_view_that_is_over_has_no_working_button() -> None:
    shown = Shown(*DIALOG[:5])
    shown.view.close()
    assert set(shown.buttons) <= {"58 rows ▸"}
    assert "Working" not in shown.text


@pytest.mark.parametrize("plan", [True, False])
def test_where_a_script_went_is_told_once(plan: bool) -> None:
    events = [WROTE, e.Explained("lead_sync", ["reads"])] if plan else [WROTE]
    shown = Shown(*events)
    shown.view.placed("lead_sync", Placed("inserted", "cell"))
    assert shown.text.count("It is in the cell below.") == 1
    shown.view.placed("lead_sync", Placed("shown", why="no front end"))
    assert "It is in the cell below." not in shown.text
    assert "%%integration lead_sync" in shown.text


def test_tables_fold_out_when_they_are_the_end_of_it() -> None:
    shown = Shown(*DIALOG[:4], e.Said("That is all."), e.Ended())
    assert "LeadSource" in shown.text
    folded = Shown(*DIALOG[:5])
    assert "LeadSource" not in folded.text
    folded.press("58 rows ▸")
    assert "LeadSource" in folded.text


def test_streaming_words_stand_in_one_place() -> None:
    shown = Shown(e.Said("Let", True), e.Said("Let me see.", False), e.Said("Next.", False))
    assert shown.text.count("Let") == 1
    assert "Next." in shown.text

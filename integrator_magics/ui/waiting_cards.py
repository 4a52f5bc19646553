"""Cards that wait for the user: a question, a preview, a failure. Their buttons go when they are over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import ipywidgets as W

from ..events import Asked, Event, Failed, Option, Previewed, Table
from . import wording, words
from .desk import Desk, Field, Fold, html_widget, row
from .frames import search_view
from .html import escape, fragment, settled_preview
from .still_cards import Card

__all__ = ["FailureCard", "PreviewCard", "QuestionCard"]

SETTLE = 0.4  # seconds in which Approve can't be pressed: a click meant for what stood there before must not approve


class _Waiting(Card):
    """A card with buttons. They are switched off as soon as one is pressed, and go when the card settles."""

    def __init__(self, event: Event, desk: Desk) -> None:
        super().__init__(event)
        self.desk = desk
        self._problem = html_widget("")
        self._controls: list[W.Widget] = []
        self._box = W.VBox([self.head], layout=W.Layout(width="auto"))
        self.widget = self._box

    def _offer(self, rows: Iterable[W.Widget], controls: Iterable[W.Widget]) -> None:
        self._controls = list(controls)
        self._box.children = (self.head, *rows, self._problem)

    def _do(self, work: Callable[[], None]) -> None:
        for control in self._controls:
            control.disabled = True
        if not self.desk.act(work, self._refused):
            for control in self._controls:
                control.disabled = False

    def _refused(self, sentence: str) -> None:
        self._problem.value = f'<div class="ig-problem" role="alert">{escape(sentence)}</div>'

    def settle(self) -> None:
        self._controls = []
        self._box.children = (self.head,)

    def _options(self, options: Iterable[Option], choose: Callable[[str], None]) -> list[W.Widget]:
        """A row for each option; its buttons become controls."""
        rows: list[W.Widget] = []
        for option in options:
            made = self.desk.button(option.label, partial(choose, option.label))
            hint = html_widget(f'<span class="ig-detail">{escape(option.hint)}</span>')
            self._controls.append(made)
            rows.append(row([made, hint] if option.hint else [made]))
        return rows


class QuestionCard(_Waiting):
    """Options as buttons, an answer field for anything else."""

    def __init__(self, event: Asked, desk: Desk) -> None:
        super().__init__(event, desk)
        self.head.value = fragment(replace(event, options=[]))
        rows = self._options(event.options, self._answer)
        controls = list(self._controls)
        if event.free_text:
            field = Field("something else ..." if event.options else "your answer", self._typed, desk)
            send = desk.button("Answer", field.submit)
            rows.append(row([field.widget, send]))
            controls += [field.widget, send]
        self._offer(rows, controls)

    def _typed(self, text: str) -> None:
        if text:
            self._answer(text)

    def _answer(self, text: str) -> None:
        self._do(lambda: self.desk.controller.answer(text))


class FailureCard(_Waiting):
    """What happened, what it means for the data, what to do next; "Try again" where the session offers nothing."""

    def __init__(self, event: Failed, desk: Desk) -> None:
        super().__init__(event, desk)
        self.head.value = fragment(replace(event, options=[]))
        if event.options:
            rows = self._options(event.options, lambda label: self._do(lambda: desk.controller.answer(label)))
        else:
            rows = self._options([Option("Try again")], lambda _: self._do(desk.controller.retry))
        self._offer(rows, list(self._controls))


class PreviewCard(_Waiting):
    """Counts, differences, rejects; Approve and Reject for scripts that write, Yes and No for those that read."""

    def __init__(self, event: Previewed, desk: Desk) -> None:
        super().__init__(event, desk)
        self._preview = event
        self._why = Field("what should be different?", self._no, desk)
        sheets = [self._sheet(name, table) for name, table in _sheets(event)]
        if event.needs_decision:
            self._ask(sheets)
        else:
            self._box.children = (self.head, *sheets)

    def _ask(self, sheets: list[W.Widget]) -> None:
        event, desk = self._preview, self.desk
        if event.writes:
            yes = desk.button(wording.approve_label(event), self._yes)
            some = desk.button(wording.first_label(event), self._some)
            no = desk.button("Reject ...", self._open_reason)
            send = desk.button("Reject", self._why.submit)
        else:
            yes = some = desk.button("Yes", self._yes)
            no = desk.button("No, because ...", self._open_reason)
            send = desk.button("Send", self._why.submit)
        for button in (yes, some):
            button.disabled = True
            desk.later(SETTLE, partial(self._enable, button))
        self._reason = row([self._why.widget, send])
        self._reason.layout.display = "none"
        if event.writes:
            yeses = [some, yes] if event.first else [yes]
            self._offer([*sheets, row([no, *yeses]), self._reason], [*yeses, no, self._why.widget, send])
        else:
            self._offer([*sheets, row([yes, no]), self._reason], [yes, no, self._why.widget, send])

    def _enable(self, button: W.Button) -> None:
        button.disabled = button not in self._controls

    def _open_reason(self) -> None:
        self._reason.layout.display = ""
        self._why.widget.focus()

    def _yes(self) -> None:
        event, controller = self._preview, self.desk.controller
        if event.writes:
            self._do(lambda: controller.approve(event.name, event.code))
        else:
            self._do(lambda: controller.confirm(event.name, True))

    def _some(self) -> None:
        event, controller = self._preview, self.desk.controller
        self._do(lambda: controller.approve(event.name, event.code, event.first))

    def _no(self, why: str) -> None:
        event, controller = self._preview, self.desk.controller
        if event.writes:
            self._do(lambda: controller.reject(event.name, why))
        else:
            self._do(lambda: controller.confirm(event.name, False, why))

    def settle(self) -> None:
        super().settle()
        self.head.value = settled_preview(self._preview)

    def _sheet(self, name: str, table: Table) -> W.Widget:
        fold = Fold(f"Show {name}", lambda: [search_view(table)], self.desk)
        return row([W.VBox([fold.button, fold.body], layout=W.Layout(width="100%", align_items="flex-start"))])


def _sheets(event: Previewed) -> list[tuple[str, Table]]:
    """What is longer than its first lines: all differences and all rejected rows."""
    found = []
    for target in event.targets:
        for what, rows in (("difference", target.differences), ("rejected row", target.rejects)):
            if len(rows) > 3:
                columns = list(dict.fromkeys(name for entry in rows for name in entry))
                name = f"{words.count(len(rows), what)}, {wording.target_name(target)}"
                found.append((name, Table(name, columns, rows, len(rows))))
    return found

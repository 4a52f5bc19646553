"""Cards that need nothing from the user: steps, words, scripts and where they went, progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import ipywidgets as W

from ..events import Event, Explained, Progress, Step, Wrote
from . import words
from .desk import Desk, Fold, html_widget, row
from .frames import search_view
from .html import code_block, details, escape, fragment, paragraphs
from .script_cells import Placed, cell_source

__all__ = ["Card", "PlaceCard", "ProgressRow", "StepCard"]


class Card:
    """One event of the live dialog."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.head = html_widget(fragment(event))
        self.widget: W.Widget = self.head

    def update(self, event: Event) -> None:
        """Take a later event of the same kind in."""
        self.event = event
        self.head.value = fragment(event)

    def settle(self) -> None:
        """The user need not act here any more."""

    def retire(self) -> None:
        """Nothing of it can be used any more."""
        self.settle()

    def fold(self) -> None:
        """Make room for a newer card."""


class StepCard(Card):
    """One line; what it looked at opens below it as tables, with the code that ran."""

    def __init__(self, event: Step, desk: Desk) -> None:
        super().__init__(event)
        self._desk = desk
        self._line = W.HBox([self.head], layout=W.Layout(align_items="flex-start"))
        self._line.add_class("ig-step-row")
        self._box = W.VBox([self._line], layout=W.Layout(width="auto"))
        self.widget = self._box
        self._fold: Fold | None = None
        self.update(event)

    def update(self, event: Event) -> None:
        assert isinstance(event, Step)
        self.event = event
        self.head.value = fragment(replace(event, tables=[], code=""))
        if self._fold is None and (event.tables or event.code):
            rows = sum(table.count for table in event.tables)
            label = words.count(rows, "row") if event.tables else "code"
            names = words.join_words([table.name for table in event.tables]) or "the code that ran"
            tooltip = f"Show {words.clip(names, 200)}"
            self._fold = Fold(label, lambda: self._content(event), self._desk, tooltip)
            self._fold.body.layout.margin = "0 0 0 33px"
            self._line.children = (self.head, self._fold.button)
            self._box.children = (self._line, self._fold.body)

    def unfold(self) -> None:
        """Show what was found, when that is the end of it."""
        if self._fold is not None and isinstance(self.event, Step) and self.event.tables:
            self._fold.set(True)

    def fold(self) -> None:
        if self._fold is not None and self._fold.opened:
            self._fold.set(False)

    @staticmethod
    def _content(event: Step) -> list[W.Widget]:
        made: list[W.Widget] = [search_view(table, "260px") for table in event.tables]
        if event.code:
            made.append(html_widget(details("The code that ran", code_block(event.code))))
        return made


_WHERE = {
    "inserted": "It is in the cell below.",
    "replaced": "Its cell was brought up to date.",
    "beside": "You edited its cell, so that was left alone; this version is in a new cell.",
}


class PlaceCard(Card):
    """A script version or its plan, and below it where its cell is; the script itself where none could be put in."""

    def __init__(self, event: Event, desk: Desk) -> None:
        super().__init__(event)
        self._desk = desk
        self._box = W.VBox([self.head], layout=W.Layout(width="auto"))
        self.widget = self._box

    def fold(self) -> None:
        event = self.event
        if isinstance(event, Explained):
            self.head.value = details(f"The plan of <code>{escape(event.name)}</code> so far", fragment(event))
        elif isinstance(event, Wrote):
            self.head.value = fragment(replace(event, diff="", explanation=""))

    def placed(self, wrote: Wrote, placed: Placed | None) -> None:
        """Say where this version went; None takes the words away again."""
        if placed is None:
            self._box.children = (self.head,)
        elif placed.how == "shown":
            self._box.children = (self.head, html_widget(_copyable(wrote, placed)))
        else:
            go = self._desk.button("Go to the cell", lambda: self._desk.show_cell(placed.cell_id))
            self._box.children = (self.head, row([html_widget(paragraphs(_WHERE[placed.how])), go]))


# Selecting and copying works on plain-http hosts too, where navigator.clipboard is missing.
_COPY = (
    "const p=this.parentNode.querySelector('pre'),s=getSelection();s.removeAllRanges();s.selectAllChildren(p);"
    "document.execCommand('copy');s.removeAllRanges();this.textContent='Copied';"
)


def _copyable(event: Wrote, placed: Placed) -> str:
    """The script with a copy button, for front ends in which no cell can be inserted."""
    kept = f" It is also in the file <code>{escape(placed.path)}</code>." if placed.path else ""
    return (
        f'<div class="ig-under"><p>Copy this into a new cell and run it.{kept}</p>'
        f'<button type="button" class="ig-copy jupyter-button" onclick="{_COPY}">Copy</button>'
        f"{code_block(cell_source(event.name, event.code))}</div>"
    )


class ProgressRow:
    """A bar that follows the run, with Stop."""

    def __init__(self, stop: Callable[[], object], desk: Desk) -> None:
        self._html = html_widget("")
        self._stop = desk.button("Stop", self._pressed)
        self._pressed_stop = stop
        self.widget = row([self._html, self._stop], indent=False)
        self.hide()

    def show(self, event: Progress) -> None:
        """Take the newest figure in."""
        self._html.value = fragment(event)
        self.widget.layout.display = ""

    def hide(self) -> None:
        """Nothing is under way."""
        self.widget.layout.display = "none"
        self._stop.disabled = False
        self._stop.description = "Stop"

    def _pressed(self) -> None:
        self._stop.disabled = True
        self._stop.description = "Stopping ..."
        self._pressed_stop()

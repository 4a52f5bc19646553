"""The live dialog in a cell's output, and the transcript that stays in the notebook when the kernel is gone."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import ipywidgets as W

from integrator_drivers import DriverError

from ..errors import IntegratorError
from ..events import (
    Answered,
    Decided,
    Ended,
    Event,
    Explained,
    Failed,
    Mapped,
    Opened,
    Previewed,
    Progress,
    Ran,
    Said,
    Step,
    Usage,
    Wrote,
)
from . import text
from .bridge import AskingCell, Bridge
from .cards import make_card
from .controller import Controller
from .desk import Desk, html_widget, row
from .dispatch import Dispatcher
from .html import escape, fragment, transcript
from .script_cells import Placed
from .still_cards import Card, PlaceCard, ProgressRow, StepCard
from .story import Story
from .theme import style

__all__ = ["LiveView"]

STREAM_STEP = 0.1  # seconds between two looks of streaming words
_TURNS = (Answered, Decided, Previewed, Ran, Failed, Ended, Opened)


class LiveView:
    """Shows events as widgets in the cell that made it. Main thread only; call `open` while that cell runs."""

    def __init__(self, controller: Controller, dispatcher: Dispatcher, bridge: Bridge, at: AskingCell) -> None:
        self._controller = controller
        self._bridge = bridge
        self.at = at
        self.identity = uuid.uuid4().hex[:8]
        self._story = Story()
        self._events: list[Event] = []
        self._cards: list[Card] = []
        self._script = ""
        self._places: dict[str, Placed] = {}
        self._streamed = 0.0
        self._saved: Any = None
        self._reloaded = False
        self._desk = Desk(controller, self._act, dispatcher.post, dispatcher.post_later, self._go_to)
        self._head = html_widget("")
        self._cancel = self._desk.button("Cancel", self._pressed_cancel)
        self._again = self._desk.button("Start again", self._pressed_again)
        self._again.layout.display = "none"
        self._bar = W.HBox([self._head, self._cancel], layout=W.Layout(justify_content="space-between", display="none"))
        self._list = W.VBox([], layout=W.Layout(width="auto"))
        self._progress = ProgressRow(self._pressed_stop, self._desk)
        self._status = html_widget("")
        self._usage = html_widget("")
        foot = row([self._status, self._usage, self._again], indent=False)
        self.widget = W.VBox([html_widget(style(self.identity)), self._bar, self._list, self._progress.widget, foot])
        self.widget.add_class("ig-live")
        self.widget.add_class(f"ig-live-{self.identity}")

    def open(self) -> None:
        """Show the dialog in the running cell."""
        from IPython.display import display

        # Two outputs: the transcript steps aside (by style) as long as the live dialog is in the page.
        self._saved = display(self._bundle(), raw=True, display_id=True, metadata=self._mark())
        bundle = self.widget._repr_mimebundle_()
        plain = "The dialog is shown with buttons in a notebook; here, `%wait` shows what happens, `%answer` answers."
        # Where no widget can be shown, the transcript above tells the story: a page shows the empty HTML.
        display({**bundle, "text/html": "<!-- live dialog -->", "text/plain": plain}, raw=True)
        self._bridge.on_hello.append(self._page_came)
        if not self._events:
            self._say("Working ...")

    def close(self) -> None:
        """No more events will come, and no button works any more: another cell goes on."""
        for card in self._cards:
            card.retire()
        for control in (self._cancel, self._again, self._progress.widget):
            control.layout.display = "none"
        self._say("")
        if self._page_came in self._bridge.on_hello:
            self._bridge.on_hello.remove(self._page_came)
        self._save()

    def replay(self, events: Iterable[Event]) -> None:
        """Show a stored dialog; an open question or failure can still be answered."""
        for event in events:
            self._add(event)
        self._refresh()
        self._save()

    def show(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, Said) and event.partial:
            if time.monotonic() - self._streamed < STREAM_STEP:
                return
            self._streamed = time.monotonic()
        self._add(event)
        self._refresh()
        passing = isinstance(event, (Progress, Usage)) or (isinstance(event, Said) and event.partial)
        if not passing and not (isinstance(event, Step) and event.state == "running"):
            self._save()

    def placed(self, name: str, placed: Placed) -> None:
        """Say where the newest version of a script went."""
        self._places[name] = placed
        self._show_place(name)

    def offer_start_again(self) -> None:
        """A button that begins the dialog afresh."""
        self._again.layout.display = ""

    # How it works inside.

    def _show_place(self, name: str) -> None:
        """Below the newest plan of the script; below the script itself as long as there is no plan."""
        mine = [card for card in self._cards if isinstance(card, PlaceCard) and getattr(card.event, "name", "") == name]
        wrote = next((card.event for card in reversed(mine) if isinstance(card.event, Wrote)), None)
        if wrote is None or name not in self._places:
            return
        for card in mine:
            card.placed(wrote, self._places[name] if card is mine[-1] else None)

    def _add(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, (Previewed, Decided)):
            self._script = event.name
        place, replaced = self._story.add(event)
        if place is None:
            return
        if replaced and type(event) is type(self._cards[place].event):
            self._cards[place].update(event)
            return
        if isinstance(event, _TURNS):
            for card in self._cards:
                card.settle()
        if isinstance(event, Mapped):
            for card in self._cards:
                if isinstance(card.event, Mapped) and (card.event.name, card.event.target) == (
                    event.name,
                    event.target,
                ):
                    card.retire()
        elif isinstance(event, Wrote):
            self._fold(card for card in self._cards if getattr(card.event, "name", "") == event.name)
        elif isinstance(event, _TURNS):
            self._fold(card for card in self._cards if isinstance(card.event, Step))
            if isinstance(event, Ended):
                self._show_findings()
        if isinstance(event, Opened):
            self._head.value = fragment(event)
            self._bar.layout.display = ""
            card = Card(replace(event, mode="", sandbox=""))
            card.widget.layout.display = "none"
        else:
            card = make_card(event, self._desk)
        self._cards[place:] = [card]
        for at, entry in enumerate(self._story.entries):
            if self._cards[at].event is not entry and isinstance(entry, Step):
                self._cards[at].update(entry)  # was still under way when this came
        self._list.children = tuple(card.widget for card in self._cards)
        if isinstance(event, Explained):
            self._show_place(event.name)
        elif isinstance(event, Wrote):
            self._places.pop(event.name, None)

    def _show_findings(self) -> None:
        """A dialog that ended without a script: what it found last is what was asked for."""
        since = [card for card in self._cards if not isinstance(card.event, (Said, Answered))]
        if since and isinstance(since[-1], StepCard):
            since[-1].unfold()

    @staticmethod
    def _fold(cards: Iterable[Card]) -> None:
        for card in cards:
            card.fold()

    def _refresh(self) -> None:
        """Header, progress and footer as the story stands."""
        last = self._story.entries[-1] if self._story.entries else None
        waiting = self._story.waiting is not None
        over = isinstance(last, (Ended, Failed, Ran))
        self._cancel.disabled = over and not waiting
        self._cancel.layout.display = "none" if over and not waiting else ""
        if last is None:
            return
        if isinstance(last, (Ended, Failed)) and self._bar.layout.display != "none":
            self._again.layout.display = "" if getattr(last, "state", "failed") != "done" else "none"
        else:
            self._again.layout.display = "none"
        if self._story.progress is not None:
            self._progress.show(self._story.progress)
        else:
            self._progress.hide()
        resting = (
            waiting or over or isinstance(last, (Explained, Previewed, Decided)) or self._story.progress is not None
        )
        running = isinstance(last, Step) and last.state == "running"
        self._say("" if resting or running else "Working ...")
        self._usage.value = fragment(self._story.usage) if self._story.usage else ""

    def _say(self, sentence: str) -> None:
        self._status.value = f'<div class="ig-status" role="status">{escape(sentence)}</div>' if sentence else ""

    def _act(self, work: Callable[[], None], refused: Callable[[str], None]) -> bool:
        """Call the session from a button. A refusal is one sentence in the card."""
        self._say("Working ...")
        try:
            work()
        except (IntegratorError, DriverError) as exc:
            self._say("")
            refused(str(exc))
            return False
        return True

    def _pressed_cancel(self) -> None:
        self._cancel.disabled = True
        if not self._act(self._controller.cancel, self._say):
            self._cancel.disabled = False

    def _pressed_stop(self) -> None:
        self._act(lambda: self._controller.stop_run(self._script), self._say)

    def _pressed_again(self) -> None:
        self._act(self._controller.start_again, self._say)

    def _go_to(self, cell_id: str) -> None:
        self._bridge.show_cell(cell_id, at=self.at)

    # The transcript.

    def _mark(self) -> dict[str, Any]:
        return {"integrator": {"identity": self.identity}}

    def _bundle(self) -> dict[str, str]:
        return {"text/html": transcript(self._events, self.identity), "text/plain": text.transcript(self._events)}

    def _page_came(self, _: str) -> None:
        # A page that was loaded after the cell ran does not take updates of its display any more.
        self._reloaded = True
        self._save()

    def _save(self) -> None:
        if self._saved is None:
            return
        bundle = self._bundle()
        self._saved.update(bundle, raw=True, metadata=self._mark())
        if self._reloaded:
            self._bridge.store_output(self.identity, bundle["text/html"], bundle["text/plain"], at=self.at)

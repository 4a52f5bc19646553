"""The parts that cards are made of: buttons, answer fields, rows, things that fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import ipywidgets as W

from . import words
from .controller import Controller

__all__ = ["Desk", "Field", "Fold", "html_widget", "row"]

# Calls the session and says what it refuses. Returns whether it was taken.
Act = Callable[[Callable[[], None], Callable[[str], None]], bool]


@dataclass(frozen=True)
class Desk:
    """What cards work with. Callbacks of widgets may come on any thread; `post` brings them to the main one."""

    controller: Controller
    act: Act
    post: Callable[[Callable[[], object]], None]
    later: Callable[[float, Callable[[], object]], None]  # (seconds, work)
    show_cell: Callable[[str], None]

    def button(self, label: str, pressed: Callable[[], object], tooltip: str = "") -> W.Button:
        """A button as wide as its words. Labels are text: ipywidgets sets them as text nodes."""
        layout = W.Layout(width="auto", height="auto", min_height="26px")
        tip = tooltip or words.clip(label, 300)
        made = W.Button(description=words.clip(label, 100), tooltip=tip, layout=layout)
        made.add_class("ig-button")
        made.on_click(lambda _: self.post(pressed))
        return made


def html_widget(body: str) -> W.HTML:
    """A widget for a fragment, whose outside text is escaped already."""
    return W.HTML(body, layout=W.Layout(width="auto", margin="0"))


def row(children: Iterable[W.Widget], indent: bool = True) -> W.Box:
    """Widgets side by side that wrap where it is narrow; under the text of a card."""
    margin = "1px 0 1px 33px" if indent else "0"
    made = W.Box(list(children), layout=W.Layout(flex_flow="row wrap", align_items="center", margin=margin))
    made.add_class("ig-row")
    return made


class Field:
    """A line to type in. Enter calls `send` with the whole text; leaving the field does not."""

    def __init__(self, placeholder: str, send: Callable[[str], None], desk: Desk) -> None:
        # Not continuous: what is typed fast would still be on its way when Enter arrives.
        layout = W.Layout(flex="1 1 220px", max_width="520px")
        self.widget = W.Text(placeholder=placeholder, layout=layout, continuous_update=False)
        self._send = send
        self._desk = desk
        self._entered = False
        self.widget.on_msg(lambda _, content, __: desk.post(self._enter) if content.get("event") == "submit" else None)
        self.widget.observe(lambda _: desk.post(self._changed), "value")

    def _enter(self) -> None:
        # The text itself comes right after this message, unless it was sent before.
        self._entered = True
        self._desk.later(0.2, self._changed)

    def _changed(self) -> None:
        if self._entered:
            self.submit()

    def submit(self) -> None:
        """Send what is there."""
        self._entered = False
        self._send(self.widget.value.strip())


class Fold:
    """A button that opens and closes a body, which is made on the first opening."""

    def __init__(self, label: str, make: Callable[[], list[W.Widget]], desk: Desk, tooltip: str = "") -> None:
        self._label = label
        self._make: Callable[[], list[W.Widget]] | None = make
        self.button = desk.button(f"{label} ▸", self.turn, tooltip)
        self.button.add_class("ig-fold")
        self.body = W.VBox([], layout=W.Layout(display="none", width="auto"))
        self.opened = False

    def turn(self) -> None:
        """Open when closed, close when open."""
        self.set(not self.opened)

    def set(self, opened: bool) -> None:
        """Open or close."""
        if opened and self._make is not None:
            self.body.children = tuple(self._make())
            self._make = None
        self.opened = opened
        self.body.layout.display = "" if opened else "none"
        self.button.description = f"{self._label} {'▾' if opened else '▸'}"

"""Cards of the live dialog: widgets for one event each, which become still text when they are over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import ipywidgets as W

from ..events import Asked, Event, Explained, Failed, Option, Previewed, Progress, Step, Table, Wrote
from . import wording, words
from .controller import Controller
from .frames import search_view
from .html import code_block, details, escape, fragment, paragraphs, settled_preview
from .script_cells import Placed, cell_source

__all__ = ["Act", "Card", "PlaceCard", "ProgressRow", "make_card"]

Later = Callable[[float, Callable[[], None]], None]  # (seconds, work)
# Calls the session; shows in the card what it refuses. Returns whether it was taken.
Act = Callable[[Callable[[], None], Callable[[str], None]], bool]

AUTO = {"width": "auto", "height": "auto", "min_height": "26px"}


def button(label: str, pressed: Callable[[], None], *, primary: bool = False, tooltip: str = "") -> W.Button:
    """A button as wide as its words. Labels are text: ipywidgets sets them as text nodes."""
    made = W.Button(
        description=words.clip(label, 100), tooltip=tooltip or words.clip(label, 300), layout=W.Layout(**AUTO)
    )
    made.button_style = "primary" if primary else ""
    made.add_class("ig-button")
    made.on_click(lambda _: pressed())
    return made


def html_widget(body: str) -> W.HTML:
    """A widget for a fragment, whose outside text is escaped already."""
    return W.HTML(body, layout=W.Layout(width="auto", margin="0"))


class Field:
    """A line to type in. Enter calls `send` with the whole text; leaving the field does not."""

    def __init__(self, placeholder: str, send: Callable[[str], None], later: Later) -> None:
        # Not continuous: what is typed fast would still be on its way when Enter arrives.
        layout = W.Layout(flex="1 1 220px", max_width="520px")
        self.widget = W.Text(placeholder=placeholder, layout=layout, continuous_update=False)
        self._send = send
        self._later = later
        self._entered = False
        self.widget.on_msg(lambda _, content, __: self._enter() if content.get("event") == "submit" else None)
        self.widget.observe(lambda _: self.submit() if self._entered else None, "value")

    def _enter(self) -> None:
        # The text itself comes right after this message, unless it was sent before.
        self._entered = True
        self._later(0.2, lambda: self.submit() if self._entered else None)

    def submit(self) -> None:
        """Send what is there."""
        self._entered = False
        self._send(self.widget.value.strip())


def row(children: Iterable[W.Widget], indent: bool = True) -> W.Box:
    """Widgets side by side that wrap where it is narrow; under the text of a card."""
    made = W.Box(
        list(children),
        layout=W.Layout(flex_flow="row wrap", align_items="center", margin="1px 0 1px 33px" if indent else "0"),
    )
    made.add_class("ig-row")
    return made


class Card:
    """An event that needs nothing from the user."""

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

    def fold(self) -> None:
        """Make room for a newer card."""


class _Waiting(Card):
    """A card with buttons. They are switched off as soon as one is pressed, and go when the card settles."""

    def __init__(self, event: Event, act: Act) -> None:
        super().__init__(event)
        self._act = act
        self._problem = html_widget("")
        self._controls: list[W.Widget] = []
        self._box = W.VBox([self.head], layout=W.Layout(width="auto"))
        self._box.add_class("ig-waiting")
        self.widget = self._box

    def _offer(self, *rows: W.Widget, controls: Iterable[W.Widget]) -> None:
        self._controls = list(controls)
        self._box.children = (self.head, *rows, self._problem)

    def _do(self, work: Callable[[], None]) -> None:
        for control in self._controls:
            control.disabled = True
        if not self._act(work, self._refused):
            for control in self._controls:
                control.disabled = False

    def _refused(self, sentence: str) -> None:
        self._problem.value = f'<div class="ig-problem" role="alert">{escape(sentence)}</div>'

    def settle(self) -> None:
        self._controls = []
        self._box.children = (self.head,)


class QuestionCard(_Waiting):
    """Options as buttons, an answer field for anything else."""

    def __init__(self, event: Asked, controller: Controller, act: Act, later: Later) -> None:
        super().__init__(event, act)
        self._controller = controller
        self.head.value = self._question(event)
        options, rows = _option_rows(event.options, self._answer)
        controls: list[W.Widget] = [*options]
        if event.free_text:
            field = Field("something else ..." if event.options else "your answer", self._typed, later)
            send = button("Answer", field.submit)
            rows.append(row([field.widget, send]))
            controls += [field.widget, send]
        self._offer(*rows, controls=controls)

    @staticmethod
    def _question(event: Asked) -> str:
        return fragment(Asked(event.question))

    def _typed(self, text: str) -> None:
        if text:
            self._answer(text)

    def _answer(self, text: str) -> None:
        self._do(lambda: self._controller.answer(text))


def _option_rows(options: Iterable[Option], answer: Callable[[str], None]) -> tuple[list[W.Button], list[W.Widget]]:
    buttons: list[W.Button] = []
    rows: list[W.Widget] = []
    for option in options:
        made = button(option.label, partial(answer, option.label))
        hint = html_widget(f'<span class="ig-detail">{escape(option.hint)}</span>')
        buttons.append(made)
        rows.append(row([made, hint] if option.hint else [made]))
    return buttons, rows


class FailureCard(_Waiting):
    """What happened, what it means for the data, what to do next; options as buttons."""

    def __init__(self, event: Failed, controller: Controller, act: Act) -> None:
        super().__init__(event, act)
        if not event.options:
            return
        self.head.value = fragment(replace(event, options=[]))

        def choose(label: str) -> None:
            again = label.strip().casefold() == "try again"
            self._do(controller.retry if again else lambda: controller.answer(label))

        buttons, rows = _option_rows(event.options, choose)
        self._offer(*rows, controls=buttons)


class PreviewCard(_Waiting):
    """Counts, differences, rejects; Approve and Reject for scripts that write, Yes and No for those that read."""

    def __init__(self, event: Previewed, controller: Controller, act: Act, later: Later) -> None:
        super().__init__(event, act)
        self._controller = controller
        self._preview = event
        self._why = Field("what should be different?", self._no, later)
        self._sheets = [_sheet(name, table) for name, table in _sheets(event)]
        if event.needs_decision:
            self._ask(later)
        else:
            self._box.children = (self.head, *self._sheets)

    def _ask(self, later: Later) -> None:
        event = self._preview
        if event.writes:
            yes = button(wording.approve_label(event), self._yes)
            no = button("Reject ...", self._open_reason)
            send = button("Reject", self._why.submit)
        else:
            yes = button("Yes", self._yes)
            no = button("No, because ...", self._open_reason)
            send = button("Send", self._why.submit)
        yes.add_class("ig-approve")
        # A click that was meant for what stood here before must not approve.
        yes.disabled = True
        later(0.4, lambda: setattr(yes, "disabled", yes not in self._controls))
        self._reason_row = row([self._why.widget, send])
        self._reason_row.layout.display = "none"
        self._offer(*self._sheets, row([no, yes]), self._reason_row, controls=[yes, no, self._why.widget, send])

    def _open_reason(self) -> None:
        self._reason_row.layout.display = ""
        self._why.widget.focus()

    def _yes(self) -> None:
        event = self._preview
        if event.writes:
            self._do(lambda: self._controller.approve(event.name, event.code))
        else:
            self._do(lambda: self._controller.confirm(event.name, True))

    def _no(self, why: str) -> None:
        event = self._preview
        if event.writes:
            self._do(lambda: self._controller.reject(event.name, why))
        else:
            self._do(lambda: self._controller.confirm(event.name, False, why))

    def settle(self) -> None:
        super().settle()
        self.head.value = settled_preview(self._preview)


def _sheets(event: Previewed) -> list[tuple[str, Table]]:
    """What is longer than its first lines: all differences and all rejected rows."""
    found = []
    for target in event.targets:
        for what, rows in (("differences", target.differences), ("rejected rows", target.rejects)):
            if len(rows) > 3:
                columns = list(dict.fromkeys(name for entry in rows for name in entry))
                name = f"{words.count(len(rows), what.removesuffix('s'))}, {wording.target_name(target)}"
                found.append((name, Table(name, columns, rows, len(rows))))
    return found


def _sheet(name: str, table: Table) -> W.Widget:
    fold = _Fold(f"Show {name}", lambda: [search_view(table)])
    return row([W.VBox([fold.button, fold.body], layout=W.Layout(width="100%", align_items="flex-start"))])


class _Fold:
    """A button that opens and closes what `make` makes, which is made on the first opening."""

    def __init__(self, label: str, make: Callable[[], list[W.Widget]], tooltip: str = "") -> None:
        self._label = label
        self._make: Callable[[], list[W.Widget]] | None = make
        self.button = button(f"{label} ▸", self.turn, tooltip=tooltip)
        self.button.add_class("ig-fold")
        self.body = W.VBox([], layout=W.Layout(display="none", width="auto"))
        self.opened = False

    def turn(self) -> None:
        self.set(not self.opened)

    def set(self, opened: bool) -> None:
        if opened and self._make is not None:
            self.body.children = tuple(self._make())
            self._make = None
        self.opened = opened
        self.body.layout.display = "" if opened else "none"
        self.button.description = f"{self._label} {'▾' if opened else '▸'}"


class StepCard(Card):
    """One line; what it looked at opens below it as real DataFrames, with the code that ran."""

    def __init__(self, event: Step) -> None:
        super().__init__(event)
        self._line = W.HBox([self.head], layout=W.Layout(align_items="flex-start"))
        self._line.add_class("ig-step-row")
        self._box = W.VBox([self._line], layout=W.Layout(width="auto"))
        self.widget = self._box
        self._fold: _Fold | None = None
        self.update(event)

    def update(self, event: Event) -> None:
        assert isinstance(event, Step)
        self.event = event
        self.head.value = fragment(replace(event, tables=[], code=""))
        if self._fold is None and (event.tables or event.code):
            rows = sum(table.count for table in event.tables)
            label = words.count(rows, "row") if event.tables else "code"
            names = words.join_words([table.name for table in event.tables]) or "the code that ran"
            self._fold = _Fold(label, lambda: self._content(event), tooltip=f"Show {words.clip(names, 200)}")
            self._line.children = (self.head, self._fold.button)
            self._fold.body.layout.margin = "0 0 0 33px"
            self._box.children = (self._line, self._fold.body)

    def unfold(self) -> None:
        """Show what was found, when that is the end of it."""
        if self._fold is not None and isinstance(self.event, Step) and self.event.tables:
            self._fold.set(True)

    @staticmethod
    def _content(event: Step) -> list[W.Widget]:
        made: list[W.Widget] = [search_view(table, "260px") for table in event.tables]
        if event.code:
            made.append(html_widget(details("The code that ran", code_block(event.code))))
        return made

    def fold(self) -> None:
        if self._fold is not None and self._fold.opened:
            self._fold.set(False)


class PlaceCard(Card):
    """A script version or its plan, and below it where its cell is; the script itself where none could be put in."""

    def __init__(self, event: Event, show_cell: Callable[[str], None]) -> None:
        super().__init__(event)
        self._show_cell = show_cell
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
            self._box.children = (self.head, html_widget(copyable(wrote, placed)))
        else:
            go = button("Go to the cell", lambda: self._show_cell(placed.cell_id))
            self._box.children = (self.head, row([html_widget(paragraphs(_WHERE[placed.how])), go]))


_WHERE = {
    "inserted": "It is in the cell below.",
    "replaced": "Its cell was brought up to date.",
    "beside": "You edited its cell, so that was left alone; this version is in a new cell.",
}


# Selecting and copying works on plain-http hosts too, where navigator.clipboard is missing.
_COPY = (
    "const p=this.parentNode.querySelector('pre'),s=getSelection();s.removeAllRanges();s.selectAllChildren(p);"
    "document.execCommand('copy');s.removeAllRanges();this.textContent='Copied';"
)


def copyable(event: Wrote, placed: Placed) -> str:
    """The script with a copy button, for front ends in which no cell can be inserted."""
    kept = f" It is also in the file <code>{escape(placed.path)}</code>." if placed.path else ""
    return (
        f'<div class="ig-under"><p>Copy this into a new cell and run it.{kept}</p>'
        f'<button type="button" class="ig-copy jupyter-button" onclick="{_COPY}">Copy</button>'
        f"{code_block(cell_source(event.name, event.code))}</div>"
    )


class ProgressRow:
    """A bar that follows the run, with Stop."""

    def __init__(self, stop: Callable[[], object]) -> None:
        self._html = html_widget("")
        self._stop = button("Stop", self._pressed)
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


def make_card(event: Event, controller: Controller, act: Act, later: Later, show_cell: Callable[[str], None]) -> Card:
    """The card for an event."""
    if isinstance(event, Asked):
        return QuestionCard(event, controller, act, later)
    if isinstance(event, Previewed):
        return PreviewCard(event, controller, act, later)
    if isinstance(event, Failed):
        return FailureCard(event, controller, act)
    if isinstance(event, Step):
        return StepCard(event)
    if isinstance(event, (Wrote, Explained)):
        return PlaceCard(event, show_cell)
    return Card(event)

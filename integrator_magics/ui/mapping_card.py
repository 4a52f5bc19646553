"""The mapping of a script as a table to edit: what is kept, what columns are called, which one is the key."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ipywidgets as W

from ..errors import IntegratorError
from ..events import Mapped, MappedField
from ..mapping import change_request
from . import words
from .desk import Desk, html_widget, row
from .html import escape, fragment, mapping_head
from .still_cards import Card

__all__ = ["MappingCard"]

_ADD = "add a field ..."


@dataclass
class _Line:
    entry: MappedField
    keep: W.Checkbox
    column: W.Text
    widget: W.Box


class MappingCard(Card):
    """Each line has a field that can be left out and a column that can be renamed. The change is asked of the agent."""

    def __init__(self, event: Mapped, desk: Desk) -> None:
        super().__init__(event)
        self._mapped = event
        self._desk = desk
        self._lines = [self._line(entry) for entry in event.fields]
        self._table = W.VBox([line.widget for line in self._lines], layout=W.Layout(max_height="340px", width="auto"))
        self._table.add_class("ig-mapping")
        self._key = W.Dropdown(layout=W.Layout(width="auto", max_width="240px"))
        self._key.add_class("ig-mapping-key")
        self._more = W.Dropdown(options=[_ADD, *event.more], value=_ADD, layout=W.Layout(width="auto"))
        self._more.observe(lambda change: desk.post(lambda: self._add(change["new"])), "value")
        self._change = desk.button("Change the script", self._ask)
        self._problem = html_widget("")
        self._offer_keys(next((entry.field for entry in event.fields if entry.is_key), ""))
        self._key.observe(lambda _: desk.post(self._edited), "value")
        key = [html_widget('<span class="ig-detail">known rows are recognised by</span>'), self._key]
        foot = [*(key if self._key.options else []), *([self._more] if event.more else []), self._change]
        self.head.value = mapping_head(event)
        self._box = W.VBox([self.head, self._table, row(foot), self._problem], layout=W.Layout(width="auto"))
        self.widget = self._box
        self._edited()

    def retire(self) -> None:
        """A newer version took this one's place: a plain table, which opens."""
        self.head.value = fragment(self._mapped)
        self._box.children = (self.head,)

    def _line(self, entry: MappedField) -> _Line:
        told = ", ".join(filter(None, (entry.label if entry.label != entry.field else "", entry.type)))
        keep = W.Checkbox(value=True, indent=False, layout=W.Layout(width="22px"), tooltip=f"take {entry.field}")
        name = html_widget(f'{escape(entry.field)} <span class="ig-detail">{escape(words.clip(told, 60))}</span>')
        name.add_class("ig-mapping-field")
        column = W.Text(value=entry.column, layout=W.Layout(width="200px"), continuous_update=True)
        arrow = html_widget('<span class="ig-detail" aria-label="goes into">→</span>')
        widget = W.HBox([keep, name, arrow, column], layout=W.Layout(align_items="center", width="auto"))
        for control in (keep, column):
            control.observe(lambda _: self._desk.post(self._edited), "value")
        return _Line(entry, keep, column, widget)

    def _add(self, field: str) -> None:
        if field == _ADD:
            return
        self._lines.append(self._line(MappedField(field, field.rpartition(".")[2].lower())))
        self._table.children = tuple(line.widget for line in self._lines)
        self._more.options = [option for option in self._more.options if option != field]
        self._more.value = _ADD
        self._offer_keys(self._key.value or "")
        self._edited()

    def _offer_keys(self, chosen: str) -> None:
        if any(entry.is_key for entry in self._mapped.fields):
            self._key.options = [line.entry.field for line in self._lines]
            self._key.value = chosen

    def _result(self) -> list[MappedField]:
        return [
            replace(line.entry, column=line.column.value.strip(), is_key=line.entry.field == self._key.value)
            for line in self._lines
            if line.keep.value
        ]

    def _edited(self) -> None:
        for line in self._lines:
            line.column.disabled = not line.keep.value
        try:
            self._change.disabled = not change_request(self._mapped, self._result())
            self._refused("")
        except IntegratorError as exc:
            self._change.disabled = True
            self._refused(str(exc))

    def _refused(self, sentence: str) -> None:
        self._problem.value = f'<div class="ig-problem" role="alert">{escape(sentence)}</div>' if sentence else ""

    def _ask(self) -> None:
        request = change_request(self._mapped, self._result())
        self._change.disabled = True
        if not self._desk.act(lambda: self._desk.controller.change(request), self._refused):
            self._change.disabled = False

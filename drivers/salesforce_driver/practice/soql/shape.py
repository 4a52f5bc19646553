"""Rows as the JSON that Salesforce answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ..schema import Object, Schema
from .operands import Operand, Row, Rows, Step

__all__ = ["Node", "json_value"]


def json_value(value: Any) -> Any:
    """A stored value as JSON: 2024-09-24T03:26:07.000+0000 for a datetime."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}+0000"
    return value.isoformat() if isinstance(value, date) else value


@dataclass
class Node:
    """What is shown of one record: its own fields, its parents, its lists of children, in the order asked for."""

    object: Object
    data: Rows
    items: list[tuple[str, Callable[[Row, str], Any]]] = field(default_factory=list)
    parents: dict[str, Node] = field(default_factory=dict)

    def add(self, operand: Operand) -> None:
        """Show a field of this record or of a parent."""
        assert operand.field is not None
        node = self
        for step in operand.steps:
            node = node._parent(step)
        read = operand.own
        node.items.append((operand.field.name, lambda row, base: json_value(read(row))))

    def add_list(self, name: str, render: Callable[[Row, str], Any]) -> None:
        """Show a list of children."""
        self.items.append((name, render))

    def render(self, row: Row, base: str) -> dict[str, Any]:
        """One record; `base` is /services/data/vNN.0."""
        name = self.object.name
        kind = _object_name(self.data.schema, row) if name == "Name" else name
        shown: dict[str, Any] = {"attributes": {"type": name, "url": f"{base}/sobjects/{kind}/{row['Id']}"}}
        for key, read in self.items:
            shown[key] = read(row, base)
        return shown

    def _parent(self, step: Step) -> Node:
        name = step.reference.relationship or ""
        if name not in self.parents:
            node = self.parents[name] = Node(step.target, self.data)

            def render(row: Row, base: str) -> Any:
                parent_id = step.parent_id(row)
                parent = self.data.row(parent_id) if parent_id else None
                return None if parent is None else node.render(parent, base)

            self.items.append((name, render))
        return self.parents[name]


def _object_name(schema: Schema, row: Row) -> str:
    found = schema.by_prefix(row["Id"])
    return found.name if found else "Name"

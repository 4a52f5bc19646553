"""Values of outside systems on their way to a model or into the stored dialog: plain, and masked where personal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..credentials import mask
from .workspace import Workspace

__all__ = ["fill", "masked", "plain"]

_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PERSONAL = {"type": "text", "personal": True}


def plain(data: Any) -> Any:
    """The same as JSON has it; dates and the like become text."""
    return json.loads(json.dumps(data, default=_text, ensure_ascii=False))


def masked(
    workspace: Workspace, rows: Iterable[Mapping[str, Any]], objects: Iterable[tuple[str, str]] = ()
) -> list[dict[str, Any]]:
    """Plain rows. Values of personal fields and e-mail addresses are masked unless the user allows them.

    A column is personal when it is called like a personal field of one of `objects` (of all that were seen, without
    any); one under a parent, such as Campaign.Name, when that parent has such a personal field.
    """
    entries: list[dict[str, Any]] = plain([dict(row) for row in rows])
    if workspace.settings.personal_values:
        return entries
    personal = workspace.personal_fields(objects)

    def field(column: str) -> Mapping[str, Any]:
        parent, _, name = column.rpartition(".")
        if not parent:
            return personal.get(name.casefold(), {})
        owners = [key for key in workspace.schemas if key[1].casefold() == parent.rpartition(".")[2].casefold()]
        return workspace.personal_fields(owners).get(name.casefold(), {}) if owners else {}

    by_column = {column: field(column) for row in entries for column in row}
    return [{column: _masked(value, by_column[column]) for column, value in row.items()} for row in entries]


def fill(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Share of rows that have a value, by field."""
    return {key: sum(row.get(key) not in (None, "") for row in rows) / len(rows) for key in (rows[0] if rows else {})}


def _masked(value: Any, field: Mapping[str, Any]) -> Any:
    if field.get("personal"):
        return mask(value, field)
    if isinstance(value, str) and "@" in value:
        return _EMAIL.sub(lambda match: str(mask(match[0], _PERSONAL)), value)
    if isinstance(value, dict):
        return {key: _masked(entry, {}) for key, entry in value.items()}
    if isinstance(value, list):
        return [_masked(entry, {}) for entry in value]
    return value


def _text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value):,} bytes"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

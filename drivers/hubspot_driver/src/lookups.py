"""Finding records by key: through batch read where the key is unique, through search elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from integrator_drivers.errors import ValidationError

from .connection import Connection
from .fields import RECORD_ID, is_unique
from .reading import MOST_FOUND, plan, rows_of
from .shapes import Shapes
from .values import matching_key

__all__ = ["find", "keyed_by", "normal"]

OTHER_EMAILS = "hs_additional_emails"


def keyed_by(shapes: Shapes, obj: str, key: str) -> str:
    """How HubSpot finds records by this field: "id", "unique" (exactly, at once) or "search"."""
    if key == "id":
        return "id"
    raw = next(entry for entry in shapes.properties(obj) if entry["name"] == key)
    return "unique" if is_unique(raw, shapes.kind(obj).name) else "search"


def normal(shapes: Shapes, obj: str, key: str) -> Callable[[Any], str]:
    """Equal for values that HubSpot takes for the same key; a search does not tell capitals from small letters."""
    if keyed_by(shapes, obj, key) == "search":
        return lambda value: matching_key(value, key).casefold()
    return lambda value: matching_key(value, key)


def find(
    connection: Connection, shapes: Shapes, obj: str, key: str, values: Sequence[Any], properties: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """HubSpot's records by matching key: {matching key: [{id, properties}]}, of several the oldest first."""
    kind = shapes.kind(obj)
    same = normal(shapes, kind.name, key)
    keys = list(dict.fromkeys(same(value) for value in values if value is not None))
    wanted = list(dict.fromkeys([*properties, *([] if key == "id" else [key])]))
    how = keyed_by(shapes, kind.name, key)
    found: dict[str, list[dict[str, Any]]] = {}
    if how == "id":
        for raw in connection.batch_read(kind.path, [one for one in keys if one.isdigit()], wanted or [RECORD_ID]):
            found.setdefault(str(raw["id"]), []).append(raw)
    elif how == "unique":
        _unique(connection, shapes, kind.name, key, [one for one in keys if one], wanted, found)
    else:
        for raw in _searched(connection, shapes, kind.name, key, [one for one in keys if one], wanted):
            found.setdefault(same(raw["properties"].get(key) or ""), []).append(raw)
    return found


def _unique(
    connection: Connection,
    shapes: Shapes,
    obj: str,
    key: str,
    keys: list[str],
    wanted: list[str],
    found: dict[str, list[dict[str, Any]]],
) -> None:
    """By a unique property. A contact is also found by an e-mail address that is not its first one."""
    kind = shapes.kind(obj)
    with_others = key == "email" and any(raw["name"] == OTHER_EMAILS for raw in shapes.properties(obj))
    asked = [*wanted, OTHER_EMAILS] if with_others else wanted
    known = set(keys)
    for raw in connection.batch_read(kind.path, keys, asked, key):
        held = [raw["properties"].get(key) or ""]
        if with_others:
            held += (raw["properties"].get(OTHER_EMAILS) or "").split(";")
        for one in dict.fromkeys(matching_key(value, key) for value in held):
            if one in known:
                found.setdefault(one, []).append(raw)


def _searched(
    connection: Connection, shapes: Shapes, obj: str, key: str, keys: list[str], wanted: list[str]
) -> Iterator[dict[str, Any]]:
    if not keys:
        return
    raws = {raw["name"]: raw for raw in shapes.properties(obj)}
    if raws[key]["type"] in ("datetime", "json") or len(keys) > MOST_FOUND:
        raise ValidationError(f"{obj} can't be found by {key}. Use id, or a property with unique values.")
    question = plan(shapes, obj, ["id", *wanted], [(key, "in", keys)])
    for row in rows_of(connection, _as_text(question)):
        yield {"id": row["id"], "properties": {name: row[name] for name in wanted}}


def _as_text(question: Any) -> Any:
    """The same question, its values as HubSpot's own text."""
    from dataclasses import replace

    columns = {name: (key, {**entry, "type": "text"}) for name, (key, entry) in question.columns.items()}
    return replace(question, columns=columns)

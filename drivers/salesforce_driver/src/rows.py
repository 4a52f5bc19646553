"""From Salesforce's nested JSON to flat rows: dotted names, no `attributes`, times as aware datetimes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from integrator_drivers import Field, Record

__all__ = ["flat", "moment", "plain", "reader"]


def reader(columns: Mapping[str, tuple[str, Field]]) -> Callable[[Mapping[str, Any]], Record]:
    """A function that makes one row. `columns` is name -> (path, field); a path leads through parents."""
    steps = [(name, tuple(path.split(".")), CONVERTERS.get(field["type"])) for name, (path, field) in columns.items()]
    if all(len(path) == 1 for _, path, _ in steps):
        simple = [(name, path[0], convert) for name, path, convert in steps]
        return lambda raw: {
            name: raw[key] if convert is None or raw[key] is None else convert(raw[key])
            for name, key, convert in simple
        }
    return lambda raw: {name: _dig(raw, path, convert) for name, path, convert in steps}


def moment(text: str) -> datetime:
    """2024-09-24T03:26:07.000+0000 as an aware datetime in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def plain(value: Any) -> Any:
    """Nested JSON without Salesforce's bookkeeping; a child list becomes the list of its records."""
    if isinstance(value, Mapping):
        if "records" in value and "done" in value:
            return [flat(row) for row in value["records"]]
        return {name: plain(inner) for name, inner in value.items() if name != "attributes"}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "datetime": moment,
    "date": date.fromisoformat,
    "json": plain,
    "integer": int,
}


def flat(raw: Mapping[str, Any], prefix: str = "") -> Record:
    """One record of a free query: parents flattened to dotted names, child lists as JSON."""
    row: Record = {}
    for name, value in raw.items():
        if name == "attributes":
            continue
        if isinstance(value, Mapping) and "attributes" in value:
            row |= flat(value, f"{prefix}{name}.")
        else:
            row[prefix + name] = plain(value)
    return row


def _dig(raw: Any, path: tuple[str, ...], convert: Callable[[Any], Any] | None) -> Any:
    for name in path:
        if raw is None:
            return None
        raw = raw[name]
    return raw if convert is None or raw is None else convert(raw)

"""From Salesforce's nested JSON to flat rows: dotted names, no `attributes`, times as aware datetimes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from integrator_drivers import Field, Record
from integrator_drivers.records import Row, row_of

__all__ = ["cells_reader", "cells_row", "converted", "flat", "moment", "page_reader", "plain", "reader"]


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


def cells_reader(
    columns: Mapping[str, tuple[str, Field]],
    paths: Sequence[str],
    parts: Mapping[str, Mapping[str, tuple[str, Field]]] = {},
) -> Callable[[Sequence[str]], Record]:
    """A function that makes the same row of CSV cells, which are in the order of `paths`.

    `parts` says of which paths a compound value is put together: path -> key in the value -> (path, field).
    """
    place = {path: position for position, path in enumerate(paths)}

    def cell(path: str, field: Field) -> Callable[[Sequence[str]], Any]:
        at, change = place[path], CELLS.get(field["type"])
        if change is None:
            return lambda cells: cells[at] or None
        return lambda cells: change(cells[at]) if cells[at] else None

    def compound(of: Mapping[str, tuple[str, Field]]) -> Callable[[Sequence[str]], Any]:
        each = [(key, cell(path, field)) for key, (path, field) in of.items()]

        def read(cells: Sequence[str]) -> dict[str, Any] | None:
            value = {key: get(cells) for key, get in each}
            return value if any(part is not None for part in value.values()) else None

        return read

    steps = [
        (name, compound(parts[path]) if path in parts else cell(path, field)) for name, (path, field) in columns.items()
    ]
    return lambda cells: {name: get(cells) for name, get in steps}


def page_reader(columns: Mapping[str, tuple[str, Field]]) -> Callable[[bytes], dict[str, Any]] | None:
    """A function that reads a page of JSON with its records as tuples, times as the text they are.

    None where a column leads through a parent or is no plain value.
    """
    paths = [path for path, _ in columns.values()]
    if any("." in path for path in paths) or any(field["type"] == "json" for _, field in columns.values()):
        return None
    own = {path: f"f{number}" for number, path in enumerate(dict.fromkeys(paths))}
    record = msgspec.defstruct(
        "Record", [(name, Any) for name in own.values()], rename={name: path for path, name in own.items()}, gc=False
    )
    decoder = msgspec.json.Decoder(
        msgspec.defstruct(
            "Page",
            [("totalSize", int), ("done", bool), ("records", list[record]), ("nextRecordsUrl", str, "")],  # type: ignore[valid-type]
        )
    )
    places = [list(own).index(path) for path in paths]
    pick = None if places == list(range(len(own))) else row_of(places)

    def read(data: bytes) -> dict[str, Any]:
        page = msgspec.structs.asdict(decoder.decode(data))
        tuples = map(msgspec.structs.astuple, page["records"])
        page["records"] = list(tuples if pick is None else map(pick, tuples))
        return page

    return read


def cells_row(columns: Mapping[str, tuple[str, Field]], paths: Sequence[str]) -> Callable[[Sequence[str]], Row] | None:
    """A function that makes a tuple of CSV cells, times as text; None where a column is put together of several."""
    place = {path: position for position, path in enumerate(paths)}
    if any(path not in place for path, _ in columns.values()):
        return None
    kept = ("date", "datetime")
    steps = [
        (place[path], None if field["type"] in kept else CELLS.get(field["type"])) for path, field in columns.values()
    ]
    return lambda cells: tuple(
        [(cells[at] or None) if change is None or not cells[at] else change(cells[at]) for at, change in steps]
    )


def moment(text: str) -> datetime:
    """2024-09-24T03:26:07.000+0000 as an aware datetime in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def converted(value: Any, field: Field) -> Any:
    """One JSON value as this field holds it."""
    change = CONVERTERS.get(field["type"])
    return value if change is None or value is None else change(value)


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


def number(text: str) -> int | float:
    """A number as JSON would have given it."""
    return int(text) if text.lstrip("-").isdigit() else float(text)


CELLS: dict[str, Callable[[str], Any]] = {
    "datetime": moment,
    "date": date.fromisoformat,
    "integer": lambda text: int(number(text)),
    "number": number,
    "boolean": lambda text: text == "true",
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

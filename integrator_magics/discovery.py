"""What `%discover` and `integrator discover` show: the objects of a system, or the field dictionary of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrator_drivers import registry

from .events import Table

if TYPE_CHECKING:
    from .credentials import Credentials
    from .sandbox import Runner

__all__ = ["field_rows", "fields", "objects", "objects_table"]

SAMPLE_MAX = 200


def objects(runner: Runner, system: str) -> dict[str, Any]:
    """{system, objects: [{name, label, purpose, records, fields}]}, most used first where the system says so."""
    name = registry.resolve(system)
    return {"system": name, "objects": [_plain(entry) for entry in runner.call(name, "describe_objects")]}


def fields(
    runner: Runner, credentials: Credentials, system: str, obj: str, sample: int = 0, *, masked: bool = True
) -> dict[str, Any]:
    """{system, object, fields: [{name, type, nullable, ...}], sample: [rows]}.

    With `sample`, each field has `fill` (share of rows with a value) and `example`, personal values masked.
    """
    from .credentials import mask

    name = registry.resolve(system)
    known: dict[str, dict[str, Any]] = runner.call(name, "get_fields", obj)
    rows: list[dict[str, Any]] = runner.call(name, "sample", obj, min(sample, SAMPLE_MAX)) if sample else []
    if masked:
        rows = [{key: mask(value, known.get(key, {})) for key, value in row.items()} for row in rows]
    entries = []
    for field_name, field in known.items():
        entry = {"name": field_name, **field}
        if rows:
            values = [row.get(field_name) for row in rows]
            filled = [value for value in values if value not in (None, "")]
            entry["fill"] = len(filled) / len(rows)
            entry["example"] = filled[0] if filled else None
        entries.append(entry)
    return {"system": name, "object": obj, "fields": entries, "sample": rows}


def objects_table(found: dict[str, Any]) -> Table:
    """The objects of a system as a table."""
    columns = ["name", "label", "purpose", "records", "fields"]
    rows = [{column: entry.get(column) for column in columns} for entry in found["objects"]]
    return Table(found["system"], columns, rows, len(rows))


def field_rows(found: dict[str, Any]) -> Table:
    """The field dictionary of an object as a table for people."""
    sampled = bool(found["sample"])
    columns = ["field", "label", "type", "empty?", "key", "choices", "refers to", *(["filled", "example"] * sampled)]
    rows = []
    for field in found["fields"]:
        row = {
            "field": field["name"],
            "label": field.get("label", ""),
            "type": field["type"],
            "empty?": "may be empty" if field.get("nullable") else "",
            "key": "key" if field.get("primary_key") else "",
            "choices": ", ".join(map(str, field.get("choices", []))),
            "refers to": ", ".join(field.get("references", [])),
        }
        if sampled:
            row |= {"filled": f"{field['fill']:.0%}", "example": field["example"]}
        rows.append(row)
    return Table(f"{found['system']}.{found['object']}", columns, rows, len(rows))


def _plain(entry: Any) -> dict[str, Any]:
    return dict(entry) if isinstance(entry, dict) else dict(vars(entry))

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
SHOWN_CHOICES = 6


def objects(runner: Runner, system: str) -> dict[str, Any]:
    """{system, objects: [{name, label, purpose, records, fields}]}, most records first where they are known."""
    name = registry.resolve(system)
    found = [_plain(entry) for entry in runner.call(name, "describe_objects")]
    found.sort(key=lambda entry: -1 if entry.get("records") is None else entry["records"], reverse=True)
    return {"system": name, "objects": found}


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
    columns = ["field", "label", "type", *(["filled", "example"] * sampled), "empty?", "key", "choices", "refers to"]
    rows = []
    for field in found["fields"]:
        row = {
            "field": field["name"],
            "label": field.get("label", ""),
            "type": field["type"],
            "empty?": "may be empty" if field.get("nullable") else "",
            "key": "key" if field.get("primary_key") else "",
            "choices": _choices([str(choice) for choice in field.get("choices") or []]),
            "refers to": ", ".join(field.get("references", [])),
        }
        if sampled:
            row |= {"filled": _percent(field["fill"]), "example": field["example"]}
        rows.append(row)
    return Table(f"{found['system']}.{found['object']}", columns, rows, len(rows))


def _choices(choices: list[str]) -> str:
    more = f" and {len(choices) - SHOWN_CHOICES} more" if len(choices) > SHOWN_CHOICES else ""
    return ", ".join(choices[:SHOWN_CHOICES]) + more


def _percent(share: float) -> str:
    """99.6 % is not "100 %", and 0.4 % is not "0 %"."""
    shown = min(max(round(share * 100), 1), 99) if 0 < share < 1 else round(share * 100)
    return f"{shown} %"


def _plain(entry: Any) -> dict[str, Any]:
    return dict(entry) if isinstance(entry, dict) else dict(vars(entry))

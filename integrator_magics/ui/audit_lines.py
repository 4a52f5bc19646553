"""The newest audit records as sentences of a few words, for the side panel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import words
from .wording import system_label

__all__ = ["newest"]

_CALLS = {
    "check": "checked the login to {system}",
    "list_objects": "looked at what is in {system}",
    "describe_objects": "looked at what is in {system}",
    "get_fields": "looked at the fields of {object} in {system}",
    "sample": "looked at records of {object} in {system}",
}


def newest(records: Iterable[Mapping[str, Any]], count: int = 10) -> list[dict[str, Any]]:
    """The last `count` things that happened, newest first: {n, at, what, person}. A start and its end are one thing."""
    found: list[dict[str, Any]] = []
    ended: set[Any] = set()
    for record in reversed(list(records)):
        if record.get("phase") == "after":
            ended.add(record.get("of"))
        elif record.get("phase") == "before" and record.get("n") in ended:
            continue
        if _told_elsewhere(record):
            continue
        line = {
            "n": record.get("n"),
            "at": words.clock(str(record.get("at", ""))),
            "what": words.clip(_what(record), 120),
            "person": words.clip(record.get("person", ""), 40),
        }
        found.append(line)
        if len(found) == count:
            break
    return found


def _told_elsewhere(record: Mapping[str, Any]) -> bool:
    """A login that worked, before each act; a run that went well, which its preview or receipt tells."""
    routine = record.get("method") == "check" or record.get("event") in ("preview", "run")
    return routine and record.get("phase") == "after" and record.get("outcome") == "ok"


def _what(record: Mapping[str, Any]) -> str:
    event, name = str(record.get("event", "")), record.get("name", "")
    said = {
        "prompt": f"asked: {record.get('text', '')}",
        "answer": f"answered: {record.get('text', '')}",
        "cancel": f"stopped {name or 'the dialog'}",
        "connect": f"filled in the login to {system_label(str(record.get('system', '')))}",
        "load": f"read the documents of {system_label(str(record.get('system', '')))}",
        "script": ", ".join(
            [str(name), *([f"version {record['version']}"] if record.get("version") else []), "written"]
        ),
        "preview": f"{name} previewed",
        "run": f"{name} run",
        "export": f"{name} exported",
    }
    if event == "discovery":
        what = _discovery(record)
    elif event == "decision":
        what = f"{name} {'approved' if record.get('approved') else 'rejected'}"
    elif event == "receipt":
        what = f"{name}: {words.count(_written(record), 'row')} written"
    else:
        what = said.get(event) or f"{event} {name}".strip()
    outcome = str(record.get("outcome") or "ok")
    if record.get("phase") == "refused":
        return f"{what}: refused"
    return what if outcome == "ok" else f"{what}: {outcome}"


def _discovery(record: Mapping[str, Any]) -> str:
    if not record.get("method"):
        return str(record.get("purpose") or "read-only code run")
    known = _CALLS.get(str(record["method"]), "asked {system}: {method}")
    system = system_label(str(record.get("system", "")))
    return known.format(system=system, object=record.get("object", ""), method=record["method"])


def _written(record: Mapping[str, Any]) -> int:
    return sum(int(entry.get("add") or 0) + int(entry.get("update") or 0) for entry in record.get("counts") or [])

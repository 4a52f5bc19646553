"""How the parser does on sentences it was never tuned on."""

from __future__ import annotations

from datetime import date
from typing import Any

import held_out
from guided_worlds import invented

from integrator_magics.agent.guided.changes import read_changes
from integrator_magics.agent.guided.lexicon import Lexicon
from integrator_magics.agent.guided.parse import parse
from integrator_magics.agent.guided.schedules import find_schedule
from integrator_magics.agent.guided.windows import find_window

TODAY = date(2026, 11, 21)
LEXICON = Lexicon.of(entry.facts() for entry in invented().values())


def _request(text: str) -> dict[str, Any]:
    found = parse(text, LEXICON, TODAY)
    return {
        "kind": found.kind,
        "source": found.source,
        "target": found.target,
        "subject": found.subject,
        "fields": (*found.fields, *found.withs),
        "formats": tuple(wish.format for wish in found.files),
        "window": found.window.short()[0] if found.window else None,
        "cron": found.schedule.cron if found.schedule else None,
        "conditions": found.conditions,
        "limit": found.limit,
        "table": found.table,
        "key": found.key,
        "group": found.group,
        "unknown": found.unknown_system,
    }


def results() -> list[tuple[str, bool, str]]:
    """Sentence, whether it was understood, and what was made of it."""
    found: list[tuple[str, bool, str]] = []
    for text, start, end in held_out.WINDOWS:
        window = find_window(text, TODAY)
        bounds = window.short() if window else (None, None)
        found.append((text, bounds == (start, end), str(bounds)))
    for text, cron in held_out.SCHEDULES:
        schedule = find_schedule(text)
        found.append((text, bool(schedule) and schedule.cron == cron, schedule.cron if schedule else "none"))
    for text, wanted in held_out.REQUESTS:
        made = _request(text)
        off = {key: made[key] for key, value in wanted.items() if made[key] != value}
        found.append((text, not off, str(off)))
    for text, op, values in held_out.CHANGES:
        changes = read_changes(text, LEXICON, TODAY)
        said = [(change.op, tuple(_plain(value) for value in change.values)) for change in changes]
        found.append((text, (op, values) in said, str(said)))
    return found


def _plain(value: Any) -> Any:
    if hasattr(value, "short"):
        return value.short()[0]
    if hasattr(value, "format"):
        return value.format if not isinstance(value, str) else value
    return value.cron if hasattr(value, "cron") else value


def test_most_sentences_never_seen_before_are_understood() -> None:
    found = results()
    missed = [f"{text!r}: {made}" for text, right, made in found if not right]
    assert len(missed) <= 0.2 * len(found), "\n".join(missed)

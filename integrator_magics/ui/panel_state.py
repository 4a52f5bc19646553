"""Where a notebook stands, as plain data for the side panel and the badges (shape: labextension/src/protocol.ts)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from integrator_drivers import registry

from ..events import Failed, Opened, Step, Usage
from ..session import DIALOG, run_channel
from . import wording, words
from .audit_lines import newest
from .story import Story

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["Seen", "running", "standing"]

State = dict[str, Any]


@dataclass
class Seen:
    """What was heard from the session so far, and in which cells."""

    stories: dict[str, Story] = field(default_factory=dict)  # by channel
    last_runs: dict[str, str] = field(default_factory=dict)  # script -> ISO time
    log: State = field(default_factory=lambda: {"records": 0, "whole": True, "words": ""})


def standing(session: Session, seen: Seen, cell_of: Callable[[str], str]) -> State:
    """Everything at once; blocks for some milliseconds. `cell_of(channel)` is the cell that shows it, or ""."""
    tail = session.audit.tail(60)
    records = max([seen.log["records"], *(int(record["n"]) for record in tail[-1:])])
    return {
        "waiting": _waiting(session, seen, cell_of),
        "running": running(session, seen, cell_of),
        "systems": _systems(session),
        "scripts": _scripts(session, seen, cell_of),
        "audit": {**seen.log, "records": records, "newest": newest(tail)},
        "cost": _cost(session),
    }


def _systems(session: Session) -> list[State]:
    """Connected ones first. `state` is practice, ready or missing; `ready` = all variables are there."""
    found = []
    for entry in registry.manifests().values():
        state = session.credentials.state(entry)
        kind = "practice" if state.practice else "ready" if state.connected else "missing"
        needs = f"needs {words.join_words(state.missing)}" if state.missing else ""
        found.append({"name": entry.name, "label": entry.label, "state": kind, "needs": needs})
    return sorted(found, key=lambda system: (system["state"] == "missing", system["label"].lower()))


def _waiting(session: Session, seen: Seen, cell_of: Callable[[str], str]) -> list[State]:
    found = []
    if session.dialog.state == "asking" and not session.busy:
        cell = cell_of(DIALOG)
        hint = "" if cell else "Run the cell of the dialog again to answer."
        found.append(_item("question", words.clip(session.dialog.question, 300), hint, cell, ""))
    integrations = session.made_integrations
    for name in integrations.waiting_names() if integrations else []:
        if name in session.running:
            continue
        preview = integrations.waiting(name) if integrations else None
        if preview is None:
            continue
        title = wording.write_question(preview) if preview.writes else f"{name}: does this look right?"
        until = f"{name}, until {words.clock(preview.expires)}" if preview.expires else name
        found.append(_item("approval", title, until if preview.writes else "", cell_of(run_channel(name)), name))
    for channel, story in list(seen.stories.items()):
        name = channel.partition(":")[2]
        if name and name not in session.running and isinstance(story.waiting, Failed):
            found.append(_item("failure", words.clip(story.waiting.what, 300), name, cell_of(channel), name))
    return found


def _item(kind: str, title: str, detail: str, cell: str, name: str) -> State:
    return {"kind": kind, "title": title, "detail": detail, "cell": cell, "name": name}


def running(session: Session, seen: Seen, cell_of: Callable[[str], str]) -> list[State]:
    """Only what is under way: this changes with every row."""
    found = []
    channels = [run_channel(name) for name in session.running]
    if session.busy:
        channels.insert(0, DIALOG)
    for channel in channels:
        story = seen.stories.get(channel, Story())
        progress = story.progress
        last = next((e for e in reversed(story.entries) if isinstance(e, Step) and e.state == "running"), None)
        if progress:
            detail = wording.progress_line(progress)
        else:
            detail = words.clip(f"{last.title}  {last.detail}".strip(), 120) if last else ""
        found.append(
            {
                "name": channel.partition(":")[2],  # "" is the dialog
                "detail": detail,
                "done": progress.done if progress else None,
                "total": progress.total if progress else None,
                "cell": cell_of(channel),
            }
        )
    return found


def _scripts(session: Session, seen: Seen, cell_of: Callable[[str], str]) -> list[State]:
    """Each script; `versions` maps the hash of a body to approved, waiting or new."""
    found = []
    integrations = session.made_integrations
    pending = {name: integrations.waiting(name).sha256 for name in integrations.waiting_names()} if integrations else {}
    for name in session.store.names():
        versions = session.store.versions(name)
        states = {entry.sha256: "approved" if entry.approved_at else "new" for entry in versions}
        if name in pending:
            states[pending[name]] = "waiting"
        latest, approved = versions[-1], session.store.approved(name)
        found.append(
            {
                "name": name,
                "version": latest.number,
                "state": states[latest.sha256],
                "approved": approved is not None,
                "by": f"approved by {approved.approved_by}, {words.moment(approved.approved_at)}" if approved else "",
                "last_run": words.recently(seen.last_runs[name]) if name in seen.last_runs else "",
                "versions": states,
                "cell": cell_of(run_channel(name)),
            }
        )
    return found


def _cost(session: Session) -> State:
    """What the dialog used so far. Without a model there is nothing to pay, and that is said."""
    events: list[Any] = session.dialog.events
    usage = next((event for event in reversed(events) if isinstance(event, Usage)), None)
    opened = next((event for event in reversed(events) if isinstance(event, Opened)), None)
    line = wording.usage_line(usage) if usage else ""
    share = usage.usd / usage.ceiling if usage and usage.usd is not None and usage.ceiling else None
    ceiling = f"Ceiling: {words.money(session.settings.ceiling)} per dialog."
    return {
        "mode": words.clip(opened.mode, 80) if opened else "",
        "sandbox": words.clip(opened.sandbox, 80) if opened else "",
        "used": line,
        "share": share,
        "ceiling": ceiling,
    }

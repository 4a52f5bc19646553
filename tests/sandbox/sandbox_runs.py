"""One run in a back-end, and what is left behind on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from integrator_drivers import Mode
from integrator_magics.sandbox import Event, Limits, Outcome, RunSpec, Sandbox


def run_in(sandbox: Sandbox, code: str, *, on_event: Callable[[Event], None] | None = None, **spec: Any) -> Outcome:
    """One run from open to close; `files` of the outcome are names left in the folder."""
    limits = Limits(**spec.pop("limits", {}))
    session = sandbox.open(RunSpec(code=code, mode=spec.pop("mode", Mode.DISCOVERY), limits=limits, **spec))
    try:
        outcome = session.run(on_event or (lambda event: None))
        outcome.files = [
            {"path": str(path.relative_to(session.outputs))} for path in sorted(session.outputs.rglob("*"))
        ]
        return outcome
    finally:
        session.close()


def descendants() -> set[int]:
    """Processes below this one, as the kernel sees them now."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(path.parent.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def gone(marker: str, within: float = 2.0) -> bool:
    """Does no process on this machine carry `marker` in its command line or environment (any more)?"""
    deadline = time.monotonic() + within
    while True:
        if not _carriers(marker.encode()):
            return True
        if time.monotonic() > deadline:
            return False
        os.sched_yield()


def _carriers(marker: bytes) -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        for name in ("cmdline", "environ"):
            try:
                if marker in (folder / name).read_bytes():
                    found.append(str(folder))
            except OSError:
                continue
    return found

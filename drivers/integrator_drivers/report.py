"""What a running script tells the outside: one JSON object a line in the file named by INTEGRATOR_REPORT.

Results come out of a sandbox by this file and are never parsed from stdout. Kinds and their keys:

read      system, object, rows, fields
target    system, object, operation, columns, key, add, update, unchanged, reject, read, source_count, changes (DDL),
          differences [{key, column, old, new}], rejects [{record, reason}], reasons {reason: rows}; sent when the
          target is finished; from a sync also duplicates, repeated (keys), newest (field), deleted, cursor,
          watermark_before, watermark_after, failed (why it was not finished), stopped
progress  label, done, total (or null), rate (rows a second), seconds_left (or null); at most a few per second
table     name, columns, rows (first 20), count, chart (the column to draw as bars, or "")
file      path, rows, bytes, columns, first (rows, at most 20)
call      system, method, template, status, rows; one per request a driver makes
message   system, count, first (at most 5); a preview of sends
value     name, value (JSON); the answer of a discovery script
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["report", "report_target", "would_write"]

COUNTS = ("add", "update", "unchanged", "reject")
_lock = threading.Lock()
_reported: dict[tuple[str, str], Counter[str]] = {}  # (system, object) -> counts already reported in this process


def report(kind: str, **facts: Any) -> None:
    """Append one fact about this run; does nothing when nobody listens. Non-JSON values are written as text."""
    if kind == "target":
        with _lock:
            seen = _reported.setdefault((str(facts.get("system")), str(facts.get("object"))), Counter())
            seen.update({name: int(facts.get(name) or 0) for name in COUNTS})
    path = os.environ.get("INTEGRATOR_REPORT")
    if not path:
        return
    line = json.dumps({"kind": kind, **facts}, default=str, ensure_ascii=False)
    with _lock, Path(path).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def would_write() -> int | None:
    """Rows that the targets reported since the last call would add or change; None where none was reported."""
    with _lock:
        found = list(_reported.values())
        _reported.clear()
    return sum(counts["add"] + counts["update"] for counts in found) if found else None


def report_target(system: str, obj: str, operation: str, key: str, totals: Mapping[str, int], **facts: Any) -> None:
    """Report as `target` what a driver wrote itself: its totals less what a sync has reported for that object.

    A driver calls this when it closes, so that no write goes unreported, however a script made it.
    """
    with _lock:
        seen = _reported.setdefault((system, obj), Counter())
        told = {name: min(totals.get(name, 0), seen[name]) for name in COUNTS}
        seen.subtract(told)
    left = {name: totals.get(name, 0) - told[name] for name in COUNTS}
    if any(left.values()):
        rows = sum(left.values())
        report("target", system=system, object=obj, operation=operation, key=key, **left, read=rows, **facts)
        with _lock:
            _reported[(system, obj)].subtract(left)

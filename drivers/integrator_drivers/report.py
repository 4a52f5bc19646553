"""What a running script tells the outside: one JSON object a line in the file named by INTEGRATOR_REPORT.

Results come out of a sandbox by this file and are never parsed from stdout. Kinds and their keys:

read      system, object, rows, fields
target    system, object, operation, columns, key, add, update, unchanged, reject, read, source_count, changes (DDL),
          differences [{key, column, old, new}], rejects [{record, reason}]; sent when the target is finished
progress  label, done, total (or null); at most a few per second
table     name, columns, rows (first 20), count
file      path, rows, bytes
call      system, method, template, status, rows; one per request a driver makes
message   system, count, first (at most 5); a preview of sends
value     name, value (JSON); the answer of a discovery script
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

__all__ = ["report"]

_lock = threading.Lock()


def report(kind: str, **facts: Any) -> None:
    """Append one fact about this run; does nothing when nobody listens. Non-JSON values are written as text."""
    path = os.environ.get("INTEGRATOR_REPORT")
    if not path:
        return
    line = json.dumps({"kind": kind, **facts}, default=str, ensure_ascii=False)
    with _lock, Path(path).open("a", encoding="utf-8") as file:
        file.write(line + "\n")

"""What went through, for the audit log: method, template, status, rows; equal ones are counted together."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["Calls"]

KINDS = 500  # different calls that are kept apart


class Calls:
    """Any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self._left_out = 0

    def add(self, system: str, method: str, template: str, status: int | str, rows: int | None = None) -> None:
        """One call. `rows` is None where they can't be told."""
        key = (system, method, template, str(status))
        with self._lock:
            entry = self._found.get(key)
            if entry is None:
                if len(self._found) >= KINDS:
                    self._left_out += 1
                    return
                names = {"system": system, "method": method, "template": template, "status": status}
                entry = self._found[key] = {**names, "rows": None, "count": 0}
            entry["count"] += 1
            if rows is not None:
                entry["rows"] = (entry["rows"] or 0) + rows

    def told(self) -> dict[str, Any]:
        """{"calls": [{system, method, template, status, rows, count}], "left_out": calls that were not kept}."""
        with self._lock:
            return {"calls": [dict(entry) for entry in self._found.values()], "left_out": self._left_out}

"""What can be made to go wrong, and the record of what was asked."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from .http import Request

__all__ = ["COMMON_FAULTS", "Fault", "FaultBoard", "RequestLog"]

COMMON_FAULTS = {
    "next_status": "answer with this status instead of serving",
    "slow": "wait `seconds` before serving",
    "truncate": "send the headers of the whole answer, half of its body, and hang up",
    "drop": "hang up without an answer",
}


@dataclass
class Fault:
    """One switched-on fault: the next `times` requests whose path matches `path` (a regular expression)."""

    fault: str
    times: int = 1
    path: str = ""
    method: str = ""
    status: int = 503
    seconds: float = 1.0

    def meets(self, request: Request) -> bool:
        """Does this fault hit that request?"""
        return (not self.method or self.method == request.method) and bool(re.search(self.path, request.path))


class FaultBoard:
    """The faults waiting to happen, in the order they were switched on. Safe across threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, options: Mapping[str, Any]) -> Fault:
        """Switch one on. Raises ValueError naming what is not understood."""
        name = options.get("fault")
        if name not in COMMON_FAULTS:
            raise ValueError(f"unknown fault {name!r}")
        unknown = sorted(set(options) - set(Fault.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown option {unknown[0]!r}; known are {', '.join(Fault.__dataclass_fields__)}")
        fault = Fault(**options)
        try:
            re.compile(fault.path)
        except re.error as exc:
            raise ValueError(f"path is no regular expression: {exc}") from exc
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, request: Request) -> Fault | None:
        """The first fault that hits this request, used up by one."""
        with self._lock:
            for fault in self._faults:
                if fault.meets(request):
                    fault.times -= 1
                    if fault.times < 1:
                        self._faults.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._faults.clear()

    def as_data(self) -> list[dict[str, Any]]:
        """What is still waiting."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]


class RequestLog:
    """What was asked: counters over everything, and the last 10,000 requests. Bodies are not kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._total = self._mutations = self._changed = 0
            self._last: deque[dict[str, Any]] = deque(maxlen=10_000)

    def add(self, request: Request, status: int, mutation: bool, changed: int, fault: str) -> None:
        """Note one answered request; status 0 when the connection was dropped."""
        entry = {
            "at": datetime.now(UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string,
            "status": status,
            "mutation": mutation,
            "changed": changed,
        }
        if fault:
            entry["fault"] = fault
        with self._lock:
            self._total += 1
            self._mutations += mutation
            self._changed += changed
            self._last.append(entry)

    def as_data(self) -> dict[str, Any]:
        """{total, mutations: requests that asked for a change, changed: records written, requests: [...]}."""
        with self._lock:
            return {
                "total": self._total,
                "mutations": self._mutations,
                "changed": self._changed,
                "requests": list(self._last),
            }

"""Follows the report of a running script line by line, without believing anything in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["ReportTail"]

LINES = 50_000
STEP = 32 * 1024  # bytes at a time, so that a flood does not keep the watchdog from its work


class ReportTail:
    """Reads what was added since the last time. `is_over` when there are more than `limit` bytes or 50,000 lines."""

    def __init__(self, path: Path, limit: int) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._limit = limit
        self._offset = 0
        self._rest = b""
        self._count = 0
        self._lines: list[dict[str, Any]] = []
        self._progress: dict[str, dict[str, Any]] = {}
        self.is_over = False
        self.has_more = False

    def read(self) -> list[dict[str, Any]]:
        """Complete lines that are new, some of them where there are many; what is no object with a kind is left out."""
        data = b"" if self.is_over else os.pread(self._descriptor, STEP, self._offset)
        self.has_more = len(data) == STEP
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._count += len(lines)
        self.is_over = self._offset > self._limit or self._count > LINES
        found = [line for text in lines if (line := _parsed(text))]
        for line in found:
            if line["kind"] == "progress":
                self._progress[str(line.get("label"))] = line
            else:
                self._lines.append(line)
        return found

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All lines so far; of each progress the last one, at the end."""
        return [*self._lines, *self._progress.values()]

    def close(self) -> None:
        """Let go of the file. Calling this twice does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) and isinstance(line.get("kind"), str) else None

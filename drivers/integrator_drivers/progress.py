"""How far a sync has come: to the report, or, where nobody takes one, to the person at the terminal."""

from __future__ import annotations

import logging
import os
import sys
import time

from .report import report

__all__ = ["Progress", "line"]

logger = logging.getLogger("integrator")

EVERY = 0.3  # seconds
LOGGED_EVERY = 30.0  # seconds, where no terminal shows it


class Progress:
    """Tell it after each batch; it passes on some of that, with rows per second and the time left."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = self._logged_at = time.monotonic()
        self._told_at = 0.0

    def at(self, done: int, total: int | None, *, last: bool = False) -> None:
        """`done` rows of `total` (None: not known) are dealt with."""
        now = time.monotonic()
        if not last and now - self._told_at < EVERY:
            return
        self._told_at = now
        elapsed = now - self._begun
        rate = done / elapsed if elapsed > 0 else None
        left = (total - done) / rate if total is not None and rate else None
        report("progress", label=self._label, done=done, total=total, rate=rate, seconds_left=left)
        if not os.environ.get("INTEGRATOR_REPORT"):
            self._show(line(self._label, done, total, rate), now, last=last)

    def _show(self, text: str, now: float, *, last: bool) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[2K{text}" + ("\n" if last else ""))
            sys.stderr.flush()
        elif not last and now - self._logged_at >= LOGGED_EVERY:
            self._logged_at = now
            logger.info("%s", text)


def line(label: str, done: int, total: int | None, rate: float | None) -> str:
    """ "postgresql.public.leads   260 of 412 rows   1,900 rows/s   about 4 s left"."""
    parts = [label, f"{done:,} rows" if total is None else f"{done:,} of {total:,} rows"]
    if rate:
        parts.append(f"{rate:,.0f} rows/s")
        if total is not None and total > done:
            left = (total - done) / rate
            minutes, seconds = divmod(round(left), 60)
            known = f"about {minutes} min {seconds} s left" if minutes else f"about {seconds} s left"
            parts.append("under 1 s left" if left < 1 else known)
    return "   ".join(parts)

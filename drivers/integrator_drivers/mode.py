"""Run modes, and the facts a run is bound to. The environment carries them into a script's process."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import StrEnum

from .errors import ReadOnlyError, RowLimitError

__all__ = ["Mode", "current_mode", "first_rows", "max_rows", "now", "require_writable"]


class Mode(StrEnum):
    """What a run may do. A plain `python script.py` is its owner's act: APPLY."""

    DISCOVERY = "discovery"  # reads only; a write is an error
    PREVIEW = "preview"  # reads for real; writes are compared with the target and counted, not sent
    APPLY = "apply"


def current_mode() -> Mode:
    """The mode of this process, from INTEGRATOR_MODE. An unknown word counts as discovery, the strictest."""
    text = os.environ.get("INTEGRATOR_MODE", Mode.APPLY)
    try:
        return Mode(text)
    except ValueError:
        return Mode.DISCOVERY


def now() -> datetime:
    """The moment this run stands for, in UTC: INTEGRATOR_NOW (fixed at preview) or the clock."""
    fixed = os.environ.get("INTEGRATOR_NOW")
    return datetime.fromisoformat(fixed).astimezone(UTC) if fixed else datetime.now(UTC)


def require_writable(system: str, obj: str) -> Mode:
    """PREVIEW or APPLY; raises ReadOnlyError in discovery."""
    mode = current_mode()
    if mode is Mode.DISCOVERY:
        raise ReadOnlyError(
            f"Discovery only reads. Writing {obj} in {system} belongs in the script, after your approval."
        )
    return mode


def max_rows(about_to_write: int = 0) -> int | None:
    """The approved row ceiling of this run (INTEGRATOR_MAX_ROWS), None without one.

    Raises RowLimitError when `about_to_write` rows, counted over the whole run, would exceed it.
    """
    text = os.environ.get("INTEGRATOR_MAX_ROWS")
    if not text:
        return None
    ceiling = int(text)
    if about_to_write > ceiling:
        raise RowLimitError(
            f"Stopped before writing: {about_to_write:,} rows are more than the {ceiling:,} that were approved. "
            "Run the cell again for a new preview."
        )
    return ceiling


def first_rows() -> int | None:
    """How many rows this run is to write before a person looks at them (INTEGRATOR_FIRST_ROWS); None: all of them."""
    text = os.environ.get("INTEGRATOR_FIRST_ROWS")
    return int(text) if text and current_mode() is Mode.APPLY else None

"""Waiting for a Bulk job."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from integrator_drivers.errors import DriverError, RateLimitError

from .connection import Connection

__all__ = ["ENDED", "finished"]

ENDED = ("JobComplete", "Failed", "Aborted")
FIRST_PAUSE = 0.1  # seconds, growing
LONGEST_PAUSE = 5.0
PATIENCE = 1800.0  # seconds that a job may take


def finished(
    connection: Connection, path: str, done: str, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """The job once it has ended, well or not. `done` says what is so far; when we give up the job is stopped."""
    end = clock() + PATIENCE
    pause = FIRST_PAUSE
    try:
        while True:
            job: dict[str, Any] = connection.call("GET", path, done=done)
            if job["state"] in ENDED:
                return job
            if clock() + pause > end:
                raise RateLimitError(
                    f"Salesforce has not finished a bulk job after {PATIENCE / 60:.0f} minutes; it is busy. {done} "
                    "Run again later."
                )
            connection.pause(pause)
            pause = min(LONGEST_PAUSE, pause * 1.5)
    except BaseException:
        with suppress(DriverError):
            connection.call("PATCH", path, json={"state": "Aborted"})
        raise

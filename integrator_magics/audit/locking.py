"""One writer at a time, over processes and threads."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["locked"]

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _take(descriptor: int, shared: bool) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _give(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(descriptor: int, shared: bool) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def _give(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(descriptor: int, *, shared: bool = False, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lock of an open file. `timeout` in seconds; raises OSError(ETIMEDOUT) when another keeps it longer."""
    deadline = time.monotonic() + timeout
    pause = 0.0002
    while True:
        try:
            _take(descriptor, shared)
            break
        except (BlockingIOError, PermissionError) as exc:
            if time.monotonic() > deadline:
                raise OSError(errno.ETIMEDOUT, f"another program has held it for {timeout:g} s") from exc
            time.sleep(pause)
            pause = min(pause * 1.5, 0.005)
    try:
        yield
    finally:
        _give(descriptor)

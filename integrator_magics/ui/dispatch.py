"""Work from any thread, done on the main thread: widgets, display and the user's variables live only there."""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Dispatcher", "kernel_loop"]

log = logging.getLogger(__name__)
STEP = 0.1  # seconds; also how long Stop may go unnoticed


def kernel_loop() -> Any | None:
    """The asyncio loop of the running ipykernel; None in a terminal or a plain script."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    kernel = getattr(get_ipython(), "kernel", None)
    return getattr(getattr(kernel, "io_loop", None), "asyncio_loop", None)


class Dispatcher:
    """A queue of work for the main thread.

    With a kernel each piece hops over by `call_soon_threadsafe`, so it is done as soon as no cell runs; anywhere, and
    while a cell runs, `drain` does it. `context` is where the output of that work belongs: the cell that made this.
    """

    def __init__(self, loop: Any | None = None) -> None:
        self._loop = loop if loop is not None else kernel_loop()
        self._work: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._arrived = threading.Event()
        self.context = contextvars.copy_context()

    def post(self, work: Callable[[], object]) -> None:
        """Have `work` done on the main thread, in order. Never waits; any thread may call."""
        self._work.put(work)
        self._arrived.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.run_pending, context=self.context.copy())

    def post_later(self, seconds: float, work: Callable[[], object]) -> None:
        """Have `work` done on the main thread after that time, or later while a cell runs."""
        timer = threading.Timer(seconds, self.post, [work])
        timer.daemon = True
        timer.start()

    @property
    def has_loop(self) -> bool:
        """Whether work is done by itself; without it only `drain` does it."""
        return self._loop is not None

    def run_pending(self) -> int:
        """Do what is waiting; returns how many pieces were done. Call on the main thread only.

        A piece that fails is logged and the next one is done: one broken card must not stop the dialog.
        """
        done = 0
        while True:
            try:
                work = self._work.get_nowait()
            except queue.Empty:
                return done
            try:
                work()
            except Exception:
                log.exception("showing a step of the dialog failed")
            done += 1

    def drain(self, timeout: float | None = None, until: Callable[[], bool] | None = None) -> bool:
        """Do work until `until()` holds or `timeout` seconds are over. Returns whether `until()` holds.

        Waits in steps of 0.1 s, so that KeyboardInterrupt (Stop) gets through. Without `until`: until time is over.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            self._arrived.clear()
            self.run_pending()
            if until is not None and until():
                return True
            left = STEP if end is None else min(STEP, end - time.monotonic())
            if left <= 0:
                return until() if until is not None else True
            self._arrived.wait(left)

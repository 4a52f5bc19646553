"""This process's side of the keeper: starts it, asks it, and notices when it is gone."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import AuditUnavailable
from .keeper import receive, send

__all__ = ["ask", "process_id", "warm"]

_lock = threading.Lock()
_keeper: _Keeper | None = None


class _Keeper:
    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).parents[2])
        program = f"import sys; sys.path.insert(0, {root!r}); from integrator_magics.audit.keeper import main; main()"
        try:
            with theirs:
                self.process = subprocess.Popen(
                    [sys.executable, "-I", "-c", program],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # a Ctrl-C is for the kernel
                )
        except OSError:
            ours.close()
            raise
        self.channel = ours
        self.owner = os.getpid()
        self.is_ready = False

    def get_ready(self) -> bool:
        """Wait until it can write; False when it ended instead."""
        with suppress(OSError):
            self.is_ready = self.is_ready or receive(self.channel) is not None
        return self.is_ready

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer; None when the process is gone."""
        try:
            send(self.channel, request)
            return receive(self.channel)
        except OSError:
            return None

    def close(self) -> None:
        self.channel.close()
        if self.owner != os.getpid():  # a fork: the process is our parent's
            return
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """Have the keeper write or sign. Raises AuditUnavailable when there is none, or it ended before it answered."""
    with _lock:
        keeper = _started()
        try:
            if not keeper.get_ready():
                raise AuditUnavailable(
                    "The process that keeps the audit log ended at once, so nothing runs.",
                    "`integrator doctor` says what is missing.",
                )
            answer = keeper.ask(request)
            if answer is None:
                raise AuditUnavailable(
                    "The process that keeps the audit log ended, so nothing runs.", "Run the cell again."
                )
        except BaseException:  # also an interrupt in the middle: a late answer would be taken for another
            _close()
            raise
        return answer


def warm() -> None:
    """Start the keeper, so that the first record need not wait for it."""
    with suppress(AuditUnavailable), _lock:  # the first record will say so
        _started()


def process_id() -> int | None:
    """The keeper's process, where one runs."""
    return _keeper.process.pid if _keeper else None


def _started() -> _Keeper:
    global _keeper
    if _keeper is not None and _keeper.owner != os.getpid():
        _keeper.channel.close()
        _keeper = None
    if _keeper is None:
        try:
            _keeper = _Keeper()
        except OSError as exc:
            why = (exc.strerror or str(exc)).lower()
            raise AuditUnavailable(
                f"The process that keeps the audit log can't be started ({why}), so nothing runs."
            ) from exc
    return _keeper


def _close() -> None:
    global _keeper
    if _keeper is not None:
        keeper, _keeper = _keeper, None
        keeper.close()


@atexit.register
def _end() -> None:
    with _lock:
        _close()

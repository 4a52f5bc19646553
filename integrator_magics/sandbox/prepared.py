"""A process that has loaded what scripts need and waits for its one job; the next one is made in the background."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SandboxUnavailable
from . import place
from .inside import wire
from .spawn import spawn

__all__ = ["Pool", "Prepared", "prepare", "sweep"]

START = 60.0  # seconds a process may take to get ready
_PREFIX = "integrator-run-"


@dataclass
class Prepared:
    """One such process and its folder: `code`, `work` (where the script runs) and `report.jsonl`."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    folder: Path
    key: object = None
    is_ready: bool = False
    _killed: bool = field(default=False, repr=False)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def code(self) -> Path:
        return self.folder / "code"

    @property
    def report(self) -> Path:
        return self.folder / "report.jsonl"

    def ready(self, wake: socket.socket | None = None) -> bool:
        """Wait until it has loaded everything; False when `wake` became readable first.

        Raises SandboxUnavailable when the process did not get there.
        """
        if self.is_ready:
            return True
        answer = self.ask(None, START, wake)
        self.is_ready = bool(answer)
        return self.is_ready

    def ask(self, message: dict[str, Any] | None, timeout: float, wake: socket.socket | None = None) -> Any:
        """Send a message and wait for the answer; None when `wake` became readable first."""
        try:
            if message is not None:
                wire.send(self.channel, message)
            waiting = [self.channel] if wake is None else [self.channel, wake]
            readable = select.select(waiting, [], [], timeout)[0]
            if wake is not None and wake in readable:
                return None
            answer = wire.receive(self.channel) if readable else None
        except OSError:
            answer = None
        if answer is None:
            raise SandboxUnavailable(
                "The sandbox for scripts could not be started, so nothing ran.", f"It said: {self._last_words()}"
            )
        return answer

    def kill(self) -> None:
        """End the process and everything in its session. Calling this twice does no harm."""
        if self._killed:
            return
        self._killed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        self.channel.close()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _last_words(self) -> str:
        self.kill()
        assert self.process.stderr is not None
        lines = os.read(self.process.stderr.fileno(), 20_000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"nothing (exit code {self.process.returncode})."


def prepare(
    command: Callable[[Path], list[str]], preload: Sequence[str], *, die_with_parent: bool, key: object = None
) -> Prepared:
    """Start one and return at once; it loads while the caller goes on. Raises SandboxUnavailable."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    ours, theirs = socket.socketpair()
    try:
        for name in ("code", "work"):
            (folder / name).mkdir(mode=0o700)
        (folder / "report.jsonl").touch(mode=0o600)
        process = spawn(command(folder), theirs, folder / "work")
    except OSError as exc:
        ours.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise SandboxUnavailable(
            f"The sandbox for scripts could not be started ({exc.strerror or exc}), so nothing ran."
        ) from exc
    finally:
        theirs.close()
    prepared = Prepared(process, ours, folder, key)
    with contextlib.suppress(OSError):  # a process that died at once is found when it is asked
        wire.send(ours, {"preload": list(preload), "path": place.import_folders(), "die_with_parent": die_with_parent})
    return prepared


class Pool:
    """Keeps one spare ready. `make` starts one; one made from another `key` is dropped."""

    def __init__(self, make: Callable[[object], Prepared], key: Callable[[], object]) -> None:
        self._make = make
        self._key = key
        self._lock = threading.Lock()
        self._spare: Prepared | None = None
        self._closed = False

    def take(self) -> Prepared:
        """The spare if it is still good, else a new one."""
        key = self._key()
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            if spare.key == key and spare.process.poll() is None:
                return spare
            spare.close()
        return self._make(key)

    def refill(self) -> None:
        """Start the next one, unless there is one."""
        with self._lock:
            if self._spare is not None or self._closed:
                return
            with contextlib.suppress(SandboxUnavailable):  # the run that needs it will say so
                self._spare = self._make(self._key())

    def close(self) -> None:
        """End the spare; none is made from now on."""
        with self._lock:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()


def sweep() -> None:
    """Remove folders of runs whose program was killed (Linux)."""
    if not Path("/proc/self").exists():
        return
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = path.name.removeprefix(_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            is_old = time.time() - path.stat().st_mtime > 60
            if is_old and path.stat().st_uid == os.getuid() and not Path("/proc", pid).exists():
                shutil.rmtree(path, ignore_errors=True)

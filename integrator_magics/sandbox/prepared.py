"""A process that has loaded what scripts need and waits for its one job; the next one is made in the background."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..errors import SandboxUnavailable
from . import place
from .clearing import PREFIX, remove
from .inside import wire
from .inside.usage import usage
from .spawn import spawn
from .waiting import readable

__all__ = ["Pool", "Prepared", "no_room", "prepare"]

START = 60.0  # seconds a process may take to get ready
KILL = 0.5  # seconds until everything in it must be gone
_open: set[Prepared] = set()


@dataclass(eq=False)
class Prepared:
    """One such process and its folder: `code`, `work` (where the script runs) and `report.jsonl`."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    folder: Path
    key: object = None
    is_ready: bool = False
    _killed: bool = field(default=False, repr=False)
    grace: ClassVar[float] = 0.35
    begin: ClassVar[float] = 20.0

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
            waiting = [entry.fileno() for entry in (self.channel, wake) if entry is not None]
            ready = readable(waiting, timeout)
            if wake is not None and wake.fileno() in ready:
                return None
            answer = wire.receive(self.channel) if ready else None
        except OSError:
            answer = None
        if answer is None:
            raise self.refusal("The sandbox for scripts could not be started, so nothing ran.")
        return answer

    def streams(self) -> dict[int, Literal["stdout", "stderr"]]:
        """File descriptors of what it prints."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        return {self.process.stdout.fileno(): "stdout", self.process.stderr.fileno(): "stderr"}

    def poll(self) -> int | None:
        return self.process.poll()

    def usage(self, most: int) -> tuple[int, int]:
        """Bytes and number of the files below `work`; links are not followed."""
        return usage(self.work, most)

    def collect(self) -> list[str]:
        """Nothing to bring: `work` is where the script wrote."""
        return []

    def lost(self) -> str:
        return ""

    def kill(self) -> None:
        """End the process and everything it started, and wait until it is gone. Twice does no harm."""
        if self._killed:
            return
        self._killed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + KILL
        ends = {self.channel.fileno()}  # each process inside holds the other end until it is gone
        while ends and (left := deadline - time.monotonic()) > 0:
            for number in readable(ends, left):
                with contextlib.suppress(OSError):
                    if os.read(number, 1 << 16):
                        continue
                ends.discard(number)

    def close(self) -> None:
        """Kill it and remove its folder."""
        _open.discard(self)
        self.kill()
        self.channel.close()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()
        remove(self.folder)

    def refusal(self, text: str) -> SandboxUnavailable:
        """What to raise when it did not take its job."""
        return SandboxUnavailable(text, f"It said: {self.last_words()}")

    def last_words(self) -> str:
        """Kill it, and return the last line of what it said on stderr."""
        self.kill()
        assert self.process.stderr is not None
        lines = os.read(self.process.stderr.fileno(), 20_000).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"nothing (exit code {self.process.returncode})."


def prepare(
    command: Callable[[Path], list[str]],
    preload: Sequence[str],
    *,
    die_with_parent: bool,
    key: object = None,
    walls: Callable[[Prepared], dict[str, list[str]]] | None = None,
) -> Prepared:
    """Start one and return at once; it loads while the caller goes on. Raises SandboxUnavailable."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    except OSError as exc:
        raise no_room(exc) from exc
    ours, theirs = socket.socketpair()
    try:
        for name in ("code", "work"):
            (folder / name).mkdir(mode=0o700)
        (folder / "report.jsonl").touch(mode=0o600)
        process = spawn(command(folder), theirs, folder / "work")
    except OSError as exc:
        ours.close()
        remove(folder)
        raise no_room(exc) from exc
    finally:
        theirs.close()
    prepared = Prepared(process, ours, folder, key)
    _open.add(prepared)
    with contextlib.suppress(OSError):  # a process that died at once is found when it is asked
        hello = {"preload": list(preload), "path": place.import_folders(), "die_with_parent": die_with_parent}
        wire.send(ours, hello | {"walls": walls(prepared) if walls else None})
    return prepared


def no_room(exc: OSError) -> SandboxUnavailable:
    """A folder for a run could not be made."""
    return SandboxUnavailable(
        f"The sandbox for scripts could not be started ({exc.strerror or exc}), so nothing ran.",
        f"Free some space in {tempfile.gettempdir()}." if exc.errno in (errno.ENOSPC, errno.EDQUOT) else "",
    )


@atexit.register
def _close_all() -> None:
    """Whoever forgot to close one, or had no time to."""
    for prepared in list(_open):
        prepared.close()


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
        """Start the next one, unless there is a good one."""
        key = self._key()
        with self._lock:
            old = self._spare
            if self._closed or (old is not None and old.key == key and old.process.poll() is None):
                return
            self._spare = None
            with contextlib.suppress(SandboxUnavailable):  # the run that needs it will say so
                self._spare = self._make(key)
        if old is not None:
            old.close()

    def close(self) -> None:
        """End the spare; none is made from now on."""
        with self._lock:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()

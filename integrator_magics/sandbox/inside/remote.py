"""Start of the program on a machine of its own: runs one script as another user and tells how it goes.

It is told what to do by `job.json` beside it and by its environment (the script's variables), and tells it in lines of
JSON on its output. It ends the script at its time even when nobody listens any more.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from . import wire
from .usage import usage

__all__ = ["START", "USER", "main"]

START = "import sys; sys.path.insert(0, sys.argv.pop()); from inside.main import main; main()"
USER = 61_234  # of the script; it owns its folder and nothing else
TICK = 0.05  # seconds
GRACE = 0.5  # seconds for last words after a stop
_CHUNK = 48 * 1024


def main() -> None:
    """Run the script of this machine and exit."""
    room = Path(sys.path[0])
    job = json.loads((room / "job.json").read_text(encoding="utf-8"))
    job["env"] |= {name: os.environ[name] for name in job.pop("from_environment")}
    _Run(room, job).go()


class _Run:
    """The script's process, and what is told of it."""

    def __init__(self, room: Path, job: dict[str, Any]) -> None:
        self._room = room
        self._job = job
        self._work = Path(job["cwd"])
        self._report = Path(job["env"]["INTEGRATOR_REPORT"])
        self._reader: BinaryIO | None = None
        self._sent = {"stdout": 0, "stderr": 0, "report": 0}
        # A character is four bytes at the most; what is beyond the limit is dropped where it is counted.
        self._most = {"stdout": 4 * job["limits"]["output"], "stderr": 4 * job["limits"]["output"]}
        self._most["report"] = job["limits"]["report"] + _CHUNK

    def go(self) -> None:
        is_root = os.getuid() == 0
        self._make_room(is_root)
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-X", "utf8", "-c", START, str(self._room)]
        identity: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if is_root else {}
        child = subprocess.Popen(
            command,
            stdin=theirs.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd=self._work,
            start_new_session=True,
            **identity,
        )
        theirs.close()
        try:
            wire.send(ours, {"preload": [], "path": self._job["path"], "die_with_parent": True})
            if wire.receive(ours) is not None:
                wire.send(ours, {"kind": "script", **self._job})
            self._follow(child, ours)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.kill()
            child.wait()
        self._tell_report()
        _tell({"files": _pack(self._work, self._room / "files.tar", self._job["limits"])})
        _tell({"exit": child.returncode})

    def _make_room(self, is_root: bool) -> None:
        """Folders and files of the script's user, a name for it, and the addresses of the hosts it may reach."""
        places = [self._work, self._report, *(Path(path).parent for path in self._job["files"])]
        for path in places:
            if path == self._report:
                path.touch(mode=0o600)
                self._reader = path.open("rb")
            else:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for entry in (path, *path.rglob("*")) if is_root else ():
                os.chown(entry, USER, USER)
        for file, lines in self._job.pop("system").items():
            with Path(file).open("a", encoding="utf-8") as out:
                out.writelines(line + "\n" for line in lines)

    def _follow(self, child: subprocess.Popen[bytes], channel: socket.socket) -> None:
        """Pass on what comes until the process is gone or has to go."""
        assert child.stdout is not None
        assert child.stderr is not None
        names = {child.stdout.fileno(): "stdout", child.stderr.fileno(): "stderr", channel.fileno(): "channel"}
        frames = wire.Frames(1_000_000)
        deadline = time.monotonic() + self._job["limits"]["seconds"] + 5
        stop_at = float("inf")
        used_at = 0.0
        gone_at: float | None = None
        open_ends = set(names)
        while open_ends:
            poll = select.poll()
            for number in open_ends:
                poll.register(number, select.POLLIN)
            now = time.monotonic()
            for number, _ in poll.poll(TICK * 1000):
                data = os.read(number, _CHUNK)
                if not data:
                    open_ends.discard(number)
                elif names[number] == "channel":
                    self._pass_on(frames, data)
                else:
                    self._tell_bytes(names[number], data)
            self._tell_report()
            if stop_at == float("inf") and (self._room / "stop").exists():
                stop_at = now + GRACE
                with contextlib.suppress(OSError):
                    wire.send(channel, {"stop": True})
            if now > min(deadline, stop_at):
                return
            if gone_at is None and child.poll() is not None:
                gone_at = now
            if gone_at is not None and now - gone_at > 0.3:
                return  # something that outlived it still holds a pipe; it ends with the machine
            if now - used_at > 0.25:
                used_at = now
                _tell({"usage": usage(self._work, self._job["limits"]["files"] + 1)})

    def _pass_on(self, frames: wire.Frames, data: bytes) -> None:
        """What the program inside said; from its start on the script may have said it."""
        try:
            for message in frames.feed(data):
                _tell({"message": message})
        except (ValueError, RecursionError):
            _tell({"message": {"nonsense": True}})

    def _tell_bytes(self, stream: str, data: bytes) -> None:
        room = self._most[stream] - self._sent[stream]
        self._sent[stream] += len(data)
        if room > 0:
            _tell({stream: base64.b64encode(data[:room]).decode()})

    def _tell_report(self) -> None:
        assert self._reader is not None
        while self._sent["report"] < self._most["report"] and (data := self._reader.read(_CHUNK)):
            self._tell_bytes("report", data)


def _tell(line: Mapping[str, Any]) -> None:
    """One line of JSON, in plain ASCII; nobody listening is no reason to leave the script alone."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _pack(work: Path, archive: Path, limits: Mapping[str, Any]) -> dict[str, Any]:
    """Put the plain files into one archive, as far as the limits go: {"count", "bytes", "left": names left out}."""
    found: dict[str, Any] = {"count": 0, "bytes": 0, "left": []}
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as out:
        for folder, folders, names in os.walk(work):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names) + [entry for entry in folders if Path(folder, entry).is_symlink()]:
                path = Path(folder, name)
                status = path.lstat()
                if name.startswith("."):
                    continue  # caches and half-written files
                is_plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
                fits = found["bytes"] + status.st_size <= limits["disk"] and found["count"] < limits["files"]
                if not is_plain or not fits:
                    found["left"].append(str(path.relative_to(work)).encode("utf-8", "replace").decode()[:200])
                    continue
                out.add(path, arcname=str(path.relative_to(work)), recursive=False)
                found["count"] += 1
                found["bytes"] += status.st_size
    return found

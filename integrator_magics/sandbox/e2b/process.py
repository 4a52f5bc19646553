"""A script's process on a machine at E2B, seen from here as a process of this machine: pipes, messages, files."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import tarfile
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from ...errors import SandboxUnavailable
from ..clearing import PREFIX, remove
from ..inside import wire
from ..protocols import RunSpec
from ..waiting import readable
from .bundle import DRIVERS
from .machine import ROOM, Machine
from .words import lost, unavailable

__all__ = ["RemoteProcess"]

MAKE = 420.0  # seconds to get a machine, with libraries to install
FETCH = 900.0  # seconds to bring the files
_NONSENSE = b"\xff\xff\xff\xff"  # a message longer than any
_Stream = Literal["stdout", "stderr"]


class RemoteProcess:
    """A ScriptProcess; one thread does all that waits for E2B."""

    grace: ClassVar[float] = 5.0
    begin: ClassVar[float] = 60.0

    def __init__(self, machine: Machine, spec: RunSpec, system: Mapping[str, list[str]]) -> None:
        self._machine = machine
        self._spec = spec
        self._system = dict(system)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        for name in ("code", "work"):
            (self._folder / name).mkdir(mode=0o700)
        self._report = (self._folder / "report.jsonl").open("ab", buffering=0)
        self.channel, self._inside = socket.socketpair()
        self._is_ready, self._tell_ready = socket.socketpair()
        self._ends: dict[_Stream, tuple[socket.socket, socket.socket]] = {
            "stdout": socket.socketpair(),
            "stderr": socket.socketpair(),
        }
        self._usage = (0, 0)
        self._exit: int | None = None
        self._files: dict[str, Any] = {}
        self._notes: list[str] = []
        self._failure: Exception | None = None
        self._is_broken = False
        self._killed = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="integrator-e2b", daemon=True)
        self._thread.start()

    @property
    def work(self) -> Path:
        return self._folder / "work"

    @property
    def code(self) -> Path:
        return self._folder / "code"

    @property
    def report(self) -> Path:
        return self._folder / "report.jsonl"

    def ready(self, wake: socket.socket | None = None) -> bool:
        """Wait for the machine; False when `wake` became readable first. Raises SandboxUnavailable."""
        waiting = {self._is_ready.fileno(), *([wake.fileno()] if wake else [])}
        found = readable(waiting, MAKE)
        if wake is not None and wake.fileno() in found:
            return False
        if not found:
            raise unavailable(TimeoutError())
        if self._failure is not None:
            raise unavailable(self._failure)
        return True

    def streams(self) -> dict[int, _Stream]:
        return {ours.fileno(): name for name, (ours, _) in self._ends.items()}

    def poll(self) -> int | None:
        return self._exit

    def usage(self, most: int) -> tuple[int, int]:
        return self._usage

    def lost(self) -> str:
        return lost(self._failure, self._spec.mode) if self._is_broken else ""

    def collect(self) -> list[str]:
        """Wait until the files are here; what stayed behind is named."""
        if self._exit is not None and not self._done.wait(FETCH):
            self._notes.append("The files that the script wrote did not arrive from E2B in time.")
        return [*self._notes, *filter(None, [self._machine.note])]

    def refusal(self, text: str) -> SandboxUnavailable:
        return unavailable(self._failure or SandboxUnavailable(text, "Run the cell again."))

    def kill(self) -> None:
        """End the machine; one that can't be reached ends by itself within minutes, and is looked for at the start."""
        if self._killed:
            return
        self._killed = True
        for entry in (self.channel, *(ours for ours, _ in self._ends.values())):
            with contextlib.suppress(OSError):
                entry.shutdown(socket.SHUT_RDWR)
        try:
            self._machine.kill()
        except Exception:  # noqa: BLE001 - whatever the SDK raises
            self._notes.append("The machine at E2B could not be ended from here; it ends by itself within 5 minutes.")

    def close(self) -> None:
        self.kill()
        self._thread.join(1.0)
        self._report.close()
        for entry in (self.channel, self._is_ready, *(ours for ours, _ in self._ends.values())):
            entry.close()
        remove(self._folder)

    def _serve(self) -> None:
        try:
            self._machine.make()
            self._tell_ready.close()
            job = wire.receive(self._inside)
            if job is not None:
                threading.Thread(target=self._stop_when_told, name="integrator-e2b-stop", daemon=True).start()
                self._run(job)
        except Exception as exc:  # noqa: BLE001 - becomes a sentence where the run waits for it
            self._failure = exc
        finally:
            self._tell_ready.close()
            self._hang_up()
            self._done.set()

    def _run(self, job: dict[str, Any]) -> None:
        """Hand over the job and pass on what comes, until it ends or breaks off."""
        variables = {name: value for name, value in job["env"].items() if name in self._spec.env}
        job["env"] = {name: value for name, value in job["env"].items() if name not in variables}
        limits = self._spec.limits
        job["limits"] |= {"output": limits.output, "report": limits.report, "files": limits.files}
        job |= {"from_environment": sorted(variables), "path": [DRIVERS], "system": self._system}
        script = (self.code / "script.py").read_bytes()
        there = {}
        for path in [entry for entry in self.work.rglob("*") if entry.is_file()]:  # what the script finds in its folder
            there[f"{ROOM}/work/{path.relative_to(self.work).as_posix()}"] = path.read_bytes()
            path.unlink()
        frames = self._machine.run(job, {f"{ROOM}/script.py": script, **there}, variables, limits.seconds)
        has_started = False
        try:
            for frame in frames:
                has_started = has_started or "message" in frame
                self._take(frame)
        except BrokenPipeError:
            return  # nobody listens any more
        except Exception as exc:  # noqa: BLE001 - the connection, or what came through it
            self._failure, self._is_broken = exc, has_started
        if self._exit is None and self._failure is None:
            self._is_broken = has_started
            self._failure = RuntimeError(frames.said.strip().rpartition("\n")[2] or "the program there ended at once")
        if self._exit is not None:
            self._hang_up()
            self._bring()

    def _take(self, frame: Mapping[str, Any]) -> None:
        for name, (_, theirs) in self._ends.items():
            if name in frame:
                theirs.sendall(base64.b64decode(frame[name]))
        if "report" in frame:
            self._report.write(base64.b64decode(frame["report"]))
        elif "message" in frame:
            if frame["message"].get("nonsense"):
                self._inside.sendall(_NONSENSE)
            else:
                wire.send(self._inside, frame["message"])
        elif "usage" in frame:
            size, count = frame["usage"]
            self._usage = int(size), int(count)
        elif "files" in frame:
            self._files = dict(frame["files"])
        elif "exit" in frame:
            self._exit = int(frame["exit"])

    def _bring(self) -> None:
        """Copy the files here; what is no plain file is named, and none lands outside the folder."""
        for name in list(self._files.get("left", ()))[:50]:
            self._notes.append(f"{name!s:.200} was not saved: it is no plain file, or too large.")
        if not self._files.get("count"):
            return
        archive = self._folder / "files.tar"
        try:
            self._machine.fetch(f"{ROOM}/files.tar", archive)
            _unpack(archive, self.work)
        except Exception:  # noqa: BLE001 - whatever the SDK raises, and a full disk
            self._notes.append("The files that the script wrote could not be brought from E2B.")
        finally:
            archive.unlink(missing_ok=True)

    def _stop_when_told(self) -> None:
        """The only message that comes after the job says stop."""
        with contextlib.suppress(Exception):  # the host kills the machine in any case
            if wire.receive(self._inside) is not None:
                self._machine.stop()

    def _hang_up(self) -> None:
        """The run sees the end of everything that was sent."""
        for entry in (self._inside, *(theirs for _, theirs in self._ends.values())):
            with contextlib.suppress(OSError):
                entry.shutdown(socket.SHUT_RDWR)
            entry.close()


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive, errors="surrogateescape") as found:
        for member in found:
            parts = member.name.split("/")
            source = found.extractfile(member) if member.isreg() else None
            if source is None or member.name.startswith("/") or ".." in parts or "" in parts:
                continue
            path = target.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as out:
                while data := source.read(1 << 20):
                    out.write(data)

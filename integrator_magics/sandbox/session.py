"""One run in a process of this machine: give it the job, follow it, stop it at its limits, kill what is left."""

from __future__ import annotations

import codecs
import contextlib
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from ..broker import Way
from ..errors import SandboxUnavailable
from .bridge import Bridge, Destination
from .gate import Gate
from .inside import wire
from .protocols import Egress, OnEvent, Outcome, Output, Reported, RunSpec, Status
from .tail import ReportTail
from .verdict import verdict
from .waiting import readable
from .ways import Entrance

__all__ = ["Preparation", "ScriptProcess", "ScriptSession"]

TICK = 0.05  # seconds between looks at the report and the clock
DISK_EVERY = 0.25
_CHUNK = 256 * 1024


@dataclass
class Preparation:
    """What a back-end adds to a job: paths as seen inside, variables, files, and listeners with where they lead."""

    script: str
    cwd: str
    report: str
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    listen: list[tuple[str, int, Destination]] = field(default_factory=list)
    way: Way | None = None  # by the broker, which then ends the listeners
    has_walls: bool = False  # it was started behind inside.walls, and connects through a gate


class ScriptProcess(Protocol):
    """A process that waits for one script, on this machine or seen through another one's service."""

    grace: ClassVar[float]  # seconds a script that is told to stop has for its last words
    begin: ClassVar[float]  # seconds to take the job

    @property
    def channel(self) -> socket.socket:
        """Messages to and from the program inside, see inside.wire."""

    @property
    def work(self) -> Path:
        """The folder of this machine that has the script's files, at the latest after `collect`."""

    @property
    def code(self) -> Path:
        """The folder of this machine to put script.py into."""

    @property
    def report(self) -> Path: ...

    def ready(self, wake: socket.socket | None = None) -> bool:
        """Wait until it can take the job; False when `wake` became readable first. Raises SandboxUnavailable."""

    def streams(self) -> dict[int, Literal["stdout", "stderr"]]:
        """File descriptors of what the script prints."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""

    def usage(self, most: int) -> tuple[int, int]:
        """Bytes and number of its files, of which `most` are counted at the most."""

    def collect(self) -> list[str]:
        """Bring its files to `work` after it ended; sentences about what stayed behind."""

    def lost(self) -> str:
        """Why nothing more will come of it, "" while all is well."""

    def kill(self) -> None:
        """End it and everything it started. Twice does no harm."""

    def close(self) -> None:
        """Kill it and remove its folders."""

    def refusal(self, text: str) -> SandboxUnavailable:
        """What to raise when it did not take its job."""


class ScriptSession:
    """A SandboxSession over a process."""

    def __init__(
        self, spec: RunSpec, prepared: ScriptProcess, preparation: Preparation, on_close: Callable[[], None]
    ) -> None:
        self._spec = spec
        self._prepared = prepared
        self._preparation = preparation
        self._on_close = on_close
        self._wake, self._waker = socket.socketpair()
        self._stop: Status | None = None
        self._what = ""
        self._closed = False
        self._lock = threading.Lock()
        self._egress: Counter[tuple[str, int, bool]] = Counter()
        self._told: list[Egress] = []
        way = preparation.way
        self._bridge = Entrance(way, self._on_egress) if way else Bridge(spec.egress, self._on_egress)
        self._gate: Gate | None = None
        self._frames = wire.Frames(1_000_000)
        self._ended: dict[str, Any] | None = None
        self._text: list[str] = []
        self._size = 0
        self._is_cut = False
        self._notes: list[str] = []
        self._tail = ReportTail(prepared.report, spec.limits.report)

    @property
    def outputs(self) -> Path:
        return self._prepared.work

    def run(self, on_event: OnEvent) -> Outcome:
        started = time.monotonic()
        try:
            if self._begin():
                started = time.monotonic()
                self._follow(on_event, started + self._spec.limits.seconds)
                self._notes += self._prepared.collect()
        finally:
            self._prepared.kill()
            if self._gate:
                self._gate.close()
            self._bridge.close()
        self._read_report(on_event)
        while self._tail.has_more:
            self._read_report(on_event)
        return self._outcome(time.monotonic() - started)

    def cancel(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._stop = self._stop or "cancelled"
            self._waker.send(b"x")

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._prepared.close()
        self._bridge.close()
        self._tail.close()
        self._wake.close()
        self._waker.close()
        self._on_close()

    def _begin(self) -> bool:
        """Hand over the job and take the listeners; False when it was cancelled meanwhile."""
        prepared, wanted = self._prepared, self._preparation
        if not prepared.ready(self._wake):
            return False
        job = {
            "kind": "script",
            "script": wanted.script,
            "cwd": wanted.cwd,
            "env": {**wanted.env, "INTEGRATOR_REPORT": wanted.report},
            "files": {path: content.hex() for path, content in wanted.files.items()},
            "listen": [] if wanted.has_walls else [(address, port) for address, port, _ in wanted.listen],
            "limits": {
                "seconds": self._spec.limits.seconds,
                "memory": self._spec.limits.memory,
                "disk": self._spec.limits.disk,
            },
        }
        try:
            (prepared.code / "script.py").write_bytes(self._spec.code.encode("utf-8", "surrogatepass"))
            self._put_inputs()
            wire.send(prepared.channel, job)
            ready = readable([prepared.channel.fileno(), self._wake.fileno()], prepared.begin)
            if self._stop:
                return False
            if not ready:
                raise TimeoutError
            data, descriptors, _, _ = socket.recv_fds(prepared.channel, 4096, len(wanted.listen))
        except OSError as exc:
            reason = exc.strerror or "no answer"
            raise prepared.refusal(
                f"The sandbox for scripts did not take the script ({reason}), so nothing ran."
            ) from exc
        if not data or len(descriptors) != (1 if wanted.has_walls else len(wanted.listen)):
            for number in descriptors:
                os.close(number)
            raise prepared.refusal("The sandbox for scripts could not be set up, so nothing ran.")
        if wanted.has_walls:
            self._gate = self._opened_gate(descriptors[0])
        else:
            for number, (_, _, destination) in zip(descriptors, wanted.listen, strict=True):
                self._bridge.serve(socket.socket(fileno=number), destination)
        self._hear(data)  # a short script may have ended already
        return True

    def _opened_gate(self, descriptor: int) -> Gate:
        """Each listener that the script thinks of is one of this machine, which only the gate connects to for it."""
        ways = {}
        for address, port, destination in self._preparation.listen:
            listener = socket.create_server(("127.0.0.1", 0))
            ways[address, port] = listener.getsockname()
            self._bridge.serve(listener, destination)
        return Gate(descriptor, ways, lambda host, port: self._on_egress(host, port, False))

    def _put_inputs(self) -> None:
        for name, content in self._spec.inputs.items():
            path = self._prepared.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _follow(self, on_event: OnEvent, deadline: float) -> None:
        """Read what comes until the process is gone, or something says stop."""
        prepared = self._prepared
        pipes = prepared.streams()
        decoders = {number: codecs.getincrementaldecoder("utf-8")("replace") for number in pipes}
        open_ends = {*pipes, prepared.channel.fileno()}
        disk_at = 0.0
        gone_at: float | None = None
        told_at: float | None = None
        while open_ends:
            now = time.monotonic()
            if now >= deadline:
                self._stop = self._stop or "timeout"
            if self._stop is not None:
                if told_at is None and self._stop in ("timeout", "cancelled"):
                    told_at = now
                    self._ask_to_stop()
                elif told_at is None or now - told_at > prepared.grace:
                    return
            if gone_at is None and prepared.poll() is not None:
                gone_at = now
            if gone_at is not None and now - gone_at > 0.3:
                return  # something that outlived it still holds a pipe; the kill that follows ends it
            waiting = open_ends if self._stop else {*open_ends, self._wake.fileno()}
            for number in readable(waiting, 0 if self._tail.has_more else TICK):
                if number == self._wake.fileno():
                    continue
                data = os.read(number, _CHUNK)
                if number in pipes:
                    self._keep(decoders[number].decode(data, final=not data), pipes[number], on_event)
                else:
                    self._hear(data)
                if not data:
                    open_ends.discard(number)
            self._read_report(on_event)
            if now >= disk_at:
                disk_at = now + DISK_EVERY
                self._check_disk()

    def _ask_to_stop(self) -> None:
        """A KeyboardInterrupt inside, so that a sync rolls back what is open and reports what it has written."""
        with contextlib.suppress(OSError):
            wire.send(self._prepared.channel, {"stop": True})

    def _hear(self, data: bytes) -> None:
        """A message from inside; from here on the script may have written it, so nothing in it is trusted."""
        try:
            for message in self._frames.feed(data):
                if isinstance(message.get("end"), dict) and self._ended is None:
                    self._ended = message["end"]
        except (ValueError, RecursionError):
            self._end("limit", "The script sent something that is no result.")

    def _keep(self, text: str, stream: Literal["stdout", "stderr"], on_event: OnEvent) -> None:
        most = self._spec.limits.output
        room = max(0, most - self._size)
        self._size += len(text)
        if len(text) > room and not self._is_cut:
            self._is_cut = True
            self._notes.append(f"What the script printed was cut after {most:,} characters.")
        if kept := text[:room]:
            self._text.append(kept)
            on_event(Output(stream, kept))

    def _read_report(self, on_event: OnEvent) -> None:
        for line in self._tail.read():
            on_event(Reported(line))
        while self._told:
            on_event(self._told.pop(0))
        if self._tail.is_over and self._stop is None:
            self._end("limit", "The script reported more results than can be taken and was stopped.")

    def _check_disk(self) -> None:
        limits = self._spec.limits
        size, count = self._prepared.usage(limits.files + 1)
        if size > limits.disk:
            self._end("limit", f"The script wrote more than {limits.disk / 1024**2:,.0f} MB to files and was stopped.")
        elif count > limits.files:
            self._end("limit", f"The script made more than {limits.files:,} files and was stopped.")

    def _end(self, status: Status, what: str) -> None:
        self._stop = self._stop or status
        self._what = self._what or what

    def _on_egress(self, host: str, port: int, allowed: bool) -> None:
        if not self._egress[host, port, allowed]:
            self._told.append(Egress(host, port, allowed))
        self._egress[host, port, allowed] += 1

    def _outcome(self, seconds: float) -> Outcome:
        if what := self._prepared.lost():
            self._end("sandbox_lost", what)
        status, error, code = verdict(
            self._stop, self._what, self._spec.limits, self._prepared.poll(), self._ended or {}, self._last_line()
        )
        way = self._preparation.way
        found = way.close() if way else {}
        return Outcome(
            status=status,
            exit_code=code,
            error=error,
            report=self._tail.lines,
            stdout="".join(self._text),
            seconds=seconds,
            egress=found.get("egress")
            or [
                {"host": host, "port": port, "allowed": allowed, "count": count}
                for (host, port, allowed), count in sorted(self._egress.items())
            ],
            calls=found.get("calls"),
            notes=self._notes,
        )

    def _last_line(self) -> str:
        lines = "".join(self._text[-20:]).strip().splitlines()
        return lines[-1].strip()[:2_000] if lines else ""

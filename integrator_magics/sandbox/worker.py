"""Driver-shaped calls: our own code in a process that has only one driver's variables, kept warm between calls."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrator_drivers import ConnectionError, Mode
from integrator_drivers.manifest import Manifest

from ..broker import Broker
from ..errors import RunFailed, SandboxUnavailable
from . import place
from .inside import wire
from .prepared import prepare
from .surroundings import surroundings
from .waiting import readable
from .ways import described, from_outside

__all__ = ["METHODS", "Answer", "Workers"]

METHODS = ("check", "describe_objects", "get_fields", "list_objects", "sample")
TIMEOUT = 15.0  # seconds for one call


@dataclass(frozen=True)
class Answer:
    """What came back: a value or an error as the process wrote it, not redacted yet, and the calls it took."""

    value: Any
    error: dict[str, Any] | None
    calls: list[dict[str, Any]]


class _Worker:
    """The process of one driver with one set of variables. One call at a time."""

    def __init__(self, manifest: Manifest, env: Mapping[str, str]) -> None:
        self.env = dict(env)
        self.stamp = place.stamp()
        self.is_stopped = False
        self._number = 0
        command = place.interpreter(str(place.INSIDE.parent))
        modules = [*place.requirements(manifest), manifest.client.partition(":")[0]]
        on_linux = sys.platform.startswith("linux")
        self._prepared = prepare(lambda folder: command, modules, die_with_parent=on_linux)
        report = {"INTEGRATOR_REPORT": str(self._prepared.report)}
        job = {"kind": "calls", "client": manifest.client, "env": {**surroundings(), **report}}
        try:
            self._prepared.ready()
            wire.send(self._prepared.channel, job)
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        return self._prepared.process.poll() is None

    @property
    def folder(self) -> Path:
        """For files that it should find."""
        return self._prepared.folder

    def ask(
        self, method: str, args: list[Any], env: Mapping[str, str], mode: Mode, timeout: float
    ) -> dict[str, Any] | None:
        """The answer; None when there was none in time, or the process is gone."""
        self._number += 1
        channel = self._prepared.channel
        deadline = time.monotonic() + timeout
        try:
            wire.send(
                channel,
                {"id": self._number, "method": method, "args": args, "env": {**env, "INTEGRATOR_MODE": str(mode)}},
            )
            while readable([channel.fileno()], deadline - time.monotonic()):
                answer = wire.receive(channel)
                if answer is None or answer.get("id") == self._number:
                    return answer
        except (OSError, ValueError):
            return None
        return None

    def stop(self) -> None:
        """End the process from another thread; the call that waits for it notices and cleans up."""
        self.is_stopped = True
        self._prepared.process.kill()

    def close(self) -> None:
        self._prepared.close()


@dataclass
class _Slot:
    lock: threading.Lock
    worker: _Worker | None = None


class Workers:
    """One warm process per driver, made anew when its variables or code have changed. Any thread may call."""

    def __init__(self, broker: Broker, timeout: float = TIMEOUT) -> None:
        self._broker = broker
        self._timeout = timeout
        self._slots: defaultdict[str, _Slot] = defaultdict(lambda: _Slot(threading.Lock()))
        self._closed = False

    def call(
        self, manifest: Manifest, env: Mapping[str, str], method: str, args: list[Any], mode: Mode = Mode.DISCOVERY
    ) -> Answer:
        """Ask the driver; whatever the mode it is in, nothing it sends may write.

        Raises ConnectionError in one sentence when the system does not answer in time.
        """
        if method not in METHODS:
            raise ValueError(f"{method} is no question a driver answers")
        slot = self._slots[manifest.name]
        with slot.lock:
            worker = self._worker(slot, manifest, env)
            is_done = False
            system = described(manifest, env)
            way = self._broker.open([system], Mode.DISCOVERY, reader=mode is not Mode.APPLY)
            try:
                inside = from_outside(way, env, [system], worker.folder)
                answer = worker.ask(method, args, inside, mode, self._timeout)
                if answer is None:
                    raise self._silence(manifest, worker)
                is_done = True
            finally:  # also after an interrupt: an answer that comes late must not be taken for the next one
                if not is_done:
                    slot.worker = None
                    worker.close()
                calls = way.close()["calls"]
        return Answer(answer.get("value"), answer.get("error"), calls)

    def cancel(self) -> None:
        """End calls that are under way."""
        for slot in list(self._slots.values()):
            worker = slot.worker
            if worker is not None and slot.lock.locked():
                worker.stop()

    def close(self) -> None:
        """End all processes."""
        self._closed = True
        self.cancel()
        for slot in list(self._slots.values()):
            with slot.lock:
                if slot.worker is not None:
                    slot.worker.close()
                    slot.worker = None

    def _worker(self, slot: _Slot, manifest: Manifest, env: Mapping[str, str]) -> _Worker:
        if self._closed:
            raise SandboxUnavailable("This session is closed.")
        worker = slot.worker
        if worker is not None:
            if worker.alive and worker.env == dict(env) and worker.stamp == place.stamp():
                return worker
            slot.worker = None
            worker.close()
        slot.worker = _Worker(manifest, env)
        return slot.worker

    def _silence(self, manifest: Manifest, worker: _Worker) -> Exception:
        if worker.is_stopped:
            return RunFailed("Stopped. Nothing was written.")
        if not worker.alive:
            return RunFailed(
                f"The process that asks {manifest.label} ended unexpectedly.", "Nothing was read. Try again."
            )
        names = [variable.name for variable in manifest.env if f"{{{variable.name}}}" in str(manifest.hosts)]
        check = f", check {names[0]}" if names else ""
        return ConnectionError(
            f"I couldn't connect to {manifest.label}: it did not answer within {self._timeout:.0f} s. "
            f"Nothing was read. Try again{check}, or go on from the standard {manifest.label} schema."
        )

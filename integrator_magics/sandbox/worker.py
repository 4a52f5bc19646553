"""Driver-shaped calls: our own code in a process that has only one driver's variables, kept warm between calls."""

from __future__ import annotations

import json
import select
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrator_drivers import ConnectionError, Mode
from integrator_drivers.manifest import Manifest

from ..errors import RunFailed, SandboxUnavailable
from . import place
from .inside import wire
from .prepared import Prepared, prepare
from .surroundings import surroundings

__all__ = ["METHODS", "Answer", "Workers"]

METHODS = ("check", "describe_objects", "get_fields", "list_objects", "sample")
TIMEOUT = 15.0  # seconds for one call


@dataclass(frozen=True)
class Answer:
    """What came back: a value or an error as the process wrote it, not redacted yet, and what the driver reported."""

    value: Any
    error: dict[str, Any] | None
    report: list[dict[str, Any]]


class _Worker:
    """The process of one driver with one set of variables. One call at a time."""

    def __init__(self, manifest: Manifest, env: Mapping[str, str]) -> None:
        self.env = dict(env)
        self.stamp = place.stamp()
        self.lock = threading.Lock()
        self._number = 0
        command = place.interpreter(str(place.INSIDE.parent))
        modules = [*place.requirements(manifest), manifest.client.partition(":")[0]]
        self._prepared: Prepared = prepare(
            lambda folder: command, modules, die_with_parent=sys.platform.startswith("linux")
        )
        report = {"INTEGRATOR_REPORT": str(self._prepared.report)}
        job = {"kind": "calls", "client": manifest.client, "env": {**surroundings(), **self.env, **report}}
        try:
            self._prepared.ready()
            wire.send(self._prepared.channel, job)
        except BaseException:
            self._prepared.close()
            raise

    @property
    def alive(self) -> bool:
        return self._prepared.process.poll() is None

    def ask(self, method: str, args: list[Any], mode: Mode, timeout: float) -> dict[str, Any] | None:
        """The answer; None when there was none in time, or the process is gone."""
        self._number += 1
        deadline = time.monotonic() + timeout
        try:
            request = {"id": self._number, "method": method, "args": args, "mode": str(mode)}
            wire.send(self._prepared.channel, request)
            while (left := deadline - time.monotonic()) > 0:
                if not select.select([self._prepared.channel], [], [], left)[0]:
                    return None
                answer = wire.receive(self._prepared.channel)
                if answer is None or answer.get("id") == self._number:
                    return answer
        except (OSError, ValueError):
            return None
        return None

    def close(self) -> None:
        self._prepared.close()


class Workers:
    """One warm process per driver and set of variables."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._workers: dict[str, _Worker] = {}
        self._closed = False

    def call(
        self, manifest: Manifest, env: Mapping[str, str], method: str, args: list[Any], mode: Mode = Mode.DISCOVERY
    ) -> Answer:
        """Ask the driver. Raises ConnectionError in one sentence when the system does not answer in time."""
        if method not in METHODS:
            raise ValueError(f"{method} is no question a driver answers")
        worker = self._worker(manifest, env)
        with worker.lock:
            answer = worker.ask(method, args, mode, self._timeout)
            if answer is None:
                died = not worker.alive
                self._drop(worker)
                raise self._silence(manifest, died)
        lines = [json.loads(line) for line in str(answer.get("report", "")).splitlines() if line.startswith("{")]
        return Answer(answer.get("value"), answer.get("error"), lines)

    def warm(self, manifest: Manifest, env: Mapping[str, str]) -> None:
        """Have the process ready before it is needed."""
        self._worker(manifest, env)

    def cancel(self) -> None:
        """End calls that are under way."""
        with self._lock:
            busy = [worker for worker in self._workers.values() if worker.lock.locked()]
        for worker in busy:
            self._drop(worker)

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            workers = list(self._workers.values())
            self._workers.clear()
        for worker in workers:
            worker.close()

    def _worker(self, manifest: Manifest, env: Mapping[str, str]) -> _Worker:
        with self._lock:
            if self._closed:
                raise SandboxUnavailable("This session is closed.")
            worker = self._workers.get(manifest.name)
            if worker and worker.alive and worker.env == dict(env) and worker.stamp == place.stamp():
                return worker
            if worker:
                worker.close()
            worker = self._workers[manifest.name] = _Worker(manifest, env)
            return worker

    def _drop(self, worker: _Worker) -> None:
        with self._lock:
            for name, entry in list(self._workers.items()):
                if entry is worker:
                    del self._workers[name]
        worker.close()

    def _silence(self, manifest: Manifest, died: bool) -> Exception:
        if died:
            return RunFailed(
                f"The process that asks {manifest.label} ended unexpectedly.", "Nothing was read. Try again."
            )
        names = [variable.name for variable in manifest.env if f"{{{variable.name}}}" in str(manifest.hosts)]
        check = f", check {names[0]}" if names else ""
        return ConnectionError(
            f"I couldn't connect to {manifest.label}: it did not answer within {self._timeout:.0f} s. "
            f"Nothing was read. Try again{check}, or go on from the standard {manifest.label} schema."
        )

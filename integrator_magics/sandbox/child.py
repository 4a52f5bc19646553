"""Level "none": a fresh child process that sees this machine, for runs where that is acceptable (practice data)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from ..broker import Broker
from ..errors import SandboxUnavailable
from . import place
from .prepared import Pool, Prepared, prepare
from .protocols import Level, RunSpec
from .session import Preparation, ScriptSession
from .surroundings import surroundings
from .ways import from_outside, opened

__all__ = ["ChildProcess"]


class ChildProcess:
    """A process with limits and no variables but those of the run; it could read this user's files.

    It can start no process and signal none, where the kernel has seccomp.
    """

    name = "embedded"

    def __init__(
        self, reason: str = "", preload: Callable[[], Sequence[str]] = tuple, broker: Broker | None = None
    ) -> None:
        self._level = Level("none", reason)
        self._preload = preload
        self._broker = broker
        self._pool = Pool(self._make, lambda: (tuple(preload()), place.stamp()))

    def probe(self) -> Level:
        return self._level

    def open(self, spec: RunSpec) -> ScriptSession:
        prepared = self._pool.take()
        try:
            way = opened(self._broker, spec.systems, spec.mode)
            env = from_outside(way, spec.env, spec.systems, prepared.folder) if way else dict(spec.env)
        except SandboxUnavailable:
            prepared.close()
            raise
        wanted = Preparation(
            script=str(prepared.code / "script.py"),
            cwd=str(prepared.work),
            report=str(prepared.report),
            env={**env, **surroundings(), "HOME": str(prepared.work), "TMPDIR": str(prepared.work)},
            way=way,
        )
        return ScriptSession(spec, prepared, wanted, self._pool.refill)

    def warm(self) -> None:
        self._pool.refill()

    def close(self) -> None:
        self._pool.close()

    def _make(self, key: object) -> Prepared:
        command = place.interpreter(str(place.INSIDE.parent))
        on_linux = sys.platform.startswith("linux")
        return prepare(lambda folder: command, list(self._preload()), die_with_parent=on_linux, key=key)

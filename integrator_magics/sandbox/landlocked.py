"""Level "reduced": for Linux machines where no namespaces can be made, such as many containers.

A child process that puts walls around itself before it takes a script (see inside.walls): it opens its own folder, the
interpreter, packages and certificates, and nothing else; it connects through the host only. Unlike in the level "full"
it can see that a file is there, and shares the machine's list of hosts.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence

from ..broker import Broker
from ..errors import SandboxUnavailable
from . import place
from .egress import plan
from .prepared import Pool, Prepared, prepare
from .protocols import Level, RunSpec
from .session import Preparation, ScriptSession
from .shipped import shipped
from .surroundings import surroundings
from .ways import from_inside, opened

__all__ = ["Landlocked"]

_READ = (
    *("/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/local/lib", "/lib", "/lib64", "/lib32"),
    *("/usr/share/zoneinfo", "/usr/share/ca-certificates", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
    *("/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/alternatives", "/etc/localtime", "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf"),
    *("/dev/zero", "/dev/urandom", "/dev/random", "/proc/self", "/proc/meminfo", "/proc/cpuinfo"),
)


class Landlocked:
    """One process for one run; the next is prepared in the background. `why` is why there is no better level."""

    name = "embedded"

    def __init__(
        self, why: str = "", preload: Callable[[], Sequence[str]] = tuple, broker: Broker | None = None
    ) -> None:
        self._why = why
        self._broker = broker
        self._preload = preload
        self._pool = Pool(self._make, lambda: (tuple(preload()), place.stamp()))
        self._lock = threading.Lock()
        self._level: Level | None = None

    def probe(self) -> Level:
        with self._lock:
            if self._level is None:
                self._level = _tried(self._why)
            return self._level

    def open(self, spec: RunSpec) -> ScriptSession:
        level = self.probe()
        if level.name != "reduced":
            raise SandboxUnavailable(f"This machine offers no isolation for scripts ({level.reason}).")
        route = plan(spec.egress, spec.env)
        env = {**spec.env, **route.env}
        prepared = self._pool.take()
        work = str(prepared.work)
        files, paths = shipped(spec.env, f"{work}/.files")
        try:
            way = opened(self._broker, spec.systems, spec.mode)
        except SandboxUnavailable:
            prepared.close()
            raise
        if way:
            env, trusted = from_inside(way, spec, route, f"{work}/.files/broker.pem")
            files |= trusted
        wanted = Preparation(
            script=str(prepared.code / "script.py"),
            cwd=work,
            report=str(prepared.report),
            env={**env, **surroundings(), "HOME": work, "TMPDIR": work, "USER": "script", **paths},
            files=files,
            listen=route.listen,
            way=way,
            has_walls=True,
        )
        return ScriptSession(spec, prepared, wanted, self._pool.refill)

    def warm(self) -> None:
        if self.probe().name == "reduced":
            self._pool.refill()

    def close(self) -> None:
        self._pool.close()

    def _make(self, key: object) -> Prepared:
        return _start(list(self._preload()), key)


def _start(preload: list[str], key: object = None) -> Prepared:
    command = place.interpreter(str(place.INSIDE.parent))
    return prepare(lambda folder: command, preload, die_with_parent=True, key=key, walls=_walls)


def _walls(prepared: Prepared) -> dict[str, list[str]]:
    return {
        "read": [*_READ, *map(str, place.read_only()), str(prepared.code)],
        "write": [str(prepared.work), str(prepared.report), "/dev/null"],
    }


def _tried(why: str) -> Level:
    """Put the walls up in a process and try what must not be possible."""
    because = f"{why}, and walls without it" if why else "walls without namespaces"
    if not sys.platform.startswith("linux"):
        return Level("none", why)
    try:
        found = _self_test()
    except SandboxUnavailable as exc:
        said = exc.next.removeprefix("It said: ").removeprefix("inside.walls.WallsError: ")
        return Level("none", f"{because} are not possible: {said}")
    if holes := [name for name, got_through in found.items() if got_through]:
        return Level("none", f"{because} let through: {', '.join(holes)}")
    return Level("reduced", "; ".join(filter(None, (why, "Landlock and seccomp wall off files and network"))))


def _self_test() -> Mapping[str, object]:
    with (
        tempfile.NamedTemporaryFile(prefix="integrator-probe-") as canary,
        socket.create_server(("127.0.0.1", 0)) as server,
        contextlib.closing(_start([])) as prepared,
    ):
        prepared.ready()
        job = {"kind": "probe", "file": canary.name, "address": "127.0.0.1", "port": server.getsockname()[1]}
        answer: Mapping[str, object] = prepared.ask({**job, "walls": True}, 10.0)
        return answer

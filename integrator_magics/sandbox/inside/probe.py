"""Tries what must not be possible in a sandbox, and says what was."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import confine

__all__ = ["tried"]


def tried(job: Mapping[str, Any]) -> dict[str, Any]:
    """What got through, each False where it did not; with `walls` in the job, from behind those."""
    if job.get("walls"):
        return {
            "process": not confine.forbid_processes() or _works(_fork),
            "file": _works(lambda: Path(job["file"]).read_bytes()),
            "writing": _works(lambda: Path(job["file"]).write_bytes(b"x")),
            "mode": _works(lambda: Path(job["file"]).chmod(0o777)),
            "port": _works(lambda: socket.create_connection((job["address"], job["port"]), timeout=2).close()),
            "datagram": _works(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()),
            "unix socket": _works(lambda: socket.socket(socket.AF_UNIX).close()),
            "parent": _works(lambda: Path("/proc", str(os.getppid()), "environ").read_bytes()),
            "signal": _works(lambda: os.kill(os.getppid(), 0)),
        }
    found: dict[str, Any] = {"file": os.path.lexists(job["file"])}
    found["port"] = _works(lambda: socket.create_connection((job["address"], job["port"]), timeout=2).close())
    found["environment"] = 0
    with contextlib.suppress(OSError):
        found["environment"] = len(Path("/proc/1/environ").read_bytes())
    return found


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)

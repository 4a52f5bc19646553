"""Level "remote": each run on a machine of its own at E2B, with its network closed but for the hosts of the run."""

from __future__ import annotations

import getpass
import hashlib
import os
import threading
import uuid
from typing import TYPE_CHECKING, Any

from ...config import home
from ...errors import SandboxUnavailable
from ..prepared import no_room
from ..protocols import Level, RunSpec
from ..session import Preparation, ScriptSession
from ..shipped import shipped
from ..surroundings import surroundings
from .bundle import Bundle, bundle
from .machine import ROOM, Machine
from .network import reach
from .process import RemoteProcess
from .sweep import sweep

if TYPE_CHECKING:
    from e2b import E2B

__all__ = ["BY_CHECK", "E2BSandbox"]

BY_CHECK = "read-only by check, not by network"
WORK = f"{ROOM}/work"
_USER = 61_234


class E2BSandbox:
    """Machines at E2B with this key; `connection` are options of the SDK such as api_url."""

    name = "e2b"

    def __init__(self, key: str, **connection: Any) -> None:
        self._key = key
        self._connection = connection
        self._lock = threading.Lock()
        self._found: tuple[E2B, Bundle] | None = None

    def probe(self) -> Level:
        return Level("remote", BY_CHECK)

    def open(self, spec: RunSpec) -> ScriptSession:
        way = reach(spec.egress)
        client, bundle = self._prepared()
        files, paths = shipped(spec.env, f"{ROOM}/files")
        wanted = Preparation(
            script=f"{ROOM}/script.py",
            cwd=WORK,
            report=f"{ROOM}/report.jsonl",
            env={**spec.env, **surroundings(), "HOME": WORK, "TMPDIR": "/tmp", "USER": "script", **paths},
            files=files,
        )
        system = {
            "/etc/hosts": way.hosts,
            "/etc/passwd": [f"script:x:{_USER}:{_USER}::{WORK}:/bin/false"],
            "/etc/group": [f"script:x:{_USER}:"],
        }
        facts = {"integrator": owner(), "pid": str(os.getpid()), "run_id": uuid.uuid4().hex, "user": _person()}
        machine = Machine(client, bundle, way, facts)
        try:
            process = RemoteProcess(machine, spec, system)
        except OSError as exc:
            raise no_room(exc) from exc
        return ScriptSession(spec, process, wanted, lambda: None)

    def warm(self) -> None:
        """Nothing: a machine that waits costs money."""

    def close(self) -> None:
        """Nothing waits."""

    def _prepared(self) -> tuple[E2B, Bundle]:
        """The client and the drivers; machines that an earlier program left behind are ended at the first call."""
        with self._lock:
            if self._found is None:
                try:
                    from e2b import E2B
                except ImportError as exc:
                    raise SandboxUnavailable("The package e2b is not installed, so nothing runs at E2B.") from exc
                client = E2B(api_key=self._key, **self._connection)
                self._found = client, bundle()
                threading.Thread(target=sweep, args=(client, owner()), name="integrator-e2b-sweep", daemon=True).start()
            return self._found


def owner() -> str:
    """Stands for this state folder on this computer, without naming either."""
    return hashlib.sha256(f"{uuid.getnode()}:{home()}".encode()).hexdigest()[:16]


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name
        return str(os.getuid())

"""Who is logged in where: each driver's own `authorize`, called once, and again when a session has ended."""

from __future__ import annotations

import hashlib
import importlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from integrator_drivers.access import Access
from integrator_drivers.errors import DriverError

from .refusal import Refused
from .system import System

__all__ = ["Logins"]


@dataclass
class _Login:
    lock: threading.Lock = field(default_factory=threading.Lock)
    access: Access | None = None
    number: int = 0


class Logins:
    """Sessions by system and credentials, shared by all runs. `told(secret, name)` hears of values to hide in texts."""

    def __init__(self, told: Callable[[str, str], None]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._logins: dict[str, _Login] = {}

    def get(self, system: System, ended: int = 0) -> tuple[Access, int, bool]:
        """The session, its number, and whether it was opened just now. `ended`: the number of one that has ended.

        Raises Refused with the driver's sentence where the login fails.
        """
        if not system.authorize:
            return Access({}), 0, False
        login = self._login(system)
        with login.lock:
            if login.access is not None and login.number != ended:
                return login.access, login.number, False
            login.access = None
            login.access = self._authorize(system)
            login.number += 1
            return login.access, login.number, True

    def _login(self, system: System) -> _Login:
        key = json.dumps([system.name, system.authorize, sorted(system.env.items())])
        with self._lock:
            return self._logins.setdefault(hashlib.sha256(key.encode()).hexdigest(), _Login())

    def _authorize(self, system: System) -> Access:
        module, _, name = system.authorize.partition(":")
        try:
            access: Access = getattr(importlib.import_module(module), name)(dict(system.env))
        except DriverError as exc:
            kind = next(entry.__name__ for entry in type(exc).__mro__ if entry.__module__ == DriverError.__module__)
            raise Refused(str(exc), kind, 502) from exc
        for value in access.headers.values():
            self._told(value.rpartition(" ")[2], f"{system.name} session")
        return access

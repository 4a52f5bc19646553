"""One run's way out: the systems it may use, the listeners it reaches them by, and what went through."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrator_drivers.mode import Mode

from .authority import Authority
from .calls import Calls
from .http import PROXY, serve_http
from .logins import Logins
from .refusal import Refused
from .rules import Rules
from .system import Destination, System
from .upstream import Stream, Upstreams

__all__ = ["Passage", "Shared"]

MOST = 200  # connections at a time
END = 5.0  # seconds to wait for threads when it closes


@dataclass(frozen=True)
class Shared:
    """What all runs of one broker have in common."""

    authority: Authority
    logins: Logins
    upstreams: Upstreams


class Passage:
    """Opened for one run and closed after it. `told(host, port, allowed)` hears of every place a script connects to."""

    def __init__(
        self,
        shared: Shared,
        systems: list[System],
        mode: Mode,
        token: str,
        told: Callable[[str, int, bool], None],
        *,
        as_reader: bool = True,
    ) -> None:
        self.authority = shared.authority
        self.logins = shared.logins
        self.upstreams = shared.upstreams
        self.mode = mode
        self.token = token
        self.as_reader = as_reader and mode is not Mode.APPLY  # log in to databases with the read-only role
        self.calls = Calls()
        self.keys: set[bytes] = set()  # of its open database connections
        self._rules = {system.name: Rules(system.label, system.http, mode) for system in systems}
        self._at = {(host.lower(), port): system for system in systems for host, port in system.endpoints}
        self._told = told
        self._egress: Counter[tuple[str, int, bool]] = Counter()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._is_closed = False

    def serve(self, listener: socket.socket, destination: Destination) -> None:
        """Take connections from `listener` to the destination, or to any allowed one for PROXY."""
        listener.setblocking(True)
        self.keep(listener)
        self._run(self._accept, listener, destination)

    def close(self) -> dict[str, Any]:
        """End all connections; what went through: {calls, left_out, egress [{host, port, allowed, count}]}."""
        with self._lock:
            self._is_closed = True
            for entry in self._open:
                with contextlib.suppress(OSError):
                    entry.shutdown(socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join(END)
        with self._lock:
            egress = [
                {"host": host, "port": port, "allowed": allowed, "count": count}
                for (host, port, allowed), count in sorted(self._egress.items())
            ]
        return {**self.calls.told(), "egress": egress}

    def allowed(self, host: str, port: int) -> Destination:
        """The place itself, if the run may reach it. Raises Refused."""
        destination = (host.lower(), port)
        is_allowed = destination in self._at
        self._tell(destination, is_allowed)
        if not is_allowed:
            raise Refused(f"{host}:{port} is not a host of the systems this script uses.")
        return destination

    def system_at(self, destination: Destination) -> System:
        """Whose host that is."""
        return self._at[destination[0].lower(), destination[1]]

    def rules(self, system: System) -> Rules:
        """What may be asked of it."""
        return self._rules[system.name]

    def keep(self, entry: socket.socket) -> None:
        """Close it together with the passage."""
        with self._lock:
            if not self._is_closed:
                self._open.add(entry)
                return
        with contextlib.suppress(OSError):
            entry.shutdown(socket.SHUT_RDWR)

    def forget(self, entry: socket.socket) -> None:
        """It is closed elsewhere."""
        with self._lock:
            self._open.discard(entry)

    def _tell(self, destination: Destination, is_allowed: bool) -> None:
        with self._lock:
            self._egress[(*destination, is_allowed)] += 1
            is_first = self._egress[(*destination, is_allowed)] == 1
        if is_first:
            self._told(*destination, is_allowed)

    def _run(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=self._worked, args=(work, *args), name="integrator-passage", daemon=True)
        with self._lock:
            if self._is_closed:
                return
            self._threads.add(thread)
            thread.start()

    def _worked(self, work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _accept(self, listener: socket.socket, destination: Destination) -> None:
        with listener:
            while True:
                try:
                    stream, _ = listener.accept()
                except OSError:
                    break
                with self._lock:
                    is_full = len(self._threads) > MOST
                if is_full:
                    stream.close()
                else:
                    self._run(self._serve, stream, destination)
            self.forget(listener)

    def _serve(self, stream: Stream, destination: Destination) -> None:
        self.keep(stream)
        with stream, contextlib.suppress(OSError):  # one of the sides is gone, and the other is told by the close
            if stream.family != socket.AF_UNIX:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if destination != PROXY:
                self._tell(destination, True)
                if self.system_at(destination).kind == "sql":
                    from .postgres import serve_postgres

                    serve_postgres(self, stream, destination)
                    return
            serve_http(self, stream, destination)
        self.forget(stream)

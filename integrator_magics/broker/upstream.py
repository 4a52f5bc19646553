"""Connections to systems: dialled, checked, and kept open for the next request, also of another run."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections import defaultdict

from .system import Destination

__all__ = ["DIAL", "Stream", "Upstreams", "dial", "is_loopback"]

DIAL = 10.0  # seconds to reach a host
IDLE = 45.0  # seconds a connection is kept for the next request
KEPT = 8  # idle connections per host
READ = 150.0  # seconds of silence after which a system counts as gone
Stream = socket.socket  # or the ssl.SSLSocket that is one


class Upstreams:
    """Idle connections by scheme, host and port. Any thread may take and give."""

    def __init__(self, ca_file: str = "") -> None:
        self.ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._idle: defaultdict[tuple[bool, Destination], list[tuple[float, Stream]]] = defaultdict(list)

    def take(self, destination: Destination, *, tls: bool) -> tuple[Stream, bool]:
        """A connection, and whether it was used before. Raises OSError (ssl.SSLError is one)."""
        while True:
            with self._lock:
                idle = self._idle[tls, destination]
                entry = idle.pop() if idle else None
            if entry is None:
                return self._dial(destination, tls=tls), False
            since, stream = entry
            if time.monotonic() - since < IDLE and _is_alive(stream):
                return stream, True
            stream.close()

    def give(self, destination: Destination, stream: Stream, *, tls: bool) -> None:
        """Keep a connection on which nothing is under way."""
        with self._lock:
            idle = self._idle[tls, destination]
            if len(idle) < KEPT:
                idle.append((time.monotonic(), stream))
                return
        stream.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            for idle in self._idle.values():
                while idle:
                    idle.pop()[1].close()

    def _dial(self, destination: Destination, *, tls: bool) -> Stream:
        stream = dial(destination)
        if tls:
            try:
                stream = self._trusting().wrap_socket(stream, server_hostname=destination[0])
            except OSError:
                stream.close()
                raise
        stream.settimeout(READ)
        return stream

    def _trusting(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context()
                if self.ca_file:
                    self._context.load_verify_locations(self.ca_file)
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context


def dial(destination: Destination) -> socket.socket:
    """Connect to a host and port, or to PostgreSQL's socket in a folder (a host that begins with a slash)."""
    host, port = destination
    if host.startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.settimeout(DIAL)
        try:
            server.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            server.close()
            raise
        return server
    server = socket.create_connection((host, port), timeout=DIAL)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return server


def is_loopback(host: str) -> bool:
    """Does the name or address mean this machine?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_alive(stream: Stream) -> bool:
    """Nothing may be waiting on an idle connection: an end, or bytes nobody asked for, make it useless."""
    timeout = stream.gettimeout()
    stream.setblocking(False)
    try:
        stream.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            stream.settimeout(timeout)
    return False

"""The only way out of a sandbox: sockets that listen inside it, and end here at hosts that are allowed."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterable

__all__ = ["PROXY", "Bridge", "Destination"]

Destination = tuple[str, int]
PROXY: Destination = ("", 0)  # a listener that speaks HTTP proxy instead of leading to one place
DIAL = 10.0  # seconds to reach a host
HEAD = 64 * 1024  # bytes of a proxy request's head
MOST = 200  # connections at a time
_CONNECT = re.compile(rb"CONNECT \[?([^\s\]]+?)\]?:(\d{1,5}) HTTP/1\.[01]$")
_PLAIN = re.compile(rb"([A-Z]+) http://\[?([^\s/\]:]+)\]?(?::(\d{1,5}))?(/\S*)? (HTTP/1\.[01])$")


class Bridge:
    """Accepts on listeners that were opened inside, and connects them to the host they stand for.

    `told(host, port, allowed)` is called for every connection, from threads of this object.
    """

    def __init__(self, allowed: Iterable[Destination], told: Callable[[str, int, bool], None]) -> None:
        self._allowed = {(host.lower(), port) for host, port in allowed}
        self._told = told
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def serve(self, listener: socket.socket, destination: Destination) -> None:
        """Take connections from `listener` to the destination, or to any allowed one for PROXY."""
        listener.setblocking(True)
        self._keep(listener)
        self._run(self._accept, listener, destination)

    def close(self) -> None:
        """End all connections and wait for the threads."""
        with self._lock:
            self._closed = True
            for entry in self._open:
                with contextlib.suppress(OSError):
                    entry.shutdown(socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(DIAL + 1)

    def _run(self, work: Callable[..., None], *args: object) -> threading.Thread | None:
        thread = threading.Thread(target=self._worked, args=(work, *args), name="integrator-bridge", daemon=True)
        with self._lock:
            if self._closed:
                return None
            self._threads.add(thread)
            thread.start()
        return thread

    def _worked(self, work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _accept(self, listener: socket.socket, destination: Destination) -> None:
        try:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                self._keep(client)
                if len(self._threads) > MOST:
                    self._drop(client)
                    continue
                self._run(self._connect, client, destination)
        finally:
            self._drop(listener)

    def _connect(self, client: socket.socket, destination: Destination) -> None:
        try:
            first = b""
            if destination == PROXY:
                asked = self._asked(client)
                if asked is None:
                    return
                destination, answer, first = asked
            else:
                answer = b""
                self._told(*destination, True)
            try:
                server = _dial(destination)
            except OSError:
                if answer or first:
                    client.sendall(_refusal(b"502 Bad Gateway", f"{destination[0]} did not answer."))
                else:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # close with a reset
                return
            self._keep(server)
            try:
                client.settimeout(None)
                client.sendall(answer)
                server.sendall(first)
                back = self._run(_answer_once if first and not answer else _pump, server, client)
                _pump(client, server)
                if back:
                    back.join()  # the client has sent everything; the answer may still be on its way
            finally:
                self._drop(server)
        except OSError:
            return  # the other side is gone
        finally:
            self._drop(client)

    def _asked(self, client: socket.socket) -> tuple[Destination, bytes, bytes] | None:
        """What a proxy client wants: where to, what to answer it, what to send on. None: answered with a refusal."""
        client.settimeout(DIAL)
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data or len(head) > HEAD:
                return None
            head += data
        line, _, rest = head.partition(b"\r\n")
        if found := _CONNECT.match(line):
            destination = (found[1].decode("ascii", "replace").lower(), int(found[2]))
            answer, first = b"HTTP/1.1 200 Connection established\r\n\r\n", head.partition(b"\r\n\r\n")[2]
        elif found := _PLAIN.match(line):
            destination = (found[2].decode("ascii", "replace").lower(), int(found[3] or 80))
            start = b" ".join((found[1], found[4] or b"/", found[5]))
            answer, first = b"", _closing(start + b"\r\n" + rest)
        else:
            client.sendall(_refusal(b"400 Bad Request", "This is not a request for a proxy."))
            return None
        is_allowed = destination in self._allowed
        self._told(*destination, is_allowed)
        if not is_allowed:
            text = f"{destination[0]}:{destination[1]} is not a host of the systems this script uses."
            client.sendall(_refusal(b"403 Forbidden", text))
            return None
        return destination, answer, first

    def _keep(self, entry: socket.socket) -> None:
        with self._lock:
            if not self._closed:
                self._open.add(entry)
                return
        entry.close()

    def _drop(self, entry: socket.socket) -> None:
        with self._lock:
            self._open.discard(entry)
        entry.close()


def _answer_once(source: socket.socket, sink: socket.socket) -> None:
    """Copy the answer to a plain request, telling the client that no second one may follow on this connection."""
    head = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in head and len(head) < HEAD and (data := source.recv(4096)):
            head += data
        sink.sendall(_closing(head))
    _pump(source, sink)


def _closing(head: bytes) -> bytes:
    """A request or answer with `Connection: close` instead of what it said about the connection."""
    start, _, rest = head.partition(b"\r\n")
    fields, end, body = rest.partition(b"\r\n\r\n")
    fields = re.sub(rb"(?im)^(?:proxy-)?connection:[^\r\n]*(?:\r\n|\Z)", b"", fields)
    return start + b"\r\nConnection: close\r\n" + fields + end + body


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends, then tell the sink so."""
    buffer = memoryview(bytearray(256 * 1024))
    with contextlib.suppress(OSError):
        while count := source.recv_into(buffer):
            sink.sendall(buffer[:count])
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _dial(destination: Destination) -> socket.socket:
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
    else:
        server = socket.create_connection((host, port), timeout=DIAL)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.settimeout(None)
    return server


def _refusal(status: bytes, text: str) -> bytes:
    body = text.encode()
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body

"""A made-up system that keeps every byte it gets, and the way to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrator_magics.broker.passage import Passage

TOKEN = "integrator-placeholder-0"
HTTP = {
    "rows": ["results"],
    "read": [
        "GET /v1/**",
        {"on": "GET /v1/query", "soql": "q"},
        {"on": "POST /v1/*/search", "soql": "query"},
        {"on": "POST /login", "login": True},
    ],
    "write": [
        "POST /v1/*/batch",
        {"on": "POST /v1/jobs", "body": {"operation": ["insert", "update"]}},
        "PUT /v1/jobs/*/data",
    ],
    "never": ["DELETE **", "* **/archive", "* **/executeAnonymous*"],
}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\nSet-Cookie: sid=1\r\n\r\n{}"


@dataclass
class Acme:
    """Answers each request with `answer(head)`; `seen` holds head and body of every one."""

    answer: Callable[[bytes], bytes] = lambda head: OK
    seen: list[tuple[bytes, bytes]] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    connections: int = 0

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(stream,), daemon=True).start()

    def _talk(self, stream: socket.socket) -> None:
        data = b""
        with stream, contextlib.suppress(ConnectionResetError):
            while True:
                while b"\r\n\r\n" not in data:
                    part = stream.recv(65536)
                    if not part or part.startswith(b"\x16"):  # no TLS here
                        return
                    data += part
                head, _, data = data.partition(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                while len(data) < length:
                    data += stream.recv(65536)
                if b"transfer-encoding: chunked" in head.lower():
                    while not data.endswith(b"0\r\n\r\n"):
                        part = stream.recv(65536)
                        if not part:
                            return
                        data += part
                    length = len(data)
                self.seen.append((head, data[:length]))
                data = data[length:]
                answer = self.answer(head)
                stream.sendall(answer)
                if b"connection: close" in answer.lower():
                    return


@dataclass
class Door:
    """A passage and its two listeners: one straight to Acme, one proxy."""

    passage: Passage
    direct: int
    proxy: int
    told: list[Any]
    secrets: list[str]

    def raw(self, data: bytes, port: int = 0) -> bytes:
        """Send these bytes on a connection of its own; everything that comes back."""
        with socket.create_connection(("127.0.0.1", port or self.direct), timeout=10) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            found = b""
            while part := client.recv(65536):
                found += part
            return found

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
        """One plain request with the placeholder."""
        lines = [f"{method} {target} HTTP/1.1", "Host: acme", f"Authorization: Bearer {TOKEN}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body:
            lines += [f"Content-Length: {len(body)}"]
            lines += ["Content-Type: application/json"] if "Content_Type" not in headers else []
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

"""The network of a machine: every connection ends here, and goes on only where the machine's rules let it.

As E2B does it: on port 443 the name in the TLS handshake counts, on port 80 the Host header, elsewhere the address.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DIAL = 10.0


@dataclass
class Internet:
    """Names with a public-looking address, and where their ports really lead on this machine."""

    addresses: dict[str, str] = field(default_factory=dict)  # name -> address
    ports: dict[tuple[str, int], int] = field(default_factory=dict)  # (address, port) -> port on 127.0.0.1

    def add(self, name: str, address: str, ports: Mapping[int, int]) -> None:
        self.addresses[name.lower()] = address
        self.ports |= {(address, port): real for port, real in ports.items()}


class Gateway:
    """Takes the connections of one machine. `rules` may change at any time; `seen` keeps who went where."""

    def __init__(self, internet: Internet, rules: dict[str, Any], secrets: Mapping[str, str]) -> None:
        self._internet = internet
        self.rules = rules
        self._secrets = secrets
        self.seen: list[tuple[str, int, bool]] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def listening(self) -> list[int]:
        return sorted({80, 443, *(port for _, port in self._internet.ports)})

    def serve(self, listener: socket.socket) -> None:
        self._keep(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        with self._lock:
            for entry in self._open:
                with contextlib.suppress(OSError):
                    entry.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        listener.setblocking(True)
        with listener:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                self._keep(client)
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            address, port = client.getsockname()
            client.settimeout(DIAL)
            name, first = "", b""
            if port in (80, 443) and not self._allows_address(address):
                first = client.recv(65_536)
                name = _server_name(first) if port == 443 else _host(first)
                is_allowed = self._allows_name(name)
                address = self._internet.addresses.get(name, "")  # looked up again on this side
            else:
                is_allowed = self._allows_address(address)
            self.seen.append((name or address, port, is_allowed))
            real = self._internet.ports.get((address, port))
            if not is_allowed or real is None:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset
                return
            if port == 80:
                first = self._with_headers(name, first)
            with socket.create_connection(("127.0.0.1", real), timeout=DIAL) as server:
                self._keep(server)
                client.settimeout(None)
                server.settimeout(None)
                server.sendall(first)
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()

    def _allows_name(self, name: str) -> bool:
        allowed = self.rules.get("allowOut")
        if allowed is None and not self.rules.get("denyOut"):
            return True
        return any(
            name == entry or entry == "*" or (entry.startswith("*.") and name.endswith(entry[1:]))
            for entry in (text.lower() for text in allowed or ())
        )

    def _allows_address(self, address: str) -> bool:
        found = ipaddress.ip_address(address)
        if any(found in network for network in _networks(self.rules.get("allowOut"))):
            return True
        return not any(found in network for network in _networks(self.rules.get("denyOut")))

    def _with_headers(self, name: str, first: bytes) -> bytes:
        """Headers that a rule for this name adds or replaces, secrets filled in; to the first request only."""
        head, end, body = first.partition(b"\r\n\r\n")
        for rule in (self.rules.get("rules") or {}).get(name, ()):
            for header, value in rule.get("transform", {}).get("headers", {}).items():
                filled = re.sub(r"\$\{e2b\.secrets\.([\w-]+)\}", lambda found: self._secrets[found[1]], value)
                head = re.sub(rb"(?im)\r\n" + re.escape(header.encode()) + rb":[^\r\n]*", b"", head)
                head += f"\r\n{header}: {filled}".encode()
        return head + end + body

    def _keep(self, entry: socket.socket) -> None:
        with self._lock:
            self._open.add(entry)


def _networks(entries: list[str] | None) -> list[ipaddress.IPv4Network]:
    found = []
    for entry in entries or ():
        with contextlib.suppress(ValueError):
            found.append(ipaddress.IPv4Network(entry))
    return found


def _host(request: bytes) -> str:
    found = re.search(rb"(?im)^host:\s*([^\s:]+)", request)
    return found[1].decode("ascii", "replace").lower() if found else ""


def _server_name(hello: bytes) -> str:
    """The name in a TLS ClientHello (RFC 8446 4.1.2, RFC 6066 3), "" without one."""
    try:
        if hello[0] != 22 or hello[5] != 1:
            return ""
        at = 9 + 2 + 32
        at += 1 + hello[at]  # session id
        at += 2 + int.from_bytes(hello[at : at + 2], "big")  # cipher suites
        at += 1 + hello[at]  # compression
        end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 2
        while at < end:
            kind, size = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
            if kind == 0:
                length = int.from_bytes(hello[at + 7 : at + 9], "big")
                return hello[at + 9 : at + 9 + length].decode("ascii", "replace").lower()
            at += 4 + size
    except IndexError:
        return ""
    return ""


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

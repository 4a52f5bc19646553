"""What a machine at E2B may reach: host names on 443, and addresses of everything else.

E2B compares names with the name in the TLS handshake (port 443) or the Host header (port 80); on every other port it
knows addresses only. Name servers stay closed, because a name that is asked for can carry data out; the names stand in
the machine's hosts file.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...errors import SandboxUnavailable
from .words import EMBEDDED

__all__ = ["Reach", "reach"]

Destination = tuple[str, int]
_BY_NAME = (80, 443)


@dataclass
class Reach:
    """The rules for E2B, and lines for the machine's hosts file."""

    allow: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)

    @property
    def rules(self) -> dict[str, Any]:
        """As the SDK takes them when a machine is made."""
        return {**self.update, "allow_public_traffic": False}

    @property
    def update(self) -> dict[str, Any]:
        """As the SDK takes them for a machine that runs: every rule that is left out would be cleared."""
        return {"allow_out": self.allow, "deny_out": ["0.0.0.0/0"], "dns_servers": []}


def reach(egress: Iterable[Destination]) -> Reach:
    """How these hosts are reached from E2B. Raises SandboxUnavailable for one that is not, naming it."""
    found = Reach()
    for host, port in dict.fromkeys(egress):
        addresses = _addresses(host, port)
        if inner := next((address for address in addresses if not address.is_global), None):
            where = host if host == str(inner) else f"{host} ({inner})"
            raise SandboxUnavailable(
                f"{where} is in a private network or on this machine, where E2B can't reach it, so nothing ran.",
                EMBEDDED,
            )
        if not addresses and port not in _BY_NAME:
            raise SandboxUnavailable(
                f"The address of {host} was not found, and without it E2B can't be told to let the script reach it; "
                "nothing ran.",
                "Check the name in .env.",
            )
        is_name = not any(str(address) == host for address in addresses)
        if is_name and port in _BY_NAME:
            found.allow.append(host.lower())
        else:
            found.allow += [f"{address}/32" for address in addresses]
        if is_name and addresses:
            found.hosts.append(f"{addresses[0]} {host}")
    found.allow, found.hosts = list(dict.fromkeys(found.allow)), list(dict.fromkeys(found.hosts))
    return found


def _addresses(host: str, port: int) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses of a host, the only kind E2B's rules know; none for a name nobody knows."""
    if host.startswith("/"):  # a socket in a folder of this machine
        return [ipaddress.IPv4Address("127.0.0.1")]
    try:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return []
    return [ipaddress.IPv4Address(address[0]) for *_, address in dict.fromkeys(found)]

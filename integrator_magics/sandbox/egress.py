"""Which hosts a run may reach, and how it finds them from inside a sandbox that has no network but loopback."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from integrator_drivers.manifest import Manifest

from ..errors import ConfigError
from .bridge import PROXY, Destination

__all__ = ["Plan", "base_urls", "endpoints", "is_loopback", "plan"]

_UNPRIVILEGED = 1024
_HIGH = 20_000  # added to a low port that can't be listened on inside


@dataclass
class Plan:
    """Listeners inside (address, port, where they lead), lines for the hosts file, and variables that point there."""

    listen: list[tuple[str, int, Destination]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)


def endpoints(manifest: Manifest, env: Mapping[str, str]) -> list[Destination]:
    """Host and port of everything this driver may reach with these variables.

    The hosts of its manifest and every declared *_BASE_URL; where all of those are on this machine, only those.
    Raises ConfigError for an address that is none.
    """
    urls = base_urls(manifest, env)
    if urls and all(is_loopback(host) for host, _ in urls):
        return urls
    try:
        return list(dict.fromkeys([*manifest.egress(env), *urls]))
    except ValueError as exc:
        names = ", ".join(variable.name for variable in manifest.env if f"{{{variable.name}}}" in str(manifest.hosts))
        raise ConfigError(
            f"A port of {manifest.label} is no number, so nothing ran.", f"Check {names} in .env."
        ) from exc


def base_urls(manifest: Manifest, env: Mapping[str, str]) -> list[Destination]:
    """Host and port of each declared *_BASE_URL variable that is set. Raises ConfigError for one that is no address."""
    found = []
    for variable in manifest.env:
        url = env.get(variable.name) if variable.name.endswith("_BASE_URL") else None
        if not url:
            continue
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)
        except ValueError:
            host, port = None, 0
        if not host:
            raise ConfigError(
                f"{variable.name} is no address such as https://acme.example, so nothing ran.", "Correct it in .env."
            )
        found.append((host, port))
    return found


def is_loopback(host: str) -> bool:
    """Does the name or address mean this machine?"""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def plan(allowed: Iterable[Destination], env: Mapping[str, str]) -> Plan:
    """How to offer these hosts inside.

    This machine's ports under the same number. A name gets a loopback address of its own in the hosts file, so that
    clients keep the name (and check certificates for it). Addresses, low ports and everything HTTP go by the proxy.
    """
    found = Plan(hosts=["127.0.0.1 localhost"])
    ports, direct = set(), ["localhost", "127.0.0.1", "::1"]
    for number, (host, port) in enumerate(dict.fromkeys(allowed), start=1):
        ports.add(port)
        is_high, address = port >= _UNPRIVILEGED, _address(host)
        if is_loopback(host) and is_high:
            found.listen.append((host if address else "127.0.0.1", port, (host, port)))
        elif host == env.get("PGHOST"):
            own, inside = f"127.1.{number >> 8}.{number & 255}", port if is_high else port + _HIGH
            found.env |= {"PGHOSTADDR": own, "PGPORT": str(inside)}
            found.listen.append((own, inside, (host, port)))
        elif is_loopback(host):
            direct = []  # only by the proxy
        elif is_high and address is None and not host.startswith("/"):
            own = f"127.1.{number >> 8}.{number & 255}"
            found.hosts.append(f"{own} {host}")
            found.listen.append((own, port, (host, port)))
    proxy = next(port for port in range(3128, 3500) if port not in ports)
    found.listen.append(("127.0.0.1", proxy, PROXY))
    url = f"http://127.0.0.1:{proxy}"
    found.env |= dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), url)
    found.env |= dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(direct))
    return found


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

"""How a process gets to its systems when the broker stands between: placeholders, ports, a certificate to trust."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from integrator_drivers import Mode
from integrator_drivers.access import DATABASE
from integrator_drivers.manifest import Manifest

from ..broker import Broker, Destination, System, Way
from .bridge import PROXY
from .egress import Plan, endpoints, is_loopback
from .protocols import RunSpec

__all__ = ["Entrance", "described", "from_inside", "from_outside", "opened"]

CA = "/etc/integrator/broker.pem"


def described(manifest: Manifest, env: Mapping[str, str]) -> System:
    """A system for the broker, with its credentials. Raises ConfigError for an address that is none."""
    is_known = manifest.kind == "sql" or bool(manifest.authorize)
    base = next((env[v.name] for v in manifest.env if v.name.endswith("_BASE_URL") and env.get(v.name)), "")
    return System(
        name=manifest.name,
        label=manifest.label,
        kind="sql" if manifest.kind == "sql" else "http",
        endpoints=tuple(endpoints(manifest, env)),
        env=dict(env),
        http=manifest.http,
        authorize=manifest.authorize,
        prefix=urlsplit(base).path.rstrip("/"),
        # What the broker can't log in to keeps its variables; its requests are judged all the same.
        secrets=tuple(variable.name for variable in manifest.env if variable.secret) if is_known else (),
    )


def opened(broker: Broker | None, systems: Sequence[System], mode: Mode) -> Way | None:
    """A way out; None where there is no broker, or nothing to go to. Raises SandboxUnavailable."""
    return broker.open(systems, mode) if broker and systems else None


def from_inside(way: Way, spec: RunSpec, plan: Plan, ca: str = CA) -> tuple[dict[str, str], dict[str, bytes]]:
    """Variables and files for a sandbox with a network of its own, whose listeners are those of the plan.

    `ca`: where the certificate to trust will lie inside.
    """
    env = {**_placeholders(way, spec.env, spec.systems), **plan.env}
    if "PGHOSTADDR" in plan.env:  # the port is the server's own, as people know it
        env["PGPORT"] = spec.env.get("PGPORT", "5432")
    at = {destination: f"{address}:{port}" for address, port, destination in plan.listen}
    for destination in _databases(spec.systems):
        env[DATABASE] = at[destination]
    return {**env, **_trust(ca)}, {ca: way.ca.encode()}


def from_outside(way: Way, env: Mapping[str, str], systems: Sequence[System], folder: Path) -> dict[str, str]:
    """Variables for a process that shares this machine's network; the broker listens on ports of it."""
    places = list(dict.fromkeys(place for system in systems for place in system.endpoints))
    ports = dict(zip([*places, PROXY], way.listen([*places, PROXY]), strict=True))
    found = _placeholders(way, env, systems)
    for name, value in found.items():
        if name.endswith("_BASE_URL"):
            found[name] = _moved(value, ports)
    for destination in _databases(systems):
        found[DATABASE] = f"127.0.0.1:{ports[destination]}"
    ca = folder / "broker.pem"
    ca.write_text(way.ca, encoding="ascii")
    url = f"http://127.0.0.1:{ports[PROXY]}"
    found |= dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), url)
    return {**found, **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1"), **_trust(str(ca))}


class Entrance:
    """What a session needs of its way out: the same calls as a Bridge has, answered by the broker."""

    def __init__(self, way: Way, told: Callable[[str, int, bool], None]) -> None:
        self._way = way
        way.on_egress = told

    def serve(self, listener: socket.socket, destination: Destination) -> None:
        """Hand over a listener that leads to the destination."""
        self._way.serve([listener], [destination])

    def close(self) -> None:
        """End all connections."""
        self._way.close()


def _placeholders(way: Way, env: Mapping[str, str], systems: Sequence[System]) -> dict[str, str]:
    return way.variables(env, [name for system in systems for name in system.secrets])


def _databases(systems: Sequence[System]) -> list[Destination]:
    return [place for system in systems if system.kind == "sql" for place in system.endpoints]


def _trust(path: str) -> dict[str, str]:
    return dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), path)


def _moved(url: str, ports: Mapping[Destination, int]) -> str:
    """An address of this machine by the broker's port for it; others go by the proxy."""
    parts = urlsplit(url)
    place = (parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443))
    if not is_loopback(place[0]) or place not in ports:
        return url
    return urlunsplit(parts._replace(netloc=f"127.0.0.1:{ports[place]}"))

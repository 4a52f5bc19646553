"""Serve a seeded PostgreSQL on 127.0.0.1 for practice."""

from __future__ import annotations

from dataclasses import dataclass, field

from integrator_practice.postgres import PostgresServer, start_server
from integrator_practice.postgres_seed import DATABASE, add_probe, fill

__all__ = ["Served", "serve"]


@dataclass
class Served:
    """A running practice database; `base_url` is a DSN without the password, which is in `env`."""

    base_url: str
    env: dict[str, str]
    port: int
    pid: int
    probe: dict[str, str] = field(repr=False)  # login with which the nonce can be asked for
    server: PostgresServer = field(repr=False)
    control_url: str | None = None

    def serve_forever(self) -> None:
        """Until the server ends."""
        self.server.wait()

    def close(self) -> None:
        """Stop the server and remove its files."""
        self.server.close()


def serve(port: int, seed: int, rows: int | None, tls: bool, nonce: str) -> Served:
    """Start, fill and describe it. `rows` = orders. Raises DriverError, or OSError when the port is taken."""
    if tls:
        raise NotImplementedError("The practice database listens on this machine only and has no encryption.")
    server = start_server(port, nonce)
    try:
        env = fill(server, seed, rows)
        probe = add_probe(server)
    except BaseException:
        server.close()
        raise
    base_url = f"postgresql://{env['PGUSER']}@127.0.0.1:{server.port}/{DATABASE}"
    return Served(base_url, env, server.port, server.pid, probe, server)

"""`python -m integrator_practice SYSTEM`: serve one practice system until SIGTERM."""

from __future__ import annotations

import argparse
import errno
import json
import os
import secrets
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from integrator_drivers.errors import DriverError

from .registration import register, unregister

__all__ = ["Served", "main", "serve"]


class Served(Protocol):
    """What the function named by `practice` in driver.toml returns.

    May also have `pid` (the process that listens, when it is another one), `probe` (login for the nonce check) and
    `ca_file` (the CA to trust, when it speaks https).
    """

    base_url: str
    env: dict[str, str]
    control_url: str | None
    port: int

    def serve_forever(self) -> None: ...
    def close(self) -> None: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, serve, clean up. The first line of stdout is one JSON object; exit code 1 with {"error"} in it."""
    parser = argparse.ArgumentParser(prog="integrator practice", description="Serve a practice system on loopback.")
    parser.add_argument("system", help="driver name or alias, such as salesforce")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on (default: any free one)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same data (default 1)")
    parser.add_argument("--rows", type=_count, default=None, help="leads, or rows of the largest table")
    parser.add_argument("--tls", action="store_true", help="serve https with a certificate of its own")
    parser.add_argument("--while-stdin", action="store_true", help="stop when stdin ends")
    options = parser.parse_args(arguments)
    try:
        return serve(options.system, options.port, options.seed, options.rows, options.tls, options.while_stdin)
    except (DriverError, OSError, NotImplementedError, ValueError) as exc:
        print(json.dumps({"error": _error(exc, options)}), flush=True)
        return 1


def serve(system: str, port: int, seed: int, rows: int | None, tls: bool, while_stdin: bool) -> int:
    """Serve until SIGTERM or SIGINT (or the end of stdin). Returns the exit code."""
    from integrator_drivers import registry
    from integrator_drivers.errors import ValidationError

    # A byte here means stop. An Event must not be set in a signal handler: its lock may be held by what it interrupted.
    stop, bell = socket.socketpair()

    def ring(*_: object) -> None:
        bell.send(b".")

    signal.signal(signal.SIGTERM, ring)
    signal.signal(signal.SIGINT, signal.SIG_IGN if while_stdin else ring)
    if while_stdin:
        threading.Thread(target=_after_stdin, args=(ring,), daemon=True).start()
    manifest = registry.manifest(system)
    if not manifest.practice:
        raise ValidationError(f"There is no practice system for {manifest.label} yet.")
    module, _, attribute = manifest.practice.partition(":")
    nonce = secrets.token_hex(16)
    served: Any = getattr(import_module(module), attribute)(port=port, seed=seed, rows=rows, tls=tls, nonce=nonce)
    path = None
    try:
        worker = threading.Thread(target=served.serve_forever, daemon=True)
        worker.start()
        pid = getattr(served, "pid", None) or os.getpid()
        probe, ca_file = getattr(served, "probe", None), getattr(served, "ca_file", None)
        path = register(manifest.name, "127.0.0.1", served.port, pid, nonce, probe, ca_file)
        told = {
            "system": manifest.name,
            "base_url": served.base_url,
            "env": served.env,
            "control_url": served.control_url,
        }
        if ca_file:
            told["ca_file"] = ca_file
        print(json.dumps(told), flush=True)
        while not select.select([stop], [], [], 0.5)[0]:  # wakes up for the case that serving ends by itself
            if not worker.is_alive():
                print(f"The practice system for {manifest.label} stopped by itself.", file=sys.stderr)
                return 1
        return 0
    finally:
        if path:
            unregister(path)
        served.close()


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError("a whole number is needed, 0 or more")
    return int(text)


def _after_stdin(act: Callable[[], None]) -> None:
    """Read stdin to its end, then act."""
    while os.read(0, 4096):
        pass
    act()


def _error(exc: Exception, options: argparse.Namespace) -> dict[str, str]:
    if isinstance(exc, OSError) and exc.errno in (errno.EADDRINUSE, errno.EACCES) and not exc.filename:
        message = f"Port {options.port} can't be used: {exc.strerror}."
        return {"type": "PortInUse", "message": message, "next": "Choose another port, or 0 for any free one."}
    return {"type": type(exc).__name__, "message": str(exc), "next": ""}


if __name__ == "__main__":
    sys.exit(main())

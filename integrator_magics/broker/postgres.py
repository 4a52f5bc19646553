"""PostgreSQL with a script: it comes with the placeholder, the broker logs in, statements are judged on their way."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

from .pg_login import LoginRefused, log_in
from .pg_messages import ProtocolError, error
from .pg_startup import StartRefused, greet, settings
from .pg_traffic import Traffic
from .splice import splice
from .system import Destination, System
from .upstream import Stream, dial

if TYPE_CHECKING:
    from .passage import Passage

__all__ = ["serve_postgres"]

_CANCEL = 80877102


def serve_postgres(passage: Passage, stream: Stream, destination: Destination) -> None:
    """Serve one connection of a script until it ends. Raises OSError when a side is gone."""
    system = passage.system_at(destination)
    try:
        greeting = greet(stream, passage.token)
        if greeting is None:
            return
        if greeting.cancel:
            _cancel(passage, destination, greeting.cancel)
            return
        env = system.env
        limit = env.get("PG_STATEMENT_TIMEOUT", "")
        parameters = settings(greeting.parameters, passage.mode, env.get("PGDATABASE", ""), limit)
        user, password = _role(system, as_reader=passage.as_reader)
        opened = log_in(
            destination, env.get("PGSSLMODE") or "prefer", user, password, parameters, passage.upstreams.ca_file
        )
    except (StartRefused, LoginRefused) as exc:
        passage.calls.add(system.name, "LOGIN", "", "refused")
        stream.sendall(exc.answer)
        return
    except ProtocolError:
        return
    passage.calls.add(system.name, "LOGIN", "", "ok")
    passage.keys.add(opened.cancel)
    traffic = Traffic(passage.calls, system.name, system.label, passage.mode)
    with opened.stream as server:
        passage.keep(server)
        try:
            stream.sendall(b"R" + struct.pack(">II", 8, 0) + opened.greeting)
            splice(stream, traffic.from_client, server, traffic.from_server)
        except ProtocolError:
            with contextlib.suppress(OSError):
                stream.sendall(error("FATAL", "08P01", "this is nothing a script may send"))
        finally:
            passage.forget(server)
            passage.keys.discard(opened.cancel)


def _role(system: System, *, as_reader: bool) -> tuple[str, str]:
    env = system.env
    if as_reader and env.get("PG_READ_USER"):
        return env["PG_READ_USER"], env.get("PG_READ_PASSWORD", "")
    return env.get("PGUSER", ""), env.get("PGPASSWORD", "")


def _cancel(passage: Passage, destination: Destination, key: bytes) -> None:
    """Pass on a request to stop a statement, if it is one of this run's own connections."""
    if key in passage.keys:
        with dial(destination) as server:
            server.sendall(struct.pack(">II", 8 + len(key), _CANCEL) + key)
            server.recv(1)

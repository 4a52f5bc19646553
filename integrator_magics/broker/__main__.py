"""The broker as a process: commands as lines of JSON on stdin, answers and events as lines of JSON on stdout.

open      run, mode, token, reader, systems -> {"opened": run}
serve     run, to [[host, port], ...]: the listeners come along as open sockets -> {"serving": run}
listen    run, to [[host, port], ...]: listens itself on 127.0.0.1 -> {"listening": run, "ports": [...]}
close     run -> {"closed": run, "calls": [...], "left_out": n, "egress": [...]}

First comes {"ready": true, "ca": PEM}. Meanwhile {"egress": run, host, port, allowed} and {"secret": value, "name"}
(a session that a login gave, to be kept out of every text). `error` in an answer says what was wrong with the command.
It ends with its stdin, and so with the process that started it.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from typing import Any

from integrator_drivers.mode import Mode

from .authority import Authority
from .logins import Logins
from .passage import Passage, Shared
from .system import System
from .upstream import Upstreams

__all__ = ["main"]

LONGEST = 16 << 20  # bytes of a command
_lock = threading.Lock()


def main() -> None:
    """Serve until stdin ends."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing that a library prints may look like an answer

    def tell(**facts: Any) -> None:
        with _lock:
            output.write(json.dumps(facts, ensure_ascii=True) + "\n")
            output.flush()

    ca_file = os.environ.get("SSL_CERT_FILE", "")
    logins = Logins(lambda value, name: tell(secret=value, name=name))
    desk = _Desk(Shared(Authority(), logins, Upstreams(ca_file)), tell)
    tell(ready=True, ca=desk.shared.authority.pem)
    for command, sockets in _commands():
        desk.do(command, sockets)
    desk.close()


class _Desk:
    def __init__(self, shared: Shared, tell: Any) -> None:
        self.shared = shared
        self._tell = tell
        self._passages: dict[str, Passage] = {}

    def do(self, command: dict[str, Any], sockets: list[socket.socket]) -> None:
        """Do it, and say so."""
        run = str(command.get("run", ""))
        try:
            answer = getattr(self, f"_{command['do']}")(run, command, sockets)
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as exc:
            for entry in sockets:
                entry.close()
            self._tell(error=f"{type(exc).__name__}: {exc}"[:500], run=run)
        else:
            self._tell(run=run, **answer)

    def close(self) -> None:
        """End all runs."""
        for passage in self._passages.values():
            passage.close()
        self.shared.upstreams.close()

    def _open(self, run: str, command: dict[str, Any], sockets: list[socket.socket]) -> dict[str, Any]:
        self._passages[run] = Passage(
            self.shared,
            [System.from_data(entry) for entry in command["systems"]],
            Mode(command["mode"]),
            command["token"],
            lambda host, port, allowed: self._tell(egress=run, host=host, port=port, allowed=allowed),
            as_reader=bool(command.get("reader", True)),
        )
        return {"opened": run}

    def _serve(self, run: str, command: dict[str, Any], sockets: list[socket.socket]) -> dict[str, Any]:
        passage = self._passages[run]
        for listener, (host, port) in zip(sockets, command["to"], strict=True):
            passage.serve(listener, (host, port))
        return {"serving": run}

    def _listen(self, run: str, command: dict[str, Any], sockets: list[socket.socket]) -> dict[str, Any]:
        passage = self._passages[run]
        ports = []
        for host, port in command["to"]:
            listener = socket.create_server(("127.0.0.1", 0))
            ports.append(listener.getsockname()[1])
            passage.serve(listener, (host, port))
        return {"listening": run, "ports": ports}

    def _close(self, run: str, command: dict[str, Any], sockets: list[socket.socket]) -> dict[str, Any]:
        return {"closed": run, **self._passages.pop(run).close()}


def _commands() -> Iterator[tuple[dict[str, Any], list[socket.socket]]]:
    """Lines of stdin, with the sockets that came along where it is a socket."""
    is_socket = stat.S_ISSOCK(os.fstat(0).st_mode)
    channel = socket.socket(fileno=os.dup(0)) if is_socket else None
    os.set_inheritable(0, False)
    data, received = bytearray(), list[socket.socket]()
    while True:
        if channel is not None:
            part, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 64)
            received += [socket.socket(fileno=number) for number in descriptors]
        else:
            part = os.read(0, 1 << 16)
        if not part:
            return
        data += part
        while (end := data.find(b"\n")) >= 0:
            command = json.loads(data[:end])
            del data[: end + 1]
            count = int(command.get("sockets", 0))
            yield command, [received.pop(0) for _ in range(count)]
        if len(data) > LONGEST:
            sys.exit("a command is too long")


if __name__ == "__main__":
    main()

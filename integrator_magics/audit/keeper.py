"""The process that writes the audit log and holds its key: `python -m integrator_magics.audit.keeper`, socket on stdin.

Each message is its length (4 bytes, big-endian) and JSON. Requests are `{"folder", "timeout", "records"}` or
`{"folder", "timeout", "sign"}`; answers `{"n"}`, `{"head"}` or `{"errno", "error"}`. The first answer says that it is
ready. It ends when the other side does, however that ended.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .file import LogFile

__all__ = ["receive", "send"]

MINUTE = 60.0  # seconds between two looks for heads that are due


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    data = json.dumps(message, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    channel.sendall(len(data).to_bytes(4, "big") + data)


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """The next message; None at the end."""
    size = _exactly(channel, 4)
    data = _exactly(channel, int.from_bytes(size, "big")) if size else None
    if not data:
        return None
    message: dict[str, Any] = json.loads(data)
    return message


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = channel.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def main() -> None:
    """Serve until the other side is gone, then sign what it wrote."""
    channel = socket.socket(fileno=sys.stdin.fileno())
    import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401  # not at the first record

    files: dict[str, LogFile] = {}
    send(channel, {"ready": True})
    looked = time.monotonic()
    while True:
        readable, _, _ = select.select([channel], [], [], MINUTE)
        if time.monotonic() - looked > MINUTE:
            looked = time.monotonic()
            for file in files.values():
                with suppress(OSError):  # the next record will say so
                    file.sign_when_due()
        if not readable:
            continue
        try:
            request = receive(channel)
        except OSError:
            request = None
        if request is None:
            break
        send(channel, _answer(files, request))
    for file in files.values():
        with suppress(OSError):  # nobody is left to be told; the chain is on disk
            file.sign("end")


def _answer(files: dict[str, LogFile], request: dict[str, Any]) -> dict[str, Any]:
    folder = request["folder"]
    if folder not in files:
        files[folder] = LogFile(Path(folder))
    files[folder].lock_timeout = request["timeout"]
    try:
        if "sign" in request:
            return {"head": files[folder].sign(request["sign"])}
        return {"n": files[folder].write(request["records"])}
    except OSError as exc:
        return {"errno": exc.errno, "error": exc.strerror or str(exc)}


if __name__ == "__main__":
    main()

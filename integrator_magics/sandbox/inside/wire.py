"""Messages between the host and the program inside: four bytes of length, then JSON, over one socket."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Frames", "receive", "send"]

LIMIT = 64 * 1024 * 1024  # bytes of one message
_HEAD = struct.Struct(">I")


def send(channel: socket.socket, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message, with open files handed over to the other side."""
    body = json.dumps(message, ensure_ascii=True, default=str).encode("ascii")
    data = _HEAD.pack(len(body)) + body
    if descriptors:
        sent = socket.send_fds(channel, [data], list(descriptors))
        data = data[sent:]
    channel.sendall(data)


def receive(channel: socket.socket) -> dict[str, Any] | None:
    """The next message, waiting for it; None when the other side is gone."""
    frames = Frames()
    while True:
        # Reads no byte beyond this message, so that nothing of the next one is lost.
        data = channel.recv(frames.wanted)
        if not data:
            return None
        for message in frames.feed(data):
            return message


class Frames:
    """Cuts a stream of bytes into messages. Raises ValueError on what no honest sender sends."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._data = bytearray()

    @property
    def wanted(self) -> int:
        """Bytes missing for the end of the present message, or of its head."""
        if len(self._data) < _HEAD.size:
            return _HEAD.size - len(self._data)
        return min(int(_HEAD.unpack_from(self._data)[0]) + _HEAD.size - len(self._data), 1 << 20)

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The messages that are complete now."""
        self._data += data
        found = []
        while len(self._data) >= _HEAD.size:
            length = _HEAD.unpack_from(self._data)[0]
            if length > self._limit:
                raise ValueError("message too long")
            end = _HEAD.size + length
            if len(self._data) < end:
                break
            message = json.loads(bytes(self._data[_HEAD.size : end]))
            del self._data[:end]
            if not isinstance(message, dict):
                raise ValueError("not an object")
            found.append(message)
        return found

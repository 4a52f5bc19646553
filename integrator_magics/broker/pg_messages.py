"""PostgreSQL's messages as bytes: cut out of a stream, and made."""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["LONGEST", "Cutter", "ProtocolError", "error", "error_fields", "message", "text_at"]

LONGEST = 64 << 20  # bytes of one message that has to be seen whole
_LENGTH = struct.Struct(">I")


class ProtocolError(Exception):
    """What no honest side sends; the connection ends."""


class Cutter:
    """Cuts a stream into messages. Those of a type in `watched` come whole; all else passes as it comes, in any pieces.

    `feed` gives (type, message) for the one and ("", bytes) for the other, in order, together exactly what was fed.
    """

    def __init__(self, watched: bytes, known: bytes = b"") -> None:
        self._watched = frozenset(watched)
        self._known = frozenset(known) if known else None
        self._kept = b""
        self._skip = 0  # bytes of the present message that may pass

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """Raises ProtocolError for a type that is not known, and a length that can't be."""
        if self._kept:
            data = self._kept + data
            self._kept = b""
        at, start = min(self._skip, len(data)), 0
        self._skip -= at
        watched, known, size = self._watched, self._known, len(data)
        while at + 5 <= size:
            kind = data[at]
            end = at + 1 + _LENGTH.unpack_from(data, at + 1)[0]
            if end < at + 5 or (known is not None and kind not in known):
                raise ProtocolError
            if kind in watched:
                if end - at > LONGEST:
                    raise ProtocolError
                if end > size:
                    break
                if start < at:
                    yield "", data[start:at]
                yield chr(kind), data[at:end]
                start = end
            elif end > size:
                self._skip = end - size
                at = size
                break
            at = end
        if start < at:
            yield "", data[start:at]
        self._kept = data[at:]


def message(kind: str, body: bytes) -> bytes:
    """One message of this type."""
    return kind.encode("ascii") + _LENGTH.pack(len(body) + 4) + body


def error(severity: str, state: str, text: str) -> bytes:
    """An ErrorResponse."""
    fields = {"S": severity, "V": severity, "C": state, "M": text}
    return message("E", b"".join(name.encode() + value.encode() + b"\0" for name, value in fields.items()) + b"\0")


def error_fields(data: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse, by their letter."""
    parts = data[5:].split(b"\0")
    return {part[:1].decode("ascii", "replace"): part[1:].decode("utf-8", "replace") for part in parts if part}


def text_at(data: bytes, at: int) -> tuple[str, int]:
    """The zero-terminated text that begins there, and where it ends. Raises ProtocolError."""
    end = data.find(b"\0", at)
    if end < 0:
        raise ProtocolError
    try:
        return data[at:end].decode("utf-8"), end + 1
    except UnicodeDecodeError as exc:
        raise ProtocolError from exc

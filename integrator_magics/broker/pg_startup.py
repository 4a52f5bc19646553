"""The first words of a script's connection to PostgreSQL: what it may ask for, and what it gets."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping

from integrator_drivers.mode import Mode

from .pg_messages import ProtocolError, error, message
from .upstream import Stream

__all__ = ["Greeting", "StartRefused", "greet", "settings"]

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_LONGEST = 10_000  # bytes of a startup packet, as the server has it
_FREE = frozenset(
    {
        *("application_name", "datestyle", "timezone", "intervalstyle", "extra_float_digits", "bytea_output"),
        *("lock_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout"),
    }
)
_READ_ONLY = "default_transaction_read_only"
_TIMEOUT = "statement_timeout"
_SECONDS = {Mode.DISCOVERY: 30, Mode.PREVIEW: 300, Mode.APPLY: 1800}
_UNITS = {"": 1, "ms": 1, "s": 1000, "min": 60_000}


class StartRefused(Exception):
    """`answer` is the ErrorResponse for the client."""

    def __init__(self, text: str, state: str = "28000") -> None:
        super().__init__(text)
        self.answer = error("FATAL", state, text)


class Greeting:
    """What a client said first: its parameters, or the key of a request to cancel."""

    def __init__(self, parameters: Mapping[str, str], cancel: bytes = b"") -> None:
        self.parameters = parameters
        self.cancel = cancel


def greet(stream: Stream, token: str) -> Greeting | None:
    """Hear out a client up to its password, which must be the placeholder; None when it went away.

    Raises StartRefused, ProtocolError.
    """
    while True:
        packet = _packet(stream)
        if packet is None:
            return None
        code = struct.unpack_from(">I", packet)[0] if len(packet) >= 4 else 0
        if code in (_SSL, _GSS):
            stream.sendall(b"N")  # the way to here does not leave this machine
            continue
        if code == _CANCEL:
            return Greeting({}, packet[4:])
        if code >> 16 != 3:
            raise ProtocolError
        if code & 0xFFFF:
            stream.sendall(message("v", struct.pack(">II", 0, 0)))
        parts = packet[4:].decode("utf-8", "replace").split("\0")
        parameters = dict(zip(parts[::2], parts[1::2], strict=False))
        parameters.pop("", None)
        stream.sendall(message("R", struct.pack(">I", 3)))
        given = _password(stream)
        if given is None:
            return None
        if not hmac.compare_digest(given, token.encode()):
            raise StartRefused("scripts have no credentials of their own", "28P01")
        return Greeting(parameters)


def settings(parameters: Mapping[str, str], mode: Mode, database: str, limit: str) -> dict[str, str]:
    """The parameters to log in with: what the client may set, and what it may not change.

    `limit`: seconds one statement may take, "" for the mode's own. Raises StartRefused.
    """
    asked = {name.lower(): value for name, value in parameters.items() if name not in ("user", "options")}
    asked |= _options(parameters.get("options", ""))
    if asked.pop("database", database) != database:
        raise StartRefused(f'only the database "{database}" is for scripts', "3D000")
    if asked.pop("client_encoding", "utf8").replace("-", "").replace("'", "").lower() not in ("utf8", "auto"):
        raise StartRefused("only the encoding UTF8 is for scripts", "22023")
    most = int(limit) if limit.isdecimal() else _SECONDS[mode]
    wanted = _milliseconds(asked.pop(_TIMEOUT, "")) or most * 1000
    writes = asked.pop(_READ_ONLY, "off").lower() in ("off", "false", "0", "no") and mode is Mode.APPLY
    if unknown := sorted(set(asked) - _FREE):
        raise StartRefused(f"the setting {unknown[0]} is not for scripts", "22023")
    return {
        **asked,
        "database": database,
        "client_encoding": "UTF8",
        "standard_conforming_strings": "on",  # as the parser that judges statements reads them
        _TIMEOUT: str(min(wanted, most * 1000)),
        _READ_ONLY: "off" if writes else "on",
    }


def _options(text: str) -> dict[str, str]:
    """`-c name=value -c name=value`, with backslashes before spaces."""
    words = [""]
    is_escaped = False
    for char in text:
        if is_escaped or char not in " \\":
            words[-1] += char
            is_escaped = False
        elif char == "\\":
            is_escaped = True
        elif words[-1]:
            words.append("")
    found = {}
    rest = [word for word in words if word]
    while rest:
        word = rest.pop(0)
        if word == "-c" and rest:
            word = rest.pop(0)
        elif word.startswith(("-c", "--")):
            word = word[2:]
        else:
            raise StartRefused(f"the option {word} is not for scripts", "22023")
        name, _, value = word.partition("=")
        found[name.strip().lower().replace("-", "_")] = value
    return found


def _milliseconds(text: str) -> int:
    text = text.strip()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(digits) :].strip()
    if not text:
        return 0
    if not digits.isdecimal() or unit not in _UNITS:
        raise StartRefused(f"the statement_timeout {text[:40]} is not for scripts", "22023")
    return int(digits) * _UNITS[unit]


def _packet(stream: Stream) -> bytes | None:
    head = _exactly(stream, 4)
    if head is None:
        return None
    size = struct.unpack(">I", head)[0] - 4
    if not 4 <= size <= _LONGEST:
        raise ProtocolError
    return _exactly(stream, size)


def _password(stream: Stream) -> bytes | None:
    head = _exactly(stream, 5)
    if head is None:
        return None
    size = struct.unpack(">I", head[1:])[0] - 4
    if head[:1] != b"p" or not 0 <= size <= _LONGEST:
        raise ProtocolError
    body = _exactly(stream, size)
    return None if body is None else body.rstrip(b"\0")


def _exactly(stream: Stream, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            return None
        data += part
    return data

"""Logging in to a PostgreSQL server: encryption as PGSSLMODE says, and a password in each way servers ask for it."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scramp import ScramClient, ScramException

from .pg_messages import LONGEST, ProtocolError, error, error_fields, message
from .system import Destination
from .upstream import DIAL, Stream, dial

__all__ = ["LoginRefused", "Opened", "log_in", "startup"]

_SSL_REQUEST = struct.pack(">II", 8, 80877103)
_PROTOCOL = 196608  # 3.0
_OK, _CLEAR, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 5, 10, 11, 12


class LoginRefused(Exception):
    """The server, or the way to it, says no; `answer` is the ErrorResponse for the client."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(error_fields(answer).get("M", ""))
        self.answer = answer


@dataclass(frozen=True)
class Opened:
    """A connection that is logged in. `greeting`: what the server said after it, up to ReadyForQuery."""

    stream: Stream
    greeting: bytes
    cancel: bytes  # process id and secret key


def startup(parameters: Mapping[str, str]) -> bytes:
    """The first message of a connection."""
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
    return struct.pack(">II", len(body) + 9, _PROTOCOL) + body + b"\0"


def log_in(
    destination: Destination, sslmode: str, user: str, password: str, parameters: Mapping[str, str], ca_file: str = ""
) -> Opened:
    """Connect and log in. Raises LoginRefused with an answer in the words that libpq's users know."""
    stream = _connect(destination, sslmode, ca_file)
    try:
        stream.settimeout(DIAL * 3)
        stream.sendall(startup({"user": user, **parameters}))
        opened = _authenticated(stream, user, password)
        stream.settimeout(None)
        return opened
    except (OSError, ProtocolError, ScramException) as exc:
        stream.close()
        text = "timeout expired" if isinstance(exc, TimeoutError) else "server closed the connection unexpectedly"
        raise LoginRefused(error("FATAL", "08006", text)) from exc
    except LoginRefused:
        stream.close()
        raise


def _connect(destination: Destination, sslmode: str, ca_file: str) -> Stream:
    try:
        stream = dial(destination)
    except TimeoutError as exc:
        raise _no_way("timeout expired") from exc
    except socket.gaierror as exc:
        raise _no_way(f'could not translate host name "{destination[0]}" to address') from exc
    except ConnectionRefusedError as exc:
        raise _no_way("connection refused") from exc
    except OSError as exc:
        raise _no_way(str(exc.strerror or exc)) from exc
    if destination[0].startswith("/") or sslmode == "disable":
        return stream
    try:
        stream.sendall(_SSL_REQUEST)
        answer = stream.recv(1)
        if answer == b"S":
            return _context(sslmode, ca_file).wrap_socket(stream, server_hostname=destination[0])
    except OSError as exc:
        stream.close()
        raise _no_way(f"SSL error: {getattr(exc, 'reason', None) or exc.strerror or exc}") from exc
    if answer != b"N" or sslmode in ("require", "verify-ca", "verify-full"):
        stream.close()
        raise _no_way("server does not support SSL, but SSL was required")
    return stream


def _context(sslmode: str, ca_file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = sslmode == "verify-full"
    if sslmode in ("verify-ca", "verify-full"):
        context.load_default_certs()
        own = Path("~/.postgresql/root.crt").expanduser()
        for path in (ca_file, str(own) if own.is_file() else ""):
            if path:
                context.load_verify_locations(path)
    else:
        context.verify_mode = ssl.CERT_NONE
    return context


def _authenticated(stream: Stream, user: str, password: str) -> Opened:
    scram: ScramClient | None = None
    greeting, cancel, is_in = b"", b"", False
    while True:
        kind, body = _next(stream)
        if kind == "E":
            raise LoginRefused(message(kind, body))
        if kind == "N":
            continue
        if kind != "R":
            if not is_in:
                raise ProtocolError
            greeting += message(kind, body)
            if kind == "K":
                cancel = body
            if kind == "Z":
                return Opened(stream, greeting, cancel)
            continue
        code, rest = struct.unpack_from(">I", body)[0], body[4:]
        if code == _OK:
            is_in = True
        elif code in (_CLEAR, _MD5, _SASL) and not password:
            raise LoginRefused(error("FATAL", "28P01", "fe_sendauth: no password supplied"))
        elif code == _CLEAR:
            stream.sendall(message("p", password.encode() + b"\0"))
        elif code == _MD5:
            inner = hashlib.md5(password.encode() + user.encode(), usedforsecurity=False).hexdigest()
            outer = hashlib.md5(inner.encode() + rest[:4], usedforsecurity=False).hexdigest()
            stream.sendall(message("p", b"md5" + outer.encode() + b"\0"))
        elif code == _SASL:
            offered = [name for name in rest.decode().split("\0") if name == "SCRAM-SHA-256"]
            scram = ScramClient(offered, "-", password)  # the server takes the name from the startup packet
            first = scram.get_client_first().encode()
            stream.sendall(message("p", b"SCRAM-SHA-256\0" + struct.pack(">I", len(first)) + first))
        elif code == _SASL_CONTINUE and scram is not None:
            scram.set_server_first(rest.decode())
            stream.sendall(message("p", scram.get_client_final().encode()))
        elif code == _SASL_FINAL and scram is not None:
            scram.set_server_final(rest.decode())
        else:
            raise LoginRefused(
                error("FATAL", "28000", f"the server asks for a login of kind {code}, which is not known")
            )


def _next(stream: Stream) -> tuple[str, bytes]:
    head = _exactly(stream, 5)
    size = struct.unpack(">I", head[1:])[0] - 4
    if not 0 <= size <= LONGEST:
        raise ProtocolError
    return chr(head[0]), _exactly(stream, size)


def _exactly(stream: Stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data


def _no_way(text: str) -> LoginRefused:
    return LoginRefused(error("FATAL", "08001", text))

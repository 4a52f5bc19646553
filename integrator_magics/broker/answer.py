"""The system's side of one HTTP exchange."""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11

from integrator_drivers.access import MARK, USER, Access

from .line import CHUNK
from .refusal import Refused
from .rows import MOST, rows_in
from .system import Destination
from .upstream import Stream

if TYPE_CHECKING:
    from .exchange import Exchange

__all__ = ["Answer"]

_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "upgrade", "transfer-encoding", "content-length", "expect"),
    }
)
_REPLACED = frozenset(["host", "authorization", "cookie"])
_KEPT_BACK = frozenset({"set-cookie", MARK, USER})


class Answer:
    """The system's side of one exchange."""

    def __init__(self, exchange: Exchange, destination: Destination, access: Access) -> None:
        self._exchange = exchange
        self._destination = destination
        self._access = access
        self._parser = h11.Connection(h11.CLIENT)
        self._stream: Stream | None = None

    def ask(self, body: bytes | None) -> h11.Response:
        """Send the request, with the body as given or as it comes from the script; the head of the answer."""
        exchange = self._exchange
        is_safe = exchange.method in ("GET", "HEAD")
        while True:
            self._stream, used = exchange.passage.upstreams.take(self._destination, tls=exchange.tls)
            try:
                self._send(body)
                return self._head()
            except OSError:
                # A system may close an idle connection at the very moment it is used; reads are asked again.
                if not (used and is_safe and body is not None):
                    raise
                self._stream.close()
                self._parser = h11.Connection(h11.CLIENT)

    def relay(self, head: h11.Response, template: str) -> bool:
        """Pass the answer on as it comes; may the script's connection go on."""
        exchange, line = self._exchange, self._exchange.line
        fields = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        self._refuse_other_hosts(head, fields)
        headers = [
            (name, value)
            for name, value in head.headers
            if name.decode("ascii") not in _KEPT_BACK and (name == b"content-length" or name.decode() not in _HOP)
        ]
        if self._access.user:
            headers.append((USER.encode(), self._access.user.encode()))
        line.send(h11.Response(status_code=head.status_code, reason=head.reason, headers=headers))
        names = exchange.system.http.get("rows", ())
        kept, size = [], 0
        for part in self._parts():
            size += len(part)
            if names and size <= MOST:
                kept.append(part)
            line.send(h11.Data(data=part))
        line.send(h11.EndOfMessage())
        if self._parser.our_state is h11.DONE and self._parser.their_state is h11.DONE and self._stream is not None:
            exchange.passage.upstreams.give(self._destination, self._stream, tls=exchange.tls)
            self._stream = None
        self.drop()
        rows = _announced(fields)
        if rows is None and size <= MOST:
            rows = rows_in(b"".join(kept), fields, names)
        exchange.passage.calls.add(exchange.system.name, exchange.method, template, head.status_code, rows)
        return line.parser.our_state is h11.DONE and line.parser.their_state is h11.DONE

    def drop(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _send(self, body: bytes | None) -> None:
        exchange = self._exchange
        given = exchange.headers
        host, port = self._destination
        shown = f"[{host}]" if ":" in host else host
        headers = [("Host", shown if port == (443 if exchange.tls else 80) else f"{shown}:{port}")]
        named = {part.strip().lower() for part in given.get("connection", "").split(",")}
        for name, value in given.items():
            if name not in _HOP and name not in _REPLACED and name not in named:
                headers.append((name, value))
        headers += list(self._access.headers.items())
        if body:
            headers.append(("Content-Length", str(len(body))))
        elif body is None and "content-length" in given:
            headers.append(("Content-Length", given["content-length"]))
        elif body is None:
            headers.append(("Transfer-Encoding", "chunked"))
        elif exchange.method not in ("GET", "HEAD"):
            headers.append(("Content-Length", "0"))
        try:
            self._write_all(h11.Request(method=exchange.method, target=exchange.target, headers=headers), body)
        except ConnectionError:
            if not self._has_answer():  # an early no: the system has answered, and reads no more
                raise

    def _write_all(self, request: h11.Request, body: bytes | None) -> None:
        self._write(request)
        if body:
            self._write(h11.Data(data=body))
        elif body is None:
            for part in self._exchange.line.body():
                self._write(h11.Data(data=part))
        self._write(h11.EndOfMessage())

    def _has_answer(self) -> bool:
        assert self._stream is not None
        return bool(select.select([self._stream], [], [], 0)[0])

    def _write(self, event: Any) -> None:
        assert self._stream is not None
        parts = self._parser.send_with_data_passthrough(event) or []
        if parts:
            self._stream.sendall(parts[0] if len(parts) == 1 else b"".join(parts))

    def _head(self) -> h11.Response:
        while True:
            event = self._event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise OSError("the connection was closed before an answer came")

    def _parts(self) -> Iterator[bytes]:
        while isinstance(event := self._event(), h11.Data):
            yield bytes(event.data)

    def _event(self) -> Any:
        assert self._stream is not None
        try:
            while (event := self._parser.next_event()) is h11.NEED_DATA:
                self._parser.receive_data(self._stream.recv(CHUNK))
        except h11.RemoteProtocolError as exc:
            raise OSError(f"the answer is broken: {exc}") from exc
        return event

    def _refuse_other_hosts(self, head: h11.Response, fields: dict[str, str]) -> None:
        target = urlsplit(fields.get("location", ""))
        if not 300 <= head.status_code < 400 or not target.netloc:
            return
        host, port = self._destination
        if (target.hostname, target.port or (443 if target.scheme == "https" else 80)) != (host.lower(), port):
            self.drop()
            raise Refused(f"{self._exchange.system.label} points to another host, which scripts do not follow.")


def _announced(fields: dict[str, str]) -> int | None:
    """The number of records that the answer itself names in a header."""
    text = next((fields[name] for name in fields if name.endswith("numberofrecords")), "")
    return int(text) if text.isdecimal() else None

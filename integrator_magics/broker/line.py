"""The script's side of an HTTP connection: requests that every server reads the same way, one after the other."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import h11

from integrator_drivers.access import MARK

from .refusal import Refused
from .rules import BODY
from .upstream import Stream

__all__ = ["CHUNK", "Line"]

HEAD = 64 * 1024  # bytes of a request's head
CHUNK = 256 * 1024
_END = b"\r\n\r\n"
_ODD = re.compile(rb"\r\n[ \t]|(?<!\r)\n|\r(?!\n)|\0")  # what readers take differently
_LENGTH = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)


class Line:
    """The script's side of a connection: one request after the other, each with a parser of its own."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.parser = h11.Connection(h11.SERVER)
        self._waiting = b""

    def next_head(self) -> h11.Request | None:
        """The head of the next request, None at the end. What is no plain HTTP/1.1 is answered and ends it."""
        if self.parser.our_state is h11.DONE:  # what the client sent meanwhile
            self._waiting = bytes(self.parser.trailing_data[0])
        self.parser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        head = self._waiting
        while _END not in head:
            if len(head) > HEAD:
                self._bad("The head of the request is too long.")
                return None
            data = self.stream.recv(CHUNK)
            if not data:
                return None
            head += data
        self._waiting = b""
        plain = head[: head.index(_END) + 2]
        if _ODD.search(plain) or len(_LENGTH.findall(plain)) > 1:
            self._bad("The request can be read in more than one way.")
            return None
        self.parser.receive_data(head)
        try:
            event = self.parser.next_event()
        except h11.RemoteProtocolError:
            self._bad("This is no request in HTTP/1.1.")
            return None
        if isinstance(event, h11.Request) and event.http_version in (b"1.1", b"1.0"):
            return event
        self._bad("This is no request in HTTP/1.1.")
        return None

    def body(self) -> Iterator[bytes]:
        """What follows the head, as it comes. Raises Refused for broken framing, OSError when it ends too early."""
        while True:
            try:
                event = self.parser.next_event()
                if event is h11.NEED_DATA:
                    if self.parser.they_are_waiting_for_100_continue:
                        answer = h11.InformationalResponse(status_code=100, headers=[])
                        self.stream.sendall(self.parser.send(answer) or b"")
                    self.parser.receive_data(self.stream.recv(CHUNK))
                    continue
            except h11.RemoteProtocolError as exc:
                raise Refused("The body of the request is broken.", status=400) from exc
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return

    def send(self, event: Any) -> None:
        """One part of the answer."""
        parts = self.parser.send_with_data_passthrough(event) or []
        self.stream.sendall(parts[0] if len(parts) == 1 else b"".join(parts))

    def refuse(self, exc: Refused) -> bool:
        """Say no, in place of an answer; may the connection go on."""
        parser = self.parser
        if parser.our_state not in (h11.SEND_RESPONSE, h11.IDLE):
            return False  # an answer has begun
        if parser.their_state is h11.SEND_BODY:
            self._read_off()
        goes_on = bool(parser.their_state is h11.DONE)
        self.stream.sendall(_said(exc.status, str(exc), exc.kind, ends=not goes_on))
        self.parser = h11.Connection(h11.SERVER)
        self._waiting = bytes(parser.trailing_data[0]) if goes_on else b""
        return goes_on

    def _read_off(self) -> None:
        """A client reads the answer only after it has sent what it had."""
        left = 2 * BODY
        with contextlib.suppress(Refused, OSError):
            for part in self.body():
                left -= len(part)
                if left < 0:
                    return

    def _bad(self, text: str) -> None:
        self.stream.sendall(_said(400, text, "ForbiddenError", ends=True))


def _said(status: int, text: str, kind: str, *, ends: bool) -> bytes:
    body = text.encode()
    head = (
        f"HTTP/1.1 {status} Refused\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{MARK}: {kind}\r\n" + ("Connection: close\r\n" if ends else "") + "\r\n"
    )
    return head.encode("ascii") + body

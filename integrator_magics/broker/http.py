"""HTTP/1.1 with a script: directly, or as the proxy that its libraries are told of; TLS ends here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import h11

from .exchange import Exchange
from .line import Line
from .refusal import Refused
from .system import Destination
from .upstream import Stream

if TYPE_CHECKING:
    from .passage import Passage

__all__ = ["PROXY", "serve_http"]

PROXY: Final[Destination] = ("", 0)  # a listener that speaks HTTP proxy instead of leading to one place
_CONNECT = re.compile(r"\[?([^\s\]]+?)\]?:(\d{1,5})")
_PEEK = 2  # socket.MSG_PEEK
_TLS = b"\x16"  # the first byte of a handshake


def serve_http(passage: Passage, stream: Stream, destination: Destination) -> None:
    """Serve one connection of a script until it ends. Raises OSError when a side is gone."""
    is_direct = destination != PROXY
    if not is_direct:
        line = Line(stream)
        head = line.next_head()
        if head is None:
            return
        if head.method != b"CONNECT":
            _serve(passage, line, None, tls=False, first=head)
            return
        try:
            destination = passage.allowed(*_connect_to(head.target.decode("ascii")))
        except Refused as exc:
            line.refuse(exc)
            return
        stream.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    if stream.recv(1, _PEEK) != _TLS:
        _serve(passage, Line(stream), destination, tls=False, is_direct=is_direct)
        return
    with passage.authority.context(destination[0]).wrap_socket(stream, server_side=True) as secured:
        passage.keep(secured)
        try:
            _serve(passage, Line(secured), destination, tls=True, is_direct=is_direct)
        finally:
            passage.forget(secured)


def _serve(
    passage: Passage,
    line: Line,
    destination: Destination | None,
    *,
    tls: bool,
    first: h11.Request | None = None,
    is_direct: bool = False,
) -> None:
    while (request := first or line.next_head()) is not None:
        first = None
        try:
            exchange = Exchange(passage, line, request, destination, tls=tls, is_direct=is_direct)
            goes_on = exchange.run()
        except Refused as exc:
            goes_on = line.refuse(exc)
        if not goes_on:
            return


def _connect_to(target: str) -> Destination:
    match = _CONNECT.fullmatch(target)
    if match is None or int(match[2]) > 65_535:
        raise Refused("This is not a request for a proxy.", status=400)
    return match[1].lower(), int(match[2])

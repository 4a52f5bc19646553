"""Two connections tied together, with a look at what passes; one thread, since TLS does not bear two."""

from __future__ import annotations

import contextlib
import select
import ssl
import time
from collections.abc import Callable, Iterable

from .upstream import Stream

__all__ = ["splice"]

CHUNK = 256 * 1024
AHEAD = 1 << 20  # bytes that may wait for a side before the other is read no more
LAST = 5.0  # seconds a side has to take what is left for it
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
Judge = Callable[[bytes], Iterable[bytes]]


class _End:
    def __init__(self, stream: Stream, judge: Judge) -> None:
        self.stream = stream
        self.judge = judge
        self.out = bytearray()
        stream.setblocking(False)

    @property
    def has_more(self) -> bool:
        """Bytes that TLS has unpacked, which select does not see."""
        return isinstance(self.stream, ssl.SSLSocket) and self.stream.pending() > 0

    def read(self) -> bytes | None:
        """What came; None where nothing did, b"" at the end."""
        try:
            return self.stream.recv(CHUNK)
        except _AGAIN:
            return None

    def write(self) -> None:
        """As much as goes now."""
        with contextlib.suppress(*_AGAIN):
            while self.out:
                with memoryview(self.out) as view:
                    sent = self.stream.send(view[:CHUNK])
                del self.out[:sent]


def splice(first: Stream, judge_first: Judge, second: Stream, judge_second: Judge) -> None:
    """Pass on what each side sends, as its judge gives it, until one of them ends.

    Raises what a judge raises, after all that passed before has been delivered where it could be; OSError.
    """
    one, other = _End(first, judge_first), _End(second, judge_second)
    try:
        while _step(one, other):
            pass
    finally:
        _finish(one, other)


def _step(one: _End, other: _End) -> bool:
    """Wait for something to do, and do it; False at the end of a side."""
    pairs = [(end, peer) for end, peer in ((one, other), (other, one)) if len(peer.out) < AHEAD]
    readers = [end.stream for end, _ in pairs]
    writers = [end.stream for end in (one, other) if end.out]
    at_once = any(end.has_more for end, _ in pairs)
    ready, free, _ = select.select(readers, writers, [], 0 if at_once else None)
    for end, peer in pairs:
        if end.stream in ready or end.has_more:
            data = end.read()
            if data == b"":
                return False
            if data:
                for part in end.judge(data):
                    peer.out += part
                peer.write()
    for end in (one, other):
        if end.stream in free:
            end.write()
    return True


def _finish(one: _End, other: _End) -> None:
    deadline = time.monotonic() + LAST
    for end in (one, other):
        with contextlib.suppress(OSError):
            while end.out and (left := deadline - time.monotonic()) > 0:
                select.select([], [end.stream], [], left)
                end.write()

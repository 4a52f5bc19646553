"""Waiting for file descriptors; `select.select` fails for numbers above 1,023, which a long-lived kernel can reach."""

from __future__ import annotations

import select
from collections.abc import Iterable

__all__ = ["readable"]


def readable(descriptors: Iterable[int], timeout: float) -> set[int]:
    """Those that can be read, or whose other end is gone, within `timeout` seconds."""
    poll = select.poll()
    for number in descriptors:
        poll.register(number, select.POLLIN)
    return {number for number, _ in poll.poll(max(0.0, timeout) * 1000)}

"""Reading the log and its head without a lock of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .chain import Head

__all__ = ["backwards", "last_newline", "read_head", "read_head_file", "write_head"]

_BLOCK = 64 * 1024
_HEAD_BYTES = 512


def read_head_file(path: Path) -> Head | None:
    """The head that a file holds; None without one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return read_head(descriptor)
    finally:
        os.close(descriptor)


def read_head(descriptor: int) -> Head | None:
    """The head in an open file; None when it is not whole."""
    try:
        values = json.loads(os.pread(descriptor, _HEAD_BYTES, 0))
        return Head(
            int(values["n"]),
            str(values["hash"]),
            int(values["size"]),
            int(values.get("heads", 0)),
            str(values.get("key", "")),
            str(values.get("signature", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None


def write_head(descriptor: int, head: Head) -> None:
    """One write of fixed length, in place: never torn by a kill, and needs no space on a full disk."""
    text = json.dumps(asdict(head))
    os.pwrite(descriptor, text.ljust(_HEAD_BYTES - 1).encode("ascii") + b"\n", 0)


def last_newline(log: int, size: int) -> int:
    """Offset behind the last newline, 0 without one; reads back block by block, so a record may have any length."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(log, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def backwards(log: int, size: int) -> Iterator[bytes]:
    """Complete lines, last first."""
    end = last_newline(log, size)
    pending = b""
    while end > 0:
        start = max(0, end - _BLOCK)
        parts = (os.pread(log, end - start, start) + pending).split(b"\n")
        pending = parts[0]
        for line in reversed(parts[1:]):
            if line:
                yield line
        end = start
    if pending:
        yield pending

"""Signed heads: what the log was at some moments, in `heads.jsonl`, and what it is now, in `head.json`.

A head names the last record by number and hash. The hash stands for everything before it, so that nobody without the
key can change a record and make the log fit its heads again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .chain import Head
from .signing import Signer, is_signed_by

__all__ = ["add", "is_sealed", "is_valid", "last", "read", "sealed"]

_BLOCK = 4096


def sealed(signer: Signer, head: Head, heads_size: int) -> Head:
    """The head with the size of the file of signed heads, signed."""
    plain = replace(head, heads=heads_size, key=signer.public)
    return replace(plain, signature=signer.sign(_seal(plain)))


def is_sealed(head: Head, key: str) -> bool:
    """Was this head signed with the key?"""
    return head.key == key and is_signed_by(key, _seal(head), head.signature)


def add(path: Path, signer: Signer, head: Head, at: str, reason: str) -> tuple[dict[str, Any], int]:
    """Sign a head, put it at the end of the file, on disk, and return it with the file's size."""
    entry = {"n": head.n, "hash": head.hash, "at": at, "reason": reason, "key": signer.public}
    entry["signature"] = signer.sign(_message(entry))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = _whole(descriptor)
        data = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
        done = 0
        while done < len(data):
            done += os.pwrite(descriptor, data[done:], end + done)
        os.ftruncate(descriptor, end + len(data))
        os.fsync(descriptor)
        return entry, end + len(data)
    finally:
        os.close(descriptor)


def last(path: Path) -> dict[str, Any] | None:
    """The newest signed head; None without one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        end = _whole(descriptor)
        start = max(0, end - _BLOCK)
        lines = os.pread(descriptor, end - start, start).splitlines()
    finally:
        os.close(descriptor)
    return _entry(lines[-1]) if lines else None


def read(path: Path) -> list[dict[str, Any] | None]:
    """All signed heads, oldest first; None stands for a line that is none. An unfinished last line is left out."""
    if not path.exists():
        return []
    data = path.read_bytes()
    return [_entry(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def is_valid(entry: Mapping[str, Any], key: str) -> bool:
    """Was this entry of `heads.jsonl`, or of a receipt, signed with the key?"""
    return entry.get("key") == key and is_signed_by(key, _message(entry), str(entry.get("signature", "")))


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    is_head = isinstance(entry, dict) and isinstance(entry.get("n"), int) and isinstance(entry.get("at"), str)
    return entry if is_head else None


def _whole(descriptor: int) -> int:
    """Offset behind the last complete line: a line that a crash left unfinished is written over."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - _BLOCK)
    return start + os.pread(descriptor, size - start, start).rfind(b"\n") + 1


def _message(entry: Mapping[str, Any]) -> bytes:
    plain = {key: entry.get(key) for key in ("n", "hash", "at", "reason", "key")}
    return b"integrator audit head\n" + json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def _seal(head: Head) -> bytes:
    plain = [head.n, head.hash, head.size, head.heads, head.key]
    return b"integrator audit end\n" + json.dumps(plain, separators=(",", ":")).encode("ascii")

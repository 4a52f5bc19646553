"""The log file: several writers, durable on return, or left as it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from . import chain, heads
from .chain import Head
from .locking import locked
from .reading import backwards, last_newline, read_head, write_head
from .signing import Signer
from .who import person

__all__ = ["EVERY", "HOUR", "LogFile"]

EVERY = 100  # records between signed heads
HOUR = timedelta(hours=1)
_BLOCK = 64 * 1024


class LogFile:
    """The one writer of `folder/log.jsonl` and its heads, with the key that signs them. Raises OSError.

    Only the keeper process makes one: the kernel holds no key.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lock_timeout: float = 10.0,
    ) -> None:
        self.folder = folder
        self.path = folder / "log.jsonl"
        self._head_path = folder / "head.json"
        self._heads_path = folder / "heads.jsonl"
        self._clock = clock
        self.lock_timeout = lock_timeout  # seconds
        self._signer: Signer | None = None
        self._written: Head | None = None

    def write(self, records: Sequence[Mapping[str, Any]]) -> int:
        """Write records with one flush to disk and return the number of the last."""
        with self._open() as (log, head_file):
            return self._write(log, head_file, records).n

    def sign(self, reason: str) -> dict[str, Any]:
        """Sign the newest record, once it is on disk, and return the signed head; {} while there is none."""
        with self._open() as (log, head_file):
            head = read_head(head_file)
            if head is None or head.size != os.fstat(log).st_size:
                head = self._write(log, head_file, [])
            if not head.n:
                return {}
            last = heads.last(self._heads_path)
            if last and (last["n"], last["hash"]) == (head.n, head.hash):
                return last
            signed, size = heads.add(self._heads_path, self._signed_by(), head, self._now(), reason)
            self._put(head_file, head, size)
            return signed

    def sign_when_due(self) -> None:
        """Sign what has waited for an hour."""
        last = heads.last(self._heads_path)
        if last and self._clock() - datetime.fromisoformat(last["at"]) >= HOUR:
            self.sign("hour")

    @contextmanager
    def _open(self) -> Iterator[tuple[int, int]]:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not self.path.exists()
        log = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if new:
                _sync_folder(self.folder)
            with locked(log, timeout=self.lock_timeout):
                head_file = os.open(self._head_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    yield log, head_file
                finally:
                    os.close(head_file)
        finally:
            os.close(log)

    def _write(self, log: int, head_file: int, records: Sequence[Mapping[str, Any]]) -> Head:
        size = os.fstat(log).st_size
        head = read_head(head_file)
        signer = self._signed_by()
        start, size, markers = self._continue_from(log, size, head)
        if head and head.key == signer.public and head != self._written and not heads.is_sealed(head, signer.public):
            markers.append(_marker(what="the head file was not written by this log.", tampered=True))
        if not markers and (head is None or not head.key):
            # Declared before the record that says so: a crash in between leaves one declaration, not two.
            write_head(head_file, heads.sealed(signer, replace(start, size=size), 0))
            _sync_folder(self.folder)
        markers += _key_records(head, signer)
        lines, n, previous = [], start.n, start.hash
        for record in [*markers, *records]:
            n += 1
            line, previous = chain.render({**record, "n": n, "at": self._now()}, previous)
            lines.append(line)
        data = b"".join(lines)
        _write_all(log, data, size)
        end = Head(n, previous, size + len(data))
        self._put(head_file, end, self._heads_size(end))
        return end

    def _heads_size(self, end: Head) -> int:
        """The size of the file of signed heads, after signing one more where that is due."""
        last = heads.last(self._heads_path)
        if last is None or end.n - last["n"] >= EVERY:
            return heads.add(self._heads_path, self._signed_by(), end, self._now(), "count")[1]
        if self._clock() - datetime.fromisoformat(last["at"]) >= HOUR:
            return heads.add(self._heads_path, self._signed_by(), end, self._now(), "hour")[1]
        return self._heads_path.stat().st_size

    def _put(self, head_file: int, head: Head, heads_size: int) -> None:
        self._written = heads.sealed(self._signed_by(), head, heads_size)
        write_head(head_file, self._written)

    def _signed_by(self) -> Signer:
        if self._signer is None or not self._signer.is_current():
            self._signer = Signer.of(self.folder)
        return self._signer

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _continue_from(self, log: int, size: int, head: Head | None) -> tuple[Head, int, list[dict[str, Any]]]:
        """Where the chain goes on: the record before, the offset to write at, and a marker for what was found wrong."""
        if head and head.size == size:
            return head, size, []
        end = last_newline(log, size)
        last = _last_record(log, end)
        fragment = os.pread(log, min(size - end, _BLOCK), end)
        marker = _marker()
        if head is None and size:
            marker |= {"tampered": True, "what": "the head file was missing, so records may have been cut."}
        elif head and (last is None or last.n < head.n):
            there = last.n if last else 0
            marker |= {"tampered": True, "what": f"records {there + 1} to {head.n} were cut.", "expected": head.hash}
        elif head and last and last.n == head.n and last.hash != head.hash:
            marker |= {"tampered": True, "what": f"record {head.n} was replaced.", "expected": head.hash}
        elif not fragment:
            return last or Head(), size, []  # a writer died between the log and the head file: nothing is wrong
        else:
            marker |= {"what": "an unfinished record of a crash was cleared away."}
        if fragment:
            marker |= {"torn_bytes": size - end, "torn_sha256": hashlib.sha256(fragment).hexdigest()}
        return last or Head(), end, [marker]


def _key_records(head: Head | None, signer: Signer) -> list[dict[str, Any]]:
    """The record that says which key signs from here on; before it, that another key was declared."""
    declared = head.key if head else ""
    if declared == signer.public:
        return []
    lost: list[dict[str, Any]] = []
    if declared:
        what = "the signing key was not there any more, so a new one was made."
        lost = [_marker(what=what, tampered=True, expected=declared)]
    return [*lost, {"event": "audit_key", "person": person(), "key": signer.public}]


def _marker(**facts: Any) -> dict[str, Any]:
    return {"event": "recovered", "person": person(), **facts}


def _write_all(log: int, data: bytes, offset: int) -> None:
    """Write and flush at an offset, or leave the file as it was."""
    done = 0
    try:
        while done < len(data):
            done += os.pwrite(log, data[done:], offset + done)
        if os.fstat(log).st_size > offset + len(data):
            os.ftruncate(log, offset + len(data))
        os.fsync(log)
    except OSError:
        with suppress(OSError):
            os.ftruncate(log, offset)
        raise


def _last_record(log: int, end: int) -> Head | None:
    """The last complete line as a head; a line that is no record counts by position, so that the chain can go on."""
    line = next(backwards(log, end), None)
    if line is None:
        return None
    parsed = chain.parse(line)
    if parsed:
        return Head(parsed[0]["n"], parsed[0]["hash"], end)
    count = sum(1 for _ in backwards(log, end))
    return Head(count, hashlib.sha256(line).hexdigest(), end)


def _sync_folder(folder: Path) -> None:
    """Put the folder's entries on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

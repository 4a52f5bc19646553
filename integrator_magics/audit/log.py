"""The log file: several writers, durable on return, closed when it can't be written."""

from __future__ import annotations

import errno
import getpass
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ..errors import AuditUnavailable
from . import chain
from .chain import Head, Verdict
from .locking import locked

__all__ = ["AuditLog"]

_BLOCK = 64 * 1024
_HEAD_BYTES = 256
_RESERVED = ("n", "at", "previous", "hash")
_WHY = {
    errno.ENOSPC: ("disk full", "Free some space and run the cell again."),
    errno.EDQUOT: ("disk quota used up", "Free some space and run the cell again."),
    errno.EFBIG: ("file size limit reached", "Raise the limit, or move the log away, and run the cell again."),
    errno.EROFS: ("read-only file system", "Set INTEGRATOR_HOME to a folder you can write to and run the cell again."),
    errno.EACCES: ("no permission", "Give yourself write access to {path} and run the cell again."),
    errno.EPERM: ("no permission", "Give yourself write access to {path} and run the cell again."),
    errno.ETIMEDOUT: ("another program holds it", "Close the other program and run the cell again."),
}


class _Redacts(Protocol):
    def redact_data(self, data: Any) -> Any: ...


class AuditLog:
    """JSON lines in `folder/log.jsonl`, each chained to the one before.

    `append` returns after the record is on disk; when that can't be, AuditUnavailable is raised and the caller must
    not act. Any number of processes and threads may append. `redactor` is applied to every record before it is
    written. A chain alone can't show that somebody rewrote all of it: keep `verify().head` elsewhere for that.
    """

    def __init__(
        self,
        folder: Path,
        *,
        redactor: _Redacts | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lock_timeout: float = 10.0,
    ) -> None:
        self.folder = folder
        self.path = folder / "log.jsonl"
        self._head_path = folder / "head.json"
        self._redactor = redactor
        self._clock = clock
        self._lock_timeout = lock_timeout  # seconds

    def append(self, record: Mapping[str, Any]) -> int:
        """Write one record and return its number, from 1. Adds n, at (UTC), person, previous, hash."""
        return self.extend([record])

    def extend(self, records: Sequence[Mapping[str, Any]]) -> int:
        """Write several records with one flush to disk, and return the number of the last."""
        plain = [self._filled(record) for record in records]
        try:
            with self._open() as log:
                return self._write(log, plain)
        except OSError as exc:
            raise self._unavailable(exc) from exc

    def records(self) -> Iterator[dict[str, Any]]:
        """All readable records, oldest first."""
        _, size = self._snapshot()
        for line in self._lines(size):
            parsed = chain.parse(line)
            if parsed:
                yield parsed[0]

    def tail(self, n: int = 10) -> list[dict[str, Any]]:
        """The last `n` readable records, oldest of them first."""
        if n <= 0 or not self.path.exists():
            return []
        with self.path.open("rb") as file:
            found = []
            for line in _backwards(file.fileno(), os.fstat(file.fileno()).st_size):
                parsed = chain.parse(line)
                if parsed:
                    found.append(parsed[0])
                    if len(found) == n:
                        break
        return found[::-1]

    def verify(self) -> Verdict:
        """Follow the whole chain; the verdict names the first bad record and why."""
        head, size = self._snapshot()
        if not size and head is None:
            return Verdict(True, 0)
        verdict = chain.check(self._lines(size), head)
        torn = bool(size) and self._fragment_at(size)
        if torn and verdict.whole:
            return Verdict(True, verdict.records, None, _TORN, verdict.head, True, verdict.recovered)
        return verdict

    def export(self, path: Path) -> Verdict:
        """Write all records to a .csv, .json or .jsonl file and return the verdict on what was exported."""
        from .export import export

        verdict = self.verify()
        export(self.records(), verdict, path)
        return verdict

    def _filled(self, record: Mapping[str, Any]) -> dict[str, Any]:
        clash = [key for key in _RESERVED if key in record]
        if clash:
            raise ValueError(f"the log sets {', '.join(clash)} itself")
        plain = dict(self._redactor.redact_data(dict(record)) if self._redactor else record)
        plain.setdefault("person", _person())
        return plain

    @contextmanager
    def _open(self) -> Iterator[int]:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = not self.path.exists()
        log = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if new:
                _sync_folder(self.folder)
            with locked(log, timeout=self._lock_timeout):
                yield log
        finally:
            os.close(log)

    def _write(self, log: int, records: list[dict[str, Any]]) -> int:
        size = os.fstat(log).st_size
        descriptor = os.open(self._head_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            head = _read_head(descriptor)
            start, size, marker = self._continue_from(log, size, head)
            lines, n, previous = [], start.n, start.hash
            for record in [*marker, *records]:
                n += 1
                at = self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
                line, previous = chain.render({**record, "n": n, "at": at}, previous)
                lines.append(line)
            data = b"".join(lines)
            if head is None:
                _write_head(descriptor, Head())
                _sync_folder(self.folder)
            _write_all(log, data, size)
            _write_head(descriptor, Head(n, previous, size + len(data)))
            return n
        finally:
            os.close(descriptor)

    def _continue_from(self, log: int, size: int, head: Head | None) -> tuple[Head, int, list[dict[str, Any]]]:
        """Where the chain goes on: the record before, the offset to write at, and a marker for what was found wrong."""
        if head and head.size == size:
            return head, size, []
        end = _last_newline(log, size)
        last = _last_record(log, end)
        fragment = os.pread(log, min(size - end, _BLOCK), end)
        marker: dict[str, Any] = {"event": "recovered", "person": _person()}
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

    def _snapshot(self) -> tuple[Head | None, int]:
        """Head file and log size of one moment."""
        if not self.path.exists():
            return (_read_head_file(self._head_path), 0)
        with self.path.open("rb") as file, locked(file.fileno(), shared=True, timeout=self._lock_timeout):
            return _read_head_file(self._head_path), os.fstat(file.fileno()).st_size

    def _lines(self, size: int) -> Iterator[bytes]:
        """Complete lines within the first `size` bytes."""
        if not size:
            return
        with self.path.open("rb") as file:
            left = size
            for line in file:
                left -= len(line)
                if left < 0 or not line.endswith(b"\n"):
                    return
                yield line[:-1]

    def _fragment_at(self, size: int) -> bool:
        with self.path.open("rb") as file:
            return os.pread(file.fileno(), 1, size - 1) != b"\n"

    def _unavailable(self, exc: OSError) -> AuditUnavailable:
        words = (exc.strerror or str(exc)).lower()
        why, then = _WHY.get(exc.errno or 0, (words, "Check {path} and run the cell again."))
        return AuditUnavailable(
            f"The audit log can't be written ({why}), so nothing runs.", then.format(path=self.folder)
        )


_TORN = "The last record is unfinished: a program was stopped while writing it. It was never confirmed."


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return f"uid {os.getuid()}"


def _write_all(log: int, data: bytes, offset: int) -> None:
    """Write and flush, or leave the file as it was."""
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


def _read_head_file(path: Path) -> Head | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _read_head(descriptor)
    finally:
        os.close(descriptor)


def _read_head(descriptor: int) -> Head | None:
    try:
        values = json.loads(os.pread(descriptor, _HEAD_BYTES, 0))
        return Head(int(values["n"]), str(values["hash"]), int(values["size"]))
    except (ValueError, KeyError, TypeError):
        return None


def _write_head(descriptor: int, head: Head) -> None:
    """One write of fixed length, in place: never torn by a kill, and needs no space on a full disk."""
    text = json.dumps({"n": head.n, "hash": head.hash, "size": head.size})
    os.pwrite(descriptor, text.ljust(_HEAD_BYTES - 1).encode("ascii") + b"\n", 0)


def _last_newline(log: int, size: int) -> int:
    """Offset behind the last newline, 0 without one; reads back block by block, so a record may have any length."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(log, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _backwards(log: int, size: int) -> Iterator[bytes]:
    """Complete lines, last first."""
    end = _last_newline(log, size)
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


def _last_record(log: int, end: int) -> Head | None:
    """The last complete line as a head; a line that is no record counts by position, so that the chain can go on."""
    line = next(_backwards(log, end), None)
    if line is None:
        return None
    parsed = chain.parse(line)
    if parsed:
        return Head(parsed[0]["n"], parsed[0]["hash"], end)
    count = sum(1 for _ in _backwards(log, end))
    return Head(count, hashlib.sha256(line).hexdigest(), end)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

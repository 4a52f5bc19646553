"""The audit log as the rest of the product sees it: records go to the keeper process, reading is done here."""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ..errors import AuditUnavailable
from . import chain, heads, keeping
from .chain import Head, Verdict
from .locking import locked
from .reading import backwards, read_head_file
from .signing import public_key
from .who import actor, person

__all__ = ["AuditLog"]

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
    """JSON lines in `folder/log.jsonl`, each chained to the one before, with heads signed by a key this process lacks.

    `append` returns after the record is on disk; when that can't be, AuditUnavailable is raised and the caller must
    not act. Any number of processes and threads may append. `redactor` is applied to every record before it leaves
    this process. Who owns the files can rewrite all of them: keep `sign().hash` elsewhere for that.
    """

    def __init__(self, folder: Path, *, redactor: _Redacts | None = None, lock_timeout: float = 10.0) -> None:
        self.folder = folder
        self.path = folder / "log.jsonl"
        self._redactor = redactor
        self._lock_timeout = lock_timeout  # seconds
        self._session = uuid.uuid4().hex[:12]

    def append(self, record: Mapping[str, Any]) -> int:
        """Write one record and return its number, from 1.

        Adds n, at (UTC), monotonic (seconds), session, person, actor (human, agent or program), previous and hash.
        """
        return self.extend([record])

    def extend(self, records: Sequence[Mapping[str, Any]]) -> int:
        """Write several records with one flush to disk, and return the number of the last."""
        plain = [chain.plain(self._filled(record)) for record in records]
        number: int = self._ask(records=plain)["n"]
        return number

    def sign(self, reason: str) -> dict[str, Any]:
        """The newest record's number and hash, signed and kept, for a receipt; {} while there is no record."""
        head: dict[str, Any] = self._ask(sign=reason)["head"]
        return head

    def records(self) -> Iterator[dict[str, Any]]:
        """All readable records, oldest first."""
        for line in self._lines(self._snapshot()[1]):
            parsed = chain.parse(line)
            if parsed:
                yield parsed[0]

    def tail(self, n: int = 10) -> list[dict[str, Any]]:
        """The last `n` readable records, oldest of them first."""
        if n <= 0 or not self.path.exists():
            return []
        with self.path.open("rb") as file:
            found = []
            for line in backwards(file.fileno(), os.fstat(file.fileno()).st_size):
                parsed = chain.parse(line)
                if parsed:
                    found.append(parsed[0])
                    if len(found) == n:
                        break
        return found[::-1]

    def verify(self, receipt: Mapping[str, Any] | None = None) -> Verdict:
        """Follow the whole chain and its signed heads; the verdict names the first bad record and why.

        `receipt` is a signed head that was kept elsewhere, as `sign` returned it; the log must hold it.
        """
        head, size, kept = self._snapshot()
        key = public_key(self.folder)
        if receipt is not None and not heads.is_valid(receipt, str(receipt.get("key", ""))):
            return Verdict(False, 0, None, "The receipt is not whole: its signature does not fit what it says.")
        if not size and head is None and not kept and receipt is None:
            return Verdict(True, 0)
        signed = {entry["n"]: str(entry["hash"]) for entry in kept if entry and heads.is_valid(entry, key)}
        if receipt is not None:
            signed[receipt["n"]] = receipt["hash"]
        verdict = chain.check(self._lines(size), head, signed)
        if verdict.whole:
            verdict = self._with_heads(verdict, head, key, kept)
        if verdict.whole and receipt is not None and receipt["key"] != verdict.key:
            verdict = _broken(verdict, "The receipt was signed with another key than this log's.")
        if verdict.whole and size and self._fragment_at(size):
            return replace(verdict, reason=_TORN, torn=True)
        return verdict

    def export(self, path: Path) -> Verdict:
        """Write all records to a .csv, .json or .jsonl file and return the verdict on what was exported."""
        from .export import export

        verdict = self.verify()
        export(self.records(), verdict, path)
        return verdict

    def _with_heads(
        self, verdict: Verdict, head: Head | None, key: str, kept: Sequence[Mapping[str, Any] | None]
    ) -> Verdict:
        """The verdict on a whole chain, once its heads were looked at too."""
        if not verdict.key:  # a log from before heads were signed
            return verdict
        if key != verdict.key:
            return _broken(
                verdict, f"The public key in {self.folder} is missing or not the one that this log declares."
            )
        if head is None or not heads.is_sealed(head, key):
            return _broken(verdict, "The head file was not written by this log: its signature does not fit.")
        for at, entry in enumerate(kept, 1):
            if entry is None or not heads.is_valid(entry, key):
                return _broken(verdict, f"Signed head {at} was changed or inserted.", entry["n"] if entry else None)
        if self._heads_size() < head.heads:
            return _broken(verdict, "Signed heads are missing at the end of their file.")
        return verdict

    def _ask(self, **request: Any) -> dict[str, Any]:
        answer = keeping.ask({"folder": str(self.folder.absolute()), "timeout": self._lock_timeout, **request})
        if "error" in answer:
            words = str(answer["error"]).lower()
            why, then = _WHY.get(answer["errno"] or 0, (words, "Check {path} and run the cell again."))
            raise AuditUnavailable(
                f"The audit log can't be written ({why}), so nothing runs.", then.format(path=self.folder)
            )
        return answer

    def _filled(self, record: Mapping[str, Any]) -> dict[str, Any]:
        clash = [key for key in _RESERVED if key in record]
        if clash:
            raise ValueError(f"the log sets {', '.join(clash)} itself")
        plain = dict(self._redactor.redact_data(dict(record)) if self._redactor else record)
        plain.setdefault("person", person())
        plain.setdefault("actor", actor())
        return {**plain, "session": self._session, "monotonic": round(time.monotonic(), 3)}

    def _snapshot(self) -> tuple[Head | None, int, list[dict[str, Any] | None]]:
        """Head file, log size and signed heads of one moment."""
        head_path, heads_path = self.folder / "head.json", self.folder / "heads.jsonl"
        if not self.path.exists():
            return read_head_file(head_path), 0, heads.read(heads_path)
        with self.path.open("rb") as file, locked(file.fileno(), shared=True, timeout=self._lock_timeout):
            return read_head_file(head_path), os.fstat(file.fileno()).st_size, heads.read(heads_path)

    def _heads_size(self) -> int:
        path = self.folder / "heads.jsonl"
        return path.stat().st_size if path.exists() else 0

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


_TORN = "The last record is unfinished: a program was stopped while writing it. It was never confirmed."


def _broken(verdict: Verdict, reason: str, at: int | None = None) -> Verdict:
    return replace(verdict, whole=False, bad_at=at or verdict.records, reason=reason)

"""How the rows of a sync travel: batch by batch, each one transaction where the target has those.

Into a target that takes batches as they come (a `BulkWriter`) nothing looks at single rows here, and while one batch
is being written the next one is read. What such a target refuses as a whole goes the way of all other rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

from . import mode
from .errors import DriverError
from .incremental import CURSOR, DELETED, FLAG
from .paging import Chunk, Place, csv_chunks, row_chunks
from .parts import DELETED_AT, Part
from .progress import Progress
from .protocols import BulkWriter, Load, Marks, WriteResult
from .receipt import Receipt
from .records import Records
from .resuming import Resume

__all__ = ["Transfer", "count_written", "forget_written", "require_room"]

BATCH = 10_000  # rows
_written = 0  # rows added or changed by all syncs of this process, towards the ceiling of the run


@dataclass
class Transfer:
    """One sync under way. `found` are the source's own records, for its count; `is_unique`: no key comes twice."""

    records: Records
    found: Records
    target: Place
    key: str
    mode: mode.Mode
    receipt: Receipt
    resume: Resume | None = None
    is_unique: bool = False
    _shown: Progress | None = None

    def run(self) -> None:
        """Write all rows, in a preview compare them; with `resume` each batch commits its resume point too."""
        self._shown = Progress(f"{self.receipt.system}.{self.target.object}")
        loads = self._loads()
        if loads is None:
            self._row_by_row()
        else:
            with closing(loads):
                for load in loads:
                    self._commit(load)
        receipt = self.receipt
        self._progress(last=True)
        counted = receipt.written + receipt.unchanged + receipt.rejected + receipt.duplicates
        if counted != receipt.read:
            raise DriverError(
                f"{receipt.system} accounted for {counted:,} of {receipt.read:,} rows of {self.target.object}; "
                "the rest is in an unknown state. Run again: known rows are recognised by their key."
            )
        if self.resume is not None:
            self.resume.save(finished=True)
            receipt.watermark_after = self.resume.window.reached

    def _loads(self) -> Any:
        """Batches as the target takes them; None where it does not."""
        client, obj = self.target.client, self.target.object
        if self.mode is not mode.Mode.APPLY or not isinstance(client, BulkWriter):
            return None
        fields, key, marks = self.records.fields, self.key, self._marks()
        chunks: Iterator[Chunk | None]
        if self.records.sends_csv and self.is_unique and client.takes(obj, fields, key, marks, csv=True):
            chunks = csv_chunks(self.records, key, BATCH)
        elif client.takes(obj, fields, key, marks, csv=False):
            chunks = row_chunks(self.records, key, BATCH, None if self.is_unique else set())
        else:
            return None
        return client.load(obj, fields, key, marks, chunks)

    def _marks(self) -> Marks:
        if self.resume is None:
            return Marks()
        window = self.resume.window
        return Marks(
            cursor=window.columns[window.cursor],
            flag=window.columns[FLAG] if window.reads_deleted else None,
            unwritten=tuple(name for name in (CURSOR, DELETED) if name in self.records.fields),
            cleared=DELETED_AT if window.reads_deleted else None,
        )

    def _commit(self, load: Load) -> None:
        """One batch that the target has taken, or refused as a whole: do the rest of it, and commit."""
        chunk: Chunk = load.chunk
        client, obj, key = self.target.client, self.target.object, self.key
        window = None if self.resume is None else self.resume.window
        flags = [window.columns[FLAG]] if window is not None and window.reads_deleted else []
        rows = chain(chunk.odd, chunk.records(flags) if load.result is None else ())
        part = Part.of(list(rows), key, None, window)
        part.duplicates = chunk.duplicates
        if window is not None:
            if load.result is not None:
                window.saw(chunk.size, load.largest)
            kept = {name: True for name in flags if name != DELETED}
            part.gone += [{key: row[key], **kept, DELETED_AT: row[window.columns[window.cursor]]} for row in load.gone]
        part.forget_unknown(client, obj, key)
        self._check_ceiling(part, load.result)
        done = part.write(client, obj, key) if part.size else WriteResult()
        done += load.result or WriteResult()
        if self.resume is not None:
            part.hold(self.resume.window, done.rejected, key)
            self.resume.save(finished=False)
        load.commit()
        self._account(chunk.read, part, done)

    def _row_by_row(self) -> None:
        seen: set[Any] | None = None if self.is_unique else set()
        window = None if self.resume is None else self.resume.window
        client, obj, key = self.target.client, self.target.object, self.key
        for batch in self.records.batches(BATCH):
            part = Part.of(batch, key, seen, window)
            part.forget_unknown(client, obj, key)
            done = WriteResult()
            if part.size:
                self._check_ceiling(part, None)
                with nullcontext() if self.resume is None else self.resume.together():
                    done = part.write(client, obj, key)
                    if self.resume is not None:
                        part.hold(self.resume.window, done.rejected, key)
                        self.resume.save(finished=False)
            self._account(len(batch), part, done)

    def _check_ceiling(self, part: Part, loaded: WriteResult | None) -> None:
        """Raise RowLimitError where this batch would exceed the approved rows."""
        ceiling = mode.max_rows()
        if self.mode is not mode.Mode.APPLY or ceiling is None:
            return
        so_far = _written + (0 if loaded is None else loaded.inserted + loaded.updated)
        if so_far + part.size > ceiling:
            mode.max_rows(so_far + _would_write(self.target, part, self.key))

    def _account(self, read: int, part: Part, done: WriteResult) -> None:
        """Count a batch that is committed."""
        global _written
        _written += done.inserted + done.updated
        part.result += done
        receipt = self.receipt
        receipt.read += read
        receipt.duplicates += part.duplicates
        receipt.deleted += part.deleted
        receipt.add(part.result)
        self._progress()

    def _progress(self, *, last: bool = False) -> None:
        counting = self.found if self.resume is None else self.resume.window
        self.receipt.source_count = counting.source_count
        assert self._shown is not None
        total = self.receipt.read if last else self.receipt.source_count
        self._shown.at(self.receipt.read, total, last=last)


def _would_write(target: Place, part: Part, key: str) -> int:
    """How many rows of a batch would be added or changed; all of them where the target can't tell beforehand."""
    compare = getattr(target.client, "compare", None)
    if compare is None or not part.fresh:
        return part.size
    result: WriteResult = compare(target.object, part.fresh, key=key)
    return result.inserted + result.updated + len(part.gone)


def require_room(target: Place, part: Part, key: str) -> None:
    """Raise RowLimitError where writing this batch would exceed the approved rows."""
    ceiling = mode.max_rows()
    if mode.current_mode() is mode.Mode.APPLY and ceiling is not None and _written + part.size > ceiling:
        mode.max_rows(_written + _would_write(target, part, key))


def forget_written() -> None:
    """Begin to count anew: each run by schedule has the whole ceiling."""
    global _written
    _written = 0


def count_written(done: WriteResult) -> None:
    """Count what a batch added or changed towards the ceiling of the run."""
    global _written
    _written += done.inserted + done.updated

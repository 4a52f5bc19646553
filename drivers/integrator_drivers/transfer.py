"""How the rows of a sync travel: batch by batch, each one transaction where the target has those."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import Any

from . import mode
from .errors import DriverError
from .paging import Place, page_batches
from .parts import Part
from .protocols import WriteResult
from .receipt import Receipt
from .records import Records
from .report import report
from .resuming import Resume

__all__ = ["count_written", "require_room", "transfer_pages", "transfer_rows"]

BATCH = 10_000  # rows
_written = 0  # rows added or changed by all syncs of this process, towards the ceiling of the run


def transfer_rows(
    records: Records,
    found: Records,
    target: Place,
    key: str,
    current: mode.Mode,
    receipt: Receipt,
    resume: Resume | None,
    *,
    is_unique: bool,
) -> None:
    """Write records in batches, in a preview compare them; with `resume` each batch commits its resume point too.

    `found` are the source's own records, for its count; `is_unique` says that no key comes twice.
    """
    global _written
    seen: set[Any] = set()
    label = f"{receipt.system}.{target.object}"
    shown_at = 0.0
    ceiling = mode.max_rows()
    window = None if resume is None else resume.window
    counting = found if window is None else window
    for batch in records.batches(BATCH):
        receipt.read += len(batch)
        part = Part.of(batch, key, None if is_unique else seen, window)
        receipt.duplicates += part.duplicates
        part.forget_unknown(target.client, target.object, key)
        if part.size:
            if current is mode.Mode.APPLY and ceiling is not None and _written + part.size > ceiling:
                mode.max_rows(_written + _would_write(target, part, key))
            with nullcontext() if resume is None else resume.together():
                done = part.write(target.client, target.object, key)
                if resume is not None:
                    part.hold(resume.window, done.rejected, key)
                    resume.save(finished=False)
            _written += done.inserted + done.updated
            part.result += done
        receipt.add(part.result)
        receipt.deleted += part.deleted
        receipt.source_count = counting.source_count
        if time.monotonic() - shown_at > 0.3:
            shown_at = time.monotonic()
            report("progress", label=label, done=receipt.read, total=receipt.source_count)
    receipt.source_count = counting.source_count
    report("progress", label=label, done=receipt.read, total=receipt.read)
    counted = receipt.written + receipt.unchanged + receipt.rejected + receipt.duplicates
    if counted != receipt.read:
        raise DriverError(
            f"{receipt.system} accounted for {counted:,} of {receipt.read:,} rows of {target.object}; "
            "the rest is in an unknown state. Run again: known rows are recognised by their key."
        )
    if resume is not None:
        resume.save(finished=True)
        receipt.watermark_after = resume.window.reached


def transfer_pages(records: Records, found: Records, target: Place, key: str, receipt: Receipt) -> None:
    """Pass CSV on without a look at its rows, in batches of some megabytes, each one transaction."""
    global _written
    label = f"{receipt.system}.{target.object}"
    columns = list(records.fields)
    for blocks in page_batches(records):
        with target.client.together():
            done: WriteResult = target.client.upsert_csv(target.object, columns, blocks, key)
            mode.max_rows(_written + done.inserted + done.updated)  # raises before the commit
        _written += done.inserted + done.updated
        receipt.read += done.inserted + done.updated + done.unchanged + len(done.rejected)
        receipt.add(done)
        receipt.source_count = found.source_count
        report("progress", label=label, done=receipt.read, total=receipt.source_count)
    receipt.source_count = found.source_count
    report("progress", label=label, done=receipt.read, total=receipt.read)
    if records.count is not None and records.count != receipt.read:
        raise DriverError(
            f"{receipt.system} accounted for {receipt.read:,} of {records.count:,} rows of {target.object}; "
            "the rest is in an unknown state. Run again: known rows are recognised by their key."
        )


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


def count_written(done: WriteResult) -> None:
    """Count what a batch added or changed towards the ceiling of the run."""
    global _written
    _written += done.inserted + done.updated

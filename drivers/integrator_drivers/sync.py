"""`sync`: bring a target up to date with a source, by key, in batches, without ever deleting."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import mode
from .errors import DriverError, FieldNotFoundError, ValidationError, near_matches
from .incremental import CURSOR, DELETED
from .paging import page_batches, takes_pages
from .parts import DELETED_AT, Part
from .protocols import Condition, Field, TableWriter, WriteResult
from .receipt import Receipt
from .records import Records
from .report import report
from .resuming import Resume

__all__ = ["Receipt", "Source", "Target", "sync", "system_of"]

logger = logging.getLogger("integrator")

BATCH = 10_000
_written = 0  # rows added or changed by all syncs of this process, towards the ceiling of the run


@dataclass
class Source:
    """Where records come from. `fields` maps source field -> target column, or lists fields that keep their names."""

    client: Any  # a Reader
    object: str
    fields: Mapping[str, str] | Sequence[str] | None = None
    where: Iterable[Condition] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def read(self) -> Records:
        """The records as the source has them."""
        wanted = None if self.fields is None else list(self.fields)
        found: Records = self.client.read(
            self.object, fields=wanted, where=self.where, since=self.since, until=self.until
        )
        return found


@dataclass
class Target:
    """Where records go."""

    client: Any  # a Writer
    object: str


def sync(source: Source | Records, target: Target, key: str, cursor: str | None = None) -> Receipt:
    """Add the source's records to the target, or update those with the same `key` (a target column).

    Records, such as a join gives, go to the target under the names they have.
    Makes or widens the target where it is a table. Writes in batches, each one transaction where the target has
    those; a row the target can't take is rejected with a reason and the rest goes on; of rows with the same key the
    first counts. Nothing is ever deleted, and a second run over the same data writes nothing. In a preview it reads
    and compares for real and sends nothing. Raises RowLimitError before the batch that would exceed the approved rows.

    `cursor` names the source's field with the time of the last change: then a run reads only what changed since the
    last one, up to the moment it started (see `incremental`). How far it came is kept in the table `integrator_state`
    beside a target table, saved with each batch, else in a file beside the script. What the source says it has deleted
    gets `deleted_at` in a table. A source field that is gone or changed its type stops the run before it writes.
    """
    system = system_of(target.client)
    current = mode.require_writable(system, target.object)
    resume = _resume(source, target, key, cursor)
    if resume is not None:
        assert isinstance(source, Source)
        found = records = resume.window.records(source)
    else:
        found = records = source if isinstance(source, Records) else source.read()
        if isinstance(source, Source) and isinstance(source.fields, Mapping):
            records = found.renamed(source.fields)
    fields = {name: entry for name, entry in records.fields.items() if name not in (CURSOR, DELETED)}
    if key not in fields:
        raise FieldNotFoundError(
            f'The key "{key}" is not among the target columns {", ".join(fields)}.',
            near_matches(key, fields),
        )
    if fields[key]["type"] == "json":
        raise ValidationError(f"{key} holds JSON, which can't be the key.")
    if resume is not None and resume.window.reads_deleted:
        fields.setdefault(DELETED_AT, {"type": "datetime", "native_type": "datetime", "nullable": True})
    receipt = Receipt(system, target.object, key, list(fields))
    if isinstance(target.client, TableWriter):
        receipt.changes = target.client.change_table(target.object, fields, key)
    if resume is not None:
        receipt.changes += [change for change in resume.prepare() if change not in receipt.changes]
        receipt.cursor = cursor
        receipt.watermark_before = receipt.watermark_after = resume.window.watermark
    is_unique = _is_unique(source, found, fields, key)
    by_pages = current is mode.Mode.APPLY and resume is None and is_unique and takes_pages(records, target, key)
    try:
        if by_pages:
            _transfer_pages(records, found, target, key, receipt)
        else:
            _transfer(records, found, target, key, current, receipt, resume, is_unique=is_unique)
    except BaseException:
        receipt.tell(stopped=True)
        raise
    receipt.tell(stopped=False)
    logger.info("%s: %s", receipt.object, receipt)
    return receipt


def system_of(client: Any) -> str:
    """The name of the driver that a client belongs to."""
    named = getattr(client, "system", None)
    return named if isinstance(named, str) else type(client).__module__.partition("_driver")[0]


def _resume(source: Source | Records, target: Target, key: str, cursor: str | None) -> Resume | None:
    if cursor is None:
        return None
    if isinstance(source, Records):
        raise ValidationError("Records, such as a join gives, have no cursor. Give sync a Source, or leave cursor out.")
    return Resume.of(source, target.client, target.object, system_of(target.client), key, cursor)


def _is_unique(source: Source | Records, found: Records, fields: Mapping[str, Field], key: str) -> bool:
    """Is the key all of the source's primary key, so that no value comes twice and none need be remembered."""
    if isinstance(source, Records) or not fields[key].get("primary_key"):
        return False
    every = source.client.get_fields(source.object) if hasattr(source.client, "get_fields") else found.fields
    return sum(bool(entry.get("primary_key")) for entry in every.values()) == 1


def _transfer(
    records: Records,
    found: Records,
    target: Target,
    key: str,
    current: mode.Mode,
    receipt: Receipt,
    resume: Resume | None,
    *,
    is_unique: bool,
) -> None:
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


def _transfer_pages(records: Records, found: Records, target: Target, key: str, receipt: Receipt) -> None:
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


def _would_write(target: Target, part: Part, key: str) -> int:
    """How many rows of a batch would be added or changed; all of them where the target can't tell beforehand."""
    compare = getattr(target.client, "compare", None)
    if compare is None or not part.fresh:
        return part.size
    result: WriteResult = compare(target.object, part.fresh, key=key)
    return result.inserted + result.updated + len(part.gone)

"""`sync`: bring a target up to date with a source, by key, in batches, without ever deleting."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import mode
from .errors import DriverError, FieldNotFoundError, ValidationError, near_matches
from .protocols import Condition, Record, Rejected, TableWriter, WriteResult
from .records import Records
from .report import report

__all__ = ["Receipt", "Source", "Target", "sync", "system_of"]

logger = logging.getLogger("integrator")

BATCH = 10_000
KEPT_REJECTS = 100
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


@dataclass
class Receipt:
    """What a sync did, or in a preview would do: read = inserted + updated + unchanged + rejected + duplicates."""

    system: str
    object: str
    key: str
    columns: list[str]
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    duplicates: int = 0  # rows whose key came before in the same run; the first one counts
    source_count: int | None = None
    changes: list[str] = field(default_factory=list)  # DDL
    differences: list[dict[str, Any]] = field(default_factory=list)  # the first 20, in a preview
    rejects: list[Rejected] = field(default_factory=list)  # the first 100

    @property
    def written(self) -> int:
        """Rows added or changed."""
        return self.inserted + self.updated

    def __str__(self) -> str:
        text = (
            f"{self.read:,} read = {self.inserted:,} added + {self.updated:,} updated + {self.unchanged:,} unchanged"
            f" + {self.rejected:,} rejected"
        )
        return text + (f" + {self.duplicates:,} with a repeated key" if self.duplicates else "")


def sync(source: Source | Records, target: Target, key: str) -> Receipt:
    """Add the source's records to the target, or update those with the same `key` (a target column).

    Records, such as a join gives, go to the target under the names they have.
    Makes or widens the target where it is a table. Writes in batches, each one transaction where the target has
    those; a row the target can't take is rejected with a reason and the rest goes on; of rows with the same key the
    first counts. Nothing is ever deleted, and a second run over the same data writes nothing. In a preview it reads
    and compares for real and sends nothing. Raises RowLimitError before the batch that would exceed the approved rows.
    """
    system = system_of(target.client)
    current = mode.require_writable(system, target.object)
    found = records = source if isinstance(source, Records) else source.read()
    if isinstance(source, Source) and isinstance(source.fields, Mapping):
        records = found.renamed(source.fields)
    if key not in records.fields:
        raise FieldNotFoundError(
            f'The key "{key}" is not among the target columns {", ".join(records.fields)}.',
            near_matches(key, records.fields),
        )
    if records.fields[key]["type"] == "json":
        raise ValidationError(f"{key} holds JSON, which can't be the key.")
    receipt = Receipt(system, target.object, key, list(records.fields))
    if isinstance(target.client, TableWriter):
        receipt.changes = target.client.change_table(target.object, records.fields, key)
    try:
        _transfer(records, found, target, key, current, receipt, is_unique=_is_unique(source, found, records, key))
    except BaseException:
        _report(receipt, stopped=True)
        raise
    _report(receipt, stopped=False)
    logger.info("%s: %s", receipt.object, receipt)
    return receipt


def system_of(client: Any) -> str:
    """The name of the driver that a client belongs to."""
    named = getattr(client, "system", None)
    return named if isinstance(named, str) else type(client).__module__.partition("_driver")[0]


def _is_unique(source: Source | Records, found: Records, records: Records, key: str) -> bool:
    """Is the key all of the source's primary key, so that no value comes twice and none need be remembered."""
    if isinstance(source, Records) or not records.fields[key].get("primary_key"):
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
    *,
    is_unique: bool,
) -> None:
    global _written
    seen: set[Any] = set()
    label = f"{system_of(target.client)}.{target.object}"
    shown_at = 0.0
    ceiling = mode.max_rows()
    for batch in records.batches(BATCH):
        receipt.read += len(batch)
        result = WriteResult()
        fresh = []
        for row in batch:
            value = row.get(key)
            if value is None:
                result.rejected.append(Rejected(row, f"no value in the key {key}"))
            elif not is_unique and value in seen:
                receipt.duplicates += 1
            else:
                if not is_unique:
                    seen.add(value)
                fresh.append(row)
        if fresh:
            if current is mode.Mode.APPLY and ceiling is not None and _written + len(fresh) > ceiling:
                mode.max_rows(_written + _would_write(target, fresh, key))
            done = target.client.upsert(target.object, fresh, key=key)
            _written += done.inserted + done.updated
            result += done
        _add(receipt, result)
        receipt.source_count = found.source_count
        if time.monotonic() - shown_at > 0.3:
            shown_at = time.monotonic()
            report("progress", label=label, done=receipt.read, total=receipt.source_count)
    receipt.source_count = found.source_count
    report("progress", label=label, done=receipt.read, total=receipt.read)
    counted = receipt.written + receipt.unchanged + receipt.rejected + receipt.duplicates
    if counted != receipt.read:
        raise DriverError(
            f"{system_of(target.client)} accounted for {counted:,} of {receipt.read:,} rows of {target.object}; "
            "the rest is in an unknown state. Run again: known rows are recognised by their key."
        )


def _would_write(target: Target, rows: list[Record], key: str) -> int:
    """How many rows of a batch would be added or changed; all of them where the target can't tell beforehand."""
    compare = getattr(target.client, "compare", None)
    if compare is None:
        return len(rows)
    result: WriteResult = compare(target.object, rows, key=key)
    return result.inserted + result.updated


def _add(receipt: Receipt, result: WriteResult) -> None:
    receipt.inserted += result.inserted
    receipt.updated += result.updated
    receipt.unchanged += result.unchanged
    receipt.rejected += len(result.rejected)
    receipt.differences = (receipt.differences + result.differences)[:20]
    receipt.rejects += result.rejected[: KEPT_REJECTS - len(receipt.rejects)]


def _report(receipt: Receipt, *, stopped: bool) -> None:
    report(
        "target",
        system=receipt.system,
        object=receipt.object,
        operation="upsert",
        columns=receipt.columns,
        key=receipt.key,
        add=receipt.inserted,
        update=receipt.updated,
        unchanged=receipt.unchanged,
        reject=receipt.rejected,
        duplicates=receipt.duplicates,
        read=receipt.read,
        source_count=receipt.source_count,
        changes=receipt.changes,
        differences=receipt.differences,
        rejects=[{"record": entry.record, "reason": entry.reason} for entry in receipt.rejects[:20]],
        stopped=stopped,
    )

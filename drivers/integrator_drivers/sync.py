"""`sync`: bring a target up to date with a source, by key, in batches, without ever deleting."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import mode
from .errors import FieldNotFoundError, ValidationError, near_matches
from .incremental import CURSOR, DELETED
from .parts import DELETED_AT
from .protocols import Condition, Field, TableWriter
from .receipt import Receipt
from .records import Records
from .resuming import Resume
from .transfer import Transfer

__all__ = ["Receipt", "Source", "Target", "sync", "system_of"]

logger = logging.getLogger("integrator")


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
    try:
        Transfer(records, found, target, key, current, receipt, resume, is_unique).run()
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

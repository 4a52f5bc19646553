"""The records of one practice org, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from integrator_practice import seeds

from .schema import Object, Schema, load

__all__ = ["ORG_ID", "Org", "Transaction"]

ORG_ID = "00D5g0000000001EAA"
FIRST_NEW_RECORD = 50_000_000  # numbers of ids made by writes, far above those of the seeds

Row = dict[str, Any]


class Org:
    """Tables of rows by id. A row is never changed in place: what a query holds stays as it was.

    Values are str, int, float, bool, date, aware UTC datetime, or None; the fields a row lacks are null.
    Writers hold `lock`.
    """

    def __init__(self, seed: int = 1, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.seed = seed
        self.clock = clock
        self.schema: Schema = load()
        self.lock = threading.RLock()
        self.locked_writes = 0  # so many of the next writes find their record locked
        self._tables: dict[str, dict[str, Row]] = {name: {} for name in self.schema.objects}
        self._prefixes = {
            described.facts["keyPrefix"]: name for name, described in self.schema.objects.items() if name != "Name"
        }
        self._indexes: dict[tuple[str, str], dict[Any, set[str]]] = {}
        self._made = 0
        self._transaction: Transaction | None = None

    def fill(self, name: str, rows: Iterable[Row]) -> None:
        """Add records as they are, without checks; a boolean that is not given is false."""
        described = self.schema.objects[name]
        flags = {field.name: False for field in described.fields.values() if field.kind == "boolean"}
        self._tables[name].update((row["Id"], {**flags, **row}) for row in rows)

    def rows(self, name: str, include_deleted: bool) -> list[Any]:
        """The records of an object as they are now, oldest first."""
        with self.lock:
            rows = list(self._tables[name].values())
        return rows if include_deleted else [row for row in rows if not row.get("IsDeleted")]

    def row(self, record_id: str) -> Row | None:
        """The record with that 18-character id, deleted or not."""
        name = self._prefixes.get(record_id[:3])
        return self._tables[name].get(record_id) if name else None

    def find(self, name: str, field: str, value: Any) -> list[str]:
        """Ids of the live records with that value, text without regard to case, sorted."""
        with self.lock:
            table, index = self._tables[name], self._indexes.get((name, field))
            if index is None:
                index = self._indexes[name, field] = {}
                for row in table.values():
                    index.setdefault(_folded(row.get(field)), set()).add(row["Id"])
            return sorted(found for found in index.get(_folded(value), ()) if not table[found].get("IsDeleted"))

    def put(self, name: str, row: Row) -> None:
        """Store a new record or a new version of one."""
        before = self._tables[name].get(row["Id"])
        if self._transaction:
            self._transaction.note(name, row["Id"], before)
        self._tables[name][row["Id"]] = row
        self._reindex(name, before, row)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """What is put inside can be rolled back as one, and with one around it. The caller holds the lock."""
        outer, inner = self._transaction, Transaction(self)
        self._transaction = inner
        try:
            yield inner
        finally:
            self._transaction = outer
            if outer:
                outer.take_over(inner)

    def restore(self, name: str, record_id: str, before: Row | None) -> None:
        """Put back what a record was before; None: it was not there."""
        now = self._tables[name][record_id]
        if before is None:
            del self._tables[name][record_id]
        else:
            self._tables[name][record_id] = before
        self._reindex(name, now, before)

    def new_id(self, described: Object) -> str:
        """An id no record has yet."""
        self._made += 1
        return seeds.record_id(described.facts["keyPrefix"], self.seed, FIRST_NEW_RECORD + self._made)

    def now(self) -> datetime:
        """The time of a write: whole seconds, as Salesforce stamps."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def _reindex(self, name: str, before: Row | None, after: Row | None) -> None:
        for (owner, field), index in self._indexes.items():
            if owner != name:
                continue
            if before is not None:
                index[_folded(before.get(field))].discard(before["Id"])
            if after is not None:
                index.setdefault(_folded(after.get(field)), set()).add(after["Id"])


class Transaction:
    """Remembers what was before, to put it back."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._before: list[tuple[str, str, Row | None]] = []

    def note(self, name: str, record_id: str, before: Row | None) -> None:
        """A record is about to change."""
        self._before.append((name, record_id, before))

    def take_over(self, inner: Transaction) -> None:
        """What an inner transaction did, and did not undo, is part of this one."""
        self._before += inner._before

    def roll_back(self) -> None:
        """Undo everything since the start."""
        for name, record_id, before in reversed(self._before):
            self._org.restore(name, record_id, before)
        self._before.clear()


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value

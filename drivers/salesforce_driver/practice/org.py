"""The records of one practice org, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from integrator_practice.seeds import record_id

from .schema import Object, Schema, load

__all__ = ["ORG_ID", "Org"]

ORG_ID = "00D5g0000000001EAA"
FIRST_NEW_RECORD = 50_000_000  # numbers of ids made by writes, far above those of the seeds


class Org:
    """Tables of rows by id. A row is never changed in place: what a query holds stays as it was.

    Values are str, int, float, bool, date, aware UTC datetime, or None; the fields a row lacks are null.
    """

    def __init__(self, seed: int = 1, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.seed = seed
        self.clock = clock
        self.schema: Schema = load()
        self.lock = threading.RLock()
        self._tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in self.schema.objects}
        self._prefixes = {
            described.facts["keyPrefix"]: name for name, described in self.schema.objects.items() if name != "Name"
        }
        self._made = 0

    def fill(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Add records as they are, without checks."""
        self._tables[name].update((row["Id"], row) for row in rows)

    def rows(self, name: str, include_deleted: bool) -> list[Any]:
        """The records of an object as they are now, oldest first."""
        with self.lock:
            rows = list(self._tables[name].values())
        return rows if include_deleted else [row for row in rows if not row.get("IsDeleted")]

    def row(self, record_id: str) -> dict[str, Any] | None:
        """The record with that 18-character id, deleted or not."""
        name = self._prefixes.get(record_id[:3])
        return self._tables[name].get(record_id) if name else None

    def put(self, name: str, row: dict[str, Any]) -> None:
        """Store a new version of a record."""
        self._tables[name][row["Id"]] = row

    def drop(self, name: str, record_id: str) -> None:
        """Take back a record that was just added (the rollback of allOrNone)."""
        del self._tables[name][record_id]

    def new_id(self, described: Object) -> str:
        """An id no record has yet."""
        self._made += 1
        return record_id(described.facts["keyPrefix"], self.seed, FIRST_NEW_RECORD + self._made)

    def now(self) -> datetime:
        """The time of a write: whole seconds, as Salesforce stamps."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

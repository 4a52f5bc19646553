"""One batch of a sync: rows to add or change, rows that the source has deleted, and those that can't be written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .incremental import CURSOR, DELETED, FLAG, Window
from .protocols import Record, Rejected, WriteResult

__all__ = ["DELETED_AT", "Part"]

DELETED_AT = "deleted_at"  # the target column with the time at which the source deleted the record


@dataclass
class Part:
    """What `upsert` gets, what gets `deleted_at`, and the result so far."""

    fresh: list[Record] = field(default_factory=list)
    gone: list[Record] = field(default_factory=list)
    result: WriteResult = field(default_factory=WriteResult)
    duplicates: int = 0
    deleted: int = 0
    _cursors: dict[Any, datetime | None] = field(default_factory=dict)  # by key

    @classmethod
    def of(cls, batch: list[Record], key: str, seen: set[Any] | None, window: Window | None) -> Part:
        """Sort a batch out. `seen` are the keys so far, None where the source can't repeat one."""
        part = cls()
        for row in batch:
            moment = None if window is None else window.see(row)
            value = row.get(key)
            if value is None:
                part.result.rejected.append(Rejected(row, f"no value in the key {key}"))
                if window is not None:
                    window.hold(moment)
                    _clean(row)
                continue
            if seen is not None:
                if value in seen:
                    part.duplicates += 1
                    continue
                seen.add(value)
            if window is not None:
                part._cursors[value] = moment
                is_gone = window.reads_deleted and bool(row.get(window.columns[FLAG]))
                flags = {FLAG: row[window.columns[FLAG]]} if is_gone and window.columns[FLAG] != DELETED else {}
                _clean(row)
                if is_gone:
                    kept = {window.columns[name]: entry for name, entry in flags.items()}
                    part.gone.append({key: value, **kept, DELETED_AT: moment})
                    continue
                if window.reads_deleted:
                    row[DELETED_AT] = None
            part.fresh.append(row)
        return part

    @property
    def size(self) -> int:
        """Rows that may be written."""
        return len(self.fresh) + len(self.gone)

    def forget_unknown(self, client: Any, obj: str, key: str) -> None:
        """Of the deleted rows keep those that the target has; the others need nothing done."""
        if not self.gone:
            return
        known = client.lookup(obj, key, [row[key] for row in self.gone], [key])
        kept = [row for row in self.gone if row[key] in known]
        self.result.unchanged += len(self.gone) - len(kept)
        self.gone = kept

    def write(self, client: Any, obj: str, key: str) -> WriteResult:
        """Hand the rows to the target."""
        done = WriteResult()
        if self.fresh:
            done += client.upsert(obj, self.fresh, key=key)
        if self.gone:
            marked: WriteResult = client.update(obj, self.gone, key=key)
            self.deleted = marked.updated
            done += marked
        return done

    def hold(self, window: Window, rejected: Iterable[Rejected], key: str) -> None:
        """Keep the watermark from passing the rejected rows, so that they are read again."""
        for reject in rejected:
            window.hold(self._cursors.get(reject.record.get(key)))


def _clean(row: Record) -> None:
    row.pop(CURSOR, None)
    row.pop(DELETED, None)

"""The first rows of a sync alone, for a person who wants to look at some before the rest is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .incremental import CURSOR, DELETED, FLAG, Window
from .places import Target, label_of, system_of
from .protocols import Field, Record, WriteResult
from .records import Records
from .report import report

__all__ = ["first_changed", "show_written"]

BATCH = 1_000  # rows


def first_changed(records: Records, target: Target, key: str, count: int, window: Window | None) -> Records:
    """The first `count` records that the target would add or change; none that the source has deleted.

    A target that can't compare gets the first ones there are.
    """
    fields: dict[str, Field] = {n: entry for n, entry in records.fields.items() if n not in (CURSOR, DELETED)}
    rows = _changed(_plain(records, key, window), target, key)
    return Records(fields, list(islice(rows, count)), system=records.system, obj=records.obj)


def show_written(records: Records, target: Target) -> None:
    """Report the rows as a table, for the person to look at."""
    rows = list(records.rows())
    name = f"{label_of(system_of(target.client))} {target.object}, the rows that were written"
    report("table", name=name, columns=list(records.fields), rows=rows, count=len(rows))


def _plain(records: Records, key: str, window: Window | None) -> Iterator[list[Record]]:
    """Batches of rows with a key that did not come before, without what a resume point needs."""
    seen: set[Any] = set()
    for batch in records.batches(BATCH):
        rows = []
        for row in batch:
            if window is not None and window.reads_deleted and row.get(window.columns[FLAG]):
                continue
            row.pop(CURSOR, None)
            row.pop(DELETED, None)
            if row.get(key) is not None and row[key] not in seen:
                seen.add(row[key])
                rows.append(row)
        if rows:
            yield rows


def _changed(batches: Iterable[list[Record]], target: Target, key: str) -> Iterator[Record]:
    compare = getattr(target.client, "compare", None)
    for batch in batches:
        waiting = [batch]
        while waiting:
            rows = waiting.pop()
            if compare is None:
                yield from rows
                continue
            found: WriteResult = compare(target.object, rows, key=key)
            changed = found.inserted + found.updated
            if changed == len(rows):
                yield from rows
            elif changed and len(rows) > 1:
                waiting += [rows[len(rows) // 2 :], rows[: len(rows) // 2]]

"""Writing by the Bulk API 2.0: one job per file of rows, each row's fate mapped back to its record. Never deletes."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from integrator_drivers.errors import DriverError, ForbiddenError, NotFoundError, ValidationError

from .connection import Connection
from .faults import reason_of
from .jobs import finished
from .planning import Step
from .tables import fetched

__all__ = ["INGEST_FROM", "Fate", "Ingest", "can_carry", "send"]

# Ten calls of 200 records. A job costs seven requests and a wait in Salesforce's queue; Salesforce itself recommends
# the Bulk API from 2,000 records on.
INGEST_FROM = 2_000
FILE_BYTES = 50_000_000  # Salesforce takes 100 MB and recommends less
NULL = "#N/A"  # an empty cell would leave the field as it is
LOCKED = "UNABLE_TO_LOCK_ROW"
ERROR = re.compile(r"([A-Z_]+):(.*?)(?::[\w, ]*)?\s*--\s*", re.DOTALL)


@dataclass(frozen=True)
class Ingest:
    """What a job is to do. `key` is the external id of an upsert, Id for an update, "" for an insert."""

    obj: str
    operation: str
    key: str


@dataclass
class Fate:
    """What became of the steps of one job."""

    added: list[Step] = field(default_factory=list)
    changed: list[Step] = field(default_factory=list)
    locked: list[Step] = field(default_factory=list)  # somebody else held the record; worth another try
    refused: list[tuple[Step, str]] = field(default_factory=list)  # with the reason
    untouched: list[Step] = field(default_factory=list)  # Salesforce did not begin: to be sent in another way


def can_carry(step: Step) -> bool:
    """Can CSV say this? `#N/A` would empty the field, and a lone carriage return counts as the end of a line."""
    return not any(isinstance(value, str) and (value == NULL or "\r" in value) for value in step.body.values())


def send(connection: Connection, ingest: Ingest, steps: Sequence[Step], done: str) -> Iterator[Fate]:
    """Send the steps, a file at a time; the fate of each file. `done` says what was written before."""
    columns = list(dict.fromkeys([*([ingest.key] if ingest.key else []), *(name for s in steps for name in s.body)]))
    for part, data in _files(columns, steps):
        yield _run(connection, ingest, columns, part, data, done)


def _run(
    connection: Connection, ingest: Ingest, columns: Sequence[str], steps: Sequence[Step], data: bytes, done: str
) -> Fate:
    body = {"object": ingest.obj, "operation": ingest.operation, "contentType": "CSV", "lineEnding": "LF"}
    if ingest.operation == "upsert":
        body["externalIdFieldName"] = ingest.key
    try:
        job = connection.call("POST", "jobs/ingest", json=body, done=done)
    except (ValidationError, ForbiddenError, NotFoundError):
        return Fate(untouched=list(steps))
    path = f"jobs/ingest/{job['id']}"
    try:
        connection.upload(f"{path}/batches", data, done)
    except BaseException:
        with suppress(DriverError):
            connection.call("PATCH", path, json={"state": "Aborted"})
        raise
    open_end = f"Up to {len(steps):,} {ingest.obj} records may or may not have been written. {done}"
    connection.call("PATCH", path, json={"state": "UploadComplete"}, done=open_end)
    ended = finished(connection, path, open_end)
    if ended["state"] != "JobComplete" and not ended.get("numberRecordsProcessed"):
        return Fate(untouched=list(steps))
    return _fates(connection, path, ingest, columns, steps, ended, open_end)


def _fates(
    connection: Connection,
    path: str,
    ingest: Ingest,
    columns: Sequence[str],
    steps: Sequence[Step],
    ended: dict[str, Any],
    done: str,
) -> Fate:
    """Each row of the results belongs to a step: by its key, or by everything that was sent."""
    waiting: dict[Any, deque[Step]] = defaultdict(deque)
    for step in steps:
        waiting[_mark(ingest, dict(zip(columns, _cells(columns, step), strict=True)))].append(step)
    fate = Fate()
    failed = int(ended.get("numberRecordsFailed", 0))
    succeeded = int(ended.get("numberRecordsProcessed", 0)) - failed
    for row in _table(connection, f"{path}/successfulResults", succeeded, done):
        if found := waiting.get(_mark(ingest, row, columns)):
            (fate.added if row["sf__Created"] == "true" else fate.changed).append(found.popleft())
    for row in _table(connection, f"{path}/failedResults", failed, done):
        if found := waiting.get(_mark(ingest, row, columns)):
            step, error = found.popleft(), row["sf__Error"]
            if error.startswith(LOCKED):
                fate.locked.append(step)
            else:
                fate.refused.append((step, _reason(error)))
    why = reason_of(str(ended.get("errorMessage") or "")) or "it did not say why"
    left = f"Salesforce did not get to this record: {why}"
    fate.refused += [(step, left) for rest in waiting.values() for step in rest]
    return fate


def _mark(ingest: Ingest, row: dict[str, str], columns: Sequence[str] = ()) -> Any:
    """What tells a row from the others."""
    if ingest.key == "Id":
        return row["Id"][:15]
    if ingest.key:
        return row[ingest.key].strip().casefold()
    return tuple(row[name] for name in (columns or row))


def _table(connection: Connection, path: str, count: int, done: str) -> Iterator[dict[str, str]]:
    page, _ = fetched(connection, path, {}, done, lambda headers: count)
    try:
        header = page.first_row()
        for block in page.blocks(header=True):
            for cells in csv.reader(io.StringIO(block.data.decode(), newline="")):
                yield dict(zip(header, cells, strict=True))
    finally:
        page.close()


def _files(columns: Sequence[str], steps: Iterable[Step]) -> Iterator[tuple[list[Step], bytes]]:
    header = _line(columns)
    part: list[Step] = []
    lines = [header]
    size = len(header)
    for step in steps:
        line = _line(_cells(columns, step))
        if part and size + len(line) > FILE_BYTES:
            yield part, b"".join(lines)
            part, lines, size = [], [header], len(header)
        part.append(step)
        lines.append(line)
        size += len(line)
    if part:
        yield part, b"".join(lines)


def _cells(columns: Sequence[str], step: Step) -> list[str]:
    return [_cell(step.body[name]) if name in step.body else "" for name in columns]


def _cell(value: Any) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(repr(value)), "f") if isinstance(value, int | float) else str(value)


def _line(cells: Iterable[str]) -> bytes:
    return (",".join('"' + cell.replace('"', '""') + '"' if cell else "" for cell in cells) + "\n").encode()


def _reason(error: str) -> str:
    """CODE:message:fields -- as a sentence."""
    found = ERROR.fullmatch(error.strip())
    return reason_of(found[2] if found else error) or "Salesforce gave no reason"

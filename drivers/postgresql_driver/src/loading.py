"""Batches into a table with a unique key, two at a time: one is merged while the next one is read and copied.

Each batch is COPYed into a temporary table of its own connection and merged by one statement; they are committed in
their order. A table that was empty is filled without that detour. What the server refuses as a whole is handed back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from integrator_drivers import ConnectionError, DriverError, Field, Record, WriteResult
from integrator_drivers.protocols import Marks

from . import merging
from .connection import translated
from .encoding import Encoder
from .models import Column, Table, planned_column
from .naming import fragment, name, place
from .rows import ROW_ERRORS, Batch, Connection

logger = logging.getLogger("integrator")

__all__ = ["Loaded", "Shape", "fits", "load"]

# Source types whose CSV the server reads as the row path does, by the column's base type.
_TEXT = ("text", "varchar", "bpchar", "citext")
_SAME: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_TEXT, ("text", "reference")),
    **dict.fromkeys(("int2", "int4", "int8"), ("integer",)),
    **dict.fromkeys(("numeric", "float4", "float8"), ("integer", "number")),
    "bool": ("boolean",),
    "date": ("date",),
    "timestamptz": ("datetime",),
}
_END = b"\\."  # alone on a line it ends COPY, inside of quotes too (before PostgreSQL 18)
_DONE = object()
_REFUSALS = (*ROW_ERRORS, ValueError)  # a value that no column can hold is found before it is sent


@dataclass
class Shape:
    """What the batches of a load are like."""

    table: Table
    key: Column
    columns: list[Column]  # of a batch, in its order
    marks: Marks

    @classmethod
    def of(cls, table: Table, fields: Mapping[str, Field], key: str, marks: Marks) -> Shape | None:
        """None where rows must be looked at one by one."""
        if table.kind != "r" or not merging.has_index(table, key):
            return None
        columns = []
        for entry, described in fields.items():
            column = table.columns.get(entry)
            if entry in marks.unwritten:
                column = planned_column(entry, described, is_key=False)
            if column is None or column.generated:
                return None
            columns.append(column)
        given = {column.name for column in columns}
        bases = {column.name: column.base for column in columns}
        if any(
            not column.nullable and column.default is None and not column.generated and column.name not in given
            for column in table.columns.values()
        ):
            return None
        if marks.cleared and (marks.cleared in given or marks.cleared not in table.columns):
            return None
        if marks.cursor and bases[marks.cursor] != "timestamptz":
            return None
        if marks.flag and bases[marks.flag] != "bool":
            return None
        return cls(table, table.columns[key], columns, marks)

    @property
    def written(self) -> list[Column]:
        """The columns of a batch that are columns of the table."""
        return [column for column in self.columns if column.name not in self.marks.unwritten]


def fits(shape: Shape, fields: Mapping[str, Field]) -> bool:
    """Can the server read CSV of these fields as it is."""
    if shape.key.nullable:
        return False
    return all(
        column.category != "A" and not column.choices and fields[column.name]["type"] in _SAME.get(column.base, ())
        for column in shape.columns
    )


@dataclass
class Loaded:
    """One batch in an open transaction, see the protocol `Load`."""

    chunk: Any
    lane: _Lane
    result: WriteResult | None = None
    gone: list[Record] = field(default_factory=list)
    largest: datetime | None = None
    committed: bool = False
    staged: int = 0  # rows in the stage, still to be merged
    merging: Future[None] | None = None

    def merge(self) -> None:
        """The staged rows into the table."""
        if self.staged:
            found = self.lane.merge(self.staged)
            if found is not None:
                self.result, self.gone, self.largest = found

    @property
    def is_ready(self) -> bool:
        """Is it merged."""
        return self.merging is None or self.merging.done()

    def ready(self) -> Loaded:
        """This, once it is merged."""
        if self.merging is not None:
            self.merging.result()
        return self

    def commit(self) -> None:
        """Make it last."""
        self.lane.commit()
        self.committed = True


class _Lane:
    """One connection, its transaction and its stage."""

    def __init__(self, connection: Connection, shape: Shape) -> None:
        self.connection = connection
        self._shape = shape
        self._subject = shape.table.full_name
        self._batch = Batch(shape.written, shape.key)
        self._encoder = Encoder(shape.columns)
        self._transaction: AbstractContextManager[psycopg.Transaction] | None = None
        self._stage: sql.Identifier | None = None

    def copy(self, chunk: Any, *, direct: bool) -> int | None:
        """A batch into the table itself or into a stage; how many rows. None where the server refuses it."""
        with translated(self._subject):
            self._open()
            if any(_END in block for block in chunk.blocks):
                return None
            try:
                self._stage = None if direct else self._make_stage()
                return self._copy(self._stage or place(self._shape.table), chunk)
            except _REFUSALS:
                self._end(whole=False)
                self._open()
                return None

    def merge(self, count: int) -> tuple[WriteResult, list[Record], datetime | None] | None:
        """The staged rows into the table, and what the marks say. None where the server refuses them."""
        assert self._stage is not None
        with translated(self._subject):
            try:
                gone = self._gone(self._stage)
                inserted, updated = merging.insert_or_update(
                    self.connection, self._shape.table, self._stage, self._batch, self._shape.marks
                )
                largest = self._largest(self._stage)
            except ROW_ERRORS:
                self._end(whole=False)
                self._open()
                return None
        return WriteResult(inserted, updated, count - len(gone) - inserted - updated), gone, largest

    def commit(self) -> None:
        with translated(self._subject):
            self._end(whole=True)

    def roll_back(self) -> None:
        """Undo what is open; nothing where the connection is lost, and the transaction with it."""
        if self._transaction is not None and not self.connection.closed:
            with translated(self._subject):
                self._end(whole=False)

    def _open(self) -> None:
        if self._transaction is None:
            self._transaction = self.connection.transaction()
            self._transaction.__enter__()

    def _end(self, *, whole: bool) -> None:
        transaction, self._transaction = self._transaction, None
        assert transaction is not None
        end = None if whole else psycopg.Rollback()
        transaction.__exit__(None if end is None else type(end), end, None)

    def _make_stage(self) -> sql.Identifier:
        marks = self._shape.marks
        columns = [
            sql.SQL("NULL::{} AS {}").format(fragment(column.native), name(column.name))
            if column.name in marks.unwritten
            else name(column.name)
            for column in self._shape.columns
        ]
        return merging.make_stage(self.connection, self._shape.table, sql.SQL(", ").join(columns))

    def _copy(self, into: sql.Composable, chunk: Any) -> int:
        names = sql.SQL(", ").join([name(column.name) for column in self._shape.columns])
        end = sql.SQL(" (FORMAT csv)" if chunk.blocks else "")
        text = sql.SQL("COPY {} ({}) FROM STDIN{}").format(into, names, end).as_string(self.connection)
        with self.connection.cursor() as cursor:
            with cursor.copy(text.replace("%%", "%").encode()) as copy:  # COPY takes no parameters
                for block in chunk.blocks:
                    copy.write(block)
                for page in chunk.pages:
                    for row in self._encoder.page(page):
                        copy.write_row(row)
            return cursor.rowcount

    def _gone(self, stage: sql.Identifier) -> list[Record]:
        marks = self._shape.marks
        if marks.flag is None or marks.cursor is None:
            return []
        entries = [self._shape.key.name, marks.cursor]
        query = sql.SQL("SELECT {}, {} FROM {} WHERE {}").format(*map(name, entries), stage, name(marks.flag))
        return [dict(zip(entries, row, strict=True)) for row in self.connection.execute(query, ())]

    def _largest(self, stage: sql.Identifier) -> datetime | None:
        cursor = self._shape.marks.cursor
        if cursor is None:
            return None
        query = sql.SQL("SELECT max({}) FROM {}").format(name(cursor), stage)
        row = self.connection.execute(query, ()).fetchone()
        return None if row is None or row[0] is None else row[0].astimezone(UTC)


def load(
    shape: Shape, chunks: Iterable[Any], connection: Connection, more: Callable[[], Connection], *, direct: bool
) -> Generator[Loaded, None, None]:
    """Each batch once it is written and can be committed, on the connection `lane.connection`.

    `more` opens a second connection; where it can't, batches are written one after the other.
    """
    lanes = [_Lane(connection, shape)]
    waiting: Loaded | None = None  # being merged
    source = iter(chunks)
    pool = ThreadPoolExecutor(1, "integrator-merge")
    try:
        while True:
            try:
                chunk = next(source, _DONE)
            except DriverError:
                if waiting is not None:  # what came before is whole
                    yield waiting.ready()
                raise
            if waiting is not None and (chunk is _DONE or (chunk is None and waiting.is_ready)):
                yield waiting.ready()
                waiting = None
            if chunk is _DONE:
                return
            if chunk is None:
                continue
            if direct:
                count = lanes[0].copy(chunk, direct=True)
                direct = count is not None
                if count is not None:
                    yield Loaded(chunk, lanes[0], WriteResult(inserted=count))
                    continue
            if waiting is not None and len(lanes) == 1:
                lanes += _another(shape, more)
                if len(lanes) == 1:
                    yield waiting.ready()
                    waiting = None
            lane = next(lane for lane in lanes if waiting is None or lane is not waiting.lane)
            started = Loaded(chunk, lane, staged=lane.copy(chunk, direct=False) or 0)
            if waiting is not None:
                yield waiting.ready()
            started.merging = pool.submit(started.merge)
            waiting = started
    finally:
        if waiting is not None and not waiting.is_ready:
            waiting.lane.connection.cancel_safe(timeout=5)
        pool.shutdown()
        for lane in lanes:
            lane.roll_back()
        for lane in lanes[1:]:
            lane.connection.close()


def _another(shape: Shape, more: Callable[[], Connection]) -> list[_Lane]:
    try:
        return [_Lane(more(), shape)]
    except ConnectionError as exc:
        logger.info("%s One batch is written after the other instead.", exc)
        return []

"""Rows into a table: COPY into a temporary stage, then one statement that adds or changes what differs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from contextlib import suppress

from psycopg import sql

from integrator_drivers import Record, Rejected, WriteResult
from integrator_drivers.protocols import Marks

from .comparing import compare_rows, differs
from .constraints import violations
from .models import Table
from .naming import name, place, qualified
from .rows import ROW_ERRORS, Batch, Connection, Operation, batches, isolating

__all__ = ["has_index", "insert_or_update", "make_stage", "write", "write_new"]

NO_MARKS = Marks()
_numbers = itertools.count(1)


def write(
    connection: Connection, table: Table, records: Iterable[Record], key: str | None, operation: Operation
) -> WriteResult:
    """Do it, inside the transaction that the caller holds. Rows the server refuses are taken out one by one."""
    return write_new(connection, table, records, key, operation, direct=False)[0]


def write_new(
    connection: Connection,
    table: Table,
    records: Iterable[Record],
    key: str | None,
    operation: Operation,
    *,
    direct: bool,
) -> tuple[WriteResult, bool]:
    """The same; with `direct` rows are first tried as new ones, without a stage. Also: were they all new."""
    groups, rejected = batches(table, records, key, operation)
    result = WriteResult(rejected=rejected)
    for batch in groups:
        if direct:
            try:
                with connection.transaction():
                    _copy(connection, place(table), batch, 0, len(batch.rows))
            except ROW_ERRORS:
                direct = False  # a key that is there, or a bad row
            else:
                result.inserted += len(batch.rows)
                continue
        try:
            with connection.transaction():
                result += _write(connection, table, batch, 0, len(batch.rows), operation)
        except ROW_ERRORS:
            result += _write_rest(connection, table, batch, operation)
    return result, direct


def has_index(table: Table, key: str) -> bool:
    """Does a unique index hold for the key."""
    return any(unique.columns == (key,) for unique in table.unique)


def _write_rest(connection: Connection, table: Table, batch: Batch, operation: Operation) -> WriteResult:
    """After the server has refused a row: leave out those that the table's rules forbid, then look for the others."""
    refused: dict[int, str] = {}
    with suppress(*ROW_ERRORS), connection.transaction():  # a value that is none of its type; halving finds it
        refused = violations(connection, table, batch, 0, len(batch.rows), operation)
    rest = Batch(batch.columns, batch.key)
    for number, (row, record) in enumerate(zip(batch.rows, batch.records, strict=True), 1):
        if number not in refused:
            rest.rows.append(row)
            rest.records.append(record)
    result = WriteResult()
    if rest.rows:
        result = isolating(connection, rest, lambda start, end: _write(connection, table, rest, start, end, operation))
    result.rejected += [Rejected(batch.records[number - 1], why) for number, why in sorted(refused.items())]
    return result


def _write(
    connection: Connection, table: Table, batch: Batch, start: int, end: int, operation: Operation
) -> WriteResult:
    if operation == "insert":
        _copy(connection, place(table), batch, start, end)
        return WriteResult(inserted=end - start)
    if operation == "update":
        return _update(connection, table, batch, start, end)
    return _upsert(connection, table, batch, start, end)


def _stage(connection: Connection, table: Table, batch: Batch, start: int, end: int) -> sql.Identifier:
    """A temporary table with these rows; it is gone with the transaction."""
    stage = make_stage(connection, table, batch.names)
    _copy(connection, stage, batch, start, end)
    return stage


def make_stage(connection: Connection, table: Table, columns: sql.Composable) -> sql.Identifier:
    """An empty one with these columns of the table."""
    stage = sql.Identifier(f"integrator_stage_{next(_numbers)}")
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            stage, columns, place(table)
        ),
        (),
    )
    return stage


def _copy(connection: Connection, into: sql.Composable, batch: Batch, start: int, end: int) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(into, batch.names)
    text = statement.as_string(connection).replace("%%", "%")  # COPY takes no parameters
    with connection.cursor() as cursor, cursor.copy(text.encode()) as copy:
        for row in batch.rows[start:end]:
            copy.write_row(row)


def _upsert(connection: Connection, table: Table, batch: Batch, start: int, end: int) -> WriteResult:
    assert batch.key is not None
    stage = _stage(connection, table, batch, start, end)
    if table.kind == "r" and has_index(table, batch.key.name):
        inserted, updated = insert_or_update(connection, table, stage, batch)
    else:
        inserted, updated = _update_then_insert(connection, table, stage, batch)
    return WriteResult(inserted=inserted, updated=updated, unchanged=end - start - inserted - updated)


def insert_or_update(
    connection: Connection, table: Table, stage: sql.Identifier, batch: Batch, marks: Marks = NO_MARKS
) -> tuple[int, int]:
    """Rows added and changed. xmax is 0 in a row that this statement made."""
    assert batch.key is not None
    cleared = [] if marks.cleared is None else [table.columns[marks.cleared]]
    others = [*batch.others, *cleared]
    action = sql.SQL("NOTHING").format()
    if others:
        action = sql.SQL("UPDATE SET {} WHERE {}").format(
            sql.SQL(", ").join([sql.SQL("{} = {}").format(name(c.name), qualified("excluded", c)) for c in others]),
            sql.SQL(" OR ").join([differs(c, qualified("t", c), qualified("excluded", c)) for c in others]),
        )
    query = sql.SQL(
        "WITH written AS (INSERT INTO {} AS t ({}) SELECT {} FROM {} WHERE {} ON CONFLICT ({}) DO {}"
        " RETURNING (t.xmax = 0) AS added)"
        " SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM written"
    ).format(
        place(table),
        sql.SQL(", ").join([name(c.name) for c in [*batch.columns, *cleared]]),
        sql.SQL(", ").join([*(name(c.name) for c in batch.columns), *(sql.SQL("NULL") for _ in cleared)]),
        stage,
        sql.SQL("true") if marks.flag is None else sql.SQL("{} IS NOT TRUE").format(name(marks.flag)),
        name(batch.key.name),
        action,
    )
    row = connection.execute(query, ()).fetchone()
    assert row is not None
    return row[0], row[1]


def _update_then_insert(connection: Connection, table: Table, stage: sql.Identifier, batch: Batch) -> tuple[int, int]:
    """As above where the key has no unique index, for partitioned tables and views; other writers wait meanwhile.

    Where the target has several rows of one key, all of them are updated, and counted once.
    """
    assert batch.key is not None
    target, key = place(table), name(batch.key.name)
    if table.kind in ("r", "p"):
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target), ())
    updated = _change(connection, table, stage, batch)
    inserted = connection.execute(
        sql.SQL(
            "INSERT INTO {} ({}) SELECT {} FROM {} AS s WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE t.{} = s.{})"
        ).format(target, batch.names, batch.names, stage, target, key, key),
        (),
    ).rowcount
    return inserted, updated


def _update(connection: Connection, table: Table, batch: Batch, start: int, end: int) -> WriteResult:
    """Change known rows; a row with an unknown key is handed back."""
    result = compare_rows(connection, table, batch, start, end, "update")
    result.differences.clear()
    known = end - start - len(result.rejected)
    result.updated = _change(connection, table, _stage(connection, table, batch, start, end), batch)
    result.unchanged = known - result.updated
    return result


def _change(connection: Connection, table: Table, stage: sql.Identifier, batch: Batch) -> int:
    """Update rows of known keys where a value differs; the number of keys."""
    assert batch.key is not None
    others, key = batch.others, name(batch.key.name)
    if not others:
        return 0
    query = sql.SQL(
        "WITH written AS (UPDATE {table} AS t SET {new} FROM {stage} AS s WHERE t.{key} = s.{key} AND ({differs})"
        " RETURNING t.{key} AS key) SELECT count(DISTINCT key) FROM written"
    ).format(
        table=place(table),
        new=sql.SQL(", ").join([sql.SQL("{} = {}").format(name(c.name), qualified("s", c)) for c in others]),
        stage=stage,
        key=key,
        differs=sql.SQL(" OR ").join([differs(c, qualified("t", c), qualified("s", c)) for c in others]),
    )
    row = connection.execute(query, ()).fetchone()
    assert row is not None
    return int(row[0])

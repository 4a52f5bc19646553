"""Rows on their way into a table: checked, compared, merged; what can't go in is handed back with a reason."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import errors as pg
from psycopg import sql

from integrator_drivers import FieldNotFoundError, Record, Rejected, ValidationError, WriteResult
from integrator_drivers.errors import near_matches

from .models import Column, Table
from .reading import identifier
from .values import writer_of

__all__ = ["Batch", "Operation", "batches", "compare", "write"]

Connection = psycopg.Connection[Any]
Operation = Literal["insert", "update", "upsert"]
Row = tuple[str | None, ...]  # values in PostgreSQL's text form
_numbers = itertools.count(1)
# What the server says about one row, not about the statement.
_ROW_ERRORS = (psycopg.IntegrityError, psycopg.DataError, pg.RaiseException, pg.CardinalityViolation)


@dataclass
class Batch:
    """Rows that give the same columns."""

    columns: list[Column]
    key: int | None  # position of the key column
    rows: list[Row] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)  # what each row came from


def batches(
    table: Table, records: Iterable[Record], key: str | None, operation: Operation
) -> tuple[list[Batch], list[Rejected]]:
    """Records as rows, grouped by the columns they give, and those that don't fit, each with its reason.

    Raises FieldNotFoundError or ValidationError where a whole group can't be written.
    """
    rejected: list[Rejected] = []
    found: dict[tuple[str, ...], tuple[Batch, list[Callable[[Any], str]]]] = {}
    seen: set[str | None] = set()
    for record in records:
        names = tuple(record)
        if names not in found:
            columns = [_writable(table, name) for name in names]
            _check_columns(table, names, key, operation)
            position = names.index(key) if key is not None else None
            found[names] = Batch(columns, position), [writer_of(column) for column in columns]
        batch, writers = found[names]
        try:
            row = _row(batch.columns, writers, record)
        except ValueError as exc:
            rejected.append(Rejected(record, str(exc)))
            continue
        if batch.key is not None:
            value = row[batch.key]
            if value is None:
                rejected.append(Rejected(record, f"no value in the key {key}"))
                continue
            if value in seen:
                rejected.append(Rejected(record, f"the key {key} came before in the same write"))
                continue
            seen.add(value)
        batch.rows.append(row)
        batch.records.append(record)
    return [batch for batch, _ in found.values() if batch.rows], rejected


def compare(
    connection: Connection, table: Table, records: Iterable[Record], key: str, operation: Operation
) -> WriteResult:
    """What an upsert or update would do. Only reads: the rows travel as array parameters of a SELECT."""
    groups, rejected = batches(table, records, key, operation)
    result = WriteResult(rejected=rejected)
    for batch in groups:
        if table.planned:
            result.inserted += len(batch.rows)
            continue

        def attempt(start: int, end: int, batch: Batch = batch) -> WriteResult:
            return _compare(connection, table, batch, start, end, operation)

        result += _isolating(connection, batch, attempt)
    return result


def write(
    connection: Connection, table: Table, records: Iterable[Record], key: str | None, operation: Operation
) -> WriteResult:
    """Do it, inside the transaction that the caller holds. Rows the server refuses are taken out one by one."""
    groups, rejected = batches(table, records, key, operation)
    result = WriteResult(rejected=rejected)
    for batch in groups:

        def attempt(start: int, end: int, batch: Batch = batch) -> WriteResult:
            return _merge(connection, table, batch, start, end, operation)

        result += _isolating(connection, batch, attempt)
    return result


def _writable(table: Table, name: str) -> Column:
    column = table.columns.get(name)
    if column is None:
        near = near_matches(name, table.columns)
        hint = f"Close matches: {', '.join(near)}." if near else f"It has {', '.join(table.columns)}."
        raise FieldNotFoundError(f'{table.full_name} has no column "{name}". {hint}', near)
    if column.generated:
        raise ValidationError(f"{table.full_name}.{name} is computed by PostgreSQL and can't be written; leave it out.")
    return column


def _check_columns(table: Table, names: tuple[str, ...], key: str | None, operation: Operation) -> None:
    if key is not None and key not in names:
        raise ValidationError(f'The records have no "{key}", by which known rows would be recognised.')
    if operation == "update":
        return
    needed = [
        column.name
        for column in table.columns.values()
        if not column.nullable and column.default is None and not column.generated and column.name not in names
    ]
    if needed and table.kind in ("r", "p"):
        raise ValidationError(
            f"Every row of {table.full_name} needs {' and '.join(needed)}, and the records don't have "
            f"{'it' if len(needed) == 1 else 'them'}. Nothing was written. Add {'it' if len(needed) == 1 else 'them'} "
            "to the fields, or let PostgreSQL fill in a default."
        )


def _row(columns: list[Column], writers: list[Callable[[Any], str]], record: Record) -> Row:
    values: list[str | None] = []
    for column, convert, value in zip(columns, writers, record.values(), strict=True):
        if value is None:
            if not column.nullable:
                raise ValueError(f"no value for {column.name}, which needs one")
            values.append(None)
            continue
        try:
            values.append(convert(value))
        except ValueError as exc:
            raise ValueError(f"{column.name} {exc}") from None
    return tuple(values)


def _isolating(connection: Connection, batch: Batch, attempt: Callable[[int, int], WriteResult]) -> WriteResult:
    """Try all rows; where the server refuses one, halve until it is found, so that the others go in."""
    result = WriteResult()
    waiting = [(0, len(batch.rows))]
    while waiting:
        start, end = waiting.pop()
        try:
            with connection.transaction():
                done = attempt(start, end)
        except _ROW_ERRORS as exc:
            if end - start == 1:
                result.rejected.append(Rejected(batch.records[start], _reason(exc)))
            else:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
            continue
        result += done
    return result


def _reason(exc: psycopg.Error) -> str:
    diag = exc.diag
    if isinstance(exc, pg.UniqueViolation):
        return f"another row already has this value ({diag.constraint_name})"
    if isinstance(exc, pg.ForeignKeyViolation):
        return f"refers to a row that is not there ({diag.constraint_name})"
    if isinstance(exc, pg.CheckViolation):
        return f"breaks the rule {diag.constraint_name}"
    if isinstance(exc, pg.NotNullViolation):
        return f"no value for {diag.column_name}, which needs one"
    return diag.message_primary or "PostgreSQL does not accept it"


def _differs(column: Column, old: sql.Composable, new: sql.Composable) -> sql.Composed:
    """Is the new value another one; types without an equality of their own are compared as text."""
    is_json = column.base == "json" and column.category != "A"
    cast = sql.SQL("::jsonb" if is_json else "" if column.comparable else "::text")
    return sql.SQL("({}{} IS DISTINCT FROM {}{})").format(old, cast, new, cast)


def _field(alias: str, column: Column) -> sql.Composed:
    return sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(column.name))


def _compare(
    connection: Connection, table: Table, batch: Batch, start: int, end: int, operation: Operation
) -> WriteResult:
    assert batch.key is not None
    key = batch.columns[batch.key]
    others = [column for column in batch.columns if column is not key]
    arrays = sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(batch.columns))
    names = sql.SQL(", ").join([sql.Identifier(f"c{i}") for i in range(len(batch.columns))])
    typed = sql.SQL(", ").join(
        [
            sql.SQL("r.{}::{} AS {}").format(
                sql.Identifier(f"c{i}"), sql.SQL(column.native), sql.Identifier(column.name)
            )
            for i, column in enumerate(batch.columns)
        ]
    )
    differing = [
        _differs(column, sql.SQL("NULL") if column.planned else _field("t", column), _field("s", column))
        for column in others
    ]
    differs = sql.SQL(" OR ").join(differing) if differing else sql.SQL("false")
    old = sql.SQL(", ").join(
        [
            sql.SQL("t.ctid IS NOT NULL")
            if table.kind in ("r", "p", "m")
            else sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(key.name))
        ]
        + [
            sql.SQL("NULL::text") if column.planned else sql.SQL("{}::text").format(_field("t", column))
            for column in others
        ]
        + differing
    )
    query = sql.SQL(
        "SELECT s.n::int, {old} FROM (SELECT r.n, {typed} FROM unnest({arrays}) WITH ORDINALITY AS r({names}, n)) AS s "
        "LEFT JOIN {table} AS t ON t.{key} = s.{key} WHERE t.{key} IS NULL OR {differs} ORDER BY s.n"
    ).format(
        old=old,
        typed=typed,
        arrays=arrays,
        names=names,
        table=identifier(table),
        key=sql.Identifier(key.name),
        differs=differs,
    )
    params = [list(values) for values in zip(*batch.rows[start:end], strict=True)]
    result = WriteResult()
    found: set[int] = set()
    for number, is_there, *rest in connection.execute(query, params):
        if number in found:  # without a unique key several rows may have it
            continue
        found.add(number)
        row = batch.rows[start + number - 1]
        if not is_there:
            if operation == "upsert":
                result.inserted += 1
            else:
                result.rejected.append(Rejected(batch.records[start + number - 1], _MISSING))
            continue
        result.updated += 1
        olds, flags = rest[: len(others)], rest[len(others) :]
        for column, before, is_other in zip(others, olds, flags, strict=True):
            if is_other and len(result.differences) < 20:
                after = row[batch.columns.index(column)]
                result.differences.append({"key": row[batch.key], "column": column.name, "old": before, "new": after})
    result.unchanged = end - start - len(found)
    return result


_MISSING = "there is no row with this key"


def _merge(
    connection: Connection, table: Table, batch: Batch, start: int, end: int, operation: Operation
) -> WriteResult:
    names = sql.SQL(", ").join([sql.Identifier(column.name) for column in batch.columns])
    if operation == "insert":
        _copy(connection, identifier(table), names, batch.rows[start:end])
        return WriteResult(inserted=end - start)
    assert batch.key is not None
    key = batch.columns[batch.key]
    others = [column for column in batch.columns if column is not key]
    if operation == "update":
        return _update(connection, table, batch, start, end)
    stage = sql.Identifier(f"integrator_stage_{next(_numbers)}")
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            stage, names, identifier(table)
        )
    )
    _copy(connection, stage, names, batch.rows[start:end])
    total = end - start
    if table.kind == "r" and (key.name,) in table.unique:
        inserted, written = _insert_or_update(connection, table, stage, names, key, others)
    else:
        inserted, written = _update_then_insert(connection, table, stage, names, key, others)
    return WriteResult(inserted=inserted, updated=written - inserted, unchanged=total - written)


def _copy(connection: Connection, into: sql.Composable, names: sql.Composed, rows: list[Row]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(into, names)) as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _insert_or_update(
    connection: Connection,
    table: Table,
    stage: sql.Identifier,
    names: sql.Composed,
    key: Column,
    others: list[Column],
) -> tuple[int, int]:
    """Rows added, and rows added or changed. xmax is 0 in a row that this statement made."""
    if others:
        action = sql.SQL("UPDATE SET {} WHERE {}").format(
            sql.SQL(", ").join(
                [sql.SQL("{} = {}").format(sql.Identifier(c.name), _field("excluded", c)) for c in others]
            ),
            sql.SQL(" OR ").join(
                [_differs(column, _field("t", column), _field("excluded", column)) for column in others]
            ),
        )
    else:
        action = sql.SQL("NOTHING").format()
    query = sql.SQL(
        "WITH written AS (INSERT INTO {} AS t ({}) SELECT {} FROM {} ON CONFLICT ({}) DO {}"
        " RETURNING (t.xmax = 0) AS added) SELECT count(*) FILTER (WHERE added), count(*) FROM written"
    ).format(identifier(table), names, names, stage, sql.Identifier(key.name), action)
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0], row[1]


def _update_then_insert(
    connection: Connection,
    table: Table,
    stage: sql.Identifier,
    names: sql.Composed,
    key: Column,
    others: list[Column],
) -> tuple[int, int]:
    """As above where the key has no unique index, for partitioned tables and views; other writers wait meanwhile.

    Where the target has several rows of one key, all of them are updated, and counted once.
    """
    target, name = identifier(table), sql.Identifier(key.name)
    if table.kind in ("r", "p"):
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target))
    updated = 0
    if others:
        updated = _count(connection, _update_query(table, stage, key, others))
    inserted = connection.execute(
        sql.SQL(
            "INSERT INTO {} ({}) SELECT {} FROM {} AS s WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE t.{} = s.{})"
        ).format(target, names, names, stage, target, name, name)
    ).rowcount
    return inserted, updated + inserted


def _update(connection: Connection, table: Table, batch: Batch, start: int, end: int) -> WriteResult:
    """Change known rows; a row with an unknown key is handed back."""
    assert batch.key is not None
    result = _compare(connection, table, batch, start, end, "update")
    result.differences.clear()
    key = batch.columns[batch.key]
    others = [column for column in batch.columns if column is not key]
    known = end - start - len(result.rejected)
    if not others or not known:
        return result
    names = sql.SQL(", ").join([sql.Identifier(column.name) for column in batch.columns])
    stage = sql.Identifier(f"integrator_stage_{next(_numbers)}")
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            stage, names, identifier(table)
        )
    )
    _copy(connection, stage, names, batch.rows[start:end])
    result.updated = _count(connection, _update_query(table, stage, key, others))
    result.unchanged = known - result.updated
    return result


def _update_query(table: Table, stage: sql.Identifier, key: Column, others: list[Column]) -> sql.Composed:
    name = sql.Identifier(key.name)
    return sql.SQL(
        "WITH written AS (UPDATE {} AS t SET {} FROM {} AS s WHERE t.{} = s.{} AND ({}) RETURNING t.{} AS key)"
        " SELECT count(DISTINCT key) FROM written"
    ).format(
        identifier(table),
        sql.SQL(", ").join([sql.SQL("{} = {}").format(sql.Identifier(c.name), _field("s", c)) for c in others]),
        stage,
        name,
        name,
        sql.SQL(" OR ").join([_differs(column, _field("t", column), _field("s", column)) for column in others]),
        name,
    )


def _count(connection: Connection, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])

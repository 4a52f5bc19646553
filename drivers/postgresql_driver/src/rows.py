"""Records as rows of text that PostgreSQL can read; what does not fit is handed back with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import errors as pg
from psycopg import sql

from integrator_drivers import FieldNotFoundError, Record, Rejected, ValidationError, WriteResult
from integrator_drivers.errors import near_matches

from .models import Column, Table
from .naming import kind, name
from .values import Writable, writer_of

__all__ = [
    "NUMBER",
    "ROW_ERRORS",
    "Batch",
    "Connection",
    "Operation",
    "batches",
    "broken",
    "dangling",
    "isolating",
    "taken",
]

Connection = psycopg.Connection[Any]
Operation = Literal["insert", "update", "upsert"]
Row = tuple[str | None, ...]
NUMBER = sql.Identifier("integrator#row")  # a row's place in the batch, from 1
# What the server says about one row, not about the statement.
ROW_ERRORS = (psycopg.IntegrityError, psycopg.DataError, pg.RaiseException, pg.CardinalityViolation)


@dataclass
class Batch:
    """Rows that give the same columns."""

    columns: list[Column]
    key: Column | None
    rows: list[Row] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)  # what each row came from

    @property
    def others(self) -> list[Column]:
        """Columns that are not the key."""
        return [column for column in self.columns if column is not self.key]

    @property
    def names(self) -> sql.Composed:
        """Column names, for a column list."""
        return sql.SQL(", ").join([name(column.name) for column in self.columns])

    def as_source(self) -> sql.Composed:
        """A subquery of typed rows with their NUMBER, its values from `arrays` as parameters: needs no table."""
        places = [sql.Identifier(f"c{i}") for i in range(len(self.columns))]
        return sql.SQL(
            "(SELECT r.{number}, {typed} FROM unnest({arrays}) WITH ORDINALITY AS r({places}, {number}))"
        ).format(
            number=NUMBER,
            typed=sql.SQL(", ").join(
                [
                    sql.SQL("r.{}::{} AS {}").format(place, kind(column), name(column.name))
                    for place, column in zip(places, self.columns, strict=True)
                ]
            ),
            arrays=sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(self.columns)),
            places=sql.SQL(", ").join(places),
        )

    def arrays(self, start: int, end: int) -> list[str]:
        """The values of each column, of rows `start` to `end`, as array literals (half the time of a list each)."""
        return [_array_literal(values) for values in zip(*self.rows[start:end], strict=True)]


def batches(
    table: Table, records: Iterable[Record], key: str | None, operation: Operation
) -> tuple[list[Batch], list[Rejected]]:
    """Records as rows, grouped by the columns they give, and those that don't fit, each with its reason.

    Raises FieldNotFoundError or ValidationError where a whole group can't be written.
    """
    rejected: list[Rejected] = []
    found: dict[tuple[str, ...], tuple[Batch, list[Writable]]] = {}
    orders: dict[tuple[str, ...], tuple[str, ...]] = {}
    seen: set[str | None] = set()
    for record in records:
        given = tuple(record)
        names = orders.get(given)
        if names is None:  # records that differ only in the order of their columns go together
            names = next((known for known in found if set(known) == set(given)), given)
            orders[given] = names
        if names not in found:
            columns = [_writable(table, entry) for entry in names]
            _check_columns(table, names, key, operation)
            found[names] = Batch(columns, None if key is None else table.columns[key]), list(map(writer_of, columns))
        batch, writers = found[names]
        try:
            values = record.values() if names == given else [record[entry] for entry in names]
            row = _row(batch.columns, writers, values, key)
            if key is not None:
                identity = row[names.index(key)]
                if identity in seen:
                    raise ValueError(f"the key {key} came before in the same write")
                seen.add(identity)
        except ValueError as exc:
            rejected.append(Rejected(record, str(exc)))
            continue
        batch.rows.append(row)
        batch.records.append(record)
    return [batch for batch, _ in found.values() if batch.rows], rejected


def isolating(connection: Connection, batch: Batch, attempt: Callable[[int, int], WriteResult]) -> WriteResult:
    """Try all rows; where the server refuses one, halve until it is found, so that the others go in."""
    result = WriteResult()
    waiting = [(0, len(batch.rows))]
    while waiting:
        start, end = waiting.pop()
        try:
            with connection.transaction():
                done = attempt(start, end)
        except ROW_ERRORS as exc:
            if end - start == 1:
                result.rejected.append(Rejected(batch.records[start], _reason(exc)))
            else:
                middle = (start + end) // 2
                waiting += [(middle, end), (start, middle)]
            continue
        result += done
    return result


def _writable(table: Table, wanted: str) -> Column:
    column = table.columns.get(wanted)
    if column is None:
        near = near_matches(wanted, table.columns)
        hint = f"Close matches: {', '.join(near)}." if near else f"It has {', '.join(table.columns)}."
        raise FieldNotFoundError(f'{table.full_name} has no column "{wanted}". {hint}', near)
    if column.generated:
        raise ValidationError(
            f"{table.full_name}.{wanted} is computed by PostgreSQL and can't be written; leave it out."
        )
    return column


def _check_columns(table: Table, names: tuple[str, ...], key: str | None, operation: Operation) -> None:
    if not names:
        raise ValidationError(f"A record for {table.full_name} has no columns.")
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
        it = "it" if len(needed) == 1 else "them"
        raise ValidationError(
            f"Every row of {table.full_name} needs {' and '.join(needed)}, and the records don't have {it}. "
            f"Nothing was written. Add {it} to the fields, or let PostgreSQL fill in a default."
        )


def _row(columns: list[Column], writers: list[Writable], given: Iterable[Any], key: str | None) -> Row:
    values: list[str | None] = []
    for column, convert, value in zip(columns, writers, given, strict=True):
        if value is None:
            if column.name == key:
                raise ValueError(f"no value in the key {key}")
            if not column.nullable:
                raise ValueError(f"no value for {column.name}, which needs one")
            values.append(None)
            continue
        try:
            values.append(convert(value))
        except ValueError as exc:
            raise ValueError(f"{column.name} {exc}") from None
    return tuple(values)


def _array_literal(values: Iterable[str | None]) -> str:
    escaped = [
        "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values
    ]
    return "{" + ",".join(escaped) + "}"


def _reason(exc: psycopg.Error) -> str:
    diag = exc.diag
    if isinstance(exc, pg.UniqueViolation):
        return taken(diag.constraint_name or "")
    if isinstance(exc, pg.ForeignKeyViolation):
        return dangling(diag.constraint_name or "")
    if isinstance(exc, pg.CheckViolation):
        return broken(diag.constraint_name or "")
    if isinstance(exc, pg.NotNullViolation):
        return f"no value for {diag.column_name}, which needs one"
    return diag.message_primary or "PostgreSQL does not accept it"


def taken(constraint: str) -> str:
    return f"another row already has this value ({constraint})"


def dangling(constraint: str) -> str:
    return f"refers to a row that is not there ({constraint})"


def broken(constraint: str) -> str:
    return f"breaks the rule {constraint}"

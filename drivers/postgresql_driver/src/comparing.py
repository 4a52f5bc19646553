"""What a write would do, found out by reading alone: rows travel as array parameters, no table is made."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from integrator_drivers import Record, Rejected, WriteResult

from .constraints import violations
from .models import Column, Table
from .naming import name, place, qualified
from .rows import NUMBER, Batch, Connection, Operation, batches, isolating

__all__ = ["MISSING", "compare", "compare_rows", "differs"]

MISSING = "there is no row with this key"
SHOWN = 20


def compare(
    connection: Connection, table: Table, records: Iterable[Record], key: str | None, operation: Operation
) -> WriteResult:
    """The counts that the write itself would end with, the first differences, and the rejects with their reasons."""
    groups, rejected = batches(table, records, key, operation)
    result = WriteResult(rejected=rejected)
    for batch in groups:
        if table.planned:
            result.inserted += len(batch.rows)
            continue

        def attempt(start: int, end: int, batch: Batch = batch) -> WriteResult:
            refused = violations(connection, table, batch, start, end, operation)
            if batch.key is None:
                found = WriteResult(inserted=end - start - len(refused))
            else:
                found = compare_rows(connection, table, batch, start, end, operation, refused)
            found.rejected += [Rejected(batch.records[start + n - 1], why) for n, why in sorted(refused.items())]
            return found

        result += isolating(connection, batch, attempt)
    return result


def differs(column: Column, old: sql.Composable, new: sql.Composable) -> sql.Composed:
    """Is the new value another one; types without an equality of their own are compared as text."""
    is_json = column.base == "json" and column.category != "A"
    cast = sql.SQL("::jsonb" if is_json else "" if column.comparable else "::text")
    return sql.SQL("({}{} IS DISTINCT FROM {}{})").format(old, cast, new, cast)


def compare_rows(
    connection: Connection,
    table: Table,
    batch: Batch,
    start: int,
    end: int,
    operation: Operation,
    refused: Iterable[int] = (),
) -> WriteResult:
    """Compare rows `start` to `end` with the table; `refused` (numbers from 1) count as nothing here."""
    assert batch.key is not None
    others = batch.others
    flags = [
        differs(column, sql.SQL("NULL") if column.planned else qualified("t", column), qualified("s", column))
        for column in others
    ]
    olds = [
        sql.SQL("NULL") if column.planned else sql.SQL("{}::text").format(qualified("t", column)) for column in others
    ]
    key = name(batch.key.name)
    query = sql.SQL(
        "SELECT {found} FROM {source} AS s LEFT JOIN {table} AS t ON t.{key} = s.{key}"
        " WHERE t.{key} IS NULL OR {differs} ORDER BY s.{number}"
    ).format(
        found=sql.SQL(", ").join(
            [sql.SQL("s.{}::int").format(NUMBER), sql.SQL("t.{} IS NOT NULL").format(key), *olds, *flags]
        ),
        source=batch.as_source(),
        table=place(table),
        key=key,
        number=NUMBER,
        differs=sql.SQL(" OR ").join(flags) if flags else sql.SQL("false"),
    )
    result = WriteResult()
    done = set(refused)
    changed = len(done)
    for number, is_there, *rest in connection.execute(query, batch.arrays(start, end)):
        if number in done:  # refused; or, without a unique key, several rows of the table have it
            continue
        done.add(number)
        if is_there:
            result.updated += 1
            _note(result, batch, batch.rows[start + number - 1], rest)
        elif operation == "upsert":
            result.inserted += 1
        else:
            result.rejected.append(Rejected(batch.records[start + number - 1], MISSING))
    changed += result.updated + result.inserted + len(result.rejected)
    result.unchanged = end - start - changed
    return result


def _note(result: WriteResult, batch: Batch, row: tuple[str | None, ...], found: list[str | bool | None]) -> None:
    """Keep the first differences, as text."""
    if len(result.differences) >= SHOWN:
        return
    new = dict(zip((column.name for column in batch.columns), row, strict=True))
    others = batch.others
    assert batch.key is not None
    for column, old, is_other in zip(others, found[: len(others)], found[len(others) :], strict=True):
        if is_other and len(result.differences) < SHOWN:
            result.differences.append(
                {"key": new[batch.key.name], "column": column.name, "old": old, "new": new[column.name]}
            )

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
    key = name(batch.key.name)
    none = sql.SQL("NULL")
    flags: list[sql.Composable] = [
        differs(column, none if column.planned else qualified("t", column), qualified("s", column)) for column in others
    ]
    olds: list[sql.Composable] = [
        none if column.planned else sql.SQL("{}::text").format(qualified("t", column)) for column in others
    ]
    news: list[sql.Composable] = [sql.SQL("{}::text").format(qualified("s", column)) for column in others]
    first = sql.SQL("row_number() OVER (PARTITION BY t.{} IS NULL ORDER BY s.{}) <= {}").format(
        key, NUMBER, sql.Literal(SHOWN if others else 0)
    )
    query = sql.SQL(
        "SELECT s.{number}::int, t.{key} IS NOT NULL,"
        " CASE WHEN {first} THEN ARRAY[s.{key}::text, {olds}] END,"
        " CASE WHEN {first} THEN ARRAY[s.{key}::text, {news}] END,"
        " CASE WHEN {first} THEN ARRAY[false, {flags}] END"
        " FROM {source} AS s LEFT JOIN {table} AS t ON t.{key} = s.{key}"
        " WHERE t.{key} IS NULL OR {differs} ORDER BY 1"
    ).format(
        number=NUMBER,
        key=key,
        first=first,
        olds=sql.SQL(", ").join(olds or [none]),
        news=sql.SQL(", ").join(news or [none]),
        flags=sql.SQL(", ").join(flags or [sql.SQL("false")]),
        source=batch.as_source(),
        table=place(table),
        differs=sql.SQL(" OR ").join(flags) if flags else sql.SQL("false"),
    )
    result = WriteResult()
    done = set(refused)
    changed = len(done)
    for number, is_there, old, new, which in connection.execute(query, batch.arrays(start, end)):
        if number in done:  # refused; or, without a unique key, several rows of the table have it
            continue
        done.add(number)
        if is_there:
            result.updated += 1
            if which and len(result.differences) < SHOWN:
                result.differences += _differences(others, old, new, which)
        elif operation == "upsert":
            result.inserted += 1
        else:
            result.rejected.append(Rejected(batch.records[start + number - 1], MISSING))
    changed += result.updated + result.inserted + len(result.rejected)
    result.unchanged = end - start - changed
    result.differences = result.differences[:SHOWN]
    return result


def _differences(
    columns: list[Column], old: list[str | None], new: list[str | None], which: list[bool]
) -> list[dict[str, str | None]]:
    """The columns of one row that differ, as text; in all three lists the key comes first."""
    return [
        {"key": new[0], "column": column.name, "old": before, "new": after}
        for column, before, after, is_other in zip(columns, old[1:], new[1:], which[1:], strict=True)
        if is_other
    ]

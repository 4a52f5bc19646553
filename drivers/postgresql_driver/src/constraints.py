"""Rows that the table's own rules would refuse, found out by reading: checks, unique columns, references.

Not seen beforehand: triggers, row security, partial and expression indexes, the same unique value in two batches of
a run, and references to tables that the reading role may not read. Such rows are refused in the run, each with its
reason.
"""

from __future__ import annotations

from psycopg import errors as pg
from psycopg import sql

from .models import Check, Column, ForeignKey, Table, Unique
from .naming import fragment, kind, name, place, qualified
from .rows import NUMBER, Batch, Connection, Operation, broken, dangling, taken

__all__ = ["violations"]


def violations(
    connection: Connection, table: Table, batch: Batch, start: int, end: int, operation: Operation
) -> dict[int, str]:
    """Number of a row (from 1, counted from `start`) -> why the table would refuse it."""
    given = {column.name for column in batch.columns}
    queries: list[tuple[str, sql.Composed]] = []
    for check in table.checks:
        if given & set(check.columns):
            queries.append((broken(check.name), _breaks(table, batch, check, operation)))
    for unique in table.unique:
        is_the_key = batch.key is not None and unique.columns == (batch.key.name,)
        if set(unique.columns) <= given and not is_the_key:
            queries.append((taken(unique.name), _takes(table, batch, unique)))
    for reference in table.foreign_keys:
        if set(reference.columns) <= given:
            queries.append((dangling(reference.name), _dangles(batch, reference)))
    found: dict[int, str] = {}
    arrays = batch.arrays(start, end) if queries else []
    for reason, query in queries:
        try:
            with connection.transaction():
                rows = connection.execute(query, arrays).fetchall()
        except pg.InsufficientPrivilege:
            continue
        for (number,) in rows:
            found.setdefault(number, reason)
    return found


def _breaks(table: Table, batch: Batch, check: Check, operation: Operation) -> sql.Composed:
    """A check is looked at for the row as given, defaults filled in, and for a known row as it will be."""
    given = {column.name for column in batch.columns}
    columns = [table.columns[entry] for entry in check.columns]
    rule = fragment(check.expression)
    whole = _row(columns, given, {column.name: _default(column) for column in columns})
    new = sql.SQL(
        "SELECT {number}::int FROM (SELECT s.{number}, {row} FROM {source} AS s) AS x WHERE ({rule}) IS FALSE"
    )
    if batch.key is None or operation == "insert":
        return new.format(number=NUMBER, row=whole, source=batch.as_source(), rule=rule)
    known = _row(columns, given, {column.name: qualified("t", column) for column in columns})
    key = name(batch.key.name)
    query = sql.SQL(
        "WITH s AS {source} SELECT {number}::int FROM (SELECT s.{number}, {known} FROM s JOIN {table} AS t"
        " ON t.{key} = s.{key}) AS x WHERE ({rule}) IS FALSE"
    ).format(source=batch.as_source(), number=NUMBER, known=known, table=place(table), key=key, rule=rule)
    if operation == "upsert":
        query += sql.SQL(" UNION ") + new.format(number=NUMBER, row=whole, source=sql.Identifier("s"), rule=rule)
    return query


def _row(columns: list[Column], given: set[str], otherwise: dict[str, sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(
        [
            sql.SQL("{} AS {}").format(
                qualified("s", column) if column.name in given else otherwise[column.name],
                name(column.name),
            )
            for column in columns
        ]
    )


def _default(column: Column) -> sql.Composable:
    """What the column gets when it is not given; a number from a sequence counts as unknown, which breaks no rule."""
    fixed = column.default if column.default and "(" not in column.default and column.default != "identity" else "NULL"
    return sql.SQL("({})::{}").format(fragment(fixed), kind(column))


def _takes(table: Table, batch: Batch, unique: Unique) -> sql.Composed:
    """Another row, of the table or earlier in the batch, has the values of a unique index."""
    columns = [name(part) for part in unique.columns]
    same = sql.SQL(" AND ").join([sql.SQL("t.{} = s.{}").format(part, part) for part in columns])
    other = sql.SQL("true")
    if batch.key is not None:
        key = name(batch.key.name)
        other = sql.SQL("t.{} IS DISTINCT FROM s.{}").format(key, key)  # type: ignore[assignment]
    listed = sql.SQL(", ").join([sql.SQL("s.{}").format(part) for part in columns])
    filled = sql.SQL(" AND ").join([sql.SQL("s.{} IS NOT NULL").format(part) for part in columns])
    return sql.SQL(
        "WITH s AS {source} SELECT s.{number}::int FROM s JOIN {table} AS t ON {same} AND {other}"
        " UNION SELECT n::int FROM (SELECT s.{number} AS n, row_number() OVER (PARTITION BY {listed}"
        " ORDER BY s.{number}) AS place FROM s WHERE {filled}) AS x WHERE place > 1"
    ).format(
        source=batch.as_source(),
        number=NUMBER,
        table=place(table),
        same=same,
        other=other,
        listed=listed,
        filled=filled,
    )


def _dangles(batch: Batch, reference: ForeignKey) -> sql.Composed:
    pairs = list(zip(reference.columns, reference.targets, strict=True))
    same = sql.SQL(" AND ").join([sql.SQL("t.{} = s.{}").format(name(target), name(own)) for own, target in pairs])
    filled = sql.SQL(" AND ").join([sql.SQL("s.{} IS NOT NULL").format(name(own)) for own, _ in pairs])
    return sql.SQL(
        "SELECT s.{number}::int FROM {source} AS s"
        " WHERE {filled} AND NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {same})"
    ).format(
        number=NUMBER,
        source=batch.as_source(),
        filled=filled,
        table=name(reference.schema, reference.table),
        same=same,
    )

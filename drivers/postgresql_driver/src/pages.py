"""Pages of CSV into a table: the bytes go into COPY as they come, and the server does the rest.

What the server refuses as a whole is taken apart: the page goes into a stage of plain text, and from there row by row
the way of all other records, so that each bad row is found and has its reason.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from psycopg import sql

from integrator_drivers import Field, Record, WriteResult

from . import merging
from .models import Column, Table
from .naming import place
from .rows import ROW_ERRORS, Batch, Connection

__all__ = ["fits", "write"]

_numbers = itertools.count(1)
_TEXT = ("text", "varchar", "bpchar", "citext")
# Source types whose CSV the server reads as the row path does, by the column's base type.
_SAME: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_TEXT, ("text", "reference")),
    **dict.fromkeys(("int2", "int4", "int8"), ("integer",)),
    **dict.fromkeys(("numeric", "float4", "float8"), ("integer", "number")),
    "bool": ("boolean",),
    "date": ("date",),
    "timestamptz": ("datetime",),
}


def fits(table: Table, fields: Mapping[str, Field], key: str) -> bool:
    """Can the server read these fields as they are; needs a unique index on the key."""
    if table.kind != "r" or not merging.has_index(table, key):
        return False
    for entry, described in fields.items():
        column = table.columns.get(entry)
        if column is None or column.generated or column.category == "A" or column.choices:
            return False
        if described["type"] not in _SAME.get(column.base, ()):
            return False
    needed = (c for c in table.columns.values() if not c.nullable and c.default is None and not c.generated)
    return all(column.name in fields for column in needed)


def write(
    connection: Connection, table: Table, names: Sequence[str], key: str, blocks: Sequence[bytes], *, direct: bool
) -> tuple[WriteResult, bool]:
    """Add or change the rows of these blocks; was it as simple as hoped. Inside the caller's transaction.

    With `direct` they are first tried as new rows, without a stage.
    """
    batch = Batch([table.columns[entry] for entry in names], table.columns[key])
    if direct:
        try:
            with connection.transaction():
                return WriteResult(inserted=_copy(connection, place(table), batch, blocks)), True
        except ROW_ERRORS:
            pass  # a key that is there, or a bad row: the stage tells
    try:
        with connection.transaction():
            return _merge(connection, table, batch, blocks), not direct
    except ROW_ERRORS:
        rows = _as_text(connection, table, batch.columns, blocks)
    return merging.write(connection, table, rows, key, "upsert"), False


def _merge(connection: Connection, table: Table, batch: Batch, blocks: Sequence[bytes]) -> WriteResult:
    stage = merging.make_stage(connection, table, batch)
    count = _copy(connection, stage, batch, blocks)
    inserted, updated = merging.insert_or_update(connection, table, stage, batch)
    return WriteResult(inserted=inserted, updated=updated, unchanged=count - inserted - updated)


def _copy(connection: Connection, into: sql.Composable, batch: Batch, blocks: Sequence[bytes]) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(into, batch.names)
    text = statement.as_string(connection).replace("%%", "%")  # COPY takes no parameters
    with connection.cursor() as cursor:
        with cursor.copy(text.encode()) as copy:
            for block in blocks:
                copy.write(block)
        return cursor.rowcount


def _as_text(connection: Connection, table: Table, columns: list[Column], blocks: Sequence[bytes]) -> list[Record]:
    """The rows with every value as text, in their order."""
    stage = sql.Identifier(f"integrator_text_{next(_numbers)}")
    places = [sql.Identifier(f"c{number}") for number in range(len(columns))]
    kinds = sql.SQL(", ").join([sql.SQL("{} text").format(entry) for entry in places])
    connection.execute(sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(stage, kinds), ())
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(stage)) as copy:
            for block in blocks:
                copy.write(block)
        names = [column.name for column in columns]
        query = sql.SQL("SELECT {} FROM {} ORDER BY ctid").format(sql.SQL(", ").join(places), stage)
        return [dict(zip(names, row, strict=True)) for row in cursor.execute(query)]

"""Pages of CSV into a table: the bytes go into COPY as they come, and the server does the rest.

What the server refuses as a whole is taken apart here and goes row by row the way of all other records, so that each
bad row is found and has its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from psycopg import sql

from integrator_drivers import Field, Record, ValidationError, WriteResult

from . import merging
from .models import Table
from .naming import place
from .rows import ROW_ERRORS, Batch, Connection

__all__ = ["fits", "write"]

_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)')
_END = b"\\."  # alone on a line it ends COPY, inside of quotes too (before PostgreSQL 18)
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
    if table.kind != "r" or not merging.has_index(table, key) or table.columns[key].nullable:
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
    """Add or change the rows of these blocks; were all of them new. Inside the caller's transaction.

    With `direct` they are first tried as new rows, without a stage.
    """
    batch = Batch([table.columns[entry] for entry in names], table.columns[key])
    has_mark = any(_END in block for block in blocks)
    if direct and not has_mark:
        try:
            with connection.transaction():
                return WriteResult(inserted=_copy(connection, place(table), batch, blocks)), True
        except ROW_ERRORS:
            pass  # a key that is there, or a bad row
    if not has_mark:
        try:
            with connection.transaction():
                return _merge(connection, table, batch, blocks), False
        except ROW_ERRORS:
            pass
    return merging.write(connection, table, _rows(names, blocks), key, "upsert"), False


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


def _rows(names: Sequence[str], blocks: Sequence[bytes]) -> Iterator[Record]:
    """The rows with every value as text. Raises ValidationError where a line has other columns."""
    cells: list[str | None] = []
    text = b"".join(blocks).decode()
    at = 0
    while at < len(text):
        found = _CELL.match(text, at)
        if found is None:
            raise ValidationError("The source sent a line that is no CSV. This batch was not written.")
        at = found.end()
        quoted, plain, end = found.groups()
        cells.append(plain or None if quoted is None else quoted.replace('""', '"'))
        if end == ",":
            continue
        if len(cells) != len(names):
            raise ValidationError(
                f"The source sent a line of {len(cells)} values for {len(names)} columns. This batch was not written."
            )
        yield dict(zip(names, cells, strict=True))
        cells = []

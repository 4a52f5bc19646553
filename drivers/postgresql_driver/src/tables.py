"""The DDL that makes a table able to hold certain fields. Creates and widens, never drops or narrows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import psycopg
from psycopg import sql

from integrator_drivers import Field, ObjectNotFoundError, ValidationError

from . import catalog
from .models import Column, Table, planned_column

__all__ = ["plan"]


def plan(
    connection: psycopg.Connection[tuple[object, ...]], obj: str, fields: Mapping[str, Field], key: str
) -> tuple[Table, list[str]]:
    """The table as it would be, and the statements that make it so (none when it already is)."""
    columns = {name: planned_column(name, field, is_key=name == key) for name, field in fields.items()}
    try:
        table = catalog.table(connection, obj)
    except ObjectNotFoundError as exc:
        if "could mean" in str(exc):
            raise
        return _new_table(connection, obj, columns, key)
    missing = {name: column for name, column in columns.items() if name not in table.columns}
    if not missing:
        return table, []
    if key in missing:
        raise ValidationError(
            f'{table.full_name} has no column "{key}" to recognise known rows by, and adding it would make every row '
            f"there unknown. Choose a key column it has ({', '.join(table.columns)}), or another table."
        )
    if table.kind not in ("r", "p"):
        raise ValidationError(
            f"{table.full_name} is a view, so the columns {', '.join(missing)} can't be added. Choose a table."
        )
    statements = [
        _text(
            sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                sql.Identifier(table.schema, table.name), sql.Identifier(name), _kind(column)
            )
        )
        for name, column in missing.items()
    ]
    return dataclasses.replace(table, columns={**table.columns, **missing}), statements


def _new_table(
    connection: psycopg.Connection[tuple[object, ...]], obj: str, columns: dict[str, Column], key: str
) -> tuple[Table, list[str]]:
    schema, _, name = obj.rpartition(".")
    schema = schema or catalog.default_schema(connection)
    for part in (schema, name, *columns):
        if not part or "\0" in part or len(part.encode()) > 63:
            raise ValidationError(f'"{part}" can\'t be a name in PostgreSQL (1 to 63 bytes).')
    statements = []
    if not catalog.has_schema(connection, schema):
        statements.append(_text(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema))))
    lines = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name), _kind(column), sql.SQL(" PRIMARY KEY" if column.name == key else "")
        )
        for column in columns.values()
    ]
    statements.append(
        _text(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(schema, name), sql.SQL(", ").join(lines)))
    )
    return Table(schema, name, "r", columns, planned=True), statements


def _kind(column: Column) -> sql.SQL:
    return sql.SQL(column.native)  # one of our own type names


def _text(statement: sql.Composed) -> str:
    return statement.as_string(None)

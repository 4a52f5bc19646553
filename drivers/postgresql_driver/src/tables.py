"""The DDL that makes a table able to hold certain fields. Creates and widens, never drops or narrows."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import psycopg
from psycopg import sql

from integrator_drivers import Field, ForbiddenError, ObjectNotFoundError, ValidationError

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
        sql.SQL("ALTER TABLE {} ADD COLUMN {} {}")
        .format(_name(table.schema, table.name), _name(name), _kind(column))
        .as_string(None)
        for name, column in missing.items()
    ]
    return dataclasses.replace(table, columns={**table.columns, **missing}), statements


def _new_table(
    connection: psycopg.Connection[tuple[object, ...]], obj: str, columns: dict[str, Column], key: str
) -> tuple[Table, list[str]]:
    schema, _, name = obj.partition(".") if "." in obj else ("", "", obj)
    schema = schema or catalog.default_schema(connection)
    for part in (schema, name, *columns):
        if not part or "\0" in part or len(part.encode()) > 63:
            raise ValidationError(f'"{part}" can\'t be a name in PostgreSQL (1 to 63 bytes).')
    if catalog.is_hidden(connection, schema, name):
        user, shown = connection.info.user, _name(schema, name).as_string(None)
        raise ForbiddenError(
            f"There is a {schema}.{name}, but {user} may not look at it. Nothing was written. An administrator can "
            f"allow it: GRANT SELECT ON {shown} TO {_name(user).as_string(None)};"
        )
    statements = []
    if not catalog.has_schema(connection, schema):
        statements.append(sql.SQL("CREATE SCHEMA {}").format(_name(schema)).as_string(None))
    lines = [
        sql.SQL("{} {}{}").format(
            _name(column.name), _kind(column), sql.SQL(" PRIMARY KEY" if column.name == key else "")
        )
        for column in columns.values()
    ]
    statement = sql.SQL("CREATE TABLE {} ({})").format(_name(schema, name), sql.SQL(", ").join(lines))
    statements.append(statement.as_string(None))
    return Table(schema, name, "r", columns, planned=True), statements


def _kind(column: Column) -> sql.SQL:
    return sql.SQL(column.native)  # one of our own type names


def _name(*parts: str) -> sql.Composable:
    """As a person would write it: quotes only around names that need them."""
    return sql.SQL(".").join(
        [
            sql.SQL(part) if re.fullmatch(r"[a-z_][a-z0-9_]*", part) and part not in _RESERVED else sql.Identifier(part)
            for part in parts
        ]
    )


# Words that are not names without quotes: SELECT word FROM pg_get_keywords() WHERE catcode <> 'U', PostgreSQL 16.
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
        both case cast char character check coalesce collate collation column concurrently constraint create
        cross current_catalog current_date current_role current_schema current_time current_timestamp
        current_user dec decimal default deferrable desc distinct do else end except exists extract false
        fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner
        inout int integer intersect interval into is isnull join json_array json_arrayagg json_object
        json_objectagg lateral leading least left like limit localtime localtimestamp national natural nchar
        none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
        placing position precision primary real references returning right row select session_user setof
        similar smallint some substring symmetric system_user table tablesample then time timestamp to
        trailing treat trim true union unique user using values varchar variadic verbose when where window
        with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
        xmlserialize xmltable
        """,
    )
)

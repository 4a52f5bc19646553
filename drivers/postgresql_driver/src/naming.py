"""Names and types inside queries. psycopg reads every % of a query with parameters, so those in names are doubled.

Queries built with these are always executed with parameters, if only an empty tuple.
"""

from __future__ import annotations

from psycopg import sql

from .models import Column, Table

__all__ = ["cast_of", "fragment", "kind", "name", "place", "qualified"]


def name(*parts: str) -> sql.Identifier:
    """A quoted name, such as "schema"."table"."""
    return sql.Identifier(*(part.replace("%", "%%") for part in parts))


def place(table: Table) -> sql.Identifier:
    """A table with its schema."""
    return name(table.schema, table.name)


def qualified(alias: str, column: Column) -> sql.Identifier:
    """alias.column"""
    return name(alias, column.name)


def kind(column: Column) -> sql.SQL:
    """The column's own type, from format_type(), which the server has quoted."""
    return fragment(column.native)


def cast_of(column: Column) -> sql.SQL:
    """The type a value is compared as: without a length, so that nothing is cut off."""
    if column.base in ("varchar", "bpchar", "name") and column.category != "A":
        return sql.SQL("text")
    if column.base == "numeric" and column.category != "A":
        return sql.SQL("numeric")
    return kind(column)


def fragment(text: str) -> sql.SQL:
    """SQL that came from the server's catalogue: types, checks, defaults."""
    return sql.SQL(text.replace("%", "%%"))

"""From the contract's conditions to one SELECT, its values always as parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

from integrator_drivers import Condition, FieldNotFoundError, ValidationError
from integrator_drivers.errors import near_matches

from .models import Column, Table
from .naming import cast_of, name, place
from .values import writer_of

__all__ = ["COUNTED", "CURSOR_COLUMNS", "column_of", "counting", "select"]

# Columns that since and until mean, the first that a table has.
CURSOR_COLUMNS = ("updated_at", "modified_at", "last_modified", "changed_at", "created_at")

COUNTED = 1_000_000  # rows counted before reading; where there are more, the number stays unknown
_COMPARISONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}


def column_of(table: Table, wanted: str) -> Column:
    """The column of that name. Raises FieldNotFoundError with near matches."""
    try:
        return table.columns[wanted]
    except KeyError:
        near = near_matches(wanted, table.columns)
        hint = f" Close matches: {', '.join(near)}." if near else f" It has {', '.join(table.columns)}."
        raise FieldNotFoundError(
            f'{table.full_name} has no column "{wanted}" that this user can see.{hint}', near
        ) from None


def select(
    table: Table,
    fields: Sequence[str],
    where: Iterable[Condition] | None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    order_by: str | None = None,
) -> tuple[sql.Composed, list[Any]]:
    """The query and its parameters."""
    conditions, params = _conditions(table, _with_window(table, where, since, until))
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join([name(column_of(table, field).name) for field in fields]), place(table)
    )
    if conditions:
        query += sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions)
    keys = [name(column.name) for column in table.columns.values() if column.primary_key]
    if order_by is not None:
        keys = [name(column_of(table, order_by).name), *keys]
    if limit is not None and limit < 0:
        raise ValidationError("The limit must not be below 0.")
    if keys and (order_by is not None or limit is not None):
        query += sql.SQL(" ORDER BY ") + sql.SQL(", ").join(keys)
    if limit is not None:
        query += sql.SQL(" LIMIT %s")
        params.append(limit)
    return query, params


def counting(query: sql.Composed) -> sql.Composed:
    """How many rows the query gives, up to a number that is its last parameter."""
    return sql.SQL("SELECT count(*) FROM (SELECT 1 FROM ({}) AS asked LIMIT %s) AS counted").format(query)


def _with_window(
    table: Table, where: Iterable[Condition] | None, since: datetime | None, until: datetime | None
) -> list[Condition]:
    conditions = list(where or ())
    if since is None and until is None:
        return conditions
    cursor = next((column for column in CURSOR_COLUMNS if column in table.columns), None)
    if cursor is None:
        raise ValidationError(
            f"{table.full_name} has none of the columns that since and until mean ({', '.join(CURSOR_COLUMNS)}). "
            'Name the column: where=[("your_column", ">=", ...)].'
        )
    if since is not None:
        conditions.append((cursor, ">=", since))
    if until is not None:
        conditions.append((cursor, "<", until))
    return conditions


def _conditions(table: Table, where: Iterable[Condition]) -> tuple[list[sql.Composed], list[Any]]:
    parts: list[sql.Composed] = []
    params: list[Any] = []
    for field, op, value in where:
        column = column_of(table, field)
        part, more = _condition(column, " ".join(op.casefold().split()), value)
        parts.append(part)
        params += more
    return parts, params


def _condition(column: Column, op: str, value: Any) -> tuple[sql.Composed, list[Any]]:
    column_name, kind = name(column.name), cast_of(column)
    if op == "is null" or (op == "=" and value is None):
        return sql.SQL("{} IS NULL").format(column_name), []
    if op in ("not null", "is not null") or (op == "!=" and value is None):
        return sql.SQL("{} IS NOT NULL").format(column_name), []
    if op == "=":
        return sql.SQL("{} = %s::text::{}").format(column_name, kind), [_text(column, value)]
    if op == "!=":  # rows without a value differ from any value
        return sql.SQL("{} IS DISTINCT FROM %s::text::{}").format(column_name, kind), [_text(column, value)]
    if op in _COMPARISONS:
        if value is None:
            raise ValidationError(f"{column.name} {op} nothing is no condition; use is null or not null.")
        comparison = sql.SQL(_COMPARISONS[op])
        return sql.SQL("{} {} %s::text::{}").format(column_name, comparison, kind), [_text(column, value)]
    if op in ("in", "not in"):
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise ValidationError(f'{column.name} {op} needs a list of values, not "{value}".')
        values = list(value)
        texts = [_text(column, entry) for entry in values if entry is not None]
        if op == "in":
            part = sql.SQL("{} = ANY (%s::text[]::{}[])").format(column_name, kind)
            return (sql.SQL("({} OR {} IS NULL)").format(part, column_name) if None in values else part), [texts]
        part = sql.SQL("{} <> ALL (%s::text[]::{}[])").format(column_name, kind)
        last = sql.SQL("({} AND {} IS NOT NULL)") if None in values else sql.SQL("({} OR {} IS NULL)")
        return last.format(part, column_name), [texts]
    if op == "contains":
        if not isinstance(value, str):
            raise ValidationError(f"{column.name} contains needs a text.")
        pattern = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return sql.SQL("{}::text ILIKE %s").format(column_name), [f"%{pattern}%"]
    raise ValidationError(
        f'"{op}" is no comparison here. Known are = != < <= > >= in, not in, is null, not null, contains; '
        "anything else goes through query(sql, params)."
    )


def _text(column: Column, value: Any) -> str:
    try:
        return writer_of(dataclasses.replace(column, length=None, precision=None, choices=column.choices))(value)
    except ValueError as exc:
        raise ValidationError(f"{column.name} ({column.native}) can't be compared with that: {exc}.") from exc

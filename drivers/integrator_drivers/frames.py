"""Records as DataFrames and Arrow tables: column types from the fields, empty values allowed everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .protocols import Field, Record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["arrow_columns", "arrow_schema", "dataframe"]


def dataframe(fields: Mapping[str, Field], rows: Iterable[Record]) -> pd.DataFrame:
    """A DataFrame with one column per field, in order. A column that does not fit its type stays as it is."""
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in fields}
    appenders = [(name, columns[name].append) for name in fields]
    for row in rows:
        for name, append in appenders:
            append(row.get(name))
    frame: dict[str, Any] = {}
    for name, values in columns.items():
        try:
            frame[name] = _series(fields[name]["type"], values)
        except (ValueError, TypeError, OverflowError):
            frame[name] = pd.Series(values, dtype="object")
    return pd.DataFrame(frame, columns=list(fields))


def _series(kind: str, values: list[Any]) -> pd.Series[Any]:
    import pandas as pd

    if kind == "integer":
        return pd.Series(values, dtype="Int64")
    if kind == "number":
        return pd.Series([None if value is None else float(value) for value in values], dtype="float64")
    if kind == "boolean":
        return pd.Series(values, dtype="boolean")
    if kind in ("date", "datetime"):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="object"), utc=kind == "datetime", format="ISO8601"))
    if kind in ("text", "reference") and all(value is None or isinstance(value, str) for value in values):
        return pd.Series(values, dtype="str")
    return pd.Series(values, dtype="object")


def arrow_schema(fields: Mapping[str, Field]) -> Any:
    """The Arrow schema of these fields."""
    import pyarrow as pa

    kinds = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us", tz="UTC"),
        "binary": pa.binary(),
    }

    def kind(field: Field) -> Any:
        exact = re.fullmatch(r"numeric\((\d+),(\d+)\)", field["native_type"])
        if exact and int(exact[1]) <= 38:
            return pa.decimal128(int(exact[1]), int(exact[2]))
        return kinds.get(field["type"], pa.string())

    return pa.schema([pa.field(name, kind(field)) for name, field in fields.items()])


def arrow_columns(schema: Any, rows: list[Record]) -> dict[str, list[Any]]:
    """Values of each column, in the schema's types."""
    import pyarrow as pa

    columns = {}
    for field in schema:
        kind = field.type
        if pa.types.is_string(kind):
            convert: Any = _text
        elif pa.types.is_timestamp(kind):
            convert = _moment
        elif pa.types.is_date(kind):
            convert = _day
        elif pa.types.is_decimal(kind):
            convert = _decimal
        elif pa.types.is_floating(kind):
            convert = float
        else:
            convert = _same
        columns[field.name] = [None if row.get(field.name) is None else convert(row[field.name]) for row in rows]
    return columns


def _same(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _day(value: Any) -> date:
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value

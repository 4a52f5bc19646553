"""Values on their way in and out: PostgreSQL's text form for writing, plain Python for reading."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types import datetime as pg_datetime

from .models import Column

__all__ = ["Writable", "register_loaders", "writer_of"]

Writable = Callable[[Any], str]  # the text PostgreSQL reads; raises ValueError with the reason


class _Date(pg_datetime.DateLoader):
    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:  # infinity, or a year that Python has not
            return bytes(data).decode()


class _Timestamp(pg_datetime.TimestampLoader):
    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _Timestamptz(pg_datetime.TimestamptzLoader):
    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def register_loaders(connection: psycopg.Connection[Any]) -> None:
    """Dates that Python can't hold ("infinity", years before 1) come as text instead of an error."""
    for name, loader in (("date", _Date), ("timestamp", _Timestamp), ("timestamptz", _Timestamptz)):
        connection.adapters.register_loader(name, loader)


def writer_of(column: Column) -> Writable:
    """The function that turns a value (never None) into text for this column, or says why it does not fit."""
    if column.category == "A":
        return _array
    special = _WRITERS.get(column.base)
    if special:
        return special(column)
    if column.choices:
        return _choice(column)
    return _plain_text


def _text_writer(column: Column) -> Writable:
    limit = column.length

    def write(value: Any) -> str:
        text = value if isinstance(value, str) else _as_text(value)
        if limit is not None and len(text) > limit and len(text.rstrip(" ")) > limit:
            raise ValueError(f"longer than {limit:,} characters")
        if "\0" in text:
            raise ValueError("contains a NUL character, which PostgreSQL can't store")
        if not text.isascii():
            _encodable(text)
        return text

    return write


def _encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a character (a lone surrogate), which PostgreSQL can't store") from None


def _plain_text(value: Any) -> str:
    text = value if isinstance(value, str) else _as_text(value)
    if "\0" in text:
        raise ValueError("contains a NUL character, which PostgreSQL can't store")
    _encodable(text)
    return text


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, timedelta):
        return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
    if isinstance(value, bytes | memoryview):
        raise ValueError("is binary data, which does not fit a text column")
    return str(value)


def _integer_writer(column: Column) -> Writable:
    bits = {"int2": 15, "int4": 31, "int8": 63, "oid": 32}[column.base]
    low, high = (0 if column.base == "oid" else -(2**bits)), 2**bits - 1

    def write(value: Any) -> str:
        if isinstance(value, bool):
            raise ValueError(f"{str(value).lower()} is no whole number")
        try:
            number = value if isinstance(value, int) else _whole(value)
        except (ValueError, TypeError, InvalidOperation, OverflowError):
            raise ValueError(f"{_shown(value)} is no whole number") from None
        if not low <= number <= high:
            raise ValueError(f"{number} is outside {low} to {high}")
        return str(number)

    return write


def _whole(value: Any) -> int:
    number = Decimal(value.strip() if isinstance(value, str) else repr(value) if isinstance(value, float) else value)
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _numeric_writer(column: Column) -> Writable:
    precision, scale = column.precision, column.scale or 0
    step = Decimal(1).scaleb(-scale)
    ceiling = None if precision is None else Decimal(10) ** (precision - scale)

    def write(value: Any) -> str:
        number = _decimal(value)
        if ceiling is None:
            return format(number, "f") if number.is_finite() else str(number)
        if number.is_nan():
            return "NaN"
        if number.is_infinite() or abs(number) >= ceiling * 2:
            raise ValueError(f"{_shown(value)} does not fit {column.native}")
        number = _quantized(number, step)
        if abs(number) >= ceiling:
            raise ValueError(f"{_shown(value)} does not fit {column.native}")
        return format(number, "f")

    return write


def _quantized(number: Decimal, step: Decimal) -> Decimal:
    from decimal import localcontext

    with localcontext() as context:
        context.prec = 2000
        return number.quantize(step, rounding=ROUND_HALF_UP)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no number")
    try:
        return Decimal(value.strip() if isinstance(value, str) else repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f"{_shown(value)} is no number") from None


def _float_writer(column: Column) -> Writable:
    def write(value: Any) -> str:
        number = _decimal(value)
        result = float(number)
        if math.isinf(result) and not number.is_infinite():
            raise ValueError(f"{_shown(value)} does not fit {column.native}")
        if column.base == "float4" and math.isfinite(result):
            try:
                struct.pack("f", result)
            except OverflowError:
                raise ValueError(f"{_shown(value)} does not fit {column.native}") from None
        return "NaN" if math.isnan(result) else repr(result).replace("inf", "Infinity")

    return write


def _boolean_writer(column: Column) -> Writable:
    words = {
        **dict.fromkeys(("t", "true", "y", "yes", "on", "1"), "true"),
        **dict.fromkeys(("f", "false", "n", "no", "off", "0"), "false"),
    }

    def write(value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        try:
            return words[str(value).strip().casefold()]
        except KeyError:
            raise ValueError(f"{_shown(value)} is neither true nor false") from None

    return write


def _datetime_writer(column: Column) -> Writable:
    with_zone = column.base == "timestamptz"

    def write(value: Any) -> str:
        moment = _moment(value)
        if isinstance(moment, str):
            return moment
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
        return (moment if with_zone else moment.replace(tzinfo=None)).isoformat(" ")

    return write


def _date_writer(column: Column) -> Writable:
    def write(value: Any) -> str:
        moment = _moment(value)
        if isinstance(moment, str):
            return moment
        return moment.astimezone(UTC).date().isoformat() if moment.tzinfo else moment.date().isoformat()

    return write


def _moment(value: Any) -> datetime | str:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        text = value.strip()
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            if text.casefold() in ("infinity", "-infinity") or text.endswith(" BC"):
                return text
    raise ValueError(f"{_shown(value)} is no date or time in ISO form")


def _json_writer(column: Column) -> Writable:
    def write(value: Any) -> str:
        text = None
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            try:
                json.loads(value)
                text = value
            except ValueError:
                text = None
        if text is None:
            text = json.dumps(value, ensure_ascii=False, default=_json_other)
        if column.base == "jsonb" and "\\u0000" in text.replace("\\\\", ""):
            raise ValueError("contains a NUL character, which PostgreSQL can't store")
        return _plain_text(text)

    return write


def _json_other(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else _as_text(value)


def _bytes_writer(column: Column) -> Writable:
    def write(value: Any) -> str:
        if isinstance(value, bytes | bytearray | memoryview):
            return "\\x" + bytes(value).hex()
        raise ValueError(f"{_shown(value)} is no binary data")

    return write


def _uuid_writer(column: Column) -> Writable:
    def write(value: Any) -> str:
        try:
            return str(value if isinstance(value, UUID) else UUID(str(value)))
        except ValueError:
            raise ValueError(f"{_shown(value)} is no UUID") from None

    return write


def _choice(column: Column) -> Writable:
    def write(value: Any) -> str:
        text = _plain_text(value)
        if text not in column.choices:
            raise ValueError(f"{_shown(value)} is none of {', '.join(column.choices)}")
        return text

    return write


def _array(value: Any) -> str:
    if isinstance(value, str):
        return _plain_text(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"{_shown(value)} is no list")
    parts = []
    for entry in value:
        if entry is None:
            parts.append("NULL")
        elif isinstance(entry, list | tuple):
            parts.append(_array(entry))
        else:
            parts.append('"' + _plain_text(entry).replace("\\", "\\\\").replace('"', '\\"') + '"')
    return "{" + ",".join(parts) + "}"


def _shown(value: Any) -> str:
    text = str(value)
    return f'"{text if len(text) <= 40 else text[:37] + "..."}"'


_WRITERS: dict[str, Callable[[Column], Writable]] = {
    "text": _text_writer,
    "varchar": _text_writer,
    "bpchar": _text_writer,
    "citext": _text_writer,
    "name": _text_writer,
    "int2": _integer_writer,
    "int4": _integer_writer,
    "int8": _integer_writer,
    "oid": _integer_writer,
    "numeric": _numeric_writer,
    "float4": _float_writer,
    "float8": _float_writer,
    "bool": _boolean_writer,
    "date": _date_writer,
    "timestamp": _datetime_writer,
    "timestamptz": _datetime_writer,
    "json": _json_writer,
    "jsonb": _json_writer,
    "bytea": _bytes_writer,
    "uuid": _uuid_writer,
}

"""Building SOQL: literals, conditions, and lists short enough for a URL."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from integrator_drivers import Condition, Field
from integrator_drivers.errors import ValidationError

__all__ = ["LONGEST_QUERY", "URI_ROOM", "condition", "encoded_length", "fitting", "literal", "timestamp"]

# Salesforce allows 16,384 bytes for URI and headers together; the token, other headers and the host need room too.
URI_ROOM = 12_000
LONGEST_QUERY = 90_000  # characters; Salesforce takes 100,000 where the query is not part of an address
ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
COMPARISONS = {"=", "!=", "<", "<=", ">", ">="}
DATE_LITERAL = re.compile(r"(?:LAST|NEXT|THIS)_[A-Z_0-9]+(?::\d+)?|N_[A-Z_]+_AGO:\d+|TODAY|YESTERDAY|TOMORROW")
DAY = timedelta(days=1)


def literal(value: Any, field: Field, path: str) -> str:
    """One value as SOQL writes it for this field: text quoted and escaped, times unquoted and in UTC."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "null"
    if isinstance(value, list | tuple | set | dict):
        raise ValidationError(f"{path} is compared with one value here; for several use in or not in.")
    if field["type"] in ("date", "datetime"):
        return _moment(value, field, path)
    if isinstance(value, bool):
        return str(value).lower()
    if field["type"] == "boolean":
        if str(value).lower() in ("true", "false"):
            return str(value).lower()
        raise ValidationError(f"{path} is yes or no in Salesforce; compare it with True or False, not {value!r}.")
    if field["type"] in ("integer", "number"):
        return _number(value, path)
    if isinstance(value, datetime | date):
        raise ValidationError(f"{path} is {field['native_type']} in Salesforce and can't be compared with a time.")
    return f"'{str(value).translate(ESCAPES)}'"


def condition(entry: Condition, field: Field, path: str) -> str:
    """One `(field, op, value)` as SOQL, for every op but `in` (see `fitting`)."""
    op, value = entry[1].strip().lower(), entry[2]
    if op == "is null":
        return f"{path} = null"
    if op == "not null":
        return f"{path} != null"
    if op == "contains":
        if field["type"] not in ("text", "reference") or value in (None, ""):
            raise ValidationError(f"{path}: contains looks for a piece of text in a text field.")
        pattern = re.sub(r"([%_])", r"\\\1", str(value).translate(ESCAPES))
        return f"{path} LIKE '%{pattern}%'"
    if op == "not in":
        values = [literal(one, field, path) for one in _list(value, path)]
        return f"{path} NOT IN ({', '.join(dict.fromkeys(values))})" if values else ""
    if op not in COMPARISONS:
        raise ValidationError(
            f'Salesforce can\'t compare with "{entry[1]}" here. Known are =, !=, <, <=, >, >=, in, not in, is null, '
            "not null and contains; for anything else write SOQL and use query(soql)."
        )
    if field["type"] == "datetime" and isinstance(value, date) and not isinstance(value, datetime):
        return _whole_day(path, op, value)
    return f"{path} {op} {literal(value, field, path)}"


def fitting(path: str, field: Field, values: Iterable[Any], room: int) -> Iterator[str]:
    """`path IN (...)` conditions that together hold all values, none longer than `room` bytes in a URL."""
    literals = dict.fromkeys(literal(value, field, path) for value in values)
    head = encoded_length(f"{path} IN ()")
    batch: list[str] = []
    length = head
    for text in literals:
        size = encoded_length(text) + 4  # ", " in a URL
        if batch and length + size > room:
            yield f"{path} IN ({', '.join(batch)})"
            batch, length = [], head
        batch.append(text)
        length += size
    if batch:
        yield f"{path} IN ({', '.join(batch)})"


def encoded_length(text: str) -> int:
    """Bytes that `text` takes in a URL."""
    return len(quote_plus(text))


def timestamp(value: datetime, path: str) -> str:
    """An aware time as SOQL writes it, to the millisecond. Raises ValidationError for a time without a zone."""
    if value.tzinfo is None:
        raise ValidationError(f"The time for {path} has no time zone. Use days_ago(30), or datetime(..., tzinfo=UTC).")
    utc = value.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _moment(value: Any, field: Field, path: str) -> str:
    if isinstance(value, str):
        if DATE_LITERAL.fullmatch(value.strip().upper()):
            return value.strip().upper()
        value = _parsed(value, path)
    if isinstance(value, datetime):
        text = timestamp(value, path)
        return text if field["type"] == "datetime" else text[:10]
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000Z" if field["type"] == "datetime" else value.isoformat()
    raise ValidationError(f"{path} is a {field['type']} in Salesforce; compare it with a date, not {value!r}.")


def _parsed(text: str, path: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValidationError(f'"{text}" is no date for {path}; write it as 2026-11-21.') from exc


def _whole_day(path: str, op: str, day: date) -> str:
    """A day compared with a time: the day is from its midnight (UTC) until the next."""
    start = timestamp(datetime.combine(day, clock.min, UTC), path)
    end = timestamp(datetime.combine(day + DAY, clock.min, UTC), path)
    return {
        "=": f"({path} >= {start} AND {path} < {end})",
        "!=": f"({path} < {start} OR {path} >= {end})",
        "<": f"{path} < {start}",
        "<=": f"{path} < {end}",
        ">": f"{path} >= {end}",
        ">=": f"{path} >= {start}",
    }[op]


def _number(value: Any, path: str) -> str:
    try:
        number = Decimal(str(value))
    except ArithmeticError as exc:
        raise ValidationError(f"{path} is a number in Salesforce and can't be compared with {value!r}.") from exc
    if not number.is_finite():
        raise ValidationError(f"{path} can't be compared with {value!r}.")
    return format(number, "f")


def _list(value: Any, path: str) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValidationError(f"{path}: in and not in need a list of values.")
    return list(value)

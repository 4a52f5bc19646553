"""Pages of rows as COPY takes them: one look at each column, and at its values only where psycopg would go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .models import Column
from .values import writer_of

__all__ = ["Encoder"]

Row = tuple[Any, ...]
Values = Sequence[Any]
_TEXT = frozenset({"text", "varchar", "bpchar", "citext"})
# Python types whose values psycopg writes just as `values` would, by the column's base type.
_PLAIN: dict[str, frozenset[type]] = {
    **dict.fromkeys(_TEXT, frozenset({str})),
    **dict.fromkeys(("int2", "int4", "int8"), frozenset({int})),
    "numeric": frozenset({int, float, Decimal}),
    **dict.fromkeys(("float4", "float8"), frozenset({int, float})),
    "bool": frozenset({bool}),
    "date": frozenset({date}),
    "timestamptz": frozenset({datetime}),
}
# Texts that PostgreSQL reads as Python's fromisoformat does, every digit written as 0.
_SHAPES = {
    "timestamptz": re.compile(rb"0000-00-00(?:[ T]00:00:00(?:\.0{1,6})?(?:Z|[+-]00:?00)?)?"),
    "date": re.compile(rb"0000-00-00"),
}
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_NO_TIMES = ("T24:", " 24:", ":60")  # PostgreSQL takes them, Python and most others don't
_NONE = type(None)


class Encoder:
    """Rows of these columns. One per load."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [_converter(column) for column in columns]

    def page(self, rows: list[Row]) -> list[Row]:
        """The rows with values that psycopg writes rightly. Raises ValueError where a value does not fit its column."""
        given: list[Values] = list(zip(*rows, strict=True))
        made = [convert(values) for convert, values in zip(self._columns, given, strict=True)]
        if all(one is other for one, other in zip(made, given, strict=True)):
            return rows
        return list(zip(*made, strict=True))


def _converter(column: Column) -> Callable[[Values], Values]:
    """A function that gives the values back as they are, where they may be, or each as text."""
    write = writer_of(column)
    is_array = column.category == "A"
    plain = frozenset[type]() if is_array or column.choices else _PLAIN.get(column.base, frozenset())
    shape = None if is_array or column.choices else _SHAPES.get(column.base)

    def convert(values: Values) -> Values:
        kinds = set(map(type, values))
        kinds.discard(_NONE)
        if kinds <= plain or (shape is not None and kinds == {str} and _fits(shape, values)):
            return values
        return [None if value is None else write(value) for value in values]

    return convert


def _fits(shape: re.Pattern[bytes], values: Values) -> bool:
    text = "\n".join([value for value in values if value is not None])
    if not text.isascii() or any(time in text for time in _NO_TIMES):
        return False
    return all(map(shape.fullmatch, set(text.encode().translate(_DIGITS).split(b"\n"))))

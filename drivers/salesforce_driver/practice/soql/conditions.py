"""WHERE and HAVING as functions of a row, with Salesforce's rules for null, case, types and dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from ..errors import SalesforceError, at_position
from ..ids import canonical_id
from .nodes import And, Comparison, Condition, DateRange, Expression, Literal_, Membership, Not, Or, Query
from .operands import Clock, Operand
from .ranges import days
from .tokens import unescape

__all__ = ["Compiler", "Test"]

Test = Callable[[Any], bool]
_TYPE_NAMES = {"boolean": "boolean", "date": "date", "datetime": "dateTime", "text": "string", "id": "ID"}
_FITTING = {
    "text": {"string"},
    "id": {"string"},
    "number": {"number"},
    "boolean": {"boolean"},
    "date": {"date", "range"},
    "datetime": {"datetime", "range"},
}


class Compiler:
    """Turns conditions into tests. `resolve` says what a name stands for, `semi_join` runs IN (SELECT ...)."""

    def __init__(
        self,
        text: str,
        clock: Clock,
        resolve: Callable[[Expression], Operand],
        semi_join: Callable[[Operand, Query], Collection[str]],
    ) -> None:
        self.text = text
        self.clock = clock
        self.resolve = resolve
        self.semi_join = semi_join

    def compile(self, condition: Condition, top: bool = True) -> Test:
        """Raises SalesforceError where a value does not fit its field. `top`: semi-joins may stand here."""
        match condition:
            case And(parts):
                tests = [self.compile(part, top) for part in parts]
                return lambda row: all(test(row) for test in tests)
            case Or(parts):
                tests = [self.compile(part, False) for part in parts]
                return lambda row: any(test(row) for test in tests)
            case Not(inner):
                test = self.compile(inner, False)
                return lambda row: not test(row)
            case Comparison():
                return self._comparison(condition)
            case Membership():
                return self._membership(condition, top)

    def _operand(self, expression: Expression) -> Operand:
        operand = self.resolve(expression)
        if operand.kind == "compound" or (operand.field and not operand.field.facts["filterable"]):
            raise at_position(
                "INVALID_FIELD",
                self.text,
                expression.position,
                f"field '{operand.name}' can not be filtered in a query call",
            )
        return operand

    def _comparison(self, condition: Comparison) -> Test:
        operand = self._operand(condition.left)
        literal, op, get = condition.right, condition.op, operand.get
        if op == "LIKE":
            return self._like(operand, condition)
        if literal.kind == "null" or (literal.kind == "string" and not literal.value and operand.kind == "text"):
            if op not in ("=", "!="):
                raise self._bad_operator(operand, condition.position)
            if op == "=":
                return lambda row: get(row) is None
            return lambda row: get(row) is not None
        if operand.kind == "boolean" and op not in ("=", "!="):
            raise self._bad_operator(operand, condition.position)
        low, high = self._bounds(operand, literal, condition.left.position)
        return _compare(op, _keyed(operand), low, high)

    def _like(self, operand: Operand, condition: Comparison) -> Test:
        literal, get = condition.right, operand.get
        if operand.kind != "text":
            raise self._bad_operator(operand, condition.position)
        if literal.kind == "null":
            return lambda row: get(row) is None
        if literal.kind != "string":
            raise self._bad_type(operand, condition.left.position)
        matches = like_pattern(literal.raw).fullmatch
        return lambda row: (value := get(row)) is not None and matches(value) is not None

    def _membership(self, condition: Membership, top: bool) -> Test:
        operand = self._operand(condition.left)
        if condition.op in ("INCLUDES", "EXCLUDES"):
            raise self._bad_operator(operand, condition.position)  # no multi-select picklist here
        if isinstance(condition.values, Query):
            test = self._in_query(operand, condition.values, top)
        else:
            test = self._in_list(operand, condition.values, condition.left.position)
        return (lambda row: not test(row)) if condition.op == "NOT IN" else test

    def _in_query(self, operand: Operand, query: Query, top: bool) -> Test:
        if not top:
            raise at_position(
                "MALFORMED_QUERY",
                self.text,
                query.source_position,
                "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE "
                "expressions.",
            )
        found, get = self.semi_join(operand, query), operand.get
        return lambda row: get(row) in found

    def _in_list(self, operand: Operand, literals: tuple[Literal_, ...], position: int) -> Test:
        key = _keyed(operand)
        plain: set[Any] = set()
        ranges: list[tuple[Any, Any]] = []
        for literal in literals:
            if literal.kind == "null" or (operand.kind == "text" and literal.value == ""):
                plain.add(None)
                continue
            low, high = self._bounds(operand, literal, position)
            if high is None:
                plain.add(low)
            else:
                ranges.append((low, high))
        if not ranges:
            return lambda row: key(row) in plain

        def test(row: Any) -> bool:
            value = key(row)
            return value in plain or (value is not None and any(low <= value < high for low, high in ranges))

        return test

    def _bounds(self, operand: Operand, literal: Literal_, position: int) -> tuple[Any, Any]:
        """(value, None), or (first, first after) of a relative date."""
        if literal.kind not in _FITTING[operand.kind]:
            raise self._bad_type(operand, position)
        value = literal.value
        if isinstance(value, DateRange):
            first, after = days(value.name, value.n, self.clock.today)
            if operand.kind == "datetime":
                return self.clock.midnight(first), self.clock.midnight(after)
            return first, after
        if operand.kind == "text":
            return str(value).casefold(), None
        if operand.kind == "id":
            found = canonical_id(str(value))
            if found is None:
                raise at_position("INVALID_QUERY_FILTER_OPERATOR", self.text, position, f"invalid ID field: {value}")
            return found, None
        return value, None

    def _bad_type(self, operand: Operand, position: int) -> SalesforceError:
        kind = _TYPE_NAMES.get(operand.kind) or ("int" if operand.field and operand.field.type == "int" else "double")
        quotes = "should be enclosed" if operand.kind in ("text", "id") else "should not be enclosed"
        return at_position(
            "INVALID_FIELD",
            self.text,
            position,
            f"value of filter criterion for field '{operand.name}' must be of type {kind} and {quotes} in quotes",
        )

    def _bad_operator(self, operand: Operand, position: int) -> SalesforceError:
        kind = operand.field.type if operand.field else operand.kind
        return at_position("INVALID_QUERY_FILTER_OPERATOR", self.text, position, f"invalid operator on {kind} field")


def like_pattern(raw: str) -> re.Pattern[str]:
    """A LIKE pattern, as written between the quotes: % any text, _ one character, both literal after a backslash."""
    parts = []
    for piece in re.findall(r"\\u[0-9A-Fa-f]{4}|\\.|.", raw, re.DOTALL):
        if piece == "%":
            parts.append(".*")
        elif piece == "_":
            parts.append(".")
        else:
            parts.append(re.escape(unescape(piece)))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _keyed(operand: Operand) -> Callable[[Any], Any]:
    """Values as they are compared: text without regard to case."""
    get = operand.get
    if operand.kind != "text":
        return get

    def key(row: Any) -> Any:
        value = get(row)
        return None if value is None else value.casefold()

    return key


def _compare(op: str, key: Callable[[Any], Any], low: Any, high: date | datetime | None) -> Test:
    """A comparison in which null equals nothing, differs from everything and is neither more nor less."""
    if op == "=":
        if high is None:
            return lambda row: key(row) == low
        return lambda row: (value := key(row)) is not None and low <= value < high
    if op == "!=":
        if high is None:
            return lambda row: key(row) != low
        return lambda row: (value := key(row)) is None or not low <= value < high
    if op == "<" or (op == "<=" and high is not None):
        limit = low if op == "<" else high
        return lambda row: (value := key(row)) is not None and value < limit
    if op == "<=":
        return lambda row: (value := key(row)) is not None and value <= low
    if op == ">=" or high is not None:
        start = low if op == ">=" else high
        return lambda row: (value := key(row)) is not None and value >= start
    return lambda row: (value := key(row)) is not None and value > low

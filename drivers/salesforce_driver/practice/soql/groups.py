"""GROUP BY, aggregates and HAVING."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Any

from ..errors import SalesforceError, at_position
from .conditions import Compiler
from .nodes import Expression, Fields, Function, Query, Selected, SubSelect, TypeOf
from .operands import Operand, Row, Scope
from .parser import AGGREGATES
from .shape import json_value

__all__ = ["MAX_GROUPS", "Group", "Grouping", "is_aggregate"]

MAX_GROUPS = 2_000


def is_aggregate(query: Query) -> bool:
    """Does this query answer with groups instead of records?"""
    return bool(query.group_by) or any(
        isinstance(item, Selected) and isinstance(item.what, Function) and item.what.name in AGGREGATES
        for item in query.selected
    )


@dataclass
class Group:
    """Rows that agree in the grouped fields."""

    keys: dict[str, Any]  # by operand name
    rows: Sequence[Row]
    kept: frozenset[str] = frozenset()  # names of the fields it is grouped by


class Grouping:
    """One aggregate query, checked: raises SalesforceError for what is neither grouped nor aggregated."""

    def __init__(self, query: Query, scope: Scope) -> None:
        self.query = query
        self.scope = scope
        self.by = [self._grouped(expression) for expression in query.group_by]
        self.shown = self._shown()

    def run(self, rows: Sequence[Row]) -> list[Group]:
        """The groups that HAVING keeps; one group over everything without GROUP BY."""
        if not self.by:
            groups = [Group({}, rows)]
        else:
            groups = [group for kept in self._kept() for group in self._grouped_by(rows, kept)]
        if self.query.having:
            compiler = Compiler(self.query.text, self.scope.clock, self.resolve, _no_semi_join)
            keep = compiler.compile(self.query.having, top=False)
            groups = [group for group in groups if keep(group)]
        return groups

    def _kept(self) -> list[tuple[Operand, ...]]:
        """The fields by which is grouped: all of them; with ROLLUP and CUBE also fewer, down to none."""
        by = tuple(self.by)
        if self.query.subtotals == "ROLLUP":
            return [by[:count] for count in range(len(by), -1, -1)]
        if self.query.subtotals == "CUBE":
            return [kept for count in range(len(by), -1, -1) for kept in combinations(by, count)]
        return [by]

    def _grouped_by(self, rows: Sequence[Row], kept: Sequence[Operand]) -> list[Group]:
        found: dict[tuple[Any, ...], Group] = {}
        members: dict[tuple[Any, ...], list[Row]] = {}
        blank = {operand.name: None for operand in self.by}
        names = frozenset(operand.name for operand in kept)
        for row in rows:
            values = [operand.get(row) for operand in kept]
            key = tuple(value.casefold() if isinstance(value, str) else value for value in values)
            if key not in found:
                members[key] = []
                named = {operand.name: value for operand, value in zip(kept, values, strict=True)}
                found[key] = Group(blank | named, members[key], names)
            members[key].append(row)
        return list(found.values())

    def resolve(self, expression: Expression) -> Operand:
        """What a name in HAVING or ORDER BY stands for, read from a Group."""
        if isinstance(expression, Function) and expression.name in AGGREGATES:
            return self._aggregate(expression)
        if isinstance(expression, Function) and expression.name == "GROUPING" and self.query.subtotals:
            return self._grouping(expression)
        operand = self.scope.resolve(expression)
        if all(operand.name != grouped.name for grouped in self.by):
            raise at_position(
                "MALFORMED_QUERY",
                self.query.text,
                expression.position,
                f"Field must be grouped or aggregated: {operand.name}",
            )
        return _read_from_group(operand)

    def render(self, group: Group) -> dict[str, Any]:
        """One AggregateResult."""
        shown: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        for name, read in self.shown:
            shown[name] = json_value(read(group))
        return shown

    def _grouped(self, expression: Expression) -> Operand:
        if isinstance(expression, Function) and expression.name in AGGREGATES:
            raise at_position(
                "MALFORMED_QUERY",
                self.query.text,
                expression.position,
                f"Grouped field should not be aggregated: {expression.name}",
            )
        operand = self.scope.resolve(expression)
        if operand.field and (not operand.field.facts["groupable"] or operand.kind == "compound"):
            raise at_position(
                "MALFORMED_QUERY",
                self.query.text,
                expression.position,
                f"field '{operand.name}' can not be grouped in a query call",
            )
        return operand

    def _shown(self) -> list[tuple[str, Callable[[Group], Any]]]:
        shown: list[tuple[str, Callable[[Group], Any]]] = []
        unnamed = 0
        for item in self.query.selected:
            if isinstance(item, SubSelect | Fields | TypeOf):
                raise SalesforceError(
                    400, "MALFORMED_QUERY", "A query with aggregates or GROUP BY can't select FIELDS() or child records"
                )
            operand = self.resolve(item.what)
            if item.alias:
                name = item.alias
            elif operand.field is None:
                name = f"expr{unnamed}"
                unnamed += 1
            else:
                name = operand.field.name
            if any(name.casefold() == known.casefold() for known, _ in shown):
                raise at_position("MALFORMED_QUERY", self.query.text, item.what.position, f"duplicate alias: {name}")
            shown.append((name, operand.get))
        return shown

    def _grouping(self, function: Function) -> Operand:
        """1 where the group is a subtotal over that field, else 0."""
        inner = self.scope.resolve(function.argument) if function.argument else None
        if inner is None or all(inner.name != grouped.name for grouped in self.by):
            raise at_position(
                "MALFORMED_QUERY", self.query.text, function.position, "GROUPING needs a field of GROUP BY"
            )
        name = inner.name

        def read(group: Group) -> int:
            return int(name not in group.kept)

        return Operand(f"GROUPING({name})", "number", read, read, None, position=function.position)

    def _aggregate(self, function: Function) -> Operand:
        if function.argument is None:
            if len(self.query.selected) > 1 or self.query.group_by:
                raise at_position("MALFORMED_QUERY", self.query.text, function.position, "unexpected token: 'COUNT'")
            return Operand("COUNT()", "number", _size, _size, None, position=function.position)
        inner = self.scope.resolve(function.argument)
        name, get = function.name, inner.get
        known = inner.field is not None and inner.field.facts["aggregatable"]
        if not known or (name in ("SUM", "AVG") and inner.kind != "number"):
            raise at_position(
                "MALFORMED_QUERY",
                self.query.text,
                function.position,
                f"field {inner.name} does not support aggregate operator {name}",
            )
        compute = _COMPUTE[name]

        def read(group: Group) -> Any:
            return compute([value for row in group.rows if (value := get(row)) is not None])

        kind = inner.kind if name in ("MIN", "MAX") else "number"
        return Operand(f"{name}({inner.name})", kind, read, read, None, position=function.position)


def _size(group: Group) -> int:
    return len(group.rows)


def _read_from_group(operand: Operand) -> Operand:
    name = operand.name

    def get(group: Group) -> Any:
        return group.keys[name]

    return Operand(name, operand.kind, get, get, operand.field, operand.steps, operand.entity, operand.position)


def _no_semi_join(operand: Operand, query: Query) -> set[str]:
    raise SalesforceError(400, "MALFORMED_QUERY", "Semi join sub-selects are not allowed in HAVING")


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _sum(values: list[float]) -> float | None:
    return float(sum(values)) if values else None


def _extreme(pick: Callable[..., Any]) -> Callable[[list[Any]], str | float | date | datetime | None]:
    return lambda values: pick(values, key=_folded) if values else None


_COMPUTE: dict[str, Callable[[list[Any]], Any]] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len({_folded(value) for value in values}),
    "SUM": _sum,
    "AVG": lambda values: sum(values) / len(values) if values else None,
    "MIN": _extreme(min),
    "MAX": _extreme(max),
}

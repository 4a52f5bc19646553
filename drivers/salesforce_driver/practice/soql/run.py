"""Run a parsed query over an org's rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import SalesforceError, at_position, unexpected_token
from ..schema import Field, Object
from .conditions import Compiler
from .groups import MAX_GROUPS, Grouping, is_aggregate
from .nodes import Expression, Fields, Function, Order, Path, Query, Selected, SubSelect, TypeOf
from .operands import Clock, Operand, Row, Rows, Scope, reader
from .parser import AGGREGATES, parse
from .shape import Node

__all__ = ["PageOfChildren", "Result", "run"]

MAX_FIELDS_ROWS = 200  # what FIELDS(ALL) and FIELDS(CUSTOM) may be limited to
MAX_SEMI_JOINS = 2
# Called for a child list: all its rows, how to show one, and the base path. Answers the list as JSON.
PageOfChildren = Callable[[Sequence[Row], Callable[[Row, str], dict[str, Any]], str], dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """What a query found. `total` alone counts for COUNT(), where nothing is shown."""

    total: int
    found: Sequence[Any]
    render: Callable[[Any, str], dict[str, Any]]


def run(text: str, data: Rows, clock: Clock, *, include_deleted: bool, children: PageOfChildren) -> Result:
    """Parse, check against the schema and run. Raises SalesforceError as Salesforce words it."""
    return _Run(data, clock, include_deleted, children).root(parse(text))


@dataclass(frozen=True)
class _Run:
    data: Rows
    clock: Clock
    include_deleted: bool
    children: PageOfChildren

    def root(self, query: Query) -> Result:
        described = self._object(query)
        scope = Scope(query.text, described, query.alias, self.data, self.clock)
        if is_aggregate(query):
            return self._aggregate(query, scope)
        node = self._node(query, scope, described)
        rows = self._filtered(query, scope)
        rows = _sliced(query, _sorted(query.order_by, scope.resolve, rows, query.text))
        return Result(len(rows), rows, node.render)

    def _object(self, query: Query) -> Object:
        described = self.data.schema.object(query.source)
        if described is None:
            raise at_position(
                "INVALID_TYPE",
                query.text,
                query.source_position,
                f"sObject type '{query.source}' is not supported. If you are attempting to use a custom object, be "
                "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for "
                "the appropriate names.",
            )
        return described

    def _aggregate(self, query: Query, scope: Scope) -> Result:
        grouping = Grouping(query, scope)
        rows = self._filtered(query, scope)
        only = query.selected[0]
        if isinstance(only, Selected) and isinstance(only.what, Function) and only.what.argument is None:
            return Result(len(_sliced(query, rows)), (), lambda row, base: {})
        groups = _sliced(query, _sorted(query.order_by, grouping.resolve, grouping.run(rows), query.text))
        if len(groups) > MAX_GROUPS:
            raise SalesforceError(
                400,
                "EXCEEDED_ID_LIMIT",
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch",
            )
        return Result(len(groups), groups, lambda group, base: grouping.render(group))

    def _filtered(self, query: Query, scope: Scope) -> list[Row]:
        rows = self.data.rows(scope.object.name, self.include_deleted)
        if query.where is None:
            return rows
        compiler = Compiler(query.text, self.clock, scope.resolve, _SemiJoins(self, scope))
        keep = compiler.compile(query.where)
        return [row for row in rows if keep(row)]

    def _node(self, query: Query, scope: Scope, described: Object) -> Node:
        node = Node(described, self.data)
        seen: set[str] = set()

        def once(name: str, position: int) -> None:
            if name in seen:
                raise at_position("MALFORMED_QUERY", query.text, position, f"duplicate field selected: {name}")
            seen.add(name)

        for item in query.selected:
            match item:
                case SubSelect(inner):
                    name, render = self._child_list(inner, scope)
                    once(name, inner.source_position)
                    node.add_list(name, render)
                case TypeOf():
                    self._type_of(item, query, scope, node, once)
                case Fields():
                    for field in self._all_fields(item, query, described):
                        once(field.name, item.position)
                        node.add(scope.resolve(Path((field.name,), item.position)))
                case Selected(what, alias):
                    operand = scope.resolve(what)
                    if alias or operand.field is None:
                        # An alias, or a date function, needs GROUP BY.
                        raise at_position(
                            "MALFORMED_QUERY",
                            query.text,
                            what.position,
                            "only aggregate expressions use field aliasing"
                            if alias
                            else f"Field must be grouped or aggregated: {operand.name}",
                        )
                    once(operand.shown_as, what.position)
                    node.add(operand)
        return node

    def _type_of(self, item: TypeOf, query: Query, scope: Scope, node: Node, once: Callable[[str, int], None]) -> None:
        """A parent that can be of several objects, shown with the fields of the one it is."""
        if len(item.path.names) > 1:
            raise unexpected_token(query.text, item.path.position, item.path.text)
        reference = scope.object.parent(item.path.text)
        if reference is None or len(reference.targets) < 2:
            raise at_position(
                "INVALID_FIELD",
                query.text,
                item.path.position,
                f"'{item.path.text}' is no polymorphic relationship of {scope.object.name}, as TYPEOF needs",
            )
        name = str(reference.relationship)
        once(name, item.path.position)
        general = self.data.schema.objects["Name"]

        def shown(target: Object, fields: Sequence[Path]) -> Node:
            inner, at = Node(target, self.data), Scope(query.text, target, None, self.data, self.clock)
            for path in fields:
                inner.add(at.resolve(path))
            return inner

        cases: dict[str, Node] = {}
        for target_name, position, fields in item.cases:
            known = next((one for one in reference.targets if one.casefold() == target_name.casefold()), None)
            if known is None or known in cases:
                raise at_position(
                    "INVALID_TYPE", query.text, position, f"{target_name} is no type of {name}, or named twice"
                )
            cases[known] = shown(self.data.schema.objects.get(known, general), fields)
        otherwise = shown(general, item.otherwise) if item.otherwise else None
        read = reader(self.data, scope.object, reference)

        def render(row: Row, base: str) -> Any:
            parent_id = read(row)
            parent = self.data.row(parent_id) if parent_id else None
            target = self.data.schema.by_prefix(parent_id) if parent_id else None
            chosen = cases.get(target.name, otherwise) if target else None
            return chosen.render(parent, base) if chosen and parent else None

        node.add_list(name, render)

    def _all_fields(self, item: Fields, query: Query, described: Object) -> list[Field]:
        if item.group != "STANDARD" and (query.limit is None or query.limit > MAX_FIELDS_ROWS):
            raise SalesforceError(
                400, "MALFORMED_QUERY", f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_ROWS}"
            )
        fields = described.visible()
        if item.group == "ALL":
            return fields
        return [field for field in fields if field.facts["custom"] == (item.group == "CUSTOM")]

    def _child_list(self, query: Query, outer: Scope) -> tuple[str, Callable[[Row, str], Any]]:
        prefix, _, name = query.source.rpartition(".")
        own = {outer.object.name.casefold(), (outer.alias or "").casefold(), ""}
        child = outer.object.child(name) if prefix.casefold() in own else None
        if child is None or child.relationship is None:
            raise at_position(
                "INVALID_TYPE",
                query.text,
                query.source_position,
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting "
                "to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please "
                "reference your WSDL or the describe call for the appropriate names.",
            )
        if is_aggregate(query):
            raise SalesforceError(400, "MALFORMED_QUERY", "Only root queries support aggregate expressions")
        described = self.data.schema.objects[child.object]
        scope = Scope(query.text, described, query.alias, self.data, self.clock)
        node = self._node(query, scope, described)
        rows = _sorted(query.order_by, scope.resolve, self._filtered(query, scope), query.text)
        by_parent: dict[str, list[Row]] = {}
        for row in rows:
            if parent := row.get(child.field):
                by_parent.setdefault(parent, []).append(row)

        def render(row: Row, base: str) -> Any:
            mine = _sliced(query, by_parent.get(row["Id"], []))
            return self.children(mine, node.render, base) if mine else None

        return child.relationship, render


@dataclass
class _SemiJoins:
    """Runs the queries inside IN (...) of one WHERE, within the limits Salesforce sets."""

    run: _Run
    outer: Scope
    seen: int = 0

    def __call__(self, operand: Operand, query: Query) -> Collection[str]:
        self.seen += 1
        if self.seen > MAX_SEMI_JOINS:
            raise SalesforceError(
                400, "MALFORMED_QUERY", f"maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed in queries"
            )
        described = self.run._object(query)
        scope = Scope(query.text, described, query.alias, self.run.data, self.run.clock)
        what = query.selected[0]
        if (
            len(query.selected) > 1
            or not isinstance(what, Selected)
            or not isinstance(what.what, Path)
            or query.group_by
            or query.order_by
            or query.limit is not None
        ):
            raise at_position(
                "MALFORMED_QUERY",
                query.text,
                query.source_position,
                "Semi join sub-selects must select exactly one field, without GROUP BY, ORDER BY or LIMIT",
            )
        inner = scope.resolve(what.what)
        for side in (inner, operand):
            if side.kind != "id" or side.field is None:
                raise SalesforceError(
                    400,
                    "MALFORMED_QUERY",
                    f"Semi join sub-selects can only query id fields, cannot use: '{side.name}'",
                )
        if described is self.outer.object:
            raise SalesforceError(
                400, "MALFORMED_QUERY", "The inner and outer selects should not be on the same object type"
            )
        if not _points_to(inner) & _points_to(operand):
            raise SalesforceError(
                400,
                "MALFORMED_QUERY",
                f"The selected field '{inner.name}' in the subquery and the left operand field in the where "
                f"expression in the outer query '{operand.name}' should point to the same object type",
            )
        rows = self._rows(query, scope)
        return {value for row in rows if (value := inner.get(row)) is not None}

    def _rows(self, query: Query, scope: Scope) -> list[Row]:
        rows = self.run.data.rows(scope.object.name, self.run.include_deleted)
        if query.where is None:
            return rows
        compiler = Compiler(query.text, self.run.clock, scope.resolve, _no_nesting)
        keep = compiler.compile(query.where)
        return [row for row in rows if keep(row)]


def _no_nesting(operand: Operand, query: Query) -> set[str]:
    raise at_position(
        "MALFORMED_QUERY", query.text, query.source_position, "Nesting of semi join sub-selects is not supported"
    )


def _points_to(operand: Operand) -> set[str]:
    assert operand.field is not None
    return {operand.entity} if operand.field.type == "id" else set(operand.field.targets)


def _sliced(query: Query, found: list[Any]) -> list[Any]:
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]


def _sorted(
    orders: tuple[Order, ...], resolve: Callable[[Expression], Operand], found: list[Any], text: str
) -> list[Any]:
    for order in reversed(orders):
        operand = resolve(order.by)
        if isinstance(order.by, Function) and order.by.name not in AGGREGATES and operand.field is None:
            pass  # a date function of a field
        elif operand.kind == "compound" or (operand.field and not operand.field.facts["sortable"]):
            raise at_position(
                "MALFORMED_QUERY", text, order.by.position, f"field '{operand.name}' can not be sorted in a query call"
            )
        key = _sort_key(operand)
        keyed = [(key(row), row) for row in found]
        nulls = [row for value, row in keyed if value is None]
        rest = [pair for pair in keyed if pair[0] is not None]
        rest.sort(key=lambda pair: pair[0], reverse=order.descending)
        ordered = [row for _, row in rest]
        found = [*ordered, *nulls] if order.nulls_last else [*nulls, *ordered]
    return found


def _sort_key(operand: Operand) -> Callable[[Any], Any]:
    """Text without regard to case; a picklist in the order of its choices, unknown values after them."""
    get = operand.get
    if operand.kind != "text":
        return get
    choices = {value: place for place, (value, _) in enumerate(operand.field.choices)} if operand.field else {}
    if not choices:
        return lambda row: None if (value := get(row)) is None else value.casefold()
    return lambda row: None if (value := get(row)) is None else (choices.get(value, len(choices)), value.casefold())

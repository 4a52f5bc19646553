"""What a name in a query stands for: found in the schema, checked, and readable from a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from ..errors import SalesforceError, at_position
from ..schema import Field, Kind, Object, Schema
from ..virtual import VIRTUAL
from .nodes import Expression, Function, Path

__all__ = ["Clock", "Operand", "Row", "Rows", "Scope", "Step", "reader"]

Row = Mapping[str, Any]
Getter = Callable[[Any], Any]
MAX_PARENTS = 5


class Rows(Protocol):
    """Where the engine finds records."""

    schema: Schema

    def rows(self, name: str, include_deleted: bool) -> list[Row]: ...
    def row(self, record_id: str) -> Row | None: ...


@dataclass(frozen=True)
class Clock:
    """The moment a query runs, and the time zone of its user."""

    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """When this day begins for the user, in UTC."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Step:
    """One step from a record to its parent."""

    reference: Field
    target: Object
    parent_id: Getter


@dataclass(frozen=True)
class Operand:
    """A field or function of it: how to read it, and what it holds."""

    name: str  # as errors call it
    kind: Kind
    get: Getter  # from a row of the object that is queried
    own: Getter  # from the row of the record that the field belongs to
    field: Field | None  # None for the result of a date function
    steps: tuple[Step, ...] = ()
    entity: str = ""  # the object the field belongs to
    position: int = 0

    @property
    def shown_as(self) -> str:
        """Its place in an answer: toLabel(Status) stands where Status would."""
        names = [step.reference.relationship or "" for step in self.steps]
        return ".".join([*names, self.field.name if self.field else self.name])


@dataclass(frozen=True)
class Scope:
    """One object being queried."""

    text: str
    object: Object
    alias: str | None
    data: Rows
    clock: Clock

    def resolve(self, expression: Expression) -> Operand:
        """Raises INVALID_FIELD for names that are not there or that the user can't see."""
        if isinstance(expression, Function):
            return self._function(expression)
        return self._path(expression)

    def _path(self, path: Path) -> Operand:
        names = path.names
        prefixes = {self.object.name.casefold(), (self.alias or "").casefold()}
        if len(names) > 1 and names[0].casefold() in prefixes and not self.object.parent(names[0]):
            names = names[1:]
        here = self.object
        steps: list[Step] = []
        for name in names[:-1]:
            reference = here.parent(name)
            target = self.data.schema.target(reference) if reference else None
            if reference is None or target is None:
                raise at_position(
                    "INVALID_FIELD",
                    self.text,
                    path.position,
                    f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
                    "relationship, be sure to append the '__r' after the custom relationship name. Please reference "
                    "your WSDL or the describe call for the appropriate names.",
                )
            steps.append(Step(reference, target, reader(self.data, here, reference)))
            here = target
        if len(steps) > MAX_PARENTS:
            raise at_position(
                "MALFORMED_QUERY",
                self.text,
                path.position,
                f"SOQL relationship depth limit exceeded: {path.text}",
            )
        field = here.field(names[-1])
        if field is None:
            raise at_position(
                "INVALID_FIELD",
                self.text,
                path.position,
                f"No such column '{names[-1]}' on entity '{here.name}'. If you are attempting to use a custom field, "
                "be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe "
                "call for the appropriate names.",
            )
        canonical = [step.reference.relationship or "" for step in steps]
        own: Getter = reader(self.data, here, field)
        get = own
        for step in reversed(steps):
            get = _through(self.data, step.parent_id, get)
        name = ".".join([*canonical, field.name])
        return Operand(name, field.kind, get, own, field, tuple(steps), here.name, path.position)

    def _function(self, function: Function) -> Operand:
        if function.argument is None:
            raise at_position("MALFORMED_QUERY", self.text, function.position, "unexpected token: 'COUNT'")
        inner = self._path(function.argument)
        name = f"{function.name}({inner.name})"
        if function.name == "GROUPING":
            raise at_position(
                "MALFORMED_QUERY", self.text, function.position, "GROUPING needs GROUP BY ROLLUP or GROUP BY CUBE"
            )
        if function.name == "TOLABEL":
            labels = dict(inner.field.choices) if inner.field else {}
            get, own = (_labelled(read, labels) for read in (inner.get, inner.own))
            return Operand(name, "text", get, own, inner.field, inner.steps, inner.entity, function.position)
        if inner.kind not in ("date", "datetime"):
            raise SalesforceError(
                400,
                "MALFORMED_QUERY",
                f"field {inner.name} does not support date function {function.name}",
            )
        compute, kind = _DATE_PARTS[function.name]
        if function.in_user_zone:
            if inner.kind != "datetime":
                raise at_position(
                    "MALFORMED_QUERY",
                    self.text,
                    function.position,
                    f"convertTimezone can not be used with the field {inner.name}, which is no dateTime",
                )
            in_utc, zone = compute, self.clock.zone
            name = f"{function.name}(convertTimezone({inner.name}))"
            compute = lambda moment: in_utc(moment.astimezone(zone))  # noqa: E731 - one of several computations
        get, own = (_date_part(read, compute) for read in (inner.get, inner.own))
        return Operand(name, kind, get, own, None, inner.steps, inner.entity, function.position)


def _labelled(get: Getter, labels: Mapping[str, str]) -> Getter:
    return lambda row: labels.get(value := get(row), value)


def reader(data: Rows, owner: Object, field: Field) -> Getter:
    """How to read a field from a row of its object."""
    name = field.name
    if field.kind == "compound":
        return _compound(name, [part.name for part in owner.parts(name)])
    if owner.name == "Name" and name == "Type":
        return lambda row: (found := data.schema.by_prefix(row["Id"])) and found.name
    if compute := VIRTUAL.get(owner.name, {}).get(name):
        find = data.row
        return lambda row: compute(find, row)
    return lambda row: row.get(name)


def _through(data: Rows, parent_id: Getter, read: Getter) -> Getter:
    def get(row: Row) -> Any:
        found = parent_id(row)
        parent = data.row(found) if found else None
        return None if parent is None else read(parent)

    return get


def _compound(name: str, parts: list[str]) -> Getter:
    prefix = name.removesuffix("Address")

    def get(row: Row) -> Any:
        values = {part[len(prefix) :][:1].lower() + part[len(prefix) :][1:]: row.get(part) for part in parts}
        return values if any(value is not None for value in values.values()) else None

    return get


def _date_part(get: Getter, compute: Callable[[datetime], Any]) -> Getter:
    def read(row: Row) -> Any:
        value = get(row)
        if value is None:
            return None
        if isinstance(value, datetime):
            return compute(value)  # SOQL date functions count in UTC unless convertTimezone() is used
        return compute(datetime(value.year, value.month, value.day))

    return read


def _week_in_year(moment: datetime) -> int:
    return (moment.timetuple().tm_yday - 1) // 7 + 1


_DATE_PARTS: dict[str, tuple[Callable[[datetime], Any], Kind]] = {
    "CALENDAR_MONTH": (lambda m: m.month, "number"),
    "CALENDAR_QUARTER": (lambda m: (m.month + 2) // 3, "number"),
    "CALENDAR_YEAR": (lambda m: m.year, "number"),
    "DAY_IN_MONTH": (lambda m: m.day, "number"),
    "DAY_IN_WEEK": (lambda m: m.isoweekday() % 7 + 1, "number"),  # Sunday is 1
    "DAY_IN_YEAR": (lambda m: m.timetuple().tm_yday, "number"),
    "DAY_ONLY": (lambda m: m.date(), "date"),
    "FISCAL_MONTH": (lambda m: m.month, "number"),
    "FISCAL_QUARTER": (lambda m: (m.month + 2) // 3, "number"),
    "FISCAL_YEAR": (lambda m: m.year, "number"),
    "HOUR_IN_DAY": (lambda m: m.hour, "number"),
    "WEEK_IN_MONTH": (lambda m: (m.day - 1) // 7 + 1, "number"),
    "WEEK_IN_YEAR": (_week_in_year, "number"),
}

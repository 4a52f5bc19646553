"""What a write would do to each record: add, update, leave, or refuse. Reads only; preview and apply share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from integrator_drivers import Record, Rejected
from integrator_drivers.errors import ValidationError

from . import faults, reading
from .connection import Connection
from .shapes import Shapes
from .values import UnfitValueError, encoded, matching_key, same

__all__ = ["Operation", "Plan", "Planner", "Step"]

Operation = Literal["insert", "update", "upsert"]


@dataclass(frozen=True)
class Step:
    """One record to send: `body` in Salesforce's JSON, with Id where the record exists."""

    record: Record
    body: dict[str, Any]
    exists: bool


@dataclass
class Plan:
    """What is to be done with some records."""

    steps: list[Step] = field(default_factory=list)
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)

    @property
    def additions(self) -> int:
        """Steps that add a record."""
        return sum(not step.exists for step in self.steps)


class Planner:
    """Plans writes of one object by one key. Remembers the keys it saw: the first record with a key counts."""

    def __init__(self, connection: Connection, shapes: Shapes, obj: str, operation: Operation, key: str) -> None:
        self.name = shapes.name(obj)
        self._connection = connection
        self._shapes = shapes
        self._operation = operation
        self._raw: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in shapes.describe(obj)["fields"]}
        self._spelled: dict[str, str] = {name.casefold(): name for name in self._raw}
        self._parents = [
            name
            for name, raw in self._raw.items()
            if raw["type"] == "reference" and name not in ("OwnerId", "RecordTypeId")
        ]
        self.key = self._column(key) if key else ""
        self._checked: set[str] = set()
        self._seen: set[Any] = set()

    @property
    def by_external_id(self) -> bool:
        """Can Salesforce itself upsert by this key?"""
        return bool(self.key) and bool(self._raw[self.key].get("externalId"))

    def parents(self, step: Step) -> tuple[str, ...]:
        """Ids of the records that this one belongs to, in a fixed order."""
        return tuple(str(step.body.get(name) or "") for name in self._parents)

    def plan(self, records: Sequence[Record]) -> Plan:
        """Compare these records with Salesforce and decide. Raises FieldNotFoundError, ValidationError for columns."""
        plan = Plan()
        bodies: list[tuple[Record, dict[str, Any]]] = []
        for record in records:
            columns = {self._column(name): value for name, value in record.items()}
            self._check(columns)
            try:
                body = {name: encoded(value, self._raw[name]) for name, value in columns.items()}
                self._claim(body)
            except UnfitValueError as exc:
                plan.rejected.append(Rejected(record, str(exc)))
            else:
                bodies.append((record, body))
        known = self._known([body for _, body in bodies]) if self.key else {}
        for record, body in bodies:
            self._decide(plan, record, body, known)
        return plan

    def _decide(self, plan: Plan, record: Record, body: dict[str, Any], known: Mapping[Any, list[Record]]) -> None:
        found = known.get(matching_key(body[self.key], self._raw[self.key]), []) if self.key else []
        if len(found) > 1:
            many = f"{len(found)} {self.name} records have the same {self.key}; it is not clear which one is meant"
            plan.rejected.append(Rejected(record, many))
        elif found:
            self._compare(plan, record, body, found[0])
        elif self._operation == "update" or self.key == "Id":
            plan.rejected.append(Rejected(record, f"there is no {self.name} with this {self.key}"))
        elif lacking := self._lacking(body):
            plan.rejected.append(Rejected(record, f"{' and '.join(lacking)} must not be empty in a new {self.name}"))
        else:
            plan.steps.append(Step(record, {k: v for k, v in body.items() if v is not None}, exists=False))

    def _compare(self, plan: Plan, record: Record, body: dict[str, Any], old: Record) -> None:
        changed = {}
        for name, value in body.items():
            raw = self._raw[name]
            before = encoded(old[name], raw) if raw["type"] in ("date", "datetime") else old[name]
            if name not in (self.key, "Id") and not same(before, value, raw):
                changed[name] = value
                plan.differences.append({"key": body[self.key], "column": name, "old": before, "new": value})
        if changed:
            plan.steps.append(Step(record, {**changed, "Id": old["Id"]}, exists=True))
        else:
            plan.unchanged += 1

    def _known(self, bodies: list[dict[str, Any]]) -> dict[Any, list[Record]]:
        """Records in Salesforce by the key, each with the columns that are to be written."""
        values = [body[self.key] for body in bodies]
        wanted = dict.fromkeys(["Id", self.key, *(name for body in bodies for name in body)])
        question = reading.plan(self._shapes, self.name, list(wanted), [(self.key, "in", values)])
        known: dict[Any, list[Record]] = {}
        for row in reading.rows_of(self._connection, question):
            known.setdefault(matching_key(row[self.key], self._raw[self.key]), []).append(row)
        return known

    def _claim(self, body: dict[str, Any]) -> None:
        """Each key once per run, and never empty."""
        if not self.key:
            return
        if body.get(self.key) is None:
            raise UnfitValueError(f"no value in the key {self.key}")
        value = matching_key(body[self.key], self._raw[self.key])
        if value in self._seen:
            raise UnfitValueError(f"a record with the same {self.key} came before in this run")
        self._seen.add(value)

    def _check(self, columns: Iterable[str]) -> None:
        """Columns must be ones that this user may write."""
        for name in columns:
            if name in self._checked:
                continue
            raw = self._raw[name]
            adds, changes = bool(raw.get("createable")), bool(raw.get("updateable"))
            allowed = {"insert": adds, "update": changes, "upsert": adds or changes}[self._operation]
            if not allowed and name != self.key:
                raise ValidationError(
                    f"{self.name}.{name} can't be written: Salesforce fills it in, or this user may only read it. "
                    "Leave it out."
                )
            self._checked.add(name)

    def _lacking(self, body: Mapping[str, Any]) -> list[str]:
        """Required fields without a value."""
        return [
            name
            for name, raw in self._raw.items()
            if raw.get("createable")
            and not raw.get("nillable", True)
            and not raw.get("defaultedOnCreate")
            and raw["type"] != "boolean"
            and body.get(name) is None
        ]

    def _column(self, name: str) -> str:
        spelled = self._spelled.get(name.casefold())
        if spelled is None:
            raise faults.field_not_found(self.name, name, self._raw)
        return spelled

"""What a write would do to each record: add, update, leave, or refuse. Reads only; preview and apply share it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from integrator_drivers import Record, Rejected
from integrator_drivers.errors import ValidationError

from . import faults, lookups
from .connection import Connection
from .fields import is_unique, is_writable
from .shapes import Shapes
from .values import UnfitValueError, encoded, matching_key, same

__all__ = ["Operation", "Plan", "Planner", "Step"]

Operation = Literal["insert", "update", "upsert"]
NEEDED = {  # a new record needs one of these
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
    "deals": ("dealname",),
    "tickets": ("subject",),
}
LIFECYCLE = "lifecyclestage"


@dataclass(frozen=True)
class Step:
    """One record to send: its properties as text, and the id where the record exists."""

    record: Record
    properties: dict[str, str]
    id: str = ""
    differences: tuple[dict[str, Any], ...] = ()  # key, column, old, new


@dataclass
class Plan:
    """What is to be done with some records."""

    steps: list[Step] = field(default_factory=list)
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def differences(self) -> list[dict[str, Any]]:
        """What changes in known records."""
        return [entry for step in self.steps for entry in step.differences]

    @property
    def additions(self) -> int:
        """Steps that add a record."""
        return sum(not step.id for step in self.steps)


class Planner:
    """Plans writes of one object by one key. Remembers the keys it saw: the first record with a key counts."""

    def __init__(self, connection: Connection, shapes: Shapes, obj: str, operation: Operation, key: str) -> None:
        self.kind = shapes.kind(obj)
        if self.kind.is_table:
            raise ValidationError(f"{self.kind.name} can only be read; HubSpot changes it through its own settings.")
        self.name = self.kind.name
        self._connection = connection
        self._shapes = shapes
        self._operation = operation
        self._raw: dict[str, dict[str, Any]] = {raw["name"]: raw for raw in shapes.properties(self.name)}
        self._spelled = {name.casefold(): name for name in self._raw} | {"id": "id", "hs_object_id": "id"}
        self.key = self._column(key) if key else ""
        self.keyed_by = lookups.keyed_by(shapes, self.name, self.key) if self.key else ""
        self._same = lookups.normal(shapes, self.name, self.key) if self.key else str
        self._unique = [name for name, raw in self._raw.items() if is_unique(raw, self.name)]
        self._checked: set[str] = set()
        self._seen: set[tuple[str, str]] = set()

    def plan(self, records: Sequence[Record]) -> Plan:
        """Compare these records with HubSpot and decide. Raises FieldNotFoundError, ValidationError for columns."""
        plan = Plan()
        bodies: list[tuple[Record, dict[str, str]]] = []
        for record in records:
            columns = {self._column(name): value for name, value in record.items()}
            self._check(columns)
            try:
                body = {name: self._encoded(name, value) for name, value in columns.items()}
                self._claim(body)
            except UnfitValueError as exc:
                plan.rejected.append(Rejected(record, str(exc)))
            else:
                bodies.append((record, body))
        known = self._known([body for _, body in bodies])
        for record, body in bodies:
            self._decide(plan, record, body, known)
        self._drop_conflicts(plan)
        return plan

    def _decide(
        self, plan: Plan, record: Record, body: dict[str, str], known: Mapping[str, list[dict[str, Any]]]
    ) -> None:
        found = known.get(self._same(body[self.key]), []) if self.key else []
        if len(found) > 1:
            many = f"{len(found)} {self.name} have the same {self.key}; it is not clear which one is meant"
            plan.rejected.append(Rejected(record, many))
        elif found:
            self._compare(plan, record, body, found[0])
        elif self._operation == "update" or self.key == "id":
            plan.rejected.append(Rejected(record, f"there is no record of {self.name} with this {self.key}"))
        elif lacking := self._lacking(body):
            plan.rejected.append(Rejected(record, lacking))
        else:
            plan.steps.append(Step(record, {name: text for name, text in body.items() if text and name != "id"}))

    def _compare(self, plan: Plan, record: Record, body: dict[str, str], old: dict[str, Any]) -> None:
        changed: dict[str, str] = {}
        differences = []
        for name, text in body.items():
            if name in ("id", self.key) or same(old["properties"].get(name), text, self._raw[name]):
                continue
            if name == LIFECYCLE and self._is_backwards(old["properties"].get(name), text):
                continue
            changed[name] = text
            before = old["properties"].get(name) or None
            differences.append({"key": body[self.key], "column": name, "old": before, "new": text or None})
        if changed:
            plan.steps.append(Step(record, changed, str(old["id"]), tuple(differences)))
        else:
            plan.unchanged += 1

    def _is_backwards(self, old: str | None, new: str) -> bool:
        """HubSpot keeps a life cycle stage that is further along, and says nothing."""
        order = [option["value"] for option in self._raw[LIFECYCLE].get("options") or ()]
        return bool(new) and old in order and new in order and order.index(new) < order.index(old)

    def _known(self, bodies: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
        """Records in HubSpot by the key, each with the properties that are to be written."""
        if not self.key:
            return {}
        wanted = list(dict.fromkeys(name for body in bodies for name in body if name != "id"))
        values = [body[self.key] for body in bodies]
        return lookups.find(self._connection, self._shapes, self.name, self.key, values, wanted)

    def _claim(self, body: dict[str, str]) -> None:
        """Each key once per run, and never empty."""
        if not self.key:
            return
        if not body.get(self.key, "").strip():
            raise UnfitValueError(f"no value in the key {self.key}")
        value = (self.key, self._same(body[self.key]))
        if value in self._seen:
            raise UnfitValueError(f"a record with the same {self.key} came before in this run; the first one counts")
        self._seen.add(value)

    def _drop_conflicts(self, plan: Plan) -> None:
        """Reject what would take a unique value, other than the key, that another record holds."""
        for name in self._unique:
            given = [step.properties[name] for step in plan.steps if name != self.key and step.properties.get(name)]
            if not given:
                continue
            holders = lookups.find(self._connection, self._shapes, self.name, name, given, [name])
            kept = []
            for step in plan.steps:
                value = matching_key(step.properties.get(name, ""), name)
                others = [str(raw["id"]) for raw in holders.get(value, ()) if str(raw["id"]) != step.id]
                if value and others:
                    reason = f"another record of {self.name} ({others[0]}) has this {name} already"
                    plan.rejected.append(Rejected(step.record, reason))
                elif value and (name, value) in self._seen:
                    reason = f"a record with the same {name} came before in this run; the first one counts"
                    plan.rejected.append(Rejected(step.record, reason))
                else:
                    kept.append(step)
                    if value:
                        self._seen.add((name, value))
            plan.steps = kept

    def _encoded(self, name: str, value: Any) -> str:
        if name == "id":
            text = "" if value is None else str(value).strip()
            if text and not text.isdigit():
                raise UnfitValueError(f'id "{text[:40]}" is no HubSpot record id')
            return text
        text = encoded(value, self._raw[name])
        return text.strip() if name == self.key else text

    def _check(self, columns: Iterable[str]) -> None:
        """Columns must be ones that can be written."""
        for name in columns:
            if name in self._checked:
                continue
            if name == "id" and self.key != "id":
                raise ValidationError(f"{self.name}.id is given by HubSpot. Leave it out, or make it the key.")
            if name not in ("id", self.key) and not is_writable(self._raw[name]):
                raise ValidationError(
                    f"{self.name}.{name} can't be written: HubSpot fills it in or keeps it read-only. Leave it out."
                )
            self._checked.add(name)

    def _lacking(self, body: Mapping[str, str]) -> str:
        """Why a new record can't be made of these properties; "" where it can."""
        needed = NEEDED.get(self.name, ())
        if needed and not any(body.get(name) for name in needed):
            return f"a new record of {self.name} needs {' or '.join(needed)}"
        lacking = [name for name in self.kind.required if not body.get(name)]
        return f"{' and '.join(lacking)} must not be empty in a new record of {self.name}" if lacking else ""

    def _column(self, name: str) -> str:
        spelled = self._spelled.get(str(name).casefold())
        if spelled is None:
            raise faults.field_not_found(self.name, str(name), ["id", *self._raw])
        return spelled

"""What objects and fields there are, asked live; a `Shapes` lives as long as one question, so nothing goes stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrator_drivers import Field
from integrator_drivers.errors import ForbiddenError, ObjectNotFoundError, ValidationError

from . import faults, tables
from .connection import Connection
from .fields import ID, RECORD_ID, fields_of
from .settings import API_VERSION

__all__ = ["MORE", "STANDARD", "Kind", "Shapes"]

STANDARD = {"contacts": "Contacts", "companies": "Companies", "deals": "Deals", "tickets": "Tickets"}
MORE = {  # standard objects that not every account has or lets a token see: readable by name, not listed
    "products": "Products",
    "line_items": "Line items",
    "quotes": "Quotes",
    "leads": "Leads",
    "calls": "Calls",
    "emails": "E-mails",
    "meetings": "Meetings",
    "notes": "Notes",
    "tasks": "Tasks",
}


@dataclass(frozen=True)
class Kind:
    """One object: its name, and what it is called in paths (custom objects have an id there)."""

    name: str
    path: str
    label: str
    purpose: str = ""
    required: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_table(self) -> bool:
        """Read only, and not through the CRM's own endpoints: owners, pipelines, associations."""
        return self.name in tables.TABLES


class Shapes:
    """Objects and properties that one question touches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._properties: dict[str, list[dict[str, Any]]] = {}
        self._custom: dict[str, Kind] | None = None

    def kinds(self) -> dict[str, Kind]:
        """Every object by name: the standard ones, the custom ones, then those that can only be read."""
        found = {name: Kind(name, name, label) for name, label in STANDARD.items()}
        found |= self._customs()
        found |= {name: Kind(name, name, table.label, table.purpose) for name, table in tables.TABLES.items()}
        return found

    def kind(self, obj: str) -> Kind:
        """The object of that name, without regard to case. Raises ObjectNotFoundError with near matches."""
        name = str(obj)
        for known, label in {**STANDARD, **MORE}.items():
            if name.casefold() == known:
                return Kind(known, known, label)
        for known, table in tables.TABLES.items():
            if name.casefold() == known:
                return Kind(known, known, table.label, table.purpose)
        customs = self._customs()
        for custom in customs.values():
            ids = (custom.name, custom.path, custom.facts.get("fullyQualifiedName") or custom.name)
            if name.casefold() in {known.casefold() for known in ids}:
                return custom
        raise faults.object_not_found(name, [*self.kinds(), *MORE])

    def properties(self, obj: str) -> list[dict[str, Any]]:
        """HubSpot's own description of each property."""
        kind = self.kind(obj)
        if kind.name not in self._properties:
            try:
                answer = self._connection.get(f"/crm/properties/{API_VERSION}/{kind.path}")
            except ObjectNotFoundError as exc:
                raise faults.object_not_found(str(obj), self.kinds()) from exc
            self._properties[kind.name] = [raw for raw in answer["results"] if not raw.get("archived")]
        return self._properties[kind.name]

    def fields(self, obj: str) -> dict[str, Field]:
        """All fields of one object."""
        kind = self.kind(obj)
        if kind.is_table:
            return tables.TABLES[kind.name].fields()
        return fields_of(self.properties(kind.name), kind.name)

    def column(self, obj: str, name: str) -> tuple[str, Field]:
        """A field as HubSpot spells it. Raises FieldNotFoundError with near matches."""
        fields = self.fields(obj)
        spelled = {known.casefold(): known for known in fields}.get(str(name).casefold())
        if spelled is None and name == RECORD_ID and not self.kind(obj).is_table:
            return "id", ID
        if spelled is None:
            raise faults.field_not_found(self.kind(obj).name, str(name), fields)
        return spelled, fields[spelled]

    def columns(self, obj: str, names: Sequence[str] | None) -> dict[str, tuple[str, Field]]:
        """Columns by the name they were asked with; None means all."""
        if names is None:
            return {name: (name, entry) for name, entry in self.fields(obj).items()}
        if isinstance(names, str):
            raise ValidationError(f'fields is a list of names, such as ["{names}"].')
        if not names:
            raise ValidationError(f"Reading {self.kind(obj).name} needs at least one field.")
        return {name: self.column(obj, name) for name in names}

    def _customs(self) -> dict[str, Kind]:
        """Custom objects; none where the token may not see their schemas."""
        if self._custom is None:
            try:
                answer = self._connection.get(f"/crm-object-schemas/{API_VERSION}/schemas")
            except (ForbiddenError, ObjectNotFoundError):
                answer = {"results": []}
            self._custom = {raw["name"]: _custom(raw) for raw in answer["results"] if not raw.get("archived")}
        return self._custom


def _custom(raw: dict[str, Any]) -> Kind:
    labels = raw.get("labels") or {}
    return Kind(
        raw["name"],
        str(raw.get("objectTypeId") or raw.get("fullyQualifiedName") or raw["name"]),
        str(labels.get("plural") or labels.get("singular") or raw["name"]),
        str(raw.get("description") or "Custom object of this account"),
        tuple(raw.get("requiredProperties") or ()),
        raw,
    )

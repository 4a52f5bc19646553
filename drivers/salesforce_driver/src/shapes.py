"""What objects and fields there are, asked live; a `Shapes` lives as long as one question, so nothing goes stale."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from integrator_drivers import Field
from integrator_drivers.errors import FieldNotFoundError, ObjectNotFoundError, ValidationError

from . import faults
from .connection import Connection
from .fields import fields_of

__all__ = ["Shapes", "global_describe"]

NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def global_describe(connection: Connection) -> list[dict[str, Any]]:
    """One entry per object that can be queried."""
    entries: list[dict[str, Any]] = connection.call("GET", "sobjects")["sobjects"]
    return [entry for entry in entries if entry.get("queryable") and not entry.get("deprecatedAndHidden")]


class Shapes:
    """Describes of the objects that one question touches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._describes: dict[str, dict[str, Any]] = {}

    def describe(self, obj: str) -> dict[str, Any]:
        """The describe of one object. Raises ObjectNotFoundError with near matches."""
        if obj not in self._describes:
            try:
                if not NAME.fullmatch(str(obj)):
                    raise ObjectNotFoundError(obj)
                self._describes[obj] = self._connection.call("GET", f"sobjects/{obj}/describe")
            except ObjectNotFoundError as exc:
                known = [entry["name"] for entry in global_describe(self._connection)]
                raise faults.object_not_found(str(obj), known) from exc
        return self._describes[obj]

    def name(self, obj: str) -> str:
        """The object's name as Salesforce spells it."""
        return str(self.describe(obj)["name"])

    def fields(self, obj: str) -> dict[str, Field]:
        """All fields of one object."""
        return fields_of(self.describe(obj))

    def column(self, obj: str, path: str) -> tuple[str, Field]:
        """The field at `Email` or `Campaign.Name`, and the path as Salesforce spells it.

        Raises FieldNotFoundError with near matches.
        """
        head, _, rest = path.partition(".")
        if not rest:
            fields = self.fields(obj)
            spelled = {name.casefold(): name for name in fields}.get(head.casefold())
            if spelled is None:
                raise self._no_field(obj, head, fields)
            return spelled, fields[spelled]
        relations = self.relations(obj)
        relation = {name.casefold(): name for name in relations}.get(head.casefold())
        if relation is None:
            raise faults.field_not_found(self.name(obj), path, [*relations, *self.fields(obj)])
        return self._through(relation, relations[relation], rest)

    def _no_field(self, obj: str, name: str, fields: Iterable[str]) -> FieldNotFoundError:
        """No such field; where it is a parent, which of its fields one may have meant."""
        relations = {relation.casefold(): relation for relation in self.relations(obj)}
        relation = relations.get(name.rstrip(".").casefold())
        if relation is None:
            return faults.field_not_found(self.name(obj), name, [*fields, *relations.values()])
        near = [f"{relation}.Name", *(field for field in fields if field.casefold() == f"{relation}id".casefold())]
        return FieldNotFoundError(
            f"{self.name(obj)}.{relation} is a record of its own; name a field of it, such as {' or '.join(near)}.",
            near,
        )

    def columns(self, obj: str, fields: Iterable[str] | None) -> dict[str, tuple[str, Field]]:
        """Columns by the name they were asked with; None means all that are neither compound nor binary."""
        if fields is None:
            every = self.fields(obj).items()
            return {name: (name, field) for name, field in every if field["type"] not in ("json", "binary")}
        if isinstance(fields, str):
            raise ValidationError(f'fields is a list of names, such as ["{fields}"].')
        return {name: self.column(obj, name) for name in fields}

    def parts(self, obj: str, compound: str) -> dict[str, tuple[str, Field]]:
        """What a compound value is made of: key in the value -> (field name, field). Empty where that is not known."""
        prefix = (
            compound.removesuffix("Address") if compound.endswith("Address") else compound.removesuffix("__c") + "__"
        )
        found = {}
        for name, field in self.fields(obj).items():
            if field.get("compound") == compound and name != compound and name.startswith(prefix):
                key = name.removeprefix(prefix).removesuffix("__s")
                found[key[:1].lower() + key[1:]] = (name, field)
        return found

    def relations(self, obj: str) -> dict[str, list[str]]:
        """Parent relationships: Campaign -> [Campaign], Owner -> [Group, User]."""
        return {
            field["relationshipName"]: field["referenceTo"]
            for field in self.describe(obj)["fields"]
            if field.get("relationshipName")
        }

    def _through(self, relation: str, targets: list[str], rest: str) -> tuple[str, Field]:
        """The first parent object that has the field; a user comes before a queue."""
        problem: Exception | None = None
        for target in sorted(targets, key=lambda name: name != "User"):
            try:
                path, field = self.column(target, rest)
            except LookupError as exc:
                problem = problem or exc
            else:
                return f"{relation}.{path}", {**field, "nullable": True, "writable": False}
        raise problem or faults.object_not_found(relation)

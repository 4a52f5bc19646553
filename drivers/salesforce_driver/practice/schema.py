"""The objects of the practice org and their fields, and what `describe` says about them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal

__all__ = ["FIELD_DEFAULTS", "Child", "Field", "Kind", "Object", "Schema", "load"]

# Every key of a recorded field, `name` and `label` aside; describe.json keeps a key where its value differs from this.
FIELD_DEFAULTS: dict[str, Any] = {
    "aggregatable": True,
    "aiPredictionField": False,
    "autoNumber": False,
    "byteLength": 0,
    "calculated": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "caseSensitive": False,
    "compoundFieldName": None,
    "controllerName": None,
    "createable": False,
    "custom": False,
    "defaultValue": None,
    "defaultValueFormula": None,
    "defaultedOnCreate": False,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "digits": 0,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "externalId": False,
    "extraTypeInfo": None,
    "filterable": True,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "groupable": True,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "idLookup": False,
    "inlineHelpText": None,
    "length": 0,
    "mask": None,
    "maskType": None,
    "nameField": False,
    "namePointing": False,
    "nillable": True,
    "permissionable": True,
    "picklistValues": [],
    "polymorphicForeignKey": False,
    "precision": 0,
    "queryByDistance": False,
    "referenceTargetField": None,
    "referenceTo": [],
    "relationshipName": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "restrictedPicklist": False,
    "scale": 0,
    "searchPrefilterable": False,
    "soapType": "xsd:string",
    "sortable": True,
    "type": "string",
    "unique": False,
    "updateable": False,
    "writeRequiresMasterRead": False,
}

Kind = Literal["text", "number", "boolean", "date", "datetime", "id", "compound"]
_KINDS: dict[str, Kind] = {
    "int": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "id": "id",
    "reference": "id",
    "address": "compound",
}


@dataclass(frozen=True)
class Field:
    """One field: every key of a describe in `facts`."""

    facts: dict[str, Any]

    @cached_property
    def name(self) -> str:
        return str(self.facts["name"])

    @cached_property
    def label(self) -> str:
        return str(self.facts["label"])

    @cached_property
    def type(self) -> str:
        """Salesforce's own type: picklist, currency, reference ..."""
        return str(self.facts["type"])

    @cached_property
    def kind(self) -> Kind:
        """What kind of value it holds."""
        return _KINDS.get(self.type, "text")

    @cached_property
    def relationship(self) -> str | None:
        """The name that leads to the parent record: Owner of OwnerId."""
        return self.facts["relationshipName"] if self.type == "reference" else None

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Objects a reference can point to."""
        return tuple(self.facts["referenceTo"])

    @cached_property
    def choices(self) -> list[tuple[str, str]]:
        """(value, label) of the active choices in their order."""
        return [(choice["value"], choice["label"]) for choice in self.facts["picklistValues"] if choice["active"]]


@dataclass(frozen=True)
class Child:
    """A child relationship: the object, its reference field, and the name (None: can't be queried)."""

    object: str
    field: str
    relationship: str | None
    cascade: bool


@dataclass(frozen=True)
class Object:
    """One sObject."""

    name: str
    facts: dict[str, Any]
    fields: dict[str, Field]
    children: tuple[Child, ...]
    hidden: set[str] = field(default_factory=set)  # fields that field-level security hides from the user

    @cached_property
    def _names(self) -> dict[str, str]:
        return {name.casefold(): name for name in self.fields}

    @cached_property
    def _parents(self) -> dict[str, Field]:
        return {f.relationship.casefold(): f for f in self.fields.values() if f.relationship}

    def field(self, name: str) -> Field | None:
        """The field of that name, in any case, that the user can see."""
        found = self.fields.get(self._names.get(name.casefold(), ""))
        return None if found is None or found.name in self.hidden else found

    def visible(self) -> list[Field]:
        """Fields the user can see, in describe order."""
        return [f for f in self.fields.values() if f.name not in self.hidden]

    def parent(self, relationship: str) -> Field | None:
        """The reference field whose relationship has that name, in any case."""
        found = self._parents.get(relationship.casefold())
        return None if found is None or found.name in self.hidden else found

    def child(self, relationship: str) -> Child | None:
        """The child relationship of that name, in any case."""
        key = relationship.casefold()
        return next((c for c in self.children if c.relationship and c.relationship.casefold() == key), None)

    def parts(self, compound: str) -> list[Field]:
        """The fields a compound field such as Address is made of."""
        return [f for f in self.visible() if f.facts["compoundFieldName"] == compound and f.name != compound]

    def describe(self, base: str) -> dict[str, Any]:
        """The answer of /sobjects/NAME/describe; `base` is /services/data/vNN.0."""
        return {
            **self.summary(base),
            "fields": [f.facts for f in self.visible()],
            "childRelationships": [
                {
                    "cascadeDelete": child.cascade,
                    "childSObject": child.object,
                    "deprecatedAndHidden": False,
                    "field": child.field,
                    "junctionIdListNames": [],
                    "junctionReferenceTo": [],
                    "relationshipName": child.relationship,
                    "restrictedDelete": False,
                }
                for child in self.children
            ],
            "recordTypeInfos": [],
            "namedLayoutInfos": [],
            "supportedScopes": [],
            "actionOverrides": [],
            "sobjectDescribeOption": "FULL",
        }

    def summary(self, base: str) -> dict[str, Any]:
        """This object's line in the global describe."""
        path = f"{base}/sobjects/{self.name}"
        return {
            "name": self.name,
            **{key: value for key, value in self.facts.items() if key != "source"},
            "activateable": False,
            "associateEntityType": None,
            "associateParentEntity": None,
            "customSetting": False,
            "deepCloneable": False,
            "deprecatedAndHidden": False,
            "hasSubtypes": False,
            "isInterface": False,
            "isSubtype": False,
            "urls": {"sobject": path, "describe": f"{path}/describe", "rowTemplate": f"{path}/{{ID}}"},
        }


@dataclass(frozen=True)
class Schema:
    """All objects, found by name in any case."""

    objects: dict[str, Object]

    @cached_property
    def _names(self) -> dict[str, str]:
        return {name.casefold(): name for name in self.objects}

    def object(self, name: str) -> Object | None:
        """The object of that name that can be queried, in any case."""
        found = self.objects.get(self._names.get(name.casefold(), ""))
        return found if found and found.facts["queryable"] else None

    def target(self, reference: Field) -> Object | None:
        """What a reference leads to; `Name` where it can lead to several. None when that object isn't here."""
        name = "Name" if len(reference.targets) > 1 else reference.targets[0]
        return self.objects.get(name)

    def by_prefix(self, record_id: str) -> Object | None:
        """The object whose records have ids that start like this one."""
        return next((o for o in self.objects.values() if o.facts["keyPrefix"] == record_id[:3]), None)


CUSTOM_FIELDS: dict[str, list[dict[str, Any]]] = {
    "Lead": [
        {
            "name": "External_Id__c",
            "label": "External ID",
            "custom": True,
            "createable": True,
            "updateable": True,
            "externalId": True,
            "idLookup": True,
            "unique": True,
            "length": 64,
        }
    ],
}


def load() -> Schema:
    """A schema of its own for one org, so that switches on it stay there."""
    objects = {}
    data = _data()
    for name, compact in data.items():
        facts = {key: value for key, value in compact.items() if key not in ("fields", "children")}
        fields = [*_standard_fields(name), *map(_field, CUSTOM_FIELDS.get(name, ()))]
        children = tuple(
            Child(child, key, relationship, cascade)
            for child, key, relationship, cascade in compact["children"]
            if any(one["name"] == key for one in data[child]["fields"])
        )
        objects[name] = Object(name, facts, {one.name: one for one in fields}, children)
    return Schema(objects)


@cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("describe.json").read_text(encoding="utf-8")
    objects: dict[str, Any] = json.loads(text)["objects"]
    return objects


@cache
def _standard_fields(name: str) -> tuple[Field, ...]:
    """Fields are never changed, so all orgs share them."""
    return tuple(_field(one) for one in _data()[name]["fields"])


def _field(compact: dict[str, Any]) -> Field:
    facts = {**FIELD_DEFAULTS, **compact}
    facts["byteLength"] = facts["length"] * (1 if facts["type"] in ("id", "reference") else 3)
    facts["picklistValues"] = list(_choices(facts["picklistValues"]))
    return Field(dict(sorted(facts.items())))


def _choices(compact: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for choice in compact:
        value, label, default, active = [choice, choice, False, True] if isinstance(choice, str) else choice
        yield {"active": active, "defaultValue": default, "label": label, "validFor": None, "value": value}

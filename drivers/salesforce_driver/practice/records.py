"""Insert, update and upsert of single records, with Salesforce's checks in Salesforce's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .derived import defaults, derive
from .errors import SalesforceError, not_found
from .ids import canonical_id
from .org import Org
from .schema import Field, Object
from .values import stored_value

__all__ = ["Records"]


class Records:
    """Writes for one user. Every write is checked whole before anything changes."""

    def __init__(self, org: Org, user: str) -> None:
        self.org = org
        self.user = user

    def insert(self, described: Object, given: Mapping[str, Any]) -> str:
        """The new record's id."""
        if "Id" in given:
            raise SalesforceError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        if not described.facts["createable"]:
            raise _no_operation(described, "create")
        values = self._values(described, given, "createable")
        row = {**defaults(described, self.user), **values}
        missing = [f.name for f in described.fields.values() if _is_required(f) and row.get(f.name) is None]
        if described.name == "CampaignMember" and not (row.get("LeadId") or row.get("ContactId")):
            missing.append("LeadId")
        if missing:
            raise _missing(missing)
        with self.org.lock:
            self._check_unique(described, values, None)
            if described.name == "CampaignMember":
                self._check_member(row)
            self._check_lock("")
            now = self.org.now()
            row |= {"Id": self.org.new_id(described), "IsDeleted": False, "CreatedDate": now, "CreatedById": self.user}
            self._stamp(row)
            derive(described.name, row, values)
            self.org.put(described.name, row)
            if described.name == "CampaignMember":
                self._count_member(row)
        return str(row["Id"])

    def update(self, described: Object, record_id: str, given: Mapping[str, Any]) -> None:
        """Change a record. Raises NOT_FOUND, ENTITY_IS_DELETED and what does not fit."""
        if not described.facts["updateable"]:
            raise _no_operation(described, "update")
        before = self.find(described, record_id)
        values = self._values(described, given, "updateable")
        missing = [name for name, value in values.items() if value is None and _is_required(described.fields[name])]
        if missing:
            raise _missing(missing)
        if before.get("IsConverted"):
            raise SalesforceError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
        with self.org.lock:
            self._check_unique(described, values, before["Id"])
            self._check_lock(before["Id"])
            row = {**before, **values}
            self._stamp(row)
            derive(described.name, row, values)
            self.org.put(described.name, row)

    def delete(self, described: Object, record_id: str) -> None:
        """Into the recycle bin, with the records that go with it. Raises NOT_FOUND, ENTITY_IS_DELETED."""
        if not described.facts["deletable"]:
            raise _no_operation(described, "delete")
        before = self.find(described, record_id)
        with self.org.lock:
            self._check_lock(before["Id"])
            self._discard(described, before)

    def _discard(self, described: Object, before: Mapping[str, Any]) -> None:
        row = {**before, "IsDeleted": True}
        self._stamp(row)
        self.org.put(described.name, row)
        if described.name == "CampaignMember":
            self._count_member(row, -1)
        for child in described.children:
            if not child.cascade:
                continue
            for found in self.org.find(child.object, child.field, before["Id"]):
                self._discard(self.org.schema.objects[child.object], self.org.row(found) or {})

    def upsert(self, described: Object, field: Field, key: Any, given: Mapping[str, Any]) -> tuple[str, bool]:
        """(id, was it created). `field` finds the record; several matches raise a 300 with their addresses."""
        if key is None or key == "":
            if field.name == "Id":
                return self.insert(described, given), True
            raise SalesforceError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [])
        with self.org.lock:
            if field.name == "Id":
                self.update(described, str(key), given)
                return str(canonical_id(str(key))), False
            matches = self.org.find(described.name, field.name, key)
            if len(matches) > 1:
                raise SeveralMatchesError(described.name, matches)
            if matches:
                self.update(described, matches[0], given)
                return matches[0], False
            return self.insert(described, {**given, field.name: key}), True

    def find(self, described: Object, record_id: str) -> dict[str, Any]:
        """The record of that 15- or 18-character id."""
        found = canonical_id(record_id)
        row = self.org.row(found) if found else None
        if row is None or self.org.schema.by_prefix(row["Id"]) is not described:
            raise not_found("Provided external ID field does not exist or is not accessible: " + record_id)
        if row.get("IsDeleted"):
            raise SalesforceError(404, "ENTITY_IS_DELETED", "entity is deleted", [])
        return row

    def key_field(self, described: Object, name: str) -> Field:
        """The field of that name if records can be found by it."""
        field = described.field(name)
        if field is None or not (field.facts["externalId"] or field.facts["idLookup"]):
            raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
        return field

    def _values(self, described: Object, given: Mapping[str, Any], right: str) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        refused = []
        for name, value in given.items():
            if name.lower() in ("attributes", "id"):
                continue
            field = described.field(name)
            if field is None and (reference := described.parent(name)) and (value is None or isinstance(value, dict)):
                field, value = reference, value and self._by_foreign_key(reference, value)
            if field is None:
                raise SalesforceError(
                    400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {described.name}"
                )
            if field.facts[right]:
                fields[field.name] = value
            else:
                refused.append(field.name)
        if refused:
            raise SalesforceError(
                400,
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set.",
                refused,
            )
        values = {name: stored_value(described.fields[name], value) for name, value in fields.items()}
        for name, value in values.items():
            self._check_reference(described.fields[name], value)
        return values

    def _by_foreign_key(self, reference: Field, given: Mapping[str, Any]) -> str:
        """The id of the parent that {"External_Id__c": "C-1"} names."""
        attributes = given.get("attributes")
        kinds = [attributes["type"]] if isinstance(attributes, dict) and "type" in attributes else reference.targets
        pairs = [(name, value) for name, value in given.items() if name != "attributes"]
        for kind in kinds:
            target = self.org.schema.object(str(kind))
            key = target.field(pairs[0][0]) if target and len(pairs) == 1 else None
            if target is None or key is None or not (key.facts["externalId"] or key.facts["idLookup"]):
                continue
            value = pairs[0][1]
            found = self.org.find(target.name, key.name, canonical_id(str(value)) if key.name == "Id" else value)
            if len(found) == 1:
                return found[0]
            problem = "not found" if not found else "found more than once"
            raise SalesforceError(
                400,
                "INVALID_FIELD",
                f"Foreign key external ID: {value} {problem} for field {key.name} in entity {target.name}",
            )
        raise SalesforceError(
            400,
            "INVALID_FIELD",
            f"The relationship {reference.relationship} needs exactly one external id field of its object",
        )

    def _check_reference(self, field: Field, value: Any) -> None:
        if field.kind != "id" or value is None:
            return
        target = self.org.schema.by_prefix(value)
        if target is not None and target.name not in field.targets:
            raise SalesforceError(
                400, "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {value}", [field.name]
            )
        row = self.org.row(value)
        if row is None or row.get("IsDeleted"):
            raise SalesforceError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])

    def _check_unique(self, described: Object, values: Mapping[str, Any], own: str | None) -> None:
        for name, value in values.items():
            if value is None or not described.fields[name].facts["unique"]:
                continue
            for other in self.org.find(described.name, name, value):
                if other != own:
                    raise SalesforceError(
                        400,
                        "DUPLICATE_VALUE",
                        f"duplicate value found: {name} duplicates value on record with id: {other[:15]}",
                        [],
                    )

    def _check_member(self, row: Mapping[str, Any]) -> None:
        """A person is in a campaign once."""
        for name in ("LeadId", "ContactId"):
            known = self.org.find("CampaignMember", name, row[name]) if row.get(name) else []
            if any((self.org.row(one) or {}).get("CampaignId") == row["CampaignId"] for one in known):
                raise SalesforceError(400, "DUPLICATE_VALUE", "Already a campaign member.", [])

    def _count_member(self, member: Mapping[str, Any], by: int = 1) -> None:
        """A campaign counts its members itself."""
        campaign = dict(self.org.row(member["CampaignId"]) or {})
        campaign["NumberOfLeads" if member.get("LeadId") else "NumberOfContacts"] += by
        campaign["NumberOfResponses"] += by * member["HasResponded"]
        self.org.put("Campaign", campaign)

    def _check_lock(self, record_id: str) -> None:
        if self.org.locked_writes > 0:
            self.org.locked_writes -= 1
            raise SalesforceError(
                400,
                "UNABLE_TO_LOCK_ROW",
                f"unable to obtain exclusive access to this record or 1 records: {record_id}",
                [],
            )

    def _stamp(self, row: dict[str, Any]) -> None:
        now = self.org.now()
        row |= {"LastModifiedDate": now, "LastModifiedById": self.user, "SystemModstamp": now}


class SeveralMatchesError(SalesforceError):
    """An upsert key that several records have."""

    def __init__(self, name: str, ids: list[str]) -> None:
        super().__init__(
            300,
            "DUPLICATE_EXTERNAL_ID",
            f"More than one record found for external id field: [{', '.join(ids)}]",
            [],
        )
        self.object = name
        self.ids = ids


def _is_required(field: Field) -> bool:
    facts = field.facts
    return bool(facts["createable"] and not facts["nillable"] and not facts["defaultedOnCreate"])


def _missing(names: list[str]) -> SalesforceError:
    return SalesforceError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names)


def _no_operation(described: Object, verb: str) -> SalesforceError:
    return SalesforceError(
        400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {described.name} does not support {verb}", []
    )

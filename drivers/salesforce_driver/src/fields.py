"""Salesforce's describe of a field, in the words every driver shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator_drivers import Field
from integrator_drivers.protocols import FieldType

__all__ = ["field_of", "fields_of", "is_personal"]

TYPES: dict[str, FieldType] = {
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "reference": "reference",
    "base64": "binary",
    "address": "json",
    "location": "json",
    "complexvalue": "json",
    "json": "json",
}
PEOPLE = {"Lead", "Contact", "User", "CampaignMember"}
PERSONAL_NAMES = {
    *("Name", "FirstName", "LastName", "MiddleName", "Suffix", "Salutation", "Title"),
    *("Alias", "Birthdate", "CommunityNickname", "Fax", "FirstOrLastName", "PhotoUrl", "Username"),
}
NAMES_ELSEWHERE = {"SuppliedName", "AssistantName", "ReportsToName"}  # people on records about something else
FORMULA = "A formula or roll-up: when only its value changes, SystemModstamp does not move."
ADDRESS_PARTS = ("Street", "City", "PostalCode", "Latitude", "Longitude")


def fields_of(describe: Mapping[str, Any]) -> dict[str, Field]:
    """All fields of one describe, by name, in Salesforce's order."""
    compounds = {field["compoundFieldName"] for field in describe["fields"] if field.get("compoundFieldName")}
    return {field["name"]: field_of(field, describe["name"], compounds) for field in describe["fields"]}


def field_of(raw: Mapping[str, Any], obj: str, compounds: set[str]) -> Field:
    """One field. Types the driver does not know are text, as the API gives them."""
    name, native = raw["name"], raw["type"]
    field: Field = {
        "type": TYPES.get(native, "text"),
        "native_type": native,
        "nullable": bool(raw.get("nillable", True)),
        "label": raw.get("label") or name,
        "writable": bool(raw.get("createable") or raw.get("updateable")),
        "personal": is_personal(obj, raw),
    }
    if help_texts := [text for text in (raw.get("inlineHelpText"), raw.get("calculated") and FORMULA) if text]:
        field["help"] = " ".join(help_texts)
    if native == "id":
        field["primary_key"] = True
    if references := raw.get("referenceTo"):
        field["references"] = list(references)
    if choices := [entry["value"] for entry in raw.get("picklistValues") or () if entry.get("active", True)]:
        field["choices"] = choices
    if field["type"] in ("text", "reference") and raw.get("length"):
        field["length"] = int(raw["length"])
    if raw.get("defaultValue") not in (None, ""):
        field["default"] = str(raw["defaultValue"])
    if compound := raw.get("compoundFieldName"):
        field["compound"] = compound
    elif name in compounds or native in ("address", "location"):
        field["compound"] = name
    return field


def is_personal(obj: str, raw: Mapping[str, Any]) -> bool:
    """Is this about a person? E-mail and phone always; names and addresses where records are people."""
    name, native = raw["name"], raw["type"]
    if native in ("email", "phone") or raw.get("extraTypeInfo") == "personname" or name.startswith("Person"):
        return native not in ("boolean", "reference", "datetime")
    if obj not in PEOPLE:
        return name in NAMES_ELSEWHERE
    return native == "address" or name in PERSONAL_NAMES | NAMES_ELSEWHERE or name.endswith(ADDRESS_PARTS)

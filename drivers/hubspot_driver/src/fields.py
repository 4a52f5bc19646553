"""HubSpot's properties, in the words every driver shares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from integrator_drivers import Field
from integrator_drivers.protocols import FieldType

__all__ = ["ID", "RECORD_ID", "cursor_of", "field_of", "fields_of", "is_boolean", "is_unique", "is_writable"]

RECORD_ID = "hs_object_id"  # the property behind the field `id`
ID: Field = {
    "type": "text",
    "native_type": "id",
    "nullable": False,
    "label": "Record ID",
    "primary_key": True,
    "writable": False,
    "personal": False,
}
TYPES: dict[str, FieldType] = {
    "bool": "boolean",
    "number": "number",
    "date": "date",
    "datetime": "datetime",
    "json": "json",
}
REFERENCES = {  # properties that hold the id of another record
    "associatedcompanyid": "companies",
    "hs_primary_associated_company": "companies",
    "hubspot_owner_id": "owners",
}
STAGES = {"dealstage": "pipeline_stages", "hs_pipeline_stage": "pipeline_stages"}
PIPELINES = {"pipeline": "pipelines", "hs_pipeline": "pipelines"}
PEOPLE = {"contacts", "leads", "users"}
PERSONAL = {
    *("firstname", "lastname", "salutation", "date_of_birth", "gender", "marital_status", "military_status"),
    *("address", "street", "city", "zip", "fax", "twitterhandle", "jobtitle", "hs_full_name_or_email", "ip_city"),
    *("ip_zipcode", "ip_latlon", "hs_ip_timezone", "photo", "hs_linkedin_url", "hs_facebookid", "hs_googleplusid"),
}
EMAIL = re.compile(r"(?:^|_)e?mails?$|email_address")
CURSORS = ("lastmodifieddate", "hs_lastmodifieddate")


def fields_of(properties: Iterable[Mapping[str, Any]], obj: str) -> dict[str, Field]:
    """All fields of one object: `id`, then the properties in HubSpot's order. hs_object_id is `id`."""
    found: dict[str, Field] = {"id": ID.copy()}
    for raw in properties:
        if raw["name"] != RECORD_ID and not raw.get("archived"):
            found[raw["name"]] = field_of(raw, obj)
    return found


def field_of(raw: Mapping[str, Any], obj: str) -> Field:
    """One field. Types the driver does not know are text, as the API gives them."""
    name = raw["name"]
    kind: FieldType = TYPES.get(raw["type"], "text")
    if is_boolean(raw):
        kind = "boolean"
    field: Field = {
        "type": "reference" if name in REFERENCES else kind,
        "native_type": f"{raw['type']}/{raw['fieldType']}" if raw.get("fieldType") else raw["type"],
        "nullable": True,
        "label": raw.get("label") or name,
        "writable": is_writable(raw),
        "personal": _is_personal(raw, obj),
    }
    if target := {**REFERENCES, **STAGES, **PIPELINES}.get(name):
        field["references"] = [target]
    if help_text := str(raw.get("description") or "").strip():
        field["help"] = help_text
    choices = [option["value"] for option in raw.get("options") or () if not option.get("hidden")]
    if choices and kind == "text" and name not in REFERENCES:
        field["choices"] = choices
    return field


def is_boolean(raw: Mapping[str, Any]) -> bool:
    """Yes or no, whether HubSpot calls it bool or an enumeration with one checkbox."""
    return bool(raw["type"] == "bool" or raw.get("fieldType") == "booleancheckbox")


def is_writable(raw: Mapping[str, Any]) -> bool:
    """Can its value be set?"""
    return not raw.get("calculated") and not (raw.get("modificationMetadata") or {}).get("readOnlyValue", False)


def is_unique(raw: Mapping[str, Any], obj: str) -> bool:
    """Can HubSpot itself find a record by this property?"""
    return bool(raw.get("hasUniqueValue")) or (obj == "contacts" and raw["name"] == "email")


def cursor_of(names: Iterable[str]) -> str | None:
    """The property that moves on every change."""
    known = set(names)
    return next((name for name in CURSORS if name in known), None)


def _is_personal(raw: Mapping[str, Any], obj: str) -> bool:
    """Is this about a person? E-mail and phone always; names and addresses where records are people."""
    name, kind = raw["name"], raw["type"]
    if kind in ("bool", "number", "datetime") or is_boolean(raw) or name in REFERENCES:
        return False
    if raw.get("dataSensitivity") in ("sensitive", "highly_sensitive"):
        return True
    if kind == "phone_number" or raw.get("fieldType") == "phonenumber" or "phone" in name:
        return kind in ("string", "phone_number")
    if kind == "string" and EMAIL.search(name):
        return True
    return obj in PEOPLE and name in PERSONAL

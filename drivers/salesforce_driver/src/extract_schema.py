"""Make schema.json from recorded describes: `python -m salesforce_driver.src.extract_schema FOLDER`.

Takes facts only: names, labels, types, lengths, choices and references of standard fields. The purposes are ours. No
recorded describe of Campaign, CampaignMember, User and Task was found: those are written from the public object
reference (the first three beside the practice system) and marked as written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .fields import fields_of

__all__ = ["main", "schema"]

PURPOSES = {
    "Lead": "People who may become customers, before they are qualified",
    "Contact": "People at accounts",
    "Account": "Companies and organisations: customers, partners, competitors",
    "Opportunity": "Deals in progress, won or lost, with amount and stage",
    "Campaign": "Marketing actions: mailings, trade fairs, webinars",
    "CampaignMember": "Which lead or contact was in which campaign, and whether they responded",
    "Case": "Questions and problems of customers",
    "User": "People who log in to Salesforce; owners of records",
    "Task": "To-dos, calls and logged e-mails",
    "Event": "Meetings and other calendar entries",
    "OpportunityContactRole": "Which contact plays which part in a deal",
}
RECORDED = ("Lead", "Contact", "Account", "Opportunity", "Case", "Event", "OpportunityContactRole")
WRITTEN = ("Campaign", "CampaignMember", "User")
Raw = dict[str, Any]


def schema(folder: Path) -> dict[str, Any]:
    """The standard schema: {"objects": {name: {label, purpose, source, fields}}}."""
    describes: dict[str, tuple[str, Mapping[str, Any]]] = {"Task": ("written", TASK)}
    for name in RECORDED:
        describes[name] = ("recorded", json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    describes |= {name: ("written", _from_practice(name)) for name in WRITTEN}
    return {"objects": {name: _object(*describes[name], purpose) for name, purpose in PURPOSES.items()}}


def main(arguments: list[str]) -> int:
    """Write schema.json beside driver.toml."""
    if len(arguments) != 1:
        print("usage: python -m salesforce_driver.src.extract_schema FOLDER", file=sys.stderr)
        return 2
    target = Path(__file__).parent.parent / "schema.json"
    objects = schema(Path(arguments[0]))["objects"]
    lines = []
    for name, described in objects.items():
        fields = ",\n".join(
            f"      {json.dumps(field)}: {json.dumps(facts, ensure_ascii=False)}"
            for field, facts in described.pop("fields").items()
        )
        head = json.dumps(described, ensure_ascii=False)[1:-1]
        lines.append(f'    {json.dumps(name)}: {{{head}, "fields": {{\n{fields}\n    }}}}')
    target.write_text('{\n  "objects": {\n' + ",\n".join(lines) + "\n  }\n}\n", encoding="utf-8")
    return 0


def _object(source: str, describe: Mapping[str, Any], purpose: str) -> dict[str, Any]:
    fields_of_every_org = [f for f in describe["fields"] if not f.get("custom") and "__" not in f["name"]]
    fields = fields_of({**describe, "fields": fields_of_every_org})
    for field in fields.values():
        field.pop("help", None)
    return {"label": describe["label"], "purpose": purpose, "source": source, "fields": fields}


def _from_practice(name: str) -> Mapping[str, Any]:
    from salesforce_driver.practice.schema import load

    described = load().objects[name]
    return {"name": name, "label": described.facts["label"], "fields": [f.facts for f in described.fields.values()]}


def _field(name: str, label: str, kind: str, **more: Any) -> Raw:
    return {"name": name, "label": label, "type": kind, "createable": True, "updateable": True, **more}


def _filled_in(name: str, label: str, kind: str, **more: Any) -> Raw:
    return {"name": name, "label": label, "type": kind, "nillable": False, **more}


def _reference(name: str, label: str, *to: str, **more: Any) -> Raw:
    return {"name": name, "label": label, "type": "reference", "length": 18, "referenceTo": list(to), **more}


WRITABLE = {"createable": True, "updateable": True}
TASK: Mapping[str, Any] = {
    "name": "Task",
    "label": "Task",
    "fields": [
        _filled_in("Id", "Activity ID", "id", length=18),
        _reference("WhoId", "Name ID", "Contact", "Lead", **WRITABLE),
        _reference("WhatId", "Related To ID", "Account", "Opportunity", "Campaign", "Case", **WRITABLE),
        _field("Subject", "Subject", "combobox", length=255),
        _field("ActivityDate", "Due Date Only", "date"),
        _field("Status", "Status", "picklist", nillable=False, length=255),
        _field("Priority", "Priority", "picklist", nillable=False, length=255),
        _filled_in("IsHighPriority", "High Priority", "boolean"),
        _reference("OwnerId", "Assigned To ID", "User", "Group", nillable=False, **WRITABLE),
        _field("Description", "Description", "textarea", length=32000),
        _filled_in("IsDeleted", "Deleted", "boolean"),
        _reference("AccountId", "Account ID", "Account"),
        _filled_in("IsClosed", "Closed", "boolean"),
        _filled_in("CreatedDate", "Created Date", "datetime"),
        _reference("CreatedById", "Created By ID", "User", nillable=False),
        _filled_in("LastModifiedDate", "Last Modified Date", "datetime"),
        _reference("LastModifiedById", "Last Modified By ID", "User", nillable=False),
        _filled_in("SystemModstamp", "System Modstamp", "datetime"),
        _field("CallDurationInSeconds", "Call Duration", "int"),
        _field("CallType", "Call Type", "picklist", length=40),
        _field("TaskSubtype", "Task Subtype", "picklist", length=40),
        _filled_in("CompletedDateTime", "Completed Date/Time", "datetime", nillable=True),
    ],
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

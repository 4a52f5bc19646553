"""Make describe.json from recorded describes: `python -m salesforce_driver.practice.extract_describe FOLDER`.

Takes facts only: names, labels, types, lengths, choices, references and switches. Help texts, custom fields and
everything that belongs to the recorded org (urls, record types) stay out. Campaign, CampaignMember, User, Organization
and Name come from `written.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .schema import FIELD_DEFAULTS
from .written import OBJECTS as WRITTEN

__all__ = ["RECORDED", "main"]

RECORDED = ("Account", "Case", "Contact", "Lead", "Opportunity", "OpportunityContactRole")
OBJECT_KEYS = [
    "label",
    "labelPlural",
    "keyPrefix",
    "custom",
    "createable",
    "updateable",
    "deletable",
    "undeletable",
    "queryable",
    "retrieveable",
    "replicateable",
    "searchable",
    "mergeable",
    "triggerable",
    "feedEnabled",
    "mruEnabled",
    "layoutable",
]


def main(folder: Path, target: Path) -> None:
    """Read FOLDER/Lead.json and the others, write `target`."""
    objects = {name: _compact(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))) for name in RECORDED}
    objects |= WRITTEN
    for described in objects.values():
        described["children"] = sorted(
            (child for child in described["children"] if child[0] in objects), key=lambda child: child[:2]
        )
    text = json.dumps({"objects": dict(sorted(objects.items()))}, ensure_ascii=False, separators=(",", ":"))
    # One field a line keeps differences readable.
    text = text.replace('},{"name":', '},\n{"name":').replace('"fields":[', '"fields":[\n').replace('},"', '},\n"')
    target.write_text(text + "\n", encoding="utf-8")


def _compact(described: dict[str, Any]) -> dict[str, Any]:
    return {
        "source": "recorded",
        **{key: described[key] for key in OBJECT_KEYS},
        "fields": [_field(field) for field in described["fields"] if not field["custom"]],
        "children": [
            [child["childSObject"], child["field"], child["relationshipName"], child["cascadeDelete"]]
            for child in described["childRelationships"]
            if not child["deprecatedAndHidden"]
        ],
    }


def _field(field: dict[str, Any]) -> dict[str, Any]:
    kept = {"name": field["name"], "label": field["label"]}
    for key, default in FIELD_DEFAULTS.items():
        value = field.get(key, default)
        if key == "picklistValues":
            value = [_choice(choice) for choice in value]
        if value != default and key not in (
            "inlineHelpText",
            "filteredLookupInfo",
            "defaultValueFormula",
            "byteLength",
        ):
            kept[key] = value
    return kept


def _choice(choice: dict[str, Any]) -> str | list[Any]:
    """The value alone, or [value, label, is default, is active] where that does not say it all."""
    if choice["label"] == choice["value"] and choice["active"] and not choice["defaultValue"]:
        return str(choice["value"])
    return [choice["value"], choice["label"], choice["defaultValue"], choice["active"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("describe.json"))

"""What Salesforce fills in itself when a record is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator_practice.seeds import STAGES

from .schema import Object

__all__ = ["defaults", "derive"]

_STAGES = {name: (probability, closed, won) for name, probability, closed, won in STAGES}
_STAGES |= {  # the other stages of the recorded choices
    "Needs Analysis": (20, False, False),
    "Value Proposition": (50, False, False),
    "Id. Decision Makers": (60, False, False),
    "Perception Analysis": (70, False, False),
}


def defaults(described: Object, owner: str) -> dict[str, Any]:
    """Values of a new record before what the caller gave."""
    row: dict[str, Any] = {}
    for field in described.fields.values():
        if field.kind == "boolean":
            row[field.name] = bool(field.facts["defaultValue"])
        elif field.facts["defaultValue"] is not None:
            row[field.name] = field.facts["defaultValue"]
        elif preset := next((c["value"] for c in field.facts["picklistValues"] if c["defaultValue"]), None):
            row[field.name] = preset
        elif field.kind == "number" and not field.facts["nillable"]:
            row[field.name] = 0 if field.type == "int" else 0.0
    if "OwnerId" in described.fields:
        row["OwnerId"] = owner
    return row


def derive(name: str, row: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Set the fields that follow from others. `given` = what the caller wrote."""
    if name in ("Lead", "Contact"):
        row["Name"] = " ".join(part for part in (row.get("FirstName"), row.get("LastName")) if part)
    elif name == "CampaignMember":
        row["HasResponded"] = row.get("Status") not in (None, "Sent")
        if row["HasResponded"] and not row.get("FirstRespondedDate"):
            row["FirstRespondedDate"] = row["SystemModstamp"].date()
    elif name == "Opportunity":
        _opportunity(row, given)


def _opportunity(row: dict[str, Any], given: Mapping[str, Any]) -> None:
    probability, closed, won = _STAGES.get(row["StageName"], (0, False, False))
    row["IsClosed"], row["IsWon"] = closed, won
    if "StageName" in given and "Probability" not in given:
        row["Probability"] = float(probability)
    category = "Closed" if won else "Omitted" if closed else "Pipeline"
    row["ForecastCategory"] = row["ForecastCategoryName"] = category
    amount, chance = row.get("Amount"), row.get("Probability")
    row["ExpectedRevenue"] = None if amount is None or chance is None else amount * chance / 100
    closes = row["CloseDate"]
    row["FiscalYear"], row["FiscalQuarter"] = closes.year, (closes.month + 2) // 3
    row["Fiscal"] = f"{closes.year} {row['FiscalQuarter']}"

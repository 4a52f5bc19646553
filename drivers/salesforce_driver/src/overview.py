"""What is in the org: its objects, with counts where they are cheap."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from integrator_drivers import ObjectInfo, registry
from integrator_drivers.errors import DriverError, ForbiddenError, ObjectNotFoundError

from .connection import Connection
from .shapes import Shapes, global_describe

__all__ = ["describe_objects", "objects"]

WELL_KNOWN = (
    *("Lead", "Contact", "Account", "Opportunity", "Campaign", "CampaignMember"),
    *("Case", "User", "Task", "Event", "OpportunityContactRole"),
)
BUDGET = 0.7  # seconds for counting; what was not counted by then stays None


def objects(connection: Connection) -> list[dict[str, Any]]:
    """One describe entry per object that can be queried, the common ones first."""
    rank = {name: position for position, name in enumerate(WELL_KNOWN)}
    return sorted(global_describe(connection), key=lambda entry: (rank.get(entry["name"], len(rank)), entry["name"]))


def describe_objects(connection: Connection) -> list[ObjectInfo]:
    """Objects with label and purpose; records and fields of the common ones, as far as counted in time."""
    entries = objects(connection)
    end = time.monotonic() + BUDGET
    known = [entry["name"] for entry in entries if entry["name"] in WELL_KNOWN]
    records = _records(connection, known, end)
    shapes = Shapes(connection)
    fields: dict[str, int] = {}
    for name in known:
        if time.monotonic() > end:
            break
        fields[name] = len(shapes.describe(name)["fields"])
    standard = registry.standard_schema("salesforce")
    return [
        ObjectInfo(
            entry["name"],
            entry["label"],
            standard.get(entry["name"], {}).get("purpose", ""),
            records.get(entry["name"]),
            fields.get(entry["name"]),
        )
        for entry in entries
    ]


def _records(connection: Connection, names: Sequence[str], end: float) -> dict[str, int]:
    """Record counts: Salesforce's own running count where it is offered, since COUNT() of a big object takes long."""
    try:
        counted = connection.call("GET", "limits/recordCount", params={"sObjects": ",".join(names)})
    except (ForbiddenError, ObjectNotFoundError):
        return _counted(connection, names, end)
    return {entry["name"]: int(entry["count"]) for entry in (counted or {}).get("sObjects", ())}


def _counted(connection: Connection, names: Sequence[str], end: float) -> dict[str, int]:
    found = {}
    for name in names:
        if time.monotonic() > end:
            break
        try:
            found[name] = int(connection.query(f"SELECT COUNT() FROM {name}")["totalSize"])
        except DriverError:
            continue  # this user may list the object but not read it
    return found

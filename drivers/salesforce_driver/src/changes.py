"""Which records changed or went to the recycle bin in a span of time, by Salesforce's own replication calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from integrator_drivers import Field, Record, Records, now
from integrator_drivers.errors import ValidationError

from . import soql
from .connection import Connection
from .rows import moment
from .shapes import Shapes

__all__ = ["changes"]

MINUTE = timedelta(minutes=1)
KEPT = timedelta(days=30)  # Salesforce remembers no longer
FIELDS: dict[str, Field] = {
    "Id": {"type": "reference", "native_type": "id", "nullable": False, "primary_key": True},
    "IsDeleted": {"type": "boolean", "native_type": "boolean", "nullable": False},
    "DeletedDate": {"type": "datetime", "native_type": "datetime", "nullable": True},
}


def changes(connection: Connection, obj: str, since: datetime, until: datetime | None) -> Records:
    """Ids of the records that changed from `since` on and before `until`, then of those that were deleted.

    Salesforce looks at whole minutes: the one of `since` and the one of `until` are part of the answer.
    """
    described = Shapes(connection).describe(obj)
    name = str(described["name"])
    if not described.get("replicateable", True):
        raise ValidationError(f"Salesforce keeps no list of changes of {name}. Read it with since instead.")
    start, end = _minute(since, "since"), _minute(until or now(), "until") + MINUTE
    if start >= end:
        raise ValidationError("since must be before until.")
    if now() - start > KEPT:
        raise ValidationError(
            f"Salesforce lists the changes of the last 30 days only, and since is {start:%Y-%m-%d}. "
            "Read with since instead, and with deleted=True for the recycle bin."
        )
    span = {"start": soql.timestamp(start, "since"), "end": soql.timestamp(end, "until")}

    def asked(what: str) -> dict[str, Any]:
        found: dict[str, Any] = connection.call("GET", f"sobjects/{name}/{what}", params=span)
        return found

    def read() -> Iterator[Record]:
        for record_id in asked("updated")["ids"]:
            yield {"Id": record_id, "IsDeleted": False, "DeletedDate": None}
        for entry in asked("deleted")["deletedRecords"]:
            yield {"Id": entry["id"], "IsDeleted": True, "DeletedDate": moment(entry["deletedDate"])}

    return Records(FIELDS, read, system="salesforce", obj=name)


def _minute(value: datetime, name: str) -> datetime:
    soql.timestamp(value, name)  # refuses a time without a zone
    return value.astimezone(UTC).replace(second=0, microsecond=0)

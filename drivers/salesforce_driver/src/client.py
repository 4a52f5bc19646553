"""`SalesforceClient`: what the contract asks of a driver, put together from the modules beside this one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from integrator_drivers import (
    Condition,
    Field,
    ObjectInfo,
    Records,
    registry,
)
from integrator_drivers.errors import DriverError

from . import reading
from .connection import Connection
from .settings import Settings
from .shapes import Shapes, global_describe

__all__ = ["SalesforceClient"]

WELL_KNOWN = (
    *("Lead", "Contact", "Account", "Opportunity", "Campaign", "CampaignMember"),
    *("Case", "User", "Task", "Event", "OpportunityContactRole"),
)
OVERVIEW_BUDGET = 0.7  # seconds for counting; what was not counted by then stays None


class SalesforceClient:
    """One Salesforce org. Reads SALESFORCE_* from the environment and logs in at the first question.

    Raises AuthError at once when the variables of a login are missing.
    """

    def __init__(self) -> None:
        self._connection = Connection(Settings.from_environment())

    def list_objects(self) -> list[str]:
        """Names of all objects that can be queried, the common ones first."""
        return [entry["name"] for entry in self._overview()]

    def describe_objects(self) -> list[ObjectInfo]:
        """Objects with label, purpose and, for the common ones, records and fields, as far as counted in a second."""
        standard = registry.standard_schema("salesforce")
        end = time.monotonic() + OVERVIEW_BUDGET
        shapes = Shapes(self._connection)
        found = []
        for entry in self._overview():
            name = entry["name"]
            records = fields = None
            if name in WELL_KNOWN and time.monotonic() < end:
                records = self._count(name)
                fields = len(shapes.describe(name)["fields"])
            purpose = standard.get(name, {}).get("purpose", "")
            found.append(ObjectInfo(name, entry["label"], purpose, records, fields))
        return found

    def get_fields(self, obj: str) -> dict[str, Field]:
        """The fields of one object that this user can see. Asked live on every call."""
        return Shapes(self._connection).fields(obj)

    def read(
        self,
        obj: str,
        fields: Sequence[str] | None = None,
        where: Sequence[Condition] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Records:
        """Records of one object; parents by path ("Campaign.Name"). `since`, `until` are on SystemModstamp.

        Without `fields`: all but compound and binary ones. What `where` can't say, `query(soql)` can.
        """
        question = reading.plan(Shapes(self._connection), obj, fields, where, since, until, limit)
        return reading.records_of(self._connection, question)

    def close(self) -> None:
        """Close the sockets. The session at Salesforce stays: others may share it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _overview(self) -> list[dict[str, Any]]:
        rank = {name: position for position, name in enumerate(WELL_KNOWN)}
        return sorted(global_describe(self._connection), key=lambda entry: (rank.get(entry["name"], 99), entry["name"]))

    def _count(self, obj: str) -> int | None:
        try:
            return int(self._connection.query(f"SELECT COUNT() FROM {obj}")["totalSize"])
        except DriverError:
            return None  # this user may list the object but not read it

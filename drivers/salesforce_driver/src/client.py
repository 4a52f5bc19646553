"""`SalesforceClient`: what the contract asks of a driver, put together from the modules beside this one."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from integrator_drivers import (
    Condition,
    Field,
    Identity,
    ObjectInfo,
    Record,
    Records,
    WriteResult,
)

from . import changes, identity, overview, querying, reading
from .connection import Connection
from .settings import Settings
from .shapes import Shapes
from .values import is_id, matching_key
from .writing import Writer

__all__ = ["SalesforceClient"]


class SalesforceClient:
    """One Salesforce org. Reads SALESFORCE_* from the environment and logs in at the first question.

    Raises AuthError at once when the variables of a login are missing.
    """

    def __init__(self) -> None:
        self._connection = Connection(Settings.from_environment())
        self._writer = Writer(self._connection)
        self._finished = weakref.finalize(self, _finish, self._connection, self._writer)

    def list_objects(self) -> list[str]:
        """Names of all objects that can be queried, the common ones first."""
        return [entry["name"] for entry in overview.objects(self._connection)]

    def describe_objects(self) -> list[ObjectInfo]:
        """Objects with label, purpose and, for the common ones, records and fields, as far as counted in a second."""
        return overview.describe_objects(self._connection)

    def get_fields(self, obj: str) -> dict[str, Field]:
        """The fields of one object that this user can see. Asked live on every call."""
        return Shapes(self._connection).fields(obj)

    def read(
        self,
        obj: str,
        fields: Sequence[str] | None = None,
        where: Iterable[Condition] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        *,
        order_by: str | None = None,
        deleted: bool = False,
    ) -> Records:
        """Records of one object; parents by path ("Campaign.Name"). `since`, `until` are on SystemModstamp.

        Without `fields`: all but compound and binary ones. What `where` can't say, `query(soql)` can. `order_by`: a
        field, ascending. `deleted` also gives records in the recycle bin (`IsDeleted` tells). A large answer comes by
        the Bulk API.
        """
        question = reading.plan(Shapes(self._connection), obj, fields, where, since, until, limit, deleted, order_by)
        return reading.records_of(self._connection, question)

    def query(self, soql: str, *, deleted: bool = False) -> Records:
        """Records of a SOQL statement: aggregates, child lists (as JSON), anything SELECT can ask."""
        return querying.query(self._connection, soql, deleted)

    def changes(self, obj: str, since: datetime, until: datetime | None = None) -> Records:
        """Ids of the records that changed or were deleted in a span of the last 30 days, in whole minutes.

        Columns: Id, IsDeleted, DeletedDate. Changed ones come first; a record can be in both parts.
        """
        return changes.changes(self._connection, obj, since, until)

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        """Records whose `key` is one of `values`, by the value asked for; of several with one key the oldest Id."""
        shapes = Shapes(self._connection)
        spelled, _ = shapes.column(obj, key)
        raw = next(entry for entry in shapes.describe(obj)["fields"] if entry["name"] == spelled)
        wanted = list(dict.fromkeys([*fields, key]))
        found: dict[Any, Record] = {}
        asked = [value for value in values if value is not None]
        if raw["type"] in ("id", "reference"):
            asked = [value for value in asked if is_id(str(value))]
        question = reading.plan(shapes, obj, [*wanted, "Id"], [(key, "in", asked)])
        for row in sorted(reading.rows_of(self._connection, question), key=lambda row: str(row["Id"])):
            found.setdefault(matching_key(row[key], raw), {name: row[name] for name in wanted})
        return {value: found[same] for value in asked if (same := matching_key(value, raw)) in found}

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult:
        """Add records. In a preview: how many would be added and which would be refused."""
        return self._writer.write(obj, records, "insert", "")

    def update(self, obj: str, records: Iterable[Record], key: str = "Id") -> WriteResult:
        """Change known records, found by `key`; those that hold the values already are left alone."""
        return self._writer.write(obj, records, "update", key)

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """Add records, or change those with the same `key` (an external id, or any field that can be searched)."""
        return self._writer.write(obj, records, "upsert", key)

    def compare(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """What an upsert would do. Reads only."""
        return self._writer.compare(obj, records, "upsert", key)

    def check(self) -> Identity:
        """Log in and say who we are and where; warnings name what will not work for long."""
        return identity.check(self._connection)

    def close(self) -> None:
        """Close the sockets. The session at Salesforce stays: others may share it."""
        self._finished()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _finish(connection: Connection, writer: Writer) -> None:
    """At close, or at the latest when the process ends: tell what was written and nobody reported, close the line."""
    writer.report()
    connection.close()

"""`HubSpotClient`: what the contract asks of a driver, put together from the modules beside this one."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

from . import identity, lookups, overview, reading, searching, tables
from .connection import Connection
from .settings import Settings
from .shapes import Shapes
from .values import matching_key
from .writing import Writer

__all__ = ["HubSpotClient"]


class HubSpotClient:
    """One HubSpot account. Reads HUBSPOT_ACCESS_TOKEN; HUBSPOT_BASE_URL overrides the address.

    Raises AuthError at once, not on first use, when the token is missing.
    """

    def __init__(self) -> None:
        self._connection = Connection(Settings.from_environment())
        self._writer = Writer(self._connection)
        self._finished = weakref.finalize(self, _finish, self._connection, self._writer)

    def list_objects(self) -> list[str]:
        """Names of all objects: the standard ones, the account's own, then those that can only be read."""
        return overview.list_objects(self._connection)

    def describe_objects(self) -> list[ObjectInfo]:
        """Objects with label and purpose, records and fields, as far as counted in two seconds."""
        return overview.describe_objects(self._connection)

    def get_fields(self, obj: str) -> dict[str, Field]:
        """The fields of one object, by internal name. Asked live on every call."""
        return Shapes(self._connection).fields(obj)

    def read(
        self,
        obj: str,
        fields: Sequence[str] | None = None,
        where: Iterable[Condition] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Records:
        """Records of one object, in the order of their ids. `since`, `until` are on the last modified date.

        Without `fields`: all. What `where` can't say, `search(obj, ...)` can.
        """
        question = reading.plan(Shapes(self._connection), obj, fields, where, since, until, limit)
        return reading.records_of(self._connection, question)

    def search(
        self,
        obj: str,
        text: str = "",
        filter_groups: Sequence[Mapping[str, Any]] | None = None,
        fields: Sequence[str] | None = None,
        sorts: Sequence[str | Mapping[str, str]] | None = None,
        limit: int | None = None,
    ) -> Records:
        """HubSpot's own search: text in the default fields, filter groups (one of them must hold), one sort."""
        return searching.search(self._connection, obj, text, filter_groups, fields, sorts, limit)

    def associations(self, obj: str, to: str, ids: Sequence[Any] | None = None) -> Records:
        """Which records of `to` belong to those of `obj`: from_id, to_id, label, type_ids.

        `ids` narrows it to these records of `obj`; without, it goes through all of them.
        """
        shapes = Shapes(self._connection)
        start, end = shapes.kind(obj), shapes.kind(to)
        columns = ("from_id", "to_id")
        wanted = None if ids is None else list(dict.fromkeys(str(one) for one in ids if one is not None))

        def rows() -> Iterator[Record]:
            return tables.pair_rows(self._connection, start.path, end.path, wanted, columns)

        fields = tables.pair_fields(start.name, end.name, columns)
        return Records(fields, rows, system="hubspot", obj=f"{start.name} to {end.name}")

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        """Records whose `key` is one of `values`, by the value asked for; of several with one key the oldest."""
        shapes = Shapes(self._connection)
        spelled, _ = shapes.column(obj, key)
        columns = shapes.columns(obj, list(dict.fromkeys([*fields, key])))
        asked = [value for value in values if value is not None]
        if shapes.kind(obj).is_table:
            question = reading.plan(shapes, obj, list(columns), [(key, "in", asked)])
            by_key = {matching_key(row[key], spelled): row for row in reading.rows_of(self._connection, question)}
            return {value: by_key[one] for value in asked if (one := matching_key(value, spelled)) in by_key}
        convert = reading.reader(columns)
        properties = reading.properties_of(columns)
        found = lookups.find(self._connection, shapes, obj, spelled, asked, properties)
        same = lookups.normal(shapes, obj, spelled)
        return {value: convert(found[one][0]) for value in asked if (one := same(value)) in found}

    def same_key(self, obj: str, key: str) -> Callable[[Any], str]:
        """A function that gives equal texts for keys that HubSpot takes for one: e-mails trimmed, in small letters."""
        shapes = Shapes(self._connection)
        return lookups.normal(shapes, obj, shapes.column(obj, key)[0])

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult:
        """Add records. In a preview: how many would be added and which would be refused."""
        return self._writer.write(obj, records, "insert", "")

    def update(self, obj: str, records: Iterable[Record], key: str = "id") -> WriteResult:
        """Change known records, found by `key`; those that hold the values already are left alone."""
        return self._writer.write(obj, records, "update", key)

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """Add records, or change those with the same `key` (email, a property with unique values, any other)."""
        return self._writer.write(obj, records, "upsert", key)

    def compare(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        """What an upsert would do. Reads only."""
        return self._writer.compare(obj, records, "upsert", key)

    def check(self) -> Identity:
        """Say which account this is; warnings name what the token may not read."""
        return identity.check(self._connection)

    def close(self) -> None:
        """Close the connections."""
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

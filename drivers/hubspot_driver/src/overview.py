"""What is in the account: its objects, with counts where they are cheap."""

from __future__ import annotations

import time

from integrator_drivers import ObjectInfo, registry
from integrator_drivers.errors import DriverError

from .connection import Connection
from .shapes import Kind, Shapes

__all__ = ["describe_objects", "list_objects"]

BUDGET = 2.5  # seconds for counting; what was not counted by then stays None


def list_objects(connection: Connection) -> list[str]:
    """Names of all objects: standard, custom, then those that can only be read."""
    return list(Shapes(connection).kinds())


def describe_objects(connection: Connection) -> list[ObjectInfo]:
    """Objects with label and purpose, records and fields, as far as counted in time."""
    shapes = Shapes(connection)
    standard = registry.standard_schema("hubspot")
    end = time.monotonic() + BUDGET
    found = []
    for name, kind in shapes.kinds().items():
        purpose = kind.purpose or standard.get(name, {}).get("purpose", "")
        records = fields = None
        if kind.is_table:
            fields = len(shapes.fields(name))
        elif time.monotonic() < end:
            records, fields = _records(connection, kind), _fields(shapes, kind)
        found.append(ObjectInfo(name, kind.label, purpose, records, fields))
    return found


def _records(connection: Connection, kind: Kind) -> int | None:
    """A search tells its total, whatever the size of its pages."""
    try:
        return int(connection.search(kind.path, {"limit": 1, "properties": ["hs_object_id"]})["total"])
    except DriverError:
        return None  # this token may know of the object and not read it


def _fields(shapes: Shapes, kind: Kind) -> int | None:
    try:
        return len(shapes.fields(kind.name))
    except DriverError:
        return None

"""`search`: HubSpot's own search, with all it can: text, alternatives, sorting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integrator_drivers import Record, Records
from integrator_drivers.errors import ValidationError

from .connection import LONGEST_SEARCH, Connection
from .reading import MOST_FOUND, is_too_long, properties_of, reader, whole
from .shapes import Shapes

__all__ = ["search"]

PAGE = 200
MOST_GROUPS = 5
MOST_FILTERS = 6
MOST_TOGETHER = 18
NO_VALUE = ("HAS_PROPERTY", "NOT_HAS_PROPERTY")


def search(
    connection: Connection,
    obj: str,
    text: str,
    filter_groups: Sequence[Mapping[str, Any]] | None,
    fields: Sequence[str] | None,
    sorts: Sequence[str | Mapping[str, str]] | None,
    limit: int | None,
) -> Records:
    """Ask now, so that a mistake shows at once; more pages come when they are needed, 10,000 records at most."""
    shapes = Shapes(connection)
    kind = shapes.kind(obj)
    if kind.is_table:
        raise ValidationError(f"{kind.name} can't be searched; use read.")
    columns = shapes.columns(kind.name, fields)
    body: dict[str, Any] = {"properties": properties_of(columns), "limit": min(PAGE, limit or PAGE)}
    if text:
        body["query"] = str(text)
    if filter_groups:
        body["filterGroups"] = _groups(shapes, kind.name, filter_groups)
    if sorts:
        body["sorts"] = [_sort(shapes, kind.name, entry) for entry in sorts]
        if len(body["sorts"]) > 1:
            raise ValidationError("HubSpot sorts by one field at a time.")
    wanted = body["properties"]
    if is_lean := is_too_long({**body, "after": "10000"}):
        body["properties"] = ["hs_object_id"]
        if is_too_long({**body, "after": "10000"}):
            raise ValidationError(f"HubSpot takes at most {LONGEST_SEARCH:,} characters in one search.")
    first = connection.search(kind.path, body)
    total = int(first["total"])
    if total > MOST_FOUND and (limit is None or limit > MOST_FOUND):
        raise ValidationError(
            f"HubSpot finds {total:,} {kind.name} and gives out the first {MOST_FOUND:,} of a search. "
            f"Ask for less, give a limit, or use read, which has no such end."
        )
    convert = reader(columns)
    fresh = [first]

    def rows() -> Iterator[Record]:
        page = fresh.pop() if fresh else connection.search(kind.path, body)
        count = 0
        while True:
            found = page["results"]
            for raw in whole(connection, kind, found, wanted) if is_lean else found:
                if count == limit:
                    return
                count += 1
                yield convert(raw)
            after = ((page.get("paging") or {}).get("next") or {}).get("after")
            if not after or count == limit or int(after) >= MOST_FOUND:
                return
            page = connection.search(kind.path, {**body, "after": str(after)})

    shown = {name: entry for name, (_, entry) in columns.items()}
    count = total if limit is None else min(total, limit)
    return Records(shown, rows, system="hubspot", obj=kind.name, source_count=count)


def _groups(shapes: Shapes, obj: str, groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Filter groups, their property names checked. A group is {"filters": [...]}; a bare list of filters is one too."""
    found = []
    for group in groups:
        filters = group.get("filters") if isinstance(group, Mapping) else group
        if not isinstance(filters, list) or not all(isinstance(entry, Mapping) for entry in filters):
            raise ValidationError(
                'filter_groups is a list of {"filters": [{"propertyName": ..., "operator": ..., "value": ...}]}.'
            )
        found.append({"filters": [_filter(shapes, obj, entry) for entry in filters]})
    together = sum(len(group["filters"]) for group in found)
    if (
        len(found) > MOST_GROUPS
        or together > MOST_TOGETHER
        or any(len(group["filters"]) > MOST_FILTERS for group in found)
    ):
        raise ValidationError(
            f"HubSpot takes at most {MOST_GROUPS} filter groups of {MOST_FILTERS} filters, {MOST_TOGETHER} together."
        )
    return found


def _filter(shapes: Shapes, obj: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    name, _ = shapes.column(obj, str(entry.get("propertyName")))
    found = {**entry, "propertyName": "hs_object_id" if name == "id" else name}
    for key in ("value", "highValue"):
        if key in found:
            found[key] = _text(found[key])
    if "values" in found:
        found["values"] = [_text(value) for value in found["values"]]
    if entry.get("operator") not in NO_VALUE and not {"value", "values"} & set(found):
        raise ValidationError(f"The filter on {name} has no value.")
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "timestamp"):
        return str(int(value.timestamp() * 1000))
    return str(value)


def _sort(shapes: Shapes, obj: str, entry: str | Mapping[str, str]) -> dict[str, str]:
    """ "createdate", "-createdate" (the newest first), or HubSpot's own form."""
    if isinstance(entry, str):
        entry = {
            "propertyName": entry.removeprefix("-"),
            "direction": "DESCENDING" if entry[:1] == "-" else "ASCENDING",
        }
    name, _ = shapes.column(obj, str(entry.get("propertyName")))
    return {"propertyName": "hs_object_id" if name == "id" else name, "direction": entry.get("direction", "ASCENDING")}

"""Turning `read(...)` into searches or lists, and the answers into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from integrator_drivers import Condition, Field, Record, Records
from integrator_drivers.errors import ValidationError

from . import conditions, tables
from .connection import BATCH, LONGEST_ADDRESS, LONGEST_SEARCH, Connection, object_path
from .fields import RECORD_ID, cursor_of
from .shapes import Kind, Shapes
from .values import decoder

__all__ = ["MOST_FOUND", "Question", "is_too_long", "plan", "properties_of", "reader", "records_of", "rows_of", "whole"]

SEARCH_PAGE = 200
MOST_FOUND = 10_000  # results of one search that can be paged through
MOST_FILTERS = 6  # in one group
BY_ID = [{"propertyName": RECORD_ID, "direction": "ASCENDING"}]
Columns = Mapping[str, tuple[str, Field]]


@dataclass(frozen=True)
class Question:
    """One read, planned. `searches` are asked one after the other, together they are the answer; None: list all."""

    kind: Kind
    columns: dict[str, tuple[str, Field]]  # name asked for -> property, field
    extra: dict[str, tuple[str, Field]] = field(default_factory=dict)  # columns that only tests look at
    searches: tuple[tuple[conditions.Filter, ...], ...] | None = None
    tests: tuple[Callable[[Record], bool], ...] = ()
    ids: tuple[str, ...] | None = None  # for associations: only those of these records
    limit: int | None = None


def plan(
    shapes: Shapes,
    obj: str,
    fields: Sequence[str] | None = None,
    where: Iterable[Condition] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> Question:
    """How to ask. Long `in` lists are split over several searches; nothing else is."""
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise ValidationError(f"limit is a whole number of rows, not {limit!r}.")
    kind = shapes.kind(obj)
    columns = shapes.columns(kind.name, fields)
    asked = [(*shapes.column(kind.name, name), op, value) for name, op, value in conditions.checked(where or ())]
    if kind.is_table:
        return _local(shapes, kind, columns, asked, since, until, limit)
    found = conditions.filters_of(asked)
    if since is not None or until is not None:
        found.always.append(conditions.span(_cursor(shapes, kind), since, until))
    extra = {name: (name, entry) for name, entry, op, _ in asked if op == "contains"}
    tests = tuple(found.tests)
    if found.nothing or limit == 0:
        return Question(kind, columns, extra, (), tests, limit=limit)
    if not found.always and not found.lists:
        return Question(kind, columns, limit=limit)
    count = len(found.always) + len(found.lists)
    if count > MOST_FILTERS or len([groups for groups in found.lists if len(groups) > 1]) > 1:
        raise ValidationError(
            f"HubSpot takes at most {MOST_FILTERS} conditions in one search (since and until together are one) and one "
            f"list of more than {conditions.LISTED} values. Ask for less here and filter the rest in the script, or "
            "use search(object, filter_groups=[...])."
        )
    short = [groups[0] for groups in found.lists if len(groups) == 1]
    long = next((groups for groups in found.lists if len(groups) > 1), None)
    searches = [(*found.always, *short, one) for one in long] if long else [(*found.always, *short)]
    return Question(kind, columns, extra, tuple(searches), tests, limit=limit)


def records_of(connection: Connection, question: Question) -> Records:
    """The answer as a stream: one page is in memory at a time, and each pass asks afresh."""

    def read() -> Iterator[Record]:
        return rows_of(connection, question, counted)

    def counted(total: int) -> None:
        records.source_count = total if question.limit is None else min(total, question.limit)

    fields = {name: entry for name, (_, entry) in question.columns.items()}
    count = 0 if question.searches == () else None
    records = Records(fields, read, system="hubspot", obj=question.kind.name, source_count=count)
    return records


def rows_of(
    connection: Connection, question: Question, counted: Callable[[int], None] | None = None
) -> Iterator[Record]:
    """The rows themselves. `counted` is told HubSpot's own count when it is known."""
    rows = _rows(connection, question, counted if not question.tests else None)
    if question.tests:
        names = list(question.columns)
        rows = ({name: row[name] for name in names} for row in rows if all(test(row) for test in question.tests))
    return islice(rows, question.limit) if question.limit is not None else rows


def reader(columns: Columns) -> Callable[[Mapping[str, Any]], Record]:
    """A function that makes a row of one of HubSpot's records."""
    steps = [(name, key, decoder(entry)) for name, (key, entry) in columns.items()]

    def convert(raw: Mapping[str, Any]) -> Record:
        properties = raw["properties"]
        row: Record = {}
        for name, key, decode in steps:
            text = raw["id"] if key == "id" else properties.get(key)
            row[name] = None if text is None or text == "" else decode(str(text))
        return row

    return convert


def properties_of(columns: Columns) -> list[str]:
    """The properties to ask for; without any, HubSpot would send its own choice."""
    return list(dict.fromkeys(key for key, _ in columns.values() if key != "id")) or [RECORD_ID]


def _rows(connection: Connection, question: Question, counted: Callable[[int], None] | None) -> Iterator[Record]:
    if question.kind.is_table:
        yield from _table_rows(connection, question)
        return
    columns = {**question.extra, **question.columns}
    convert = reader(columns)
    wanted = properties_of(columns)
    searches = question.searches
    if searches is None:
        if sum(map(len, wanted)) + len(wanted) <= LONGEST_ADDRESS:
            size = min(100, question.limit or 100)
            path, params = object_path(question.kind.path), {"properties": ",".join(wanted)}
            for listed in connection.pages(path, params, size):
                yield from map(convert, listed)
            return
        searches = ((),)
    total = 0
    for position, filters in enumerate(searches, 1):
        asked, is_lean = _asked(question, filters, wanted)
        for first, page in _pages(connection, question, filters, asked):
            if first:
                total += int(page["total"])
                if counted and position == len(searches):
                    counted(total)
            found = page["results"]
            yield from map(convert, whole(connection, question.kind, found, wanted) if is_lean else found)


def whole(
    connection: Connection, kind: Kind, found: Sequence[Mapping[str, Any]], wanted: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """What a search found, with all properties wanted, in the same order. What was archived since is left out."""
    for start in range(0, len(found), BATCH):
        ids = [str(raw["id"]) for raw in found[start : start + BATCH]]
        by_id = {str(raw["id"]): raw for raw in connection.batch_read(kind.path, ids, wanted)}
        yield from (by_id[one] for one in ids if one in by_id)


def is_too_long(body: Mapping[str, Any]) -> bool:
    """Is a search longer than HubSpot takes?"""
    return len(msgspec.json.encode(body)) > LONGEST_SEARCH


def _asked(
    question: Question, filters: Sequence[conditions.Filter], wanted: Sequence[str]
) -> tuple[Sequence[str], bool]:
    """The properties to ask a search for; only the id, and True, where all of them would make it too long."""
    group = [*filters, {"propertyName": RECORD_ID, "operator": "GT", "value": "9" * 20}]
    body = {"limit": SEARCH_PAGE, "sorts": BY_ID, "filterGroups": [{"filters": group}], "after": "10000"}
    if not is_too_long({**body, "properties": list(wanted)}):
        return wanted, False
    if is_too_long({**body, "properties": [RECORD_ID]}):
        raise ValidationError(
            f"That question about {question.kind.name} is longer than HubSpot takes in one search "
            f"({LONGEST_SEARCH:,} characters). Give shorter values, or fewer."
        )
    return [RECORD_ID], True


def _pages(
    connection: Connection, question: Question, filters: Sequence[conditions.Filter], wanted: Sequence[str]
) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Pages of one search in the order of the record ids, each starting behind the last id of the one before.

    HubSpot ends any one search after 10,000 results; this never gets there. Where the question needs all six filters,
    there is none left for the id: then it pages the usual way, and refuses what would be cut off.
    """
    size = SEARCH_PAGE if question.limit is None or question.tests else max(1, min(SEARCH_PAGE, question.limit))
    by_id = len(filters) < MOST_FILTERS
    last, after, first = "", "", True
    while True:
        body: dict[str, Any] = {"limit": size, "sorts": BY_ID, "properties": list(wanted)}
        group = list(filters)
        if last and by_id:
            group.append({"propertyName": RECORD_ID, "operator": "GT", "value": last})
        if group:
            body["filterGroups"] = [{"filters": group}]
        if after and not by_id:
            body["after"] = after
        page = connection.search(question.kind.path, body)
        enough = question.limit is not None and question.limit <= MOST_FOUND and not question.tests
        if not by_id and int(page["total"]) > MOST_FOUND and not enough:
            raise ValidationError(
                f"HubSpot finds {page['total']:,} {question.kind.name} and gives out {MOST_FOUND:,} for a question of "
                f"{MOST_FILTERS} conditions. Nothing was cut off silently: ask with one condition less."
            )
        yield first, page
        results = page["results"]
        after = str(((page.get("paging") or {}).get("next") or {}).get("after") or "")
        if not results or (len(results) < size and not after) or (not by_id and not after):
            return
        last, first = str(results[-1]["id"]), False


def _cursor(shapes: Shapes, kind: Kind) -> str:
    name = cursor_of(shapes.fields(kind.name))
    if name is None:
        raise ValidationError(f"{kind.name} has no field that tells when a record changed; leave since and until out.")
    return name


def _local(
    shapes: Shapes,
    kind: Kind,
    columns: dict[str, tuple[str, Field]],
    asked: list[tuple[str, Field, str, Any]],
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
) -> Question:
    """A read of what has no search: all rows come, and are tested here."""
    tests = [conditions.test_of(name, entry, op, value) for name, entry, op, value in asked]
    fields = shapes.fields(kind.name)
    for op, moment in ((">=", since), ("<", until)):
        if moment is not None:
            if "updatedAt" not in fields:
                raise ValidationError(
                    f"{kind.name} has no field that tells when a record changed; leave since and until out."
                )
            conditions.milliseconds(moment, "updatedAt")
            tests.append(conditions.test_of("updatedAt", fields["updatedAt"], op, moment))
    first = next(iter(fields))
    ids = None
    for name, _, op, value in asked:
        if kind.name in tables.PAIRS and name == first and op in ("=", "in"):
            given = [value] if op == "=" else value
            ids = tuple(dict.fromkeys(str(one) for one in given if str(one).isdigit()))
    extra = {name: (name, entry) for name, entry in fields.items()}
    return Question(kind, columns, extra, None if limit != 0 else (), tuple(tests), ids, limit)


def _table_rows(connection: Connection, question: Question) -> Iterator[Record]:
    if question.searches == ():
        return
    table = tables.TABLES[question.kind.name]
    columns = {**question.extra, **question.columns} if question.tests else question.columns
    steps = [(name, key, decoder(entry), entry["type"]) for name, (key, entry) in columns.items()]
    for raw in table.rows(connection, question.ids):
        row: Record = {}
        for name, key, decode, kind in steps:
            value = raw.get(key)
            if value is not None and isinstance(value, str):
                value = decode(value)
            row[name] = str(value) if kind == "text" and value is not None else value
        yield row

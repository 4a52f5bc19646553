"""Turning `read(...)` into SOQL and the answer into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from integrator_drivers import Condition, Field, Record, Records
from integrator_drivers.errors import ValidationError

from . import rows, soql
from .connection import Connection
from .shapes import Shapes

__all__ = ["Question", "cursor_of", "plan", "records_of", "rows_of"]

CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


@dataclass(frozen=True)
class Question:
    """One read, planned: `queries` are asked one after the other, together they are the answer."""

    obj: str
    columns: dict[str, tuple[str, Field]]  # name asked for -> path, field
    queries: tuple[str, ...]
    limit: int | None


def plan(
    shapes: Shapes,
    obj: str,
    fields: Sequence[str] | None = None,
    where: Iterable[Condition] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> Question:
    """The SOQL of one read. Long `in` lists are split over several queries; nothing else is."""
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise ValidationError(f"limit is a whole number of rows, not {limit!r}.")
    name = shapes.name(obj)
    columns = shapes.columns(obj, fields)
    if not columns:
        raise ValidationError(f"Reading {name} needs at least one field.")
    conditions, lists = _where(shapes, obj, where or ())
    order = ""
    if since is not None or until is not None:
        cursor = cursor_of(shapes, obj)
        if since is not None:
            conditions.append(f"{cursor} >= {soql.timestamp(since, cursor)}")
        if until is not None:
            conditions.append(f"{cursor} < {soql.timestamp(until, cursor)}")
        order = f" ORDER BY {cursor}, Id"
    if any(not values for _, _, values in lists) or limit == 0:
        return Question(name, columns, (), limit)
    select = f"SELECT {', '.join(dict.fromkeys(path for path, _ in columns.values()))} FROM {name}"
    end = order + (f" LIMIT {int(limit)}" if limit is not None else "")
    longest = max(lists, key=lambda entry: len(entry[2]), default=None)
    for entry in lists:
        if entry is not longest:  # only one list can be split: two would be a product
            conditions += soql.fitting(*entry, room=10**9)
    room = soql.URI_ROOM - soql.encoded_length(select + " WHERE " + " AND ".join(conditions) + end)
    if room < 0 or (longest and room < 1000):
        raise ValidationError(
            f"That question about {name} is longer than Salesforce takes in one address (16,384 bytes). "
            "Name the fields you need, or fewer values."
        )
    parts = list(soql.fitting(*longest, room)) if longest else [""]
    queries = []
    for part in parts:
        together = " AND ".join([*conditions, part] if part else conditions)
        queries.append(f"{select} WHERE {together}{end}" if together else select + end)
    return Question(name, columns, tuple(queries), limit)


def records_of(connection: Connection, question: Question) -> Records:
    """The answer as a stream: one page is in memory at a time, and each pass asks afresh."""

    def read() -> Iterator[Record]:
        return rows_of(connection, question, counted)

    def counted(total: int) -> None:
        records.source_count = total

    fields = {name: field for name, (_, field) in question.columns.items()}
    count = None if question.queries else 0
    records = Records(fields, read, system="salesforce", obj=question.obj, source_count=count)
    return records


def rows_of(
    connection: Connection, question: Question, counted: Callable[[int], None] | None = None
) -> Iterator[Record]:
    """The rows themselves. `counted` is told Salesforce's own count as soon as it is known."""
    convert = rows.reader(question.columns)
    left = question.limit
    total = 0
    for position, query in enumerate(question.queries, 1):
        for number, page in enumerate(connection.pages(query)):
            if number == 0:
                total += page["totalSize"]
                if counted and position == len(question.queries):
                    counted(total if question.limit is None else min(total, question.limit))
            for raw in page["records"]:
                if left is not None:
                    if left == 0:
                        if counted and question.limit is not None:
                            counted(question.limit)
                        return
                    left -= 1
                yield convert(raw)


def cursor_of(shapes: Shapes, obj: str) -> str:
    """The field that moves on every change of this object."""
    known = shapes.fields(obj)
    for name in CURSORS:
        if name in known:
            return name
    raise ValidationError(
        f"{shapes.name(obj)} has no field that tells when a record changed; leave since and until out."
    )


def _where(
    shapes: Shapes, obj: str, where: Iterable[Condition]
) -> tuple[list[str], list[tuple[str, Field, list[object]]]]:
    """Conditions as SOQL, and the `in` lists, which may have to be split."""
    conditions: list[str] = []
    lists: list[tuple[str, Field, list[object]]] = []
    for entry in where:
        if isinstance(where, str) or isinstance(entry, str) or len(entry) != 3:
            raise ValidationError(
                f"where is a list of conditions of three parts, (field, op, value); this one is {entry!r}."
            )
        path, field = shapes.column(obj, entry[0])
        if entry[1].strip().lower() == "in":
            if isinstance(entry[2], str):
                raise ValidationError(f"{path}: in needs a list of values.")
            lists.append((path, field, list(entry[2])))
        elif text := soql.condition(entry, field, path):
            conditions.append(text)
    return conditions, lists

"""Turning `read(...)` into SOQL and asking it: conditions, windows, and questions short enough to be asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integrator_drivers import Condition, Field, Record, Records
from integrator_drivers.errors import ValidationError
from integrator_drivers.records import Piece, Row

from . import rows, soql
from .connection import Connection
from .fetching import StreamedRecords, Way, answer, csv_of, no_cells
from .shapes import Shapes

__all__ = ["Question", "cursor_of", "plan", "records_of", "rows_of"]

logger = logging.getLogger("integrator")

SHORTEST_LIST = 1000  # bytes that the values of an `in` list get at least
CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
Columns = Mapping[str, tuple[str, Field]]  # name -> path, field


@dataclass(frozen=True)
class Question:
    """One read, planned: `tails` (FROM ... on) are asked one after the other, together they are the answer."""

    obj: str
    columns: Columns  # by the name asked for
    tails: tuple[str, ...]
    limit: int | None = None
    deleted: bool = False
    # Compound path -> key in its value -> (path, field): what Bulk, which has no compound values, is asked for instead.
    parts: Mapping[str, Columns] = field(default_factory=dict)
    in_address: bool = True  # False: too long for an address; only Bulk, which takes it in a body, can ask it

    @property
    def paths(self) -> list[str]:
        """The SELECT list of REST."""
        return list(dict.fromkeys(path for path, _ in self.columns.values()))

    @property
    def bulk_paths(self) -> list[str]:
        """The SELECT list of Bulk; empty where Bulk can't carry the columns."""
        found: list[str] = []
        for path, described in self.columns.values():
            if path in self.parts:
                found += [part for part, _ in self.parts[path].values()]
            elif described["type"] in ("json", "binary"):
                return []
            else:
                found.append(path)
        return list(dict.fromkeys(found))

    @property
    def ways(self) -> list[Way]:
        """How each query is asked, by REST and by Bulk."""
        from_json = rows.reader(self.columns)
        bulk_paths = self.bulk_paths
        from_cells = rows.cells_reader(self.columns, bulk_paths, self.parts) if bulk_paths else no_cells
        return [
            Way(
                f"SELECT {', '.join(self.paths)} {tail}" if self.in_address else "",
                f"SELECT {', '.join(bulk_paths)} {tail}" if bulk_paths else "",
                bulk_paths,
                from_json,
                from_cells,
                self.deleted,
                self.columns,
            )
            for tail in self.tails
        ]

    @property
    def as_csv(self) -> bool:
        """Are the columns of a Bulk result those asked for, one by one?"""
        return self.bulk_paths == [path for path, _ in self.columns.values()] != []


def plan(
    shapes: Shapes,
    obj: str,
    fields: Sequence[str] | None = None,
    where: Iterable[Condition] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    deleted: bool = False,
    order_by: str | None = None,
) -> Question:
    """The SOQL of one read. Long `in` lists are split over several queries; nothing else is, and no ordered read is."""
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise ValidationError(f"limit is a whole number of rows, not {limit!r}.")
    name = shapes.name(obj)
    columns = shapes.columns(obj, fields)
    if not columns:
        raise ValidationError(f"Reading {name} needs at least one field.")
    parts = {path: shapes.parts(obj, path) for path, field in columns.values() if field["type"] == "json"}
    parts = {path: found for path, found in parts.items() if found}
    where = list(where or ())
    conditions, lists = _where(shapes, obj, where)
    if since is not None or any(entry[0] in CURSORS[:2] and entry[1].strip() in (">", ">=") for entry in where):
        _warn_of_formulas(shapes, obj, columns)
    order = ""
    if since is not None or until is not None:
        cursor = cursor_of(shapes, obj)
        if since is not None:
            conditions.append(f"{cursor} >= {soql.timestamp(since, cursor)}")
        if until is not None:
            conditions.append(f"{cursor} < {soql.timestamp(until, cursor)}")
        order = f" ORDER BY {cursor}, Id"
    if order_by is not None:
        first = shapes.column(obj, order_by)[0]
        order = f" ORDER BY {first}" + ("" if first == "Id" else ", Id")
    if any(not values for _, _, values in lists) or limit == 0:
        return Question(name, columns, (), limit, deleted)
    end = order + (f" LIMIT {int(limit)}" if limit is not None else "")
    question = Question(name, columns, ("",), limit, deleted, parts)
    longest = max(lists, key=lambda entry: len(entry[2]), default=None)
    for entry in lists:
        if entry is not longest:  # only one list can be split: two would be a product
            conditions += soql.fitting(*entry, room=10**9)
    fixed = f"SELECT {', '.join(question.paths)} FROM {name} WHERE {' AND '.join(conditions)}{end}"
    room, in_address = soql.URI_ROOM - soql.encoded_length(fixed), True
    if room < 0 or (longest and room < SHORTEST_LIST):
        in_address = False
        room = soql.LONGEST_QUERY - len(fixed)
        if not question.bulk_paths or room < SHORTEST_LIST:
            raise ValidationError(
                f"That question about {name} is longer than Salesforce takes in one address (16,384 bytes). "
                "Name the fields you need, or fewer values."
            )
    pieces = list(soql.fitting(*longest, room)) if longest else [""]
    if order_by is not None and len(pieces) > 1:
        in_address = False
        pieces = list(soql.fitting(*longest, soql.LONGEST_QUERY - len(fixed))) if longest else []
        if not question.bulk_paths or len(pieces) > 1:
            raise ValidationError(
                f"That ordered read of {name} has more values than fit into one question. Ask for fewer at a time."
            )
    tails = []
    for part in pieces:
        together = " AND ".join([*conditions, part] if part else conditions)
        tails.append(f"FROM {name} WHERE {together}{end}" if together else f"FROM {name}{end}")
    return Question(name, columns, tuple(tails), limit, deleted, parts, in_address)


def records_of(connection: Connection, question: Question) -> Records:
    """The answer as a stream: one page is in memory at a time, and each pass asks afresh."""

    def counted(total: int) -> None:
        records.source_count = total

    def read() -> Iterator[Record]:
        return rows_of(connection, question, counted, few=records.few)

    def csv() -> Iterator[Piece]:
        found = answer(connection, question.ways[0])
        counted(found.count)
        return csv_of(found)

    def tuples(size: int) -> Iterator[list[Row]]:
        found = answer(connection, question.ways[0])
        counted(found.count)
        return found.pages

    fields = {name: field for name, (_, field) in question.columns.items()}
    is_one = len(question.tails) == 1
    records = StreamedRecords(
        fields,
        read,
        system="salesforce",
        obj=question.obj,
        source_count=None if question.tails else 0,
        csv=csv if question.as_csv and is_one else None,
        tuples=tuples if is_one and question.limit is None else None,
    )
    return records


def rows_of(
    connection: Connection, question: Question, counted: Callable[[int], None] | None = None, *, few: bool = False
) -> Iterator[Record]:
    """The rows themselves. `counted` is told Salesforce's own count as soon as it is known."""
    left = question.limit
    total = 0
    for position, way in enumerate(question.ways, 1):
        found = answer(connection, way, few=few)
        total += found.count
        if counted and position == len(question.tails):
            counted(total if question.limit is None else min(total, question.limit))
        for row in found.rows:
            if left is not None:
                if left == 0:
                    if counted and question.limit is not None:
                        counted(question.limit)
                    return
                left -= 1
            yield row


def cursor_of(shapes: Shapes, obj: str) -> str:
    """The field that moves on every change of this object."""
    known = shapes.fields(obj)
    for name in CURSORS:
        if name in known:
            return name
    raise ValidationError(
        f"{shapes.name(obj)} has no field that tells when a record changed; leave since and until out."
    )


def _warn_of_formulas(shapes: Shapes, obj: str, columns: Columns) -> None:
    formulas = {entry["name"] for entry in shapes.describe(obj)["fields"] if entry.get("calculated")}
    if found := [path for path, _ in columns.values() if path in formulas]:
        logger.warning(
            "%s of %s are formulas: records of which only these changed are not among those changed since then. "
            "Read them without since from time to time.",
            " and ".join(found),
            shapes.name(obj),
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

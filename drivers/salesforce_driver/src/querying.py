"""Free SOQL. Columns are read off the SELECT list, so that empty parents and empty answers have them too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from integrator_drivers import Field, Record, Records
from integrator_drivers.errors import DriverError, ValidationError
from integrator_drivers.protocols import FieldType
from integrator_drivers.records import Piece

from . import faults, rows
from .connection import Connection
from .fetching import Answer, StreamedRecords, Way, answer, csv_of, no_cells
from .shapes import Shapes, global_describe

__all__ = ["columns_of", "query"]

SELECT = re.compile(r"\s*SELECT\s+(.*)", re.IGNORECASE | re.DOTALL)
FROM = re.compile(r"FROM\s+(\w+)", re.IGNORECASE)
PATH = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*")
ALIASED = re.compile(rf"({PATH.pattern})\s+(\w+)")
ARGUMENT = r"(?:convertTimezone\s*\(\s*([\w.]+)\s*\)|([\w.]*))"
FUNCTION = re.compile(rf"(\w+)\s*\(\s*{ARGUMENT}\s*\)(?:\s+(\w+))?", re.IGNORECASE)
# What Bulk refuses in a statement of plain columns; where one of the words is only part of a text, REST answers.
NOT_BULK = re.compile(r"\b(GROUP\s+BY|OFFSET|TYPEOF|FOR|WITH|ALL\s+ROWS|USING)\b", re.IGNORECASE)
KINDS: dict[str, FieldType] = {"COUNT": "integer", "COUNT_DISTINCT": "integer", "SUM": "number", "AVG": "number"}
KINDS |= {"GROUPING": "integer", "DAY_ONLY": "date"}
DATE_PART = re.compile(r"(CALENDAR|FISCAL|DAY_IN|WEEK_IN|HOUR_IN)_\w+")


NUMBERS = {"integer", "number"}


class Column(NamedTuple):
    """One item of a SELECT list: what it is called in the answer, and what it is."""

    name: str
    path: str  # the field behind it; "" for counts and child lists
    kind: str  # "" for a plain field, else the function, or "CHILDREN"


def query(connection: Connection, soql: str, deleted: bool = False) -> Records:
    """Ask now, so that a mistake shows at once; the rows come page by page. Parents flat, child lists as JSON."""
    soql = soql.strip().removesuffix(";")
    if not SELECT.match(soql):
        raise ValidationError("query takes SOQL that starts with SELECT; it can only read.")
    first = _asked(connection, soql, deleted)
    obj, columns = columns_of(soql)
    if obj and [column.kind for column in columns] == ["COUNT()"]:
        field: Field = {"type": "integer", "native_type": "int", "nullable": False}
        return Records({"count": field}, [{"count": first["totalSize"]}], system="salesforce", obj=obj, source_count=1)
    fields, convert, paths = _shape(connection, obj, columns, first["records"])
    if NOT_BULK.search(soql):
        paths = []
    shaped = {name: (name, field) for name, field in fields.items()}
    from_cells = rows.cells_reader(shaped, paths) if paths else no_cells
    way = Way(soql, soql if paths else "", paths, convert, from_cells, deleted)
    fresh = [first]

    def found(few: bool = False) -> Answer:
        return answer(connection, way, fresh.pop() if fresh else None, few=few)

    def read() -> Iterator[Record]:
        return found(records.few).rows

    def csv() -> Iterator[Piece]:
        return csv_of(found())

    total = first["totalSize"]
    records = StreamedRecords(
        fields, read, system="salesforce", obj=obj, source_count=total, csv=csv if paths else None
    )
    return records


def columns_of(soql: str) -> tuple[str, list[Column]]:
    """The object and the columns of a statement; no columns where the list holds something else (TYPEOF, FIELDS())."""
    found = SELECT.match(soql)
    if not found:
        return "", []
    items, rest = _split(found[1])
    start = FROM.match(rest)
    columns: list[Column] = []
    unnamed = 0
    for item in items:
        if item.startswith("("):
            child = FROM.match(_split(item[1:-1].strip()[6:].strip())[1])
            if not child:
                return "", []
            columns.append(Column(child[1], "", "CHILDREN"))
        elif PATH.fullmatch(item):
            columns.append(Column(item, item, ""))
        elif named := ALIASED.fullmatch(item):
            columns.append(Column(named[2], named[1], "FIELD"))
        elif call := FUNCTION.fullmatch(item):
            function, path, alias = call[1].upper(), call[2] or call[3], call[4]
            if function in ("FIELDS", "TYPEOF"):
                return start[1] if start else "", []
            if function == "COUNT" and not path:
                columns.append(Column("count", "", "COUNT()"))
                continue
            if function == "TOLABEL" and not alias:  # stands where the field itself would
                columns.append(Column(path, path, function))
                continue
            columns.append(Column(alias or f"expr{unnamed}", path, function))
            unnamed += not alias
        else:
            return start[1] if start else "", []
    return start[1] if start else "", columns


def _split(text: str) -> tuple[list[str], str]:
    """The items of a SELECT list, and what follows from FROM on."""
    items, depth, item, quoted = [], 0, "", False
    position = 0
    while position < len(text):
        char = text[position]
        if char == "'" and text[position - 1] != "\\":
            quoted = not quoted
        if not quoted:
            depth += (char == "(") - (char == ")")
            if depth == 0 and FROM.match(text, position) and (not item or item[-1].isspace() or item[-1] == ")"):
                break
            if depth == 0 and char == ",":
                items.append(item)
                item = ""
                position += 1
                continue
        item += char
        position += 1
    return [" ".join(one.split()) for one in [*items, item] if one.strip()], text[position:]


def _asked(connection: Connection, soql: str, deleted: bool) -> dict[str, Any]:
    """The first page; a name that is not there is answered with close matches."""
    try:
        return connection.query(soql, all_rows=deleted)
    except faults.UnknownFieldError as exc:
        shapes = Shapes(connection)
        try:
            known = [*shapes.fields(exc.obj), *shapes.relations(exc.obj)]
        except DriverError:
            raise exc from exc.__cause__
        raise faults.field_not_found(exc.obj, exc.name, known) from exc
    except faults.UnknownObjectError as exc:
        known = [entry["name"] for entry in global_describe(connection)]
        raise faults.object_not_found(exc.name, known) from exc


def _shape(
    connection: Connection, obj: str, columns: list[Column], sample: list[dict[str, Any]]
) -> tuple[dict[str, Field], Callable[[Mapping[str, Any]], Record], list[str]]:
    """The fields of the answer, how a record becomes a row, and the columns of Bulk (none where it can't answer)."""
    shapes = Shapes(connection)
    shaped: dict[str, tuple[str, Field]] = {}
    for column in columns:
        try:
            path, field = _field(shapes, obj, column)
        except DriverError:
            break  # an alias of the object, a polymorphic parent: what came says what there is
        shaped[path if not column.kind else column.name] = (path if not column.kind else column.name, field)
    else:
        if columns:
            fields = {name: field for name, (_, field) in shaped.items()}
            plain = all(not column.kind for column in columns) and len(shaped) == len(columns)
            carried = all(field["type"] not in ("json", "binary") for field in fields.values())
            return fields, rows.reader(shaped), list(shaped) if plain and carried else []
    seen: dict[str, Field] = {}
    for raw in sample:
        for name, value in rows.flat(raw).items():
            if name not in seen or value is not None:
                seen[name] = {"type": _type(value), "native_type": "anyType", "nullable": True}
    parents = {name.rpartition(".")[0] for name in seen}
    known = {name: _described(shapes, obj, name, field) for name, field in seen.items() if name not in parents}

    def convert(raw: Mapping[str, Any]) -> Record:
        row = rows.flat(raw)
        return {name: rows.converted(row.get(name), field) for name, field in known.items()}

    return known, convert, []


def _described(shapes: Shapes, obj: str, name: str, seen: Field) -> Field:
    """What describe says of a column that came, unless what came looks different."""
    try:
        field = shapes.column(obj, name)[1] if obj else seen
    except DriverError:
        return seen
    fits = field["type"] == seen["type"] or seen["type"] == "text" or {field["type"], seen["type"]} <= NUMBERS
    return field if fits else seen


def _field(shapes: Shapes, obj: str, column: Column) -> tuple[str, Field]:
    if column.kind == "CHILDREN":
        return column.name, {"type": "json", "native_type": "childRelationship", "nullable": True}
    kind = "integer" if DATE_PART.fullmatch(column.kind) else KINDS.get(column.kind)
    if kind:
        return column.name, {"type": kind, "native_type": column.kind.lower(), "nullable": True}
    if column.kind in ("", "FIELD", "MIN", "MAX", "TOLABEL"):
        return shapes.column(obj, column.path)
    return column.name, {"type": "text", "native_type": column.kind.lower(), "nullable": True}


def _type(value: Any) -> FieldType:
    kinds: list[tuple[type, FieldType]] = [(bool, "boolean"), (int, "integer"), (float, "number"), (list, "json")]
    return next((name for kind, name in kinds if isinstance(value, kind)), "text")

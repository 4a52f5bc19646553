"""Getting the answer to a query: by REST a page at a time, or by Bulk where it is large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrator_drivers import Field, Record, Records
from integrator_drivers.ahead import ahead
from integrator_drivers.errors import ValidationError
from integrator_drivers.records import Piece, Row, row_of

from . import bulk_query
from .connection import Connection
from .csv_page import Block
from .rows import cells_row, page_reader

__all__ = ["Answer", "StreamedRecords", "Way", "answer", "csv_of", "no_cells"]

FEW = 2_000  # rows that one page of REST has


@dataclass(frozen=True)
class Way:
    """How one query is asked, and how its rows are made. Empty SOQL: it can't be asked in that way."""

    rest: str
    bulk: str
    bulk_paths: Sequence[str]
    from_json: Callable[[Mapping[str, Any]], Record]
    from_cells: Callable[[Sequence[str]], Record]
    deleted: bool = False
    columns: Mapping[str, tuple[str, Field]] | None = None  # name -> path, field; where rows may be read as tuples


@dataclass
class Answer:
    """What was found: how many rows, and where they are."""

    count: int
    rows: Iterator[Record]
    blocks: Iterator[Block] | None = field(default=None)  # the same rows as CSV, where they come by Bulk
    pages: Iterator[list[Row]] = field(default_factory=lambda: iter(()))  # the same rows as tuples


class StreamedRecords(Records):
    """Records that know when only the first few are wanted: no Bulk job is started for those."""

    few = False

    def first(self, count: int) -> list[Record]:
        """The first rows; reading stops there."""
        self.few = count <= FEW
        try:
            return super().first(count)
        finally:
            self.few = False


def answer(connection: Connection, way: Way, page: dict[str, Any] | None = None, *, few: bool = False) -> Answer:
    """Ask. The first page of REST tells the size at no extra cost; a large answer is then fetched by Bulk instead.

    `page` is that first page where it is there already. Where Salesforce refuses Bulk, REST goes on.
    """
    if way.rest:
        page = page or connection.query(way.rest, all_rows=way.deleted)
        if page.get("done", True) or few or not way.bulk or not bulk_query.worth_it(page["totalSize"]):
            return _by_rest(connection, way, page, few)
    job = bulk_query.start(connection, way.bulk, deleted=way.deleted)
    if job is None:
        if page is None:
            raise ValidationError(
                "That question is longer than Salesforce takes in one address (16,384 bytes), and it refused to answer "
                "it by its Bulk API. Name the fields you need, or fewer values."
            )
        return _by_rest(connection, way, page)
    blocks = bulk_query.blocks(connection, job.id, way.bulk_paths)
    rows_of_cells = None if way.columns is None else cells_row(way.columns, way.bulk_paths)
    pages = bulk_query.pages(blocks, rows_of_cells or (lambda cells: tuple(way.from_cells(cells).values())))
    return Answer(job.count, bulk_query.records(blocks, way.from_cells), blocks, pages)


def csv_of(found: Answer) -> Iterator[Piece]:
    """Blocks of CSV without a header, and how many rows each has, as Bulk sends them; pages of rows from REST."""
    return found.pages if found.blocks is None else found.blocks


def no_cells(cells: Sequence[str]) -> Record:
    """What makes rows of CSV cells where there never are any."""
    raise AssertionError("Bulk can't carry these columns")


def _by_rest(connection: Connection, way: Way, page: dict[str, Any], few: bool = False) -> Answer:
    return Answer(page["totalSize"], _json_rows(connection, way, page, few), pages=_json_pages(connection, way, page))


def _json_rows(connection: Connection, way: Way, page: dict[str, Any], few: bool = False) -> Iterator[Record]:
    pages = connection.pages_from(page)
    for one in pages if few or page.get("done", True) else ahead(pages):
        for raw in one["records"]:
            yield way.from_json(raw)


def _json_pages(connection: Connection, way: Way, page: dict[str, Any]) -> Iterator[list[Row]]:
    read = None if way.columns is None else page_reader(way.columns)
    if way.columns is None or read is None:
        found = ahead(connection.pages_from(page))
        yield from ([tuple(way.from_json(raw).values()) for raw in one["records"]] for one in found)
        return
    pick = row_of([path for path, _ in way.columns.values()])
    yield list(map(pick, page["records"]))
    if page.get("done", True):
        return
    behind = connection.pages_from(page, read)
    next(behind)
    yield from (one["records"] for one in ahead(behind))

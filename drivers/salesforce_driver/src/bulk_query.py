"""Reading by the Bulk API 2.0: one job, pages of CSV by locator, each complete before a row of it is passed on."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrator_drivers import Mode, Record, current_mode
from integrator_drivers.ahead import ahead
from integrator_drivers.errors import DriverError, ForbiddenError, NotFoundError, ValidationError
from integrator_drivers.records import Row

from .connection import Connection
from .csv_page import Block, Page
from .jobs import finished
from .tables import fetched

__all__ = ["BULK_FROM", "PAGE_ROWS", "blocks", "pages", "records", "start", "worth_it"]

# Ten pages of REST. A job costs some requests and a wait in Salesforce's queue before the first row comes; below this
# size REST is done by then. Salesforce itself recommends Bulk queries from 10,000 records on.
BULK_FROM = 20_000
PAGE_ROWS = 100_000  # a page is never in memory as a whole, so it may be large


def worth_it(count: int) -> bool:
    """Is so large an answer better read by Bulk? Never in discovery, which looks at few rows and waits for none."""
    return count >= BULK_FROM and current_mode() is not Mode.DISCOVERY


@dataclass(frozen=True)
class Job:
    """A query that was run; its rows wait at Salesforce."""

    id: str
    count: int


def start(connection: Connection, soql: str, *, deleted: bool = False) -> Job | None:
    """Start a job and wait for its end. None where Salesforce can't answer this by Bulk."""
    try:
        job = str(connection.query_job(soql, all_rows=deleted)["id"])
    except (ValidationError, ForbiddenError, NotFoundError):
        return None
    ended = finished(connection, f"jobs/query/{job}", "Nothing was read.")
    return Job(job, int(ended.get("numberRecordsProcessed", 0))) if ended["state"] == "JobComplete" else None


def blocks(connection: Connection, job: str, paths: Sequence[str]) -> Iterator[Block]:
    """The rows of a finished job as CSV, with the columns `paths` in that order."""
    first = True
    for page, expected in ahead(_pages(connection, job), lambda found: found[0].close()):
        try:
            yield from _in_order(page, expected, paths, first)
        finally:
            page.close()
        first = False


def records(found: Iterable[Block], convert: Callable[[Sequence[str]], Record]) -> Iterator[Record]:
    """The rows of blocks; `convert` is a `rows.cells_reader`."""
    for block in found:
        for cells in csv.reader(io.StringIO(block.data.decode(), newline="")):
            yield convert(cells)


def _pages(connection: Connection, job: str) -> Iterator[tuple[Page, int]]:
    """The pages of a finished job, and how many rows each says it has."""
    locator, read = "", 0
    while True:
        done = f"{read:,} rows were read." if read else "Nothing was read."
        page, expected, locator = _page(connection, job, locator, done)
        yield page, expected
        read += expected
        if not locator:
            return


def pages(found: Iterable[Block], convert: Callable[[Sequence[str]], Row]) -> Iterator[list[Row]]:
    """The same as tuples, some thousand at a time; `convert` is a `rows.cells_row`."""
    for block in found:
        yield list(map(convert, csv.reader(io.StringIO(block.data.decode(), newline=""))))


def _page(connection: Connection, job: str, locator: str, done: str) -> tuple[Page, int, str]:
    """A page that is whole, how many rows it says it has, and where the next one is ("" after the last)."""
    params = {"maxRecords": str(PAGE_ROWS)} | ({"locator": locator} if locator else {})
    page, headers = fetched(connection, f"jobs/query/{job}/results", params, done, _number)
    following = headers.get("Sforce-Locator", "null")
    return page, _number(headers) or 0, "" if following == "null" else following


def _number(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Sforce-NumberOfRecords", "")
    return int(text) if text.isdigit() else None


def _in_order(page: Page, expected: int, paths: Sequence[str], first: bool) -> Iterator[Block]:
    """The rows of a page with its columns in our order. Later pages may come with or without a header."""
    if page.rows == 0:
        return
    header = page.rows == expected + 1
    names = [name.casefold() for name in page.first_row()] if header else []
    wanted = [path.casefold() for path in paths]
    if (header or first) and sorted(names) != sorted(wanted):
        raise DriverError(
            f"Salesforce answered a bulk query with the columns {', '.join(page.first_row())} "
            f"instead of {', '.join(paths)}. Nothing of that page was used."
        )
    found = page.blocks(header=header)
    yield from found if names == wanted or not header else _turned(found, [names.index(name) for name in wanted])


def _turned(found: Iterable[Block], order: Sequence[int]) -> Iterator[Block]:
    for block in found:
        out = io.StringIO()
        for cells in csv.reader(io.StringIO(block.data.decode(), newline="")):
            out.write(",".join('"' + cells[at].replace('"', '""') + '"' if cells[at] else "" for at in order) + "\n")
        yield Block(out.getvalue().encode(), block.rows)

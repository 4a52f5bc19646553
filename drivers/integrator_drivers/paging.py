"""Sources by the page: batches of CSV as it was sent or of rows as tuples, without a look at each row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import ValidationError
from .protocols import Record
from .records import Records, Row, row_of

__all__ = ["Chunk", "Place", "csv_chunks", "row_chunks"]

BATCH_BYTES = 4 * 1024 * 1024
PAGE_ROWS = 2_000  # what stays in the processor's cache
_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)')


class Place(Protocol):
    """The parts of a `Target` that matter here."""

    client: Any
    object: str


@dataclass
class Chunk:
    """One batch on its way, its values in the order of the records' fields: either `blocks` of CSV or `pages` of rows.

    `odd` are rows that are looked at one by one: those without a key, and dicts that lack a field or have one more.
    """

    names: list[str]
    blocks: list[bytes] = field(default_factory=list)
    pages: list[list[Row]] = field(default_factory=list)
    odd: list[Record] = field(default_factory=list)
    duplicates: int = 0  # rows left out because their key came before
    read: int = 0  # rows that the source has sent for this chunk

    @property
    def size(self) -> int:
        """Rows in blocks or pages."""
        return self.read - len(self.odd) - self.duplicates

    def records(self, booleans: Iterable[str] = ()) -> Iterator[Record]:
        """The rows of blocks or pages as dicts; of CSV every value is text, but for those named.

        Raises ValidationError where a line is no CSV of these columns.
        """
        for page in self.pages:
            for row in page:
                yield dict(zip(self.names, row, strict=True))
        for cells in _cells(self.names, b"".join(self.blocks).decode()):
            record: Record = dict(zip(self.names, cells, strict=True))
            for name in booleans:
                record[name] = record[name] == "true"
            yield record


def csv_chunks(records: Records, key: str, size: int) -> Iterator[Chunk | None]:
    """Batches of some megabytes, or of `size` rows where the source sends those instead.

    None now and then, while one is not full: time to look after other things.
    """
    names = list(records.fields)
    at = names.index(key)
    chunk, length = Chunk(names), 0
    with closing(records.pieces()) as pieces:  # type: ignore[type-var]  # a generator in fact
        for piece in pieces:
            if isinstance(piece, tuple):
                block, rows = piece
                chunk.blocks.append(block)
                chunk.read += rows
                length += len(block)
            else:
                chunk.read += len(piece)
                _take(chunk, piece, at, None)
            if length >= BATCH_BYTES or chunk.read >= size > 0 == length:
                yield chunk
                chunk, length = Chunk(names), 0
            else:
                yield None
    if chunk.read or chunk.blocks:
        yield chunk


def row_chunks(records: Records, key: str, size: int, seen: set[Any] | None) -> Iterator[Chunk | None]:
    """Batches of `size` rows, None as above. `seen` are the keys so far, of which the first row counts.

    Without `seen` none comes twice.
    """
    names = list(records.fields)
    at = names.index(key)
    chunk = Chunk(names)
    for page, odd in _pages(records, names, size):
        start = 0
        while start < len(page) or odd:
            part = page[start : start + size - chunk.read] if start or len(page) > size - chunk.read else page
            start += len(part)
            chunk.read += len(part) + len(odd)
            for record in odd:
                _take_odd(chunk, record, key, seen)
            odd = []
            _take(chunk, part, at, seen)
            if chunk.read >= size:
                yield chunk
                chunk = Chunk(names)
        yield None
    if chunk.read:
        yield chunk


def _take(chunk: Chunk, page: list[Row], at: int, seen: set[Any] | None) -> None:
    """Add a page, but for rows without a key or with one that came before."""
    keys = [row[at] for row in page]
    if None in keys:
        chunk.odd += [dict(zip(chunk.names, row, strict=True)) for row in page if row[at] is None]
        page = [row for row in page if row[at] is not None]
        keys = [row[at] for row in page]
    if seen is not None:
        fresh: list[Row] = []
        for value, row in zip(keys, page, strict=True):
            if value in seen:
                chunk.duplicates += 1
            else:
                seen.add(value)
                fresh.append(row)
        page = fresh
    if page:
        chunk.pages.append(page)


def _take_odd(chunk: Chunk, record: Record, key: str, seen: set[Any] | None) -> None:
    value = record.get(key)
    if seen is not None and value is not None:
        if value in seen:
            chunk.duplicates += 1
            return
        seen.add(value)
    chunk.odd.append(record)


def _pages(records: Records, names: list[str], size: int) -> Iterator[tuple[list[Row], list[Record]]]:
    """Pages of rows, and rows that don't have just these fields."""
    pages = records.tuples(min(size, PAGE_ROWS))
    if pages is not None:
        with closing(pages):  # type: ignore[type-var]  # a generator in fact
            for page in pages:
                yield page, []
        return
    pick, width = row_of(names), len(names)
    for batch in records.batches(min(size, PAGE_ROWS)):
        try:
            if set(map(len, batch)) == {width}:
                yield list(map(pick, batch)), []
                continue
        except KeyError:
            pass  # sorted out below
        whole = [row.keys() == set(names) for row in batch]
        yield (
            [pick(row) for row, is_whole in zip(batch, whole, strict=True) if is_whole],
            [row for row, is_whole in zip(batch, whole, strict=True) if not is_whole],
        )


def _cells(names: list[str], text: str) -> Iterator[list[str | None]]:
    cells: list[str | None] = []
    at = 0
    while at < len(text):
        found = _CELL.match(text, at)
        if found is None:
            raise ValidationError("The source sent a line that is no CSV. This batch was not written.")
        at = found.end()
        quoted, plain, end = found.groups()
        cells.append(plain or None if quoted is None else quoted.replace('""', '"'))
        if end == ",":
            continue
        if len(cells) != len(names):
            raise ValidationError(
                f"The source sent a line of {len(cells)} values for {len(names)} columns. This batch was not written."
            )
        yield cells
        cells = []

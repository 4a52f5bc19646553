"""`Records`: what a read gives back, a stream that never holds more than a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from . import files
from .errors import FieldNotFoundError, ValidationError, near_matches
from .protocols import Field, Record
from .report import report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Piece", "Records", "Row", "chained", "row_of"]

Row = tuple[Any, ...]  # the values of one record, in the order of its fields
Piece = tuple[bytes, int] | list[Row]  # CSV and how many rows it has, or rows

FIRST_ROWS = 20  # of a file, reported so that a person can look at them

CSV_ROWS = 2_000  # rows a block of CSV where it is made here


class Records:
    """Records of one object, read only while somebody goes through them, in bounded memory.

    `rows` is a function that starts a fresh read each time it is called (what drivers give), a list, or an iterator,
    which can be gone through once. `system` and `obj` name the source for the report. `csv` starts a read too, where a
    source sends CSV: blocks of whole lines without the header, and how many rows each has (see `csv_pages`), or rows
    where it turns out that this answer does not come as CSV. `tuples`
    starts one that gives pages of tuples (of about so many rows), for sources that can do so faster than by dicts.
    """

    def __init__(
        self,
        fields: Mapping[str, Field],
        rows: Callable[[], Iterable[Record]] | Iterable[Record],
        *,
        system: str = "",
        obj: str = "",
        source_count: int | None = None,
        csv: Callable[[], Iterator[Piece]] | None = None,
        tuples: Callable[[int], Iterator[list[Row]]] | None = None,
    ) -> None:
        self._fields = dict(fields)
        self._rows = rows
        self._csv = csv
        self._tuples = tuples
        self._used = False
        self._reported = False
        self._read: int | None = len(rows) if isinstance(rows, list | tuple) else None
        self.system = system
        self.obj = obj
        self.source_count = source_count  # the source's own count; a driver may set it when it learns it

    def read_by(self, rows: Callable[[], Iterable[Record]]) -> Self:
        """Set the function that starts a read; for drivers whose reads tell these records their `source_count`."""
        self._rows, self._read, self._csv, self._tuples = rows, None, None, None
        return self

    @property
    def fields(self) -> dict[str, Field]:
        """Name -> field, in column order."""
        return self._fields

    @property
    def count(self) -> int | None:
        """How many rows there are; None until they were gone through or the source said so."""
        return self._read if self._read is not None else self.source_count

    def rows(self) -> Iterator[Record]:
        """One dict per record, in the order of `fields`. Each call reads afresh, unless it was made of an iterator."""
        if callable(self._rows):
            source = self._rows()
        else:
            source = self._rows
            if isinstance(source, Iterator):
                if self._used:
                    raise ValidationError(
                        "These records can be gone through only once, and they were. Read them again."
                    )
                self._used = True
        count = 0
        try:
            for row in source:
                count += 1
                yield row
        finally:
            if isinstance(source, Iterator) and hasattr(source, "close"):
                source.close()
        self._ended(count)

    __iter__ = rows

    def csv_pages(self) -> Iterator[bytes]:
        """The rows as CSV (UTF-8), in blocks of whole lines; the first block is the header line.

        Where the source sends CSV its bytes are passed on, without a look at each row. An empty field is no value, ""
        an empty text, as COPY of PostgreSQL reads it. Each call reads afresh.
        """
        yield _csv_line(self._fields)
        with closing(self.csv_blocks()) as blocks:  # type: ignore[type-var]  # a generator in fact
            for block, _ in blocks:
                yield block

    def csv_blocks(self) -> Iterator[tuple[bytes, int]]:
        """The same without the header line, each block with its number of rows."""
        with closing(self.pieces()) as pieces:  # type: ignore[type-var]  # a generator in fact
            for piece in pieces:
                yield piece if isinstance(piece, tuple) else (b"".join(map(_csv_line, piece)), len(piece))

    def pieces(self) -> Iterator[Piece]:
        """The same, rows as rows where the source does not send this answer as CSV."""
        if self._csv is None:
            yield from self._picked(list(self._fields), CSV_ROWS)
            return
        count = 0
        with closing(self._csv()) as pieces:  # type: ignore[type-var]  # a generator in fact
            for piece in pieces:
                count += piece[1] if isinstance(piece, tuple) else len(piece)
                yield piece
        self._ended(count)

    @property
    def sends_csv(self) -> bool:
        """Does `csv_pages` pass on what the source sends?"""
        return self._csv is not None

    def _ended(self, count: int) -> None:
        self._read = count
        if self.system and not self._reported:
            self._reported = True
            report("read", system=self.system, object=self.obj, rows=count, fields=list(self._fields))

    def batches(self, size: int) -> Iterator[list[Record]]:
        """Lists of `size` records, the last one shorter."""
        if size < 1:
            raise ValidationError("A batch needs at least one row.")
        with closing(self.rows()) as rows:  # type: ignore[type-var]  # a generator in fact
            while batch := list(islice(rows, size)):
                yield batch

    def renamed(self, columns: Mapping[str, str]) -> Records:
        """The same records under other field names (old -> new), only those named, in that order."""
        unknown = [name for name in columns if name not in self._fields]
        if unknown:
            raise FieldNotFoundError(
                f'These records have no field "{unknown[0]}"; they have {", ".join(self._fields)}.',
                near_matches(unknown[0], self._fields),
            )
        twice = sorted({name for name in columns.values() if list(columns.values()).count(name) > 1})
        if twice:
            raise ValidationError(f"Two fields would get the same name: {', '.join(twice)}.")
        pairs = list(columns.items())

        def rows() -> Iterator[Record]:
            with closing(self.rows()) as source:  # type: ignore[type-var]  # a generator in fact
                for row in source:
                    yield {new: row.get(old) for old, new in pairs}

        as_sent = self._csv is not None and [old for old, _ in pairs] == list(self._fields)
        csv = self.pieces if as_sent else None
        fields = {new: self._fields[old] for old, new in pairs}
        return Records(fields, rows, csv=csv, tuples=lambda size: self._picked([old for old, _ in pairs], size))

    def tuples(self, size: int) -> Iterator[list[Row]] | None:
        """The rows as tuples in the order of `fields`, about `size` at a time.

        None where rows may lack fields or have more than those.
        """
        return None if self._tuples is None else self._counted(self._tuples(size))

    def _counted(self, pages: Iterator[list[Row]]) -> Iterator[list[Row]]:
        count = 0
        with closing(pages):  # type: ignore[type-var]  # a generator in fact
            for page in pages:
                count += len(page)
                yield page
        self._ended(count)

    def _picked(self, names: list[str], size: int) -> Iterator[list[Row]]:
        """Pages of the values of these fields, None where a row lacks one."""
        pages = self.tuples(size)
        if pages is None:
            yield from self._picked_of_dicts(names, size)
            return
        every = list(self._fields)
        pick = None if names == every else row_of([every.index(name) for name in names])
        with closing(pages):  # type: ignore[type-var]
            for page in pages:
                yield page if pick is None else list(map(pick, page))

    def _picked_of_dicts(self, names: list[str], size: int) -> Iterator[list[Row]]:
        pick = row_of(names)
        for batch in self.batches(size):
            try:
                yield list(map(pick, batch))
            except KeyError:
                yield [tuple(map(row.get, names)) for row in batch]

    def first(self, count: int) -> list[Record]:
        """The first rows; reading stops there."""
        with closing(self.rows()) as rows:  # type: ignore[type-var]
            return list(islice(rows, count))

    def to_dataframe(self, limit: int | None = None) -> pd.DataFrame:
        """All rows, or the first `limit`, with a column type that allows empty values.

        Whole numbers become Int64, other numbers float64, dates and times UTC timestamps, the rest text or objects.
        """
        from .frames import dataframe

        return dataframe(self._fields, self.rows() if limit is None else self.first(limit))

    def to_csv(self, path: str | Path) -> Path:
        """UTF-8 with a header line. An empty field is no value, "" an empty text; JSON values as JSON, bytes as hex."""
        return self._write(path, files.write_csv)

    def to_json(self, path: str | Path) -> Path:
        """One array of objects, UTF-8; times in ISO 8601, exact decimals as numbers."""
        return self._write(path, files.write_json)

    def to_jsonl(self, path: str | Path) -> Path:
        """One object a line, UTF-8."""
        return self._write(path, files.write_jsonl)

    def to_parquet(self, path: str | Path) -> Path:
        """Typed columns, for analysis. Needs pyarrow."""
        return self._write(path, files.write_parquet)

    def _write(self, path: str | Path, writer: files.FileWriter) -> Path:
        """Write beside `path` and rename, so that a file is whole or not there."""
        target = Path(path)
        with files.replacing(target) as part, closing(self.rows()) as rows:  # type: ignore[type-var]
            first = list(islice(rows, FIRST_ROWS))
            count = writer(part, self._fields, chain(first, rows))
        size = target.stat().st_size
        report("file", path=str(path), rows=count, bytes=size, columns=list(self._fields), first=first)
        return target


def _csv_line(values: Iterable[Any]) -> bytes:
    return (",".join(map(files._csv_cell, values)) + "\n").encode(errors="backslashreplace")


def row_of(places: list[Any]) -> Callable[[Any], Row]:
    """A function that takes these items of a record, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda record: tuple(record[place] for place in places)


def chained(parts: list[Records]) -> Records:
    """Records of the same fields, one after the other."""

    def rows() -> Iterator[Record]:
        for part in parts:
            with closing(part.rows()) as stream:  # type: ignore[type-var]  # a generator in fact
                yield from stream

    def tuples(size: int) -> Iterator[list[Row]]:
        names = list(parts[0].fields)
        for part in parts:
            with closing(part._picked(names, size)) as pages:  # type: ignore[type-var]
                yield from pages

    def csv() -> Iterator[Piece]:
        for part in parts:
            with closing(part.pieces()) as pieces:  # type: ignore[type-var]
                yield from pieces

    return Records(parts[0].fields, rows, csv=csv if all(part.sends_csv for part in parts) else None, tuples=tuples)

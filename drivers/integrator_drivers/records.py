"""`Records`: what a read gives back, a stream that never holds more than a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from . import files
from .errors import FieldNotFoundError, ValidationError, near_matches
from .protocols import Field, Record
from .report import report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Records"]


class Records:
    """Records of one object, read only while somebody goes through them, in bounded memory.

    `rows` is a function that starts a fresh read each time it is called (what drivers give), a list, or an iterator,
    which can be gone through once. `system` and `obj` name the source for the report.
    """

    def __init__(
        self,
        fields: Mapping[str, Field],
        rows: Callable[[], Iterable[Record]] | Iterable[Record],
        *,
        system: str = "",
        obj: str = "",
        source_count: int | None = None,
    ) -> None:
        self._fields = dict(fields)
        self._rows = rows
        self._used = False
        self._reported = False
        self._read: int | None = len(rows) if isinstance(rows, list | tuple) else None
        self.system = system
        self.obj = obj
        self.source_count = source_count  # the source's own count; a driver may set it when it learns it

    def read_by(self, rows: Callable[[], Iterable[Record]]) -> Self:
        """Set the function that starts a read; for drivers whose reads tell these records their `source_count`."""
        self._rows, self._read = rows, None
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
        self._read = count
        if self.system and not self._reported:
            self._reported = True
            report("read", system=self.system, object=self.obj, rows=count, fields=list(self._fields))

    __iter__ = rows

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

        return Records({new: self._fields[old] for old, new in pairs}, rows)

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
            count = writer(part, self._fields, rows)
        report("file", path=str(path), rows=count, bytes=target.stat().st_size)
        return target

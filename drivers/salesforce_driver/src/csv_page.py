"""One page of a Bulk result: kept outside of memory when it is large, cut into blocks of whole rows, rows counted.

Nothing here looks at single rows, unless a value holds quotes; a newline inside a quoted value ends no row.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Block", "Page"]

IN_MEMORY = 8 * 1024 * 1024  # bytes of a page; more goes to a temporary file
BLOCK = 512 * 1024  # bytes
UNIMPORTANT = bytes(code for code in range(256) if code not in b'"\n')
# Every cell in quotes and none with quotes inside: then two quotes side by side are an empty cell.
PLAIN = re.compile(rb'(?:"[^"]*+"[,\n])*+')
CELL = re.compile(rb'("(?:[^"]|"")+")|""')  # a quoted cell, or an empty one

csv.field_size_limit(max(csv.field_size_limit(), 16 * 1024 * 1024))  # long text is longer than the default allows


class Block(NamedTuple):
    """Whole rows."""

    data: bytes
    rows: int


class Page:
    """Takes the bytes of a page as they come; `rows` counts the lines, the header among them."""

    def __init__(self) -> None:
        self.rows = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._blocks: list[tuple[int, int]] = []  # bytes, rows
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self._rest += data
        if len(self._rest) >= BLOCK and (end := _last_row_end(self._rest)):
            self._keep(self._rest[:end])
            self._rest = self._rest[end:]

    def finish(self) -> bool:
        """The end of the page; False when it ends inside a value."""
        if self._rest:
            if self._rest.count(b'"') % 2:
                return False
            self._keep(self._rest if self._rest.endswith(b"\n") else self._rest + b"\n")
            self._rest = b""
        return True

    def first_row(self) -> list[str]:
        """The cells of the first line, which may be a header."""
        if not self._blocks:
            return []
        self._file.seek(0)
        text = self._file.read(self._blocks[0][0]).decode()
        return next(csv.reader(io.StringIO(text, newline="")), [])

    def blocks(self, *, header: bool) -> Iterator[Block]:
        """The rows, without the first line where that is a header; a cell without a value is empty, unquoted."""
        self._file.seek(0)
        for number, (size, rows) in enumerate(self._blocks):
            data = self._file.read(size)
            if number == 0 and header:
                data = data[data.index(b"\n") + 1 :]
                rows -= 1
            if rows:
                yield Block(_unquoted_empty(data), rows)

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def _keep(self, data: bytes) -> None:
        rows = _row_count(data)
        self._file.write(data)
        self._blocks.append((len(data), rows))
        self.rows += rows


def _row_count(data: bytes) -> int:
    """Line ends outside of quotes in whole rows."""
    marks = data.translate(None, UNIMPORTANT).replace(b'""', b"")
    if b'"' not in marks:
        return marks.count(b"\n")
    return b"".join(marks.split(b'"')[::2]).count(b"\n")


def _last_row_end(data: bytes) -> int:
    """Where the last whole row ends; 0 where none does. The data starts at the start of a row."""
    quotes = data.count(b'"')
    end = len(data)
    while (found := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', found, end)
        if quotes % 2 == 0:
            return found + 1
        end = found
    return 0


def _unquoted_empty(data: bytes) -> bytes:
    """`""` for no value becomes nothing at all. Rows that hold quotes themselves are taken apart cell by cell."""
    if PLAIN.fullmatch(data):
        return data.replace(b'""', b"")
    done: list[bytes] = []
    waiting: list[bytes] = []  # lines of a row that has not ended
    quotes = 0
    for line in data.splitlines(keepends=True):
        if not waiting and PLAIN.fullmatch(line):
            done.append(line.replace(b'""', b""))
            continue
        waiting.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            done.append(CELL.sub(rb"\1", b"".join(waiting)))
            waiting.clear()
            quotes = 0
    return b"".join(done)

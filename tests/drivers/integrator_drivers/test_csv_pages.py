from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from integrator_drivers import Field, Records

FIELDS: dict[str, Field] = {
    name: {"type": "text", "native_type": "text", "nullable": True} for name in ("Id", "Name", "Changed")
}
ROWS = [
    {"Id": "1", "Name": 'A "quoted"\nname, é 😀', "Changed": datetime(2026, 11, 21, 3, tzinfo=UTC)},
    {"Id": "2", "Name": "", "Changed": None},
    {"Id": "3", "Name": None, "Changed": None},
]


def test_rows_become_csv_with_one_header_and_no_value_differs_from_empty_text() -> None:
    records = Records(FIELDS, ROWS)
    text = b"".join(records.csv_pages()).decode()
    assert not records.sends_csv
    assert text.splitlines()[-2:] == ['2,"",', "3,,"]
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["Id", "Name", "Changed"]
    assert rows[1] == ["1", 'A "quoted"\nname, é 😀', "2026-11-21T03:00:00+00:00"]


def test_many_rows_come_in_blocks_of_whole_lines() -> None:
    many = ({"Id": str(n), "Name": "x", "Changed": None} for n in range(4_500))
    pages = list(Records(FIELDS, many).csv_pages())
    assert len(pages) == 4
    assert all(page.endswith(b"\n") for page in pages)
    assert sum(page.count(b"\n") for page in pages) == 4_501


def test_what_the_source_sends_is_passed_on_under_the_names_of_these_records() -> None:
    def blocks() -> Iterator[tuple[bytes, int]]:
        yield b'"1","a",\n"2","b",\n', 2
        yield b'"3","c",\n', 1

    records = Records(FIELDS, ROWS, csv=blocks)
    assert records.sends_csv
    assert list(records.csv_pages()) == [b"Id,Name,Changed\n", b'"1","a",\n"2","b",\n', b'"3","c",\n']
    assert records.count == 3
    renamed = records.renamed({"Id": "id", "Name": "full name", "Changed": "changed, at"})
    assert renamed.sends_csv
    assert next(renamed.csv_pages()) == b'id,full name,"changed, at"\n'
    turned: Any = records.renamed({"Name": "name", "Id": "id"})
    assert not turned.sends_csv
    assert b"".join(turned.csv_pages()).decode().splitlines()[-2:] == ['"",2', ",3"]

"""CSV of a source goes into PostgreSQL as it is, and ends as the same rows do one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest

from integrator_drivers import DriverError, Receipt, Records, RowLimitError, Source, Target, ValidationError, sync
from postgresql_driver import PostgresClient

Admin = psycopg.Connection[Any]
Schema = Callable[[str], str]
Mode = Callable[[str], None]
PAGING = import_module("integrator_drivers.paging")
FIELDS: Any = {
    "Id": {"type": "text", "native_type": "id", "nullable": False, "primary_key": True},
    "Name": {"type": "text", "native_type": "string", "nullable": True},
    "Size": {"type": "number", "native_type": "double", "nullable": True},
    "Changed": {"type": "datetime", "native_type": "datetime", "nullable": True},
}
NAMES = {"Id": "id", "Name": "name", "Size": "size", "Changed": "changed"}


class Bulk:
    """Sends CSV of blocks; going through its rows one by one is a mistake of the caller."""

    def __init__(self, *blocks: str) -> None:
        self.blocks = blocks

    def get_fields(self, obj: str) -> Any:
        return FIELDS

    def read(self, obj: str, fields: Any = None, **_: Any) -> Records:
        def rows() -> Iterator[dict[str, Any]]:
            raise AssertionError("rows were looked at")

        def pages() -> Iterator[tuple[bytes, int]]:
            for block in self.blocks:
                yield block.encode(), sum(1 for _ in csv.reader(io.StringIO(block, newline="")))

        return Records(FIELDS, rows, csv=pages)


def run(target: str, *blocks: str) -> Receipt:
    with PostgresClient() as client:
        return sync(Source(Bulk(*blocks), "Thing", NAMES), Target(client, target), key="id")


def counts(receipt: Receipt) -> tuple[int, ...]:
    return (receipt.read, receipt.inserted, receipt.updated, receipt.unchanged, receipt.rejected)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PAGING, "BATCH_BYTES", 1)


AWKWARD = 'a,"Zoë ""q"", \\N\nnew line",1.50,2026-11-21T03:00:00.000+0100\n', 'b,"",,\nc,,7,\n'


def test_the_bytes_arrive_as_values(admin: Admin, mode: Mode, schema: Schema) -> None:
    place = schema("SELECT 1")
    first = run(f"{place}.t", *AWKWARD)
    assert counts(first) == (3, 3, 0, 0, 0)
    found = admin.execute(f"SELECT id, name, size::text, changed::text FROM {place}.t ORDER BY 1").fetchall()
    assert found == [
        ("a", 'Zoë "q", \\N\nnew line', "1.50", "2026-11-21 02:00:00+00"),
        ("b", "", None, None),
        ("c", None, "7", None),
    ]
    second = run(f"{place}.t", 'a,other,1.5,2026-11-21T02:00:00Z\nb,"",,\n', "d,new,,\n")
    assert counts(second) == (3, 1, 1, 1, 0)
    assert run(f"{place}.t", "d,new,,\n").written == 0


def test_a_bad_row_is_found_and_the_others_go_in(admin: Admin, mode: Mode, schema: Schema) -> None:
    place = schema("CREATE TABLE t (id text PRIMARY KEY, name varchar(5), size numeric, changed timestamptz)")
    for block in ("a,short,1,\nb,much too long,1,\nc,x,many,\nd,,2,\na,again,1,\n", "e,x,1,\na,first,1,\n,none,1,\n"):
        done = run(f"{place}.t", block)
        assert done.rejected == (3 if "much" in block else 1)
    assert admin.execute(f"SELECT id, name FROM {place}.t ORDER BY id").fetchall() == [
        ("a", "first"),
        ("d", None),
        ("e", "x"),
    ]


def test_a_line_that_would_end_the_copy_is_data(admin: Admin, mode: Mode, schema: Schema) -> None:
    place = schema("SELECT 1")
    assert run(f"{place}.t", 'a,"x\n\\.\ny ""z""",,\nb,"",1,\nc,,,\n').inserted == 3
    found = admin.execute(f"SELECT id, name, size FROM {place}.t ORDER BY id").fetchall()
    assert found == [("a", 'x\n\\.\ny "z"', None), ("b", "", 1), ("c", None, None)]


@pytest.mark.parametrize(
    ("block", "why"), [('a,b"c,,\n', "is no CSV"), ("a,1,,,\n", "5 values for 4"), ("a\n", "1 val")]
)
def test_what_is_no_csv_stops_the_run(admin: Admin, mode: Mode, schema: Schema, block: str, why: str) -> None:
    place = schema("SELECT 1")
    with pytest.raises(ValidationError, match=why):
        run(f"{place}.t", "x,1,,\n", block)
    assert admin.execute(f"SELECT id FROM {place}.t").fetchall() == [("x",)]


def test_an_empty_table_is_filled_without_a_stage_and_a_key_that_comes_later_again_is_still_right(
    admin: Admin, mode: Mode, schema: Schema
) -> None:
    place = schema("SELECT 1")
    done = run(f"{place}.t", "a,1,,\nb,1,,\n", "c,1,,\na,2,,\n", "d,1,,\n")
    assert counts(done) == (5, 4, 1, 0, 0)
    assert admin.execute(f"SELECT id, name FROM {place}.t ORDER BY 1").fetchall() == [
        ("a", "2"),
        ("b", "1"),
        ("c", "1"),
        ("d", "1"),
    ]


def test_the_ceiling_holds_before_the_commit(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = schema("SELECT 1")
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "3")
    with pytest.raises(RowLimitError, match="4 rows are more than the 3"):
        run(f"{place}.t", "a,1,,\nb,1,,\n", "c,1,,\nd,2,,\n")
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (2,)


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE t (id text, name text, size numeric, changed timestamptz)",
        "CREATE TABLE t (id text UNIQUE, name text, size numeric, changed timestamptz)",
        "CREATE TABLE t (id text PRIMARY KEY, name text, size numeric, changed timestamp)",
        "CREATE TABLE t (id text PRIMARY KEY, name text, size text, changed timestamptz)",
    ],
)
def test_where_the_server_would_read_the_text_otherwise_rows_are_looked_at(
    mode: Mode, schema: Schema, ddl: str
) -> None:
    place = schema(ddl)
    with pytest.raises(AssertionError, match="rows were looked at"):
        run(f"{place}.t", "a,1,,\n")


def test_a_row_that_was_lost_on_the_way_is_missed(mode: Mode, schema: Schema) -> None:
    place = schema("SELECT 1")

    class Miscounting(Bulk):
        def read(self, obj: str, fields: Any = None, **_: Any) -> Records:
            return Records(FIELDS, [], csv=lambda: (block for block in [(b"a,1,,\n", 2)]))

    with PostgresClient() as client, pytest.raises(DriverError, match="accounted for 1 of 2 rows"):
        sync(Source(Miscounting(), "Thing", NAMES), Target(client, f"{place}.t"), key="id")

"""CSV of a source goes into PostgreSQL as it is, and ends as the same rows do one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import psycopg
import pytest

from integrator_drivers import DriverError, Receipt, Records, RowLimitError, Source, Target, ValidationError, sync
from integrator_drivers.records import Piece
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


class Changing(Bulk):
    """The same with a cursor, and rows that the source has deleted."""

    breaks = False  # after the last block

    def get_fields(self, obj: str) -> Any:
        fields = {name: {**FIELDS[name], "nullable": name != "Changed" and FIELDS[name]["nullable"]} for name in FIELDS}
        return {**fields, "IsDeleted": {"type": "boolean", "native_type": "boolean", "nullable": False}}

    def read(
        self, obj: str, fields: Any = None, where: Any = None, deleted: bool = False, order_by: str = "", **_: Any
    ) -> Records:
        found = super().read(obj)
        every = self.get_fields(obj)
        assert list(fields) == ["Id", "Name", "Size", "Changed", "IsDeleted"]

        def pages() -> Iterator[Piece]:
            yield from found.pieces()
            if self.breaks:
                raise DriverError("It broke.")

        return Records({name: every[name] for name in fields}, found.rows, csv=pages)


def change(target: str, *blocks: str) -> Receipt:
    with PostgresClient() as client:
        return sync(Source(Changing(*blocks), "Thing", NAMES), Target(client, target), key="id", cursor="Changed")


def test_with_a_cursor_the_bytes_arrive_too_and_each_batch_commits_how_far_it_came(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_NOW", "2026-12-01T00:00:00Z")
    place = schema("SELECT 1")
    first = "a,one,1,2026-11-01T00:00:00Z,false\nb,two,,2026-11-03T00:00:00.000+0000,false\n"
    second = "c,,3,2026-11-02T00:00:00Z,false\n"
    done = change(f"{place}.t", first, second)
    assert counts(done) == (3, 3, 0, 0, 0)
    assert done.watermark_after == datetime(2026, 11, 3, tzinfo=UTC)
    again = change(f"{place}.t", first, second)
    assert counts(again) == (3, 0, 0, 3, 0)
    assert "nothing to write" in str(again)

    monkeypatch.setattr(Changing, "breaks", True)
    with pytest.raises(DriverError, match="It broke"):
        change(f"{place}.t", "d,four,4,2026-11-10T00:00:00Z,false\n", "e,five,5,2026-11-11T00:00:00Z,false\n")
    state = admin.execute(f"SELECT watermark, state->>'unfinished' FROM {place}.integrator_state").fetchone()
    assert state == (datetime(2026, 11, 11, tzinfo=UTC), "true")
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (5,)


def test_rows_deleted_in_the_source_are_marked_and_come_back(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_NOW", "2026-12-01T00:00:00Z")
    place = schema("SELECT 1")
    change(f"{place}.t", "a,one,1,2026-11-01T00:00:00Z,false\nb,two,2,2026-11-01T00:00:00Z,false\n")
    done = change(f"{place}.t", "a,gone,9,2026-11-02T00:00:00Z,true\nx,never,1,2026-11-02T00:00:00Z,true\n")
    assert counts(done) == (2, 0, 1, 1, 0)
    assert done.deleted == 1
    marked = f"SELECT id, name, deleted_at FROM {place}.t ORDER BY id"
    assert admin.execute(marked).fetchall() == [("a", "one", datetime(2026, 11, 2, tzinfo=UTC)), ("b", "two", None)]
    assert counts(change(f"{place}.t", "a,back,1,2026-11-03T00:00:00Z,false\n")) == (1, 0, 1, 0, 0)
    assert admin.execute(marked).fetchall() == [("a", "back", None), ("b", "two", None)]


def test_a_rejected_row_of_csv_holds_the_watermark_back(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_NOW", "2026-12-01T00:00:00Z")
    place = schema(
        "CREATE TABLE t (id text PRIMARY KEY, name text, size numeric CHECK (size < 9), changed timestamptz)"
    )
    done = change(
        f"{place}.t",
        "a,one,1,2026-11-01T00:00:00Z,false\nb,two,99,2026-11-02T00:00:00Z,false\n,none,1,2026-11-04T00:00:00Z,false\n",
        "c,three,3,2026-11-05T00:00:00Z,false\nc,again,4,2026-11-06T00:00:00Z,false\n",
    )
    assert (done.read, done.inserted, done.rejected) == (5, 2, 3)
    assert done.watermark_after == datetime(2026, 11, 2, tzinfo=UTC)
    assert admin.execute(f"SELECT id, name FROM {place}.t ORDER BY 1").fetchall() == [("a", "one"), ("c", "three")]

"""Batches that go in as they come end as the same rows looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib import import_module
from typing import Any

import psycopg
import pytest

from integrator_drivers import DriverError, Receipt, Records, RowLimitError, Target, sync
from postgresql_driver import PostgresClient

Admin = psycopg.Connection[Any]
Schema = Callable[[str], str]
Mode = Callable[[str], None]
TRANSFER = import_module("integrator_drivers.transfer")
LOADING = import_module("postgresql_driver.src.loading")

NOON = datetime(2026, 2, 28, 12, 0, 0, 123456)
VALUES: dict[str, list[Any]] = {
    "text": ["a\tb\\n\n", "", "Zoë", True, 5, 1.5, Decimal("1.50"), NOON, {"a": 1}, "nul\0", "\ud800", b"x"],
    "varchar(3)": ["abc", "abc   ", "abcd", 7, "\\N"],
    "char(4)": ["ab", "abcd ", "abcde"],
    "smallint": [1, -32768, 32768, True, "7", " 8 ", "7.0", 7.5, 3.0, Decimal("4"), "x", ""],
    "numeric(6,2)": [1, 1.005, "2.345", Decimal("9999.994"), 9999.995, Decimal("NaN"), float("inf"), "1e3", True, "x"],
    "numeric": [10**30, 1e22, Decimal("1E-7"), float("nan"), "Infinity"],
    "real": [1.1, 16777217, "1.1", Decimal("1.1"), 1e39, "x"],
    "double precision": [1.1, 2**63, "1.1", Decimal("0.1"), 1e308, "1e309"],
    "boolean": [True, False, "yes", "F", 1, 0, 2, "x"],
    "date": [date(2026, 2, 28), NOON, NOON.replace(tzinfo=timezone(timedelta(hours=13))), "2026-02-28", "2026-02-30"],
    "timestamp": [NOON, NOON.replace(tzinfo=timezone(timedelta(hours=-5))), "2026-02-28T12:00:00+05:30", "infinity"],
    "timestamptz": [
        NOON,
        NOON.replace(tzinfo=UTC),
        date(2026, 2, 28),
        "2026-02-28T12:00:00.000+0000",
        "2026-02-28 12:00:00.1234567Z",
        "20260228T120000",
        "2026-02-28T24:00:00Z",
        "2026-02-28T23:59:60Z",
        "2026-13-01T00:00:00Z",
        "yesterday",
        "02/28/2026",
        "infinity",
    ],
    "jsonb": [{"a": [1, None, "é"]}, [1, 2], "text", '{"b": 1}', 5, True, {"nul": "\0"}],
    "uuid": ["12345678-1234-5678-1234-567812345678", "12345678123456781234567812345678", "x"],
    "bytea": [b"\x00\xff", "text"],
    "int[]": [[1, None, 2], "{3,4}", 5, ["x"]],
    "mood": ["good", "bad", "ugly"],
    "mail": ["a@x", "nobody"],
}


def rows_of(kind: str) -> list[dict[str, Any]]:
    return [{"id": n, "v": value} for n, value in enumerate([None, *VALUES[kind]])]


def records(rows: list[dict[str, Any]]) -> Records:
    fields: Any = {
        "id": {"type": "integer", "native_type": "integer", "nullable": False},
        "v": {"type": "text", "native_type": "x", "nullable": True},
    }
    return Records(fields, rows)


def run(rows: list[dict[str, Any]], target: str) -> Receipt:
    with PostgresClient() as client:
        return sync(records(rows), Target(client, target), key="id")


@pytest.mark.parametrize("kind", VALUES)
def test_every_value_ends_as_it_does_alone(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = schema(
        "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');"
        + "".join(f"CREATE TABLE {name} (id int PRIMARY KEY, v {kind});" for name in ("together", "apart", "single"))
    )
    done = {"together": run(rows_of(kind), f"{place}.together")}
    monkeypatch.setattr(TRANSFER, "BATCH", 1)
    done["apart"] = run(rows_of(kind), f"{place}.apart")
    monkeypatch.setattr(PostgresClient, "takes", lambda *_, **__: False)
    done["single"] = run(rows_of(kind), f"{place}.single")
    assert done["single"].written > 1
    found = {
        name: (
            receipt.inserted,
            receipt.rejected,
            sorted(map(str, receipt.rejects)),
            admin.execute(f"SELECT id, v::text FROM {place}.{name} ORDER BY 1").fetchall(),
        )
        for name, receipt in done.items()
    }
    assert found["together"] == found["single"]
    assert found["apart"] == found["single"]


def test_rows_that_lack_a_field_leave_its_column_alone(admin: Admin, mode: Mode, schema: Schema) -> None:
    place = schema("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    done = run([{"id": 1, "v": "new"}, {"id": 2}, {"id": 3}, {"v": "lost"}, {"id": 1, "v": "late"}], f"{place}.t")
    assert (done.read, done.inserted, done.updated, done.unchanged, done.rejected, done.duplicates) == (
        5,
        1,
        1,
        1,
        1,
        1,
    )
    assert admin.execute(f"SELECT * FROM {place}.t ORDER BY id").fetchall() == [(1, "new"), (2, "old"), (3, None)]


def test_a_role_with_a_single_connection_writes_one_batch_after_the_other(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRANSFER, "BATCH", 2)
    place = schema("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (7, 'old')")
    admin.execute("ALTER ROLE integrator CONNECTION LIMIT 1")
    try:
        done = run([{"id": n, "v": "new"} for n in range(9)], f"{place}.t")
    finally:
        admin.execute("ALTER ROLE integrator CONNECTION LIMIT -1")
    assert (done.inserted, done.updated) == (8, 1)


@pytest.mark.parametrize("at", [2, 3])
def test_no_batch_stays_behind_one_that_failed(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(TRANSFER, "BATCH", 2)
    place = schema("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (100, 'old')")
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", str(2 * at - 1))
    with pytest.raises(RowLimitError):
        run([{"id": n, "v": "new"} for n in range(20)], f"{place}.t")
    assert admin.execute(f"SELECT array_agg(id ORDER BY id) FROM {place}.t WHERE v = 'new'").fetchone() == (
        list(range(2 * at - 2)),
    )
    assert admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'integrator' AND state <> 'idle'"
    ).fetchone() == (0,)


def test_what_was_read_before_the_source_broke_is_kept(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRANSFER, "BATCH", 2)
    place = schema("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (100, 'old')")

    def rows() -> Iterator[dict[str, Any]]:
        yield from ({"id": n, "v": "new"} for n in range(5))
        raise DriverError("It broke.")

    with PostgresClient() as client, pytest.raises(DriverError, match="It broke"):
        sync(Records(records([]).fields, rows), Target(client, f"{place}.t"), key="id")
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (5,)


def test_a_batch_that_is_written_is_not_held_back_by_a_slow_source(
    admin: Admin, mode: Mode, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRANSFER, "BATCH", 2)
    place = schema("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (100, 'old')")
    seen: list[int] = []

    def pages(size: int) -> Iterator[list[tuple[Any, ...]]]:
        for n in range(2, 9, 2):
            yield [(n, "new"), (n + 1, "new")]
        while len(seen) < 2000 and not (seen and seen[-1] == 8):
            found = admin.execute(f"SELECT count(*) FROM {place}.t WHERE v = 'new'").fetchone()
            seen.append(found[0] if found else 0)
            yield []

    source = Records(records([]).fields, [], tuples=pages)
    with PostgresClient() as client:
        sync(source, Target(client, f"{place}.t"), key="id")
    assert seen[-1] == 8

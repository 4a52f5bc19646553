"""Whatever the rows and whatever the table holds: a preview counts what the run does, and a second run does nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrator_drivers import Mode
from postgresql_driver import PostgresClient

COLUMNS = {
    "id": "varchar(4) PRIMARY KEY",
    "t": "varchar(5)",
    "u": "text UNIQUE",
    "n": "smallint NOT NULL DEFAULT 7",
    "x": "numeric(5,2) CHECK (x <> 3)",
    "f": "real",
    "b": "boolean",
    "d": "date",
    "m": "timestamptz",
    "j": "jsonb",
    "r": "int REFERENCES other",
}
POOLS: dict[str, list[Any]] = {
    "id": ["a", "b", "c", "A", "a ", "", "toolong", None, "é"],
    "t": [None, "", "x", "x    ", "xxxxx   ", "xxxxxx", "\0", "\ud800", 5, True, "\N{ROCKET}"],
    "u": [None, "one", "two", "ONE"],
    "n": [0, "1", 1.0, 1.5, "many", 40_000, True, None, Decimal(2), "  3 "],
    "x": [None, 1, "1.005", 1.005, Decimal("1.005"), 999.994, 999.995, "nan", "-0", 3, "3.001", "inf", []],
    "f": [None, 0.1, "0.1", 1e-40, 1e39, "NaN", "-Infinity", 16_777_217, "a"],
    "b": [None, True, "no", 0, 2, "T"],
    "d": [None, "2024-02-29", "2023-02-29", date(2020, 1, 1), datetime(2020, 1, 1, 23, tzinfo=UTC), "infinity", 5],
    "m": [
        None,
        "2026-01-01T00:00:00.000+0000",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01",
        datetime(2026, 1, 1, tzinfo=UTC),
        "2026-01-01T00:00:00.0000004Z",
        "soon",
    ],
    "j": [None, {"a": 1, "b": [1.0, None]}, '{"b": [1, null], "a": 1.0}', "text", "[1", 1, True, {"z": "\0"}],
    "r": [None, 1, 2, "1"],
}


def some_row() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: st.sampled_from(pool) for name, pool in POOLS.items()})


@pytest.fixture
def table(admin: psycopg.Connection[Any], schema: Any) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    place = schema(f"CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1); CREATE TABLE t ({columns})")
    return f"{place}.t"


@contextlib.contextmanager
def client_in(mode: Mode) -> Iterator[PostgresClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_MODE", mode)
        with PostgresClient() as client:
            yield client


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(some_row(), max_size=4), rows=st.lists(some_row(), min_size=1, max_size=8))
def test_a_preview_counts_what_the_run_does(
    admin: psycopg.Connection[Any], table: str, before: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> None:
    admin.execute(f"TRUNCATE {table}")
    with client_in(Mode.APPLY) as client:
        client.upsert(table, before, key="id")
    with client_in(Mode.PREVIEW) as client:
        foreseen = client.upsert(table, rows, key="id")
    with client_in(Mode.APPLY) as client:
        done = client.upsert(table, rows, key="id")
        again = client.upsert(table, rows, key="id")
    assert (foreseen.inserted, foreseen.updated, foreseen.unchanged) == (done.inserted, done.updated, done.unchanged)
    assert sorted(map(str, foreseen.rejected)) == sorted(map(str, done.rejected))
    assert done.inserted + done.updated + done.unchanged + len(done.rejected) == len(rows)
    assert (again.inserted, again.updated) == (0, 0)
    assert len(again.rejected) == len(done.rejected)

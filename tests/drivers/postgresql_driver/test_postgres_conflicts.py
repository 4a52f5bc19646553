"""A real table that others change: rows since the last run, and a source that got more fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from integrator_drivers import Source, Target, ValidationError, sync
from postgresql_driver import PostgresClient


@pytest.fixture
def tables(schema: Callable[[str], str]) -> tuple[str, str]:
    place = schema(
        "CREATE TABLE source (id int PRIMARY KEY, name text, amount numeric, seen timestamptz);"
        "INSERT INTO source SELECT n, 'name ' || n, n * 1.50, '2026-11-01'::timestamptz + n * interval '1 min'"
        " FROM generate_series(1, 50) AS n"
    )
    return f"{place}.source", f"{place}.target"


def test_a_changed_row_is_kept_and_the_others_are_written(
    tables: tuple[str, str], admin: psycopg.Connection[Any], postgres: dict[str, str]
) -> None:
    source, target = tables
    with PostgresClient() as client:
        first = sync(Source(client, source), Target(client, target), key="id", conflict="target")
        assert (first.inserted, first.kept) == (50, 0)
        assert any("integrator_state" in change for change in first.changes)
        again = sync(Source(client, source), Target(client, target), key="id", conflict="target")
        assert (again.unchanged, again.kept) == (50, 0)
        admin.execute(f"UPDATE {target} SET amount = 99 WHERE id = 7".encode())
        admin.execute(f"UPDATE {source} SET name = 'other' WHERE id IN (7, 8)".encode())
        third = sync(Source(client, source), Target(client, target), key="id", conflict="target")
    assert (third.updated, third.unchanged, third.kept) == (1, 48, 1)
    assert {entry["column"]: (str(entry["old"]), str(entry["new"])) for entry in third.conflicts} == {
        "amount": ("99", "10.50"),
        "name": ("name 7", "other"),
    }
    found = admin.execute(f"SELECT id, name, amount FROM {target} WHERE id IN (7, 8) ORDER BY 1".encode()).fetchall()
    assert [(row[1], str(row[2])) for row in found] == [("name 7", "99"), ("other", "12.00")]


def test_new_fields_of_the_source_stop_it_until_the_table_may_grow(
    tables: tuple[str, str], admin: psycopg.Connection[Any], postgres: dict[str, str]
) -> None:
    source, target = tables
    with PostgresClient() as client:
        sync(Source(client, source), Target(client, target), key="id")
        admin.execute(f"ALTER TABLE {source} ADD COLUMN city text DEFAULT 'Oslo'".encode())
        with pytest.raises(ValidationError, match=r"has no column for: city\. Nothing was written.*extend=True"):
            sync(Source(client, source), Target(client, target), key="id")
        named = sync(Source(client, source, ["id", "name"]), Target(client, target), key="id")
        assert (named.unchanged, named.changes) == (50, [])
        grown = sync(Source(client, source), Target(client, target), key="id", extend=True)
    assert (grown.updated, grown.changes) == (50, [f"ALTER TABLE {target} ADD COLUMN city text"])

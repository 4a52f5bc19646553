"""The allowed functions, held against the catalogue of a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integrator_magics.policy import Label, classify
from integrator_magics.policy.tables import sql_functions

# Volatile because their answer changes, not because they change anything.
ANSWERS_CHANGE = {
    "array_sample",
    "array_shuffle",
    "clock_timestamp",
    "gen_random_uuid",
    "pg_database_size",
    "pg_indexes_size",
    "pg_is_in_recovery",
    "pg_jit_available",
    "pg_partition_ancestors",
    "pg_partition_tree",
    "pg_relation_size",
    "pg_sequence_last_value",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
    "random",
    "random_normal",
    "timeofday",
}


@pytest.fixture(scope="module")
def volatile() -> Iterator[set[str]]:
    """Names of built-in functions the server itself calls volatile."""
    import psycopg

    from integrator_magics.errors import IntegratorError
    from integrator_practice import start

    try:
        practice = start("postgresql")
    except (IntegratorError, RuntimeError, OSError) as exc:
        pytest.skip(f"no practice PostgreSQL here: {exc}")
    env = practice.env
    with psycopg.connect(
        host=env["PGHOST"],
        port=env["PGPORT"],
        dbname=env["PGDATABASE"],
        user=env["PGUSER"],
        password=env["PGPASSWORD"],
    ) as connection:
        rows = connection.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'"
        ).fetchall()
    yield {row[0] for row in rows}
    practice.close()


def test_no_allowed_function_changes_anything(volatile: set[str]) -> None:
    assert sql_functions() & volatile <= ANSWERS_CHANGE


def test_every_other_volatile_function_is_refused(volatile: set[str]) -> None:
    assert len(volatile) > 100
    for name in sorted(volatile - ANSWERS_CHANGE):
        assert classify(f'SELECT pg_catalog."{name}"()', "sql").label in (Label.UNKNOWN, Label.DANGEROUS), name

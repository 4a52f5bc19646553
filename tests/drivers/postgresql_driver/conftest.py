"""One real PostgreSQL for these tests, the practice data in it, and a fresh schema for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest

from integrator_drivers.errors import DriverError
from integrator_practice.postgres import PostgresServer, find_binaries, start_server
from integrator_practice.postgres_seed import DATABASE, fill

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    try:
        find_binaries()
    except DriverError as exc:
        pytest.skip(str(exc))
    with start_server() as running:
        yield running


@pytest.fixture(scope="session")
def practice_env(server: PostgresServer) -> dict[str, str]:
    return fill(server, seed=1, rows=400)


@pytest.fixture
def postgres(practice_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The PG* variables of the practice database, in apply mode."""
    for name, value in practice_env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(import_module("integrator_drivers.transfer"), "_written", 0)
    for name in ("INTEGRATOR_MODE", "INTEGRATOR_MAX_ROWS", "INTEGRATOR_REPORT", "INTEGRATOR_NOW"):
        monkeypatch.delenv(name, raising=False)
    return practice_env


@pytest.fixture
def admin(server: PostgresServer, postgres: dict[str, str]) -> Iterator[psycopg.Connection[Any]]:
    """The superuser, autocommit."""
    with psycopg.connect(**{**server.admin, "dbname": DATABASE}, autocommit=True) as connection:
        yield connection


@pytest.fixture
def schema(admin: psycopg.Connection[Any]) -> Iterator[Callable[[str], str]]:
    """Run DDL as `integrator` in a schema of this test's own; gives the schema's name."""
    name = f"test_{next(_numbers)}"
    admin.execute(f"CREATE SCHEMA {name} AUTHORIZATION integrator")
    admin.execute(f"GRANT USAGE ON SCHEMA {name} TO reader, owner")
    admin.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT SELECT ON TABLES TO reader")

    def run(ddl: str) -> str:
        admin.execute("SET ROLE integrator")
        admin.execute(f"SET search_path = {name}")
        admin.execute(ddl)
        admin.execute("RESET ROLE")
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO reader")
        return name

    yield run
    admin.execute("RESET ROLE")
    admin.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def mode(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Switch the run mode."""

    def switch(name: str) -> None:
        monkeypatch.setenv("INTEGRATOR_MODE", name)

    return switch

"""Ours and the limit, each run in a process of its own: `python contenders.py NAME TABLE SOURCE FILE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from data import COLUMNS


def limit(table: str, source: str, file: str) -> None:
    """COPY of a ready file into a stage, and one INSERT ... ON CONFLICT."""
    import psycopg

    names = ", ".join(COLUMNS.values())
    new = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.values() if name != "id")
    with psycopg.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE stage ON COMMIT DROP AS TABLE {table} WITH NO DATA")
        with cursor.copy(f"COPY stage ({names}) FROM STDIN (FORMAT csv)") as copy, Path(file).open("rb") as ready:
            while data := ready.read(256 * 1024):
                copy.write(data)
        cursor.execute(f"INSERT INTO {table} SELECT * FROM stage ON CONFLICT (id) DO UPDATE SET {new}")


def ours(table: str, source: str, *, bulk: bool, cursor: str | None = None) -> None:
    """`sync` from Salesforce, as a generated script calls it."""
    from integrator_drivers import Source, Target, sync
    from postgresql_driver import PostgresClient
    from salesforce_driver import SalesforceClient
    from salesforce_driver.src import bulk_query

    os.environ.update(
        SALESFORCE_BASE_URL=source,
        SALESFORCE_DOMAIN="bench",
        SALESFORCE_CLIENT_ID="bench",
        SALESFORCE_CLIENT_SECRET="not-a-secret",
    )
    if not bulk:
        bulk_query.BULK_FROM = 10**12
    with SalesforceClient() as salesforce, PostgresClient() as postgres:
        sync(Source(salesforce, "Lead", COLUMNS), Target(postgres, table), key="id", cursor=cursor)


CONTENDERS: dict[str, Callable[[str, str, str], None]] = {
    "limit": limit,
    "ours, REST": lambda table, source, _: ours(table, source, bulk=False),
    "ours, Bulk": lambda table, source, _: ours(table, source, bulk=True),
    "ours, REST, cursor": lambda table, source, _: ours(table, source, bulk=False, cursor="SystemModstamp"),
    "ours, Bulk, cursor": lambda table, source, _: ours(table, source, bulk=True, cursor="SystemModstamp"),
}

if __name__ == "__main__":
    CONTENDERS[sys.argv[1]](*sys.argv[2:5])

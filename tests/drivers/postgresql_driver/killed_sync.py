"""Runs one sync over and over, each time in a fork that is killed at a given call: `killed_sync.py SCHEMA`.

Reads lines of JSON {"target", "kill_at", "way"}; answers how many Python and C calls the fork made, or null.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import psycopg  # noqa: F401  # loaded before the forks

from integrator_drivers import Records, Source, Target, sync
from integrator_drivers.records import Piece
from postgresql_driver import PostgresClient

BATCH = 20


WAYS = {"rows", "rows, cursor", "rows, cursor, sorted", "CSV", "CSV, cursor", "CSV, cursor, sorted"}


class Unsorted:
    """The same rows as the table `source`, without an order and with no word on it."""

    def __init__(self, client: PostgresClient, table: str) -> None:
        self.client, self.table = client, table

    def get_fields(self, obj: str) -> Any:
        return self.client.get_fields(self.table)

    def read(self, obj: str, fields: Any = None, where: Any = None, since: Any = None, until: Any = None) -> Records:
        return self.client.read(self.table, fields=fields, where=where)


class Bulk(Unsorted):
    """They come as CSV, in blocks of one batch."""

    def read(self, *args: Any, **more: Any) -> Records:
        return as_csv(super().read(*args, **more))


class SortedBulk(Bulk):
    """In order."""

    def read(  # type: ignore[override]
        self, obj: str, fields: Any = None, where: Any = None, since: Any = None, until: Any = None, order_by: str = ""
    ) -> Records:
        return as_csv(self.client.read(self.table, fields=fields, where=where, order_by=order_by or None))


def as_csv(found: Records) -> Records:
    def blocks() -> Iterator[Piece]:
        for batch in found.batches(BATCH):
            _, block = Records(found.fields, batch).csv_pages()
            yield block, len(batch)

    return Records(found.fields, found.rows, csv=blocks)


def transfer(schema: str, target: str, way: str) -> None:
    """The sync that is disturbed."""
    with PostgresClient() as client, PostgresClient() as other:
        table = f"{schema}.source"
        readers: dict[tuple[bool, bool], Any] = {
            (False, False): Unsorted(other, table),
            (False, True): other,
            (True, False): Bulk(other, table),
            (True, True): SortedBulk(other, table),
        }
        reader = readers["CSV" in way, "sorted" in way]
        source = Source(reader, table, {"id": "id", "v": "value", "n": "n"})
        cursor = "changed" if "cursor" in way else None
        sync(source, Target(client, f"{schema}.{target}"), key="id", cursor=cursor)


def run(schema: str, target: str, kill_at: int | None, way: str) -> int:
    """Calls made; never returns where the kill comes first."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)
    sys.setprofile(count)
    try:
        transfer(schema, target, way)
    finally:
        sys.setprofile(None)
    return calls


def main() -> None:
    import_module("integrator_drivers.transfer").BATCH = BATCH
    import_module("integrator_drivers.paging").BATCH_BYTES = 1
    os.environ["INTEGRATOR_NOW"] = datetime(2026, 12, 1, tzinfo=UTC).isoformat()
    for line in sys.stdin:
        asked = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            calls = run(sys.argv[1], asked["target"], asked["kill_at"], asked["way"])
            os.write(writing, str(calls).encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(pid, 0)
        print(os.read(reading, 20).decode() or "null", flush=True)
        os.close(reading)


if __name__ == "__main__":
    main()

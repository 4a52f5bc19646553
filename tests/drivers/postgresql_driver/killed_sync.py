"""Runs one sync over and over, each time in a fork that is killed at a given call: `killed_sync.py SCHEMA`.

Reads lines of JSON {"target", "kill_at", "sorted"}; answers how many Python and C calls the fork made, or null.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import psycopg  # noqa: F401  # loaded before the forks

from integrator_drivers import Records, Source, Target, sync
from postgresql_driver import PostgresClient

BATCH = 20


class Unsorted:
    """The same rows as the table `source`, without an order and with no word on it."""

    def __init__(self, client: PostgresClient, table: str) -> None:
        self.client, self.table = client, table

    def get_fields(self, obj: str) -> Any:
        return self.client.get_fields(self.table)

    def read(self, obj: str, fields: Any = None, where: Any = None, since: Any = None, until: Any = None) -> Records:
        return self.client.read(self.table, fields=fields, where=where)


def transfer(schema: str, target: str, *, in_order: bool) -> None:
    """The sync that is disturbed."""
    with PostgresClient() as client, PostgresClient() as other:
        table = f"{schema}.source"
        reader: Any = other if in_order else Unsorted(other, table)
        source = Source(reader, table, {"id": "id", "v": "value", "n": "n"})
        sync(source, Target(client, f"{schema}.{target}"), key="id", cursor="changed")


def run(schema: str, target: str, kill_at: int | None, *, in_order: bool) -> int:
    """Calls made; never returns where the kill comes first."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    try:
        transfer(schema, target, in_order=in_order)
    finally:
        sys.setprofile(None)
    return calls


def main() -> None:
    import_module("integrator_drivers.transfer").BATCH = BATCH
    os.environ["INTEGRATOR_NOW"] = datetime(2026, 12, 1, tzinfo=UTC).isoformat()
    for line in sys.stdin:
        asked = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            calls = run(sys.argv[1], asked["target"], asked["kill_at"], in_order=asked["sorted"])
            os.write(writing, str(calls).encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(pid, 0)
        print(os.read(reading, 20).decode() or "null", flush=True)
        os.close(reading)


if __name__ == "__main__":
    main()

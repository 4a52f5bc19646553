"""How fast `sync` writes into PostgreSQL, beside COPY of a ready file + ON CONFLICT: `python benchmarks/sync_bench.py`.

Run by hand (`make bench`). Arguments: numbers of rows, 100000 and 1000000 unless given. `rows` makes each row in the
process that writes it (`generate`: what that alone costs), `csv` reads the file that `limit` copies. The server is the
practice one (fsync off), on this machine. Each contender runs in a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from integrator_drivers import Records, Source, Target, sync
from integrator_practice.postgres import start_server
from integrator_practice.postgres_seed import fill
from postgresql_driver import PostgresClient

KINDS = {
    "id": "text",
    "name": "text",
    "email": "text",
    "company": "text",
    "city": "text",
    "source": "text",
    "score": "number",
    "is_open": "boolean",
    "created": "datetime",
    "changed": "datetime",
}
DDL = {"text": "text", "number": "numeric", "boolean": "boolean", "datetime": "timestamptz"}
START = datetime(2026, 1, 1, tzinfo=UTC)
BLOCK = 2_000  # rows


def row(number: int) -> list[str | None]:
    """Ten values, some of them missing or not ASCII."""
    moment = (START + timedelta(seconds=number)).isoformat()
    return [
        f"00Q{number:015d}",
        f"Jana Nováková {number}",
        f"person{number}@customer.example" if number % 7 else None,
        f"Company {number % 1000}, Inc.",
        "Brno" if number % 3 else None,
        "Web" if number % 2 else "",
        f"{number % 100}.5",
        "true" if number % 2 else "false",
        moment,
        moment,
    ]


def fields() -> Any:
    found: Any = {name: {"type": kind, "native_type": kind, "nullable": name != "id"} for name, kind in KINDS.items()}
    found["id"]["primary_key"] = True
    return found


def csv_blocks(count: int) -> Iterator[tuple[bytes, int]]:
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        lines = (",".join("" if v is None else f'"{v}"' for v in row(n)) for n in range(start, start + size))
        yield ("\n".join(lines) + "\n").encode(), size


class Ready:
    """A source whose answer lies ready: CSV in a file, or the same as rows."""

    def __init__(self, path: Path, count: int, *, csv: bool) -> None:
        self.path, self.count, self.csv = path, count, csv

    def get_fields(self, obj: str) -> Any:
        return fields()

    def read(self, obj: str, **_: Any) -> Records:
        return Records(fields(), self._rows, source_count=self.count, csv=self._blocks if self.csv else None)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for number in range(self.count):
            yield dict(zip(KINDS, row(number), strict=True))

    def _blocks(self) -> Iterator[tuple[bytes, int]]:
        with self.path.open("rb") as file:
            rest = b""
            while data := file.read(512 * 1024):
                end = data.rfind(b"\n") + 1
                block, rest = rest + data[:end], data[end:]
                yield block, block.count(b"\n")


def limit(path: Path, table: str) -> int:
    """COPY of a ready file into a stage, and one INSERT ... ON CONFLICT."""
    names = ", ".join(KINDS)
    new = ", ".join(f"{name} = excluded.{name}" for name in KINDS if name != "id")
    with psycopg.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE stage ON COMMIT DROP AS TABLE {table} WITH NO DATA")
        with cursor.copy(f"COPY stage ({names}) FROM STDIN (FORMAT csv)") as copy, path.open("rb") as file:
            while data := file.read(256 * 1024):
                copy.write(data)
        cursor.execute(f"INSERT INTO {table} SELECT * FROM stage ON CONFLICT (id) DO UPDATE SET {new}")
        return cursor.rowcount


def generate(count: int) -> int:
    """What it costs to make the rows at all."""
    return sum(1 for n in range(count) if dict(zip(KINDS, row(n), strict=True)))


def contend(contender: str, path: Path, count: int, table: str) -> None:
    """One contender in this process; prints seconds, written rows and peak memory."""
    started = time.perf_counter()
    if contender == "limit":
        written = limit(path, table)
    elif contender == "generate":
        written = generate(count)
    else:
        with PostgresClient() as client:
            source = Source(Ready(path, count, csv=contender == "csv"), "Thing", list(KINDS))
            written = sync(source, Target(client, table), key="id").written
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "written": written, "peak": peak}))


def main(counts: list[int]) -> None:
    with start_server() as server, tempfile.TemporaryDirectory() as folder:
        os.environ.update(fill(server, seed=1, rows=10))
        print(f"PostgreSQL {server.version}, {os.cpu_count()} cores, fsync off\n")
        print("| rows | table | contender | s | rows/s | x of limit | written | peak MB |")
        print("| --: | --- | --- | --: | --: | --: | --: | --: |")
        for count in counts:
            path = Path(folder) / "ready.csv"
            with path.open("wb") as file:
                file.writelines(block for block, _ in csv_blocks(count))
            base: dict[str, float] = {}
            for contender in ("generate", "limit", "csv", "rows"):
                table = f"bench_{contender}_{count}"
                columns = ", ".join(f"{name} {DDL[kind]}" for name, kind in KINDS.items())
                with psycopg.connect(autocommit=True) as connection:
                    connection.execute(f"CREATE TABLE {table} ({columns}, PRIMARY KEY (id))")
                for state in ("empty", "half known", "same"):
                    if state == "half known":
                        with psycopg.connect(autocommit=True) as connection:
                            connection.execute(f"CREATE TABLE {table}_2 (LIKE {table} INCLUDING ALL)")
                            connection.execute(f"INSERT INTO {table}_2 SELECT * FROM {table} WHERE random() < 0.5")
                            connection.execute(f"UPDATE {table}_2 SET city = 'old'")
                            connection.execute(f"VACUUM ANALYZE {table}_2")
                    place = table if state == "empty" else f"{table}_2"
                    command = [sys.executable, __file__, contender, str(path), str(count), place]
                    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                    if contender == "limit":
                        base[state] = done["seconds"]
                    times = f"{done['seconds'] / base[state]:.2f}" if base.get(state) else ""
                    print(
                        f"| {count:,} | {state} | {contender} | {done['seconds']:.2f} | {count / done['seconds']:,.0f}"
                        f" | {times} | {done['written']:,} | {done['peak']:.0f} |",
                        flush=True,
                    )
                    if contender == "generate":
                        break


if __name__ == "__main__":
    if len(sys.argv) > 4:
        contend(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        main([int(text) for text in sys.argv[1:]] or [100_000, 1_000_000])

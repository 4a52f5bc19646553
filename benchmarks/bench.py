"""All contenders side by side in one run: `python benchmarks/bench.py [ROWS ...] [--rivals PYTHON]`.

Wall time, CPU time and peak memory are those of a whole process, its start and imports among them. The server is the
practice PostgreSQL with fsync, synchronous_commit and full_page_writes as PostgreSQL ships them.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from data import CHECKSUM, COLUMNS, DDL, csv_line, row

from integrator_practice.postgres import PostgresServer, start_server
from integrator_practice.postgres_seed import fill

HERE = Path(__file__).parent
OURS = ["ours, Bulk", "ours, REST", "ours, Bulk, cursor", "ours, REST, cursor"]
RIVALS = ["executemany", "pandas.to_sql", "dlt", "dlt, tuned", "dlt, Arrow", "dlt, Arrow, tuned"]
# What the target has before: nothing; one other row, so that it is not empty; every row, half of them out of date.
STATES = {"empty": ["limit", *OURS, *RIVALS], "not empty": ["limit", *OURS], "all known": ["limit", *OURS]}


class Taken(NamedTuple):
    """What a process took."""

    wall: float  # seconds
    cpu: float  # seconds, its own and its children's
    peak: float  # MB


def timed(command: list[str], environ: dict[str, str]) -> Taken:
    """Run it to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ended with {process.returncode}.")
    return Taken(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


class Bench:
    """One server, and a table for each run."""

    def __init__(self, environ: dict[str, str], admin: dict[str, Any], rivals: str | None) -> None:
        self.environ = {**os.environ, **environ}
        self.admin = admin
        self.rivals = rivals
        self.connection = psycopg.connect(**admin, autocommit=True)
        self._number = 0

    def run(self, contender: str, state: str, source: str, file: Path) -> tuple[Taken, str]:
        """One contender into a fresh table; what it took, and the checksum of what is there then."""
        self._number += 1
        table = f"bench_{self._number}"
        rival = contender in RIVALS
        is_dlt = contender.startswith("dlt")
        if not is_dlt:
            self._make(table, state, file)
        python = str(self.rivals) if rival else sys.executable
        script = HERE / ("rivals.py" if rival else "contenders.py")
        with tempfile.TemporaryDirectory() as folder:
            environ = {
                **self.environ,
                "BENCH_FOLDER": folder,
                "PYTHONPATH": str(HERE),
                "RUNTIME__LOG_LEVEL": "CRITICAL",
            }
            if rival:  # dlt makes schemas and empties its own tables, which the practice's writer may not
                environ |= {"PGUSER": self.admin["user"], "PGPASSWORD": self.admin["password"]}
            taken = timed([python, str(script), contender, table, source, str(file)], environ)
        place = f"{table}.leads" if is_dlt else table
        found = self.connection.execute(CHECKSUM.format(table=place)).fetchone()
        self.connection.execute(f"DROP SCHEMA {table} CASCADE" if is_dlt else f"DROP TABLE {table}")
        self.connection.execute("DROP TABLE IF EXISTS integrator_state")
        return taken, str(found)

    def _make(self, table: str, state: str, file: Path) -> None:
        execute = self.connection.execute
        execute(f"CREATE TABLE {table} ({DDL})")
        execute(f"ALTER TABLE {table} OWNER TO {self.environ['PGUSER']}")
        if state == "not empty":
            execute(f"INSERT INTO {table} (id) VALUES ('another')")
        elif state == "all known":
            names = ", ".join(COLUMNS.values())
            copying = f"COPY {table} ({names}) FROM STDIN (FORMAT csv)"
            with self.connection.cursor() as cursor, file.open("rb") as ready, cursor.copy(copying) as copy:
                while data := ready.read(256 * 1024):
                    copy.write(data)
            execute(f"UPDATE {table} SET city = 'old' WHERE right(id, 1)::int % 2 = 0")
            execute(f"VACUUM FULL {table}")
        execute("CHECKPOINT")


@contextmanager
def serving(rows: int, wait: float = 0.0) -> Iterator[str]:
    """The source in a process of its own."""
    command = [sys.executable, str(HERE / "source.py"), str(rows), str(wait)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def ready_file(folder: Path, rows: int) -> Path:
    """The same rows as one CSV file, empty fields without quotes."""
    path = folder / "ready.csv"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(csv_line(row(number)).replace('""', "") for number in range(rows))
    return path


def as_shipped(server: PostgresServer) -> None:
    """Durable writes, which the practice server does without."""
    with psycopg.connect(**server.admin, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = on")
        connection.execute("SELECT pg_reload_conf()")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rivals", help="a Python that has rivals.txt installed; without it they are left out")
    parser.add_argument("--only", help="contenders whose name starts so, and the limit")
    parser.add_argument("--runs", type=int, help="of each contender; 3, and 1 above 300,000 rows, unless given")
    parser.add_argument("--states", default=",".join(STATES))
    given = parser.parse_args()
    with start_server() as server, tempfile.TemporaryDirectory() as folder:
        as_shipped(server)
        environ = fill(server, seed=1, rows=10)
        bench = Bench(environ, {**server.admin, "dbname": environ["PGDATABASE"]}, given.rivals)
        print(f"PostgreSQL {server.version}, Python {platform.python_version()}, {os.cpu_count()} cores, ")
        print(f"load {os.getloadavg()[0]:.1f} at the start, {time.strftime('%Y-%m-%d')}\n")
        print("| rows | target | contender | runs | wall s | rows/s | x of limit | CPU s | peak MB | same rows |")
        print("| --: | --- | --- | --: | --: | --: | --: | --: | --: | --- |")
        for rows in given.rows:
            file = ready_file(Path(folder), rows)
            with serving(rows) as source:
                for state in given.states.split(","):
                    names = [name for name in STATES[state] if given.rivals or name not in RIVALS]
                    if given.only:
                        names = [name for name in names if name == "limit" or name.startswith(given.only)]
                    runs = given.runs or (1 if rows > 300_000 else 3)
                    side_by_side(bench, rows, state, names, source, file, runs)
        if not given.only:
            with serving(100_000, 0.3) as source:
                file = ready_file(Path(folder), 100_000)
                slow = ["ours, Bulk", "ours, REST", *(["dlt"] if given.rivals else [])]
                side_by_side(bench, 100_000, "empty, source answers after 300 ms", slow, source, file, 1)


def side_by_side(bench: Bench, rows: int, state: str, names: list[str], source: str, file: Path, runs: int) -> None:
    """One line of the table for each contender; the median of some runs, which take turns."""
    taken: dict[str, list[Taken]] = {name: [] for name in names}
    sums: dict[str, set[str]] = {name: set() for name in names}
    for _ in range(runs):
        for name in names:
            found, checksum = bench.run(name, state.partition(",")[0], source, file)
            taken[name].append(found)
            sums[name].add(checksum)
    base = statistics.median(t.wall for t in taken["limit"]) if "limit" in taken else None
    expected = sums[names[0]]
    for name in names:
        wall = statistics.median(t.wall for t in taken[name])
        cpu = statistics.median(t.cpu for t in taken[name])
        peak = max(t.peak for t in taken[name])
        times = f"{wall / base:.2f}" if base else ""
        same = "yes" if sums[name] == expected and len(expected) == 1 else "NO"
        print(
            f"| {rows:,} | {state} | {name} | {runs} | {wall:.2f} | {rows / wall:,.0f} | {times} | {cpu:.2f}"
            f" | {peak:.0f} | {same} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

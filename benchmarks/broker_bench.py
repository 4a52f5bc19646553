"""What the broker costs: requests and bulk bytes over HTTP, COPY and rows of PostgreSQL; straight and through it.

Run by hand: `python benchmarks/broker_bench.py`. Each figure is the best of three.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import psycopg

import integrator_practice
from integrator_drivers import Mode
from integrator_magics.broker import Broker, System

SIZE = 200_000_000  # bytes
ROWS = 500_000
BLOCK = b"0123456789abcdef" * 65536
LINE = b"1234567890\tsome text of a usual length\t2026-11-28\t12.5\n"


class Served(BaseHTTPRequestHandler):
    """A small answer, and a large one."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        size = SIZE if self.path == "/bulk" else 2
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        while size > 0:
            size -= self.wfile.write(BLOCK[:size])

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


def best(work: Callable[[], None]) -> float:
    """Seconds."""
    took = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)


def http(broker: Broker) -> None:
    """Requests a second and bytes a second."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = ("127.0.0.1", server.server_address[1])
        rules = {"read": ["GET /**"], "write": ["PUT /**"]}
        way = broker.open([System("acme", "Acme", "http", (place,), {}, rules)], Mode.APPLY)
        for name, port in (("straight", place[1]), ("broker", way.listen([place])[0])):
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                client.get("/small")

                def small() -> None:
                    for _ in range(300):
                        client.get("/small")

                def down() -> None:
                    with client.stream("GET", "/bulk") as answer:
                        for _ in answer.iter_raw(1 << 20):
                            pass

                def up() -> None:
                    headers = {"Content-Length": str(SIZE // len(BLOCK) * len(BLOCK)), "Content-Type": "text/csv"}
                    client.put("/bulk", content=iter([BLOCK] * (SIZE // len(BLOCK))), headers=headers)

                print(
                    f"HTTP {name:9} {best(small) / 300 * 1000:6.2f} ms a request, "
                    f"{SIZE / best(down) / 1e6:6.0f} MB/s down, {SIZE / best(up) / 1e6:6.0f} MB/s up"
                )
        way.close()
        server.shutdown()


def postgresql(broker: Broker) -> None:
    """Rows a second by COPY in both directions, and milliseconds of a small statement."""
    with integrator_practice.start("postgresql", rows=300) as practice:
        env = practice.env
        place = (env["PGHOST"], int(env["PGPORT"]))
        way = broker.open([System("postgresql", "PostgreSQL", "sql", (place,), env)], Mode.APPLY)
        ways = (("straight", place[1], env["PGPASSWORD"]), ("broker", way.listen([place])[0], way.token))
        for name, port, password in ways:
            facts = {"host": "127.0.0.1", "port": port, "dbname": env["PGDATABASE"], "user": env["PGUSER"]}
            with psycopg.connect(**facts, password=password) as connection, connection.cursor() as cursor:  # type: ignore[arg-type]
                table = "CREATE TEMP TABLE s ON COMMIT DROP AS SELECT 1::bigint a, ''::text b, ''::text c, 1.0 d"
                cursor.execute(f"{table} WITH NO DATA")

                def into() -> None:
                    with cursor.copy("COPY s FROM STDIN") as copy:
                        for _ in range(ROWS // 1000):
                            copy.write(LINE * 1000)

                def out() -> None:
                    with cursor.copy("COPY s TO STDOUT") as copy:
                        for _ in copy:
                            pass

                def small() -> None:
                    for _ in range(300):
                        cursor.execute("SELECT %s::int", [1])

                took, statement = best(into), best(small) / 300 * 1000
                count = ROWS * 3
                print(
                    f"PostgreSQL {name:9} {statement:6.2f} ms a statement, {ROWS / took:9,.0f} rows/s in "
                    f"({ROWS * len(LINE) / took / 1e6:4.0f} MB/s), {count / best(out):9,.0f} rows/s out"
                )
        way.close()


if __name__ == "__main__":
    with_broker = Broker()
    http(with_broker)
    postgresql(with_broker)
    with_broker.close()

"""The broker in front of a real PostgreSQL: the driver and plain psycopg, in every mode."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

import integrator_practice
from integrator_drivers import AuthError, ConnectionError, ForbiddenError, Mode, ReadOnlyError
from integrator_drivers.access import DATABASE
from integrator_magics.broker.authority import Authority
from integrator_magics.broker.logins import Logins
from integrator_magics.broker.passage import Passage, Shared
from integrator_magics.broker.splice import splice
from integrator_magics.broker.system import System
from integrator_magics.broker.upstream import Upstreams
from postgresql_driver import PostgresClient

TOKEN = "integrator-placeholder-1"


@pytest.fixture(scope="module")
def practice() -> Iterator[integrator_practice.Practice]:
    try:
        found = integrator_practice.start("postgresql", rows=300)
    except integrator_practice.PracticeError as exc:
        pytest.skip(str(exc))
    with found:
        yield found


@dataclass
class Way:
    """A passage that leads to the database by a port of this machine."""

    passage: Passage
    port: int

    def connect(self, **more: Any) -> psycopg.Connection[Any]:
        """As a script would without the driver."""
        facts = {"dbname": "demo", "user": "me", "password": TOKEN, "autocommit": True, "sslmode": "disable", **more}
        return psycopg.connect(host="127.0.0.1", port=self.port, **facts)

    def calls(self) -> dict[str, dict[str, Any]]:
        """What was told, by template."""
        return {call["template"]: call for call in self.passage.calls.told()["calls"]}


Make = Callable[..., Way]


@pytest.fixture
def way(practice: integrator_practice.Practice, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """way(mode, PGUSER=..., ...): also sets the environment for the driver."""
    passages = []

    def make(mode: str = "discovery", ca_file: str = "", **changed: str) -> Way:
        env = {**practice.env, **changed}
        place = (env["PGHOST"], int(env["PGPORT"]))
        shared = Shared(Authority(), Logins(lambda value, name: None), Upstreams(ca_file))
        system = System("postgresql", "PostgreSQL", "sql", (place,), env)
        passage = Passage(shared, [system], Mode(mode), TOKEN, lambda *facts: None)
        passages.append(passage)
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        passage.serve(listener, place)
        for name, value in env.items():
            monkeypatch.setenv(name, TOKEN if "PASSWORD" in name else value)
        monkeypatch.setenv(DATABASE, f"127.0.0.1:{port}")
        monkeypatch.setenv("INTEGRATOR_MODE", mode)
        return Way(passage, port)

    yield make
    for passage in passages:
        passage.close()


def rows(practice: integrator_practice.Practice, query: str) -> Any:
    env = practice.env
    facts = {"host": env["PGHOST"], "port": env["PGPORT"], "dbname": env["PGDATABASE"], "user": env["PGUSER"]}
    with psycopg.connect(**facts, password=env["PGPASSWORD"]) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def test_the_driver_reads_through_it_as_the_reader(way: Make, practice: integrator_practice.Practice) -> None:
    found = way("preview")
    with PostgresClient() as postgresql:
        identity = postgresql.check()
        assert identity.user == practice.env["PG_READ_USER"]
        assert identity.account.endswith(f"{practice.env['PGHOST']}:{practice.env['PGPORT']}")
        for name in postgresql.list_objects():
            assert postgresql.get_fields(name)
            assert list(postgresql.read(name, limit=2).rows())
        assert len(list(postgresql.query("SELECT * FROM orders LIMIT 5").rows())) == 5
    calls = found.calls()
    assert calls["SELECT * FROM orders LIMIT ?"]["rows"] == 5
    assert calls[""]["method"] == "LOGIN"
    assert not any("BEGIN" in template or "CURSOR" in template for template in calls)


def test_the_login_that_writes_can_be_looked_at_without_writing(
    way: Make, practice: integrator_practice.Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    way("discovery", PG_READ_USER="", PG_READ_PASSWORD="")
    monkeypatch.setenv("INTEGRATOR_MODE", "apply")
    with PostgresClient() as postgresql:
        assert postgresql.check().user == practice.env["PGUSER"]
        with pytest.raises(ReadOnlyError):
            postgresql.upsert("public.leads", [{"salesforce_id": "x", "name": "y"}], key="salesforce_id")


def test_the_driver_writes_through_it_in_a_run(way: Make, practice: integrator_practice.Practice) -> None:
    found = way("apply")
    fields: Any = {
        "id": {"type": "integer", "native_type": "", "nullable": False},
        "name": {"type": "text", "native_type": "", "nullable": True},
    }
    records = [{"id": number, "name": f"n{number}"} for number in range(3_000)]
    with PostgresClient() as postgresql:
        postgresql.change_table("public.fresh", fields, "id")
        postgresql.prepare_state("public.fresh")
        assert postgresql.upsert("public.fresh", records, key="id").inserted == 3_000
        records[7]["name"] = "changed"
        assert postgresql.upsert("public.fresh", records, key="id").updated == 1
        assert postgresql.update("public.fresh", records[:9], key="id").unchanged == 9
        more = {**fields, "note": {"type": "text", "native_type": "", "nullable": True}}
        assert postgresql.change_table("public.fresh", more, "id")
        with postgresql.together():
            postgresql.save_state("public.fresh", "s", {"watermark": None})
        assert postgresql.load_state("public.fresh", "s") == {"watermark": None}
    assert rows(practice, "SELECT count(*) FROM fresh") == 3_000
    assert any(call["method"] == "COPY" and (call["rows"] or 0) >= 3_000 for call in found.calls().values())


WRITES = [
    ("DELETE FROM leads", None),
    ("DELETE FROM leads WHERE salesforce_id = %s", ["x"]),
    ("TRUNCATE leads", None),
    ("DROP TABLE leads", None),
    ("SELECT 1; COMMIT; DELETE FROM leads; SELECT 1", None),
    ("/* x */ DELETE FROM leads", None),
    ("WITH d AS (DELETE FROM leads RETURNING 1) SELECT count(*) FROM d", None),
    ("DO $$ BEGIN DELETE FROM leads; END $$", None),
    ("SET default_transaction_read_only = off", None),
    ("EXPLAIN ANALYZE DELETE FROM leads", None),
    ("SELECT lo_from_bytea(0, 'x')", None),
]


@pytest.mark.parametrize("mode", list(Mode))
def test_W4_no_mode_lets_a_delete_through(way: Make, practice: integrator_practice.Practice, mode: Mode) -> None:
    before = rows(practice, "SELECT count(*) FROM leads")
    with way(mode, PG_READ_USER="", PG_READ_PASSWORD="").connect() as connection:
        for text, values in WRITES:
            for prepare in (False, True):
                with pytest.raises(psycopg.Error, match="was not sent to PostgreSQL"):
                    connection.execute(text, values, prepare=prepare)
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert rows(practice, "SELECT count(*) FROM leads") == before


@pytest.mark.parametrize("mode", ["discovery", "preview"])
def test_W4_reading_modes_write_nothing_with_a_role_that_may(
    way: Make, practice: integrator_practice.Practice, mode: str
) -> None:
    found = way(mode, PG_READ_USER="", PG_READ_PASSWORD="")
    with found.connect() as connection:
        assert connection.execute("SELECT current_user").fetchone() == (practice.env["PGUSER"],)
        for text in (
            "INSERT INTO leads (salesforce_id) VALUES ('x')",
            "UPDATE leads SET name = 'x'",
            "BEGIN READ WRITE",
            "CREATE TEMP TABLE x (a int)",
            "CREATE TABLE x (a int)",
            "COPY leads FROM STDIN",
            "SELECT nextval('x')",
        ):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction, match="only reads: this statement"):
                connection.execute(text)
        # Were a statement to slip past the parser, the server itself would refuse it.
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
    assert {call["status"] for call in found.calls().values() if call["method"] == "INSERT"} == {"refused"}


def test_refusals_reach_scripts_as_errors_of_the_contract(way: Make) -> None:
    way("discovery")
    with PostgresClient() as postgresql, pytest.raises(ReadOnlyError):
        list(postgresql.query("INSERT INTO leads (salesforce_id) VALUES ('x')").rows())
    way("apply")
    with (
        PostgresClient() as postgresql,
        pytest.raises(ForbiddenError, match=r"^This statement would delete rows, so it"),
    ):
        list(postgresql.query("DELETE FROM leads").rows())


def test_a_refusal_comes_at_its_place_in_a_pipeline(way: Make) -> None:
    with way().connect(autocommit=False) as connection:
        with connection.pipeline() as pipeline:
            first = connection.execute("SELECT %s::int", [1])
            pipeline.sync()
            bad = connection.execute("DELETE FROM leads WHERE salesforce_id = %s", ["x"])
            assert first.fetchone() == (1,)
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                bad.fetchone()
        connection.rollback()
        assert connection.execute("SELECT 2").fetchone() == (2,)


@pytest.mark.parametrize("password", ["", "other", "fake-pass-1"])
def test_only_the_placeholder_opens_it(way: Make, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no credentials of their own|no password"):
        way().connect(password=password)


def test_W7_a_client_can_ask_for_nothing_else(way: Make) -> None:
    found = way()
    for more in ({"dbname": "postgres"}, {"options": "-c search_path=x"}, {"client_encoding": "sjis"}):
        with pytest.raises(psycopg.OperationalError, match="for scripts"):
            found.connect(**more)


def test_logins_that_fail_keep_their_sentences(way: Make) -> None:
    way("apply", PGPASSWORD="wrong")
    with PostgresClient() as postgresql, pytest.raises(AuthError, match="refused the login of integrator"):
        postgresql.check()
    way("apply", PGPORT="1")
    with PostgresClient() as postgresql, pytest.raises(ConnectionError, match="nothing listens at"):
        postgresql.check()
    way("apply", PGHOST="nowhere.invalid")
    with PostgresClient() as postgresql, pytest.raises(ConnectionError, match=r"no host named nowhere\.invalid"):
        postgresql.check()


CANCEL = """
import sys, threading, psycopg
with psycopg.connect(host="127.0.0.1", port=sys.argv[1], dbname="demo", password=sys.argv[2]) as connection:
    timer = threading.Timer(0.2, connection.cancel)
    timer.start()
    try:
        connection.execute("SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b")
    except psycopg.errors.QueryCanceled:
        print("cancelled")
    timer.join()
"""


def test_a_statement_can_be_cancelled(way: Make) -> None:
    # In a process of its own: libpq cancels without letting go of the interpreter, in which the broker runs here.
    command = [sys.executable, "-c", CANCEL, str(way().port), TOKEN]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "cancelled\n"


def test_a_lot_of_data_goes_both_ways(way: Make) -> None:
    with way("apply").connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE s ON COMMIT DROP AS SELECT 1::bigint AS id, ''::text AS t WITH NO DATA")
        block = b"".join(b"%d\t%s\n" % (number, b"x" * 90) for number in range(10_000))
        with cursor.copy("COPY s (id, t) FROM STDIN") as copy:
            for _ in range(20):
                copy.write(block)
        assert cursor.rowcount == 200_000
        size = 0
        with cursor.copy("COPY s TO STDOUT") as copy:
            for part in copy:
                size += len(part)
        assert size == 20 * len(block)
        assert len(cursor.execute("SELECT * FROM s LIMIT 50000").fetchall()) == 50_000
        connection.rollback()


def test_it_goes_on_after_errors_of_the_server(way: Make) -> None:
    found = way()
    with found.connect() as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM nowhere WHERE a = %s", [1])
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("SELECT integrator_refused_9")
        assert connection.execute("SELECT 3").fetchone() == (3,)
    assert found.calls()["SELECT * FROM nowhere WHERE a = $1"]["status"] == "42P01"


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\3", b"\x7f\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", struct.pack(">II", 8, 0x00020000)]
)
def test_what_is_no_client_is_hung_up_on(way: Make, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", way().port), timeout=10) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # it did not even read all
            assert client.recv(100) == b""


@pytest.fixture
def encrypted(practice: integrator_practice.Practice, tmp_path: Any) -> Iterator[tuple[int, str]]:
    """A port that speaks TLS as a server would, and leads to the database; and the authority's file."""
    authority = Authority()
    path = tmp_path / "ca.pem"
    path.write_text(authority.pem)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(stream,), daemon=True).start()

    def talk(stream: socket.socket) -> None:
        assert stream.recv(8) == struct.pack(">II", 8, 80877103)
        stream.sendall(b"S")
        with socket.create_connection((practice.env["PGHOST"], int(practice.env["PGPORT"]))) as server:
            try:
                with authority.context("127.0.0.1").wrap_socket(stream, server_side=True) as secured:
                    splice(secured, lambda data: [data], server, lambda data: [data])
            except (ssl.SSLError, OSError):
                return

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], str(path)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_the_way_to_the_server_is_encrypted_as_asked(way: Make, encrypted: tuple[int, str]) -> None:
    port, ca_file = encrypted
    for mode in ("require", "verify-full"):
        with way("discovery", ca_file, PGPORT=str(port), PGSSLMODE=mode).connect() as connection:
            assert connection.execute("SELECT count(*) FROM generate_series(1, 50000)").fetchone() == (50_000,)
    with pytest.raises(psycopg.OperationalError, match="SSL error"):
        way("discovery", "", PGPORT=str(port), PGSSLMODE="verify-full").connect()
    with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
        way("discovery", PGSSLMODE="require").connect()

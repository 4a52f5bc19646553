"""The runner over practice systems: policy, audit, credentials, redaction, files."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import integrator_practice
from integrator_drivers import (
    ConnectionError,
    FieldNotFoundError,
    Identity,
    Mode,
    ObjectInfo,
    ObjectNotFoundError,
    registry,
)
from integrator_magics.audit import AuditLog
from integrator_magics.broker import Broker
from integrator_magics.config import Settings
from integrator_magics.credentials import Credentials
from integrator_magics.errors import AuditUnavailable, ConfigError, NotConnected, PolicyRefused, SandboxUnavailable
from integrator_magics.sandbox import Runner, RunSpec
from integrator_magics.sandbox.child import ChildProcess
from integrator_magics.sandbox.egress import plan
from integrator_magics.sandbox.ways import described, from_inside
from integrator_magics.sandbox.worker import Workers

READ = """
from integrator_drivers import show
from salesforce_driver import SalesforceClient

with SalesforceClient() as salesforce:
    leads = salesforce.read("Lead", fields=["Id", "LeadSource"], limit=5)
    show(leads, name="leads")
    salesforce.read("Lead", fields=["Id"], limit=3).to_csv("leads.csv")
"""
SYNC = """
from integrator_drivers import Source, Target, run, sync
from postgresql_driver import PostgresClient
from salesforce_driver import SalesforceClient


def main() -> None:
    with SalesforceClient() as salesforce, PostgresClient() as postgresql:
        sync(
            source=Source(salesforce, "Lead", {"Id": "salesforce_id", "Name": "name"}),
            target=Target(postgresql, "public.leads"),
            key="salesforce_id",
        )


run(main, None)
"""
INTO_A_SAAS = """
from integrator_drivers import Source, Target, run, sync
from salesforce_driver import SalesforceClient


def main() -> None:
    with SalesforceClient() as salesforce:
        sync(
            source=Source(salesforce, "Contact", {"Email": "Email", "LastName": "LastName", "Name": "Company"}),
            target=Target(salesforce, "Lead"),
            key="Email",
            cursor="SystemModstamp",
        )


run(main, None)
"""
LOOK = """
import os
from integrator_drivers import show
from postgresql_driver import PostgresClient

show(dict(os.environ), name="env")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def systems(home: Path) -> Iterator[dict[str, integrator_practice.Practice]]:
    started = {}
    try:
        for name in ("salesforce", "postgresql"):
            started[name] = integrator_practice.start(name, rows=600)
        yield started
    except integrator_practice.PracticeError as exc:
        pytest.skip(str(exc))
    finally:
        for practice in started.values():
            practice.close()


@pytest.fixture
def credentials(tmp_path: Path, home: Path, systems: dict[str, integrator_practice.Practice]) -> Credentials:
    found = Credentials(tmp_path, tmp_path / "home", environ={})
    for name, practice in systems.items():
        found.use_practice(name, practice.env)
    return found


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit")


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    return folder


@pytest.fixture
def runner(credentials: Credentials, log: AuditLog, workdir: Path) -> Iterator[Runner]:
    found = Runner(credentials, log, Settings(), workdir)
    yield found
    found.close()


@pytest.fixture
def no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walls are tried with the classifier switched off."""
    monkeypatch.setattr("integrator_magics.policy.allowed", lambda code, mode: None)


# Driver-shaped calls.


def test_calls_bring_back_the_contract_types(runner: Runner) -> None:
    identity = runner.call("salesforce", "check")
    assert isinstance(identity, Identity)
    assert identity.environment == "practice"
    assert "Lead" in runner.call("salesforce", "list_objects")
    assert all(isinstance(entry, ObjectInfo) for entry in runner.call("salesforce", "describe_objects"))
    assert runner.call("postgresql", "get_fields", "public.leads")["salesforce_id"]["primary_key"] is True
    rows = runner.call("postgresql", "sample", "public.orders", 2)
    assert len(rows) == 2
    assert {type(value).__name__ for row in rows for value in row.values()} & {"datetime", "Decimal"}


def test_errors_of_a_driver_keep_class_sentence_and_near_matches(runner: Runner) -> None:
    with pytest.raises(ObjectNotFoundError, match='"Leed"') as caught:
        runner.call("salesforce", "get_fields", "Leed")
    assert "Lead" in caught.value.near


def test_a_second_call_is_quick_and_asks_again(
    runner: Runner, log: AuditLog, systems: dict[str, integrator_practice.Practice]
) -> None:
    runner.call("salesforce", "get_fields", "Lead")
    took = []
    for _ in range(5):
        started = time.monotonic()
        runner.call("salesforce", "get_fields", "Lead")
        took.append(time.monotonic() - started)
    assert min(took) < 0.3
    requests = [record["calls"] for record in log.records() if record.get("phase") == "after"]
    assert len(requests) == 6
    assert all(any(call["status"] == 200 for call in calls) for calls in requests)


def test_calls_are_audited_before_and_after_with_names_and_no_values(runner: Runner, log: AuditLog) -> None:
    rows = runner.call("salesforce", "sample", "Lead", 3)
    before, after = log.tail(2)
    assert (before["event"], before["phase"], before["system"], before["method"], before["object"]) == (
        "discovery",
        "before",
        "salesforce",
        "sample",
        "Lead",
    )
    assert (after["phase"], after["of"], after["outcome"], after["count"]) == ("after", before["n"], "ok", 3)
    assert "Email" in after["fields"]
    assert rows[0]["Name"] not in str(after)


def test_a_method_that_is_no_question_is_refused(runner: Runner) -> None:
    with pytest.raises(ValueError, match="upsert"):
        runner.call("salesforce", "upsert", "Lead", [])


def test_missing_credentials_are_named_and_nothing_is_asked(tmp_path: Path, log: AuditLog) -> None:
    runner = Runner(Credentials(tmp_path, tmp_path, environ={}), log, Settings(), tmp_path)
    with pytest.raises(NotConnected, match="PGHOST"):
        runner.call("postgresql", "check")
    assert log.tail(1) == []
    runner.close()


def test_a_system_that_does_not_answer_is_told_within_the_time(home: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = {"PGHOST": "127.0.0.1", "PGPORT": str(silent.getsockname()[1]), "PGDATABASE": "d", "PGUSER": "u"}
        workers = Workers(Broker(), timeout=0.5)
        manifest = registry.manifest("postgresql")
        try:
            with pytest.raises(ConnectionError) as caught:
                workers.call(manifest, env | {"PGPASSWORD": "fake"}, "check", [])
        finally:
            workers.close()
    assert str(caught.value) == (
        "I couldn't connect to PostgreSQL: it did not answer within 0 s. Nothing was read. "
        "Try again, check PGHOST, or go on from the standard PostgreSQL schema."
    )


def test_changed_credentials_count_at_once(
    runner: Runner, credentials: Credentials, systems: dict[str, integrator_practice.Practice]
) -> None:
    runner.call("postgresql", "list_objects")
    env = systems["postgresql"].env
    credentials.use_practice("postgresql", {**env, "PG_READ_USER": "", "PGPASSWORD": "fake-and-wrong"})
    with pytest.raises(Exception, match="refused the login"):
        runner.call("postgresql", "list_objects")


# Scripts.


def test_discovery_reads_and_shows(runner: Runner, log: AuditLog, workdir: Path) -> None:
    outcome = runner.run(READ, mode="discovery", purpose="see where leads come from")
    assert outcome.status == "ok", outcome.error
    table = next(line for line in outcome.report if line["kind"] == "table")
    assert (table["name"], table["count"]) == ("leads", 5)
    assert outcome.files[0]["path"] == "leads.csv"
    assert (outcome.files[0]["rows"], outcome.files[0]["head"][0]) == (3, "Id")
    assert list(workdir.iterdir()) == []
    before, after = log.tail(2)
    assert (before["purpose"], before["systems"], before["mode"]) == (
        "see where leads come from",
        ["salesforce"],
        "discovery",
    )
    assert len(before["code_sha256"]) == 64
    assert (after["outcome"], after["of"], outcome.audit_record) == ("ok", before["n"], after["n"])
    assert after["egress"] or outcome.level == "none"


def test_a_preview_counts_and_an_apply_writes(runner: Runner, log: AuditLog) -> None:
    lines: list[dict[str, Any]] = []
    preview = runner.run(SYNC, mode="preview", name="sync", on_event=lines.append)
    assert preview.status == "ok", (preview.error, preview.stdout)
    target = next(line for line in preview.report if line["kind"] == "target")
    assert target["add"] > 0
    assert any(line["kind"] == "progress" for line in lines)
    applied = runner.run(SYNC, mode="apply", name="sync", max_rows=target["add"] + target["update"])
    assert applied.status == "ok", applied.error
    done = next(line for line in applied.report if line["kind"] == "target")
    assert (done["add"], done["update"]) == (target["add"], target["update"])
    assert log.tail(1)[0]["target"][0]["add"] == done["add"]
    again = runner.run(SYNC, mode="preview", name="sync")
    assert [line["add"] for line in again.report if line["kind"] == "target"] == [0]


def test_more_rows_than_approved_stop_the_run(runner: Runner, systems: Any) -> None:
    code = SYNC.replace('"Name": "name"', '"LastName": "name"')
    outcome = runner.run(code, mode="apply", max_rows=1)
    assert outcome.status == "script_error"
    assert outcome.error is not None
    assert outcome.error.type == "RowLimitError"
    assert "were approved" in outcome.error.sentence


def test_files_leave_after_apply_under_a_free_name(runner: Runner, workdir: Path, log: AuditLog) -> None:
    (workdir / "leads.csv").write_text("mine\n")
    outcome = runner.run(READ, mode="apply")
    assert [entry["path"] for entry in outcome.files] == ["leads (2).csv"]
    assert (workdir / "leads.csv").read_text() == "mine\n"
    assert len((workdir / "leads (2).csv").read_text().splitlines()) == 4
    assert log.tail(1)[0]["files"][0]["sha256"] == outcome.files[0]["sha256"]


def test_a_failed_apply_leaves_no_files(runner: Runner, workdir: Path) -> None:
    outcome = runner.run(READ + "raise ValueError('at the end')\n", mode="apply")
    assert outcome.status == "script_error"
    assert list(workdir.iterdir()) == []


def test_what_the_policy_refuses_does_not_run_and_is_recorded(runner: Runner, log: AuditLog) -> None:
    with pytest.raises(PolicyRefused):
        runner.run("import subprocess\nsubprocess.run(['true'])\n", mode="discovery")
    record = log.tail(1)[0]
    assert (record["event"], record["phase"]) == ("discovery", "refused")
    with pytest.raises(PolicyRefused, match="Discovery only reads"):
        runner.run(SYNC, mode="discovery")


def test_without_an_audit_log_nothing_runs(credentials: Credentials, workdir: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    runner = Runner(credentials, AuditLog(tmp_path / "blocked"), Settings(), workdir)
    try:
        with pytest.raises(AuditUnavailable):
            runner.run(READ, mode="apply")
        with pytest.raises(AuditUnavailable):
            runner.call("salesforce", "check")
    finally:
        runner.close()
    assert list(workdir.iterdir()) == []


def test_secrets_stay_inside_whatever_the_script_does_with_them(
    runner: Runner,
    credentials: Credentials,
    systems: dict[str, integrator_practice.Practice],
    log: AuditLog,
    workdir: Path,
    no_filter: None,
) -> None:
    secret = 'it\'s "fake\\secret"\nwith two lines é'
    env = {**systems["postgresql"].env, "PGPASSWORD": secret, "PG_READ_USER": "", "PG_READ_PASSWORD": ""}
    credentials.use_practice("postgresql", env)
    code = """
import base64, json, os, sys, urllib.parse
from integrator_drivers import report, show
from postgresql_driver import PostgresClient

secret = SECRET
print(secret, repr(secret), json.dumps(secret), base64.b64encode(secret.encode()).decode())
print(urllib.parse.quote(secret), secret.encode().hex(), file=sys.stderr)
for char in secret:
    print(char, end="", flush=True)
show([{"password": secret, secret: 1}], name="rows")
report("progress", label=secret, done=1, total=1)
open("out.csv", "w").write(secret + "," + base64.b64encode(secret.encode()).decode())
open("out.bin", "wb").write(b"\\0" + secret.encode())
open("fine.csv", "w").write("a,b\\n1,2\\n")
if os.environ["INTEGRATOR_MODE"] == "preview":
    raise ValueError("login failed for " + secret)
"""
    code = code.replace("SECRET", repr(secret))  # the broker keeps it from scripts; here one has it all the same
    lines: list[dict[str, Any]] = []
    preview = runner.run(code, mode="preview", on_event=lines.append)
    applied = runner.run(code, mode="apply")
    assert preview.error is not None
    assert preview.error.message == "login failed for [PGPASSWORD]"
    assert applied.status == "ok", applied.error
    out = repr([preview, applied, lines, list(log.records())])
    files = "".join(path.read_text(encoding="latin-1") for path in workdir.iterdir())
    pieces = [
        secret,
        repr(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
        secret.encode().hex(),
        "with two lines",
    ]
    for piece in pieces:
        assert piece not in out
        assert piece not in files
    assert {entry["path"] for entry in applied.files} == {"out.csv", "fine.csv"}
    assert any(note.startswith("out.bin was not saved: it holds the value of PGPASSWORD") for note in applied.notes)
    assert "[PGPASSWORD]" in preview.stdout


@pytest.mark.parametrize("mode", ["discovery", "preview", "apply"])
def test_C1_a_script_holds_placeholders_and_no_secret(
    runner: Runner, systems: dict[str, integrator_practice.Practice], no_filter: None, mode: str
) -> None:
    secrets = [value for name, value in systems["postgresql"].env.items() if "PASSWORD" in name]
    digests = [hashlib.sha256(value.encode()).hexdigest() for value in secrets]
    code = (
        "import hashlib, os\nfrom postgresql_driver import PostgresClient\nfrom integrator_drivers import report\n"
        "PostgresClient().list_objects()\n"
        "found = [hashlib.sha256(value.encode()).hexdigest() for value in os.environ.values()]\n"
        "report('value', name='digests', value=found)\n"
        "report('value', name='names', value=[n for n, v in os.environ.items() if 'placeholder' in v])\n"
    )
    outcome = runner.run(code, mode=mode)
    values = {line["name"]: line["value"] for line in outcome.report if line["kind"] == "value"}
    assert not set(digests) & set(values["digests"])
    assert "INTEGRATOR_BROKER" in values["names"]


def test_a_run_gets_the_variables_of_its_systems_and_mode_only(runner: Runner, no_filter: None) -> None:
    from datetime import UTC, datetime

    seen = {}
    for mode in ("discovery", "preview", "apply"):
        outcome = runner.run(LOOK, mode=mode, now=datetime(2026, 11, 21, 14, tzinfo=UTC), max_rows=7)
        seen[mode] = next(line["value"] for line in outcome.report if line["kind"] == "value")
    for mode, env in seen.items():
        assert env["INTEGRATOR_MODE"] == mode
        assert env["INTEGRATOR_NOW"] == "2026-11-21T14:00:00+00:00"
        assert env["INTEGRATOR_MAX_ROWS"] == "7"
        assert not any(name.startswith("SALESFORCE_") for name in env)
        assert env["PGUSER"] == "integrator"
        assert ("PGPASSWORD" in env) == (mode == "apply")
        assert ("PG_READ_PASSWORD" in env) == (mode != "apply")


def test_a_stopped_run_says_so(runner: Runner, log: AuditLog) -> None:
    code = "import itertools\nprint('on')\nfor _ in itertools.count():\n    pass\n"
    outcome = runner.run(code, mode="discovery", on_event=lambda line: threading.Thread(target=runner.cancel).start())
    assert outcome.status == "cancelled"
    assert log.tail(1)[0]["outcome"] == "cancelled"


def test_only_the_named_run_is_stopped(runner: Runner) -> None:
    code = "import itertools\nprint('on')\nfor _ in itertools.count():\n    pass\n"
    outcomes: dict[str, str] = {}
    running = threading.Barrier(3)

    def work(name: str) -> None:
        outcome = runner.run(code, mode="discovery", name=name, on_event=lambda line: _once(running, line))
        outcomes[name] = outcome.status

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    running.wait(60)
    runner.cancel("one")
    threads[0].join(60)
    assert outcomes == {"one": "cancelled"}
    runner.cancel()
    threads[1].join(60)
    assert outcomes["two"] == "cancelled"


def _once(barrier: threading.Barrier, line: dict[str, Any]) -> None:
    if line["kind"] == "output" and line["stream"] == "stdout":
        barrier.wait(60)


def test_a_run_that_takes_too_long_says_so(runner: Runner) -> None:
    outcome = runner.run("import itertools\nfor _ in itertools.count():\n    pass\n", mode="discovery", timeout=0.5)
    assert outcome.status == "timeout"


# Where things run.


def test_status_lines_and_hosts(runner: Runner, systems: dict[str, integrator_practice.Practice]) -> None:
    backend, level, _ = runner.describe()
    assert backend == "embedded"
    assert level in ("full", "reduced", "none")
    assert runner.backend(READ) == runner.describe()
    port = int(systems["salesforce"].base_url.rpartition(":")[2])
    assert runner.egress("salesforce") == [("127.0.0.1", port)]


@pytest.fixture
def unwalled(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A machine without bubblewrap and Landlock."""
    monkeypatch.setattr("integrator_magics.sandbox.bubblewrap._program", lambda: None)

    def missing() -> None:
        raise SandboxUnavailable("It did not start.", "It said: inside.walls.WallsError: the kernel has no Landlock")

    monkeypatch.setattr("integrator_magics.sandbox.landlocked._self_test", missing)
    return runner


@pytest.fixture
def reduced(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A machine without bubblewrap."""
    monkeypatch.setattr("integrator_magics.sandbox.bubblewrap._program", lambda: None)
    if runner.describe()[1] != "reduced":
        pytest.skip(runner.describe()[2])
    return runner


def test_without_namespaces_scripts_run_behind_reduced_walls_also_with_real_credentials(
    reduced: Runner, home: Path, systems: Any
) -> None:
    """Without its registration a practice server is a system like any other."""
    path = next((home / "practice").glob("salesforce-*.json"))
    path.rename(path.with_suffix(".away"))
    try:
        outcome = reduced.run(READ, mode="discovery")
        assert (outcome.status, outcome.level) == ("ok", "reduced"), outcome.error
        assert "bubblewrap" in outcome.level_reason
        assert {entry["allowed"] for entry in outcome.egress} == {True}
        preview = reduced.run(SYNC, mode="preview")
        assert preview.status == "ok", preview.error
        assert {entry["port"] for entry in preview.egress} >= {int(systems["postgresql"].env["PGPORT"])}
    finally:
        path.with_suffix(".away").rename(path)


def test_without_walls_practice_systems_go_on(unwalled: Runner) -> None:
    assert unwalled.describe()[:2] == ("embedded", "none")
    outcome = unwalled.run(READ, mode="preview")
    assert (outcome.status, outcome.level) == ("ok", "none")
    assert unwalled.run(SYNC, mode="preview").status == "ok"


def test_without_walls_real_credentials_are_refused_for_scripts_and_not_for_our_own_calls(
    unwalled: Runner, home: Path, log: AuditLog
) -> None:
    """Without its registration the same server is a system like any other."""
    path = next((home / "practice").glob("salesforce-*.json"))
    path.rename(path.with_suffix(".away"))
    try:
        with pytest.raises(SandboxUnavailable) as caught:
            unwalled.run(READ, mode="discovery")
        assert str(caught.value).startswith("This machine offers no isolation for scripts (bubblewrap")
        assert "Runs with your credentials are refused." in str(caught.value)
        assert log.tail(1) == []
        assert "Lead" in unwalled.call("salesforce", "list_objects")
    finally:
        path.with_suffix(".away").rename(path)


def test_a_made_up_practice_system_does_not_count(unwalled: Runner, credentials: Credentials) -> None:
    """A variable that points at this machine proves nothing; the registration and its nonce do."""
    credentials.use_practice(
        "salesforce",
        {
            "SALESFORCE_BASE_URL": "http://127.0.0.1:9",
            "SALESFORCE_DOMAIN": "d",
            "SALESFORCE_CLIENT_ID": "i",
            "SALESFORCE_CLIENT_SECRET": "fake-secret",
        },
    )
    with pytest.raises(SandboxUnavailable):
        unwalled.run(READ, mode="discovery")


def test_e2b_is_never_replaced_in_silence(credentials: Credentials, log: AuditLog, tmp_path: Path) -> None:
    runner = Runner(credentials, log, Settings(sandbox="e2b"), tmp_path)
    with pytest.raises(SandboxUnavailable, match="E2B_API_KEY is not set, so nothing runs"):
        runner.run(READ, mode="discovery")
    assert runner.describe()[:2] == ("e2b", "none")
    runner.close()


def test_an_e2b_key_alone_chooses_e2b_and_says_so(tmp_path: Path, log: AuditLog) -> None:
    credentials = Credentials(tmp_path, tmp_path, environ={"E2B_API_KEY": "e2b_fake_key_of_a_test"})
    runner = Runner(credentials, log, Settings(), tmp_path)
    assert runner.describe() == (
        "e2b",
        "remote",
        "read-only by check, not by network; chosen because E2B_API_KEY is set",
    )
    runner.close()


def test_an_unknown_sandbox_is_named(credentials: Credentials, log: AuditLog, tmp_path: Path) -> None:
    runner = Runner(credentials, log, Settings(sandbox="dokcer"), tmp_path)
    with pytest.raises(ConfigError, match="dokcer"):
        runner.run(READ, mode="discovery")
    runner.close()


def test_calls_are_audited_as_the_broker_saw_them(
    runner: Runner, log: AuditLog, no_filter: None, systems: dict[str, integrator_practice.Practice]
) -> None:
    code = READ + 'from integrator_drivers import report\nreport("call", system="made up", method="DELETE")\n'
    runner.run(code, mode="preview")
    (record,) = log.tail(1)
    calls = record["call"]
    assert {call["system"] for call in calls} == {"salesforce"}
    query = next(call for call in calls if "LIMIT 5" in call["template"])
    assert (query["method"], query["status"], query["rows"], query["count"]) == ("GET", 200, 5, 1)


def test_a_database_reached_by_name_needs_no_name_service_inside() -> None:
    env = {"PGHOST": "db.acme.example", "PGPORT": "5432", "PGDATABASE": "x", "PGUSER": "y", "PGPASSWORD": "fake-1"}
    system = described(registry.manifest("postgresql"), env)
    spec = RunSpec("", Mode.DISCOVERY, env, system.endpoints, systems=(system,))
    broker = Broker()
    way = broker.open([system], Mode.DISCOVERY)
    inside, files = from_inside(way, spec, plan(spec.egress, env))
    broker.close()
    assert inside["INTEGRATOR_DATABASE"] == "127.1.0.1:5432"
    assert (inside["PGHOST"], inside["PGPORT"], inside["PGPASSWORD"]) == ("db.acme.example", "5432", way.token)
    assert files[inside["SSL_CERT_FILE"]] == way.ca.encode()


def test_types_that_json_lacks_survive() -> None:
    import uuid
    from datetime import date, datetime, timedelta
    from datetime import time as clock
    from decimal import Decimal

    from integrator_magics.sandbox.inside import calls
    from integrator_magics.sandbox.values import as_value

    row = {
        "at": datetime(2026, 11, 21, 9, 30),
        "day": date(2026, 11, 21),
        "time": clock(9, 30),
        "span": timedelta(seconds=1.5),
        "amount": Decimal("10.50"),
        "id": uuid.UUID(int=7),
        "raw": b"\x00\xff",
        "json": {"$decimal": "not one", "a": [1, None, True, "x"]},
        "one": {"$date": "x"},
    }
    assert as_value(calls._plain([row])) == [row]
    assert FieldNotFoundError("x", ["y"]).near == ["y"]


def test_the_child_says_why_it_has_no_walls() -> None:
    level = ChildProcess("bubblewrap is not installed").probe()
    assert (str(level), level.reason) == ("none", "bubblewrap is not installed")


def test_the_resume_point_of_a_sync_goes_in_and_comes_back(runner: Runner, workdir: Path) -> None:
    def target(mode: str) -> dict[str, Any]:
        outcome = runner.run(INTO_A_SAAS, mode=mode)
        assert outcome.status == "ok", outcome.error
        assert outcome.files == []
        return next(line for line in outcome.report if line["kind"] == "target")

    foreseen = target("preview")
    assert foreseen["add"] > 20
    assert list(workdir.iterdir()) == []
    done = target("apply")
    assert (done["add"], done["watermark_before"]) == (foreseen["add"], None)
    (state,) = (workdir / "integrator_state").iterdir()
    before = state.read_bytes()
    again = target("preview")
    assert again["watermark_before"] == done["watermark_after"]
    assert state.read_bytes() == before
    last = target("apply")
    assert (last["add"], last["update"]) == (0, 0)
    assert [path.name for path in (workdir / "integrator_state").iterdir()] == [state.name]

"""W4, the gate that counts: classifier off, credentials that may write, and still nothing is written or deleted.

Scripts run many to a sandbox, so that all of them fit into a test run; one that ends the process is left behind there,
and the next sandbox goes on after it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from gate_attacks import attacks

import integrator_practice
from integrator_magics.audit import AuditLog
from integrator_magics.config import Settings
from integrator_magics.credentials import Credentials
from integrator_magics.sandbox import Runner

DATA = Path(__file__).parent.parent / "policy" / "data"
SYSTEMS = ("salesforce", "hubspot", "postgresql")
CLIENTS = {
    "@sf": "from salesforce_driver import SalesforceClient\nsf = SalesforceClient()",
    "@pg": "from postgresql_driver import PostgresClient\npg = PostgresClient()",
}
BATCH = """
import json, os, signal, sys
from integrator_drivers import report

OURS = ("integrator_drivers", "salesforce_driver", "hubspot_driver", "postgresql_driver")
ENV, MODULES, REPORT = dict(os.environ), dict(sys.modules), report

def late(*_):
    raise TimeoutError("gate: too long")

signal.signal(signal.SIGALRM, late)
for number, code in json.loads(SCRIPTS):
    REPORT("value", name="begun", value=number)
    signal.setitimer(signal.ITIMER_REAL, 8)
    try:
        exec(compile(code, "script.py", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    except BaseException as exc:
        error = f"{type(exc).__name__}: {exc}"[:300]
    else:
        error = ""
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.environ.clear()
    os.environ.update(ENV)
    for name in [entry for entry in sys.modules if entry.split(".")[0].endswith("_driver")]:
        del sys.modules[name]
    REPORT("value", name="ended", value=[number, error])
"""


def scripts(name: str) -> dict[str, str]:
    """Scripts of a file of tests/policy by title."""
    found = {}
    for block in (DATA / name).read_text(encoding="utf-8").split("\n", 1)[1].split("\n---\n"):
        head, _, body = block.partition("\n")
        for short, code in CLIENTS.items():
            body = re.sub(rf"^{short}$", code, body, flags=re.MULTILINE)
        if name.startswith("hostile"):
            body = re.sub(r"(?<!\\)\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), body)
            body = body.replace("\\\\u", "\\u").replace("\\0", "\0").replace("\\r", "\r")
        found[head] = body
    return found


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, integrator_practice.Practice]]:
    started = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(tmp_path_factory.mktemp("home")))
        try:
            for name in SYSTEMS:
                started[name] = integrator_practice.start(name, rows=200)
            yield started
        except integrator_practice.PracticeError as exc:
            pytest.skip(str(exc))
        finally:
            for practice in started.values():
                practice.close()


class Gate:
    """A runner without a classifier, whose scripts may use all three systems with roles that may write."""

    def __init__(self, systems: dict[str, integrator_practice.Practice], folder: Path) -> None:
        self.systems = systems
        self.credentials = Credentials(folder, folder / "home", environ={})
        for name, practice in systems.items():
            env = {key: value for key, value in practice.env.items() if not key.startswith("PG_READ")}
            self.credentials.use_practice(name, env)
        self.log = AuditLog(folder / "audit")
        self.workdir = folder / "notebooks"
        self.workdir.mkdir()
        self.runner = Runner(self.credentials, self.log, Settings(), self.workdir)
        self.seen: list[Any] = []
        self.left = 0  # sandboxes that were left behind in the last run of scripts

    def run(self, codes: list[str], mode: str) -> list[str | None]:
        """Run them; the error of each, "" without one, None where it ended the process."""
        errors: list[str | None] = [None] * len(codes)
        start, self.left = 0, -1
        while start < len(codes):
            self.left += 1
            batch = json.dumps(list(enumerate(codes))[start:])
            lines: list[dict[str, Any]] = []
            code = BATCH.replace("SCRIPTS", repr(batch))
            outcome = self.runner.run(code, mode=mode, timeout=300, on_event=lines.append)
            self.seen.append((outcome, lines))
            begun = start
            for line in outcome.report:
                if line["kind"] == "value" and line["name"] == "begun":
                    begun = line["value"]
                if line["kind"] == "value" and line["name"] == "ended":
                    errors[line["value"][0]] = line["value"][1]
            assert begun >= start, (outcome.status, outcome.error, outcome.stdout[-500:])
            start = begun + 1
        return errors

    def refused(self) -> set[tuple[str, str]]:
        """What the broker refused in the last run of scripts: method and template."""
        calls = [call for outcome, _ in self.seen[-1 - self.left :] for call in outcome.calls or ()]
        return {(call["method"], call["template"]) for call in calls if str(call["status"]).startswith("refused")}

    def asked(self, system: str) -> dict[str, Any]:
        """What a practice system was asked for."""
        with urlopen(f"{self.systems[system].control_url}/requests", timeout=10) as response:
            found: dict[str, Any] = json.load(response)
        return found

    def database(self) -> dict[str, Any]:
        """Everything in it, as digests; large objects and names of relations too."""
        env = self.systems["postgresql"].env
        names = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname", "PGUSER": "user", "PGPASSWORD": "password"}
        with psycopg.connect(**{key: env[name] for name, key in names.items()}) as connection:  # type: ignore[arg-type]
            query = "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            query += "WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|information_schema' ORDER BY 1"
            tables = [row[0] for row in connection.execute(query)]
            found: dict[str, Any] = {}
            for table in tables:
                digest = f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t"
                found[table] = connection.execute(digest.encode()).fetchone()
            for name in ("pg_largeobject_metadata", "pg_proc", "pg_rewrite", "pg_description", "pg_attribute"):
                found[name] = connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
        return found


@pytest.fixture(scope="module")
def gate(systems: dict[str, integrator_practice.Practice], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    found = Gate(systems, tmp_path_factory.mktemp("gate"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("integrator_magics.policy.allowed", lambda code, mode: None)
        patch.setattr(Runner, "_systems", lambda self, code: list(SYSTEMS))
        yield found
    found.runner.close()


HOSTILE = [*scripts("hostile_scripts.txt").values(), *attacks().values()]


def test_there_are_enough_hostile_scripts() -> None:
    assert len(HOSTILE) >= 250


@pytest.mark.parametrize("mode", ["discovery", "preview"])
def test_W4_no_hostile_script_changes_anything(gate: Gate, mode: str) -> None:
    before, mutations = gate.database(), {name: gate.asked(name)["mutations"] for name in ("salesforce", "hubspot")}
    errors = gate.run(HOSTILE, mode)
    assert sum(error is None for error in errors) <= 12  # those that end their process; all others were tried
    assert len(gate.refused()) >= 60  # they did get as far as the broker
    assert {name: gate.asked(name)["mutations"] for name in mutations} == mutations
    assert gate.database() == before


def test_W6_no_hostile_script_deletes_anything_in_a_run(gate: Gate) -> None:
    mutations = {name: gate.asked(name)["mutations"] for name in ("salesforce", "hubspot")}
    before = {name: count for name, (count, *_) in gate.database().items() if "." in name or name.islower()}
    errors = gate.run(HOSTILE, "apply")
    assert sum(error is None for error in errors) <= 12
    after = gate.database()
    # A run may write, and they did: the same scripts would have been noticed above.
    assert all(gate.asked(name)["mutations"] > count for name, count in mutations.items())
    assert after["leads"][0] > before["leads"]
    for name, count in before.items():
        assert after[name][0] >= count, name
    for system in ("salesforce", "hubspot"):
        for request in gate.asked(system)["requests"]:
            sent = f"{request['method']} {request['path']}"
            assert not re.search(
                r"^DELETE|archive|merge|gdpr|purge|executeAnonymous|composite(/batch|/graph)?$", sent
            ), sent


def test_C1_no_secret_is_in_any_sink(gate: Gate) -> None:
    out = repr(gate.seen) + repr(list(gate.log.records()))
    out += "".join(path.read_text(encoding="latin-1") for path in gate.workdir.rglob("*") if path.is_file())
    assert len(gate.seen) >= 3
    for practice in gate.systems.values():
        for name, value in practice.env.items():
            if re.search("PASSWORD|SECRET|TOKEN", name):
                assert value not in out, name
                assert base64.b64encode(value.encode()).decode() not in out, name


def test_W2_honest_scripts_pass_in_their_modes(gate: Gate) -> None:
    honest = scripts("honest_scripts.txt")
    refused = []
    for label, mode in (("read", "discovery"), ("write", "preview"), ("write", "apply")):
        chosen = {title: code for title, code in honest.items() if title.startswith(label)}
        for title, error in zip(chosen, gate.run(list(chosen.values()), mode), strict=True):
            if error is None or re.search("not sent|only reads|scripts", error):
                refused.append((title, mode, error))
    assert len(refused) <= len(honest) * 0.05, refused

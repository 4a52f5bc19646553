"""The `integrator` command as other programs use it: its JSON, its exit codes, its sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import integrator_practice
from integrator_magics.export import ScriptStore

READS = """\
from integrator_drivers import show
from salesforce_driver import SalesforceClient

with SalesforceClient() as salesforce:
    show(salesforce.read("Lead", fields=["Id", "Name"], limit=3), name="leads")
"""
WRITES = """\
from integrator_drivers import Source, Target, run, sync
from postgresql_driver import PostgresClient
from salesforce_driver import SalesforceClient

SCHEDULE = None


def main() -> None:
    with SalesforceClient() as salesforce, PostgresClient() as postgresql:
        fields = {"Id": "salesforce_id", "Name": "name", "Email": "email"}
        sync(source=Source(salesforce, "Lead", fields), target=Target(postgresql, "public.leads"), key="salesforce_id")


if __name__ == "__main__":
    run(main, SCHEDULE)
"""


class Command:
    """Runs `integrator` in a folder of its own, connected to practice systems by the environment."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**os.environ, "INTEGRATOR_HOME": str(folder / "home"), **env}

    def __call__(self, *words: str, input: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "integrator_magics.cli", *words]
        return subprocess.run(
            command, cwd=self.folder, env=self.env, input=input, capture_output=True, text=True, check=False
        )

    def json(self, *words: str, input: str = "", code: int = 0) -> Any:
        done = self(*words, input=input)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def integrator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("cli")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(folder / "home"))
        systems = [integrator_practice.start(name) for name in ("salesforce", "postgresql")]
        yield Command(folder, {key: value for system in systems for key, value in system.env.items()})
        for system in systems:
            system.close()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("bare"), {})


def test_practice_says_on_its_first_line_how_to_connect_and_ends_on_sigterm(bare: Command) -> None:
    command = [sys.executable, "-m", "integrator_magics.cli", "practice", "salesforce", "--rows", "20"]
    with subprocess.Popen(command, env=bare.env, cwd=bare.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["base_url"].startswith("http://127.0.0.1:")
        assert "SALESFORCE_CLIENT_SECRET" in told["env"]
        assert told["control_url"]
        process.terminate()
        assert process.wait(20) in (0, -15)


def test_discover_lists_objects_and_fields(integrator: Command) -> None:
    objects = integrator.json("discover", "salesforce", "--json")
    assert {"Lead", "Campaign"} <= {entry["name"] for entry in objects["objects"]}
    found = integrator.json("discover", "salesforce", "Lead", "--sample", "20", "--json")
    assert (found["system"], found["object"], len(found["sample"])) == ("salesforce", "Lead", 20)
    email = next(entry for entry in found["fields"] if entry["name"] == "Email")
    assert email["type"] == "text"
    assert email["nullable"] is True
    assert 0 < email["fill"] <= 1


def test_errors_are_one_json_object_with_what_to_do(bare: Command) -> None:
    error = bare.json("discover", "salesforce", "Lead", "--json", code=1)["error"]
    assert error["type"] == "NotConnected"
    assert "SALESFORCE_DOMAIN" in error["message"]
    assert "%connect salesforce" in error["next"]
    assert bare.json("discover", "salesfroce", "--json", code=1)["error"]["type"] == "DriverNotFoundError"


def test_without_json_an_error_is_one_sentence(bare: Command) -> None:
    done = bare("discover", "salesfroce")
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "Did you mean salesforce?" in done.stderr


def test_classify_tells_what_code_would_do(bare: Command) -> None:
    (bare.folder / "reads.py").write_text(READS, encoding="utf-8")
    (bare.folder / "writes.py").write_text(WRITES, encoding="utf-8")
    assert bare.json("classify", "reads.py")["label"] == "read"
    writes = bare.json("classify", "writes.py")
    assert (writes["label"], writes["systems"]) == ("write", ["postgresql", "salesforce"])
    lines = [json.dumps({"id": "a", "code": "SELECT 1"}), json.dumps({"id": "b", "code": "DELETE FROM leads"})]
    done = bare("classify", "--jsonl", "--sql", input="\n".join(lines))
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(entry["id"], entry["label"]) for entry in verdicts] == [("a", "read"), ("b", "delete")]
    assert verdicts[1]["reasons"]


def test_run_previews_and_refuses_to_apply_what_nobody_approved(integrator: Command) -> None:
    (integrator.folder / "writes.py").write_text(WRITES, encoding="utf-8")
    preview = integrator.json("run", "writes.py", "--mode", "preview", "--json")
    assert (preview["status"], preview["mode"]) == ("ok", "preview")
    assert preview["counts"][0]["add"] > 1_000
    assert preview["counts"][0]["update"] > 10
    refused = integrator.json("run", "writes.py", "--mode", "apply", "--json", code=1)
    assert refused["error"]["type"] == "ApprovalRequired"
    again = integrator.json("run", "writes.py", "--mode", "preview", "--json")
    assert again["counts"][0]["add"] == preview["counts"][0]["add"]


def test_discovery_mode_refuses_a_script_that_writes(integrator: Command) -> None:
    refused = integrator.json("run", "writes.py", "--mode", "discovery", "--json", code=1)
    assert refused["error"]["type"] == "PolicyRefused"
    assert "Discovery only reads" in refused["error"]["message"]


def test_redact_copies_everything_but_the_values(bare: Command) -> None:
    (bare.folder / "some.env").write_text("PGPASSWORD=obviously-fake-9931\nPGHOST=db.example.com\n", encoding="utf-8")
    done = bare("redact", "--env", "some.env", input="host db.example.com\npassword obviously-fake-9931 end\n")
    assert done.stdout == "host db.example.com\npassword [PGPASSWORD] end\n"


def test_audit_verify_finds_a_changed_record(integrator: Command) -> None:
    assert integrator("audit", "verify").returncode == 0
    log = integrator.folder / "home" / "audit" / "log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"salesforce"', b'"salesf0rce"', 1))
    done = integrator("audit", "verify")
    assert done.returncode == 1
    assert "broken at record" in done.stdout
    log.write_bytes(whole)


def test_audit_tail_and_export(integrator: Command) -> None:
    records = [json.loads(line) for line in integrator("audit", "tail", "-n", "3").stdout.splitlines()]
    assert len(records) == 3
    assert integrator("audit", "export", "log.csv").returncode == 0
    assert (integrator.folder / "log.csv").read_text(encoding="utf-8").count("\n") > 3


def test_drivers_docs_and_doctor(integrator: Command) -> None:
    drivers = integrator.json("drivers", "--json")
    assert {"salesforce", "postgresql"} <= {entry["name"] for entry in drivers}
    hits = integrator.json("docs", "salesforce", "campaign", "members", "--json")
    assert hits[0]["driver"] == "salesforce"
    checks = {entry["what"]: entry for entry in integrator.json("doctor", "--json")}
    assert checks["audit log"]["ok"]
    assert checks["isolation"]["detail"].startswith("embedded")


def test_an_unknown_file_is_a_sentence(bare: Command) -> None:
    done = bare("run", "nothing.py")
    assert done.returncode == 1
    assert "nothing.py can't be read" in done.stderr


def test_an_approved_script_is_exported_by_its_name(bare: Command) -> None:
    home = bare.folder / "home"
    store = ScriptStore(home, "report.ipynb")
    store.mark_approved("lead_sync", store.save("lead_sync", WRITES).sha256, "jana")
    done = bare("export", "lead_sync", "lead_sync.py", "--schedule", "0 2 * * *")
    assert done.returncode == 0, done.stderr
    assert 'SCHEDULE = "0 2 * * *"' in (bare.folder / "lead_sync.py").read_text(encoding="utf-8")
    assert 'There is no script "nothing"' in bare("export", "nothing", "nothing.py").stderr
    other = ScriptStore(home, "other.ipynb")
    other.mark_approved("lead_sync", other.save("lead_sync", WRITES).sha256, "jana")
    assert "Several notebooks have a script" in bare("export", "lead_sync", "again.py").stderr
    assert bare("export", "lead_sync", "again.py", "--notebook", "other.ipynb").returncode == 0

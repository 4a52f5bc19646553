"""The whole conversation with E2B: .env, discovery, preview, approval, run, a file out."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi
import e2b_conversation
import pytest
from stand_ins.e2b.machine import is_possible

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl for the name of a certificate")
    if reason := is_possible():
        pytest.skip(f"no machines can be made here: {reason}")
    folder = tmp_path_factory.mktemp("conversation")
    hosts = folder / "hosts"
    hosts.write_text("\n".join(["127.0.0.1 localhost", *e2b_conversation.LINES]) + "\n")
    walls = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--ro-bind", str(hosts), "/etc/hosts"]
    (folder / "certs").mkdir()
    shutil.copy(certifi.where(), folder / "cacert.pem")
    walls += ["--bind", str(folder / "certs"), os.path.realpath(ssl.get_default_verify_paths().openssl_capath)]
    walls += ["--bind", str(folder / "cacert.pem"), certifi.where()]
    walls += ["--unshare-net", "--unshare-pid", "--die-with-parent", "--cap-add", "ALL"]
    command = ["bwrap", *walls, sys.executable, e2b_conversation.__file__, str(folder)]
    env = {name: value for name, value in os.environ.items() if "CERT" not in name and "_CA_" not in name}
    env |= {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=170, check=False)
    assert done.returncode == 0, done.stderr[-4_000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_cell_says_where_it_ran_and_how_well_it_was_kept_in(told: Any) -> None:
    assert told["place"][:2] == ["e2b", "remote"]
    assert told["preview"]["sandbox"] == "e2b (remote; read-only by check, not by network)"


def test_the_preview_counts_and_writes_nothing_and_needs_a_code(told: Any) -> None:
    target = told["preview"]["target"]
    assert (target["system"], target["object"], target["update"]) == ("postgresql", "public.leads", 32)
    assert target["add"] > 100
    assert told["before"] == 32
    assert told["preview"]["practice"] is False  # nothing says that these are practice systems
    assert told["preview"]["has_code"] is True


def test_the_approved_run_writes_what_was_previewed(told: Any) -> None:
    target, previewed = told["ran"], told["preview"]["target"]
    assert (target["add"], target["update"]) == (previewed["add"], previewed["update"])
    assert told["after"] == 32 + target["add"]


def test_a_file_comes_out(told: Any) -> None:
    assert told["file"]["outcome"] == "ok"
    assert [entry["path"] for entry in told["file"]["files"]] == ["leads.csv"]
    assert told["rows"] == 51


def test_every_run_had_a_machine_that_reached_its_systems_only_and_is_gone(told: Any) -> None:
    assert told["machines"] >= 3
    assert told["left"] == 0
    assert {tuple(entry) for entry in told["seen"]} == {
        (e2b_conversation.CRM[0], 443, True),
        (e2b_conversation.DATABASE[1], 5432, True),
    }
    assert all("0.0.0.0/0" not in rules for rules in told["rules"])


def test_the_log_says_that_it_was_e2b(told: Any) -> None:
    assert told["audit"]
    assert {(record["backend"], record["level"]) for record in told["audit"]} == {("e2b", "remote")}
    assert told["verified"] is True

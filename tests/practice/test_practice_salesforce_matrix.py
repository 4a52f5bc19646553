"""Clients that others wrote, unmodified, in processes of their own: jsforce, simple-salesforce, aiosalesforce, a tap.

jsforce and the last two are no dependencies of this project; `.ci/run` puts them into tests/practice/clients.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from connect_proxy import leading_to

from integrator_practice.server import HttpServed
from salesforce_driver import practice
from salesforce_driver.practice.auth import Accounts

CLIENTS = Path(__file__).parent / "clients"
PYTHON = CLIENTS / ".venv" / "bin" / "python"
TAP = CLIENTS / ".venv" / "bin" / "tap-salesforce"
needs_python_clients = pytest.mark.skipif(not TAP.exists(), reason="tests/practice/clients has no .venv (see .ci/run)")


def run(command: Sequence[str | Path], env: dict[str, str] | None = None) -> str:
    """What the command prints; its end of stderr where it fails."""
    done = subprocess.run([str(part) for part in command], env=env, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def given(served: HttpServed) -> dict[str, Any]:
    accounts = Accounts(1)
    return {
        "url": served.base_url,
        "control": served.control_url,
        "id": accounts.client_id,
        "secret": accounts.client_secret,
        "username": accounts.person.username,
        "password": accounts.person.password,
        "security_token": accounts.person.security_token,
        "refresh": accounts.refresh_token,
    }


@pytest.fixture
def secure() -> Iterator[tuple[HttpServed, dict[str, str]]]:
    """An org of 60 leads behind https, and the environment of a client that finds it at every host."""
    pytest.importorskip("cryptography", reason="https needs the package cryptography")
    served = practice.serve(rows=60, tls=True)
    worker = threading.Thread(target=served.serve_forever)
    worker.start()
    try:
        with leading_to(served.port) as proxy:
            kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            yield served, {**kept, **served.env, "HTTPS_PROXY": proxy, "https_proxy": proxy}
    finally:
        served.close()
        worker.join()


@pytest.mark.skipif(
    not (CLIENTS / "node_modules" / "jsforce").exists() or shutil.which("node") is None,
    reason="tests/practice/clients has no node_modules (see .ci/run), or there is no Node",
)
def test_jsforce(small: Any) -> None:
    told = given(small.served)
    told["password"] += told["security_token"]
    seen = json.loads(run(["node", CLIENTS / "with_jsforce.mjs", json.dumps(told)]))
    members = seen.pop("members")
    assert members[0] == members[1] > 60
    assert {"Lead", "Campaign", "CampaignMember", "Opportunity"} <= set(seen.pop("objects"))
    assert seen == {
        "soap": "00D5g0000000001EAA",
        "soapLeads": 60,
        "identity": "jana.novak@practice.example",
        "revoked": "INVALID_SESSION_ID",
        "refreshed": 60,
        "fields": 32,
        "children": [True, True, True],
        "found": 5,
        "deletedRows": 66,
        "malformed": "MALFORMED_QUERY",
        "usage": True,
        "groups": 7,
        "title": "Boss",
        "upserted": True,
        "many": 450,
        "tooMany": "EXCEEDED_ID_LIMIT",
        "retrieved": 3,
        "destroyed": 150,
        "gone": "ENTITY_IS_DELETED",
        "deletedSince": 1,
        "updatedSince": True,
        "required": "REQUIRED_FIELD_MISSING",
        "searched": ["Boss"],
        "composite": [201, 201],
        "bulk1": 20,
        "bulk1Query": [20, True],
        "bulk2Query": 20,
        "bulk2": [20, 1, 0],
        "limit": "REQUEST_LIMIT_EXCEEDED",
        "expired": "INVALID_SESSION_ID",
    }


@needs_python_clients
def test_aiosalesforce(secure: tuple[HttpServed, dict[str, str]], tmp_path: Path, practice_key: str) -> None:
    served, env = secure
    key_file = tmp_path / "key.pem"
    key_file.write_text(practice_key, encoding="utf-8")
    told = json.dumps(given(served) | {"key_file": str(key_file)})
    assert json.loads(run([PYTHON, CLIENTS / "with_aiosalesforce.py", told], env)) == {
        "soap": 60,
        "jwt": 60,
        "client": 60,
        "all": 66,
        "limits": True,
        "title": "Boss",
        "created": True,
        "gone": "NotFoundError",
        "required": "REQUIRED_FIELD_MISSING",
        "batch": [2, 400],
        "composite": [201, 201],
        "linked": "Aio",
        "bulk": [250, 1, 0],
        "jobs": ["JobComplete"],
        "jobs_left": 0,
    }


SIMPLE = """
import json, sys
from simple_salesforce import Salesforce
told = json.loads(sys.argv[1])
names = {name: told[name] for name in ("username", "password", "security_token")}
seen = {}
seen["soap"] = Salesforce(**names).query("SELECT COUNT() FROM Lead")["totalSize"]
app = {"consumer_key": told["id"], "consumer_secret": told["secret"], "domain": "acme.my"}
seen["password"] = Salesforce(**names, **app).query("SELECT COUNT() FROM Lead")["totalSize"]
seen["jwt"] = Salesforce(username=told["username"], consumer_key=told["id"], privatekey_file=told["key_file"]).query(
    "SELECT COUNT() FROM Lead")["totalSize"]
client = Salesforce(**app)
seen["client"] = client.query("SELECT COUNT() FROM Lead")["totalSize"]
seen["rows"] = len(list(client.query_all_iter("SELECT Id FROM Lead", include_deleted=True)))
seen["found"] = len(client.quick_search("Web*")["searchRecords"]) > 0
made = client.Lead.create({"LastName": "A", "Company": "B"})["id"]
seen["deleted"] = client.Lead.delete(made)
seen["bulk2"] = client.bulk2.Lead.insert(records=[{"LastName": "A", "Company": "B"}], wait=0)[0]["numberRecordsFailed"]
print(json.dumps(seen))
"""


def test_simple_salesforce_over_https(
    secure: tuple[HttpServed, dict[str, str]], tmp_path: Path, practice_key: str
) -> None:
    served, env = secure
    key_file = tmp_path / "key.pem"
    key_file.write_text(practice_key, encoding="utf-8")
    told = json.dumps(given(served) | {"key_file": str(key_file)})
    assert json.loads(run([sys.executable, "-c", SIMPLE, told], env)) == {
        "soap": 60,
        "password": 60,
        "jwt": 60,
        "client": 60,
        "rows": 66,
        "found": True,
        "deleted": 204,
        "bulk2": 0,
    }


@needs_python_clients
@pytest.mark.parametrize("api", ["REST", "BULK"])
def test_a_singer_tap(secure: tuple[HttpServed, dict[str, str]], tmp_path: Path, api: str) -> None:
    _, env = secure
    accounts = Accounts(1)
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(
        json.dumps(
            {
                "client_id": accounts.client_id,
                "client_secret": accounts.client_secret,
                "refresh_token": accounts.refresh_token,
                "start_date": "2020-01-01T00:00:00Z",
                "api_type": api,
                "select_fields_by_default": True,
            }
        ),
        encoding="utf-8",
    )
    streams = json.loads(run([TAP, "--config", config, "--discover"], env))
    for stream in streams["streams"]:
        if stream["stream"] in ("Lead", "CampaignMember"):
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = True
    catalog.write_text(json.dumps(streams), encoding="utf-8")
    messages = [json.loads(line) for line in run([TAP, "--config", config, "--properties", catalog], env).splitlines()]
    found = Counter(message["stream"] for message in messages if message["type"] == "RECORD")
    assert found["Lead"] == 66  # it reads deleted ones too
    assert found["CampaignMember"] > 60
    lead = next(m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == "Lead")
    assert lead["Id"].startswith("00Q") and lead["SystemModstamp"]
    assert messages[-1]["type"] == "STATE"

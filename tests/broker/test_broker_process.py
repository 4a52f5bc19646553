"""The broker as a process, with the real drivers over practice systems and real TLS."""

from __future__ import annotations

import hashlib
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import integrator_practice
from hubspot_driver import HubSpotClient
from integrator_drivers import AuthError, ConnectionError, Mode, ReadOnlyError, registry
from integrator_drivers.access import BROKER
from integrator_magics.broker import Broker, System, Way
from integrator_magics.errors import SandboxUnavailable
from salesforce_driver import SalesforceClient

Set = Callable[..., Way]
SIZE = 60_000_000  # bytes, several times what the broker may need for them


def described(system: str, env: dict[str, str], base_url: str) -> System:
    manifest = registry.manifest(system)
    parts = urlsplit(base_url)
    assert parts.hostname and parts.port
    return System(
        system, manifest.label, "http", ((parts.hostname, parts.port),), env, manifest.http, manifest.authorize
    )


@pytest.fixture(scope="module")
def practice() -> Iterator[dict[str, integrator_practice.Practice]]:
    with (
        integrator_practice.start("salesforce", rows=200) as salesforce,
        integrator_practice.start("hubspot", rows=200, tls=True) as hubspot,
    ):
        yield {"salesforce": salesforce, "hubspot": hubspot}


@pytest.fixture(scope="module")
def secrets() -> list[str]:
    return []


@pytest.fixture(scope="module")
def broker(practice: dict[str, integrator_practice.Practice], secrets: list[str]) -> Iterator[Broker]:
    found = Broker(lambda value, name: secrets.append(value), practice["hubspot"].ca_file or "")
    yield found
    found.close()


@pytest.fixture
def through(
    broker: Broker,
    practice: dict[str, integrator_practice.Practice],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Set]:
    """through(mode, NAME=value): the environment of a script behind the broker; HubSpot over TLS by the proxy."""
    ways = []

    def make(mode: str, **changed: str) -> Way:
        systems, places, lines = [], [], {}
        for name, system in practice.items():
            systems.append(described(name, {**system.env, **changed}, system.base_url))
            places.append(systems[-1].endpoints[0])
        way = broker.open(systems, Mode(mode))
        ways.append(way)
        salesforce, proxy = way.listen([places[0], ("", 0)])
        for name in practice:
            secret = [variable.name for variable in registry.manifest(name).env if variable.secret]
            lines |= way.variables(practice[name].env, secret)
        (tmp_path / "ca.pem").write_text(way.ca)
        lines |= {
            "SALESFORCE_BASE_URL": f"http://127.0.0.1:{salesforce}",
            "HUBSPOT_BASE_URL": practice["hubspot"].base_url,
            "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy}",
            "INTEGRATOR_MODE": mode,
        }
        for name, value in lines.items():
            monkeypatch.setenv(name, value)
        return way

    yield make
    for way in ways:
        way.close()


def test_drivers_work_with_placeholders_only(
    through: Set, practice: dict[str, integrator_practice.Practice], secrets: list[str]
) -> None:
    way = through("discovery")
    assert os.environ["SALESFORCE_CLIENT_SECRET"] == os.environ[BROKER] == way.token
    with SalesforceClient() as salesforce:
        identity = salesforce.check()
        assert (identity.environment, identity.user) == ("practice", "integration.user@practice.example")
        assert len(list(salesforce.read("Lead", limit=30).rows())) == 30
    told = way.close()
    calls = {call["template"]: call for call in told["calls"]}
    query = next(template for template in calls if "FROM Lead" in template)
    assert query.startswith("/services/data/v62.0/query: SELECT Id, ")
    assert calls[query] == {
        "system": "salesforce",
        "method": "GET",
        "template": query,
        "status": 200,
        "rows": 30,
        "count": 1,
    }
    assert secrets  # what the login gave is told, so that it can be kept out of every text


def test_https_goes_through_with_certificates_checked_on_both_sides(
    through: Set, practice: dict[str, integrator_practice.Practice]
) -> None:
    way = through("discovery")
    parts = urlsplit(practice["hubspot"].base_url)
    client = httpx.Client(
        proxy=os.environ["HTTPS_PROXY"],
        headers={"Authorization": f"Bearer {way.token}"},
        verify=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]),
    )
    with client:
        answer = client.get(f"https://127.0.0.1:{parts.port}/crm/objects/2026-09/contacts?limit=3")
        assert len(answer.json()["results"]) == 3
        refused = client.post(f"https://127.0.0.1:{parts.port}/crm/objects/2026-09/contacts/batch/create", json={})
        assert refused.headers["integrator-broker"] == "ReadOnlyError"
    with httpx.Client(proxy=os.environ["HTTPS_PROXY"], trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(f"https://127.0.0.1:{parts.port}/crm/objects/2026-09/contacts")  # trusts only the real authorities


def test_refusals_reach_the_script_as_errors_of_the_contract(through: Set) -> None:
    through("preview")
    os.environ["INTEGRATOR_MODE"] = "apply"  # a script that lies to its driver
    with (
        SalesforceClient() as salesforce,
        pytest.raises(ReadOnlyError, match=r"^A preview only reads: .* Salesforce\.$"),
    ):
        salesforce.insert("Lead", [{"LastName": "x", "Company": "y"}])


def test_a_login_that_fails_keeps_its_sentence(through: Set) -> None:
    through("discovery", SALESFORCE_CLIENT_SECRET="wrong")
    with SalesforceClient() as salesforce, pytest.raises(AuthError, match="Salesforce refused the login"):
        salesforce.list_objects()


def test_a_system_that_does_not_answer_keeps_its_sentence(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"HUBSPOT_ACCESS_TOKEN": "fake-token-1"}
    manifest = registry.manifest("hubspot")
    place = ("127.0.0.1", 1)
    way = broker.open(
        [System("hubspot", "HubSpot", "http", (place,), env, manifest.http, manifest.authorize)], Mode.DISCOVERY
    )
    (port,) = way.listen([place])
    for name, value in way.variables(env, ["HUBSPOT_ACCESS_TOKEN"]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HUBSPOT_BASE_URL", f"http://127.0.0.1:{port}")
    with HubSpotClient() as hubspot, pytest.raises(ConnectionError, match="HubSpot: it refused the connection"):
        hubspot.check()
    way.close()


def test_no_mode_lets_a_delete_through(through: Set, practice: dict[str, integrator_practice.Practice]) -> None:
    control = practice["salesforce"].control_url
    before = httpx.get(f"{control}/requests", trust_env=False).json()["mutations"]
    for mode in Mode:
        way = through(mode)
        base = os.environ["SALESFORCE_BASE_URL"]
        answer = httpx.delete(
            f"{base}/services/data/v62.0/sobjects/Lead/00Q000000000001",
            headers={"Authorization": f"Bearer {way.token}"},
        )
        assert answer.status_code == 403
    assert httpx.get(f"{control}/requests", trust_env=False).json()["mutations"] == before


class Bulk(BaseHTTPRequestHandler):
    """Takes and gives a lot of CSV."""

    protocol_version = "HTTP/1.1"
    taken = ""

    def do_PUT(self) -> None:
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left:
            part = self.rfile.read(min(left, 1 << 20))
            digest.update(part)
            left -= len(part)
        type(self).taken = digest.hexdigest()
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = bytes(range(256)) * 4096
        for _ in range(SIZE // len(block)):
            self.wfile.write(b"%x\r\n" % len(block) + block + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        return


def test_bulk_bodies_pass_in_bounded_memory(broker: Broker) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Bulk) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        place = ("127.0.0.1", server.server_address[1])
        http = {"read": ["GET /data"], "write": ["PUT /data"]}
        way = broker.open([System("acme", "Acme", "http", (place,), {}, http)], Mode.APPLY)
        (port,) = way.listen([place])
        pid = broker._process._process.pid  # type: ignore[union-attr]
        before = _peak(pid)
        block = bytes(range(256)) * 4096
        digest = hashlib.sha256()

        def blocks() -> Iterator[bytes]:
            for _ in range(SIZE // len(block)):
                digest.update(block)
                yield block

        size = SIZE // len(block) * len(block)
        headers = {"Content-Type": "text/csv", "Content-Length": str(size)}
        assert httpx.put(f"http://127.0.0.1:{port}/data", content=blocks(), headers=headers).status_code == 201
        assert Bulk.taken == digest.hexdigest()
        count = check = 0
        with httpx.stream("GET", f"http://127.0.0.1:{port}/data") as answer:
            for part in answer.iter_bytes():
                count += len(part)
                check = zlib.crc32(part, check)
        assert count == size
        assert _peak(pid) - before < 20_000  # kB
        way.close()
        server.shutdown()
        thread.join()


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os\nfrom integrator_magics.broker import Broker\n"
        "broker = Broker()\nprint(broker._running()._process.pid, flush=True)\nos._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 9
    pid = int(done.stdout)
    fd = None
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([fd], [], [], 5)[0]
    os.close(fd)


def test_its_secrets_are_in_no_command_line_and_no_environment(through: Set, broker: Broker) -> None:
    through("discovery")
    pid = broker._process._process.pid  # type: ignore[union-attr]
    for name in ("cmdline", "environ"):
        text = Path(f"/proc/{pid}/{name}").read_bytes()
        assert b"practice" not in text.replace(b"integrator-practice", b"")
        assert b"SALESFORCE" not in text


def test_alone_it_takes_lines_on_a_pipe_and_listens_itself() -> None:
    place = ["127.0.0.1", 9]
    system = System("acme", "Acme", "http", (("127.0.0.1", 9),), {}, {"read": ["GET /x"]}).as_data()
    commands = [
        {"do": "open", "run": "a", "mode": "discovery", "token": "t", "systems": [system]},
        {"do": "listen", "run": "a", "to": [place]},
        {"do": "nonsense", "run": "a"},
        {"do": "close", "run": "a"},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "integrator_magics.broker"],
        input="".join(json.dumps(command) + "\n" for command in commands),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    ready, opened, listening, wrong, closed = map(json.loads, done.stdout.splitlines())
    assert ready["ca"].startswith("-----BEGIN CERTIFICATE")
    assert opened["opened"] == closed["closed"] == "a"
    assert len(listening["ports"]) == 1
    assert "error" in wrong


def test_nothing_of_jupyter_is_loaded() -> None:
    code = (
        "import sys, integrator_magics.broker.__main__\n"
        "print([n for n in ('IPython', 'ipykernel', 'ipywidgets', 'pandas', 'pydantic_ai') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_broker_that_is_gone_is_told_in_a_sentence_and_made_anew() -> None:
    broker = Broker()
    way = broker.open([], Mode.DISCOVERY)
    broker._process._process.kill()  # type: ignore[union-attr]
    broker._process._process.wait()  # type: ignore[union-attr]
    with pytest.raises(SandboxUnavailable, match="could not be used"):
        way.serve([socket.create_server(("127.0.0.1", 0))], [("", 0)])
    assert way.close()["calls"] == []
    broker.open([], Mode.DISCOVERY).close()
    broker.close()
    with pytest.raises(SandboxUnavailable, match="This session is closed"):
        broker.open([], Mode.DISCOVERY)

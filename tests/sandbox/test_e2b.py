"""E2B through its own SDK against the stand-in: what it is asked for, what it may reach, and what goes wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from e2b import E2B
from sandbox_runs import run_in
from stand_ins.e2b.cloud import Cloud
from stand_ins.e2b.gateway import Internet

from integrator_drivers import Mode
from integrator_magics.errors import RunFailed, SandboxUnavailable
from integrator_magics.sandbox import RunSpec
from integrator_magics.sandbox.e2b import E2BSandbox
from integrator_magics.sandbox.e2b.backend import owner
from integrator_magics.sandbox.e2b.sweep import sweep
from integrator_magics.sandbox.e2b.template import build_template

CRM, DATABASE = "20.30.40.50", "20.30.40.51"
TELL = "from integrator_drivers import report\ndef tell(name, value):\n    report('value', name=name, value=value)\n"


def told(sandbox: E2BSandbox, code: str, **spec: Any) -> dict[str, Any]:
    outcome = run_in(sandbox, TELL + code, **spec)
    assert outcome.status == "ok", (outcome.error, outcome.stdout)
    return {line["name"]: line["value"] for line in outcome.report}


@pytest.fixture(autouse=True)
def switches(request: pytest.FixtureRequest) -> Iterator[None]:
    """All faults off, and no machine left, whatever a test did."""
    yield
    if "cloud" in request.fixturenames:
        cloud: Cloud = request.getfixturevalue("cloud")
        cloud.answers.clear()
        cloud.stream_fault, cloud.slow_start, cloud.most, cloud.hidden = "", 0.0, 20, []
        assert cloud.sandboxes == {}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """crm.acme.example and db.acme.example have public addresses, as this program looks them up."""
    honest = socket.getaddrinfo
    known = {"crm.acme.example": CRM, "db.acme.example": DATABASE, "inner.acme.example": "10.1.2.3"}

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        return honest(known.get(host, host), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def hello() -> Iterator[int]:
    """A port that says hello to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(5)
                    client.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(4096):
                        pass

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


# What E2B is asked for.


def test_a_machine_is_closed_from_the_start_and_credentials_go_to_the_process_only(
    cloud: Cloud, e2b: E2BSandbox, names: None
) -> None:
    secret = f"fake-{uuid.uuid4().hex}"
    first = len(cloud.requests)
    run_in(
        e2b,
        "print(1)",
        env={"PGPASSWORD": secret},
        egress=(("crm.acme.example", 443), ("db.acme.example", 5432), ("8.8.4.4", 443)),
    )
    requests, sandbox = cloud.requests[first:], cloud.past[-1]
    body = next(data for method, path, data in requests if (method, path) == ("POST", "/v2/sandboxes"))
    assert body["network"] == {
        "allowOut": ["crm.acme.example", f"{DATABASE}/32", "8.8.4.4/32"],
        "denyOut": ["0.0.0.0/0"],
        "dnsServers": [],
        "allowPublicTraffic": False,
    }
    assert body["envVars"] == {}
    assert body["autoPause"] is False
    assert set(body["metadata"]) == {"integrator", "pid", "run_id", "user"}
    assert secret not in repr(requests)  # bodies of the control plane
    assert sandbox.envs == [{"PGPASSWORD": secret}]
    assert requests[-1][0] == "DELETE"


def test_a_script_has_no_way_to_the_program_that_watches_it(e2b: E2BSandbox) -> None:
    code = (
        "import os, pathlib\nreadable = []\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    if path.parent.name != str(os.getpid()):\n"
        "        try:\n            path.read_bytes()\n            readable.append(path.parent.name)\n"
        "        except OSError:\n            pass\n"
        "tell('readable', readable)\ntell('user', [os.getuid(), os.getgid(), os.getgroups()])\n"
        "taken = []\n"
        "for place in ('/etc/hosts', '/run/integrator/files.tar', '/run/integrator/x', '/opt/integrator/x'):\n"
        "    try:\n        open(place, 'a').close()\n        taken.append(place)\n"
        "    except OSError:\n        pass\n"
        "tell('taken', taken)\n"
        "try:\n    os.setuid(0)\n    tell('root', True)\nexcept OSError:\n    tell('root', False)\n"
    )
    found = told(e2b, code, env={"SECRET": "fake-secret-of-the-run"})
    if found["user"][0] != 61_234:
        pytest.skip("the stand-in has one user here")
    assert found == {"readable": [], "user": [61_234, 61_234, []], "taken": [], "root": False}


def test_files_come_back_and_what_is_no_file_is_named(e2b: E2BSandbox) -> None:
    outcome = run_in(
        e2b,
        "import os\nos.makedirs('2026/11')\nopen('2026/11/ä.csv', 'w').write('a\\n' * 1000)\n"
        "open('data.bin', 'wb').write(bytes(range(256)) * 4)\n"
        "os.symlink('/etc/passwd', 'link.csv')\nos.mkfifo('pipe')\n",
    )
    assert [entry["path"] for entry in outcome.files] == ["2026", "2026/11", "2026/11/ä.csv", "data.bin"]
    assert [note for note in outcome.notes if "no plain file" in note] == [
        "link.csv was not saved: it is no plain file, or too large.",
        "pipe was not saved: it is no plain file, or too large.",
    ]


def test_bytes_of_files_are_the_same(e2b: E2BSandbox) -> None:
    session = e2b.open(RunSpec(code="open('a', 'wb').write(bytes(range(256)) * 8_000)", mode=Mode.APPLY))
    try:
        assert session.run(lambda event: None).status == "ok"
        assert (session.outputs / "a").read_bytes() == bytes(range(256)) * 8_000
    finally:
        session.close()


def test_a_resume_point_goes_there_and_comes_back(e2b: E2BSandbox) -> None:
    code = (
        "import pathlib\npath = pathlib.Path('integrator_state/leads.json')\n"
        "print(path.read_text())\npath.write_text('{\"at\": 2}')\n"
    )
    session = e2b.open(RunSpec(code=code, mode=Mode.APPLY, inputs={"integrator_state/leads.json": b'{"at": 1}'}))
    try:
        outcome = session.run(lambda event: None)
        assert (outcome.status, outcome.stdout) == ("ok", '{"at": 1}\n'), outcome.error
        assert (session.outputs / "integrator_state/leads.json").read_text() == '{"at": 2}'
    finally:
        session.close()


# What a script reaches.


def test_a_listed_name_and_a_listed_address_are_reached_and_nothing_else(
    cloud: Cloud, e2b: E2BSandbox, names: None, hello: int
) -> None:
    cloud.internet = Internet()
    cloud.internet.add("crm.acme.example", CRM, {80: hello, 443: hello})
    cloud.internet.add("db.acme.example", DATABASE, {5432: hello})
    cloud.internet.add("evil.example", "20.30.40.66", {80: hello, 443: hello, 5432: hello})
    code = """
import socket, ssl
def reached(host, port, send=b"", context=None):
    try:
        with socket.create_connection((host, port), 5) as client:
            if context:
                context.wrap_socket(client, server_hostname=host)
            client.sendall(send)
            return client.recv(100)[-5:].decode()
    except ssl.SSLError:
        return "spoke"  # the server here speaks no TLS; the words came through
    except OSError as exc:
        return type(exc).__name__
get = "GET / HTTP/1.0\\r\\nHost: {}\\r\\n\\r\\n"
tell("name", reached("crm.acme.example", 80, get.format("crm.acme.example").encode()))
tell("tls", reached("crm.acme.example", 443, context=ssl.create_default_context()))
tell("database", reached("db.acme.example", 5432))
tell("false header", reached("crm.acme.example", 80, get.format("evil.example").encode()))
tell("evil", reached("20.30.40.66", 5432))
tell("evil web", reached("20.30.40.66", 80, get.format("evil.example").encode()))
tell("other port", reached("20.30.40.51", 22))
for name in ("evil.example", "x.tunnel.example"):
    try:
        tell(name, socket.getaddrinfo(name, 443))
    except OSError as exc:
        tell(name, type(exc).__name__)
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagram.connect(("8.8.8.8", 53))
datagram.settimeout(1)
try:
    datagram.send(b"x")
    datagram.recv(10)
    tell("udp", True)
except OSError:
    tell("udp", False)
"""
    found = told(e2b, code, egress=(("crm.acme.example", 443), ("db.acme.example", 5432)))
    assert found == {
        "name": "hello",
        "tls": "spoke",
        "database": "hello",
        "false header": "ConnectionResetError",
        "evil": "ConnectionResetError",
        "evil web": "ConnectionResetError",
        "other port": "ConnectionRefusedError",
        "evil.example": "gaierror",
        "x.tunnel.example": "gaierror",
        "udp": False,
    }
    assert ("evil.example", 80, False) in cloud.past[-1].machine.gateway.seen


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("127.0.0.1", "127.0.0.1 is in a private network or on this machine"),
        ("/var/run/postgresql", "/var/run/postgresql (127.0.0.1) is in a private network"),
        ("inner.acme.example", "inner.acme.example (10.1.2.3) is in a private network"),
        ("nowhere.invalid", "The address of nowhere.invalid was not found"),
    ],
)
def test_a_host_that_e2b_cannot_reach_is_named_before_anything_is_asked(
    cloud: Cloud, e2b: E2BSandbox, names: None, host: str, words: str
) -> None:
    first = len(cloud.requests)
    with pytest.raises(SandboxUnavailable) as caught:
        e2b.open(RunSpec(code="", mode=Mode.PREVIEW, egress=((host, 5432),)))
    assert words in str(caught.value)
    assert "nothing ran" in str(caught.value)
    assert ("--sandbox embedded" in caught.value.next) == (host != "nowhere.invalid")
    assert not [path for _, path, _ in cloud.requests[first:] if path == "/v2/sandboxes"]


# What goes wrong.


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda cloud: setattr(cloud, "key", "another"), "E2B refused the key, so nothing ran."),
        (lambda cloud: setattr(cloud, "most", 0), "as many machines as it may at a time, so nothing ran."),
        (
            lambda cloud: [cloud.fail("/v2/sandboxes", 429, "rate limit", Retry_After="120") for _ in range(3)],
            "E2B takes no more requests from this account at the moment, so nothing ran.",
        ),
        (
            lambda cloud: cloud.fail("/v2/sandboxes", 503, "no nodes", Should_Retry="false"),
            "E2B has no machine free at the moment, so nothing ran.",
        ),
        (
            lambda cloud: cloud.fail("/v2/sandboxes", 500, "database is down"),
            "E2B could not make a machine ready, so nothing ran. It said: 500: database is down",
        ),
        (lambda cloud: cloud.fail("/files", 507, "disk full"), "E2B could not make a machine ready, so nothing ran."),
        (
            lambda cloud: cloud.fail("/process.Process/Start", 502, "The sandbox was not found"),
            "E2B did not answer, so nothing ran.",
        ),
    ],
    ids=["401", "out of concurrency", "429", "503", "500", "507", "502 at the start"],
)
def test_what_keeps_a_run_from_beginning_is_one_sentence(
    cloud: Cloud, e2b: E2BSandbox, arrange: Callable[[Cloud], object], words: str
) -> None:
    key = cloud.key
    arrange(cloud)
    try:
        with pytest.raises(SandboxUnavailable) as caught:
            run_in(e2b, "pass")
    finally:
        cloud.key = key
    assert words in str(caught.value)


def test_a_short_wait_that_e2b_asks_for_is_waited(cloud: Cloud, e2b: E2BSandbox) -> None:
    cloud.fail("/v2/sandboxes", 429, "rate limit", Retry_After="0")
    assert run_in(e2b, "pass").status == "ok"


def test_an_e2b_that_does_not_answer_is_said(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    with pytest.raises(SandboxUnavailable, match="E2B did not answer, so nothing ran"):
        run_in(E2BSandbox("fake-key", api_url=url, sandbox_url=url), "pass")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("gone", "The machine at E2B ended before the script did."),
        ("truncate", "The connection to the machine at E2B broke off while the script ran."),
        ("no_exit", ""),
    ],
)
@pytest.mark.parametrize("mode", [Mode.PREVIEW, Mode.APPLY])
def test_a_run_that_is_lost_says_what_that_means_for_the_data(
    cloud: Cloud, e2b: E2BSandbox, fault: str, what: str, mode: Mode
) -> None:
    cloud.stream_fault = fault
    code = "import time\nprint('one', flush=True)\ntime.sleep(0.3)\nprint('two', flush=True)\n"
    outcome = run_in(e2b, code + ("time.sleep(30)\n" if what else ""), mode=mode)
    if not what:  # the program there had told all before its end was lost
        assert (outcome.status, outcome.stdout) == ("ok", "one\ntwo\n")
        return
    assert outcome.status == "sandbox_lost"
    assert outcome.error is not None
    assert outcome.error.sentence.startswith(what)
    assert ("Nothing was written." in outcome.error.sentence) == (mode is Mode.PREVIEW)
    assert ("stays written" in outcome.error.sentence) == (mode is Mode.APPLY)


def test_an_endless_loop_is_stopped_at_its_time(e2b: E2BSandbox) -> None:
    outcome = run_in(e2b, "print('on', flush=True)\nwhile True:\n    pass\n", limits={"seconds": 1.0})
    assert (outcome.status, outcome.stdout) == ("timeout", "on\n")
    assert outcome.error is not None
    assert outcome.error.message == "The script did not finish within 1 s and was stopped."


def test_a_stop_while_the_machine_is_made_leaves_none(cloud: Cloud, e2b: E2BSandbox) -> None:
    cloud.slow_start = 1.0
    made = len(cloud.past)
    session = e2b.open(RunSpec(code="open('ran', 'w')", mode=Mode.APPLY))
    try:
        session.cancel()
        assert session.run(lambda event: None).status == "cancelled"
    finally:
        session.close()
    deadline = time.monotonic() + 20
    while len(cloud.past) == made and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert [sandbox.envs for sandbox in cloud.past[made:]] == [[]]  # made, and ended before anything ran


def test_floods_and_files_meet_their_limits(e2b: E2BSandbox) -> None:
    flood = run_in(e2b, "for _ in range(100):\n    print('x' * 9_999)\n", limits={"output": 100_000})
    assert (flood.status, len(flood.stdout)) == ("ok", 100_000)
    assert "What the script printed was cut after 100,000 characters." in flood.notes
    many = run_in(
        e2b,
        "import time\nfor n in range(200):\n    open(f'f{n}', 'w').close()\ntime.sleep(30)\n",
        limits={"files": 100},
    )
    assert many.status == "limit"


# Machines of earlier programs.


def test_machines_whose_program_is_gone_are_ended_and_no_others(cloud: Cloud) -> None:
    client = E2B(api_key=cloud.key, **cloud.connection)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    mine = {"integrator": owner(), "pid": str(threading.get_native_id())}
    orphan = client.Sandbox.create(timeout=60, metadata={"integrator": owner(), "pid": gone.stdout.decode().strip()})
    kept = [
        client.Sandbox.create(timeout=60, metadata=mine),
        client.Sandbox.create(timeout=60, metadata={"integrator": "another", "pid": "1"}),
        client.Sandbox.create(timeout=60),
    ]
    try:
        assert sweep(client, owner()) == 1
        assert set(cloud.sandboxes) == {sandbox.sandbox_id for sandbox in kept}
        assert not orphan.is_running()
    finally:
        for sandbox in kept:
            sandbox.kill()


# Templates, and doing without.


def test_without_a_template_the_drivers_are_sent_and_libraries_installed_before_credentials_come(
    cloud: Cloud, e2b: E2BSandbox
) -> None:
    templates, cloud.templates = cloud.templates, {}
    cloud.hidden = ["apscheduler"]
    try:
        outcome = run_in(
            e2b, "import postgresql_driver\nprint(postgresql_driver.__file__)", env={"SECRET": "fake-value"}
        )
    finally:
        cloud.templates = templates
    assert outcome.stdout == "/opt/integrator/drivers/postgresql_driver/__init__.py\n"
    assert any("build-template" in note for note in outcome.notes)
    sandbox = cloud.past[-1]
    closed, opened, again = sandbox.networks
    assert (closed["denyOut"], opened, again["denyOut"]) == (["0.0.0.0/0"], {}, ["0.0.0.0/0"])
    order = [path for _, path, _ in cloud.requests if path.endswith(("/network", "/Start"))]
    assert order[-4:] == [
        f"/sandboxes/{sandbox.id}/network",
        "/process.Process/Start",  # installs
        f"/sandboxes/{sandbox.id}/network",
        "/process.Process/Start",  # the script
    ]
    assert [sorted(envs) for envs in sandbox.envs] == [[], [], ["SECRET"]]


def test_a_template_is_built_once_and_then_used(cloud: Cloud) -> None:
    templates, cloud.templates = cloud.templates, {}
    said: list[str] = []
    try:
        name = build_template(cloud.key, said.append, **cloud.connection)
        assert build_template(cloud.key, said.append, **cloud.connection) == name
        assert [line for line in said if line.startswith("RUN python3 -m pip install")]
        outcome = run_in(
            E2BSandbox(cloud.key, **cloud.connection), "import hubspot_driver\nprint(hubspot_driver.__file__)"
        )
        assert outcome.stdout == "/opt/integrator/drivers/hubspot_driver/__init__.py\n"
        assert outcome.notes == []
        assert cloud.past[-1].template == name
    finally:
        cloud.templates = templates


def test_a_template_that_cannot_be_built_says_why(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrator_magics.sandbox.e2b import template
    from integrator_magics.sandbox.e2b.bundle import Bundle

    monkeypatch.setattr(template, "bundle", lambda: Bundle(b"no archive", ()))
    with pytest.raises(RunFailed, match="E2B could not build the template"):
        build_template(cloud.key, lambda line: None, **cloud.connection)

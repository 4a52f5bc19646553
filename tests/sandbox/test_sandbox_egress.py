"""Which hosts a run may reach, and the way there: names, addresses, the proxy, PostgreSQL."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import run_in

from integrator_drivers import registry
from integrator_drivers.manifest import EnvVar, Host, Manifest
from integrator_magics.errors import ConfigError
from integrator_magics.sandbox.bridge import PROXY, Bridge
from integrator_magics.sandbox.bubblewrap import Bubblewrap
from integrator_magics.sandbox.egress import endpoints, plan

CRM = Manifest(
    name="acme",
    folder=Path("/nowhere"),
    purpose="",
    client="acme_driver:Client",
    label="Acme",
    env=(EnvVar("ACME_DOMAIN"), EnvVar("ACME_BASE_URL")),
    hosts=(Host("{ACME_DOMAIN}.acme.example"), Host("login.acme.example", "8443")),
)


class Hello(BaseHTTPRequestHandler):
    """Answers with what it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path} {self.headers.get('Proxy-Connection')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """*.acme.example is this machine, for the host side."""
    honest = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        return honest("127.0.0.1" if str(host).endswith(".acme.example") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def http_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_hosts_are_those_of_the_manifest_and_of_base_urls() -> None:
    assert endpoints(CRM, {"ACME_DOMAIN": "my"}) == [("my.acme.example", 443), ("login.acme.example", 8443)]
    assert endpoints(CRM, {"ACME_BASE_URL": "https://proxy.example/x"}) == [
        ("login.acme.example", 8443),
        ("proxy.example", 443),
    ]


def test_with_a_base_url_on_this_machine_nothing_else_is_reachable() -> None:
    assert endpoints(CRM, {"ACME_DOMAIN": "my", "ACME_BASE_URL": "http://127.0.0.1:8081"}) == [("127.0.0.1", 8081)]


@pytest.mark.parametrize("url", ["acme.example", "https://", "https://acme.example:port", "https://[::1"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="ACME_BASE_URL is no address"):
        endpoints(CRM, {"ACME_BASE_URL": url})


def test_a_port_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"port of PostgreSQL is no number.*PGHOST, PGPORT"):
        endpoints(registry.manifest("postgresql"), {"PGHOST": "db.example", "PGPORT": "fivefour"})


def test_each_kind_of_host_gets_its_way_in() -> None:
    env = {"PGHOST": "10.1.2.3", "PGPORT": "443"}
    allowed = [("127.0.0.1", 8081), ("localhost", 9000), ("db.example", 5432), ("10.1.2.3", 443), ("api.example", 443)]
    found = plan(allowed, env)
    assert found.listen == [
        ("127.0.0.1", 8081, ("127.0.0.1", 8081)),
        ("127.0.0.1", 9000, ("localhost", 9000)),
        ("127.1.0.3", 5432, ("db.example", 5432)),
        ("127.1.0.4", 20443, ("10.1.2.3", 443)),
        ("127.0.0.1", 3128, PROXY),
    ]
    assert found.hosts == ["127.0.0.1 localhost", "127.1.0.3 db.example"]
    assert (found.env["PGHOSTADDR"], found.env["PGPORT"]) == ("127.1.0.4", "20443")
    assert found.env["HTTPS_PROXY"] == "http://127.0.0.1:3128"


def test_the_proxy_moves_when_its_port_is_wanted() -> None:
    assert plan([("localhost", 3128)], {}).listen[-1] == ("127.0.0.1", 3129, PROXY)


def test_a_listed_name_is_reached_directly_and_by_proxy_and_others_not(
    walled: Bubblewrap, names: None, http_port: int
) -> None:
    code = f"""
import httpx, urllib.request
from integrator_drivers import report
url = "http://crm.acme.example:{http_port}"
with httpx.Client() as client:
    report("value", name="proxied", value=client.get(url + "/a?b=c").text)
    report("value", name="again", value=client.get(url + "/d").text)
    report("value", name="refused", value=[client.get("http://evil.example/x").status_code])
    try:
        client.get("https://evil.example/x")
    except httpx.ProxyError as exc:
        report("value", name="tls", value=str(exc))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
report("value", name="direct", value=opener.open(url + "/e").read().decode())
"""
    outcome = run_in(walled, code, egress=(("crm.acme.example", http_port),))
    assert outcome.status == "ok", (outcome.error, outcome.stdout)
    values = {line["name"]: line["value"] for line in outcome.report}
    host = f"crm.acme.example:{http_port}"
    assert values["proxied"] == f"{host} /a?b=c None"
    assert values["again"] == f"{host} /d None"
    assert values["direct"] == f"{host} /e None"
    assert values["refused"] == [403]
    assert "403" in values["tls"]
    assert outcome.egress == [
        {"host": "crm.acme.example", "port": http_port, "allowed": True, "count": 3},
        {"host": "evil.example", "port": 80, "allowed": False, "count": 1},
        {"host": "evil.example", "port": 443, "allowed": False, "count": 1},
    ]


def test_tls_is_checked_for_the_real_name_through_the_proxy(walled: Bubblewrap, names: None, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path, "crm.acme.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_address[1]
        code = f"""
import requests
from integrator_drivers import report
report("value", name="right", value=requests.get("https://crm.acme.example:{port}/x", timeout=5).text)
try:
    requests.get("https://other.acme.example:{port}/x", timeout=5)
except requests.exceptions.SSLError:
    report("value", name="wrong", value="refused")
"""
        outcome = run_in(
            walled,
            code,
            egress=(("crm.acme.example", port), ("other.acme.example", port)),
            env={"REQUESTS_CA_BUNDLE": str(certificate)},
        )
        server.shutdown()
        thread.join()
    values = {line["name"]: line["value"] for line in outcome.report}
    assert values == {"right": f"crm.acme.example:{port} /x None", "wrong": "refused"}, (outcome.error, outcome.stdout)


def test_a_host_that_does_not_answer_is_told_as_such(walled: Bubblewrap) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code = (
        "import httpx, socket\nfrom integrator_drivers import report\n"
        f"report('value', name='proxy', value=httpx.get('http://nowhere.invalid:{port}').status_code)\n"
        f"try:\n    socket.create_connection(('127.0.0.1', {port})).recv(1)\n"
        "except ConnectionResetError:\n    report('value', name='direct', value='reset')\n"
    )
    outcome = run_in(walled, code, egress=(("nowhere.invalid", port), ("127.0.0.1", port)))
    assert {line["name"]: line["value"] for line in outcome.report} == {"proxy": 502, "direct": "reset"}


def test_a_lot_of_data_goes_both_ways_through_the_bridge(walled: Bubblewrap) -> None:
    size = 50_000_000

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(1 << 18):
                self.request.sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_address[1]
        code = f"""
import socket, threading, hashlib
from integrator_drivers import report
data = bytes(range(256)) * ({size} // 256)
s = socket.create_connection(("127.0.0.1", {port}))
def write():
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=write).start()
digest, count = hashlib.sha256(), 0
while part := s.recv(1 << 20):
    digest.update(part)
    count += len(part)
report("value", name="same", value=digest.digest() == hashlib.sha256(data).digest())
report("value", name="count", value=count)
"""
        outcome = run_in(walled, code, egress=(("127.0.0.1", port),))
        server.shutdown()
        thread.join()
    assert [line["value"] for line in outcome.report] == [True, size // 256 * 256], outcome.error


@pytest.mark.parametrize(
    "request_line",
    [b"GET / HTTP/1.1", b"CONNECT nonsense HTTP/1.1", b"CONNECT a:99999999 HTTP/1.1", b"\x16\x03\x01", b"x" * 70_000],
)
def test_the_proxy_refuses_what_it_does_not_understand(request_line: bytes, proxy: Callable[[], socket.socket]) -> None:
    with proxy() as client:
        client.sendall(request_line + b"\r\n\r\n")
        assert client.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 403", b"")


@pytest.mark.parametrize("name", ["CRM.Acme.Example", "crm.acme.example"])
def test_names_are_compared_without_regard_to_case(name: str, names: None, http_port: int) -> None:
    told: list[Any] = []
    with _proxy([("Crm.acme.example", http_port)], told) as connect, connect() as client:
        client.sendall(f"CONNECT {name}:{http_port} HTTP/1.1\r\n\r\nGET /z HTTP/1.0\r\nHost: h\r\n\r\n".encode())
        text = b""
        while part := client.recv(4096):
            text += part
    assert b"200 Connection established" in text
    assert b"h /z None" in text
    assert told == [("crm.acme.example", http_port, True)]


@pytest.mark.parametrize(
    "name", ["crm.acme.example.evil.example", "127.0.0.1", "crm.acme.example@evil", "%63rm.acme.example"]
)
def test_look_alikes_are_refused(name: str, http_port: int) -> None:
    told: list[Any] = []
    with _proxy([("crm.acme.example", http_port)], told) as connect, connect() as client:
        client.sendall(f"CONNECT {name}:{http_port} HTTP/1.1\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 403"
    assert told == [(name.lower(), http_port, False)]


@pytest.fixture
def proxy() -> Iterator[Callable[[], socket.socket]]:
    with _proxy([("crm.acme.example", 443)], []) as connect:
        yield connect


class _proxy:
    """A bridge with one proxy listener, and how to connect to it."""

    def __init__(self, allowed: list[tuple[str, int]], told: list[Any]) -> None:
        self.bridge = Bridge(allowed, lambda *facts: told.append(facts))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()

    def __enter__(self) -> Callable[[], socket.socket]:
        self.bridge.serve(self.listener, PROXY)
        return lambda: socket.create_connection(self.address, timeout=10)

    def __exit__(self, *_: object) -> None:
        self.bridge.close()


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths

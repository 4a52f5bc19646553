"""The HTTP side of the broker over plain sockets: what reaches the system, byte for byte, and what comes back."""

from __future__ import annotations

import gzip
import socket
import ssl
from collections.abc import Callable
from typing import Any

import acme_access
import httpx
import pytest
from acme_server import OK, TOKEN, Acme, Door

Make = Callable[..., Door]
HEAD = f"Host: acme\r\nAuthorization: Bearer {TOKEN}\r\n".encode()


def test_the_credential_is_put_in_and_the_login_is_made_once(acme: Acme, door: Make) -> None:
    found = door()
    for _ in range(3):
        assert found.ask("GET", "/v1/leads").startswith(b"HTTP/1.1 200")
    assert acme_access.logins == ["fake-secret"]
    assert found.secrets == ["fake-secret-1"]
    for head, _ in acme.seen:
        assert b"Authorization: Bearer fake-secret-1" in head
        assert TOKEN.encode() not in head
    assert [call["method"] for call in found.passage.close()["calls"]] == ["LOGIN", "GET"]


def test_C5_cookies_and_the_credential_stay_outside(acme: Acme, door: Make) -> None:
    answer = door().ask("GET", "/v1/leads", Cookie="sid=mine")
    assert b"cookie" not in answer.lower()
    assert b"fake-secret" not in answer
    assert b"cookie" not in acme.seen[0][0].lower()


def test_an_ended_session_is_renewed_once(acme: Acme, door: Make) -> None:
    refused = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
    acme.answer = lambda head: OK if b"fake-secret-2" in head else refused
    found = door("apply")
    assert found.ask("POST", "/v1/leads/batch", b"{}").startswith(b"HTTP/1.1 200")
    assert [body for _, body in acme.seen] == [b"{}", b"{}"]
    acme.answer = lambda head: refused
    assert found.ask("GET", "/v1/leads").startswith(b"HTTP/1.1 401")
    assert len(acme_access.logins) == 3


def test_a_login_that_fails_is_told_in_the_drivers_sentence(door: Make) -> None:
    answer = door(password="wrong").ask("GET", "/v1/leads")
    assert b"integrator-broker: AuthError" in answer
    assert answer.endswith(b"Acme refused the login. Nothing was read. Check ACME_PASSWORD in .env.")


@pytest.mark.parametrize("header", ["", "Authorization: Bearer other\r\n", "Authorization: Basic eDp5\r\n"])
def test_credentials_of_a_scripts_own_are_refused(acme: Acme, door: Make, header: str) -> None:
    answer = door().raw(f"GET /v1/leads HTTP/1.1\r\nHost: acme\r\n{header}\r\n".encode())
    assert b"403 Refused" in answer
    assert not acme.seen


SMUGGLED = {
    "two lengths": HEAD + b"Content-Type: text/csv\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
    "the same length twice": HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": HEAD + b"Content-Type: text/csv\r\nContent-Length: 3, 30\r\n\r\nabc",
    "length and chunks": HEAD
    + b"Content-Type: text/csv\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "unknown coding": HEAD + b"Content-Type: text/csv\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "hidden coding": HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "plus length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "folded header": HEAD + b"X-A: b\r\n Content-Length: 30\r\n\r\n",
    "bare line feed": HEAD + b"X-A: b\nX-HTTP-Method-Override: DELETE\r\n\r\n",
    "bare carriage return": HEAD + b"X-A: b\rX-B: c\r\n\r\n",
    "null": HEAD + b"X-A: b\0\r\n\r\n",
    "space in a name": HEAD + b"X A: b\r\n\r\n",
    "two hosts": HEAD + b"Host: other\r\n\r\n",
    "two credentials": HEAD + f"Authorization: Bearer {TOKEN}\r\n\r\n".encode(),
}


@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_W5_requests_that_can_be_read_in_two_ways_are_refused(acme: Acme, door: Make, rest: bytes) -> None:
    answer = door("apply").raw(b"PUT /v1/jobs/1/data HTTP/1.1\r\n" + rest)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 415"))
    assert not acme.seen


@pytest.mark.parametrize(
    "body", [b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabcX\r\n0\r\n\r\n", b"-3\r\nabc", b"3\r\nab", b"0x3\r\nabc\r\n0\r\n\r\n"]
)
def test_W5_broken_chunks_make_no_whole_request(acme: Acme, door: Make, body: bytes) -> None:
    head = b"PUT /v1/jobs/1/data HTTP/1.1\r\n" + HEAD + b"Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b" 200 " not in door("apply").raw(head + body)
    assert not acme.seen


@pytest.mark.parametrize(
    "line",
    [b"GET  /v1/x HTTP/1.1", b"GET /v1/x", b"GET /v1/x HTTP/2.0", b"GET /v1/x y HTTP/1.1", b"\x16\x03", b"PRI *"],
)
def test_what_is_no_request_is_refused(acme: Acme, door: Make, line: bytes) -> None:
    assert b" 200 " not in door().raw(line + b"\r\n" + HEAD + b"\r\n")
    assert not acme.seen


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "Content-Encoding"]
)
def test_W5_headers_that_change_the_meaning_are_refused(acme: Acme, door: Make, name: str) -> None:
    assert b"403 Refused" in door("apply").ask("POST", "/v1/leads/batch", b"{}", **{name.replace("-", "_"): "DELETE"})
    assert not acme.seen


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_W5_bodies_of_other_types_are_refused(acme: Acme, door: Make, kind: str) -> None:
    answer = door("apply").ask("POST", "/v1/leads/batch", b"_HttpMethod=DELETE", Content_Type=kind)
    assert b"415 Refused" in answer
    assert not acme.seen


def test_W5_redirects_to_other_hosts_are_refused(acme: Acme, door: Make) -> None:
    found = door()
    moved = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {}\r\n\r\n"
    acme.answer = lambda head: moved.format("https://evil.example/x").encode()
    assert b"403 Refused" in found.ask("GET", "/v1/leads")
    acme.answer = lambda head: moved.format("/v1/other").encode()
    assert b"302 Found" in found.ask("GET", "/v1/leads")


def test_W5_the_same_connection_goes_on_after_a_refusal(acme: Acme, door: Make) -> None:
    found = door()
    with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        base = f"http://127.0.0.1:{found.direct}"
        statuses = [
            client.delete(f"{base}/v1/leads/1").status_code,
            client.post(f"{base}/v1/jobs", json={"operation": "insert"}).status_code,
            client.post(f"{base}/v1/leads/search", json={"query": "SELECT Id FROM Lead"}).status_code,
            client.get(f"{base}/v1/leads").status_code,
        ]
    assert statuses == [403, 403, 200, 200]
    assert acme.connections == 1
    assert len(acme.seen) == 2


def test_bodies_pass_both_ways_as_they_are(acme: Acme, door: Make) -> None:
    zipped = gzip.compress(b'{"results": [{}, {}, {}]}')
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n"
    acme.answer = lambda _: head.format(len(zipped)).encode() + zipped
    found = door("apply")
    assert found.ask("GET", "/v1/leads").endswith(zipped)
    data = bytes(range(256)) * 8_000  # more than is looked into
    assert found.ask("PUT", "/v1/jobs/7/data", data, Content_Type="text/csv").startswith(b"HTTP/1.1 200")
    assert acme.seen[-1][1] == data
    calls = {call["template"]: call for call in found.passage.close()["calls"]}
    assert calls["/v1/leads"]["rows"] == 3


def test_half_an_answer_arrives_as_half_an_answer(acme: Acme, door: Make) -> None:
    acme.answer = lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nabc"
    found = door()
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{found.direct}/v1/x", headers={"Authorization": f"Bearer {TOKEN}"})


def test_a_connection_that_went_stale_is_not_used_again(acme: Acme, door: Make) -> None:
    acme.answer = lambda _: OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    found = door()
    assert all(found.ask("GET", "/v1/x").startswith(b"HTTP/1.1 200") for _ in range(3))


def test_other_hosts_are_out_of_reach_and_told(acme: Acme, door: Make) -> None:
    found = door()
    for target in ("evil.example:443", "127.0.0.1.evil.example:80", "127.0.0.1:1", "nonsense", "a:99999999"):
        answer = found.raw(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode(), found.proxy)
        assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400")), target
    assert b"403" in found.raw(b"GET http://evil.example/v1/x HTTP/1.1\r\nHost: evil.example\r\n\r\n", found.proxy)
    assert ("evil.example", 443, False) in found.told
    assert ("evil.example", 80, False) in found.told


def test_plain_http_leaves_this_machine_never(door: Make) -> None:
    found = door(endpoints=[("acme.example", 80), ("127.0.0.1", 1)])
    answer = found.raw(b"GET http://acme.example/v1/x HTTP/1.1\r\nHost: acme.example\r\n\r\n", found.proxy)
    assert answer.endswith(b"Acme is asked over https only, so nothing was sent.")


def test_a_request_must_name_the_host_it_goes_to(acme: Acme, door: Make) -> None:
    found = door()
    base = f"http://127.0.0.1:{acme.port}"
    good = f"GET {base}/v1/x HTTP/1.1\r\nHost: 127.0.0.1:{acme.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    assert b"200 OK" in found.raw(good.encode(), found.proxy)
    bad = good.replace(f"Host: 127.0.0.1:{acme.port}", "Host: other.example")
    assert b"400" in found.raw(bad.encode(), found.proxy)[:20]


def test_tls_ends_at_the_broker_and_nobody_is_trusted_blindly(acme: Acme, door: Make, tmp_path: Any) -> None:
    found = door()
    ca = tmp_path / "ca.pem"
    ca.write_text(found.passage.authority.pem)
    context = ssl.create_default_context(cafile=str(ca))
    with httpx.Client(proxy=f"http://127.0.0.1:{found.proxy}", verify=context) as client:
        answer = client.get(f"https://127.0.0.1:{acme.port}/v1/x", headers={"Authorization": f"Bearer {TOKEN}"})
    # Acme speaks no TLS: the broker must not fall back to plain HTTP.
    assert answer.status_code == 502
    assert answer.headers["integrator-broker"] == "NoAnswerError"
    assert not acme.seen


@pytest.mark.parametrize(("port", "cause"), [(1, "connection refused")])
def test_a_system_that_is_not_there_is_told_as_such(acme: Acme, door: Make, port: int, cause: str) -> None:
    found = door(endpoints=[("127.0.0.1", acme.port), ("127.0.0.1", port)])
    listener = socket.create_server(("127.0.0.1", 0))
    found.passage.serve(listener, ("127.0.0.1", port))
    address = listener.getsockname()[1]
    answer = found.raw(b"GET /v1/x HTTP/1.1\r\n" + HEAD + b"\r\n", address)
    assert answer.endswith(cause.encode())

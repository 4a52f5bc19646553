"""The HTTP server under the practice systems: connections, bodies, faults, the request log."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from integrator_drivers import ValidationError
from integrator_practice.http import Request, Response, Router, json_response
from integrator_practice.server import HttpServed, serve_app


class Echo:
    """Answers what it was asked. Has one fault of its own."""

    def __init__(self) -> None:
        self.moods: list[Mapping[str, Any]] = []

    def handle(self, request: Request) -> Response:
        if request.path == "/nothing":
            return Response(204)
        if request.path == "/defect":
            raise KeyError("a defect of the practice system")
        data = {"method": request.method, "path": request.path, "query": request.query, "body": request.body.decode()}
        return json_response(data, changed=request.body.count(b"!"))

    def is_mutation(self, request: Request) -> bool:
        return request.method != "GET"

    def fault_response(self, status: int) -> Response:
        return json_response({"sorry": status}, status)

    def fault(self, name: str, options: Mapping[str, Any]) -> bool:
        if name == "mood":
            self.moods.append(options)
        return name == "mood"

    def clear_faults(self) -> None:
        self.moods.clear()


@contextmanager
def running(served: HttpServed) -> Iterator[http.client.HTTPConnection]:
    worker = threading.Thread(target=served.serve_forever)
    worker.start()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()
        served.close()
        worker.join()


@pytest.fixture
def app() -> Echo:
    return Echo()


@pytest.fixture
def echo(app: Echo) -> Iterator[http.client.HTTPConnection]:
    with running(serve_app(app, 0, "the nonce")) as connection:
        yield connection


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **options: Any
) -> tuple[int, Any]:
    connection.request(method, path, body, **options)
    response = connection.getresponse()
    text = response.read()
    return response.status, json.loads(text) if text else None


def switch(connection: http.client.HTTPConnection, **options: Any) -> tuple[int, Any]:
    return ask(connection, "POST", "/_practice/faults", json.dumps(options))


def test_one_connection_serves_many_requests(echo: http.client.HTTPConnection) -> None:
    ask(echo, "GET", "/a?x=1&x=2")
    kept = echo.sock
    assert ask(echo, "GET", "/a?x=1&y=%C3%A4")[1]["query"] == {"x": "1", "y": "ä"}
    assert ask(echo, "GET", "/nothing") == (204, None)
    assert ask(echo, "PATCH", "/b", "text")[1]["body"] == "text"
    assert echo.sock is kept


def test_a_chunked_body_is_put_together(echo: http.client.HTTPConnection) -> None:
    status, answer = ask(echo, "POST", "/a", iter([b"one ", b"", b"two"]), encode_chunked=True)
    assert (status, answer["body"]) == (200, "one two")
    assert ask(echo, "GET", "/after")[1]["path"] == "/after"


def test_chunk_extensions_and_trailers_are_read_over(echo: http.client.HTTPConnection) -> None:
    with socket.create_connection((echo.host, echo.port), timeout=10) as raw:
        raw.sendall(
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;note=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        text = b"".join(iter(lambda: raw.recv(65536), b"")).decode()
    assert '"body":"abc"' in text
    assert '"path":"/b"' in text


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: x\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"Content-Length: 99999999999\r\n\r\n"],
)
def test_a_body_of_no_known_length_ends_the_connection(echo: http.client.HTTPConnection, head: bytes) -> None:
    with socket.create_connection((echo.host, echo.port), timeout=10) as raw:
        raw.sendall(b"POST /a HTTP/1.1\r\nHost: x\r\n" + head)
        text = b"".join(iter(lambda: raw.recv(65536), b""))
    assert text.startswith(b"HTTP/1.1 400 ")


def test_a_status_fault_hits_so_many_matching_requests(echo: http.client.HTTPConnection) -> None:
    switch(echo, fault="next_status", status=503, times=2, path="^/a", method="GET")
    assert ask(echo, "GET", "/b")[0] == 200
    assert ask(echo, "POST", "/a")[0] == 200
    assert ask(echo, "GET", "/a") == (503, {"sorry": 503})
    assert ask(echo, "GET", "/a")[0] == 503
    assert ask(echo, "GET", "/a")[0] == 200


def test_a_truncated_answer_breaks_off(echo: http.client.HTTPConnection) -> None:
    switch(echo, fault="truncate")
    with pytest.raises(http.client.IncompleteRead):
        ask(echo, "GET", "/a")
    echo.close()
    assert ask(echo, "GET", "/a")[0] == 200


def test_a_dropped_request_has_no_answer(echo: http.client.HTTPConnection) -> None:
    switch(echo, fault="drop")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(echo, "GET", "/a")
    echo.close()
    assert ask(echo, "GET", "/a")[0] == 200


def test_a_slow_answer_comes_late_and_closing_does_not_wait_for_it(app: Echo) -> None:
    with running(serve_app(app, 0, "")) as connection:
        switch(connection, fault="slow", seconds=0.2)
        start = time.monotonic()
        assert ask(connection, "GET", "/a")[0] == 200
        assert time.monotonic() - start >= 0.2
        switch(connection, fault="slow", seconds=60)
        connection.request("GET", "/a")
    assert time.monotonic() - start < 10


def test_faults_are_listed_cleared_and_checked(echo: http.client.HTTPConnection, app: Echo) -> None:
    assert switch(echo, fault="earthquake")[0] == 400
    assert switch(echo, fault="slow", lenght=1) == (
        400,
        {"error": "unknown option 'lenght'; known are fault, times, path, method, status, seconds"},
    )
    assert switch(echo, fault="slow", path="(")[0] == 400
    assert ask(echo, "POST", "/_practice/faults", "no json")[0] == 400
    assert switch(echo, fault="slow", seconds=9)[0] == 200
    assert switch(echo, fault="mood")[0] == 200
    assert len(ask(echo, "GET", "/_practice/faults")[1]["faults"]) == 1
    assert app.moods
    assert ask(echo, "DELETE", "/_practice/faults")[1] == {"faults": []}
    assert not app.moods


def test_the_log_counts_what_was_asked_and_changed(echo: http.client.HTTPConnection) -> None:
    ask(echo, "GET", "/a?q=1")
    ask(echo, "POST", "/b", "!!")
    switch(echo, fault="next_status", status=429)
    ask(echo, "PATCH", "/c")
    _, log = ask(echo, "GET", "/_practice/requests")
    assert (log["total"], log["mutations"], log["changed"]) == (3, 2, 2)
    assert [(r["method"], r["path"], r["query"], r["status"], r.get("fault")) for r in log["requests"]] == [
        ("GET", "/a", "q=1", 200, None),
        ("POST", "/b", "", 200, None),
        ("PATCH", "/c", "", 429, "next_status"),
    ]
    assert "!!" not in json.dumps(log)
    assert ask(echo, "DELETE", "/_practice/requests")[1]["total"] == 0


def test_only_the_nonce_it_was_given_is_answered(echo: http.client.HTTPConnection) -> None:
    assert ask(echo, "GET", "/_practice/nonce")[1] == {"nonce": "the nonce"}
    assert ask(echo, "GET", "/_practice/else")[0] == 404


def test_routes_give_the_names_in_a_path_decoded() -> None:
    router = Router()
    router.route("GET", "/a/{one}/b")(lambda request: Response())
    router.route("GET", "/files/{rest*}")(lambda request: Response())
    router.route("POST", "/a/{one}/b")(lambda request: Response(201))
    found = router.find("GET", "/a/x%2Fy/b/")
    assert found is not None
    assert found[1] == {"one": "x/y"}
    rest = router.find("GET", "/files/x/y")
    assert rest is not None
    assert rest[1] == {"rest": "x/y"}
    assert router.find("GET", "/a/x/y/b") is None
    assert router.methods("/a/x/b") == ["GET", "POST"]


def test_a_defect_is_answered_and_its_traceback_kept(
    echo: http.client.HTTPConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ask(echo, "GET", "/defect") == (500, {"sorry": 500})
    assert "a defect of the practice system" in capfd.readouterr().err
    assert ask(echo, "GET", "/a")[0] == 200


def test_a_taken_port_is_an_error(app: Echo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError):
        serve_app(app, taken.getsockname()[1], "")


def test_https_without_the_package_for_it_says_what_to_do(app: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ValidationError, match="leave out --tls"):
        serve_app(app, 0, "", tls=True)

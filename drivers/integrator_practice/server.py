"""The HTTP/1.1 server under every practice system that speaks HTTP: loopback, threads, keep-alive, chunked bodies."""

from __future__ import annotations

import ssl
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .faults import COMMON_FAULTS, FaultBoard, RequestLog
from .http import App, Request, Response, json_response
from .tls import Certificates, make_certificates

__all__ = ["CONTROL", "HttpServed", "serve_app"]

CONTROL = "/_practice"
HOST = "127.0.0.1"
BODY_LIMIT = 64 * 1024 * 1024


class BadRequestError(Exception):
    """The request can't be read as HTTP; the connection ends after the answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "practice"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # one write per answer
    timeout = 120  # seconds an idle connection is kept

    server: _Server

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        try:
            body = self._body()
        except BadRequestError as exc:
            self.close_connection = True
            self._send(Response(400, str(exc).encode(), "text/plain"))
            return
        request = Request(self.command, path, query, self.headers, body)
        if path == CONTROL or path.startswith(CONTROL + "/"):
            self._send(self.server.control(request))
        else:
            self._serve_app(request)

    def _serve_app(self, request: Request) -> None:
        app, log = self.server.app, self.server.log
        fault = self.server.faults.take(request)
        name = fault.fault if fault else ""
        mutation = app.is_mutation(request)
        if fault and name == "drop":
            log.add(request, 0, mutation, 0, name)
            self.close_connection = True
            return
        if fault and name == "slow":
            self.server.stopped.wait(fault.seconds)
        response = app.fault_response(fault.status) if fault and name == "next_status" else self._handled(request)
        log.add(request, response.status, mutation, response.changed, name)
        self._send(response, truncate=name == "truncate")

    def _handled(self, request: Request) -> Response:
        try:
            return self.server.app.handle(request)
        except Exception:  # noqa: BLE001 - a defect of a practice system is an answer too, and its traceback is kept
            traceback.print_exc(file=sys.stderr)
            return self.server.app.fault_response(500)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        text = self.headers.get("Content-Length", "0")
        if not text.isdigit():
            raise BadRequestError(f"Content-Length is {text!r}")
        if int(text) > BODY_LIMIT:
            raise BadRequestError("the body is too large")
        return self.rfile.read(int(text))

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            line = self.rfile.readline(1026).split(b";")[0].strip()
            try:
                length = int(line, 16)
            except ValueError as exc:
                raise BadRequestError(f"chunk size is {line!r}") from exc
            size += length
            if length < 0 or size > BODY_LIMIT:
                raise BadRequestError("the body is too large")
            if length == 0:
                while self.rfile.readline(65537).strip():
                    pass  # trailers
                return b"".join(parts)
            parts.append(self.rfile.read(length))
            self.rfile.readline(3)

    def _send(self, response: Response, truncate: bool = False) -> None:
        self.send_response(response.status)
        bodyless = response.status in (204, 304)
        if response.body and not bodyless:
            self.send_header("Content-Type", response.content_type)
        if not bodyless:
            self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if truncate:
            self.close_connection = True
            self.wfile.write(response.body[: len(response.body) // 2])
        elif self.command != "HEAD" and not bodyless:
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: the request log has it."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, app: App, nonce: str, certificates: Certificates | None) -> None:
        self.app = app
        self.certificates = certificates
        self.nonce = nonce
        self.faults = FaultBoard()
        self.log = RequestLog()
        self.stopped = threading.Event()
        super().__init__((HOST, port), _Handler)

    def control(self, request: Request) -> Response:
        """The switchboard beside the vendor's API."""
        what = request.path.removeprefix(CONTROL).strip("/")
        match (request.method, what):
            case ("GET", "nonce"):
                return json_response({"nonce": self.nonce})
            case ("GET", "requests"):
                return json_response(self.log.as_data())
            case ("DELETE", "requests"):
                self.log.reset()
                return json_response(self.log.as_data())
            case ("GET", "faults"):
                return json_response({"faults": self.faults.as_data(), "known": COMMON_FAULTS})
            case ("DELETE", "faults"):
                self.faults.clear()
                self.app.clear_faults()
                return json_response({"faults": []})
            case ("POST", "faults"):
                return self._switch_on(request)
        return json_response({"error": "GET nonce, GET or DELETE requests, GET, POST or DELETE faults"}, 404)

    def _switch_on(self, request: Request) -> Response:
        try:
            options = request.json()
            if not isinstance(options, dict):
                raise ValueError('a JSON object is needed, such as {"fault": "next_status", "status": 503}')
            if not self.app.fault(str(options.get("fault")), options):
                self.faults.add(options)
        except (ValueError, TypeError) as exc:
            return json_response({"error": str(exc)}, 400)
        return json_response({"faults": self.faults.as_data()})

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection, in its own thread; there the TLS handshake may take its time."""
        if self.certificates is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_Handler.timeout)
        with self.certificates.context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def server_close(self) -> None:
        """Free the port; remove the certificates."""
        super().server_close()
        if self.certificates:
            self.certificates.remove()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; a defect of the practice system is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError | ssl.SSLError):
            super().handle_error(request, client_address)


@dataclass
class HttpServed:
    """A practice system that answers on 127.0.0.1; what `serve(...)` of an HTTP driver returns."""

    base_url: str
    env: dict[str, str]
    control_url: str | None
    port: int
    ca_file: str | None  # the CA to trust, when it speaks https
    _server: _Server = field(repr=False)
    _serving: bool = field(default=False, repr=False)

    def serve_forever(self) -> None:
        """Answer until `close` is called from another thread."""
        self._serving = True
        self._server.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.stopped.set()
        if self._serving:
            self._server.shutdown()
        self._server.server_close()


def serve_app(app: App, port: int, nonce: str, tls: bool = False, names: Sequence[str] = ()) -> HttpServed:
    """Bind an app to 127.0.0.1 (port 0: any free one). Its `env` is for the caller to fill.

    With `tls` it speaks https, with a certificate for 127.0.0.1, localhost and `names` from a CA of its own.
    Raises OSError when the port is taken, ValidationError when certificates can't be made.
    """
    certificates = make_certificates(names) if tls else None
    try:
        server = _Server(port, app, nonce, certificates)
    except OSError:
        if certificates:
            certificates.remove()
        raise
    bound = server.server_address[1]
    base_url = f"{'https' if tls else 'http'}://{HOST}:{bound}"
    ca_file = str(certificates.ca_file) if certificates else None
    return HttpServed(base_url, {}, base_url + CONTROL, bound, ca_file, server)

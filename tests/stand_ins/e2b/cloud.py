"""A local server that speaks E2B's protocol: the control plane, templates, secrets, and envd in each machine.

Commands run as real processes in machines made by bubblewrap, behind a gateway that keeps the machine's network rules.
It refuses what it does not understand, and keeps every request.

    with Cloud() as cloud:
        sandbox = E2B(api_key=cloud.key, **cloud.connection).Sandbox.create()
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import shutil
import socket
import tarfile
import tempfile
import threading
import time
import urllib.parse
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from . import envd
from .gateway import Gateway, Internet
from .machine import Machine

KEY = "e2b_fake_key_of_the_stand_in"
BASE = ("base", "code-interpreter-v1")
_CREATE = {"templateID", "timeout", "metadata", "network", "envVars", "autoPause", "autoResume"}
_NETWORK = {"allowOut", "denyOut", "rules", "dnsServers", "allowPublicTraffic"}


@dataclass
class Sandbox:
    """A machine that runs, as the control plane knows it."""

    id: str
    template: str
    body: dict[str, Any]
    machine: Machine
    token: str
    started: datetime
    ends: datetime
    timer: threading.Timer
    networks: list[dict[str, Any]] = field(default_factory=list)  # the rules it had, one after the other
    envs: list[dict[str, str]] = field(default_factory=list)  # of every process
    is_gone: bool = False


@dataclass
class Template:
    """A template and its build."""

    id: str
    name: str
    image: Path
    status: str = "waiting"
    logs: list[str] = field(default_factory=list)
    error: str = ""


class Cloud:
    """The server, with switches for what can go wrong."""

    def __init__(self, internet: Internet | None = None, hidden: Sequence[str] = ()) -> None:
        self.key = KEY
        self.internet = internet or Internet()
        self.hidden = list(hidden)  # importable modules that its machines lack
        self.sandboxes: dict[str, Sandbox] = {}
        self.past: list[Sandbox] = []  # those that were ended
        self.templates: dict[str, Template] = {}
        self.secrets: dict[str, str] = {}
        self.secrets_allowed = True
        self.requests: list[tuple[str, str, Any]] = []  # method, path, parsed body
        self.most = 20  # machines at a time
        self.slow_start = 0.0  # seconds until a machine is there
        self.answers: list[tuple[str, int, dict[str, str], str]] = []  # once each: path part, status, headers, message
        self.stream_fault = ""  # gone, truncate, no_exit: what happens to the next command after its first words
        self.uploads = Path(tempfile.mkdtemp(prefix="e2b-uploads-"))
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.cloud = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def connection(self) -> dict[str, Any]:
        """Options of the SDK that lead here."""
        return {"api_url": self.url, "sandbox_url": self.url, "http_version": "1.1"}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sandbox in list(self.sandboxes.values()):
            self.end(sandbox)
        self._server.shutdown()
        self._server.server_close()
        for template in self.templates.values():
            shutil.rmtree(template.image, ignore_errors=True)
        shutil.rmtree(self.uploads, ignore_errors=True)

    def fail(self, where: str, status: int, message: str = "", **headers: str) -> None:
        """The next request whose path has `where` in it gets this answer."""
        self.answers.append(
            (where, status, {name.replace("_", "-"): value for name, value in headers.items()}, message)
        )

    def add_template(self, name: str, archive: bytes, folder: str) -> None:
        """A template as a build leaves it: an archive unpacked in a folder below /opt or /run."""
        template = Template(uuid.uuid4().hex[:20], name, Path(tempfile.mkdtemp(prefix="e2b-image-")), "ready")
        with zipfile.ZipFile(BytesIO(archive)) as found:
            found.extractall(template.image / folder.lstrip("/"))
        self.templates[name] = template

    def create(self, body: dict[str, Any]) -> Sandbox:
        """A machine from a request. Raises Refusal."""
        if odd := set(body) - _CREATE:
            raise Refusal(400, f"the stand-in does not know {sorted(odd)}")
        name = body["templateID"]
        template = self.templates.get(name)
        if template is None and name not in BASE:
            raise Refusal(404, f"template '{name}' not found")
        network = checked(body.get("network", {}), self)
        with self._lock:
            if len(self.sandboxes) >= self.most:
                raise Refusal(429, f"you have reached the maximum number of concurrent E2B sandboxes ({self.most}).")
        time.sleep(self.slow_start)
        gateway = Gateway(self.internet, network, self.secrets)
        machine = Machine(gateway, template.image if template else None, self.hidden)
        now, life = datetime.now(UTC), float(body.get("timeout", 15))
        found = Sandbox(
            id=f"i{uuid.uuid4().hex[:19]}",
            template=name,
            body=body,
            machine=machine,
            token=f"envd-{uuid.uuid4().hex}",
            started=now,
            ends=now + timedelta(seconds=life),
            timer=threading.Timer(life, lambda: self.end(found)),
            networks=[network],
        )
        found.timer.daemon = True
        found.timer.start()
        with self._lock:
            self.sandboxes[found.id] = found
        return found

    def end(self, sandbox: Sandbox) -> bool:
        with self._lock:
            if self.sandboxes.pop(sandbox.id, None) is None:
                return False
            self.past.append(sandbox)
        sandbox.is_gone = True
        sandbox.timer.cancel()
        sandbox.machine.close()
        return True

    def extend(self, sandbox: Sandbox, seconds: float) -> None:
        sandbox.timer.cancel()
        sandbox.ends = datetime.now(UTC) + timedelta(seconds=seconds)
        sandbox.timer = threading.Timer(seconds, lambda: self.end(sandbox))
        sandbox.timer.daemon = True
        sandbox.timer.start()

    def build(self, template: Template, body: dict[str, Any]) -> None:
        """Do the steps of a template for real, in a machine with an open network."""
        machine = Machine(Gateway(self.internet, {}, {}), None, self.hidden)
        user, cwd = "root", "/root"
        try:
            for step in body.get("steps", []):
                args = step.get("args", [])
                template.logs.append(f"{step['type']} {' '.join(args)}"[:200])
                if step["type"] == "USER":
                    user = args[0]
                elif step["type"] == "WORKDIR":
                    cwd = args[0]
                elif step["type"] == "COPY":
                    _copy(self.uploads / step["filesHash"], machine, args[0], args[1])
                elif step["type"] == "RUN":
                    process = machine.start(["/bin/bash", "-l", "-c", args[0]], {"HOME": "/root"}, cwd, user, False)
                    said = b"".join(
                        event["event"]["data"].get("stderr", "").encode()
                        for event in envd.follow(process, lambda: False)
                        if "data" in event["event"]
                    )
                    if process.code:
                        raise RuntimeError(f"{args[0][:100]}: exit status {process.code} {said[-300:]!r}")
                else:
                    raise RuntimeError(f"the stand-in does not know the step {step['type']}")
            for part in ("opt", "run"):
                shutil.copytree(machine.folder / part, template.image / part, dirs_exist_ok=True, symlinks=True)
            (template.image / "run/.init.py").unlink(missing_ok=True)
            template.status = "ready"
        except (RuntimeError, OSError, KeyError) as exc:
            template.status, template.error = "error", str(exc)
        finally:
            machine.close()


class Refusal(Exception):
    """An error of the control plane."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def checked(network: dict[str, Any], cloud: Cloud) -> dict[str, Any]:
    """Network rules as the API takes them. Raises Refusal."""
    if odd := set(network) - _NETWORK:
        raise Refusal(400, f"the stand-in does not know {sorted(odd)} of network")
    names = [entry for entry in network.get("allowOut") or [] if not _is_address(entry)]
    if names and "0.0.0.0/0" not in (network.get("denyOut") or []):
        raise Refusal(400, "when specifying allowed domains in allow out, deny out must include all traffic")
    if any(not _is_address(entry) for entry in network.get("denyOut") or []):
        raise Refusal(400, "deny out takes addresses only")
    rules = network.get("rules") or {}
    if rules and not cloud.secrets_allowed:
        raise Refusal(403, "network rules are not enabled for this team")
    for name, found in rules.items():
        if len(found) > 1:
            raise Refusal(400, f"one transform per domain: {name}")
        for value in found[0].get("transform", {}).get("headers", {}).values():
            for secret in re.findall(r"\$\{e2b\.secrets\.([\w-]+)\}", value):
                if secret not in cloud.secrets:
                    raise Refusal(400, f"secret {secret} not found")
    return network


def _is_address(entry: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.IPv4Network(entry)
        return True
    return False


def _copy(archive: Path, machine: Machine, source: str, target: str) -> None:
    with tarfile.open(archive) as found:
        for member in found:
            data = found.extractfile(member) if member.isreg() else None
            if data is not None:
                name = target + member.name.rsplit("/", 1)[-1] if target.endswith("/") else target
                path = machine.path(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data.read())
    if not source:
        raise RuntimeError("COPY without a source")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing on stderr: the request log has it."""

    def _serve(self) -> None:
        self.cloud = self.server.cloud  # type: ignore[attr-defined]
        parts = urllib.parse.urlsplit(self.path)
        query = {name: values[-1] for name, values in urllib.parse.parse_qs(parts.query).items()}
        body = self._body()
        is_json = "json" in self.headers.get("Content-Type", "") and "connect" not in self.headers["Content-Type"]
        data = json.loads(body) if is_json and body else None
        self.cloud.requests.append((self.command, parts.path, data))
        for answer in self.cloud.answers:
            if answer[0] in parts.path:
                self.cloud.answers.remove(answer)
                self._json(answer[1], {"code": answer[1], "message": answer[3]}, answer[2])
                return
        try:
            if "E2b-Sandbox-Id" in self.headers:
                self._envd(parts.path, query, body, data)
            elif parts.path.startswith("/uploads/"):
                (self.cloud.uploads / Path(parts.path).name).write_bytes(body)
                self._empty(200)
            else:
                self._control(parts.path, query, data or {})
        except Refusal as exc:
            self._json(exc.status, {"code": exc.status, "message": exc.message})
        except envd.Refused as exc:
            status = {"not_found": 404, "already_exists": 409, "unimplemented": 501}.get(exc.code, 400)
            self._json(status, {"code": exc.code, "message": exc.message})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    # The control plane.

    def _control(self, path: str, query: dict[str, str], data: dict[str, Any]) -> None:
        cloud = self.cloud
        if self.headers.get("X-API-KEY") != cloud.key:
            raise Refusal(401, "Invalid API key")
        match [self.command, *path.strip("/").split("/")]:
            case ["POST", "v2", "sandboxes"]:
                self._json(201, _created(cloud.create(data)))
            case ["GET", "v2", "sandboxes"]:
                wanted = dict(urllib.parse.parse_qsl(query.get("metadata", "")))
                wanted = {urllib.parse.unquote(key): urllib.parse.unquote(value) for key, value in wanted.items()}
                found = [s for s in cloud.sandboxes.values() if wanted.items() <= s.body.get("metadata", {}).items()]
                self._json(200, [_described(entry) for entry in found])
            case ["POST", "v2", "sandboxes", name, "connect"]:
                self._json(200, _created(self._sandbox(name)))
            case ["GET", "sandboxes", name]:
                sandbox = self._sandbox(name)
                self._json(200, _described(sandbox) | {"network": sandbox.networks[-1]})
            case ["POST", "sandboxes", name, "timeout"]:
                cloud.extend(self._sandbox(name), float(data["timeout"]))
                self._empty(204)
            case ["PUT", "sandboxes", name, "network"]:
                sandbox = self._sandbox(name)
                sandbox.networks.append(checked(data, cloud))
                sandbox.machine.gateway.rules = sandbox.networks[-1]
                self._empty(204)
            case ["DELETE", "sandboxes", name]:
                cloud.end(self._sandbox(name))
                self._empty(204)
            case ["GET", "templates", "aliases", alias]:
                template = cloud.templates.get(urllib.parse.unquote(alias))
                if template is None or template.status != "ready":
                    raise Refusal(404, "template not found")
                self._json(200, {"templateID": template.id, "public": False})
            case ["POST", "v3", "templates"]:
                template = Template(uuid.uuid4().hex[:20], data["name"], Path(tempfile.mkdtemp(prefix="e2b-image-")))
                cloud.templates[template.name] = template
                found_names = {"names": [template.name], "tags": ["default"], "aliases": [template.name]}
                self._json(202, {"templateID": template.id, "buildID": template.id, "public": False, **found_names})
            case ["GET", "templates", _, "files", digest]:
                self._json(201, {"present": False, "url": f"{cloud.url}/uploads/{digest}"})
            case ["POST", "v2", "templates", name, "builds", _]:
                template = self._template(name)
                template.status = "building"
                threading.Thread(target=cloud.build, args=(template, data), daemon=True).start()
                self._empty(202)
            case ["GET", "templates", name, "builds", _, "status"]:
                self._json(200, _build(self._template(name), int(query.get("logsOffset", 0))))
            case ["POST", "secrets"]:
                cloud.secrets[data["name"]] = data["value"]
                self._json(201, _secret(data["name"]))
            case ["GET", "secrets", name] if name in cloud.secrets:
                self._json(200, _secret(name))
            case ["DELETE", "secrets", name] if name in cloud.secrets:
                del cloud.secrets[name]
                self._empty(204)
            case _:
                raise Refusal(404, f"the stand-in does not know {self.command} {path}")

    def _sandbox(self, name: str) -> Sandbox:
        found = self.cloud.sandboxes.get(name)
        if found is None:
            raise Refusal(404, f"sandbox {name} not found")
        return found

    def _template(self, name: str) -> Template:
        return next(entry for entry in self.cloud.templates.values() if entry.id == name)

    # envd, behind the proxy that finds the machine.

    def _envd(self, path: str, query: dict[str, str], body: bytes, data: Any) -> None:
        name = self.headers["E2b-Sandbox-Id"]
        sandbox = self.cloud.sandboxes.get(name)
        if sandbox is None:
            self._json(502, {"sandboxId": name, "message": "The sandbox was not found", "code": 502})
            return
        if path == "/health":
            self._empty(204)
            return
        if self.headers.get("X-Access-Token") != sandbox.token:
            raise Refusal(401, "unauthorized access, please provide a valid access token")
        machine, user = sandbox.machine, self._user()
        try:
            if path == "/files" and self.command == "POST":
                where, kind = query.get("path", ""), self.headers["Content-Type"]
                self._json(200, envd.files_post(machine, where, user, kind, body))
            elif path == "/files":
                file = machine.path(query["path"])
                if not file.is_file():
                    raise Refusal(404, f"path '{query['path']}' does not exist")
                self._bytes(200, file.read_bytes(), "application/octet-stream")
            elif path == "/process.Process/Start":
                message = envd.opened(body)
                sandbox.envs.append(message["process"].get("envs", {}))
                self._stream(sandbox, envd.start(machine, message, user))
            else:
                self._json(200, envd.unary(machine, path, data or {}))
        except PermissionError as exc:
            raise Refusal(400, f"the machine of the stand-in does not own {exc}") from exc

    def _stream(self, sandbox: Sandbox, process: envd.Process) -> None:
        """Send the events as they come, and break as the switch says after the first that is no start."""
        fault, self.cloud.stream_fault = self.cloud.stream_fault, ""
        self.send_response(200)
        self.send_header("Content-Type", "application/connect+json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        words = 0
        for event in envd.follow(process, lambda: sandbox.is_gone):
            is_end = "end" in event["event"]
            words += "data" in event["event"]
            if fault == "no_exit" and is_end:
                continue
            self._chunk(envd.envelope(event))
            if words >= 2 and fault == "gone":
                self.cloud.end(sandbox)
            if words >= 2 and fault in ("gone", "truncate"):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
        if sandbox.is_gone:
            end = {"error": {"code": "unavailable", "message": "the connection to sandbox ended before the stream"}}
            self._chunk(envd.envelope(end, 2))
        else:
            self._chunk(envd.envelope({}, 2))
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _user(self) -> str:
        import base64

        found = self.headers.get("Authorization", "").removeprefix("Basic ")
        return base64.b64decode(found).decode().rstrip(":") or "user"

    # HTTP.

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            found = BytesIO()
            while size := int(self.rfile.readline().split(b";")[0], 16):
                found.write(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return found.getvalue()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _json(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        self._bytes(status, json.dumps(data).encode(), "application/json", headers)

    def _bytes(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _empty(self, status: int) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()


def _created(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "templateID": sandbox.template,
        "sandboxID": sandbox.id,
        "clientID": "stand-in",
        "envdVersion": "0.6.7",
        "envdAccessToken": sandbox.token,
        "domain": None,
    }


def _described(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "templateID": sandbox.template,
        "sandboxID": sandbox.id,
        "clientID": "stand-in",
        "startedAt": sandbox.started.isoformat(),
        "endAt": sandbox.ends.isoformat(),
        "cpuCount": 2,
        "memoryMB": 1024,
        "diskSizeMB": 10_240,
        "state": "running",
        "envdVersion": "0.6.7",
        "metadata": sandbox.body.get("metadata", {}),
    }


def _build(template: Template, offset: int) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    entries = [{"timestamp": now, "message": text, "level": "info"} for text in template.logs[offset:]]
    found: dict[str, Any] = {
        "templateID": template.id,
        "buildID": template.id,
        "status": template.status,
        "logs": [],
        "logEntries": entries,
    }
    if template.error:
        found["reason"] = {"message": template.error}
    return found


def _secret(name: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    about = {"currentVersion": 1, "metadata": {}, "createdAt": now, "updatedAt": now}
    return {"secretID": f"sec_{name}", "name": name, **about}

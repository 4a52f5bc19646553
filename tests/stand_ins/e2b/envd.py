"""What the agent in a machine answers: files by HTTP, folders and processes by Connect messages in JSON."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import struct
from collections.abc import Iterator
from typing import Any

from .machine import Machine, Process

Reply = tuple[int, dict[str, str], bytes]
NOT_FOUND = "not_found"
_SIGNALS = {"SIGNAL_SIGKILL": 9, "SIGNAL_SIGTERM": 15, "SIGKILL": 9, "SIGTERM": 15, 9: 9, 15: 15}


class Refused(Exception):
    """A Connect error: code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def files_post(machine: Machine, path: str, user: str, content_type: str, body: bytes) -> list[dict[str, str]]:
    """Write what came, octets or a form with several files; the folders on the way are made."""
    if content_type.startswith("application/octet-stream"):
        parts = [(path, body)]
    elif found := re.match(r'multipart/form-data; boundary="?([^";]+)"?', content_type):
        parts = [(path if path else name, data) for name, data in _form(body, found[1].encode())]
    else:
        raise Refused("invalid_argument", f"content type {content_type!r}")
    written = []
    for name, data in parts:
        target = machine.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written.append({"path": name, "name": target.name, "type": "file"})
    return written


def unary(machine: Machine, method: str, message: dict[str, Any]) -> dict[str, Any]:
    """One question, one answer. Raises Refused."""
    match method:
        case "/filesystem.Filesystem/ListDir":
            _known(message, "path", "depth")
            folder = machine.path(message["path"])
            if not folder.is_dir():
                raise Refused(NOT_FOUND, f"{message['path']} is no folder")
            return {"entries": [_entry(message["path"], path) for path in sorted(folder.iterdir())]}
        case "/filesystem.Filesystem/MakeDir":
            _known(message, "path")
            folder = machine.path(message["path"])
            if folder.exists():
                raise Refused("already_exists", f"{message['path']} exists")
            folder.mkdir(parents=True)
            return {"entry": _entry(str(folder.parent), folder)}
        case "/filesystem.Filesystem/Stat":
            _known(message, "path")
            path = machine.path(message["path"])
            if not path.exists():
                raise Refused(NOT_FOUND, f"{message['path']} is not there")
            return {"entry": _entry(str(path.parent), path)}
        case "/process.Process/SendSignal":
            _known(message, "process", "signal")
            process = _selected(machine, message)
            if message["signal"] not in _SIGNALS:
                raise Refused("invalid_argument", f"signal {message['signal']!r}")
            machine.kill(process.pid, _SIGNALS[message["signal"]])
            return {}
        case "/process.Process/SendInput":
            _known(message, "process", "input")
            process = _selected(machine, message)
            if process.stdin < 0:
                raise Refused("failed_precondition", "the process has no stdin")
            os.write(process.stdin, base64.b64decode(message["input"]["stdin"]))
            return {}
    raise Refused("unimplemented", method)


def start(machine: Machine, message: dict[str, Any], user: str) -> Process:
    """Start a command. Raises Refused."""
    _known(message, "process", "stdin")
    wanted = message["process"]
    _known(wanted, "cmd", "args", "envs", "cwd")
    env = {"HOME": "/root", "USER": user, "PATH": "/usr/bin:/bin", **wanted.get("envs", {})}
    argv = [wanted["cmd"], *wanted.get("args", [])]
    try:
        return machine.start(argv, env, wanted.get("cwd") or "/root", user, bool(message.get("stdin")))
    except OSError as exc:
        raise Refused("invalid_argument", str(exc)) from exc


def follow(process: Process, is_gone: Any) -> Iterator[dict[str, Any]]:
    """Events of a process until its end; ends without one when the machine is gone."""
    yield {"event": {"start": {"pid": process.pid}}}
    names = {process.stdout: "stdout", process.stderr: "stderr"}
    open_ends = set(names)
    while open_ends:
        poll = select.poll()
        for number in open_ends:
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(200):
            data = os.read(number, 32_768)
            if data:
                yield {"event": {"data": {names[number]: base64.b64encode(data).decode()}}}
            else:
                open_ends.discard(number)
                os.close(number)
    while not process.ended.wait(0.2):
        continue
    if is_gone():
        return
    exited = process.code >= 0
    status = f"exit status {process.code}" if exited else "signal: killed"
    yield {"event": {"end": {"exitCode": max(process.code, -1), "exited": exited, "status": status}}}


def envelope(message: dict[str, Any], flag: int = 0) -> bytes:
    """A Connect envelope: flags, length, JSON; flag 2 ends the stream."""
    data = json.dumps(message).encode()
    return struct.pack(">BI", flag, len(data)) + data


def opened(body: bytes) -> dict[str, Any]:
    """The one message of an enveloped request."""
    flag, length = struct.unpack_from(">BI", body)
    if flag or length != len(body) - 5:
        raise Refused("invalid_argument", "this is no single enveloped message")
    found: dict[str, Any] = json.loads(body[5:])
    return found


def _selected(machine: Machine, message: dict[str, Any]) -> Process:
    _known(message["process"], "pid")
    process = machine.process(message["process"]["pid"])
    if process is None:
        raise Refused(NOT_FOUND, "no such process")
    return process


def _known(message: dict[str, Any], *names: str) -> None:
    if odd := set(message) - set(names):
        raise Refused("invalid_argument", f"the stand-in does not know {sorted(odd)}")


def _entry(folder: str, path: Any) -> dict[str, Any]:
    kind = "FILE_TYPE_DIRECTORY" if path.is_dir() else "FILE_TYPE_FILE"
    return {
        "name": path.name,
        "type": kind,
        "path": f"{folder.rstrip('/')}/{path.name}",
        "size": str(path.lstat().st_size),
    }


def _form(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Files of a form; the name is the path."""
    for part in body.split(b"--" + boundary)[1:]:
        if part.startswith(b"--"):
            return
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        found = re.search(rb'filename="([^"]+)"', head)
        if found is None or not data.endswith(b"\r\n"):
            raise Refused("invalid_argument", "a part of the form is no file")
        yield found[1].decode(), data[:-2]
    raise Refused("invalid_argument", "the form has no end")

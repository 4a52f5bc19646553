"""A machine of the stand-in: real processes with real user numbers, in namespaces of their own, made by bubblewrap.

It sees this computer's programs read-only, and has /run, /opt, /root, /tmp and a few files of /etc to itself. Its
network ends at the gateway.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .gateway import Gateway

OWN = ("run", "opt", "root", "tmp")
_PROFILE = "export PATH=/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
_ETC = {
    "profile": _PROFILE,
    "hosts": "127.0.0.1 localhost\n",
    "passwd": "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/root:/bin/bash\n",
    "group": "root:x:0:\nuser:x:1000:\n",
    "resolv.conf": "nameserver 8.8.8.8\n",
}


def is_possible() -> str:
    """Why no machine can be made here, "" where one can."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    done = subprocess.run([program, "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, check=False)
    return done.stderr.decode().strip()


class Process:
    """One command: ends of its pipes, and how it ended once `ended` is set."""

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: int) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.ended = threading.Event()
        self.code = 0


class Machine:
    """Runs until `close`. `image` is a folder to start from; `hidden` are importable modules it does not have."""

    def __init__(self, gateway: Gateway, image: Path | None = None, hidden: Sequence[str] = ()) -> None:
        self.gateway = gateway
        self.folder = Path(tempfile.mkdtemp(prefix="e2b-machine-"))
        for name in OWN:
            (self.folder / name).mkdir(mode=0o755)
        (self.folder / "tmp").chmod(0o1777)
        if image is not None:
            shutil.copytree(image, self.folder, dirs_exist_ok=True, symlinks=True)
        (self.folder / "etc").mkdir(exist_ok=True)
        for name, text in _ETC.items():
            (self.folder / "etc" / name).write_text(text)
        (self.folder / "opt/bin").mkdir(exist_ok=True)
        python = self.folder / "opt/bin/python3"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        self._processes: dict[int, Process] = {}
        self._answers: dict[int, queue.SimpleQueue[tuple[dict[str, Any], list[int]]]] = {}
        self._early: dict[int, int] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._up = threading.Event()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._child = subprocess.Popen(
            self._command(hidden), stdin=theirs.fileno(), stderr=subprocess.PIPE, env={}, start_new_session=True
        )
        theirs.close()
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._up.wait(30):
            self.close()
            raise RuntimeError("the machine did not come up")
        _, listeners = self._ask({"do": "listen", "ports": gateway.listening})
        for number in listeners:
            gateway.serve(socket.socket(fileno=number))

    def path(self, name: str) -> Path:
        """Where a file of the machine lies on this computer. Raises PermissionError for a place it does not own."""
        parts = Path(os.path.normpath("/root/" + name if not name.startswith("/") else name)).parts[1:]
        if not parts or (parts[0] not in OWN and (parts[0] != "etc" or parts[1:2] == () or parts[1] not in _ETC)):
            raise PermissionError(name)
        found = self.folder.joinpath(*parts)
        if not found.parent.resolve().is_relative_to(self.folder.resolve()) or found.is_symlink():
            raise PermissionError(name)
        return found

    def start(self, argv: list[str], env: dict[str, str], cwd: str, user: str, with_stdin: bool) -> Process:
        ends = [os.pipe() for _ in range(3)]
        theirs = [ends[0][0], ends[1][1], ends[2][1]]
        request = {"do": "run", "argv": argv, "env": env, "cwd": cwd, "uid": {"root": 0}.get(user, 1000)}
        try:
            answer, _ = self._ask(request, theirs)
        finally:
            for number in theirs:
                os.close(number)
        process = Process(answer.get("pid", 0), ends[0][1], ends[1][0], ends[2][0])
        if "error" in answer:
            for number in (process.stdin, process.stdout, process.stderr):
                os.close(number)
            raise OSError(answer["error"])
        if not with_stdin:
            os.close(process.stdin)
            process.stdin = -1
        with self._lock:
            self._processes[process.pid] = process
            if process.pid in self._early:
                process.code = self._early.pop(process.pid)
                process.ended.set()
        return process

    def process(self, pid: int) -> Process | None:
        with self._lock:
            found = self._processes.get(pid)
        return found if found is not None and not found.ended.is_set() else None

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        self._ask({"do": "signal", "pid": pid, "signal": number})

    def close(self) -> None:
        """Switch it off, with everything in it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.kill()
        self._child.wait()
        assert self._child.stderr is not None
        self._child.stderr.close()
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self.gateway.close()
        with self._lock:
            for process in self._processes.values():
                process.ended.set()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _command(self, hidden: Sequence[str]) -> list[str]:
        program = shutil.which("bwrap")
        assert program is not None
        found = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
        found += [
            "--hostname",
            "e2b.local",
            "--cap-add",
            "ALL",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
        ]
        for name in OWN:
            found += ["--bind", str(self.folder / name), f"/{name}"]
        for name in _ETC:
            if Path("/etc", name).exists():
                found += ["--bind", str(self.folder / "etc" / name), f"/etc/{name}"]
        for folder in dict.fromkeys((sys.base_prefix, sys.prefix)):
            if not folder.startswith("/usr"):
                if Path(folder).parts[1] in OWN:  # the way to it must be open to every user
                    self.folder.joinpath(*Path(folder).parts[1:]).mkdir(parents=True, exist_ok=True)
                found += ["--ro-bind", folder, folder]
        for packages in (Path(path) for path in sys.path if Path(path).name == "site-packages"):
            for path in packages.glob("*.pth"):  # what an editable install adds is not on that machine
                found += ["--ro-bind", "/dev/null", str(path)]
            for name in hidden:
                found += ["--tmpfs", str(packages / name)] if (packages / name).is_dir() else []
        found += ["--ro-bind", str(Path(__file__).with_name("init.py")), "/run/.init.py"]
        return [*found, "--chdir", "/root", "--", sys.executable, "-I", "-S", "/run/.init.py"]

    def _ask(self, request: dict[str, Any], fds: Sequence[int] = ()) -> tuple[dict[str, Any], list[int]]:
        answers: queue.SimpleQueue[tuple[dict[str, Any], list[int]]] = queue.SimpleQueue()
        with self._lock:
            number = next(self._numbers)
            self._answers[number] = answers
            socket.send_fds(self._control, [json.dumps({**request, "id": number}).encode()], list(fds))
        return answers.get(timeout=30)

    def _listen(self) -> None:
        finish: Callable[[], None] = self._control.close
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._control, 1 << 20, 16)
            except OSError:
                break
            if not data:
                break
            message = json.loads(data)
            if "up" in message:
                self._up.set()
            elif "exited" in message:
                with self._lock:
                    process = self._processes.get(message["exited"])
                    if process is None:
                        self._early[message["exited"]] = message["code"]
                    else:
                        process.code = message["code"]
                        process.ended.set()
            else:
                self._answers.pop(message["id"]).put((message, list(fds)))
        finish()

"""The broker from the side of the program that starts it."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import integrator_drivers
from integrator_drivers.access import BROKER
from integrator_drivers.mode import Mode

from ..errors import SandboxUnavailable
from .system import Destination, System

__all__ = ["Broker", "Way"]

START = 60.0  # seconds it may take to get ready
ANSWER = 30.0  # seconds for an answer
_START = "import sys; sys.path += sys.argv[1:]; from integrator_magics.broker.__main__ import main; main()"
_FOLDERS = (Path(integrator_drivers.__file__).parent.parent, Path(__file__).parent.parent.parent)


class Broker:
    """One process for all runs of a session, started when it is first needed. Any thread may call.

    `on_secret(value, name)` hears of sessions that its logins gave.
    """

    def __init__(self, on_secret: Callable[[str, str], None] = lambda value, name: None, ca_file: str = "") -> None:
        self._on_secret = on_secret
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._is_closed = False

    def open(
        self,
        systems: Sequence[System],
        mode: Mode,
        *,
        reader: bool = True,
    ) -> Way:
        """A way out for one run. `reader` = databases are entered with the read-only role unless in apply.

        Raises SandboxUnavailable where the broker can't be started.
        """
        way = Way(self._running())
        data = [system.as_data() for system in systems]
        way.ask("open", mode=str(mode), token=way.token, reader=reader, systems=data)
        return way

    def warm(self) -> None:
        """Start the process in the background."""
        with self._lock:
            if self._is_closed or (self._process is not None and self._process.is_alive):
                return
        threading.Thread(target=self._start, name="integrator-broker-start", daemon=True).start()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed = True
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def _start(self) -> None:
        with contextlib.suppress(SandboxUnavailable):  # the run itself will say so
            self._running()

    def _running(self) -> _Process:
        with self._lock:
            if self._is_closed:
                raise SandboxUnavailable("This session is closed.")
            if self._process is None or not self._process.is_alive:
                if self._process is not None:
                    self._process.close()
                self._process = _Process(self._on_secret, self._ca_file)
            return self._process


class Way:
    """One run's way out. Its variables and listeners are all that the run gets; close it to learn what went through.

    `on_egress(host, port, allowed)` hears of every place that the run connects to, the first time.
    """

    def __init__(self, process: _Process) -> None:
        self._process = process
        self._run = secrets.token_hex(8)
        self.token = f"integrator-placeholder-{secrets.token_hex(16)}"
        self._told: dict[str, Any] | None = None
        self.on_egress: Callable[[str, int, bool], None] = lambda host, port, allowed: None
        process.listeners[self._run] = lambda *place: self.on_egress(*place)

    @property
    def ca(self) -> str:
        """The certificate (PEM) that clients inside trust."""
        return self._process.ca

    def variables(self, env: Mapping[str, str], secret: Iterable[str]) -> dict[str, str]:
        """These variables for a script: the values of secret ones are replaced by the placeholder."""
        hidden = set(secret)
        found = {name: self.token if name in hidden else value for name, value in env.items()}
        return {**found, BROKER: self.token}

    def serve(self, listeners: Sequence[socket.socket], destinations: Sequence[Destination]) -> None:
        """Hand over open listeners, each with the place it leads to (("", 0) = proxy); they are closed here."""
        try:
            self.ask("serve", listeners, to=[list(entry) for entry in destinations])
        finally:
            for listener in listeners:
                listener.close()

    def listen(self, destinations: Sequence[Destination]) -> list[int]:
        """Ports of 127.0.0.1 that lead to these places."""
        ports: list[int] = self.ask("listen", to=[list(entry) for entry in destinations])["ports"]
        return ports

    def close(self) -> dict[str, Any]:
        """End it: {calls, left_out, egress}. Calling this twice does no harm."""
        if self._told is None:
            try:
                self._told = self.ask("close")
            except SandboxUnavailable:
                self._told = {"calls": [], "left_out": 0, "egress": []}
            self._process.listeners.pop(self._run, None)
        return self._told

    def ask(self, do: str, sockets: Sequence[socket.socket] = (), **facts: Any) -> dict[str, Any]:
        """One command and its answer."""
        return self._process.ask({"do": do, "run": self._run, **facts}, sockets)


class _Process:
    def __init__(self, on_secret: Callable[[str, str], None], ca_file: str) -> None:
        self._on_secret = on_secret
        self.listeners: dict[str, Callable[[str, int, bool], None]] = {}
        self.ca = ""
        self._lock = threading.Lock()
        self._answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._channel, theirs = socket.socketpair()
        folders = [str(folder) for folder in dict.fromkeys(_FOLDERS)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", "-c", _START, *folders],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"SSL_CERT_FILE": ca_file, "REQUESTS_CA_BUNDLE": ca_file} if ca_file else {},
                start_new_session=True,
            )
        except OSError as exc:
            self._channel.close()
            raise _unavailable(exc.strerror or str(exc)) from exc
        finally:
            theirs.close()
        self._reader = threading.Thread(target=self._read, name="integrator-broker", daemon=True)
        self._reader.start()
        first = self._answer(START)
        if not first.get("ready"):
            self.close()
            raise _unavailable("it did not get ready")
        self.ca = first["ca"]

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, command: dict[str, Any], sockets: Sequence[socket.socket]) -> dict[str, Any]:
        data = json.dumps({**command, "sockets": len(sockets)}).encode() + b"\n"
        with self._lock:
            try:
                if sockets:
                    numbers = [entry.fileno() for entry in sockets]
                    data = data[socket.send_fds(self._channel, [data], numbers) :]
                self._channel.sendall(data)
            except OSError as exc:
                raise _unavailable("it is gone") from exc
            answer = self._answer(ANSWER)
        if "error" in answer:
            raise _unavailable(answer["error"])
        return answer

    def close(self) -> None:
        self._channel.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _answer(self, timeout: float) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=timeout)
        except Empty:
            answer = None
        if answer is None:
            self._process.kill()  # what it says later must not be taken for an answer to something else
            raise _unavailable("it does not answer")
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = json.loads(line)
            if "secret" in found:
                self._on_secret(found["secret"], found["name"])
            elif "egress" in found and "closed" not in found:
                if told := self.listeners.get(found["egress"]):
                    told(found["host"], found["port"], found["allowed"])
            else:
                self._answers.put(found)
        self._answers.put(None)


def _unavailable(why: str) -> SandboxUnavailable:
    return SandboxUnavailable(
        f"The process that holds the credentials of scripts could not be used ({why}), so nothing more was sent.",
        "Run the cell again.",
    )

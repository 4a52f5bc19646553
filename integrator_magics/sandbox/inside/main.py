"""Start of the program inside: load what scripts need, wait for the one job, become it."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import calls, confine, probe, script, walls, wire

__all__ = ["main"]


def main() -> None:
    """Serve the socket on file descriptor 0: "hello", then one job of kind script, calls or probe."""
    channel = socket.socket(fileno=os.dup(0))
    os.set_inheritable(channel.fileno(), False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    hello = wire.receive(channel)
    if hello is None:
        return
    if hello.get("die_with_parent"):
        confine.die_with_parent()
    # Before anything is loaded: Landlock holds for this thread and those that it starts, not for others.
    gate = walls.build(**hello["walls"]) if hello.get("walls") else None
    began = time.monotonic()
    _set_path(hello["path"])
    with _quiet():
        _load(hello["preload"])
    wire.send(channel, {"ready": True, "seconds": time.monotonic() - began})
    job = wire.receive(channel)
    if job is None:
        return
    if job["kind"] == "probe":
        if gate is not None:
            os.close(gate)  # nobody hears of attempts to connect, so the kernel refuses them
        wire.send(channel, probe.tried(job))
    elif job["kind"] == "calls":
        _silence()
        os.environ.update(job["env"])
        calls.serve(channel, job["client"])
    else:
        _leave(_script(channel, job, gate))


def _script(channel: socket.socket, job: Mapping[str, Any], gate: int | None) -> int:
    """Make ready for the job, run it, report how it ended; returns the exit code. `gate`: see walls.build."""
    for path, text in job["files"].items():
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(bytes.fromhex(text))
    listeners = [_listen(address, port) for address, port in job["listen"]]
    os.environ.update(job["env"])
    time.tzset()
    os.chdir(job["cwd"])
    confine.limit(job["limits"])
    descriptors = [entry.fileno() for entry in listeners]
    if gate is not None:
        descriptors.append(gate)
    confined = confine.forbid_processes()
    wire.send(channel, {"started": True, "confined": confined}, descriptors)
    for listener in listeners:
        listener.detach()
    for number in descriptors:
        os.close(number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_when_told, args=(channel,), daemon=True).start()
    for name in [entry for entry in sys.modules if entry.partition(".")[0] == "inside"]:
        del sys.modules[name]
    ended = script.run(job["script"])
    wire.send(channel, {"end": ended})
    return int(ended["exit_code"])


def _stop_when_told(channel: socket.socket) -> None:
    """Raise KeyboardInterrupt in the script when the host says stop; end at once when the host is gone."""
    main = threading.main_thread().ident
    if channel.recv(64) and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        os._exit(1)


def _leave(code: int) -> None:
    """End as the interpreter would (threads, exit functions, output), without the time it takes to free memory."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    script.flush()
    os._exit(code)


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(64)
    return listener


def _set_path(folders: list[str]) -> None:
    """Importable from here on: what the interpreter finds by itself, and the folders the host names."""
    sys.path.pop(0)  # where this program lies
    sys.path += [folder for folder in folders if folder not in sys.path]


def _load(modules: list[str]) -> None:
    """Import ahead of time; what can't be imported will fail in the script that wants it, with a proper error."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing that an import prints may look like output of the script."""
    kept = [os.dup(1), os.dup(2)]
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, null):
            os.close(descriptor)


def _silence() -> None:
    """Nobody reads what a driver prints; a full pipe would stop it."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)

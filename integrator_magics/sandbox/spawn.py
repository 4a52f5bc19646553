"""Starts processes from one thread that lives as long as this program.

The kernel's "die with parent" means the *thread* that started a process, so a thread that may end must not start one.
"""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from socket import socket

__all__ = ["spawn"]

_Request = tuple[list[str], socket, Path, "Future[subprocess.Popen[bytes]]"]
_lock = threading.Lock()
_queue: SimpleQueue[_Request] = SimpleQueue()
_thread: threading.Thread | None = None


def spawn(command: list[str], stdin: socket, folder: Path) -> subprocess.Popen[bytes]:
    """Start a process with an empty environment, in a session of its own, with pipes for its output.

    Raises OSError where it can't be started.
    """
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_serve, name="integrator-spawn", daemon=True)
            _thread.start()
    future: Future[subprocess.Popen[bytes]] = Future()
    _queue.put((command, stdin, folder, future))
    try:
        return future.result()
    except KeyboardInterrupt:
        future.add_done_callback(_end)  # nobody will hear of it
        raise


def _end(future: Future[subprocess.Popen[bytes]]) -> None:
    if future.exception() is None:
        process = future.result()
        process.kill()
        process.communicate()


def _serve() -> None:
    while True:
        command, stdin, folder, future = _queue.get()
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd=folder,
                start_new_session=True,
            )
        except OSError as exc:
            future.set_exception(exc)
        else:
            future.set_result(process)

"""A TCP proxy on loopback that cuts all its connections, hard, after a number of bytes."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Self


class Proxy:
    """Bytes of both directions and of all connections count together; `passed` is what went by since `cut_after`."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._limit: int | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.passed = 0
        self.was_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        for thread in self._threads:
            thread.join(10)

    def cut_after(self, count: int | None) -> None:
        """From now on; None: never. New connections are let through in any case."""
        with self._lock:
            self._limit, self.passed, self.was_cut = count, 0, False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            with self._lock:
                self._open |= {client, server}
            for one, other in ((client, server), (server, client)):
                thread = threading.Thread(target=self._pump, args=(one, other), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(1024):
                with self._lock:
                    self.passed += len(data)
                    over = self._limit is not None and self.passed >= self._limit
                    if over:
                        self.was_cut, self._limit = True, None
                if over:
                    self._cut()
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def _cut(self) -> None:
        """Reset, as a broken line looks."""
        with self._lock:
            ending, self._open = self._open, set()
        for each in ending:
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                each.close()

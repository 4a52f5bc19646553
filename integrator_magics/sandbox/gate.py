"""Makes the connections of a script that may not make them itself (seccomp's user notification, kernel 5.9).

The kernel stops the script in `connect` and tells the host; the host reads the address, decides, and puts a connection
of its own in the place of the script's socket. The script never has a socket that reaches anything else.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from .waiting import readable

__all__ = ["Gate"]

_RECEIVE, _SEND, _IS_VALID, _ADD = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103
_CALL = struct.Struct("=QIIiIQ6Q")  # id, pid, flags, number, architecture, pointer, arguments
_NONBLOCK = 0o4000
_Place = tuple[str, int]


class Gate:
    """`ways`: address and port as the script knows them, and the listener of this machine they lead to.

    `refused(host, port)` is called for everything else.
    """

    def __init__(
        self,
        descriptor: int,
        ways: Mapping[_Place, _Place],
        refused: Callable[[str, int], None],
    ) -> None:
        self._descriptor = descriptor
        self._ways = dict(ways)
        self._refused = refused
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="integrator-gate", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more. Calling this twice does no harm."""
        self._waker.close()
        self._thread.join(5.0)

    def _serve(self) -> None:
        try:
            while True:
                ready = readable((self._descriptor, self._wake.fileno()), 60.0)
                if self._wake.fileno() in ready:
                    return
                if ready and not self._answer():
                    return
        finally:
            os.close(self._descriptor)
            self._wake.close()

    def _answer(self) -> bool:
        """Deal with one call; False when the process is gone."""
        call = bytearray(_CALL.size)
        try:
            fcntl.ioctl(self._descriptor, _RECEIVE, call, True)
        except OSError as exc:
            return exc.errno == errno.EINTR
        number, pid, _, _, _, _, target, pointer, length, *_ = _CALL.unpack(call)
        error = -errno.EACCES
        with contextlib.suppress(OSError, ValueError):
            error = self._connect(number, pid, int(target), pointer, length)
        with contextlib.suppress(OSError):  # killed meanwhile
            fcntl.ioctl(self._descriptor, _SEND, struct.pack("=QqiI", number, 0, error, 0))
        return True

    def _connect(self, number: int, pid: int, target: int, pointer: int, length: int) -> int:
        """0, or a negative error number. Raises OSError for what can't be read, ValueError for what is no address."""
        with Path("/proc", str(pid), "mem").open("rb", buffering=0) as memory:
            memory.seek(pointer)
            raw = memory.read(min(length, 128))
        flags = _flags(pid, target)
        fcntl.ioctl(self._descriptor, _IS_VALID, struct.pack("=Q", number))  # it is still that process
        host, port = _address(raw)
        way = self._ways.get((host, port))
        if way is None:
            self._refused(host, port)
            return -errno.ECONNREFUSED
        with socket.create_connection(way) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(not flags & _NONBLOCK)
            replaced, close_on_exec = 1, os.O_CLOEXEC
            add = struct.pack("=QIIII", number, replaced, connection.fileno(), target, close_on_exec)
            fcntl.ioctl(self._descriptor, _ADD, add)
        return 0


def _flags(pid: int, target: int) -> int:
    text = Path("/proc", str(pid), "fdinfo", str(target)).read_text(encoding="ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("flags:")), 8)


def _address(raw: bytes) -> _Place:
    family = int(struct.unpack_from("=H", raw)[0]) if len(raw) >= 8 else 0
    if family == socket.AF_INET:
        port, packed = struct.unpack_from("!H4s", raw, 2)
        return str(ipaddress.IPv4Address(packed)), int(port)
    if family == socket.AF_INET6 and len(raw) >= 24:
        port, _, packed6 = struct.unpack_from("!HI16s", raw, 2)
        return str(ipaddress.IPv6Address(packed6)), int(port)
    raise ValueError("no internet address")

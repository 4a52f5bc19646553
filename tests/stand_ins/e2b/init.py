"""First program of a machine: starts processes and opens listeners for the stand-in, over the socket on descriptor 0.

Runs inside the machine's namespaces, so what it starts is really in there. Standard library only.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
from typing import Any


def main() -> None:
    control = socket.socket(fileno=os.dup(0))
    with contextlib.suppress(OSError):
        make_all_addresses_local()
    lock = threading.Lock()
    _send(control, lock, {"up": True})
    while True:
        data, fds, _, _ = socket.recv_fds(control, 1 << 20, 8)
        if not data:
            return
        request = json.loads(data)
        try:
            answer, sent = _do(request, fds, control, lock)
        except (OSError, ValueError, subprocess.SubprocessError) as exc:
            answer, sent = {"error": str(exc)}, []
        finally:
            for number in fds:
                os.close(number)
        _send(control, lock, {"id": request["id"], **answer}, sent)
        for entry in sent:
            entry.close()


def _do(
    request: dict[str, Any], fds: list[int], control: socket.socket, lock: threading.Lock
) -> tuple[dict[str, Any], list[socket.socket]]:
    if request["do"] == "signal":
        os.kill(request["pid"], request["signal"])
        return {}, []
    if request["do"] == "listen":
        found = []
        for port in request["ports"]:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("0.0.0.0", port))
            listener.listen(64)
            found.append(listener)
        return {}, found
    identity = {"user": request["uid"], "group": request["uid"], "extra_groups": []} if os.getuid() == 0 else {}
    child = subprocess.Popen(
        request["argv"],
        stdin=fds[0],
        stdout=fds[1],
        stderr=fds[2],
        env=request["env"],
        cwd=request["cwd"],
        start_new_session=True,
        **identity,
    )
    threading.Thread(target=lambda: _wait(child, control, lock), daemon=True).start()
    return {"pid": child.pid}, []


def _wait(child: subprocess.Popen[bytes], control: socket.socket, lock: threading.Lock) -> None:
    code = child.wait()
    _send(control, lock, {"exited": child.pid, "code": code})


def _send(control: socket.socket, lock: threading.Lock, message: dict[str, Any], sockets: Any = ()) -> None:
    rights = array.array("i", [entry.fileno() for entry in sockets])
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if sockets else []
    with lock, contextlib.suppress(OSError):
        control.sendmsg([json.dumps(message).encode()], ancillary)


def make_all_addresses_local() -> None:
    """`ip route add local default dev lo`: a listener on a port then answers for every address there is."""
    attributes = struct.pack("=HHi", 8, 4, 1)  # RTA_OIF: lo
    route = struct.pack("=8BI", socket.AF_INET, 0, 0, 0, 255, 3, 254, 2, 0)  # table local, static, scope host, local
    body = route + attributes
    head = struct.pack("=IHHII", 16 + len(body), 24, 0x605, 1, 0)  # RTM_NEWROUTE: request, ack, create, excl
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.sendto(head + body, (0, 0))
        error = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    if error:
        raise OSError(-error, os.strerror(-error))


if __name__ == "__main__":
    main()

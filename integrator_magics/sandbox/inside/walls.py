"""Walls a process puts around itself where no namespaces can be had: Landlock for files, seccomp for everything else.

Landlock (kernel 6.2 and newer, ABI 3) lets it open only what is listed. seccomp hands every attempt to connect over to
the host, which makes the connection itself or refuses it, and refuses sockets that are no TCP, listening, changes of
modes, owners, times and attributes (which Landlock does not see), shared memory, and reaching for other processes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import confine

__all__ = ["WallsError", "build"]

ABI = 3  # the first that covers truncation
_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers everywhere
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_NOTIFY = 0x7FC00000
_FLAGS = 1 | 1 << 3 | 1 << 4  # every thread, and a descriptor that hears of the calls
_FASTOPEN = 0x20000000  # a flag of send that connects
_TYPE = 0xF
_AND = 0x54

_CALLS: dict[str, dict[str, Any]] = {
    "x86_64": {
        "capset": 126,
        "connect": 42,
        "socket": 41,
        "send": ((44, 3), (46, 2), (307, 3)),  # sendto sendmsg sendmmsg, and which argument has the flags
        "own": (302,),  # prlimit64
        # bind listen; chmod fchmod chown fchown lchown fchownat fchmodat fchmodat2; setxattr and removexattr of all
        # kinds; utime utimes futimesat utimensat; shmget shmat shmctl semget msgget mq_open; setpriority sched_setparam
        # sched_setscheduler sched_setaffinity sched_setattr ioprio_set kcmp migrate_pages move_pages process_madvise
        # process_mrelease
        "never": (
            *(49, 50, 90, 91, 92, 93, 94, 260, 268, 452, 188, 189, 190, 197, 198, 199, 463, 466, 469),
            *(132, 235, 261, 280, 29, 30, 31, 64, 68, 240, 141, 142, 144, 203, 314, 251, 312, 256, 279, 440, 448),
        ),
    },
    "aarch64": {
        "capset": 91,
        "connect": 203,
        "socket": 198,
        "send": ((206, 3), (211, 2), (269, 3)),
        "own": (261,),
        "never": (
            *(200, 201, 52, 53, 54, 55, 452, 5, 6, 7, 14, 15, 16, 463, 466, 469, 88),
            *(194, 195, 196, 190, 186, 180, 140, 118, 119, 122, 274, 30, 272, 238, 239, 440, 448),
        ),
    },
}


class WallsError(Exception):
    """They can't be had here; the text says why."""


def build(read: Sequence[str], write: Sequence[str]) -> int:
    """Put them up, for good, and return the descriptor on which the host hears of attempts to connect.

    Paths that are not there are left out. Raises WallsError.
    """
    calls = _CALLS.get(platform.machine())
    if calls is None or not sys.platform.startswith("linux"):
        raise WallsError("this kind of processor is not known")
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise WallsError("a library has started threads already")
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1)
    if abi < ABI:
        raise WallsError("the kernel has no Landlock, or one before 6.2")
    if not confine.no_new_rights():
        raise WallsError("rights can't be given up")
    nothing = struct.pack("=II", 0x20080522, 0), struct.pack("=6I", *[0] * 6)
    if libc.syscall(calls["capset"], *nothing):  # root has limits too, and can't change the machine
        raise WallsError("the rights of root can't be given up")
    _restrict_files(libc, abi, read, write)
    listener = confine.install(tuple(_rules(calls)), _FLAGS)
    if listener < 0:
        raise WallsError("the kernel does not hand over calls")
    return listener


def _restrict_files(libc: ctypes.CDLL, abi: int, read: Sequence[str], write: Sequence[str]) -> None:
    handled = (1 << (16 if abi >= 5 else 15)) - 1
    attributes = struct.pack("=Q", handled)
    if abi >= 4:
        attributes += struct.pack("=Q", 3)  # bind and connect over TCP
    if abi >= 6:
        attributes += struct.pack("=Q", 3)  # abstract sockets and signals
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        raise WallsError(f"Landlock: {os.strerror(ctypes.get_errno())}")
    try:
        for paths, rights in ((read, _READ), (write, handled & ~_EXECUTE & ~_IOCTL)):
            for path in paths:
                _allow(libc, ruleset, path, rights)
        if libc.syscall(_RESTRICT, ruleset, 0):
            raise WallsError(f"Landlock: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(path).is_dir():
            rights &= _OF_FILES
        if libc.syscall(_ADD, ruleset, 1, struct.pack("=Qi", rights, descriptor), 0):
            raise WallsError(f"Landlock: {path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def _rules(calls: Mapping[str, Any]) -> Iterator[confine.Rule]:
    refuse = confine.ERRNO | errno.EACCES
    yield from confine.head()
    for number in calls["never"]:
        yield confine.EQUAL, 0, 1, number
        yield confine.RETURN, 0, 0, confine.ERRNO | errno.EPERM
    yield confine.EQUAL, 0, 1, calls["connect"]
    yield confine.RETURN, 0, 0, _NOTIFY
    # socket: IPv4 or IPv6, and a stream
    yield confine.EQUAL, 0, 8, calls["socket"]
    yield confine.LOAD, 0, 0, 16
    yield confine.EQUAL, 1, 0, 2
    yield confine.EQUAL, 0, 4, 10
    yield confine.LOAD, 0, 0, 24
    yield _AND, 0, 0, _TYPE
    yield confine.EQUAL, 0, 1, 1
    yield confine.RETURN, 0, 0, confine.ALLOW
    yield confine.RETURN, 0, 0, refuse
    for number, argument in calls["send"]:
        yield confine.EQUAL, 0, 4, number
        yield confine.LOAD, 0, 0, 16 + 8 * argument
        yield confine.ANY_BIT, 0, 1, _FASTOPEN
        yield confine.RETURN, 0, 0, refuse
        yield confine.RETURN, 0, 0, confine.ALLOW
    for number in calls["own"]:
        yield confine.EQUAL, 0, 5, number
        yield confine.LOAD, 0, 0, 16
        yield confine.EQUAL, 1, 0, 0
        yield confine.EQUAL, 0, 1, os.getpid()
        yield confine.RETURN, 0, 0, confine.ALLOW
        yield confine.RETURN, 0, 0, confine.ERRNO | errno.EPERM
    yield confine.RETURN, 0, 0, confine.ALLOW

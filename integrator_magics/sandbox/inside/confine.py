"""Limits a process puts on itself before it runs a script: memory, time, files, and no further processes."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "ALLOW",
    "ANY_BIT",
    "EQUAL",
    "ERRNO",
    "LOAD",
    "RETURN",
    "Rule",
    "die_with_parent",
    "forbid_processes",
    "head",
    "install",
    "limit",
    "no_new_rights",
]

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_SIGKILL = 9
ALLOW = 0x7FFF0000
ERRNO = 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD = 0x00010000
Rule = tuple[int, int, int, int]

# Numbers of the system calls a script has no use for. "own": allowed for the process itself only.
_CALLS: dict[str, dict[str, Any]] = {
    "x86_64": {
        "arch": 0xC000003E,
        "seccomp": 317,
        "clone": 56,
        "clone3": 435,
        "own": (62, 234, 129, 297),  # kill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
        # fork vfork execve execveat tkill pidfd_open pidfd_send_signal ptrace process_vm_readv process_vm_writev
        # unshare setns mount umount2 pivot_root chroot bpf perf_event_open add_key request_key keyctl userfaultfd
        # io_uring_setup io_uring_enter io_uring_register open_by_handle_at open_tree move_mount fsopen mount_setattr
        "never": (
            *(57, 58, 59, 322, 200, 434, 424, 101, 310, 311),
            *(272, 308, 165, 166, 155, 161, 321, 298, 248, 249, 250, 323, 425, 426, 427, 304, 428, 429, 430, 442),
        ),
    },
    "aarch64": {
        "arch": 0xC00000B7,
        "seccomp": 277,
        "clone": 220,
        "clone3": 435,
        "own": (129, 131, 138, 240),
        "never": (
            *(221, 281, 130, 434, 424, 117, 270, 271),
            *(97, 268, 40, 39, 41, 51, 280, 241, 217, 218, 219, 282, 425, 426, 427, 265, 428, 429, 430, 442),
        ),
    },
}


def die_with_parent() -> None:
    """Be killed by the kernel when the thread that started this process ends (Linux)."""
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit(limits: Mapping[str, Any]) -> None:
    """Set memory (bytes on top of what is used now), processor time (s) and file size (bytes); no core dumps."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, int(limits["disk"]))
    _lower(resource.RLIMIT_CPU, int(limits["seconds"]) * 4 + 5)
    if used := _used():
        _lower(resource.RLIMIT_AS, used + int(limits["memory"]))


def forbid_processes() -> bool:
    """From now on this process can start threads, but no process, and signal nobody else. False: not possible here."""
    calls = _CALLS.get(platform.machine())
    if calls is None or struct.calcsize("P") != 8:
        return False
    every_thread = 1
    return no_new_rights() and install(tuple(_rules(calls)), every_thread) == 0


def no_new_rights() -> bool:
    """Give up what set-user-id programs would give; without that no filter is taken. False: not possible here."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def install(rules: Sequence[Rule], flags: int) -> int:
    """Have the kernel judge every system call from now on; what seccomp returns, below 0 where it refuses."""
    program = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    buffer = ctypes.create_string_buffer(program, len(program))
    described = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(_CALLS[platform.machine()]["seccomp"], 1, flags, ctypes.byref(described)))


def head() -> Iterator[Rule]:
    """Refuse calls in another numbering than this machine's, and load the number."""
    refuse = ERRNO | errno.EPERM
    yield LOAD, 0, 0, 4
    yield EQUAL, 1, 0, _CALLS[platform.machine()]["arch"]
    yield RETURN, 0, 0, refuse
    yield LOAD, 0, 0, 0
    yield AT_LEAST, 0, 1, 0x40000000  # the 32-bit numbering of x86_64
    yield RETURN, 0, 0, refuse


def _rules(calls: Mapping[str, Any]) -> Iterator[Rule]:
    refuse = ERRNO | errno.EPERM
    yield from head()
    for number in calls["never"]:
        yield EQUAL, 0, 1, number
        yield RETURN, 0, 0, refuse
    yield EQUAL, 0, 1, calls["clone3"]
    yield RETURN, 0, 0, ERRNO | errno.ENOSYS  # the C library falls back to clone
    yield from _if_first_argument(calls["clone"], ANY_BIT, _CLONE_THREAD)
    for number in calls["own"]:
        yield from _if_first_argument(number, EQUAL, os.getpid())
    yield RETURN, 0, 0, ALLOW


def _if_first_argument(number: int, test: int, value: int) -> Iterator[Rule]:
    yield EQUAL, 0, 4, number
    yield LOAD, 0, 0, 16
    yield test, 0, 1, value
    yield RETURN, 0, 0, ALLOW
    yield RETURN, 0, 0, ERRNO | errno.EPERM


def _prctl(option: int, value: int) -> bool:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return int(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0)) == 0
    except (OSError, AttributeError):  # not Linux
        return False


def _used() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))

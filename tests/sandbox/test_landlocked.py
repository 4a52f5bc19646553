"""What a script in the level "reduced" can't open, reach or change, tried from inside."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import run_in
from stand_ins.e2b.machine import is_possible

from integrator_magics.sandbox import Egress
from integrator_magics.sandbox import landlocked as module
from integrator_magics.sandbox.landlocked import Landlocked

TRY = (
    "import ctypes, os, pathlib, socket\nfrom integrator_drivers import report\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "def tell(name, value):\n    report('value', name=name, value=value)\n"
    "def works(attempt):\n"
    "    try:\n        found = attempt()\n    except OSError as exc:\n        return False\n"
    "    return found is None or found != -1\n"
)


def told(sandbox: Landlocked, code: str, **spec: Any) -> dict[str, Any]:
    outcome = run_in(sandbox, TRY + code, **spec)
    assert outcome.status == "ok", (outcome.error, outcome.stdout)
    return {line["name"]: line["value"] for line in outcome.report}


def test_files_of_this_machine_are_not_opened_listed_or_changed(landlocked: Landlocked, tmp_path: Path) -> None:
    mine = tmp_path / ".env"
    mine.write_text("SALESFORCE_CLIENT_SECRET=fake-secret-on-disk\n")
    mine.chmod(0o600)
    before = mine.stat()
    read = [mine, Path.home() / ".bashrc", "/etc/shadow", "/etc/passwd", "/proc/1/environ", Path(__file__), "/dev/mem"]
    code = f"""
path = {str(mine)!r}
tell('read', [p for p in {list(map(str, read))!r} if works(lambda: open(p, 'rb').close())])
folders = ({str(tmp_path)!r}, '/', '/tmp', '/home', '/proc', '/etc')
tell('listed', [p for p in folders if works(lambda: os.listdir(p) and None)])
changes = {{
    'write': lambda: open(path, 'a').close(),
    'truncate': lambda: os.truncate(path, 0),
    'open and truncate': lambda: os.close(os.open(path, os.O_RDONLY | os.O_TRUNC)),
    'mode': lambda: os.chmod(path, 0o777),
    'owner': lambda: os.chown(path, os.getuid(), os.getgid()),
    'times': lambda: os.utime(path, (0, 0)),
    'attribute': lambda: os.setxattr(path, 'user.x', b'1'),
    'remove': lambda: os.unlink(path),
    'rename': lambda: os.rename(path, path + '2'),
    'move in': lambda: os.rename(path, 'taken'),
    'link in': lambda: os.link(path, 'linked'),
    'make': lambda: os.mkdir(path + '.d'),
    'follow': lambda: (os.symlink(path, 'way'), open('way').close()) and None,
    'node': lambda: os.mknod('disk', 0o60600, os.makedev(8, 0)),
}}
tell('changed', [name for name, attempt in changes.items() if works(attempt)])
open('own.csv', 'w').write('a')
os.rename('own.csv', 'renamed.csv')
tell('own', open('renamed.csv').read())
"""
    assert told(landlocked, code) == {"read": [], "listed": [], "changed": [], "own": "a"}
    after = mine.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size) == (before.st_mode, before.st_mtime_ns, before.st_size)


def test_it_connects_to_what_is_allowed_and_there_is_no_other_way_out(landlocked: Landlocked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as allowed, socket.create_server(("0.0.0.0", 0)) as other:
        port, far = allowed.getsockname()[1], other.getsockname()[1]

        def greet() -> None:
            for _ in range(2):
                with allowed.accept()[0] as client:
                    client.sendall(b"hello")

        threading.Thread(target=greet, daemon=True).start()
        other.settimeout(0)
        code = f"""
def reached(host, port, block=True):
    with socket.socket() as client:
        client.settimeout(5 if block else None)
        try:
            client.connect((host, port))
            return client.recv(5).decode()
        except OSError as exc:
            return type(exc).__name__
tell('allowed', [reached('127.0.0.1', {port}), reached('127.0.0.1', {port}, block=False)])
tell('other', [reached('127.0.0.1', {far}), reached('192.0.2.1', {port}), reached('192.0.2.1', 443)])
quick = socket.socket()
ways = {{
    'datagram': lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    'raw': lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    'packet': lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    'netlink': lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    'unix': lambda: socket.socket(socket.AF_UNIX),
    'vsock': lambda: socket.socket(40, socket.SOCK_STREAM),
    'fast open': lambda: quick.sendto(b'x', 0x20000000, ('127.0.0.1', {far})),
    'fast open message': lambda: quick.sendmsg([b'x'], [], 0x20000000, ('127.0.0.1', {far})),
    'listen': lambda: socket.socket().listen(),
    'bind': lambda: socket.socket().bind(('127.0.0.1', 0)),
    'name': lambda: socket.getaddrinfo('example.com', 443),
    'bad pointer': lambda: libc.connect(quick.fileno(), ctypes.c_void_p(8), 16),
    'short': lambda: libc.connect(quick.fileno(), b'\\x02', 1),
    'a file': lambda: libc.connect(0, b'\\x02\\0' + b'\\0' * 14, 16),
}}
tell('ways', [name for name, attempt in ways.items() if works(attempt)])
"""
        found = told(landlocked, code, egress=(("127.0.0.1", port),))
        with pytest.raises(BlockingIOError):
            other.accept()
    assert found == {"allowed": ["hello", "hello"], "other": ["ConnectionRefusedError"] * 3, "ways": []}


def test_what_it_tried_is_told(landlocked: Landlocked) -> None:
    seen: list[Any] = []
    code = "import socket\nfor _ in range(2):\n    socket.socket().connect_ex(('192.0.2.7', 443))\n"
    outcome = run_in(landlocked, code, on_event=seen.append)
    assert [event for event in seen if isinstance(event, Egress)] == [Egress("192.0.2.7", 443, False)]
    assert outcome.egress == [{"host": "192.0.2.7", "port": 443, "allowed": False, "count": 2}]


@pytest.mark.parametrize(
    "attempt",
    [
        "open(f'/proc/{os.getppid()}/environ').close()",
        "open(f'/proc/{os.getppid()}/mem').close()",
        "os.kill(os.getppid(), 0)",
        "libc.ptrace(16, os.getppid(), 0, 0)",
        "__import__('resource').prlimit(os.getppid(), 7, (10, 10))",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "libc.shmget(1, 4096, 0o1600)",
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/', b'tmpfs', 0, None)",
        "libc.sethostname(b'x', 1)",
        "libc.syscall(425, 1, 0)",
        "libc.syscall(317, 1, 8, 0)",
        "os.fork() or os._exit(0)",
        "os.setgroups([0])",
    ],
)
def test_no_other_process_and_no_right_of_the_machine_is_in_reach(landlocked: Landlocked, attempt: str) -> None:
    assert told(landlocked, f"tell('works', works(lambda: {attempt}))\n") == {"works": False}


def test_capabilities_are_none_also_for_root(landlocked: Landlocked) -> None:
    code = (
        "lines = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "tell('status', {name: value.strip() for name, value in lines.items()})\n"
    )
    status = told(landlocked, code)["status"]
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0000000000000000"}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_files_named_by_variables_come_along(landlocked: Landlocked, tmp_path: Path) -> None:
    certificate = tmp_path / "root.crt"
    certificate.write_text("a certificate")
    code = "tell('text', open(os.environ['PGSSLROOTCERT']).read())\n"
    outcome = run_in(landlocked, TRY + code, env={"PGSSLROOTCERT": str(certificate)})
    assert outcome.report[0]["value"] == "a certificate"
    assert all(Path(entry["path"]).parts[0].startswith(".") for entry in outcome.files)


def test_the_self_test_sees_when_something_is_let_through(
    monkeypatch: pytest.MonkeyPatch, landlocked: Landlocked
) -> None:
    honest = module._walls

    def leaky(prepared: Any) -> dict[str, list[str]]:
        found = honest(prepared)
        return {**found, "read": [*found["read"], "/tmp"]}

    monkeypatch.setattr(module, "_walls", leaky)
    level = Landlocked("no bubblewrap").probe()
    assert (level.name, level.reason) == ("none", "no bubblewrap, and walls without it let through: file")


def test_the_level_says_why_it_is_not_full(landlocked: Landlocked) -> None:
    level = Landlocked("bubblewrap is not installed").probe()
    assert str(level) == "reduced"
    assert level.reason == "bubblewrap is not installed; Landlock and seccomp wall off files and network"


def test_it_works_for_a_user_without_rights(landlocked: Landlocked) -> None:
    """In a namespace with one plain user, since the tests of this machine may run as root."""
    if reason := is_possible():
        pytest.skip(reason)
    program = (
        "import os\nfrom integrator_drivers import Mode\nfrom integrator_magics.sandbox import RunSpec\n"
        "from integrator_magics.sandbox.landlocked import Landlocked\n"
        "sandbox = Landlocked()\nassert sandbox.probe().name == 'reduced', sandbox.probe()\n"
        "code = 'import os, socket\\nprint(os.getuid(), socket.socket().connect_ex((\"127.0.0.1\", 9)))'\n"
        "session = sandbox.open(RunSpec(code=code, mode=Mode.DISCOVERY))\n"
        "outcome = session.run(lambda event: None)\nsession.close()\nprint(outcome.stdout or outcome.error)\n"
    )
    user = ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--die-with-parent"]
    machine = ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]
    command = ["bwrap", *user, *machine, sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "1000 111", done.stderr

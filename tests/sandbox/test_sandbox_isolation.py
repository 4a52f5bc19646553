"""What a script in bubblewrap can't see or reach, tried from inside."""

from __future__ import annotations

import socket
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import run_in

from integrator_magics.sandbox.bubblewrap import Bubblewrap

LOOK = "from integrator_drivers import report\ndef tell(name, value):\n    report('value', name=name, value=value)\n"


def told(walled: Bubblewrap, code: str, **spec: Any) -> dict[str, Any]:
    outcome = run_in(walled, LOOK + code, **spec)
    assert outcome.status == "ok", (outcome.error, outcome.stdout)
    return {line["name"]: line["value"] for line in outcome.report}


def test_files_of_this_machine_are_not_there(
    walled: Bubblewrap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SALESFORCE_CLIENT_SECRET=fake-secret-on-disk\n")
    home = tmp_path / "state"
    home.mkdir()
    monkeypatch.setenv("INTEGRATOR_HOME", str(home))
    paths = [
        tmp_path,
        tmp_path / ".env",
        home,
        Path.home() / ".bashrc",
        Path.home() / ".ssh",
        Path("/etc/shadow"),
        Path("/etc/hostname"),
        Path("/etc/ssl/private"),
        Path("/var/log"),
        Path("/root/.bashrc"),
        Path("/sys/kernel"),
        Path(__file__),
        Path(__file__).parents[2] / "pyproject.toml",
        Path(__file__).parents[2] / "integrator_magics" / "credentials",
        Path("/run/docker.sock"),
        Path("/usr/bin/env"),
        Path(sys.executable).parent / "pip",
    ]
    found = told(walled, f"import os\ntell('seen', [p for p in {list(map(str, paths))!r} if os.path.lexists(p)])\n")
    assert found["seen"] == []


def test_only_the_scratch_folder_and_small_memory_folders_take_files(walled: Bubblewrap) -> None:
    code = (
        "import os, sys, integrator_drivers\n"
        "taken = []\n"
        "places = ['/', '/scratch', '/tmp', '/usr/lib', '/run/integrator', '/run/integrator/code', sys.prefix + '/lib',"
        " os.path.dirname(integrator_drivers.__file__), '/proc/sys/kernel']\n"
        "for place in places:\n"
        "    try:\n        open(place + '/x', 'w').close()\n        taken.append(place)\n"
        "    except OSError:\n        pass\n"
        "tell('taken', taken)\n"
        "try:\n    open('/tmp/big', 'wb').write(b'x' * (300 << 20))\n    tell('big', True)\n"
        "except OSError:\n    tell('big', False)\n"
    )
    assert told(walled, code) == {"taken": ["/scratch", "/tmp"], "big": False}


def test_process_one_shows_no_variable_of_the_kernel(walled: Bubblewrap, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = f"canary-{uuid.uuid4().hex}"
    monkeypatch.setenv("ANTHROPIC_API_KEY", marker)
    code = (
        "import pathlib\nfound = {}\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "    for name in ('environ', 'cmdline'):\n"
        "        try:\n            found[f'{path.name}/{name}'] = (path / name).read_text()\n"
        "        except OSError:\n            pass\n"
        "tell('found', found)\n"
    )
    found = told(walled, code, env={"PGPASSWORD": "fake-password-of-the-run"})["found"]
    assert {name.split("/")[0] for name in found} == {"1", "2"}  # nobody else is there
    assert found["1/environ"] == ""
    assert marker not in str(found)
    assert "fake-password-of-the-run" not in str(found)  # it came down a socket after the start


def test_credentials_stand_in_no_command_line_on_this_machine(walled: Bubblewrap) -> None:
    secret = f"fake-{uuid.uuid4().hex}"
    seen: list[str] = []

    def look(event: Any) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(path.read_text(errors="replace"))
            except OSError:
                continue

    run_in(walled, "import time\nprint('now', flush=True)\ntime.sleep(0.5)\n", env={"SECRET": secret}, on_event=look)
    assert any("/run/integrator" in line for line in seen)
    assert not any(secret in line for line in seen)


def test_no_port_of_this_machine_is_reached_but_the_allowed_one(walled: Bubblewrap) -> None:
    with socket.create_server(("127.0.0.1", 0)) as allowed, socket.create_server(("0.0.0.0", 0)) as other:
        allowed_port, other_port = allowed.getsockname()[1], other.getsockname()[1]

        def greet() -> None:
            with allowed.accept()[0] as client:
                client.sendall(b"hello")

        threading.Thread(target=greet, daemon=True).start()
        other.settimeout(0)
        code = (
            "import socket\n"
            "def reached(host, port):\n"
            "    try:\n        return socket.create_connection((host, port), 3).recv(5).decode()\n"
            "    except OSError as exc:\n        return type(exc).__name__\n"
            f"tell('allowed', reached('127.0.0.1', {allowed_port}))\n"
            f"tell('other', reached('127.0.0.1', {other_port}))\n"
            f"tell('by address', reached('{_own_address()}', {other_port}))\n"
            "tell('far', reached('192.0.2.1', 443))\n"
            "try:\n    tell('dns', socket.getaddrinfo('example.com', 443))\n"
            "except OSError as exc:\n    tell('dns', type(exc).__name__)\n"
            "tell('interfaces', [name for _, name in socket.if_nameindex()])\n"
        )
        found = told(walled, code, egress=(("127.0.0.1", allowed_port),))
        with pytest.raises(BlockingIOError):
            other.accept()
    assert found == {
        "allowed": "hello",
        "other": "ConnectionRefusedError",
        "by address": "OSError",
        "far": "OSError",
        "dns": "gaierror",
        "interfaces": ["lo"],
    }


def test_unix_sockets_of_this_machine_are_out_of_reach(walled: Bubblewrap) -> None:
    name = f"\0integrator-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        code = (
            "import socket\ntry:\n"
            f"    socket.socket(socket.AF_UNIX).connect({name!r})\n    tell('abstract', 'reached')\n"
            "except OSError as exc:\n    tell('abstract', type(exc).__name__)\n"
        )
        assert told(walled, code) == {"abstract": "ConnectionRefusedError"}


@pytest.mark.parametrize(
    "attempt",
    [
        "libc.unshare(0x10000000)",  # a user namespace of its own
        "libc.mount(b'none', b'/scratch', b'tmpfs', 0, None)",
        "libc.setns(3, 0)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.chroot(b'/scratch')",
        "libc.umount2(b'/scratch', 2)",
        "libc.syscall(425, 1, 0)",  # io_uring
        "libc.setuid(0)",
    ],
)
def test_no_way_to_more_rights(walled: Bubblewrap, attempt: str) -> None:
    code = f"import ctypes, os\nlibc = ctypes.CDLL(None)\ntell('result', {attempt})\ntell('uid', os.getuid())\n"
    assert told(walled, code) == {"result": -1, "uid": 1000}


def test_capabilities_are_none(walled: Bubblewrap) -> None:
    code = (
        "lines = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "tell('status', {name: value.strip() for name, value in lines.items()})\n"
    )
    status = told(walled, code)["status"]
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0000000000000000"}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_files_named_by_variables_come_along(walled: Bubblewrap, tmp_path: Path) -> None:
    certificate = tmp_path / "root.crt"
    certificate.write_text("a certificate")
    code = "import os\npath = os.environ['PGSSLROOTCERT']\ntell('text', open(path).read())\ntell('path', path)\n"
    found = told(walled, code, env={"PGSSLROOTCERT": str(certificate)})
    assert found["text"] == "a certificate"
    assert str(tmp_path) not in found["path"]


def test_time_zone_is_that_of_this_machine(walled: Bubblewrap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    code = "import time\nfrom datetime import datetime\nfrom zoneinfo import ZoneInfo\ntell('zone', time.tzname[0])\n"
    assert told(walled, code + "tell('data', str(ZoneInfo('Asia/Tokyo')))\n") == {"zone": "EST", "data": "Asia/Tokyo"}


def test_the_self_test_sees_when_nothing_is_walled_off(monkeypatch: pytest.MonkeyPatch, walled: Bubblewrap) -> None:
    """With the machine's root shown inside, the probe must say none."""
    from integrator_magics.sandbox import bubblewrap

    honest = bubblewrap._command

    def leaky(folder: Path) -> list[str]:
        command = honest(folder)
        at = command.index("--remount-ro")
        return [*command[:at], "--bind", "/tmp", "/tmp", *command[at:]]

    monkeypatch.setattr(bubblewrap, "_command", leaky)
    level = Bubblewrap().probe()
    assert (level.name, level.reason) == ("none", "the self-test got through (file)")


def test_the_level_is_none_with_a_reason_where_bubblewrap_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    from integrator_magics.sandbox import bubblewrap

    monkeypatch.setattr(bubblewrap, "_program", lambda: None)
    level = Bubblewrap().probe()
    assert level.name == "none"
    assert level.reason in ("bubblewrap is not installed", "bubblewrap needs Linux")


def test_the_level_is_none_where_namespaces_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from integrator_magics.sandbox import bubblewrap

    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(bubblewrap, "_program", lambda: str(fake))
    assert Bubblewrap().probe().reason == "user namespaces are switched off"


def _own_address() -> str:
    """An address of this machine other than loopback, or one that leads nowhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "198.51.100.7"

"""Practice systems as processes: started, known as practice, gone when they should be."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading

import pytest

import integrator_practice
from integrator_practice import Practice, PracticeError, is_practice, registration, start

pytestmark = pytest.mark.usefixtures("state_home")


def port_of(practice: Practice) -> int:
    return int(practice.base_url.rpartition(":")[2])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_started_practice_system_answers_and_is_known_as_practice() -> None:
    with start("SFDC", rows=10) as practice:
        port = port_of(practice)
        assert practice.system == "salesforce"
        assert practice.control_url == f"http://127.0.0.1:{port}/_practice"
        assert set(practice.env) == {
            "SALESFORCE_BASE_URL",
            "SALESFORCE_DOMAIN",
            "SALESFORCE_CLIENT_ID",
            "SALESFORCE_CLIENT_SECRET",
        }
        assert is_practice("127.0.0.1", port)
        assert is_practice("localhost", port)
        assert not is_practice("acme.my.salesforce.com", port)
        assert not is_practice("127.0.0.1", port + 1)
    assert not is_practice("127.0.0.1", port)
    assert not is_listening(port)
    assert not list(registration.folder().iterdir())


def test_the_registration_is_for_its_owner_only() -> None:
    with start("salesforce", rows=1):
        (path,) = registration.folder().iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        assert {folder.stat().st_mode & 0o777 for folder in list(path.parents)[:2]} == {0o700}
        entry = json.loads(path.read_text())
        assert entry.keys() == {"system", "host", "port", "pid", "nonce"}
        path.chmod(0o644)
        assert not is_practice("127.0.0.1", entry["port"])


def test_a_forged_registration_makes_nothing_practice() -> None:
    command = [sys.executable, "-c", "input()"]
    with start("salesforce", rows=1) as practice, subprocess.Popen(command, stdin=subprocess.PIPE) as stranger:
        port = port_of(practice)
        (path,) = registration.folder().iterdir()
        entry = json.loads(path.read_text())
        forged = [{"nonce": "0" * 32}, {"pid": stranger.pid}, {"pid": 2**22 - 1}, {"port": str(port)}, {"host": "x"}]
        for change in forged:
            path.write_text(json.dumps({**entry, **change}))
            assert not is_practice("127.0.0.1", port), change
        stranger.communicate(b"\n")
        path.write_text("no json")
        assert not is_practice("127.0.0.1", port)
        path.write_text(json.dumps(entry))
        assert is_practice("127.0.0.1", port)


def test_a_server_that_took_over_the_port_is_no_practice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        registration.register("salesforce", "127.0.0.1", port, os.getpid(), "nonce")

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"nonce": "no"}')

        worker = threading.Thread(target=answer)
        worker.start()
        assert not is_practice("127.0.0.1", port)
        worker.join()


def test_what_a_killed_practice_system_left_behind_is_cleared_away() -> None:
    practice = start("salesforce", rows=1)
    os.kill(practice.pid, signal.SIGKILL)
    practice.close()
    assert len(list(registration.folder().iterdir())) == 1
    assert not is_practice("127.0.0.1", port_of(practice))
    with start("salesforce", rows=1) as other:
        assert [path.name for path in registration.folder().iterdir()] == [f"salesforce-{port_of(other)}.json"]


def test_the_same_seed_gives_the_same_credentials_and_another_seed_others() -> None:
    with start("salesforce", rows=1, seed=7) as one, start("salesforce", rows=1, seed=7) as other:
        assert one.env["SALESFORCE_CLIENT_SECRET"] == other.env["SALESFORCE_CLIENT_SECRET"]
        assert one.base_url != other.base_url
        with start("salesforce", rows=1, seed=8) as third:
            assert third.env["SALESFORCE_CLIENT_SECRET"] != one.env["SALESFORCE_CLIENT_SECRET"]


def test_the_command_prints_one_line_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "integrator_practice", "salesforce", "--rows", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told.keys() == {"system", "base_url", "env", "control_url"}
        assert len(list(registration.folder().iterdir())) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
    assert not list(registration.folder().iterdir())


def test_what_can_not_be_started_says_why() -> None:
    with pytest.raises(PracticeError, match='no driver for "salesfroce"'):
        start("salesfroce")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PracticeError, match=f"Port {port} can't be used"):
            start("salesforce", port=port, rows=1)


def test_it_survives_the_thread_that_started_it_but_not_the_process() -> None:
    script = (
        "import threading, integrator_practice as p\n"
        "found = []\n"
        "t = threading.Thread(target=lambda: found.append(p.start('salesforce', rows=1)))\n"
        "t.start(); t.join()\n"
        "print(found[0].pid, found[0].base_url, flush=True)\n"
        "input()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as us:
        assert us.stdout is not None
        pid, url = us.stdout.readline().split()
        port = int(url.rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/services/data")
        assert connection.getresponse().status == 200
        connection.close()
        if not hasattr(os, "pidfd_open"):
            us.kill()
            pytest.skip("this system can't wait for a process that is not a child")
        descriptor = os.pidfd_open(int(pid))
        us.kill()
        us.wait()
    try:
        assert select.select([descriptor], [], [], 20)[0], "the practice system outlived its parent"
    finally:
        os.close(descriptor)
    assert not is_practice("127.0.0.1", port)


def test_an_interrupt_of_the_notebook_does_not_reach_it() -> None:
    with start("salesforce", rows=1) as practice:
        os.kill(practice.pid, signal.SIGINT)
        assert is_practice("127.0.0.1", port_of(practice))
        assert os.getpgid(practice.pid) != os.getpgid(0)


def test_the_public_face_is_what_it_says() -> None:
    assert integrator_practice.__all__ == sorted(integrator_practice.__all__)
    assert all(hasattr(integrator_practice, name) for name in integrator_practice.__all__)

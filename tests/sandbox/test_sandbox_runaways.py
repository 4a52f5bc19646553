"""Scripts that don't stop, don't fit, or fight back: each ends in an outcome, in time, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import descendants, gone, run_in

from integrator_drivers import Mode
from integrator_magics.errors import SandboxUnavailable
from integrator_magics.sandbox import Limits, RunSpec, Sandbox

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc and relies on seccomp")


def test_an_endless_loop_is_killed_at_its_time(run: Any) -> None:
    run("pass")  # so that no preparation counts
    started = time.monotonic()
    outcome = run("while True:\n    pass\n", limits={"seconds": 1.0})
    assert outcome.status == "timeout"
    assert outcome.error.message == "The script did not finish within 1 s and was stopped."
    assert 1.0 <= outcome.seconds < 1.5
    assert time.monotonic() - started < 5


def test_ignoring_every_signal_does_not_help(run: Any) -> None:
    outcome = run(
        "import signal, time\n"
        "for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    try:\n        signal.signal(number, signal.SIG_IGN)\n    except OSError:\n        pass\n"
        "while True:\n    time.sleep(60)\n",
        limits={"seconds": 1.0},
    )
    assert outcome.status == "timeout"
    assert outcome.seconds < 1.5


def test_cancel_from_another_thread_ends_it_at_once(sandbox: Sandbox) -> None:
    session = sandbox.open(RunSpec(code="print('on', flush=True)\nwhile True:\n    pass\n", mode=Mode.DISCOVERY))
    cancelled_at: list[float] = []

    def cancel(event: Any) -> None:
        threading.Thread(target=lambda: (cancelled_at.append(time.monotonic()), session.cancel())).start()

    try:
        outcome = session.run(cancel)
        assert time.monotonic() - cancelled_at[0] < 0.5
    finally:
        session.close()
    assert outcome.status == "cancelled"
    assert outcome.error is not None
    assert outcome.error.message == "The run was stopped."


@pytest.mark.parametrize("ending", ["cancelled", "timeout"])
def test_a_stopped_script_can_say_how_far_it_got(sandbox: Sandbox, ending: str) -> None:
    code = (
        "from integrator_drivers import report\nimport time\n"
        "try:\n    print('on', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    report('target', system='acme', object='Lead', add=260, stopped=True)\n    raise\n"
    )
    seconds = 1.0 if ending == "timeout" else 30.0
    session = sandbox.open(RunSpec(code=code, mode=Mode.APPLY, limits=Limits(seconds=seconds)))
    try:
        outcome = session.run(lambda event: session.cancel() if ending == "cancelled" else None)
    finally:
        session.close()
    assert outcome.status == ending
    assert [line["add"] for line in outcome.report] == [260]


def test_a_cancel_before_the_run_means_no_run(sandbox: Sandbox) -> None:
    session = sandbox.open(RunSpec(code="open('ran', 'w')", mode=Mode.DISCOVERY))
    try:
        session.cancel()
        assert session.run(lambda event: None).status == "cancelled"
        assert not (session.outputs / "ran").exists()
    finally:
        session.close()


@pytest.mark.parametrize("code", ["x = 'a' * (8 << 30)", "x = []\nwhile True:\n    x.append(bytearray(1 << 20))"])
def test_too_much_memory_is_a_limit(run: Any, code: str) -> None:
    outcome = run(code, limits={"memory": 300 << 20})
    assert outcome.status == "limit"
    assert outcome.error.type == "MemoryError"
    assert "0.3 GB of memory" in outcome.error.message


def test_a_flood_of_output_is_cut_with_a_note_and_the_run_goes_on(run: Any) -> None:
    outcome = run(
        "for _ in range(200):\n    print('x' * 9_999)\nopen('done', 'w')\n", limits={"output": 100_000, "seconds": 20}
    )
    assert outcome.status == "ok"
    assert len(outcome.stdout) == 100_000
    assert outcome.notes == ["What the script printed was cut after 100,000 characters."]
    assert {"path": "done"} in outcome.files


@pytest.mark.parametrize("line", ["'x' * 100_000", "''"])
def test_a_flood_of_results_is_a_limit(run: Any, line: str) -> None:
    outcome = run(
        f"from integrator_drivers import report\nwhile True:\n    report('value', name='x', value={line})\n",
        limits={"report": 2_000_000, "seconds": 60},
    )
    assert outcome.status == "limit"
    assert outcome.seconds < 55


def test_too_much_on_disk_is_a_limit(run: Any) -> None:
    many = "n = 0\nwhile True:\n    open(f'f{n}', 'wb').write(b'x' * 1_000_000)\n    n += 1\n"
    assert run(many, limits={"disk": 20 << 20}).status == "limit"
    one = run("open('big', 'wb').write(b'x' * (30 << 20))", limits={"disk": 20 << 20})
    assert one.status in ("limit", "script_error")  # one file alone meets the limit in the write itself
    names = run("n = 0\nwhile True:\n    open(f'f{n}', 'w').close()\n    n += 1\n", limits={"files": 100})
    assert (names.status, names.error.message) == ("limit", "The script made more than 100 files and was stopped.")


@pytest.mark.parametrize(
    "attempt",
    [
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv(sys.executable, [sys.executable])",
        "subprocess.run([sys.executable, '-c', ''])",
        "os.kill(os.getppid(), 9)",
        "os.kill(1, 9)",
        "os.kill(-1, 9)",
        "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)",
    ],
)
def test_no_process_is_started_and_none_is_signalled(run: Any, attempt: str) -> None:
    outcome = run(f"import os, signal, subprocess, sys\n{attempt}\n")
    assert outcome.status == "script_error"
    assert outcome.error.type == "PermissionError"


def test_threads_still_work(run: Any) -> None:
    outcome = run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool:\n    print(sum(pool.map(int, range(100))))\n"
    )
    assert outcome.stdout == "4950\n"


@pytest.mark.parametrize("number", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_killed_script_is_reported_as_lost(run: Any, number: str) -> None:
    outcome = run(f"import os, signal\nprint('so far', flush=True)\nos.kill(os.getpid(), signal.{number})\n")
    assert outcome.status == "sandbox_lost"
    assert outcome.error.message == f"The process that ran the script was killed ({number})."
    assert outcome.stdout.startswith("so far")


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b'{"end": {"exit_code": 0, "error": {"type": 7, "frames": 5, "near": 3, "message": null}}}', "script_error"),
        (b'{"end": {"error": "none"}}', "ok"),
        (b'{"end": [], "started": 1}', "ok"),
        (b"not json", "limit"),
        (b"[1]", "limit"),
        (b"[" * 100_000, "limit"),
    ],
)
def test_a_false_ending_through_the_inner_socket_is_only_text(run: Any, message: bytes, status: str) -> None:
    """The script can write to the socket it inherited; it gains nothing but its own description."""
    outcome = run(
        "import os, socket, struct\n"
        f"message = {message!r}\n"
        "for number in range(3, 64):\n"
        "    try:\n"
        "        with socket.socket(fileno=os.dup(number)) as channel:\n"
        "            channel.sendall(struct.pack('>I', len(message)) + message)\n"
        "    except OSError:\n        pass\n"
    )
    assert outcome.status == status


def test_nothing_outlives_a_run(sandbox: Sandbox) -> None:
    run_in(sandbox, "pass")
    before = descendants()
    marker = f"marker-{uuid.uuid4().hex}"
    for code in ("pass", "while True:\n    pass\n", "import os\nos.kill(os.getpid(), 9)\n"):
        run_in(sandbox, code, env={"MARKER": marker}, limits={"seconds": 0.5})
    assert gone(marker)
    # One spare may wait; each is at most three processes (bubblewrap, its process 1, the interpreter).
    assert len(descendants()) <= len(before) + 3


def test_an_interrupt_leaves_nothing_running(sandbox: Sandbox) -> None:
    marker = f"marker-{uuid.uuid4().hex}"
    session = sandbox.open(RunSpec(code="print(1)\nwhile True:\n    pass\n", mode=Mode.APPLY, env={"M": marker}))

    def interrupt(event: Any) -> None:
        signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            session.run(interrupt)
        assert gone(marker)
    finally:
        session.close()
    assert not session.outputs.exists()


@pytest.mark.parametrize("kind", ["Bubblewrap", "ChildProcess"])
def test_a_killed_kernel_takes_its_runs_with_it(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """SIGKILL of the program that holds a sandbox, with a run under way and a spare waiting."""
    if kind == "Bubblewrap":
        request.getfixturevalue("walled")
    marker = f"marker-{uuid.uuid4().hex}"
    program = (
        "import sys\nfrom integrator_drivers import Mode\n"
        "from integrator_magics.sandbox import RunSpec\n"
        "from integrator_magics.sandbox.bubblewrap import Bubblewrap\n"
        "from integrator_magics.sandbox.child import ChildProcess\n"
        f"sandbox = {kind}()\n"
        "code = 'print(1)\\nwhile True:\\n    pass\\n'\n"
        f"session = sandbox.open(RunSpec(code=code, mode=Mode.APPLY, env={{'M': '{marker}'}}))\nsandbox.warm()\n"
        "session.run(lambda event: print('running', flush=True))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"running\n"
        folder = next(Path("/tmp").glob(f"integrator-run-{process.pid}-*"), None)
        process.kill()
    assert gone(marker)
    if folder is not None:
        assert gone(str(folder))


@pytest.mark.parametrize("kind", ["Bubblewrap", "ChildProcess"])
def test_a_program_that_forgets_to_close_leaves_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "Bubblewrap":
        request.getfixturevalue("walled")
    program = (
        "from integrator_drivers import Mode\n"
        "from integrator_magics.sandbox import RunSpec\n"
        "from integrator_magics.sandbox.bubblewrap import Bubblewrap\n"
        "from integrator_magics.sandbox.child import ChildProcess\n"
        f"sandbox = {kind}()\nsandbox.warm()\n"
        "sandbox.open(RunSpec(code='', mode=Mode.APPLY)).run(print)\nsandbox.warm()\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    assert gone(str(tmp_path))


@pytest.mark.parametrize("where", ["folder", "script"])
def test_a_full_disk_is_said_and_nothing_runs(sandbox: Sandbox, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if where == "folder":
        run_in(sandbox, "pass")
        sandbox.open(RunSpec(code="", mode=Mode.APPLY)).close()
        monkeypatch.setattr("tempfile.mkdtemp", full)
        taken = []
        with pytest.raises(SandboxUnavailable, match="No space left"):
            for _ in range(2):  # the first may still take the spare
                taken.append(sandbox.open(RunSpec(code="", mode=Mode.APPLY)))
        for session in taken:
            session.close()
        return
    session = sandbox.open(RunSpec(code="print(1)", mode=Mode.APPLY))
    monkeypatch.setattr(Path, "write_bytes", full)
    try:
        with pytest.raises(SandboxUnavailable, match="No space left"):
            session.run(lambda event: None)
    finally:
        session.close()


def test_odd_leftovers_are_cleared(sandbox: Sandbox) -> None:
    session = sandbox.open(
        RunSpec(
            code="import os\nos.mkdir('locked')\nopen('locked/f', 'w')\n\n"
            "try:\n    os.chmod('locked', 0)\nexcept PermissionError:\n    pass\n"
            "os.symlink('/', 'root')\nos.mkfifo('pipe')\n"
            "for _ in range(990):\n    os.mkdir('d' * 50)\n    os.chdir('d' * 50)\n",
            mode=Mode.APPLY,
            limits=Limits(files=5_000),
        )
    )
    outcome = session.run(lambda event: None)
    session.close()
    assert outcome.status == "ok", outcome.error
    assert not session.outputs.exists()

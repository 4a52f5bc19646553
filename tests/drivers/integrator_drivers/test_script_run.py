from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers import base
from apscheduler.schedulers.blocking import BlockingScheduler

from integrator_drivers import AuthError, DriverError, run
from integrator_drivers.script import _by_schedule

HEAD = """
import os, sys
from integrator_drivers import AuthError, run
SCHEDULE = {schedule!r}
def main():
    {body}
if __name__ == "__main__":
    run(main, SCHEDULE)
"""


def start(
    folder: Path, body: str, *arguments: str, schedule: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(HEAD.format(body=body, schedule=schedule), encoding="utf-8")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INTEGRATOR_")}
    return subprocess.run(
        [sys.executable, "-W", "error", str(script), *arguments],
        cwd=elsewhere,
        env={**kept, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_run_that_ends_well_has_exit_code_0_and_logs_to_stderr(tmp_path: Path) -> None:
    done = start(tmp_path, "print('result')")
    assert (done.returncode, done.stdout) == (0, "result\n")
    assert "INFO Done in 0." in done.stderr


def test_trouble_with_a_system_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    done = start(tmp_path, "raise AuthError('Salesforce refused the login.')")
    assert (done.returncode, done.stderr) == (1, "Salesforce refused the login.\n")


def test_a_mistake_in_the_script_keeps_its_traceback(tmp_path: Path) -> None:
    done = start(tmp_path, "{}['name']")
    assert done.returncode == 1
    assert "KeyError: 'name'" in done.stderr
    assert "script.py" in done.stderr


def test_env_beside_the_script_fills_in_what_is_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=from file\nB=from file\nC='with $A and ${A}'\nD\n", encoding="utf-8")
    done = start(tmp_path, "print(os.environ['A'], os.environ['B'], os.environ['C'], sep='|')", B="set before")
    assert done.stdout == "from file|set before|with $A and ${A}\n"


def test_the_sandbox_does_not_read_env_files(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=from file\n", encoding="utf-8")
    done = start(tmp_path, "print(os.environ.get('A'))", INTEGRATOR_MODE="preview")
    assert done.stdout == "None\n"


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(["--once"], {}), ([], {"INTEGRATOR_MODE": "apply"}), ([], {"INTEGRATOR_REPORT": "report"})],
)
def test_a_scheduled_script_runs_once_when_asked_and_in_the_sandbox(
    tmp_path: Path, arguments: list[str], env: dict[str, str]
) -> None:
    done = start(tmp_path, "print('once')", *arguments, schedule="0 2 * * *", **env)
    assert (done.returncode, done.stdout) == (0, "once\n")


def test_a_schedule_that_is_none_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = start(tmp_path, "pass", schedule="0 25 * * *")
    assert done.returncode == 1
    assert done.stderr.startswith('"0 25 * * *" is no schedule: "25" is no hour')


def test_the_error_itself_is_still_there_for_a_caller_in_the_same_process() -> None:
    def main() -> None:
        raise AuthError("no")

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 1
    assert isinstance(caught.value.__cause__, AuthError)


class FakeClock:
    """The time that APScheduler sees; it moves when somebody waits."""

    def __init__(self, start: datetime) -> None:
        self.time = start

    def now(self, zone: tzinfo | None = None) -> datetime:
        return self.time.astimezone(zone)


class FastScheduler(BlockingScheduler):  # type: ignore[misc]
    """A BlockingScheduler that waits by moving the clock, and ends after some runs."""

    def __init__(self, clock: FakeClock, wakings: int, **options: Any) -> None:
        super().__init__(executors={"default": {"type": "debug"}}, **options)
        self.clock = clock
        self.wakings = wakings

    def _main_loop(self) -> None:
        wait = self._process_jobs()
        for _ in range(self.wakings):
            self.clock.time += timedelta(seconds=wait)
            wait = self._process_jobs()
        self.shutdown()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClock]:
    clock = FakeClock(datetime(2026, 11, 21, 14, 0, tzinfo=UTC))
    monkeypatch.setattr(base, "datetime", clock)
    monkeypatch.setenv("INTEGRATOR_NOW", clock.time.isoformat())
    monkeypatch.setenv("TZ", "UTC")
    yield clock


def test_every_night_at_two_it_runs(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[datetime] = []
    with caplog.at_level("INFO"):
        _by_schedule(lambda: ran.append(clock.time), "0 2 * * *", FastScheduler(clock, 3, timezone=UTC), zone=UTC)
    assert ran == [datetime(2026, 11, day, 2, 0, tzinfo=UTC) for day in (22, 23, 24)]
    assert "Runs every night at 02:00; next on 22 November 2026 at 02:00 UTC." in caplog.text


def test_a_night_that_fails_does_not_end_the_schedule(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[datetime] = []

    def main() -> None:
        ran.append(clock.time)
        if len(ran) == 1:
            raise AuthError("Salesforce refused the login.")

    _by_schedule(main, "0 2 * * 0", FastScheduler(clock, 2, timezone=UTC), zone=UTC)
    assert [f"{time:%A %d}" for time in ran] == ["Sunday 22", "Sunday 29"]
    assert "Salesforce refused the login." in caplog.text


class StoppedByJob(FastScheduler):
    """Jobs run on its own thread here, where it can't stop before the job is over."""

    is_asked = False

    def _main_loop(self) -> None:
        wait = self._process_jobs()
        for _ in range(self.wakings):
            if not self.is_asked:
                self.clock.time += timedelta(seconds=wait)
                wait = self._process_jobs()
        super().shutdown()

    def shutdown(self, wait: bool = True) -> None:
        self.is_asked = True


WRITER = """
import os
from integrator_drivers.report import report
from integrator_drivers.script import _by_schedule
modes = []

def main():
    modes.append((os.environ.get("INTEGRATOR_MODE", "apply"), os.environ.get("INTEGRATOR_MAX_ROWS")))
    report("target", system="postgresql", object="leads", add=3, update=1)
"""


@pytest.fixture
def writer(tmp_path: Path) -> dict[str, Any]:
    """The names of a script in a file, which would write four rows each night."""
    path = tmp_path / "writer.py"
    path.write_text(WRITER, encoding="utf-8")
    names: dict[str, Any] = {"__file__": str(path)}
    exec(compile(WRITER, str(path), "exec"), names)
    return names


def test_by_schedule_nothing_is_written_without_a_standing_approval(clock: FakeClock, writer: dict[str, Any]) -> None:
    with pytest.raises(DriverError, match=r"Nobody approved .* Nothing was written; 4 rows would have been"):
        _by_schedule(writer["main"], "0 2 * * *", StoppedByJob(clock, 3, timezone=UTC), zone=UTC)
    assert writer["modes"] == [("preview", None)]


def test_by_schedule_a_standing_approval_lets_it_write_up_to_its_ceiling(
    clock: FakeClock, writer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "1")
    path = Path(writer["__file__"])
    standing = {
        "script_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "schedule": "0 2 * * *",
        "max_rows": 50,
        "until": "2099-01-01T00:00:00+00:00",
    }
    path.with_suffix(".receipt.json").write_text(json.dumps({"standing": standing}), encoding="utf-8")
    _by_schedule(writer["main"], "0 2 * * *", StoppedByJob(clock, 2, timezone=UTC), zone=UTC)
    assert writer["modes"] == [("apply", "50")] * 2
    path.write_text(WRITER + "\n", encoding="utf-8")
    with pytest.raises(DriverError, match=r"writer\.py has changed since its standing approval"):
        _by_schedule(writer["main"], "0 2 * * *", StoppedByJob(clock, 2, timezone=UTC), zone=UTC)


def test_ctrl_c_ends_a_scheduled_script_in_one_word(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(HEAD.format(body="pass", schedule="0 2 * * *"), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert "Runs every night at 02:00; next on " in process.stderr.readline()
        assert "Nobody approved that script.py writes unattended." in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "Stopped.\n"
        assert process.wait(30) == 130

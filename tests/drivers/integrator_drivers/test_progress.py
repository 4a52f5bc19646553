"""How far a sync has come, told to the report, at a terminal, or in the log."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from integrator_drivers import progress
from integrator_drivers.progress import Progress, line


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day; set its only entry."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_report_gets_rate_and_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    shown = Progress("x.leads")
    for seconds, done in ((102.0, 200), (102.1, 210), (104.0, 400)):
        clock[0] = seconds
        shown.at(done, 1_000)
    told = [json.loads(text) for text in (tmp_path / "report").read_text().splitlines()]
    assert [(entry["done"], entry["rate"], entry["seconds_left"]) for entry in told] == [(200, 100, 8), (400, 100, 6)]


def test_a_terminal_shows_one_line_that_is_overwritten(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    monkeypatch.delenv("INTEGRATOR_REPORT", raising=False)
    screen = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", screen)
    shown = Progress("x.leads")
    clock[0] = 102.0
    shown.at(200, 1_000)
    shown.at(1_000, 1_000, last=True)
    first, second = screen.getvalue().split("\r\x1b[2K")[1:]
    assert first == "x.leads   200 of 1,000 rows   100 rows/s   about 8 s left"
    assert second.endswith("1,000 of 1,000 rows   500 rows/s\n")


def test_a_log_gets_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("INTEGRATOR_REPORT", raising=False)
    monkeypatch.setattr(progress.sys, "stderr", io.StringIO())
    caplog.set_level(logging.INFO, "integrator")
    shown = Progress("x.leads")
    for second in range(101, 200):
        clock[0] = float(second)
        shown.at(second, None)
    assert [entry.message.split("   ")[1] for entry in caplog.records] == ["130 rows", "160 rows", "190 rows"]


def test_the_time_left_is_said_as_people_say_it() -> None:
    assert line("a", 10, 12, 100.0).endswith("under 1 s left")
    assert line("a", 100, 13_100, 100.0).endswith("about 2 min 10 s left")
    assert line("a", 5, None, None) == "a   5 rows"

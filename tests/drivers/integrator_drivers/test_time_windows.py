"""Time windows count from the moment a run stands for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrator_drivers import ValidationError, days_ago, start_of
from integrator_drivers.windows import Unit


@pytest.mark.parametrize(
    ("unit", "ago", "expected"),
    [
        ("day", 0, "2026-03-01"),
        ("day", 1, "2026-02-28"),
        ("week", 0, "2026-02-23"),
        ("week", 1, "2026-02-16"),
        ("month", 0, "2026-03-01"),
        ("month", 1, "2026-02-01"),
        ("month", 3, "2025-12-01"),
        ("month", 27, "2023-12-01"),
        ("quarter", 0, "2026-01-01"),
        ("quarter", 1, "2025-10-01"),
        ("quarter", 5, "2024-10-01"),
        ("year", 0, "2026-01-01"),
        ("year", 2, "2024-01-01"),
    ],
)
def test_a_unit_starts_at_midnight_utc(monkeypatch: pytest.MonkeyPatch, unit: Unit, ago: int, expected: str) -> None:
    monkeypatch.setenv("INTEGRATOR_NOW", "2026-03-01T00:30:00+01:00")
    assert start_of("day") == datetime(2026, 2, 28, tzinfo=UTC)
    monkeypatch.setenv("INTEGRATOR_NOW", "2026-03-01T23:30:00+00:00")
    assert start_of(unit, ago) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_days_ago_is_midnight_and_includes_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_NOW", "2026-11-21T14:05:00+00:00")
    assert days_ago(30) == datetime(2026, 10, 22, tzinfo=UTC)
    assert days_ago(0) == datetime(2026, 11, 21, tzinfo=UTC)


def test_an_unknown_unit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="Known are day, week, month, quarter and year"):
        start_of("decade")  # type: ignore[arg-type]

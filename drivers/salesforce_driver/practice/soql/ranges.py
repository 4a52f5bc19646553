"""Relative dates: LAST_N_DAYS:30 as the first day in and the first day after, in the user's time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

__all__ = ["COUNTED_RANGES", "PLAIN_RANGES", "days"]

_UNITS = ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
PLAIN_RANGES = frozenset(("YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS")) | frozenset(
    f"{when}_{unit}" for when in ("LAST", "THIS", "NEXT") for unit in _UNITS
)
COUNTED_RANGES = frozenset(
    name for unit in ("DAY", *_UNITS) for name in (f"LAST_N_{unit}S", f"NEXT_N_{unit}S", f"N_{unit}S_AGO")
)


def days(name: str, n: int | None, today: date) -> tuple[date, date]:
    """The first day of the range and the first day after it. Weeks begin on Sunday, the fiscal year in January."""
    if name in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        name, n = name.replace("90", "N"), 90
    if name in ("YESTERDAY", "TODAY", "TOMORROW"):
        start = today + timedelta(days=("YESTERDAY", "TODAY", "TOMORROW").index(name) - 1)
        return start, start + timedelta(days=1)
    count = n or 0
    unit = (re.search(r"(DAY|WEEK|MONTH|QUARTER|YEAR)", name) or [""])[0]
    step = _STEPS[unit]
    this = step(today, 0)
    if name.startswith("LAST_N"):
        # Days count up to and with today; whole weeks, months ... end before the current one.
        return step(this, -count), step(this, 1) if unit == "DAY" else this
    if name.startswith("NEXT_N"):
        return step(this, 1), step(this, count + 1)
    if name.endswith("_AGO"):
        return step(this, -count), step(this, 1 - count)
    place = {"LAST": -1, "THIS": 0, "NEXT": 1}[name.partition("_")[0]]
    return step(this, place), step(this, place + 1)


def _day(day: date, count: int) -> date:
    return day + timedelta(days=count)


def _week(day: date, count: int) -> date:
    return day - timedelta(days=(day.weekday() + 1) % 7) + timedelta(weeks=count)


def _months(size: int) -> Callable[[date, int], date]:
    def step(day: date, count: int) -> date:
        month = day.year * 12 + (day.month - 1) // size * size + count * size
        return date(month // 12, month % 12 + 1, 1)

    return step


_STEPS: dict[str, Callable[[date, int], date]] = {
    "DAY": _day,
    "WEEK": _week,
    "MONTH": _months(1),
    "QUARTER": _months(3),
    "YEAR": _months(12),
}

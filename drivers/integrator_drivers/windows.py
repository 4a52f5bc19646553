"""Time windows of scripts, counted from the moment the run stands for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from .errors import ValidationError
from .mode import now

__all__ = ["Unit", "days_ago", "start_of"]

Unit = Literal["day", "week", "month", "quarter", "year"]


def days_ago(n: int) -> datetime:
    """Midnight UTC, `n` days before today; "the last 30 days" start at days_ago(30)."""
    return start_of("day", n)


def start_of(unit: Unit, ago: int = 0) -> datetime:
    """The first moment (UTC) of this day, week (Monday), month, quarter or year, or of the one `ago` before."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "day":
        return today - timedelta(days=ago)
    if unit == "week":
        return today - timedelta(days=today.weekday(), weeks=ago)
    if unit == "month":
        return _first_of_month(today, today.month - ago)
    if unit == "quarter":
        return _first_of_month(today, (today.month - 1) // 3 * 3 + 1 - 3 * ago)
    if unit == "year":
        return today.replace(year=today.year - ago, month=1, day=1)
    raise ValidationError(f'"{unit}" is no unit of time here. Known are day, week, month, quarter and year.')


def _first_of_month(day: datetime, month: int) -> datetime:
    """The first of the month that many months into the year of `day`; 0 and below are in the years before."""
    years, index = divmod(month - 1, 12)
    return day.replace(year=day.year + years, month=index + 1, day=1)

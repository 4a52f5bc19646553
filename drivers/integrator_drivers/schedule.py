"""Cron expressions as people mean them: checked, put into words, and turned into run times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import ValidationError
from .mode import now as moment

__all__ = ["Cron", "describe", "next_runs", "parse", "trigger"]

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
PARTS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@dataclass(frozen=True)
class Cron:
    """A checked expression; each part is the sorted list of its values, weekdays with Sunday = 0."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @property
    def every_day(self) -> bool:
        return len(self.days) == 31 and len(self.weekdays) == 7


def parse(text: str) -> Cron:
    """Read "minute hour day month weekday". Numbers, *, ranges, lists, steps and English names; 0 and 7 are Sunday.

    Raises ValidationError saying which part is wrong, also for a date that never comes.
    """
    parts = NICKNAMES.get(text.strip().lower(), text).split()
    if len(parts) != 5:
        raise ValidationError(
            f'"{text}" is no schedule: it needs five parts, minute hour day month weekday. '
            '"0 2 * * *" means every night at 02:00.'
        )
    values = [_part(part, *limits, text) for part, limits in zip(parts, PARTS, strict=True)]
    values[4] = sorted({day % 7 for day in values[4]})
    cron = Cron(*(tuple(part) for part in values))
    if len(cron.weekdays) == 7 and cron.days[0] > max(LONGEST_MONTH.get(month, 31) for month in cron.months):
        raise ValidationError(f'"{text}" never comes: no such month has a day {cron.days[0]}.')
    return cron


def describe(text: str) -> str:
    """The schedule in words, such as "every night at 02:00"."""
    cron = parse(text)
    months = (
        "" if len(cron.months) == 12 else f" in {_listed([MONTHS[month - 1].capitalize() for month in cron.months])}"
    )
    if (often := _often(cron)) and cron.every_day:
        return often + months
    when = _often(cron) or f"at {_listed([f'{h:02}:{m:02}' for h in cron.hours for m in cron.minutes])}"
    if cron.every_day:
        night = all(hour < 6 or hour >= 22 for hour in cron.hours)
        return f"every {'night' if night else 'day'} {when}{months}"
    return f"{_days(cron, bool(months))} {when}{months}"


def next_runs(
    text: str, count: int = 3, zone: str | tzinfo | None = None, now: datetime | None = None
) -> list[datetime]:
    """The next run times after `now`, in `zone` (a name such as "Europe/Berlin"; default: this machine's)."""
    chosen = _zone(zone)
    start = (now or moment()).astimezone(chosen)
    rule = trigger(text, chosen)
    found: list[datetime] = []
    previous: datetime | None = None
    while len(found) < count:
        previous = rule.get_next_fire_time(previous, start if previous is None else previous)
        if previous is None:
            break
        # An hour that the clock jumps over has no local name: by way of UTC it gets the one people will see.
        found.append(previous.astimezone(UTC).astimezone(chosen))
    return found


def trigger(text: str, zone: tzinfo | None = None) -> Any:
    """An APScheduler trigger that fires when cron would: weekdays counted from Sunday, "day or weekday" as either."""
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    cron = parse(text)
    chosen = _zone(zone)

    def one(days: Sequence[int], weekdays: Sequence[int]) -> Any:
        return CronTrigger(
            minute=_values(cron.minutes, 60),
            hour=_values(cron.hours, 24),
            day=_values(days, 31),
            month=_values(cron.months, 12),
            day_of_week=_values([WEEKDAYS[day][:3] for day in weekdays], 7),
            timezone=chosen,
        )

    if len(cron.days) < 31 and len(cron.weekdays) < 7:
        return OrTrigger([one(cron.days, range(7)), one(range(1, 32), cron.weekdays)])
    return one(cron.days, cron.weekdays)


def _part(part: str, name: str, low: int, high: int, whole: str) -> list[int]:
    found: set[int] = set()
    for piece in part.split(","):
        span, slash, step_text = piece.partition("/")
        first_text, dash, last_text = span.partition("-")
        step = int(step_text) if step_text.isdigit() else 0 if slash else 1
        if span == "*":
            first, last = low, high
        else:
            first = _number(first_text, name)
            last = _number(last_text, name) if dash else (high if slash else first)
            if name == "weekday" and dash and last == 0:
                last = 7  # fri-sun
        if step < 1 or not low <= first <= last <= high:
            raise ValidationError(
                f'"{whole}" is no schedule: "{piece}" is no {name} ({low} to {high}, *, 1-5, 1,3,5 or */2).'
            )
        found |= set(range(first, last + 1, step))
    return sorted(found)


def _number(text: str, name: str) -> int:
    """A number or an English name; -1 for what is neither."""
    if text.isascii() and text.isdigit():
        return int(text)
    names = {"weekday": WEEKDAYS, "month": MONTHS}.get(name, ())
    offset = 1 if name == "month" else 0
    for position, known in enumerate(names):
        if len(text) >= 3 and known.startswith(text.lower()):
            return position + offset
    return -1


def _often(cron: Cron) -> str:
    """Words for several runs an hour or a day at an even distance; "" where times are better."""
    every_hour = len(cron.hours) == 24
    if every_hour and len(cron.minutes) == 60:
        return "every minute"
    if every_hour and len(cron.minutes) > 1:
        if step := _step(cron.minutes, 60):
            return f"every {step} minutes"
        return f"every hour at {_listed([f'{minute:02}' for minute in cron.minutes])} minutes past"
    if every_hour:
        return "every hour" if cron.minutes == (0,) else f"every hour at {cron.minutes[0]:02} minutes past"
    if len(cron.hours) > 3 and len(cron.minutes) == 1 and (step := _step(cron.hours, 24)):
        return f"every {step} hours from {cron.hours[0]:02}:{cron.minutes[0]:02}"
    if len(cron.hours) * len(cron.minutes) > 6:
        step = _step(cron.minutes, 60)
        minutes = f"every {step} minutes" if step else f"at {_listed([f'{m:02}' for m in cron.minutes])} minutes past"
        minutes = "every minute" if len(cron.minutes) == 60 else minutes
        return f"{minutes} in the hours {_spans(cron.hours)}"
    return ""


def _days(cron: Cron, named_months: bool) -> str:
    parts = []
    if len(cron.days) < 31:
        days = _listed([str(day) for day in cron.days])
        parts.append(f"on day {days} of {'the' if named_months else 'every'} month")
    if len(cron.weekdays) < 7:
        names = [WEEKDAYS[day].capitalize() for day in sorted(cron.weekdays, key=lambda day: day or 7)]
        if cron.weekdays == (1, 2, 3, 4, 5):
            parts.append("Monday to Friday")
        else:
            parts.append(f"every {_listed(names)}")
    return " and ".join(parts)


def _step(values: tuple[int, ...], size: int) -> int:
    """The even distance that runs through `size` without a seam, or 0."""
    step = values[1] - values[0] if len(values) > 1 else 0
    even = step and size % step == 0 and values == tuple(range(values[0], size, step)) and len(values) == size // step
    return step if even else 0


def _spans(hours: tuple[int, ...]) -> str:
    spans: list[list[int]] = []
    for hour in hours:
        if spans and hour == spans[-1][1] + 1:
            spans[-1][1] = hour
        else:
            spans.append([hour, hour])
    return _listed([f"{a:02}" if a == b else f"{a:02} to {b:02}" for a, b in spans])


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _values(values: Sequence[object], size: int) -> str:
    return "*" if len(values) == size else ",".join(str(value) for value in values)


def _zone(zone: str | tzinfo | None) -> tzinfo:
    if zone is None:
        from tzlocal import get_localzone

        local: tzinfo = get_localzone()
        return local
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise ValidationError(f'There is no time zone "{zone}"; names look like Europe/Berlin.') from exc

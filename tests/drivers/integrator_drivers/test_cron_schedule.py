from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrator_drivers import ValidationError
from integrator_drivers.schedule import describe, next_runs, parse

BERLIN = ZoneInfo("Europe/Berlin")
SATURDAY = datetime(2026, 11, 21, 3, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 2 * * *", "every night at 02:00"),
        ("30 22 * * *", "every night at 22:30"),
        ("@daily", "every night at 00:00"),
        ("0 14 * * *", "every day at 14:00"),
        ("0 8,17 * * *", "every day at 08:00 and 17:00"),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour"),
        ("5 * * * *", "every hour at 05 minutes past"),
        ("0 */6 * * *", "every 6 hours from 00:00"),
        ("30 7 * * 1-5", "Monday to Friday at 07:30"),
        ("30 7 * * mon-fri", "Monday to Friday at 07:30"),
        ("0 2 * * 1", "every Monday at 02:00"),
        ("0 2 * * 0", "every Sunday at 02:00"),
        ("0 2 * * 7", "every Sunday at 02:00"),
        ("0 2 * * 5-7", "every Friday, Saturday and Sunday at 02:00"),
        ("0 2 * * fri-sun", "every Friday, Saturday and Sunday at 02:00"),
        ("0 2 1 * *", "on day 1 of every month at 02:00"),
        ("0 2 1 1 *", "on day 1 of the month at 02:00 in January"),
        ("0 9 1,15 * mon", "on day 1 and 15 of every month and every Monday at 09:00"),
        ("*/10 8-18 * * 1-5", "Monday to Friday every 10 minutes in the hours 08 to 18"),
    ],
)
def test_a_schedule_is_said_in_plain_words(cron: str, words: str) -> None:
    assert describe(cron) == words


@pytest.mark.parametrize("number", range(8))
def test_weekdays_are_counted_from_sunday_as_cron_does(number: int) -> None:
    names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    assert f"{next_runs(f'0 2 * * {number}', 1, BERLIN, SATURDAY)[0]:%A}" == names[number]


def test_next_runs_are_local_times_with_their_zone() -> None:
    runs = next_runs("0 2 * * *", 3, "Europe/Berlin", datetime(2026, 11, 21, 2, 27, tzinfo=UTC))
    assert [f"{run:%a %d %H:%M %Z}" for run in runs] == ["Sun 22 02:00 CET", "Mon 23 02:00 CET", "Tue 24 02:00 CET"]


def test_a_run_that_is_due_now_is_counted_and_not_twice() -> None:
    due = datetime(2026, 11, 22, 2, 0, tzinfo=BERLIN)
    assert next_runs("0 2 * * *", 2, BERLIN, due) == [due, due + timedelta(days=1)]


def test_an_hour_that_does_not_exist_is_shown_as_the_one_people_see() -> None:
    runs = next_runs("30 2 * * *", 2, BERLIN, datetime(2027, 3, 27, 12, tzinfo=UTC))
    assert [f"{run:%d %H:%M %Z}" for run in runs] == ["28 03:30 CEST", "29 02:30 CEST"]


def test_day_and_weekday_together_mean_either_as_in_cron() -> None:
    runs = next_runs("0 9 1 * mon", 3, BERLIN, SATURDAY)
    assert [f"{run:%a %d.%m.}" for run in runs] == ["Mon 23.11.", "Mon 30.11.", "Tue 01.12."]


@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("", "it needs five parts"),
        ("0 2 * *", "it needs five parts"),
        ("every night", "it needs five parts"),
        ("60 * * * *", '"60" is no minute'),
        ("0 24 * * *", '"24" is no hour'),
        ("0 2 0 * *", '"0" is no day of the month'),
        ("0 2 * 13 *", '"13" is no month'),
        ("0 2 * * 8", '"8" is no weekday'),
        ("0 2 * * xyz", '"xyz" is no weekday'),
        ("0 2 * * mo", '"mo" is no weekday'),
        ("*/0 * * * *", r'"\*/0" is no minute'),
        ("5-1 * * * *", '"5-1" is no minute'),
        ("-1 * * * *", '"-1" is no minute'),
        ("1,,2 * * * *", '"" is no minute'),
        ("٣ * * * *", '"٣" is no minute'),
        ("0 2 30 2 *", "never comes: no such month has a day 30"),
        ("0 2 31 4,6 *", "never comes"),
    ],
)
def test_what_is_no_schedule_is_refused_in_one_sentence(cron: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        parse(cron)
    assert "\n" not in str(caught.value)


def test_a_leap_day_is_a_schedule() -> None:
    assert [run.year for run in next_runs("0 0 29 2 *", 2, BERLIN, SATURDAY)] == [2028, 2032]


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValidationError, match='no time zone "Mars/Olympus"'):
        next_runs("0 2 * * *", 1, "Mars/Olympus")


numbers = st.integers


@given(
    minute=numbers(0, 59), hour=numbers(0, 23), day=numbers(1, 28), month=numbers(1, 12), weekday=numbers(0, 7)
)  # fmt: skip
def test_next_runs_agree_with_the_expression(minute: int, hour: int, day: int, month: int, weekday: int) -> None:
    zone = UTC
    for cron, holds in {
        f"{minute} {hour} {day} {month} *": lambda run: (run.day, run.month) == (day, month),
        f"{minute} {hour} * * {weekday}": lambda run: run.isoweekday() % 7 == weekday % 7,
    }.items():
        runs = next_runs(cron, 3, zone, SATURDAY)
        assert runs == sorted(set(runs))
        assert all((run.minute, run.hour) == (minute, hour) and holds(run) for run in runs)
        assert describe(cron)

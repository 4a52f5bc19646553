"""Time expressions."""

from __future__ import annotations

from datetime import date

import pytest

from integrator_magics.agent.guided.windows import find_window

TODAY = date(2026, 11, 21)  # a Saturday

SENTENCES = [
    ("leads of the last 30 days", "days_ago(30)", None),
    ("only the leads of the last 30 days", "days_ago(30)", None),
    ("the last 2 weeks", "days_ago(14)", None),
    ("in the past three months", "days_ago(90)", None),
    ("within the last year", 'start_of("year", 1)', 'start_of("year")'),
    ("the past year", "days_ago(365)", None),
    ("last 12 months", "days_ago(360)", None),
    ("the last 24 hours", "days_ago(1)", None),
    ("the last 6 hours", "now() - timedelta(hours=6)", None),
    ("the last couple of weeks", "days_ago(14)", None),
    ("the last half year", "days_ago(182)", None),
    ("last week", 'start_of("week", 1)', 'start_of("week")'),
    ("last month", 'start_of("month", 1)', 'start_of("month")'),
    ("previous quarter", 'start_of("quarter", 1)', 'start_of("quarter")'),
    ("last year", 'start_of("year", 1)', 'start_of("year")'),
    ("this year", 'start_of("year")', None),
    ("so far this month", 'start_of("month")', None),
    ("since the beginning of the quarter", 'start_of("quarter")', None),
    ("year to date", 'start_of("year")', None),
    ("today", 'start_of("day")', None),
    ("yesterday", 'start_of("day", 1)', 'start_of("day")'),
    ("since yesterday", 'start_of("day", 1)', None),
    ("since 1 March", "2026-03-01", None),
    ("since March 1st 2026", "2026-03-01", None),
    ("since 1st of March, 2025", "2025-03-01", None),
    ("since the 3rd of May", "2026-05-03", None),
    ("since 24 December", "2025-12-24", None),
    ("since March", "2026-03-01", None),
    ("since 2024", "2024-01-01", None),
    ("since Monday", "2026-11-16", None),
    ("since last Saturday", "2026-11-14", None),
    ("from 2026-01-01", "2026-01-01", None),
    ("from 1.2.2026", "2026-02-01", None),
    ("starting from 15 June", "2026-06-15", None),
    ("after 30 June", "2026-07-01", None),
    ("before 2026", None, "2026-01-01"),
    ("until 1 June", None, "2026-06-02"),
    ("up to the end of time", None, None),
    ("between 1 March and 15 April", "2026-03-01", "2026-04-16"),
    ("between March 1 and April 15, 2025", "2025-03-01", "2025-04-16"),
    ("from 1 May to 31 May", "2026-05-01", "2026-06-01"),
    ("between 3 and 17 May 2026", "2026-05-03", "2026-05-18"),
    ("2026-01-01 to 2026-03-31", "2026-01-01", "2026-04-01"),
    ("in Q3 2026", "2026-07-01", "2026-10-01"),
    ("Q4", "2026-10-01", "2027-01-01"),
    ("in the second quarter of 2025", "2025-04-01", "2025-07-01"),
    ("in March", "2026-03-01", "2026-04-01"),
    ("in December", "2025-12-01", "2026-01-01"),
    ("in December 2026", "2026-12-01", "2027-01-01"),
    ("in 2025", "2025-01-01", "2026-01-01"),
    ("on 3 March 2026", "2026-03-03", "2026-03-04"),
    ("older than a year", None, "days_ago(365)"),
    ("more than 90 days old", None, "days_ago(90)"),
    ("older than 2 weeks", None, "days_ago(14)"),
    ("not older than 6 months", "days_ago(180)", None),
    ("younger than 30 days", "days_ago(30)", None),
    ("since 10 days ago", "days_ago(10)", None),
    ("from 2026-02-30", None, None),
    ("top 10 opportunities by amount", None, None),
    ("leads may be doubled", None, None),
    ("orders over 2000", None, None),
    ("every day at 7", None, None),
]


@pytest.mark.parametrize(("text", "start", "end"), SENTENCES, ids=[entry[0] for entry in SENTENCES])
def test_a_window_is_found_with_both_bounds(text: str, start: str | None, end: str | None) -> None:
    window = find_window(text, TODAY)
    assert (window.short() if window else (None, None)) == (start, end)


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("leads created in the last 7 days", "created"),
        ("leads that were modified this week", "modified"),
        ("deals closed last quarter", "closed"),
        ("people who signed up in May", "signed up"),
        ("parcels shipped since Monday", "shipped"),
        ("leads of this week", ""),
    ],
)
def test_the_verb_before_a_window_says_which_time_is_meant(text: str, verb: str) -> None:
    window = find_window(text, TODAY)
    assert window is not None
    assert window.verb == verb


def test_bounds_are_code_that_fits_the_type_of_the_field() -> None:
    window = find_window("since 1 March", TODAY)
    assert window is not None and window.start is not None
    assert window.start.code("datetime") == "datetime(2026, 3, 1, tzinfo=UTC)"
    assert window.start.code("date") == "date(2026, 3, 1)"
    rolling = find_window("last 30 days", TODAY)
    assert rolling is not None and rolling.start is not None
    assert rolling.start.code("date") == "days_ago(30).date()"
    assert rolling.start.on(TODAY) == date(2026, 10, 22)

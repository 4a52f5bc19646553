"""English about when to run."""

from __future__ import annotations

import pytest

from integrator_magics.agent.guided.schedules import find_schedule

SENTENCES = [
    ("Perfect! But I want this to run every night.", "0 2 * * *"),
    ("run this nightly", "0 2 * * *"),
    ("every night at 11pm", "0 23 * * *"),
    ("every night at 3", "0 3 * * *"),
    ("every night at midnight", "0 0 * * *"),
    ("every day at 7", "0 7 * * *"),
    ("daily at 7:45", "45 7 * * *"),
    ("once a day at 6pm", "0 18 * * *"),
    ("every morning", "0 7 * * *"),
    ("every morning at 6", "0 6 * * *"),
    ("every evening at 8", "0 20 * * *"),
    ("every day at noon", "0 12 * * *"),
    ("every day at half past six", "30 6 * * *"),
    ("every day at quarter to nine", "45 8 * * *"),
    ("every day at 12am", "0 0 * * *"),
    ("every day at 9 o'clock in the evening", "0 21 * * *"),
    ("hourly", "0 * * * *"),
    ("every hour", "0 * * * *"),
    ("every 15 minutes", "*/15 * * * *"),
    ("every five minutes", "*/5 * * * *"),
    ("every half hour", "*/30 * * * *"),
    ("every 2 hours", "0 */2 * * *"),
    ("every other day", "0 2 */2 * *"),
    ("every three days", "0 2 */3 * *"),
    ("twice a day", "0 2,14 * * *"),
    ("twice daily at 8", "0 8,20 * * *"),
    ("every Monday at 9am", "0 9 * * 1"),
    ("on Mondays at 9:30", "30 9 * * 1"),
    ("Mondays and Thursdays at 6pm", "0 18 * * 1,4"),
    ("every Tue, Thu and Sat at 5", "0 5 * * 2,4,6"),
    ("every Sunday", "0 2 * * 0"),
    ("weekdays at 6:30", "30 6 * * 1-5"),
    ("every workday at 8", "0 8 * * 1-5"),
    ("Monday to Friday at 7am", "0 7 * * 1-5"),
    ("at weekends? no: every weekend at 10", "0 10 * * 0,6"),
    ("weekly", "0 2 * * 1"),
    ("every week on Wednesday at 4pm", "0 16 * * 3"),
    ("monthly", "0 2 1 * *"),
    ("on the first of the month", "0 2 1 * *"),
    ("on the 15th of every month at 8", "0 8 15 * *"),
    ("every quarter", "0 2 1 1,4,7,10 *"),
    ("once a year", "0 2 1 1 *"),
    ("stop the schedule", None),
    ("remove the schedule please", None),
    ("don't run it every night any more", None),
    ("no schedule, only by hand", None),
]


@pytest.mark.parametrize(("text", "cron"), SENTENCES, ids=[entry[0] for entry in SENTENCES])
def test_a_schedule_becomes_a_cron_line(text: str, cron: str | None) -> None:
    schedule = find_schedule(text)
    assert schedule is not None
    assert schedule.cron == cron


@pytest.mark.parametrize(
    "text",
    [
        "Sync leads from Salesforce to PostgreSQL: name, email",
        "leads of the last 7 days",
        "also add the phone number",
        "how many leads per day of the week",
        "leads created on Monday",
    ],
)
def test_other_sentences_say_nothing_about_a_schedule(text: str) -> None:
    assert find_schedule(text) is None


@pytest.mark.parametrize("text", ["every 7 minutes", "every 5 hours", "on the last day of every month"])
def test_what_cron_cannot_say_is_told(text: str) -> None:
    schedule = find_schedule(text)
    assert schedule is not None
    assert schedule.problem


def test_every_cron_line_is_understood_by_the_scheduler() -> None:
    schedule_module = pytest.importorskip("integrator_drivers.schedule")
    for text, cron in SENTENCES:
        if cron:
            assert schedule_module.next_runs(cron, 1), text

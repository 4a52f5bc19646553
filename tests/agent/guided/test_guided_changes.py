"""Change requests, and answers to questions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from guided_worlds import real

from integrator_magics.agent.guided.answers import read_answer
from integrator_magics.agent.guided.changes import apply, read_changes
from integrator_magics.agent.guided.lexicon import Lexicon
from integrator_magics.agent.guided.request import FileWish, Request
from integrator_magics.agent.guided.schedules import Schedule
from integrator_magics.agent.guided.windows import Window

TODAY = date(2026, 11, 21)
LEXICON = Lexicon.of(entry.facts() for entry in real().values())

SENTENCES: list[tuple[str, list[tuple[str, tuple[Any, ...]]]]] = [
    ("also add the phone number", [("add", ("phone number",))]),
    ("please add phone and company too", [("add", ("phone", "company"))]),
    ("include their title as well", [("add", ("title",))]),
    ("the phone number is missing", [("add", ("phone number",))]),
    ("with the industry, please", [("add", ("industry",))]),
    ("drop the company column", [("drop", ("company",))]),
    ("leave out the email", [("drop", ("email",))]),
    ("leave the email out", [("drop", ("email",))]),
    ("without the phone", [("drop", ("phone",))]),
    ("without a phone", [("filter", ("without a phone",))]),
    ("we don't need the city and the country", [("drop", ("city", "country"))]),
    ("remove email and add phone", [("drop", ("email",)), ("add", ("phone",))]),
    ("only name and email", [("only", ("name", "email"))]),
    ("only the last 7 days", [("window", ("days_ago(7)",))]),
    ("make it the last 90 days", [("window", ("days_ago(90)",))]),
    ("not only the last 30 days, all of them", [("unfilter", ())]),
    ("call the table crm_leads", [("table", ("crm_leads",))]),
    ("write into the table staging.leads", [("table", ("staging.leads",))]),
    ("the table should be called people", [("table", ("people",))]),
    ("rename email to mail", [("rename", ("email", "mail"))]),
    ("rename the column lead source to origin", [("rename", ("lead source", "origin"))]),
    ("run this every night", [("schedule", ("0 2 * * *",))]),
    ("Perfect! But I want this to run every night.", [("schedule", ("0 2 * * *",))]),
    ("stop the schedule", [("schedule", (None,))]),
    ("instead of CSV write JSON", [("format", ("json",)), ("target", ("",))]),
    ("as JSON instead", [("format", ("json",)), ("target", ("",))]),
    ("also as JSON", [("more_files", ("json",))]),
    ("only the first 50", [("limit", (50, "", False))]),
    ("only converted ones", [("filter", ("only converted",))]),
    ("where status is Open", [("filter", ("status is Open",))]),
    ("only leads with an email", [("filter", ("with an email",))]),
    ("match them by email", [("key", ("email",))]),
    ("all fields", [("everything", ())]),
    ("also the phone, and run it every Monday at 9am", [("schedule", ("0 9 * * 1",)), ("add", ("phone",))]),
    ("Perfect, thanks", []),
    ("what?", []),
]


def _plain(value: Any) -> Any:
    if isinstance(value, Window):
        return value.short()[0]
    if isinstance(value, FileWish):
        return value.format
    return value.cron if isinstance(value, Schedule) else value


@pytest.mark.parametrize(("text", "wanted"), SENTENCES, ids=[entry[0] for entry in SENTENCES])
def test_a_change_is_understood(text: str, wanted: list[tuple[str, tuple[Any, ...]]]) -> None:
    found = [(change.op, tuple(map(_plain, change.values))) for change in read_changes(text, LEXICON, TODAY)]
    assert found == wanted


def test_changes_add_up() -> None:
    request = Request(subject="leads", fields=("name",))
    for text in ("also add the phone", "drop the phone", "add city", "call the table x_y", "only the last 7 days"):
        request = apply(request, read_changes(text, LEXICON, TODAY))
    assert request.added == ("city",)
    assert request.table == "x_y"
    assert request.window is not None


@pytest.mark.parametrize(
    ("text", "index", "extra"),
    [
        ("Lead Source", 0, ""),
        ("LeadSource", 0, ""),
        ("lead source please", 0, ""),
        ("the first one", 0, ""),
        ("1", 0, ""),
        ("2", 1, ""),
        ("option 2", 1, ""),
        ("the second", 1, ""),
        ("I mean the campaign", 1, ""),
        ("campaign.", 1, ""),
        ("LeadSource - and only the leads of the last 30 days", 0, "and only the leads of the last 30 days"),
        ("Lead Source, but only converted ones", 0, "only converted ones"),
        ("the first one, and run it every night", 0, "run it every night"),
        ("Campaign; also add the phone", 1, "also add the phone"),
        ("the shoe size", None, ""),
    ],
)
def test_an_answer_is_an_option_and_perhaps_more(text: str, index: int | None, extra: str) -> None:
    answer = read_answer(text, ["Lead Source", "Campaign"])
    assert answer.index == index
    assert answer.extra.removeprefix("and ").removeprefix("but ") == extra.removeprefix("and ")


@pytest.mark.parametrize("text", ["stop", "Stop.", "cancel", "never mind", "forget it"])
def test_stop_stops(text: str) -> None:
    assert read_answer(text, ["Lead Source", "Campaign"]).stop


def test_yes_is_the_first_option_where_that_says_yes() -> None:
    assert read_answer("ok", ["Yes", "No"]).index == 0
    assert read_answer("sure", ["Lead Source", "Campaign"]).index is None

from __future__ import annotations

from dataclasses import replace

from ui_events import DIALOG, PREVIEWED, RAN, TARGET

from integrator_magics import events as e
from integrator_magics.ui.story import Story
from integrator_magics.ui.text import lines, transcript


def test_a_dialog_reads_as_a_report() -> None:
    text = transcript(DIALOG)
    for part in (
        "Integrator  ·  guided mode, no model key  ·  sandbox: embedded (full)",
        "v  Salesforce        practice system, connected",
        "?  Salesforce has two things",
        "     1. Lead Source   one value per lead\n     2. Campaign      a lead can be in several",
        "v  You answered     Lead Source, and only the leads of the last 30 days",
        "     2. never deletes anything",
        "v  Approved by jana, 22 October 2026",
        "source 414 = read 414 = 380 added + 32 updated + 0 unchanged + 2 rejected",
        "audit record 27, log whole",
    ):
        assert part in text


def test_a_step_that_ends_takes_the_place_of_its_beginning() -> None:
    assert transcript(DIALOG).count("Salesforce        ") == 1


def test_the_preview_names_rows_system_and_the_typed_twin() -> None:
    text = "\n".join(lines(PREVIEWED))
    assert "  PostgreSQL public.leads   380       32           0        2    never" in text
    assert "Write 412 rows to PostgreSQL public.leads?" in text
    assert "%approve lead_sync 7K2Q   or   %reject lead_sync REASON" in text
    assert "00Q1   email   ann@old.example   ann@new.example" in text


def test_a_saved_transcript_never_holds_the_code_of_an_approval() -> None:
    assert "7K2Q" not in transcript(DIALOG)


def test_a_script_that_only_reads_asks_whether_it_looks_right() -> None:
    event = replace(
        PREVIEWED, targets=[], writes=False, code="", files=[{"path": "leads.csv", "rows": 412, "bytes": 30400}]
    )
    text = "\n".join(lines(event))
    assert "Does this look right?" in text
    assert "leads.csv  412 rows, 30 kB" in text
    assert "Write" not in text


def test_a_receipt_that_does_not_add_up_says_so() -> None:
    text = "\n".join(lines(replace(RAN, targets=[replace(TARGET, read=410)])))
    assert "source 414 but read 410 but 380 added" in text


def test_several_targets_are_named_one_by_one() -> None:
    other = replace(TARGET, system="salesforce", object="Lead", add=1, update=0)
    text = "\n".join(lines(replace(PREVIEWED, targets=[TARGET, other])))
    assert "Write 413 rows: 412 to PostgreSQL public.leads and 1 to Salesforce Lead?" in text


def test_a_failure_has_three_parts_and_numbered_options() -> None:
    event = e.Failed(
        "It did not answer within 10 s.", "Nothing was read.", "Try again?", [e.Option("Try again"), e.Option("Stop")]
    )
    assert lines(event) == [
        "x  It did not answer within 10 s. Nothing was read. Try again?",
        "     1. Try again",
        "     2. Stop",
        "   Answer with %answer NUMBER.",
    ]


def test_escape_codes_from_outside_do_not_reach_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J"
    events = [
        e.Step("1", hostile, hostile),
        e.Asked(hostile, [e.Option(hostile, hostile)]),
        e.Failed(hostile, detail=hostile),
    ]
    events += [e.Step("2", "t", tables=[e.Table(hostile, [hostile], [{hostile: hostile}], 1)]), e.Said(hostile)]
    assert "\x1b" not in transcript(events) and "\x07" not in transcript(events)


def test_progress_tells_rows_rate_and_the_time_left() -> None:
    assert lines(e.Progress("Running", 206, 412, 1900.0)) == [
        "Running   ###########-----------  206 of 412 rows   1,900 rows/s   under 1 s left"
    ]
    assert lines(e.Progress("Reading", 1000, None)) == ["Reading   1,000 rows"]


def test_the_story_knows_what_waits_for_a_person() -> None:
    story = Story(DIALOG[:5])
    assert isinstance(story.waiting, e.Asked)
    story.add(DIALOG[5])
    assert story.waiting is None
    story.add(PREVIEWED)
    assert story.waiting is PREVIEWED
    story.add(RAN)
    assert story.waiting is None


def test_streamed_words_replace_each_other_until_they_are_whole() -> None:
    story = Story([e.Said("a", True), e.Said("a b", True), e.Said("a b c"), e.Said("next")])
    assert story.entries == [e.Said("a b c"), e.Said("next")]

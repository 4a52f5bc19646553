"""What a business user means: verbs beside a time, places, one field after "with", figures per period."""

from __future__ import annotations

import pytest
from guided_player import Player
from guided_worlds import invented, play, real


def lines(player: Player) -> str:
    """The explanation as one text."""
    return " ".join(player.latest["explanation"])


def test_a_daily_sync_is_no_field() -> None:
    player = play("daily sync of leads from salesforce into postgres at 6:30 on weekdays, name and email")
    assert '{"Id": "salesforce_id", "Name": "name", "Email": "email"}' in player.code
    assert 'SCHEDULE = "30 6 * * 1-5"' in player.code


@pytest.mark.parametrize("text", ["a weekly export of guests from Foodtruck to csv", "full copy of guests to csv"])
def test_what_is_to_be_done_is_no_field(text: str) -> None:
    player = play(text, systems=invented())
    assert not player.question
    assert '"fullName"' in player.code or '"mail"' in player.code


def test_a_verb_beside_the_time_chooses_the_date_and_no_field() -> None:
    player = play("opportunities closing in Q3 2026 from Salesforce to csv")
    assert '("CloseDate", ">=", date(2026, 7, 1))' in player.code
    assert "IsClosed" not in player.code
    assert '"Amount"' in player.code


def test_won_in_a_quarter_leaves_out_what_was_lost() -> None:
    player = play("opportunities won in Q3 2026 from Salesforce to csv")
    assert '("CloseDate", "<", date(2026, 10, 1))' in player.code
    assert '("IsWon", "=", True)' in player.code
    assert "where Won is true" in lines(player)


def test_a_table_in_our_database_is_the_target_and_the_other_system_the_source() -> None:
    player = play("leads from Germany to a table german_leads in our DB")
    assert "SalesforceClient" in player.code
    assert 'Target(postgresql, "public.german_leads")' in player.code
    assert '("Country", "=", "Germany")' in player.code


def test_a_table_of_that_very_name_counts_where_another_system_only_calls_it_so() -> None:
    player = play("customers to csv")
    assert player.labels[:2] == ["PostgreSQL", "Salesforce"] or player.labels[:2] == ["Salesforce", "PostgreSQL"]


def test_the_last_words_hold_in_a_terminal_too() -> None:
    final = play("Sync leads from Salesforce to PostgreSQL: name").final
    assert final == (
        "The script `lead_sync` is ready. Run its cell (or `%integration lead_sync`) to see a preview. "
        "Nothing is written before you approve."
    )


def test_choices_of_a_question_say_how_full_they_are() -> None:
    player = Player(real())
    player.filled = {"LeadSource": 0.93}
    player.say("Sync leads from Salesforce to PostgreSQL: name, how they got to us")
    assert player.options[0]["hint"].endswith("filled in for 93 % of 20 looked at")
    assert "filled" not in player.options[1]["hint"]


def test_nothing_is_sampled_where_nothing_is_asked() -> None:
    player = play("Sync leads from Salesforce to PostgreSQL: name, lead source")
    assert "sample" not in [tool for tool, _ in player.calls]


def test_groups_without_a_value_come_last_under_a_name() -> None:
    player = play("Which campaign has the most leads?")
    assert '"(none)" if value is None else value' in player.code
    assert "(entry[0][1] is None, -entry[1])" in player.code
    assert "leads in several campaigns count once in each" in lines(player)


def test_one_field_after_with_comes_beside_the_usual_ones() -> None:
    player = play("Contacts created since March 1st 2026 with phone to contacts.csv")
    assert all(f'"{name}"' in player.code for name in ("Id", "Name", "Email", "Phone"))
    assert "Those without phone are kept" in player.final


def test_two_fields_after_with_are_the_list() -> None:
    player = play("Contacts from Salesforce with name and phone to contacts.csv")
    assert 'fields=["Id", "Name", "Phone"]' in player.code


PERIODS = [
    ("average order total per month", 'day.strftime("%Y-%m")', "average of total per month of ordered_at"),
    (
        "total amount of opportunities by close date per quarter",
        "(day.month + 2) // 3",
        "Amount per quarter of CloseDate",
    ),
    ("number of leads per week", 'day.strftime("%G-W%V")', "counts them per week of CreatedDate"),
    ("monthly number of leads", 'day.strftime("%Y-%m")', "counts them per month of CreatedDate"),
    ("how many leads came in each month this year?", 'day.strftime("%Y-%m")', "counts them per month of CreatedDate"),
    ("opportunity amount per year of close date", 'day.strftime("%Y")', "sum of Amount per year of CloseDate"),
]


@pytest.mark.parametrize(("text", "code", "words"), PERIODS, ids=[entry[0] for entry in PERIODS])
def test_figures_per_period(text: str, code: str, words: str) -> None:
    player = play(text)
    assert not player.question
    assert code in player.code
    assert words in lines(player)
    assert "SCHEDULE = None" in player.code


def test_a_period_without_a_date_is_refused_with_what_is_possible() -> None:
    player = play("how many ratings per month?", systems=invented())
    assert "no field with a date" in player.final
    assert not player.scripts


def test_a_schedule_stays_one_where_records_are_copied() -> None:
    player = play("copy orders with total over 100 from postgres to orders.csv every day")
    assert 'SCHEDULE = "0 2 * * *"' in player.code


SILENT = [
    ("deals over 50k from Salesforce to csv", '("Amount", ">", 50000)'),
    ("leads from France and Spain from Salesforce to json", '("Country", "in", ["France", "Spain"])'),
    ("opportunities closing this quarter from Salesforce to csv", '("CloseDate", "<", start_of("quarter", -1).date())'),
    ("opportunities closing next month from Salesforce to csv", '("CloseDate", ">=", start_of("month", -1).date())'),
    ("unconverted leads older than 90 days from Salesforce to csv", '("CreatedDate", "<", days_ago(90))'),
    ("opportunities with a close date in March 2026 from Salesforce to csv", '("CloseDate", ">=", date(2026, 3, 1))'),
    ("won opportunities this year from Salesforce to csv", '("CloseDate", ">=", start_of("year").date())'),
    ("leads from Salesforce to csv, name email and company", 'fields=["Id", "Name", "Email", "Company"]'),
    ("opportunties over 50k expected to close in 2026 from salesforce to csv", '("CloseDate", ">=", date(2026, 1, 1))'),
]


@pytest.mark.parametrize(("text", "code"), SILENT, ids=[entry[0] for entry in SILENT])
def test_nothing_is_read_otherwise_in_silence(text: str, code: str) -> None:
    player = play(text)
    assert not player.question
    assert code in player.code


@pytest.mark.parametrize(
    "text",
    [
        "opportunities with shoe size below 10 from Salesforce to csv",
        "campaign members of the Spring Newsletter from Salesforce to csv",
    ],
)
def test_a_restriction_that_fits_no_field_is_asked_about(text: str) -> None:
    assert "could not match" in play(text).question


def test_a_word_that_was_read_as_another_is_said() -> None:
    assert 'I read "contatcs" as contacts.' in play("contatcs from Salesforce to csv").final


def test_json_instead_replaces_the_target() -> None:
    player = play(
        "Sync leads from Salesforce to PostgreSQL: name, email", "no, JSON instead", "and the company too pls"
    )
    assert player.latest["name"] == "leads_to_json"
    assert 'fields=["Id", "Name", "Email", "Company"]' in player.code

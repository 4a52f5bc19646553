"""Whole dialogs: what is asked, called, written and said."""

from __future__ import annotations

import difflib

import pytest
from guided_player import Player
from guided_worlds import invented, play, real

PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us"
ANSWER = "LeadSource - and only the leads of the last 30 days"
MAIN = """\
def main() -> None:
    with SalesforceClient() as salesforce, PostgresClient() as postgresql:
        sync(
            source=Source(
                salesforce,
                "Lead",
                {"Id": "salesforce_id", "Name": "name", "Email": "email", "LeadSource": "lead_source"},
                where=[("CreatedDate", ">=", days_ago(30))],
            ),
            target=Target(postgresql, "public.leads"),
            key="salesforce_id",
        )
"""


def tools(player: Player) -> list[str]:
    """Names of the tools called, in order."""
    return [tool for tool, _ in player.calls]


def test_the_main_conversation_asks_once_and_writes_the_sync() -> None:
    player = play(PROMPT)
    assert player.labels == ["Lead Source", "Campaign"]
    assert "how they got to us" in player.question
    player.say(ANSWER)
    assert player.latest["name"] == "lead_sync"
    assert MAIN in player.code
    assert "\nSCHEDULE = None\n" in player.code
    assert player.final.endswith(
        "Run its cell (or `%integration lead_sync`) to see a preview. Nothing is written before you approve."
    )
    assert "412 now" in player.latest["explanation"][0]
    assert player.latest["explanation"][-1] == "never deletes anything."
    assert "run_script" not in tools(player)


def test_both_drivers_are_loaded_at_once_before_anything_is_asked() -> None:
    player = play(PROMPT)
    calls = [part for message in player.messages for part in message.parts if getattr(part, "tool_name", "")]
    loads = [part for part in calls if part.tool_name == "load_driver" and part.part_kind == "tool-call"]
    assert [part.args_as_dict()["name"] for part in loads] == ["salesforce", "postgresql"]
    together = [message for message in player.messages if all(part in message.parts for part in loads)]
    assert len(together) == 1


def test_a_schedule_changes_exactly_one_line() -> None:
    player = play(PROMPT, ANSWER)
    before = player.code
    player.say("Perfect! But I want this to run every night.")
    changed = [line for line in difflib.ndiff(before.splitlines(), player.code.splitlines()) if line[0] in "+-"]
    assert changed == ["- SCHEDULE = None", '+ SCHEDULE = "0 2 * * *"']
    assert player.latest["version"] == 2
    assert "One line changed" in player.final


def test_a_schedule_keeps_what_the_user_edited() -> None:
    player = play(PROMPT, ANSWER)
    player.scripts["lead_sync"][-1]["code"] = player.code.replace("days_ago(30)", "days_ago(31)")
    player.say("run this every Monday at 9am")
    assert "days_ago(31)" in player.code
    assert 'SCHEDULE = "0 9 * * 1"' in player.code


@pytest.mark.parametrize("answer", ["Lead Source", "1", "the first one", "LeadSource", "lead source please"])
def test_an_option_can_be_named_in_many_ways(answer: str) -> None:
    assert '"LeadSource": "lead_source"' in play(PROMPT, answer).code


def test_a_campaign_becomes_one_column_of_joined_names() -> None:
    player = play(PROMPT, "Campaign")
    assert '"; ".join(' in player.code
    assert '"campaigns": "campaigns"' in player.code
    assert any("separated by semicolons" in line for line in player.latest["explanation"])


def test_an_answer_may_name_another_field() -> None:
    assert '"Company": "company"' in play(PROMPT, "the company").code


def test_stop_ends_the_dialog_and_the_next_prompt_starts_afresh() -> None:
    player = play(PROMPT, "stop")
    assert player.final.startswith("Stopped. Nothing was written")
    assert not player.scripts
    player.say("Export contacts from Salesforce to contacts.csv: name, email")
    assert player.latest["name"] == "contacts_to_csv"


def test_an_answer_that_is_another_request_is_taken_as_one() -> None:
    player = play(PROMPT, "Copy accounts from Salesforce to PostgreSQL: name")
    assert player.latest["name"] == "account_sync"


def test_changes_add_up_in_one_script() -> None:
    player = play(
        "Sync leads from Salesforce to PostgreSQL: name, email",
        "also add the phone number",
        "drop the email",
        "only the last 7 days",
        "rename name to full_name",
        "call the table crm_leads",
    )
    assert list(player.scripts) == ["lead_sync"]
    assert player.latest["version"] == 6
    assert '{"Id": "salesforce_id", "Name": "full_name", "Phone": "phone"}' in player.code
    assert "days_ago(7)" in player.code
    assert 'Target(postgresql, "public.crm_leads")' in player.code


def test_a_second_request_starts_a_second_script() -> None:
    player = play("Sync leads from Salesforce to PostgreSQL: name", "Now sync contacts too: name, email")
    assert list(player.scripts) == ["lead_sync", "contact_sync"]


@pytest.mark.parametrize(
    "text", ["delete all leads older than a year", "remove all contacts without an email", "purge old leads"]
)
def test_deletes_are_refused_with_what_can_be_done_instead(text: str) -> None:
    player = play(text)
    assert player.final.startswith("This product never deletes records. I can write a report of what would be deleted")
    assert not player.scripts


def test_the_report_instead_of_a_delete_is_written() -> None:
    player = play("delete all leads older than a year", "ok, write those to a CSV file")
    assert 'where=[("CreatedDate", "<", days_ago(365))]' in player.code
    assert 'leads.to_csv("leads.csv")' in player.code


def test_help_says_what_the_guided_mode_can_and_cannot_do() -> None:
    final = play("what can you do?").final
    assert "I am the guided mode" in final
    assert "I can't: delete records" in final
    assert "Salesforce and PostgreSQL" in final


def test_another_language_is_answered_with_english_only() -> None:
    assert "English only" in play("Bitte kopiere alle Leads von Salesforce nach PostgreSQL").final


def test_what_is_not_understood_is_said_so() -> None:
    assert play("the weather is nice").final.startswith("I did not understand that.")
    player = play("Sync leads from Salesforce to PostgreSQL: name", "the weather is nice")
    assert "as a change of `lead_sync`" in player.final
    assert len(player.scripts["lead_sync"]) == 1


def test_an_unknown_system_is_named_with_what_there_is() -> None:
    player = play("Sync leads from Mailchimp to PostgreSQL: name")
    assert 'There is no driver for "Mailchimp"' in player.question
    player.say("Salesforce")
    assert 'Source(\n                salesforce,\n                "Lead"' in player.code


def test_a_typing_error_in_a_system_is_forgiven() -> None:
    assert play("Sync leads from salesfroce to PostgreSQL: name").latest["name"] == "lead_sync"


def test_an_unknown_object_is_asked_for() -> None:
    player = play("Sync wombats from Salesforce to PostgreSQL")
    assert 'no object called "wombats"' in player.question
    assert "Lead" in player.labels


def test_an_unknown_field_is_asked_for_and_can_be_left_out() -> None:
    player = play("Sync leads from Salesforce to PostgreSQL: name, shoe size")
    assert 'no field called "shoe size"' in player.question
    assert player.labels[-1] == "Leave it out"
    player.say("Leave it out")
    assert '{"Id": "salesforce_id", "Name": "name"}' in player.code.replace("\n", "") or "Name" in player.code


def test_a_missing_target_is_asked_for() -> None:
    player = play("Sync leads from Salesforce: name, email")
    assert player.question == "Where shall the leads go?"
    player.say("CSV file")
    assert 'leads.to_csv("leads.csv")' in player.code


def test_a_condition_that_fits_nothing_is_asked_about() -> None:
    player = play("Export purple leads from Salesforce to CSV: name")
    assert "purple" in player.question
    player.say("Take all leads")
    assert "where" not in player.code


def test_excel_is_said_to_be_beyond_it() -> None:
    player = play("Export leads from Salesforce to an Excel file: name")
    assert "can't write Excel files" in player.question
    player.say("CSV")
    assert "to_csv" in player.code


def test_a_system_that_is_not_connected_is_said_before_anything_is_read() -> None:
    systems = real()
    systems["postgresql"].connected = False
    player = play("Sync leads from Salesforce to PostgreSQL: name", systems=systems)
    assert player.question.startswith("PostgreSQL needs PGHOST, PGDATABASE, PGUSER and PGPASSWORD in .env.")
    assert "`%connect postgresql`" in player.question
    assert "get_fields" not in tools(player)
    systems["postgresql"].connected = True
    player.say("Try again")
    assert player.latest["name"] == "lead_sync"


FAILURE = {
    "type": "ConnectionError",
    "message": "I couldn't connect to Salesforce: it did not answer within 10 s.",
    "next": "Check SALESFORCE_DOMAIN in .env.",
}


def failing(tool: str, times: int) -> Player:
    """A dialog in which a tool fails some times for Salesforce."""
    player = Player(real(), failures={(tool, "salesforce"): [dict(FAILURE) for _ in range(times)]})
    return player.say("Sync leads from Salesforce to PostgreSQL: name")


@pytest.mark.parametrize("tool", ["list_objects", "get_fields"])
def test_a_failed_discovery_is_never_repeated_by_itself(tool: str) -> None:
    player = failing(tool, 5)
    assert tools(player).count(tool) == 2 - (tool == "get_fields" and 0)
    assert player.labels == ["Try again", "Go on from the standard schema", "Stop"]
    assert player.question.startswith("I couldn't connect to Salesforce")
    assert "Nothing was read." in player.question
    assert "SALESFORCE_DOMAIN" in player.question
    before = tools(player).count(tool)
    player.say("Try again")
    assert tools(player).count(tool) == before + 1
    assert player.labels[0] == "Try again"


@pytest.mark.parametrize("tool", ["list_objects", "get_fields"])
def test_after_a_failure_it_goes_on_when_the_user_says_so(tool: str) -> None:
    player = failing(tool, 1)
    player.say("Try again")
    assert player.latest["name"] == "lead_sync"


def test_after_a_failure_stop_stops() -> None:
    player = failing("get_fields", 1)
    player.say("Stop")
    assert player.final.startswith("Stopped.")


def test_a_script_of_an_earlier_dialog_gets_a_schedule_by_one_line() -> None:
    first = play(PROMPT, ANSWER)
    player = Player(real(), scripts=first.scripts)
    player.say("run this every night")
    assert player.code == first.scripts["lead_sync"][0]["code"].replace("SCHEDULE = None", 'SCHEDULE = "0 2 * * *"')


def test_a_script_of_an_earlier_dialog_can_be_changed() -> None:
    first = play(PROMPT, ANSWER)
    before = first.code
    player = Player(real(), scripts=first.scripts)
    player.say("also add the phone number")
    assert list(player.scripts) == ["lead_sync"]
    changed = [line for line in difflib.ndiff(before.splitlines(), player.code.splitlines()) if line[0] in "+-"]
    assert any('"Phone": "phone"' in line for line in changed)
    assert "days_ago(30)" in player.code


def test_without_a_script_a_change_has_nothing_to_change() -> None:
    assert "no script in this notebook" in play("run this every night").final


def test_the_same_wish_twice_changes_nothing() -> None:
    player = play("Sync leads from Salesforce to PostgreSQL: name", "only name")
    assert "changes nothing" in player.final
    assert len(player.scripts["lead_sync"]) == 1


def test_systems_that_do_not_exist_work_the_same() -> None:
    player = play(
        "Sync guests from Foodtruck to Ledger: name, email, how hungry they are",
        "Appetite level, but only VIP guests",
        systems=invented(),
    )
    assert "from foodtruck_driver import FoodtruckClient" in player.code
    assert '"mail": "email_address"' in player.code
    assert '"appetiteLevel": "appetite_level"' in player.code
    assert 'where=[("isVip", "=", True)]' in player.code
    assert 'Target(ledger, "books.guests")' in player.code


def test_records_go_to_a_system_that_is_no_database_with_a_key_asked_for() -> None:
    player = play("Send Foodtruck guests to Pigeon Mail subscribers: email, city", systems=invented())
    assert "recognise" in player.question
    player.say("E-mail address")
    assert '{"mail": "address", "city": "city"}' in player.code.replace("\n", "") or '"mail": "address"' in player.code
    assert 'key="address"' in player.code


def test_a_question_is_answered_by_a_table() -> None:
    player = play("which truck has the most bookings this year?", systems=invented())
    assert 'Counter((row["Truck.key"], row["Truck.name"]) for row in bookings)' in player.code
    assert "-entry[1]" in player.code


def test_the_user_is_never_spoken_to_with_exclamation_marks() -> None:
    player = play(PROMPT, ANSWER, "run this every night", "what can you do?")
    assert not any("!" in words for words in player.words)


def test_a_question_left_open_by_a_new_prompt_is_dropped() -> None:
    player = play(PROMPT)
    from pydantic_ai.messages import ModelRequest, ToolReturnPart

    closed = ToolReturnPart("ask_user", "Cancelled by the user.", tool_call_id=player._waiting)
    player.messages.append(ModelRequest(parts=[closed]))
    player._waiting = ""
    player.say("Export contacts from Salesforce to contacts.csv: name")
    assert list(player.scripts) == ["contacts_to_csv"]

"""Discovery that fails is asked about, never repeated by itself; the practice system counts what reaches it."""

from __future__ import annotations

import pytest
from agent_desk import SYNC, Control, Desk
from stand_ins.anthropic_messages import say, use, use_all

from integrator_magics.events import Step, Wrote

LEAD = {"system": "salesforce", "object": "Lead"}
WAYS = [{"label": "Try again"}, {"label": "Go on from the standard schema"}, {"label": "Stop"}]
QUERY = """
from integrator_drivers import show
from salesforce_driver import SalesforceClient

with SalesforceClient() as salesforce:
    show(salesforce.query("{}"), name="leads")
"""


@pytest.fixture
def down(control: Control) -> Control:
    """A Salesforce that hangs up on everybody."""
    control.fault(fault="drop", times=1000)
    return control


def ask() -> object:
    return use("ask_user", question="I couldn't connect to Salesforce. How shall I go on?", options=WAYS)


def test_the_same_call_is_not_made_again_before_the_user_answers(desk: Desk, down: Control) -> None:
    desk.server.add(*[use("get_fields", **LEAD)] * 4, ask())  # type: ignore[arg-type]
    assert desk.say("Sync leads").question.startswith("I couldn't connect")
    assert desk.runner.asked == [("salesforce", "get_fields", "Lead")]
    reached = len(down.requests())
    assert reached > 0
    first, *others = [entry.results[0] for entry in desk.server.asked[1:]]
    assert first.startswith("Failed (ConnectionError)")
    assert "Ask the user" in first
    assert all(entry.startswith("No call was made") for entry in others)
    assert [step.state for step in desk.heard(Step)] == ["running", "failed"]
    assert len(down.requests()) == reached


def test_no_other_question_goes_to_a_system_that_is_down(desk: Desk, down: Control) -> None:
    desk.server.add(
        use_all(
            ("get_fields", LEAD),
            ("get_fields", {"system": "salesforce", "object": "Account"}),
            ("list_objects", {"system": "SFDC"}),
            ("sample", LEAD),
            ("get_fields", {"system": "postgresql", "object": "public.leads"}),
        ),
        use("run_discovery", code=QUERY.format("SELECT Id FROM Lead"), purpose="I look at leads."),
        ask(),  # type: ignore[arg-type]
    )
    desk.say("Sync leads")
    assert [entry for entry in desk.runner.asked if entry[0] == "salesforce"] == [("salesforce", "get_fields", "Lead")]
    assert ("postgresql", "get_fields", "public.leads") in desk.runner.asked
    assert not any(entry[0] == "run" for entry in desk.runner.asked)


def test_try_again_makes_the_call_once_more(desk: Desk, down: Control) -> None:
    desk.server.add(use("get_fields", **LEAD), ask())  # type: ignore[arg-type]
    desk.say("Sync leads")
    down.clear()
    desk.server.add(use("get_fields", **LEAD), say("There it is."))
    desk.answer("Try again")
    assert "Lead in salesforce: " in desk.result()
    assert "not verified" not in desk.result()
    assert len(desk.runner.asked) == 2


def test_the_standard_schema_needs_no_call_and_is_marked(desk: Desk, down: Control) -> None:
    desk.server.add(use("get_fields", **LEAD), ask())  # type: ignore[arg-type]
    desk.say("Sync leads")
    reached = len(down.requests())
    desk.server.add(
        use_all(("get_fields", LEAD), ("list_objects", {"system": "salesforce"})),
        use("get_fields", system="salesforce", object="Leed"),
        use_all(
            ("get_fields", {"system": "postgresql", "object": "public.leads"}),
            ("write_script", {"name": "lead_sync", "code": SYNC, "explanation": ["reads leads"]}),
        ),
        say("Written, not verified."),
    )
    desk.answer("Go on from the standard schema")
    fields, objects = desk.server.asked[3].results
    assert "not verified at this system" in fields
    assert "not verified at this system" in objects
    assert "Close matches: Lead" in desk.server.asked[4].results[0]
    assert [entry for entry in desk.runner.asked if entry[0] == "salesforce"] == [("salesforce", "get_fields", "Lead")]
    assert len(down.requests()) == reached
    wrote = desk.heard(Wrote)[0]
    assert "Not verified: Lead in Salesforce: Id, Name, Email, LeadSource, CreatedDate" in wrote.explanation


def test_no_values_are_read_after_the_user_chose_the_standard_schema(desk: Desk, down: Control) -> None:
    desk.server.add(use("get_fields", **LEAD), ask())  # type: ignore[arg-type]
    desk.say("Sync leads")
    reached = len(down.requests())
    discovery = ("run_discovery", {"code": QUERY.format("SELECT Id FROM Lead"), "purpose": "I look at leads."})
    desk.server.add(use_all(("sample", LEAD), discovery), say("Fields only, then."))
    desk.answer("Go on from the standard schema")
    assert all("nothing is read from it" in entry for entry in desk.server.asked[-1].results)
    assert len(down.requests()) == reached


def test_a_script_that_failed_is_not_run_again_unchanged(desk: Desk, control: Control) -> None:
    wrong = SYNC.replace('key="salesforce_id"', 'key="name"').replace('"Name": "name", ', '"Description": "name", ')
    desk.server.add(
        use_all(
            ("get_fields", LEAD),
            ("get_fields", {"system": "postgresql", "object": "public.leads"}),
        ),
        use("write_script", name="lead_sync", code=wrong.replace("days_ago(30)", "days_ago('x')"), explanation=["x"]),
        use("run_script", name="lead_sync"),
        use("run_script", name="lead_sync"),
        say("It fails."),
    )
    desk.say("Sync leads")
    first, again = (entry.results[0] for entry in desk.server.asked[-2:])
    assert first.startswith("Failed (RunFailed)")
    assert again.startswith("No call was made")
    assert desk.runner.asked.count(("run", "preview")) == 1


def test_the_answer_counts_after_a_restart_too(desk: Desk, down: Control) -> None:
    desk.server.add(use("get_fields", **LEAD), ask())  # type: ignore[arg-type]
    desk.say("Sync leads")
    desk.workspace.failures.clear()
    desk.workspace.schemas.clear()
    desk.server.add(use("get_fields", **LEAD), say("From the standard schema."))
    desk.answer("Go on from the standard schema")
    assert "not verified at this system" in desk.result()


def test_a_new_prompt_looks_at_the_live_system_again(desk: Desk, down: Control) -> None:
    desk.server.add(use("get_fields", **LEAD), ask(), say("Fine."))  # type: ignore[arg-type]
    desk.say("Sync leads")
    desk.answer("Go on from the standard schema")
    down.clear()
    desk.server.add(use("get_fields", **LEAD), say("Now live."))
    desk.say("Look again")
    assert "not verified" not in desk.result()


def test_a_wrong_name_may_be_corrected_without_asking(desk: Desk, control: Control) -> None:
    desk.server.add(
        use("get_fields", system="salesforce", object="Leed"), use("get_fields", **LEAD), say("Lead it is.")
    )
    desk.say("Sync leads")
    wrong, right = (entry.results[0] for entry in desk.server.asked[1:])
    assert wrong.startswith("Failed (ObjectNotFoundError)")
    assert "Lead" in wrong
    assert "Ask the user how to go on" not in wrong
    assert right.startswith('<data system="salesforce">\nLead')


def test_malformed_soql_comes_back_in_the_systems_words_and_is_not_sent_twice(desk: Desk, control: Control) -> None:
    bad = QUERY.format("SELECT Id FROM Lead WHERE")
    desk.server.add(
        use("run_discovery", code=bad, purpose="I count leads."),
        use("run_discovery", code=bad, purpose="I count leads again."),
        use("run_discovery", code=QUERY.format("SELECT Id FROM Lead LIMIT 1"), purpose="I count leads."),
        say("One."),
    )
    desk.say("How many leads?")
    first, again, better = (entry.results[0] for entry in desk.server.asked[1:])
    assert first.startswith("Failed (")
    assert "<data system=" in first
    assert again.startswith("No call was made")
    assert "leads: 1 rows" in better
    assert desk.runner.asked == [("run", "discovery")] * 2


def test_discovery_that_would_write_is_refused_and_says_what_to_do(desk: Desk, control: Control) -> None:
    code = """
from salesforce_driver import SalesforceClient

with SalesforceClient() as salesforce:
    salesforce.insert("Lead", [{"LastName": "X"}])
"""
    desk.server.add(use("run_discovery", code=code, purpose="I try something."), say("That belongs in the script."))
    desk.say("Make a lead")
    assert "Discovery only reads." in desk.result()
    assert not [entry for entry in control.requests() if entry["mutation"]]


def test_a_system_that_is_not_connected_is_named_with_what_it_needs(desk: Desk) -> None:
    desk.workspace.credentials.drop_practice("salesforce")
    desk.server.add(use("load_driver", name="salesforce"), use("get_fields", **LEAD), say("It needs an account."))
    desk.say("Sync leads")
    loaded, failed = (entry.results[0] for entry in desk.server.asked[1:])
    assert "not connected: needs SALESFORCE_DOMAIN" in loaded
    assert failed.startswith("Failed (NotConnected)")
    assert "%connect salesforce" in failed


def test_an_outage_that_loading_met_is_not_met_again_by_looking(desk: Desk, down: Control) -> None:
    desk.server.add(use("load_driver", name="salesforce"), use("get_fields", **LEAD), ask())  # type: ignore[arg-type]
    desk.say("Sync leads")
    loaded, looked = (entry.results[0] for entry in desk.server.asked[1:])
    assert "State: loaded, but not connected: " in loaded
    assert looked.startswith("No call was made")
    assert desk.runner.asked == [("salesforce", "check")]
    assert [(step.title, step.state) for step in desk.heard(Step)][-1] == ("Salesforce", "failed")
    down.clear()
    desk.server.add(use("get_fields", **LEAD), say("There it is."))
    desk.answer("Try again")
    assert "Lead in salesforce: " in desk.result()


def test_loading_says_as_whom_we_are_connected(desk: Desk) -> None:
    desk.server.add(use_all(("load_driver", {"name": "postgres"}), ("load_driver", {"name": "SFDC"})), say("Both."))
    desk.say("Sync leads")
    details = {step.title: step.detail for step in desk.heard(Step) if step.state == "done"}
    assert details["PostgreSQL"] == "practice system, database demo, role integrator"
    assert details["Salesforce"] == "practice system, connected"

"""The guided planner with the real tools, where a system does not answer."""

from __future__ import annotations

from agent_desk import Control, Desk

from integrator_magics.agent.models import guided_choice

PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, last 30 days"
WAYS = ["Try again", "Go on from the standard schema", "Stop"]


def labels(desk: Desk) -> list[str]:
    assert desk.turn
    return [option["label"] for option in desk.turn.options]


def salesforce_calls(desk: Desk) -> list[tuple[str, ...]]:
    return [entry for entry in desk.runner.asked if entry[0] in ("salesforce", "run")]


def test_it_asks_once_what_to_do_and_calls_nothing_meanwhile(desk: Desk, control: Control) -> None:
    desk.choice = guided_choice()
    control.fault(fault="drop", times=1000)
    desk.say(PROMPT)
    assert labels(desk) == WAYS
    assert salesforce_calls(desk) == [("salesforce", "check")]
    assert desk.answer("Stop").question == ""
    assert salesforce_calls(desk) == [("salesforce", "check")]


def test_it_goes_on_when_the_system_answers_again(desk: Desk, control: Control) -> None:
    desk.choice = guided_choice()
    control.fault(fault="drop", times=1000)
    desk.say(PROMPT)
    assert labels(desk) == WAYS
    control.clear()
    turn = desk.answer("Try again")
    assert turn.question == "", turn.question
    assert desk.workspace.scripts.names()


def test_it_goes_on_from_the_standard_schema_without_a_call(desk: Desk, control: Control) -> None:
    desk.choice = guided_choice()
    control.fault(fault="drop", times=1000)
    desk.say(PROMPT)
    reached = len(control.requests())
    turn = desk.answer("Go on from the standard schema")
    assert turn.question == "", turn.question
    (name,) = desk.workspace.scripts.names()
    version = desk.workspace.scripts.latest(name)
    assert any("verified" in line.lower() for line in version.explanation)
    assert len(control.requests()) == reached

"""What ends a turn before its time, and that the dialog can be gone on from afterwards."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from agent_desk import SYNC, Desk
from stand_ins.anthropic_messages import Refusal, Reply, overloaded, refused, say, use, use_all

from integrator_magics.agent import Agent, ModelChoice
from integrator_magics.errors import AuditUnavailable, ModelUnavailable
from integrator_magics.events import Said, Step, Usage

BROKEN = SYNC.replace('"LeadSource"', '"Lead_Origin__c"')


def text_of(desk: Desk) -> str:
    """All that the newest request held."""
    return desk.server.asked[-1].raw


def test_the_model_is_asked_25_times_at_most_in_one_turn(desk: Desk) -> None:
    desk.server.add(*[use("find_drivers", text=str(number)) for number in range(40)])
    with pytest.raises(ModelUnavailable, match=r"asked 25 times .* Everything so far is kept") as caught:
        desk.say("go in circles")
    assert len(desk.server.asked) == 25
    assert "guided mode" in caught.value.next
    desk.server.left[:] = [say("Now I am done.")]
    assert desk.say("stop that").state == "done"
    assert len(desk.server.asked[-1].body["messages"]) == 52 - 1 or "stop that" in text_of(desk)


def test_the_ceiling_stops_before_the_next_request(desk: Desk) -> None:
    desk.workspace.settings.ceiling = 0.5
    expensive = {"input_tokens": 100_000, "output_tokens": 1_000}
    desk.server.add(*[Reply(calls=(("find_drivers", {}),), usage=expensive) for _ in range(10)])
    with pytest.raises(ModelUnavailable, match=r"This dialog has used 0\.\d\d USD, its ceiling") as caught:
        desk.say("Sync leads")
    used = desk.heard(Usage)[-1].usd
    assert used is not None
    assert used >= 0.5
    assert len(desk.server.asked) < 6
    assert "--ceiling" in caught.value.next
    with pytest.raises(ModelUnavailable, match="its ceiling"):
        desk.say("Sync leads")
    asked = len(desk.server.asked)
    desk.workspace.settings.ceiling = 50.0
    desk.server.left[:] = [say("Going on.")]
    desk.say("Sync leads")
    assert len(desk.server.asked) == asked + 1
    assert text_of(desk).count("Sync leads") <= 2


def test_after_three_repairs_the_user_is_asked(desk: Desk) -> None:
    write = use("write_script", name="lead_sync", code=BROKEN, explanation=["reads"])
    look = use_all(
        ("get_fields", {"system": "salesforce", "object": "Lead"}),
        ("get_fields", {"system": "postgresql", "object": "public.leads"}),
    )
    desk.server.add(
        look, *[write] * 5, use("run_script", name="lead_sync"), use("ask_user", question="How shall I go on?")
    )
    assert desk.say("Sync leads").question == "How shall I go on?"
    results = [entry.results[0] for entry in desk.server.asked[2:]]
    assert all("has no field 'Lead_Origin__c'" in entry for entry in results[:4])
    assert all("3 repairs did not help" in entry for entry in results[4:6])
    assert ("run", "preview") not in desk.runner.asked
    desk.server.add(use("write_script", name="lead_sync", code=SYNC, explanation=["reads"]), say("Done."))
    desk.answer("Take LeadSource instead")
    assert desk.server.asked[-1].results[0].startswith("Version 1 of lead_sync")


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (refused(), r"Anthropic refused the key\. Everything so far is kept\. Check ANTHROPIC_API_KEY in \.env"),
        (Refusal(403, "permission_error", "not allowed"), r"Anthropic re(fused|quest)"),
        (overloaded(), r"claude-sonnet-5-5 is overloaded\. .* Try again in a minute"),
        (Refusal(500, "api_error", "Internal", {"x-should-retry": "false"}), r"claude-sonnet-5-5 failed"),
        (Refusal(429, "rate_limit_error", "slow", {"x-should-retry": "false"}), r"asks to slow down"),
        (Refusal(400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"), "too long"),
        (Refusal(400, "invalid_request_error", "odd"), r"refused the request \(400\)"),
        (say("It breaks off.", cut_after=4), r"broke off|could not be reached"),
    ],
)
def test_trouble_at_the_models_api_is_one_sentence(desk: Desk, trouble: Any, sentence: str) -> None:
    desk.server.add(trouble)
    with pytest.raises(ModelUnavailable, match=sentence) as caught:
        desk.say("Sync leads")
    assert "guided mode" in str(caught.value) or "--new" in str(caught.value)
    desk.server.add(say("Here I am."))
    desk.say("Sync leads")
    began = isinstance(trouble, Reply)  # words that were shown stay in the dialog, so the prompt comes after them
    assert text_of(desk).count("Sync leads") == 1 + began


def test_a_server_that_is_not_there_is_one_sentence(desk: Desk) -> None:
    gone = ModelChoice("anthropic", "claude-sonnet-5-5", "claude-sonnet-5-5", "key", "http://127.0.0.1:9")
    with pytest.raises(ModelUnavailable, match=r"Anthropic could not be reached\. Everything so far is kept"):
        asyncio.run(Agent(desk.workspace, gone).turn(desk.history, "Sync leads"))


def test_an_answer_is_not_lost_when_the_model_can_not_be_reached(desk: Desk) -> None:
    desk.server.add(use("ask_user", question="Which field?"), overloaded(), say("LeadSource it is."))
    desk.say("Sync leads")
    assert desk.turn
    waiting = desk.turn.call
    with pytest.raises(ModelUnavailable):
        desk.answer("LeadSource")
    turn = asyncio.run(Agent(desk.workspace, desk.choice).turn(desk.history, "LeadSource", call=waiting))
    assert turn.state == "done"
    assert desk.server.asked[-1].results == ["LeadSource"]


def test_a_model_that_is_gone_is_followed_by_its_successor(desk: Desk) -> None:
    desk.server.models[:] = ["claude-sonnet-5-5"]
    desk.choice = ModelChoice(
        "anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5", desk.server.key, desk.server.base_url
    )
    desk.server.add(say("Here."))
    assert desk.say("Sync leads").state == "done"
    assert [entry.body["model"] for entry in desk.server.asked] == ["claude-sonnet-4-5", "claude-sonnet-5-5"]
    assert [step.detail for step in desk.heard(Step)] == [
        "claude-sonnet-4-5 is no longer offered; using its successor claude-sonnet-5-5."
    ]
    assert text_of(desk).count("Sync leads") == 1


def test_a_model_that_never_was_is_named(desk: Desk) -> None:
    desk.choice = ModelChoice("anthropic", "claude-x", "claude-x", desk.server.key, desk.server.base_url)
    with pytest.raises(ModelUnavailable, match=r"Anthropic has no model claude-x\."):
        desk.say("Sync leads")


def cancel_when(desk: Desk, ready: Any, free: threading.Event) -> None:
    """Start a turn, cancel it once `ready(event)` is true; `free` lets what was held go on."""

    async def play() -> None:
        turn = asyncio.create_task(Agent(desk.workspace, desk.choice).turn(desk.history, "Sync leads"))
        seen = asyncio.Event()
        emit = desk.workspace.emit

        def watch(event: Any) -> None:
            emit(event)
            if ready(event):
                loop.call_soon_threadsafe(seen.set)

        loop = asyncio.get_running_loop()
        desk.workspace.emit = watch
        await asyncio.wait_for(seen.wait(), 20)
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        desk.workspace.emit = emit
        free.set()

    asyncio.run(play())


def test_a_cancel_while_words_stream_keeps_the_words_and_the_prompt(desk: Desk) -> None:
    free = threading.Event()
    desk.server.add(Reply("I am looking at the fields of Lead.", (("find_drivers", {}),), hold=free))
    cancel_when(desk, lambda event: isinstance(event, Said), free)
    desk.server.add(say("Good."))
    desk.say("And now the accounts")
    messages = desk.server.asked[-1].body["messages"]
    assert messages[0]["content"][0]["text"] == "Sync leads"
    assert "tool_use" not in desk.server.asked[-1].raw
    assert "And now the accounts" in messages[-1]["content"][-1]["text"]


def test_a_cancelled_tool_call_gets_a_result_that_says_so(desk: Desk) -> None:
    hold = threading.Event()
    call = desk.runner.call

    def slow(system: str, method: str, *args: Any) -> Any:
        hold.wait(20)
        return call(system, method, *args)

    desk.runner.call = slow  # type: ignore[method-assign]
    desk.server.add(
        use_all(("find_drivers", {}), ("get_fields", {"system": "salesforce", "object": "Lead"}), text="I look.")
    )
    cancel_when(desk, lambda event: isinstance(event, Step) and event.state == "running", hold)
    assert [step.state for step in desk.heard(Step)] == ["running", "failed"]
    desk.runner.call = call  # type: ignore[method-assign]
    desk.server.add(say("Good."))
    desk.say("Go on")
    results = [entry for message in desk.server.asked[-1].body["messages"] for entry in message["content"]]
    texts = [str(entry) for entry in results if entry["type"] == "tool_result"]
    assert len(texts) == 2
    assert any("Cancelled by the user." in entry for entry in texts)


def test_when_the_audit_log_is_full_the_turn_ends_and_nothing_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(record: Any) -> int:
        raise AuditUnavailable("The audit log can't be written (disk full), so nothing runs.", "Free some space.")

    monkeypatch.setattr(desk.audit, "append", full)
    desk.server.add(use("load_driver", name="salesforce"), say("Never reached."))
    with pytest.raises(AuditUnavailable, match="nothing runs"):
        desk.say("Sync leads")
    assert len(desk.server.asked) == 1


def test_guided_mode_takes_over_where_the_model_left_off(desk: Desk) -> None:
    desk.server.add(use("load_driver", name="salesforce"), refused())
    with pytest.raises(ModelUnavailable):
        desk.say("Sync leads from Salesforce to PostgreSQL: name, email, last 30 days")
    asked = len(desk.server.asked)
    turn = desk.say("go on in guided mode")
    assert len(desk.server.asked) == asked
    assert turn.question or desk.workspace.scripts.names()
    while turn.question:
        turn = desk.answer(turn.options[0]["label"] if turn.options else "yes")
    assert desk.workspace.scripts.names()
    assert len(desk.server.asked) == asked


def test_a_defect_in_a_tool_is_told_and_does_not_end_the_dialog(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any) -> Any:
        raise KeyError("fields")

    monkeypatch.setattr(desk.runner, "call", broken)
    look = ("get_fields", {"system": "salesforce", "object": "Lead"})
    desk.server.add(use_all(look), say("Something is broken here."))
    assert desk.say("Sync leads").state == "done"
    assert "This step has a defect (KeyError)" in desk.server.asked[-1].results[0]
    assert [step.state for step in desk.heard(Step)] == ["running", "failed"]
    assert "Traceback" in caplog.text

"""Whole conversations through the real client of the model's API, streaming, over practice systems."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import jsonschema
import pytest
from agent_desk import SYNC, Desk
from stand_ins.anthropic_messages import say, use, use_all

from integrator_magics.events import Said, Step, Usage, Wrote

SCHEMAS = Path(__file__).parents[3] / "shared" / "specs" / "anthropic" / "messages_schemas.from-sdk-2.11.0.json.gz"
COUNT = """
from integrator_drivers import show
from salesforce_driver import SalesforceClient

with SalesforceClient() as salesforce:
    show(salesforce.read("Lead", fields=["LeadSource", "Email"], limit=5), name="sources")
"""
PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us"
ASK = use(
    "ask_user",
    question='How do you define "how they got to us"?',
    options=[{"label": "LeadSource", "hint": "one value per lead"}, {"label": "Campaign"}],
)
LOAD = use_all(("load_driver", {"name": "salesforce"}), ("load_driver", {"name": "SFDC"}), text="I load the driver.")


def play(desk: Desk) -> None:
    desk.server.add(
        use_all(("load_driver", {"name": "salesforce"}), ("load_driver", {"name": "postgresql"}), text="Both drivers."),
        use_all(("read_doc", {"id": "salesforce/README.md"}), ("search_docs", {"query": "sync leads upsert"})),
        ASK,
    )
    desk.say(PROMPT)
    desk.server.add(
        use_all(
            ("get_fields", {"system": "salesforce", "object": "Lead"}),
            ("get_fields", {"system": "postgresql", "object": "public.leads"}),
            text="I am looking at the fields of Lead, reading only.",
        ),
        use("run_discovery", code=COUNT, purpose="I look at where leads come from."),
        use("write_script", name="lead_sync", code=SYNC, explanation=["reads leads", "writes them", "never deletes"]),
        use("run_script", name="lead_sync"),
        say("The script lead_sync is in the cell below."),
    )


def test_the_main_conversation_ends_in_a_script_that_was_previewed(desk: Desk) -> None:
    play(desk)
    asked = desk.turn
    assert asked
    assert asked.question.startswith("How do you define")
    assert [entry["label"] for entry in asked.options] == ["LeadSource", "Campaign"]
    ended = desk.answer("LeadSource - and only the leads of the last 30 days")
    assert (ended.question, ended.state) == ("", "done")
    assert desk.workspace.scripts.latest("lead_sync").code == SYNC
    assert desk.heard(Wrote)[0].explanation.splitlines()[0] == "reads leads"
    assert not desk.server.left
    assert "public.leads: " in desk.result()
    assert "to add" in desk.result()
    titles = [step.title for step in desk.heard(Step) if step.state == "done"]
    assert sorted(titles[:2]) == ["PostgreSQL", "Salesforce"]
    assert "I look at where leads come from" in titles
    running = [step for step in desk.heard(Step) if step.state == "running" and step.code]
    assert running[0].title == "I look at where leads come from"
    assert running[0].code == COUNT


def test_words_stream_and_every_request_tells_its_cost(desk: Desk) -> None:
    play(desk)
    desk.answer("LeadSource")
    partial = [event.text for event in desk.heard(Said) if event.partial]
    assert partial[0] == "Both drivers."[: len(partial[0])]
    assert [event.text for event in desk.heard(Said) if not event.partial][-1].endswith("in the cell below.")
    usages = desk.heard(Usage)
    assert len(usages) == len(desk.server.asked) == 8
    assert usages[-1].input_tokens > usages[0].input_tokens
    assert usages[-1].usd is not None
    assert usages[-1].usd > usages[0].usd > 0  # type: ignore[operator]
    assert all(entry.body["stream"] for entry in desk.server.asked)


def test_nothing_that_is_sent_to_the_model_holds_a_credential(desk: Desk, practice: dict[str, object]) -> None:
    play(desk)
    desk.answer("LeadSource")
    redactor = desk.workspace.credentials.redactor()
    sent = "\n".join(entry.raw for entry in desk.server.asked)
    secrets = [
        value
        for running in practice.values()
        for name, value in running.env.items()  # type: ignore[attr-defined]
        if any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "CLIENT_ID"))
    ]
    assert len(secrets) >= 4
    for value in secrets:
        assert value not in sent
    assert redactor.find(sent) is None
    assert desk.server.key not in sent
    assert redactor.find(json.dumps(desk.history)) is None


def test_the_prompt_is_cached_and_the_newest_message_too(desk: Desk) -> None:
    play(desk)
    body = desk.server.asked[-1].body
    assert body["system"][-1]["cache_control"]["type"] == "ephemeral"
    assert body["tools"][-1]["cache_control"]["type"] == "ephemeral"
    assert "cache_control" in body["messages"][-1]["content"][-1]
    first = desk.server.asked[0].body
    assert first["system"] == body["system"]
    assert first["tools"] == body["tools"]


@pytest.mark.skipif(not SCHEMAS.exists(), reason="../shared/specs/anthropic is not there")
def test_requests_fit_the_schema_of_the_vendors_client(desk: Desk) -> None:
    schema = json.loads(gzip.decompress(SCHEMAS.read_bytes()))["params"]["MessageCreateParams"]
    play(desk)
    desk.answer("LeadSource")
    for entry in desk.server.asked:
        jsonschema.validate(entry.body, schema)


def test_the_dialog_goes_on_in_a_new_process(desk: Desk) -> None:
    play(desk)
    assert desk.turn
    stored = json.dumps({"history": desk.history, "call": desk.turn.call, "url": desk.server.base_url})
    desk.server.left.clear()
    desk.server.add(say("Then LeadSource it is."))
    program = textwrap.dedent(
        """
        import asyncio, json, sys
        from pathlib import Path
        from integrator_magics.agent import Agent, ModelChoice, Workspace
        from integrator_magics.audit import AuditLog
        from integrator_magics.config import Settings
        from integrator_magics.credentials import Credentials

        stored = json.load(sys.stdin)
        folder = Path(sys.argv[1])
        credentials = Credentials(folder, folder, environ={})
        workspace = Workspace(None, credentials, None, AuditLog(folder / "audit2"), Settings(), None, print, None)
        choice = ModelChoice("anthropic", "claude-sonnet-5-5", "claude-sonnet-5-5", sys.argv[2], stored["url"])
        turn = asyncio.run(Agent(workspace, choice).turn(stored["history"], "LeadSource", call=stored["call"]))
        assert sorted(workspace.loaded) == ["postgresql", "salesforce"], workspace.loaded
        print("STATE", turn.state, len(turn.history))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(desk.audit.folder.parent), desk.server.key],
        input=stored,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "STATE done" in done.stdout, done.stderr
    assert desk.server.asked[-1].results == ["LeadSource"]


def test_two_questions_at_once_become_one(desk: Desk) -> None:
    desk.server.add(
        use_all(("ask_user", {"question": "Which table?"}), ("ask_user", {"question": "Which window?"})), say("Good.")
    )
    assert desk.say(PROMPT).question == "Which table?"
    desk.answer("public.leads")
    assert desk.server.asked[-1].results[0] == "public.leads"
    assert desk.server.asked[-1].results[1].startswith("Not asked")


def test_a_new_prompt_while_a_question_waits_closes_the_question(desk: Desk) -> None:
    desk.server.add(ASK, say("Something else then."))
    desk.say(PROMPT)
    desk.say("Forget that. Which systems are there?")
    assert "went on with something else" in desk.server.asked[-1].results[0]


def test_an_answer_beside_another_call_keeps_that_calls_result(desk: Desk) -> None:
    desk.server.add(
        use_all(("find_drivers", {}), ("ask_user", {"question": "From which system?"}), text="Let me see."),
        say("Good."),
    )
    desk.say("Sync my leads")
    desk.answer("Salesforce")
    results = desk.server.asked[-1].results
    assert any("salesforce: CRM" in entry for entry in results)
    assert "Salesforce" in results

"""The same dialog with a model of another provider, through its own client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agent_desk import Desk
from stand_ins.anthropic_messages import say, use
from stand_ins.openai_chat import ChatServer

from integrator_magics.agent import ModelChoice
from integrator_magics.events import Said, Usage


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.mark.parametrize("provider", ["openai", "deepseek", "openai-compatible"])
def test_a_dialog_asks_looks_and_ends(desk: Desk, chat: ChatServer, provider: str) -> None:
    chat.left[:] = [
        use("find_drivers", text="crm"),
        use("ask_user", question="Which field?", options=[{"label": "LeadSource"}]),
        say("LeadSource it is, then."),
    ]
    desk.choice = ModelChoice(provider, "some-model", "some-model", "test-key-of-the-chat-stand-in", chat.base_url)
    assert desk.say("Sync leads").question == "Which field?"
    assert desk.answer("LeadSource").state == "done"
    assert [event.text for event in desk.heard(Said) if not event.partial] == ["LeadSource it is, then."]
    headers, body = chat.requests[-1]
    assert headers["authorization"] == "Bearer test-key-of-the-chat-stand-in"
    assert [message["role"] for message in body["messages"]][-1] == "tool"
    assert body["messages"][-1]["content"] == "LeadSource"
    assert desk.heard(Usage)[-1].usd is None
    assert not desk.server.requests

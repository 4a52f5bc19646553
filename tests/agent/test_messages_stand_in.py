"""The stand-in for the model's API is itself held against the real client and the vendor's own schemas."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import jsonschema
import pytest
from stand_ins.anthropic_messages import MessagesServer, Refusal, Reply, events, overloaded, say, use, use_all

SCHEMAS = Path(__file__).parents[3] / "shared" / "specs" / "anthropic" / "messages_schemas.from-sdk-2.11.0.json.gz"
TOOL = {"name": "look", "description": "Look", "input_schema": {"type": "object", "properties": {}}}
HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
def server() -> Iterator[MessagesServer]:
    with MessagesServer() as running:
        yield running


@pytest.fixture
def client(server: MessagesServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key=server.key, base_url=server.base_url, max_retries=0) as made:
        yield made


def ask(client: anthropic.Anthropic, messages: list[Any], model: str = "claude-sonnet-5-5") -> Any:
    return client.messages.create(model=model, max_tokens=100, messages=messages, tools=[TOOL])  # type: ignore[list-item]


def test_words_and_calls_arrive_whole(server: MessagesServer, client: anthropic.Anthropic) -> None:
    server.add(use_all(("look", {"at": "Lead", "n": 3}), ("look", {}), text="I look."))
    message = ask(client, [HELLO])
    assert [block.type for block in message.content] == ["text", "tool_use", "tool_use"]
    assert message.content[1].input == {"at": "Lead", "n": 3}
    assert message.stop_reason == "tool_use"


def test_a_stream_ends_as_the_same_message(server: MessagesServer, client: anthropic.Anthropic) -> None:
    server.add(use_all(("look", {"at": "Lead with a long name, in pieces"}), text="I look at the fields of Lead."))
    with client.messages.stream(model="claude-sonnet-5-5", max_tokens=100, messages=[HELLO], tools=[TOOL]) as stream:  # type: ignore[list-item, arg-type]
        words = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(words) > 1
    assert "".join(words) == "I look at the fields of Lead."
    call = message.content[1]
    assert call.type == "tool_use"
    assert call.input == {"at": "Lead with a long name, in pieces"}


def test_refusals_reach_the_client_as_its_own_errors(server: MessagesServer, client: anthropic.Anthropic) -> None:
    server.add(overloaded(), Refusal(400, "invalid_request_error", "your credit balance is too low"))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        ask(client, [HELLO])
    with pytest.raises(anthropic.BadRequestError, match="credit balance"):
        ask(client, [HELLO])
    with pytest.raises(anthropic.NotFoundError, match="claude-sonnet-9"):
        ask(client, [HELLO], "claude-sonnet-9")
    with (
        anthropic.Anthropic(api_key="wrong", base_url=server.base_url) as other,
        pytest.raises(anthropic.AuthenticationError),
    ):
        ask(other, [HELLO])


def test_a_call_without_its_result_is_refused_as_the_api_does(
    server: MessagesServer, client: anthropic.Anthropic
) -> None:
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]}
    with pytest.raises(anthropic.BadRequestError, match="without `tool_result` blocks: toolu_1"):
        ask(client, [HELLO, call, {"role": "user", "content": "and now?"}])
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"}
    server.add(say("Good."))
    ask(client, [HELLO, call, {"role": "user", "content": [result]}])
    assert server.asked[-1].results == ["seen"]


def test_a_break_in_the_stream_is_an_error_and_a_held_stream_goes_on(
    server: MessagesServer, client: anthropic.Anthropic
) -> None:
    free = threading.Event()
    server.add(say("It breaks after some words.", cut_after=4), say("It waits in between.", hold=free))

    def read() -> str:
        with client.messages.stream(model="claude-sonnet-5-5", max_tokens=100, messages=[HELLO]) as stream:  # type: ignore[list-item]
            text = ""
            for piece in stream.text_stream:
                text += piece
                free.set()
            return text

    with pytest.raises(Exception, match=r"incomplete|closed|peer"):
        read()
    free.clear()
    assert read() == "It waits in between."


def test_every_request_is_kept_with_its_key_only_in_the_header(
    server: MessagesServer, client: anthropic.Anthropic
) -> None:
    server.add(use("look"), say("Done."))
    ask(client, [HELLO])
    assert server.asked[0].headers["authorization"] == f"Bearer {server.key}"
    assert server.key not in server.asked[0].raw
    assert server.key in server.traffic


@pytest.mark.skipif(not SCHEMAS.exists(), reason="../shared/specs/anthropic is not there")
def test_answers_and_events_fit_the_schemas_of_the_vendors_client(server: MessagesServer) -> None:
    schemas = json.loads(gzip.decompress(SCHEMAS.read_bytes()))["models"]
    reply = Reply("I look.", (("look", {"at": "Lead"}),))
    message = server.message(reply, {"model": "claude-sonnet-5-5", "messages": [HELLO]})
    jsonschema.validate(message, schemas["Message"])
    for event in events(message):
        if event["type"] != "ping":  # not among the published types
            jsonschema.validate(event, schemas["RawMessageStreamEvent"])

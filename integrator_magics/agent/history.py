"""The messages of a dialog: kept whole whatever ends a turn, and read again after a restart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ToolCallPart

__all__ = ["CANCELLED", "NOT_ANSWERED", "Told", "closed", "dump", "last_prompt", "load", "open_calls", "results"]

CANCELLED = "Cancelled by the user."
NOT_ANSWERED = "Not answered: the user went on with something else."

Told = tuple[str, dict[str, Any], dict[str, Any], float]  # tool, arguments, metadata, time


def load(history: Sequence[Any]) -> list[ModelMessage]:
    """JSON-ready messages as messages."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    return ModelMessagesTypeAdapter.validate_python(list(history))


def dump(messages: Sequence[ModelMessage]) -> list[Any]:
    """Messages as JSON-ready data."""
    from pydantic_ai.messages import ModelMessagesTypeAdapter

    data: list[Any] = ModelMessagesTypeAdapter.dump_python(list(messages), mode="json")
    return data


def open_calls(messages: Sequence[ModelMessage]) -> list[ToolCallPart]:
    """Tool calls of the newest answer that have no result yet."""
    from pydantic_ai.messages import ModelRequest, ModelResponse, RetryPromptPart, ToolCallPart, ToolReturnPart

    calls: dict[str, ToolCallPart] = {}
    for message in messages:
        if isinstance(message, ModelResponse):
            calls = {part.tool_call_id: part for part in message.parts if isinstance(part, ToolCallPart)}
        elif isinstance(message, ModelRequest):
            for part in message.parts:
                if isinstance(part, (ToolReturnPart, RetryPromptPart)):
                    calls.pop(part.tool_call_id, None)
    return list(calls.values())


def closed(messages: Sequence[ModelMessage], because: str) -> list[ModelMessage]:
    """The messages with every open tool call answered by `because`, so that any model can go on from them.

    Of an answer that broke off while it streamed only its words are kept.
    """
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, ToolReturnPart

    kept = list(messages)
    if kept and isinstance(kept[-1], ModelResponse) and kept[-1].state != "complete":
        words = [part for part in kept[-1].parts if isinstance(part, TextPart) and part.content.strip()]
        kept[-1:] = [replace(kept[-1], parts=words, state="complete")] if words else []
    error = {"type": "Cancelled", "message": because, "next": ""}
    returns = [
        ToolReturnPart(call.tool_name, because, tool_call_id=call.tool_call_id, metadata={"error": error})
        for call in open_calls(kept)
    ]
    last = kept[-1] if kept else None
    if isinstance(last, ModelRequest) and (returns or last.state != "complete"):
        kept[-1] = replace(last, parts=[*last.parts, *returns], state="complete")
    elif returns:
        kept.append(ModelRequest(parts=returns))
    return kept


def last_prompt(messages: Sequence[ModelMessage]) -> str:
    """What the user wrote last into a cell."""
    from pydantic_ai.messages import ModelRequest, UserPromptPart

    for message in reversed(messages):
        if isinstance(message, ModelRequest):
            for part in reversed(message.parts):
                if isinstance(part, UserPromptPart) and isinstance(part.content, str):
                    return part.content
    return ""


def ends_with_prompt(messages: Sequence[ModelMessage], text: str) -> bool:
    """Whether the last message is this very prompt, still without an answer."""
    from pydantic_ai.messages import ModelRequest, UserPromptPart

    last = messages[-1] if messages else None
    return (
        isinstance(last, ModelRequest)
        and bool(last.parts)
        and all(isinstance(part, UserPromptPart) and part.content == text for part in last.parts)
    )


def awaits_answer(messages: Sequence[ModelMessage]) -> bool:
    """Whether the model is to speak next."""
    from pydantic_ai.messages import ModelRequest

    return bool(messages) and isinstance(messages[-1], ModelRequest)


def answered(messages: Sequence[ModelMessage], call: str, text: str) -> bool:
    """Whether the question `call` already has this answer."""
    from pydantic_ai.messages import ModelRequest, ToolReturnPart

    return any(
        isinstance(part, ToolReturnPart) and part.tool_call_id == call and part.content == text
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
    )


def results(messages: Sequence[ModelMessage]) -> Iterator[Told]:
    """The results of all tool calls that told something, oldest first."""
    from pydantic_ai.messages import ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart

    arguments: dict[str, dict[str, Any]] = {}
    for message in messages:
        if isinstance(message, ModelResponse):
            arguments |= {
                part.tool_call_id: part.args_as_dict(raise_if_invalid=False)
                for part in message.parts
                if isinstance(part, ToolCallPart)
            }
        elif isinstance(message, ModelRequest):
            for part in message.parts:
                if isinstance(part, ToolReturnPart) and isinstance(part.metadata, dict):
                    given = arguments.get(part.tool_call_id, {})
                    yield part.tool_name, given, part.metadata, part.timestamp.timestamp()


def since_user_spoke(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """The end of the dialog, from the last prompt or answer on."""
    from pydantic_ai.messages import ModelRequest, ToolReturnPart, UserPromptPart

    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if isinstance(message, ModelRequest) and any(
            isinstance(part, UserPromptPart) or (isinstance(part, ToolReturnPart) and part.tool_name == "ask_user")
            for part in message.parts
        ):
            return list(messages[place:])
    return list(messages)

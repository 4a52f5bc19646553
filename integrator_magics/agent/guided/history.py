"""The dialog so far as plain values: what the user said, what was called, what came back as metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage

__all__ = ["ASK", "Call", "Prompt", "Transcript", "call_key", "read_history"]

ASK = "ask_user"


@dataclass(frozen=True)
class Prompt:
    """What the user wrote into a cell, and on which day."""

    text: str
    day: date


@dataclass(frozen=True)
class Call:
    """A tool call of ours. `result` is the metadata that came back, None while it is under way.

    `answer` is the text of the user for ask_user, the only call whose text is read.
    """

    tool: str
    args: dict[str, Any]
    id: str
    result: dict[str, Any] | None = None
    answer: str | None = None

    @property
    def key(self) -> str:
        """Equal for equal calls."""
        return call_key(self.tool, self.args)

    @property
    def slot(self) -> str:
        """What a question was about; it is part of the call's id."""
        return self.id.partition("-q-")[2]


@dataclass
class Transcript:
    """Prompts and calls in order."""

    entries: list[Prompt | Call] = field(default_factory=list)

    @property
    def prompts(self) -> list[Prompt]:
        """What the user wrote into cells."""
        return [entry for entry in self.entries if isinstance(entry, Prompt)]

    @property
    def turns(self) -> int:
        """How many calls there were; makes ids unique."""
        return sum(isinstance(entry, Call) for entry in self.entries)


def call_key(tool: str, args: dict[str, Any]) -> str:
    """Equal for equal calls."""
    return f"{tool} {json.dumps(args, sort_keys=True, ensure_ascii=False)}"


def read_history(messages: Sequence[ModelMessage]) -> Transcript:
    """The messages of pydantic-ai as a transcript. Returned text is never read, only metadata."""
    from pydantic_ai.messages import (
        ModelRequest,
        ModelResponse,
        RetryPromptPart,
        ToolCallPart,
        ToolReturnPart,
        UserPromptPart,
    )

    transcript = Transcript()
    places: dict[str, int] = {}
    for message in messages:
        if isinstance(message, ModelResponse):
            for part in message.parts:
                if isinstance(part, ToolCallPart):
                    places[part.tool_call_id] = len(transcript.entries)
                    transcript.entries.append(Call(part.tool_name, part.args_as_dict(), part.tool_call_id))
            continue
        if not isinstance(message, ModelRequest):
            continue
        for item in message.parts:
            if isinstance(item, UserPromptPart):
                _unanswered(transcript)
                transcript.entries.append(Prompt(_text(item.content), _day(item.timestamp)))
            elif isinstance(item, ToolReturnPart):
                _fill(transcript, places, item.tool_call_id, item.metadata, item.content)
            elif isinstance(item, RetryPromptPart) and item.tool_call_id in places:
                error = {"type": "ToolError", "message": "The step was refused as it was asked for.", "next": ""}
                _fill(transcript, places, item.tool_call_id, {"error": error}, "")
    return transcript


def _unanswered(transcript: Transcript) -> None:
    """A question right before a prompt was closed, not answered; so was a call that had no time to come back."""
    for place in range(len(transcript.entries) - 1, -1, -1):
        entry = transcript.entries[place]
        if not isinstance(entry, Call) or entry.tool != ASK:
            return
        transcript.entries[place] = Call(entry.tool, entry.args, entry.id)


def _fill(transcript: Transcript, places: dict[str, int], call_id: str, metadata: Any, content: Any) -> None:
    place = places.get(call_id)
    if place is None:
        return
    call = transcript.entries[place]
    if not isinstance(call, Call):
        return
    answer = _text(content) if call.tool == ASK else None
    result = metadata if isinstance(metadata, dict) else None
    transcript.entries[place] = Call(call.tool, call.args, call.id, result, answer)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return str(content.get("answer") or content.get("text") or "")
    if isinstance(content, Sequence):
        return " ".join(part for part in content if isinstance(part, str))
    return "" if content is None else str(content)


def _day(moment: datetime | None) -> date:
    return (moment or datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC).date()

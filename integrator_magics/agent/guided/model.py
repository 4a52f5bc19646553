"""The planner as a pydantic-ai model: same messages in, same calls out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from .dialog import next_step
from .history import read_history
from .steps import Step
from .words import slug

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage, ModelResponse
    from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

__all__ = ["NAME", "guided_model"]

NAME = "guided"


def guided_model() -> FunctionModel:
    """A deterministic stand-in for a model: no key, no network, the same tools."""
    from pydantic_ai.models.function import FunctionModel

    return FunctionModel(_respond, stream_function=_stream, model_name=NAME)


def _next(messages: list[ModelMessage]) -> tuple[Step, list[str]]:
    transcript = read_history(messages)
    step = next_step(transcript)
    first = transcript.turns
    ids = [
        f"guided-{first + place}" + (f"-q-{slug(call.slot)}" if call.slot else "")
        for place, call in enumerate(step.calls)
    ]
    return step, ids


def _respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

    step, ids = _next(messages)
    parts: list[TextPart | ToolCallPart] = [TextPart(step.words)] if step.words else []
    parts += [
        ToolCallPart(call.tool, call.args, tool_call_id=call_id) for call, call_id in zip(step.calls, ids, strict=True)
    ]
    return ModelResponse(parts=parts)


async def _stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
    from pydantic_ai.models.function import DeltaToolCall

    step, ids = _next(messages)
    if step.words:
        yield step.words
    for place, (call, call_id) in enumerate(zip(step.calls, ids, strict=True)):
        arguments = json.dumps(call.args, ensure_ascii=False)
        yield {place: DeltaToolCall(call.tool, arguments, tool_call_id=call_id)}

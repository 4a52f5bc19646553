"""One turn of the dialog: from what the user said to the next question or the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..errors import ModelUnavailable
from ..events import Said, Step, Usage
from . import models
from .workspace import Workspace

if TYPE_CHECKING:
    from pydantic_ai import Agent as ModelAgent
    from pydantic_ai.messages import ModelMessage

__all__ = ["Agent", "Turn"]

CANCELLED = "Cancelled by the user."


@dataclass(frozen=True)
class Turn:
    """How a turn ended: with a question that waits (`call` is its id), or done."""

    history: list[Any]  # JSON-ready messages
    question: str = ""
    options: list[dict[str, str]] = field(default_factory=list)
    call: str = ""
    state: str = "done"
    text: str = ""


class Agent:
    """Holds a dialog with one model. `history` is what was said, consistent also after a cancel or an error."""

    def __init__(self, workspace: Workspace, choice: models.ModelChoice) -> None:
        self.workspace = workspace
        self.choice = choice
        self.history: list[Any] = []

    async def turn(self, history: list[Any], text: str, *, call: str = "") -> Turn:
        """Go on from `history` with a prompt, or with the answer to the question `call`.

        Raises ModelUnavailable in one sentence: key refused, no answer, budget or turns used up. CancelledError
        passes through. `self.history` is good to go on from in every case.
        """
        from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, UnexpectedModelBehavior, UsageLimitExceeded

        self.history = list(history)
        self.workspace.user_spoke(text)
        try:
            return await self._turn(history, text, call)
        except ModelHTTPError as exc:
            following = models.successor(self.choice)
            if exc.status_code == 404 and following is not None:
                self.choice = following
                self.workspace.emit(Step("model", "Model", following.notice))
                return await self.turn(history, text, call=call)
            raise ModelUnavailable(*_http_sentence(self.choice, exc.status_code)) from exc
        except UsageLimitExceeded as exc:
            raise ModelUnavailable(*self._limit_sentence(str(exc))) from exc
        except (ModelAPIError, UnexpectedModelBehavior) as exc:
            raise ModelUnavailable(
                f"{self.choice.name} could not be reached, or its answer could not be understood. "
                "Everything so far is kept.",
                "Try again, or go on with `%%integrate --model guided`.",
            ) from exc

    async def _turn(self, history: list[Any], text: str, call: str) -> Turn:
        from pydantic_ai import AgentRunResultEvent, capture_run_messages
        from pydantic_ai.messages import (
            ModelMessagesTypeAdapter,
            PartDeltaEvent,
            PartEndEvent,
            PartStartEvent,
            TextPart,
            TextPartDelta,
        )
        from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults
        from pydantic_ai.usage import UsageLimits

        messages = ModelMessagesTypeAdapter.validate_python(history)
        answers = DeferredToolResults(calls={call: text}) if call else None
        if not call:
            messages = _closed(messages)
        spent = _spent(messages)
        limits = UsageLimits(request_limit=spent.requests + self.workspace.settings.turns)
        if not self.choice.guided:
            limits = replace(limits, cost_limit=Decimal(str(self.workspace.settings.ceiling)))
        said = ""
        with capture_run_messages() as captured:
            try:
                async with self._model_agent().run_stream_events(
                    None if call else text,
                    message_history=messages,
                    deferred_tool_results=answers,
                    deps=self.workspace,
                    usage=spent,
                    usage_limits=limits,
                ) as events:
                    async for event in events:
                        if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                            said = event.part.content
                            self._say(said, partial=True)
                        elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                            said += event.delta.content_delta
                            self._say(said, partial=True)
                        elif isinstance(event, PartEndEvent) and isinstance(event.part, TextPart):
                            self._say(event.part.content, partial=False)
                        elif isinstance(event, AgentRunResultEvent):
                            result = event.result
            finally:
                kept = _closed(list(captured)) if captured else messages
                self.history = ModelMessagesTypeAdapter.dump_python(kept, mode="json")
                self._tell_usage(_spent(kept))
        self.history = ModelMessagesTypeAdapter.dump_python(result.all_messages(), mode="json")
        output = result.output
        if isinstance(output, DeferredToolRequests):
            pending = output.calls[0]
            asked = output.metadata.get(pending.tool_call_id, {})
            return Turn(self.history, asked["question"], asked["options"], pending.tool_call_id)
        return Turn(self.history, text="")

    def _model_agent(self) -> ModelAgent[Workspace, Any]:
        from pydantic_ai import Agent as ModelAgent
        from pydantic_ai.tools import DeferredToolRequests

        from .instructions import instructions
        from .tools import toolset

        output: list[Any] = [str, DeferredToolRequests]
        return ModelAgent(
            models.build(self.choice),
            deps_type=Workspace,
            output_type=output,
            instructions=lambda: instructions(datetime.now().astimezone()),
            toolsets=[toolset()],
            model_settings=models.model_settings(self.choice),
            retries=2,
        )

    def _say(self, text: str, *, partial: bool) -> None:
        if text.strip():
            self.workspace.emit(Said(text, partial))

    def _tell_usage(self, usage: Any) -> None:
        if not self.choice.guided and usage.requests:
            usd = models.cost(self.choice, usage)
            ceiling = self.workspace.settings.ceiling
            self.workspace.emit(Usage(usage.input_tokens, usage.output_tokens, usd, ceiling))

    def _limit_sentence(self, reason: str) -> tuple[str, str]:
        if "cost" in reason:
            ceiling = self.workspace.settings.ceiling
            return (
                f"This dialog has used {ceiling:.2f} USD, its ceiling. Everything so far is kept.",
                f"Raise it with `%integrator config --ceiling {ceiling + 3:.0f}`, or go on in guided mode.",
            )
        return (
            f"The model took {self.workspace.settings.turns} steps without an end, so it was stopped. "
            "Everything so far is kept.",
            "Say more exactly what you need, or go on in guided mode.",
        )


def _http_sentence(choice: models.ModelChoice, status: int) -> tuple[str, str]:
    variable = models.PROVIDERS.get(choice.provider, "the key")
    if status in (401, 403):
        return f"{choice.provider} refused the key. Nothing was sent to your systems.", f"Check {variable} in .env."
    if status == 404:
        return f'{choice.provider} knows no model "{choice.name}".', "Choose another with `%integrator config --model`."
    if status in (429, 529) or status >= 500:
        return f"{choice.name} is overloaded ({status}). Everything so far is kept.", "Try again in a minute."
    return f"{choice.provider} refused the request ({status}). Everything so far is kept.", "Try again, or `--new`."


def _closed(messages: list[ModelMessage]) -> list[ModelMessage]:
    """The messages with every open tool call answered, so that a model can go on from them."""
    from pydantic_ai.messages import ModelRequest, ModelResponse, ToolCallPart, ToolReturnPart

    if not messages or not isinstance(messages[-1], ModelResponse):
        return messages
    calls = [part for part in messages[-1].parts if isinstance(part, ToolCallPart)]
    if not calls:
        return messages
    returns = [ToolReturnPart(call.tool_name, CANCELLED, tool_call_id=call.tool_call_id) for call in calls]
    return [*messages, ModelRequest(parts=returns)]


def _spent(messages: list[ModelMessage]) -> Any:
    """Tokens and requests of all answers in the history."""
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.usage import RunUsage

    total = RunUsage()
    for message in messages:
        if isinstance(message, ModelResponse):
            total.incr(message.usage)
            total.requests += 1
    return total

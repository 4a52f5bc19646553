"""One turn of the dialog: from what the user said to the next question or the end."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..events import Said, Step, Usage
from . import history as messages_of
from . import models, trouble
from .workspace import Workspace

if TYPE_CHECKING:
    from pydantic_ai import Agent as ModelAgent
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.models import Model

__all__ = ["Agent", "Turn"]

NOT_ASKED = "Not asked: one question at a time. Ask it again if it still matters."
GUIDED_TURNS = 100
_GUIDED = re.compile(
    r"\W*(?:please\s+)?(?:(?:go on|continue|carry on)\s+)?(?:in|with)?\s*(?:the\s+)?guided mode\W*", re.I
)


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
    """Holds a dialog with one model, or with the guided planner in its place."""

    def __init__(self, workspace: Workspace, choice: models.ModelChoice) -> None:
        self.workspace = workspace
        self.choice = choice

    async def turn(self, history: list[Any], text: str, *, call: str = "") -> Turn:
        """Go on from `history` with a prompt, or with the answer to the question `call`.

        `history` is brought up to date in place however the turn ends, also by an error or a cancel, so that it can
        always be gone on from. Raises ModelUnavailable in one sentence: key refused, no answer, budget or turns used
        up. CancelledError passes through.
        """
        if not history:
            self.workspace.in_guided_mode = False  # a new dialog
        if self.workspace.in_guided_mode:
            self.choice = models.guided_choice()
        await self._get_ready()
        from pydantic_ai.exceptions import ModelAPIError, ModelNotFoundError, UnexpectedModelBehavior

        before = messages_of.load(history)
        self._remember(before)
        self.workspace.user_spoke(text, is_answer=bool(call))
        said = self._said(before, text, call)
        try:
            return await self._run(history, *said)
        except ModelNotFoundError as exc:
            following = models.successor(self.choice)
            if following is None:
                raise trouble.unavailable(exc, self.choice) from exc
            self.choice = following
            self.workspace.emit(Step("model", "Model", following.notice))
            try:
                return await self._run(history, *said)
            except (ModelAPIError, UnexpectedModelBehavior) as again:
                raise trouble.unavailable(again, self.choice) from again
        except (ModelAPIError, UnexpectedModelBehavior) as exc:
            raise trouble.unavailable(exc, self.choice) from exc

    async def _get_ready(self) -> None:
        """Load the model's libraries without holding up the loop, so that a cancel works meanwhile."""
        if models.is_ready(self.choice):
            return
        started = time.monotonic()
        step = Step("ready", "Getting ready", f"loading what {self.choice.label} needs, once per kernel", "running")
        if not self.choice.guided:
            self.workspace.emit(step)
        await asyncio.to_thread(models.get_ready, self.choice)
        if not self.choice.guided:
            self.workspace.emit(replace(step, state="done", seconds=time.monotonic() - started))

    def _remember(self, messages: list[ModelMessage]) -> None:
        """What the stored dialog tells, where this process does not know it: schemas, drivers, failures."""
        from .discovering import remember_failure

        workspace = self.workspace
        workspace.restore((tool, told, at) for tool, _, told, at in messages_of.results(messages))
        for tool, args, told, _ in messages_of.results(messages_of.since_user_spoke(messages)):
            if "error" in told and told["error"].get("type") != "Cancelled":
                remember_failure(workspace.failures, tool, args, told)

    def _said(self, messages: list[ModelMessage], text: str, call: str) -> tuple[list[ModelMessage], str | None, Any]:
        """Messages, prompt and answers to start from."""
        from pydantic_ai.tools import DeferredToolResults

        if _GUIDED.fullmatch(text):
            self.choice = models.guided_choice()
            self.workspace.in_guided_mode = True
            self.workspace.emit(Step("model", "Model", "Going on in guided mode, without a model."))
            whole = messages_of.closed(messages, messages_of.NOT_ANSWERED)
            prompt = None if messages_of.awaits_answer(whole) else messages_of.last_prompt(whole) or text
            return whole, prompt, None
        waiting = [entry.tool_call_id for entry in messages_of.open_calls(messages)]
        if call in waiting:
            answers: dict[str, Any] = {entry: text if entry == call else NOT_ASKED for entry in waiting}
            return messages, None, DeferredToolResults(calls=answers)
        whole = messages_of.closed(messages, messages_of.NOT_ANSWERED)
        if messages_of.awaits_answer(whole):
            if call and messages_of.answered(whole, call, text):
                return whole, None, None  # tried again after the model could not be reached
            if messages_of.ends_with_prompt(whole, text):
                whole.pop()
        return whole, text, None

    async def _run(self, history: list[Any], messages: list[ModelMessage], prompt: str | None, answers: Any) -> Turn:
        from pydantic_ai import Agent as ModelAgent
        from pydantic_ai.tools import DeferredToolRequests
        from pydantic_ai.usage import UsageLimits

        kept = list(messages)
        model = models.build(self.choice)
        try:
            async with self._model_agent(model).iter(
                prompt,
                message_history=messages,
                deferred_tool_results=answers,
                deps=self.workspace,
                usage_limits=UsageLimits(request_limit=None),
            ) as run:
                asked = 0
                async for node in run:
                    if ModelAgent.is_model_request_node(node):
                        # The request is not among the messages before it is sent; what stops it must not lose it.
                        kept = [*run.all_messages(), node.request]
                        self._require_budget(run.all_messages(), asked)
                        asked += 1
                        kept = run.all_messages()
                        await self._listen(run, node)
                        self._tell_usage(run.all_messages())
                kept = run.all_messages()
        finally:
            history[:] = messages_of.dump(messages_of.closed(kept, messages_of.CANCELLED))
            await models.close(model)
        output = run.result.output if run.result else ""
        if isinstance(output, DeferredToolRequests):
            history[:] = messages_of.dump(kept)
            pending = output.calls[0]
            question = output.metadata.get(pending.tool_call_id, {})
            return Turn(history, question["question"], question["options"], pending.tool_call_id)
        return Turn(history)

    async def _listen(self, run: Any, node: Any) -> None:
        """One request to the model; its words are shown as they come."""
        from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, PartStartEvent, TextPart, TextPartDelta

        said = ""
        async with node.stream(run.ctx) as events:
            async for event in events:
                if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                    said = event.part.content
                    self._say(said, partial=True)
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                    said += event.delta.content_delta
                    self._say(said, partial=True)
                elif isinstance(event, PartEndEvent) and isinstance(event.part, TextPart):
                    self._say(event.part.content, partial=False)

    def _model_agent(self, model: Model) -> ModelAgent[Workspace, Any]:
        from pydantic_ai import Agent as ModelAgent
        from pydantic_ai.tools import DeferredToolRequests

        from .instructions import instructions
        from .tools import toolset

        return ModelAgent(
            model,
            deps_type=Workspace,
            output_type=[str, DeferredToolRequests],
            instructions=instructions(datetime.now().astimezone()),
            toolsets=[toolset()],
            model_settings=models.model_settings(self.choice),
            retries=3,
        )

    def _require_budget(self, messages: list[ModelMessage], asked: int) -> None:
        """Raises ModelUnavailable before the request that would go over a limit."""
        settings = self.workspace.settings
        if self.choice.guided:
            if asked >= GUIDED_TURNS:
                raise trouble.over_turns(GUIDED_TURNS)
            return
        if asked >= settings.turns:
            raise trouble.over_turns(settings.turns)
        used = models.spent(messages).usd
        if used is not None and used >= settings.ceiling:
            raise trouble.over_ceiling(used, settings.ceiling)

    def _say(self, text: str, *, partial: bool) -> None:
        if text.strip():
            self.workspace.emit(Said(text, partial))

    def _tell_usage(self, messages: list[ModelMessage]) -> None:
        if not self.choice.guided:
            spent = models.spent(messages)
            ceiling = self.workspace.settings.ceiling
            self.workspace.emit(Usage(spent.input_tokens, spent.output_tokens, spent.usd, ceiling))

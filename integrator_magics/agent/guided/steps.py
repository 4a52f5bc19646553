"""What the planner can do next, as exceptions that end the reading of the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Ask", "Choice", "Need", "Say", "Step", "ToolCall"]


@dataclass(frozen=True)
class ToolCall:
    """A tool and its arguments; `slot` says what a question is about."""

    tool: str
    args: dict[str, Any]
    slot: str = ""


@dataclass(frozen=True)
class Choice:
    """One answer offered, and what it stands for."""

    label: str
    hint: str = ""
    value: Any = None


@dataclass
class Step(Exception):
    """Base: words to the user, then calls; no calls ends the turn."""

    words: str = ""
    calls: list[ToolCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.words)


class Need(Step):
    """Something must be looked up first."""

    def __init__(self, words: str, calls: Sequence[ToolCall]) -> None:
        super().__init__(words, list(calls))


class Ask(Step):
    """A question to the user."""

    def __init__(self, slot: str, question: str, choices: Sequence[Choice] = (), words: str = "") -> None:
        options = [{"label": choice.label, "hint": choice.hint} for choice in choices]
        super().__init__(words, [ToolCall("ask_user", {"question": question, "options": options}, slot)])


class Say(Step):
    """The last words of this turn."""

    def __init__(self, words: str) -> None:
        super().__init__(words, [])

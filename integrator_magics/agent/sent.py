"""What the model was given in a dialog, from the recorded requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["SENT_COLUMNS", "sent"]

SENT_COLUMNS = ("request", "model", "what", "characters", "text")


def sent(history: Sequence[Any]) -> list[dict[str, Any]]:
    """One line for each part of each request, in order, under SENT_COLUMNS.

    A later request of the same dialog holds the earlier ones again; they are listed once.
    """
    found: list[dict[str, Any]] = []
    number = 0
    for at, message in enumerate(history):
        if not isinstance(message, dict) or message.get("kind") != "request":
            continue
        number += 1
        later = (entry for entry in history[at + 1 :] if entry.get("kind") == "response")
        answer: dict[str, Any] = next(later, {})
        for what, text in _parts(message):
            values = (number, str(answer.get("model_name") or ""), what, len(text), text)
            if what != "instructions" or not any(row["text"] == text for row in found):
                found.append(dict(zip(SENT_COLUMNS, values, strict=True)))
    return found


def _parts(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if instructions := message.get("instructions"):
        yield "instructions", str(instructions)
    names = {"user-prompt": "what you wrote", "system-prompt": "instructions", "retry-prompt": "a note to try again"}
    for part in message.get("parts", ()):
        kind, content = part.get("part_kind", ""), part.get("content", "")
        what = f"result of {part.get('tool_name')}" if kind == "tool-return" else names.get(kind, kind)
        yield what, content if isinstance(content, str) else str(content)

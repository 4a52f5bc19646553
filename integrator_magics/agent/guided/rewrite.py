"""Changes to a script that is there already, in the smallest way."""

from __future__ import annotations

import re
from typing import Any

from .explain import and_list
from .knowledge import Knowledge
from .schedules import Schedule
from .steps import Ask, Choice, Say, ToolCall

__all__ = ["reschedule", "which_script", "with_schedule"]

_LINE = re.compile(r"^SCHEDULE = (?:None|\"[^\"\n]*\")$", re.MULTILINE)


def with_schedule(code: str, cron: str | None) -> str | None:
    """The script with its one SCHEDULE line changed; None when it has not exactly one."""
    line = f'SCHEDULE = "{cron}"' if cron else "SCHEDULE = None"
    changed, count = _LINE.subn(line, code)
    return changed if count == 1 else None


def reschedule(script: dict[str, Any], schedule: Schedule, known: Knowledge, since: int) -> None:
    """Change one line of a script and end the turn."""
    name, code = script["name"], with_schedule(script["code"], schedule.cron)
    if code is None:
        raise Say(f"`{name}` has no line `SCHEDULE = None` to change. Add that line after its imports.")
    if code == script["code"]:
        raise Say(f"That changes nothing: `{name}` already runs {schedule.words}.")
    lines = [line for line in _lines(script.get("explanation")) if not line.startswith("runs ")]
    if schedule.cron:
        lines.insert(0, f"runs {schedule.words} once it is exported and started,")
    result = known.need("", ToolCall("write_script", {"name": name, "code": code, "explanation": lines}), since=since)[
        0
    ]
    problems = (result.get("script") or {}).get("problems") or []
    if result.get("error") or problems:
        said = (result.get("error") or {}).get("message") or " ".join(map(str, problems))
        raise Say(f"I could not change the script: {said} Nothing was written.")
    note = f" Note: {schedule.problem}." if schedule.problem else ""
    when = f"now runs {schedule.words} once it is exported and started" if schedule.cron else "now runs only by hand"
    raise Say(f"The script `{name}` {when}; one line changed.{note} Run its cell to see a preview.")


def _lines(explanation: object) -> list[str]:
    if isinstance(explanation, str):
        return [line for line in explanation.splitlines() if line]
    return [str(line) for line in explanation] if isinstance(explanation, list | tuple) else []


def which_script(scripts: list[dict[str, Any]], text: str, known: Knowledge) -> dict[str, Any]:
    """The script that words speak of: the only one, the one named, or asked for."""
    for script in scripts:
        if script["name"] in text or script["name"].replace("_", " ") in text.casefold():
            return script
    if len(scripts) == 1:
        return scripts[0]
    names = [script["name"] for script in scripts]
    reply = known.answer("script")
    if reply is None:
        raise Ask("script", f"Which script do you mean: {and_list(names, 'or')}?", [Choice(name) for name in names])
    answer, options = reply
    wanted = options[answer.index]["label"] if answer.index is not None else answer.text
    for script in scripts:
        if script["name"] == wanted:
            return script
    raise Say(f'There is no script "{answer.text}" in this notebook. There are {and_list(names)}.')

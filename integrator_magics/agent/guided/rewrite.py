"""Changes to a script that is there already, in the smallest way."""

from __future__ import annotations

import re

from .explain import and_list
from .history import Prompt
from .knowledge import Knowledge
from .lexicon import Lexicon
from .schedules import find_schedule
from .steps import Ask, Choice, Say, ToolCall

__all__ = ["reschedule", "with_schedule"]

_LINE = re.compile(r"^SCHEDULE = (?:None|\"[^\"\n]*\")$", re.MULTILINE)


def with_schedule(code: str, cron: str | None) -> str | None:
    """The script with its one SCHEDULE line changed; None when it has not exactly one."""
    line = f'SCHEDULE = "{cron}"' if cron else "SCHEDULE = None"
    changed, count = _LINE.subn(line, code)
    return changed if count == 1 else None


def reschedule(prompt: Prompt, known: Knowledge, lexicon: Lexicon, since: int) -> None:
    """A schedule for a script of this notebook; does nothing when the prompt says nothing about one."""
    schedule = find_schedule(prompt.text)
    if not schedule:
        return
    found = known.need("I am looking at the scripts of this notebook.", ToolCall("current_scripts", {}), since=since)[0]
    scripts = found.get("scripts") or []
    if not scripts:
        raise Say("There is no script in this notebook yet to run on a schedule. Say what you need first.")
    script = scripts[-1] if len(scripts) == 1 else _which(scripts, prompt, known)
    code = with_schedule(script["code"], schedule.cron)
    if code is None:
        raise Say(f"`{script['name']}` has no line `SCHEDULE = None` to change. Add that line after its imports.")
    when = schedule.words
    if code == script["code"]:
        raise Say(f"That changes nothing: `{script['name']}` already runs {when}.")
    lines = [line for line in _lines(script.get("explanation")) if not line.startswith("Runs ")]
    if schedule.cron:
        lines.append(f"Runs {when}.")
    call = ToolCall("write_script", {"name": script["name"], "code": code, "explanation": lines})
    result = known.need("", call, since=since)[0]
    if result.get("error"):
        raise Say(f"I could not change the script: {result['error'].get('message')} Nothing was written.")
    note = f" Note: {schedule.problem}." if schedule.problem else ""
    verb = f"now runs {when} once it is exported and started" if schedule.cron else "now runs only when you run it"
    raise Say(f"The script `{script['name']}` {verb}; one line changed.{note} Run its cell to see a preview.")


def _lines(explanation: object) -> list[str]:
    if isinstance(explanation, str):
        return [line for line in explanation.splitlines() if line]
    return [str(line) for line in explanation] if isinstance(explanation, list) else []


def _which(scripts: list[dict[str, str]], prompt: Prompt, known: Knowledge) -> dict[str, str]:
    names = [script["name"] for script in scripts]
    for script in scripts:
        if script["name"] in prompt.text or script["name"].replace("_", " ") in prompt.text.casefold():
            return script
    reply = known.answer("script")
    if reply is None:
        raise Ask(
            "script", f"Which script do you mean: {and_list(names, 'or')}?", [Choice(name) for name in reversed(names)]
        )
    answer, options = reply
    if answer.index is not None:
        label = options[answer.index]["label"]
        return next(script for script in scripts if script["name"] == label)
    raise Say(f'There is no script "{answer.text}" in this notebook. There are {and_list(names)}.')

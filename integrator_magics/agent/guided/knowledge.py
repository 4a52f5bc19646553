"""What is known so far: results of earlier calls, looked up by what was asked. What is missing is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .answers import Answer, read_answer
from .history import ASK, Call, Transcript
from .lexicon import Lexicon
from .steps import Ask, Choice, Need, Say, ToolCall
from .words import name_tokens, slug

__all__ = ["STOPPED", "Knowledge", "Known"]

STOPPED = "Stopped. Nothing was written; say what you need whenever you like."
TRY_AGAIN, GO_ON, STOP = "Try again", "Go on from the standard schema", "Stop"


@dataclass(frozen=True)
class Known:
    """The result of a call, and whether it was checked against the live system."""

    data: dict[str, Any]
    verified: bool = True


@dataclass
class Knowledge:
    """Results and answers of one dialog. `since` is where the task at hand starts among the entries."""

    transcript: Transcript
    since: int = 0
    notes: list[str] = field(default_factory=list)  # what to tell the user with the next words

    def results(self, tool: str, since: int = 0, **args: Any) -> list[Call]:
        """Earlier calls with exactly these arguments that came back."""
        wanted = Call(tool, args, "").key
        return [
            entry
            for entry in self.transcript.entries[since:]
            if isinstance(entry, Call) and entry.result is not None and entry.key == wanted
        ]

    def last(self, tool: str, since: int = 0, **args: Any) -> dict[str, Any] | None:
        """The newest result of such a call."""
        calls = self.results(tool, since, **args)
        return calls[-1].result if calls else None

    def every(self, tool: str) -> list[Call]:
        """All calls of a tool that came back, in order."""
        return [
            entry
            for entry in self.transcript.entries
            if isinstance(entry, Call) and entry.tool == tool and entry.result is not None
        ]

    def need(self, words: str, *calls: ToolCall, since: int = 0) -> list[dict[str, Any]]:
        """Results of these calls; raises Need with all that are missing, at once."""
        missing = [call for call in calls if self.last(call.tool, since, **call.args) is None]
        if missing:
            raise Need(words, missing)
        return [self.last(call.tool, since, **call.args) or {} for call in calls]

    def answer(self, slot: str) -> tuple[Answer, list[dict[str, str]]] | None:
        """The newest answer to a question of this task, with the options offered; raises Say when it was "stop"."""
        for entry in reversed(self.transcript.entries[self.since :]):
            if isinstance(entry, Call) and entry.tool == ASK and entry.slot == slot and entry.answer is not None:
                options = list(entry.args.get("options") or [])
                answer = read_answer(entry.answer, [option["label"] for option in options])
                if answer.stop:
                    raise Say(STOPPED)
                return answer, options
        return None

    def asked(self, slot: str) -> int:
        """How often this was asked and answered in this task."""
        return sum(
            isinstance(entry, Call) and entry.tool == ASK and entry.slot == slot and entry.answer is not None
            for entry in self.transcript.entries[self.since :]
        )

    def look(self, words: str, call: ToolCall, about: str, *, quiet: tuple[str, ...] = ()) -> Known | None:
        """One look at a live system. On an error nothing is called again before the user says so.

        Returns None for errors of a type in `quiet` (an absent table), and when the user goes on without.
        """
        result = self.need(words, call)[0]
        error = result.get("error")
        if not error:
            return Known(result, bool(result.get("verified", True)))
        if error.get("type") in quiet:
            return None
        slot = slug(f"failed {call.tool} {' '.join(str(value) for value in call.args.values())}")
        failures = len([entry for entry in self.results(call.tool, **call.args) if (entry.result or {}).get("error")])
        reply = self.answer(slot)
        if reply is None or self.asked(slot) < failures:
            raise Ask(slot, failure_sentence(error, about), _ways_on(call))
        label = reply[1][reply[0].index]["label"] if reply[0].index is not None else ""
        if label == GO_ON:
            raise Need("I go on from the standard schema; nothing is read.", [call])
        if label == TRY_AGAIN:
            raise Need("I am trying that once more.", [call])
        raise Say(STOPPED)


def _ways_on(call: ToolCall) -> list[Choice]:
    ways = [Choice(TRY_AGAIN)]
    if call.tool in ("get_fields", "list_objects"):
        ways.append(Choice(GO_ON, "field names from the vendor's references, not verified with your account"))
    return [*ways, Choice(STOP)]


def failure_sentence(error: dict[str, Any], about: str) -> str:
    """What happened, what it means, what to do."""
    message = str(error.get("message") or f"{about} did not answer as expected").strip()
    if not message.endswith((".", "?", "!")):
        message += "."
    parts = [message]
    if "nothing was" not in message.casefold():
        parts.append("Nothing was read.")
    advice = str(error.get("next") or "").strip()
    if advice and advice not in message:
        parts.append(advice if advice.endswith((".", "?", "!")) else f"{advice}.")
    return " ".join([*parts, "How shall I go on?"])


def lexicon_of(transcript: Transcript) -> Lexicon:
    """All systems that find_drivers and load_driver told about, with the objects that were listed.

    A system whose manifest has words for its objects keeps those; of others each object's own name is its word.
    """
    drivers: dict[str, dict[str, Any]] = {}
    for entry in transcript.entries:
        if not isinstance(entry, Call) or not entry.result:
            continue
        found: Sequence[dict[str, Any]] = ()
        if entry.tool == "find_drivers":
            found = entry.result.get("drivers") or ()
        elif entry.tool == "load_driver" and entry.result.get("driver"):
            found = (entry.result["driver"],)
        for driver in found:
            drivers[driver["name"]] = {**drivers.get(driver["name"], {}), **driver}
    for entry in transcript.entries:
        if isinstance(entry, Call) and entry.tool == "list_objects" and entry.result and entry.result.get("objects"):
            name = str(entry.result.get("system") or entry.args.get("system"))
            if name in drivers and not drivers[name].get("words"):
                drivers[name] = {**drivers[name], "words": _words(entry.result["objects"])}
    return Lexicon.of(drivers.values())


def _words(objects: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    return {entry["name"]: [" ".join(name_tokens(entry["name"].rpartition(".")[2]))] for entry in objects}

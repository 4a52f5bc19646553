"""The dialog as a state machine over its history: each time everything said and seen is read anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .changes import apply
from .compose import compose
from .explain import and_list, explanation, last_words
from .help import ENGLISH_ONLY, capabilities, delete_answer, lost
from .history import Call, Transcript
from .knowledge import STOPPED, Knowledge, lexicon_of
from .lexicon import Lexicon
from .periods import asks_for_figures
from .plan import Plan
from .recover import recover
from .replay import State, replay
from .request import Request
from .rewrite import reschedule, which_script, with_schedule
from .steps import Ask, Need, Say, Step, ToolCall
from .task import make_plan

__all__ = ["next_step"]

SYSTEMS = 6  # connected systems that are asked for their words at most


def next_step(transcript: Transcript) -> Step:
    """What to do now; a pure function of the transcript."""
    if not transcript.prompts:
        return Say(capabilities(Lexicon()))
    try:
        _converse(transcript)
    except (Need, Ask, Say) as step:
        return step
    return Say(lost(lexicon_of(transcript), ""))


def _converse(transcript: Transcript) -> None:
    known = Knowledge(transcript)
    known.need("", ToolCall("find_drivers", {"text": ""}))
    lexicon = lexicon_of(transcript)
    state = replay(transcript, lexicon)
    if state.kind == "lost" or (state.request and _unclear(state.request)):
        lexicon = _learn_words(known, lexicon)
        state = replay(transcript, lexicon)
    known.since = state.since
    if state.kind == "foreign":
        raise Say(ENGLISH_ONLY)
    if state.kind == "help":
        raise Say(capabilities(lexicon))
    if state.kind == "delete":
        raise Say(delete_answer(state.deleted))
    if state.kind == "stop":
        raise Say(STOPPED)
    if state.kind == "lost" or (state.request is None and not state.changes):
        raise Say(lost(lexicon, _written_name(known)))
    if state.request is None:
        state.request = _loose(state, known, lexicon)
        known.since = state.last_prompt
    _work(state, state.request, known, lexicon)


def _unclear(request: Request) -> bool:
    """No source is named, or what is asked for may be a question about objects that were not seen yet."""
    asks = request.kind == "copy" and not request.target and not request.files and asks_for_figures(request.text)
    return not request.unknown_system and (not request.source or asks)


def _learn_words(known: Knowledge, lexicon: Lexicon) -> Lexicon:
    """Where no source is named, what the connected systems call their objects may tell it."""
    names = [name for name, system in lexicon.systems.items() if system.connected][:SYSTEMS]
    labels = and_list([lexicon.label(name) for name in names])
    words = f"I am loading what I know about {labels}." if names else ""
    known.need(words, *(ToolCall("load_driver", {"name": name}) for name in names))
    if asks_for_figures(known.transcript.prompts[-1].text):
        silent = [name for name in names if lexicon.systems[name].kind == "sql"]
        words = f"I am looking at what is in {and_list([lexicon.label(name) for name in silent])}, reading only."
        known.need(words, *(ToolCall("list_objects", {"system": name}) for name in silent))
    return lexicon_of(known.transcript)


def _written_name(known: Knowledge) -> str:
    calls = known.every("write_script")
    return str(calls[-1].args.get("name")) if calls else ""


def _loose(state: State, known: Knowledge, lexicon: Lexicon) -> Request:
    """A change while this dialog made nothing: of a script that the notebook has."""
    known.since = state.last_prompt
    words = "I am looking at the scripts of this notebook."
    found = known.need(words, ToolCall("current_scripts", {}), since=state.last_prompt)[0]
    scripts = found.get("scripts") or []
    if not scripts:
        raise Say("There is no script in this notebook yet to change. Say what you need first.")
    script = which_script(scripts, state.text, known)
    if all(change.op == "schedule" for change in state.changes):
        reschedule(script, state.changes[-1].values[0], known, state.last_prompt)
    request = recover(script["name"], script["code"], lexicon)
    if request is None:
        raise Say(
            f"`{script['name']}` does more than I can change in the guided mode; I can set its schedule. "
            "Describe the whole of what you need, and I write a new one."
        )
    state.kind = "change"
    return apply(request, list(state.changes))


def _work(state: State, request: Request, known: Knowledge, lexicon: Lexicon) -> None:
    """Plan, write, and say so."""
    plan = _named(make_plan(request, known, lexicon, state.today), known)
    code, edited = _text(plan, state, known)
    earlier = [call for call in known.every("write_script") if call.args.get("name") == plan.name]
    written = [call for call in earlier if _since(call, known.transcript, state.last_prompt)]
    same = [call for call in written if call.args.get("code") == code]
    notes = [*plan.notes, *_schedule_notes(state, request, plan), *edited]
    if not plan.verified:
        notes.append("Names come from the standard schema and are not verified.")
    if same:
        _refused(same[-1])
        raise Say(last_words(plan, notes, changed=len(earlier) > len(written)))
    if earlier and not written and earlier[-1].args.get("code") == code and not edited:
        if state.kind == "continue":
            raise Say(last_words(plan, notes, changed=False))
        raise Say(f"That changes nothing: the script `{plan.name}` is already so. {' '.join(plan.notes)}".strip())
    lines = explanation(plan, state.today)
    if request.schedule and request.schedule.cron:
        lines.insert(0, f"runs {request.schedule.words} once it is exported and started,")
    raise Need("", [ToolCall("write_script", {"name": plan.name, "code": code, "explanation": lines})])


def _named(plan: Plan, known: Knowledge) -> Plan:
    """A changed script keeps its name, unless it became another kind."""
    names = [
        str(call.args.get("name"))
        for call in known.every("write_script")
        if _since(call, known.transcript, known.since)
    ]
    if names and _kind_of(names[-1]) == _kind_of(plan.name):
        return replace(plan, name=names[-1])
    return plan


def _kind_of(name: str) -> str:
    return name.rpartition("_to_")[2] if "_to_" in name else name.rpartition("_")[2]


def _text(plan: Plan, state: State, known: Knowledge) -> tuple[str, list[str]]:
    """The script, and what to say where the user edited it by hand: a schedule changes one line of what is there."""
    code = compose(plan)
    before = [call for call in known.every("write_script") if call.args.get("name") == plan.name]
    if state.kind not in ("change", "schedule_only") or not before:
        return code, []
    words = "I am looking at the script as it is now."
    found = known.need(words, ToolCall("current_scripts", {}), since=state.last_prompt)[0]
    current = next((entry for entry in found.get("scripts") or () if entry["name"] == plan.name), None)
    ours = {str(call.args.get("code")) for call in before}
    if current is None or current["code"] in ours:
        return code, []
    if state.kind == "schedule_only" and (changed := with_schedule(current["code"], plan.cron)):
        return changed, ["Your own edits of it are kept."]
    return code, [f"You edited `{plan.name}` by hand; this version is made from our dialog and does not hold that."]


def _schedule_notes(state: State, request: Request, plan: Plan) -> Sequence[str]:
    schedule = request.schedule
    if not schedule:
        return []
    notes = [f"Note: {schedule.problem}."] if schedule.problem else []
    if state.kind == "schedule_only":
        notes.insert(0, f"One line changed: it {_when(schedule.cron, schedule.words)}.")
        if schedule.cron and plan.target and plan.plain and not plan.cursor:
            notes.append('Each run compares everything; say "only what changed" to read just the changes.')
    return notes


def _when(cron: str | None, words: str) -> str:
    return f"runs {words} once it is exported and started" if cron else "runs only when you run it"


def _refused(call: Call) -> None:
    result: dict[str, Any] = call.result or {}
    problems = [str(entry) for entry in (result.get("script") or {}).get("problems") or ()]
    error = result.get("error")
    if error or problems:
        said = str((error or {}).get("message") or " ".join(problems))
        raise Say(f"I could not put the script into the notebook: {said} Nothing was written.")


def _since(call: Call, transcript: Transcript, place: int) -> bool:
    return any(entry is call for entry in transcript.entries[place:])

"""The dialog as a state machine over its history: each time everything said and seen is read anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from .changes import apply, read_changes
from .compose import compose
from .explain import explanation, last_words
from .help import capabilities, delete_answer
from .history import ASK, Call, Prompt, Transcript
from .knowledge import Knowledge, lexicon_of
from .lexicon import Lexicon
from .parse import is_delete, is_help, parse
from .request import Request
from .rewrite import reschedule
from .spoken import VERBS
from .steps import Ask, Need, Say, Step, ToolCall
from .task import make_plan

__all__ = ["next_step"]

_NEW = re.compile(
    r"\b(?:new|another|different|second|separate) (?:script|sync|integration|export|task|job|one)\b", re.IGNORECASE
)
_CONTINUE = re.compile(
    r"^\W*(?:(?:ok|okay|yes|please|now|and|then|i have|i've|it is|it's|is|done|all)\W+)*(?:go on|continue|proceed|try "
    r"again|again|retry|done|connected(?: now)?|ready|yes|ok|okay|perfect|great|thanks|looks good|good|carry on|"
    r"start)\W*$",
    re.IGNORECASE,
)
_STOP = re.compile(r"^\W*(?:stop|cancel|abort|forget it|never ?mind)\W*$", re.IGNORECASE)
_VERB = re.compile(
    rf"^\W*(?:(?:now|next|then|also|and|please|can you|could you|great|perfect|ok|okay|thanks|thank "
    rf"you)\W+)*(?:{VERBS})\b",
    re.IGNORECASE,
)


@dataclass
class _State:
    """The request at hand, where it began, and what the newest prompt was."""

    request: Request | None = None
    since: int = 0
    kind: str = "new"  # of the newest prompt: new, change, help, delete, stop, lost, continue, schedule
    today: date = date(1970, 1, 1)
    last_prompt: int = 0


def next_step(transcript: Transcript) -> Step:
    """What to do now; a pure function of the transcript."""
    if not transcript.prompts:
        return Say(capabilities(Lexicon()))
    try:
        _converse(transcript)
    except (Need, Ask, Say) as step:
        return step
    return Say(capabilities(lexicon_of(transcript)))


def _converse(transcript: Transcript) -> None:
    known = Knowledge(transcript)
    known.need("", ToolCall("find_drivers", {"text": ""}))
    lexicon = lexicon_of(transcript)
    state = _replay(transcript, lexicon)
    known.since = state.since
    prompt = transcript.prompts[-1]
    if state.kind == "help":
        raise Say(capabilities(lexicon))
    if state.kind == "delete":
        raise Say(delete_answer(prompt.text))
    if state.kind == "stop":
        raise Say("Stopped. Nothing was written; say what you need whenever you like.")
    if state.request is None or state.kind == "schedule":
        reschedule(prompt, known, lexicon, state.last_prompt)
        raise Say(_lost(lexicon))
    if state.kind == "lost":
        raise Say(_lost(lexicon))
    _work(state, known, lexicon)


def _lost(lexicon: Lexicon) -> str:
    return f"I did not understand that. {capabilities(lexicon)}"


def _replay(transcript: Transcript, lexicon: Lexicon) -> _State:
    """Everything the user said, in order, as one request."""
    state = _State()
    for place, entry in enumerate(transcript.entries):
        if isinstance(entry, Prompt):
            state.today = entry.day
            state.last_prompt = place
            _prompt(entry, place, state, lexicon)
        elif isinstance(entry, Call) and entry.tool == ASK and entry.answer is not None and state.request:
            _answered(entry, state, lexicon)
    return state


def _answered(call: Call, state: _State, lexicon: Lexicon) -> None:
    from .answers import read_answer

    labels = [option["label"] for option in call.args.get("options") or ()]
    answer = read_answer(call.answer or "", labels)
    if answer.extra and state.request:
        state.request = apply(state.request, read_changes(answer.extra, lexicon, state.today))


def _prompt(prompt: Prompt, place: int, state: _State, lexicon: Lexicon) -> None:
    text = prompt.text
    before = state.request
    if is_help(text) and not (before and _CONTINUE.match(text)):
        state.kind = "help"
        return
    if is_delete(text, lexicon, has_script=before is not None):
        state.kind = "delete"
        return
    if _STOP.match(text):
        state.kind = "stop"
        return
    request = parse(text, lexicon, prompt.day)
    changes = read_changes(text, lexicon, prompt.day)
    if before is None:
        if _has_content(request):
            state.request, state.since, state.kind = request, place, "new"
        else:
            state.kind = "schedule" if any(change.op == "schedule" for change in changes) else "lost"
        return
    if _CONTINUE.match(text):
        state.kind = "continue"
        return
    if _is_new(text, request, before, lexicon):
        if not request.source and not request.target and not request.files and request.kind == "copy":
            request = replace(request, source=before.source, target=before.target, files=before.files)
        state.request, state.since, state.kind = request, place, "new"
    elif changes:
        if all(change.op == "schedule" for change in changes):
            state.kind = "schedule_only"
        else:
            state.kind = "change"
        state.request = apply(before, changes)
    else:
        state.kind = "lost"


def _has_content(request: Request) -> bool:
    systems = bool(request.source or request.target or request.unknown_system)
    return bool(
        request.kind == "question"
        or systems
        or (
            request.subject
            and (request.files or request.fields or request.window or request.limit or _VERB.match(request.text))
        )
        or request.source_table
    )


def _is_new(text: str, request: Request, before: Request, lexicon: Lexicon) -> bool:
    """A prompt that asks for something else than a change of what was made."""
    if _NEW.search(text) or request.kind == "question":
        return True
    if request.source and (request.target or request.files) and request.subject:
        return True
    called = {tuple(words) for words in lexicon.object_words()}
    from .words import singular, tokens

    ones = tuple(singular(word) for word in tokens(request.subject))
    other = ones in called and ones != tuple(singular(word) for word in tokens(before.subject))
    verb = _VERB.match(text)
    added = re.search(r"\b(?:add|include|drop|remove|also (?:add|the)|with)\b", text, re.IGNORECASE)
    return bool(other and verb and not added)


def _work(state: _State, known: Knowledge, lexicon: Lexicon) -> None:
    assert state.request is not None
    request = state.request
    plan = make_plan(request, known, lexicon)
    code = compose(plan)
    lines = explanation(plan, state.today)
    problem = [f"Note: {request.schedule.problem}."] if request.schedule and request.schedule.problem else []
    earlier = [call for call in known.every("write_script") if call.args.get("name") == plan.name]
    written = [call for call in earlier if _since(call, known.transcript, state.last_prompt)]
    notes = [*plan.notes, *problem]
    if state.kind == "schedule_only" and request.schedule and request.schedule.cron:
        notes.append(f"It runs {request.schedule.words} once it is exported and started.")
    same = [call for call in written if call.args.get("code") == code]
    if same:
        problems = list(((same[-1].result or {}).get("script") or {}).get("problems") or ())
        error = (same[-1].result or {}).get("error")
        if error or problems:
            said = str((error or {}).get("message") or " ".join(map(str, problems)))
            raise Say(f"I could not put the script into the notebook: {said} Nothing was written.")
        raise Say(last_words(plan, notes, changed=len(earlier) > len(written)))
    if earlier and not written and earlier[-1].args.get("code") == code:
        raise Say(f"That changes nothing: the script `{plan.name}` is already so.")
    if request.schedule and request.schedule.cron:
        lines.insert(0, f"runs {request.schedule.words} once it is exported and started,")
    explained = lines
    raise Need("", [ToolCall("write_script", {"name": plan.name, "code": code, "explanation": explained})])


def _since(call: Call, transcript: Transcript, place: int) -> bool:
    return any(entry is call for entry in transcript.entries[place:])

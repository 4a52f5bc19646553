"""Everything the user said, in order, as one request: what is new, what changes it, what is neither."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from .answers import read_answer
from .changes import Change, apply, read_changes
from .history import ASK, Call, Prompt, Transcript
from .intents import is_delete, is_help
from .lexicon import Lexicon
from .parse import parse
from .request import FileWish, Request
from .spoken import FOREIGN, VERBS
from .words import singular, tokens

__all__ = ["State", "replay"]

_NEW = re.compile(
    r"\b(?:new|another|different|second|separate) (?:script|sync|integration|export|task|job|one)\b", re.IGNORECASE
)
_CONTINUE = re.compile(
    r"^\W*(?:(?:ok|okay|yes|please|now|and|then|i have|i've|it is|it's|is|done|all)\W+)*(?:go on|continue|proceed|"
    r"try again|again|retry|done|connected(?: now)?|ready|yes|ok|okay|perfect|great|thanks|thank you|looks good|good|"
    r"carry on|start)\W*$",
    re.IGNORECASE,
)
_STOP = re.compile(r"^\W*(?:stop|cancel|abort|forget it|never ?mind)\W*$", re.IGNORECASE)
_LEAD = r"^\W*(?:(?:now|next|then|also|and|please|can you|could you|great|perfect|ok|okay|thanks|thank you)\W+)*"
_VERB = re.compile(rf"{_LEAD}(?:{VERBS})\b", re.IGNORECASE)
_ADDING = re.compile(r"\b(?:add|include|drop|remove|also (?:add|the)|with)\b", re.IGNORECASE)
_DELETE_WORD = re.compile(
    r"\b(?:delete|remove|erase|purge|truncate|drop|wipe|clean out|clear out|get rid of|destroy|archive|void)\b",
    re.IGNORECASE,
)
_REPORT = re.compile(r"\b(?:report|those|them|these|which ones|csv|json|list|show)\b", re.IGNORECASE)


@dataclass
class State:
    """Where the dialog stands.

    `kind` is what the newest words were: new, change, schedule_only, continue, help, delete, stop, lost, foreign, or
    loose (a change, while nothing was made in this dialog). `since` is where the task at hand starts.
    """

    request: Request | None = None
    since: int = 0
    kind: str = "new"
    today: date = date(1970, 1, 1)
    last_prompt: int = 0
    text: str = ""
    changes: tuple[Change, ...] = ()
    deleted: Request | None = None  # what was asked to be deleted, for a report of it


def replay(transcript: Transcript, lexicon: Lexicon) -> State:
    """The state after everything that was said."""
    state = State()
    for place, entry in enumerate(transcript.entries):
        if isinstance(entry, Prompt):
            state.today, state.last_prompt, state.text = entry.day, place, entry.text
            _said(entry.text, place, state, lexicon)
        elif isinstance(entry, Call) and entry.tool == ASK and entry.answer is not None:
            _answered(entry, place, state, lexicon)
    return state


def _answered(call: Call, place: int, state: State, lexicon: Lexicon) -> None:
    """More wishes in an answer; or another request instead of one."""
    labels = [option["label"] for option in call.args.get("options") or ()]
    answer = read_answer(call.answer or "", labels)
    if answer.index is None and not answer.stop and _is_request(call.answer or "", state, lexicon):
        state.last_prompt, state.text = place, call.answer or ""
        _said(call.answer or "", place + 1, state, lexicon)
    elif answer.extra and state.request:
        state.request = apply(state.request, read_changes(answer.extra, lexicon, state.today))


def _is_request(text: str, state: State, lexicon: Lexicon) -> bool:
    if is_delete(text, lexicon, has_script=True):
        return True
    request = parse(text, lexicon, state.today)
    return bool(_VERB.match(text) and request.subject and request.source and (request.target or request.files))


def _said(text: str, place: int, state: State, lexicon: Lexicon) -> None:
    before = state.request
    state.changes = ()
    if _is_foreign(text):
        state.kind = "foreign"
    elif is_help(text) and not (before and _CONTINUE.match(text)):
        state.kind = "help"
    elif is_delete(text, lexicon, has_script=before is not None):
        state.kind = "delete"
        plain = _DELETE_WORD.sub("export", text, count=1)
        state.deleted = replace(parse(plain, lexicon, state.today), kind="copy")
    elif _STOP.match(text):
        state.kind = "stop"
    elif before and _CONTINUE.match(text):
        state.kind = "continue"
    else:
        _request(text, place, state, lexicon)


def _request(text: str, place: int, state: State, lexicon: Lexicon) -> None:
    before, deleted = state.request, state.deleted
    request = parse(text, lexicon, state.today)
    changes = read_changes(text, lexicon, state.today)
    state.deleted = None
    if deleted and deleted.subject and not request.subject and _REPORT.search(text):
        files = request.files or (FileWish("csv"),)
        state.request = replace(deleted, files=files, source=deleted.source or request.source, target="")
        state.since, state.kind = place, "new"
        return
    if before is None:
        if _has_content(request, lexicon):
            state.request, state.since, state.kind = request, place, "new"
        else:
            state.kind, state.changes = ("loose", tuple(changes)) if changes else ("lost", ())
    elif _is_new(text, request, before, lexicon):
        if not request.source and not request.target and not request.files and request.kind == "copy":
            request = replace(request, source=before.source, target=before.target, files=before.files)
        state.request, state.since, state.kind = request, place, "new"
    elif changes:
        only = all(change.op == "schedule" for change in changes)
        state.kind = "schedule_only" if only else "change"
        state.request = apply(before, changes)
    else:
        state.kind = "lost"


def _has_content(request: Request, lexicon: Lexicon) -> bool:
    if request.kind == "question" or request.source or request.unknown_system or request.source_table:
        return True
    narrowed = request.files or request.fields or request.window or request.limit or request.target
    if request.target and not request.subject:
        return bool(_VERB.match(request.text)) and not request.table
    is_object = tuple(singular(word) for word in tokens(request.subject)) in lexicon.object_words()
    return bool(request.subject and (narrowed or is_object or _VERB.match(request.text)))


def _is_new(text: str, request: Request, before: Request, lexicon: Lexicon) -> bool:
    """Words that ask for something else than a change of what was made."""
    if _NEW.search(text) or request.kind == "question":
        return True
    if request.source and (request.target or request.files) and request.subject:
        return True
    said = tuple(singular(word) for word in tokens(request.subject))
    is_other = said in lexicon.object_words() and said != tuple(singular(word) for word in tokens(before.subject))
    return bool(is_other and _VERB.match(text) and not _ADDING.search(text))


def _is_foreign(text: str) -> bool:
    """Two words that only another language has, and none of the smallest English ones."""
    words = set(tokens(text))
    english = {"the", "from", "to", "of", "and", "all", "with", "for", "my", "our", "please", "only", "in", "this"}
    return len(words & FOREIGN) >= 2 and not words & english

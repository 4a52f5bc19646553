"""Change requests: what "also add the phone number" does to the request before."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from .clauses import condition_phrases
from .goals import take_changes_only
from .lexicon import Lexicon
from .outputs import CUT, Text, take_files, take_key, take_limit, take_table
from .request import FileWish, Request
from .schedules import find_schedule
from .windows import find_window
from .words import likeness, singular, split_list, tokens, word_set

__all__ = ["Change", "apply", "read_changes"]


@dataclass(frozen=True)
class Change:
    """One wish. `op` is one of add, drop, only, everything (fields), rename, window, filter, unfilter, limit, key,
    schedule, changes_only, table, format, more_files, target, goals, name.
    """

    op: str
    values: tuple[Any, ...] = ()


_TAIL = (
    rf"(?=[.;!?{CUT}]|$|,? (?:and|but) (?:only|drop|remove|leave|rename|call|run|write|save|put|add|include|make|"
    r"without)\b)"
)
_POLITE_TAIL = (
    r"(?:\s+(?:too|as well|also|please|pls|plz|to it|to the script|to the list|to the table|to the file|to that|"
    r"to this|"
    r"from it|from the script|from the list|any ?more|any longer))*"
)
_RENAME = re.compile(
    r"\brename (?:the )?(?:columns? |fields? )?(?P<a>[\w .-]+?) (?:to|into|as|in) (?P<b>\w+)|"
    r"\bcall (?:the )?(?:columns? |fields? )(?P<a2>[\w .-]+?) (?P<b2>\w+)(?= |$|[.,;!])|"
    r"\b(?:the )?(?:column|field) (?P<a3>[\w .-]+?) (?:should|must|has to|needs to) be (?:called|named) (?P<b3>\w+)|"
    r"\b(?:the )?(?P<a4>[\w]+)(?: column| field)? (?:should|must|has to|needs to) be (?:called|named) (?P<b4>\w+)|"
    r"\bcall (?:the )?(?P<a5>[\w]+) (?P<b5>[a-z]\w*) instead\b",
    re.IGNORECASE,
)
_TABLE = re.compile(
    r"\b(?:call|name|rename) (?:the |that |this )?(?:target )?table (?:to )?[\"'`]?(?P<a>\w+(?:\.\w+)?)|"
    r"\btable (?:should|must|needs to|has to) be (?:called|named) [\"'`]?(?P<b>\w+(?:\.\w+)?)|"
    r"\b(?:different|other|another) table[:,]? [\"'`]?(?P<c>\w+(?:\.\w+)?)",
    re.IGNORECASE,
)
_INSTEAD_FORMAT = re.compile(
    r"\b(?:instead of|rather than|in place of|not)(?: an?| the)? (?P<old>csv|json lines|jsonl|json|parquet|excel)(?: "
    r"files?)?\b|\binstead\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?:call|name|rename) (?:the |this |that )?script (?:to |as )?[\"'`]?(?P<a>[a-z][a-z0-9_]*)", re.IGNORECASE
)
_REMOVE_FILTER = re.compile(
    r"\b(?:all of them|without (?:any |the )?(?:filter|date filter|time limit|window|limit)s?|no (?:filter|date filter|"
    r"limit|time limit|window)s?|(?:remove|drop|forget|ignore) (?:the |all )?"
    r"(?:filter|filters|date filter|time window|window|time limit|limit|condition|conditions|restriction)s?|not only "
    r"(?:the )?(?:last|new)[^.]*|regardless of (?:the )?date|all time|of all time|from all time)\b",
    re.IGNORECASE,
)
_DROP = re.compile(
    rf"(?:\b(?:drop|remove|leave out|leave off|omit|skip|exclude|take out|get rid of|delete|without|minus|ignore|kick "
    rf"out|lose)\b|"
    rf"\b(?:i |we )?(?:don't|do not|no longer|doesn't|does not) (?:need|want|require|include|use|care about)\b|"
    rf"\bno\b)\s+(?P<what>.+?){_POLITE_TAIL}{_TAIL}",
    re.IGNORECASE,
)
_WITHOUT_THE = re.compile(rf"\bwithout (?:the|their) (?P<what>.+?){_POLITE_TAIL}{_TAIL}", re.IGNORECASE)
_LEAVE = re.compile(
    rf"\b(?:leave|take) (?P<what>(?:the |their )?[\w ,]+?) (?:out|off|away)\b{_POLITE_TAIL}", re.IGNORECASE
)
_ADD = re.compile(
    rf"(?:\b(?:add|include|append|bring|take|put in|extend (?:it )?(?:with|by)|extend|with|plus|additionally|in "
    rf"addition|also|and|together with|i also (?:need|want)|we also (?:need|want)|i need|we need|i want|need|want|"
    rf"(?:is|are) missing)\b[:,]?\s+)+(?P<what>.+?){_POLITE_TAIL}{_TAIL}",
    re.IGNORECASE,
)
_MISSING = re.compile(r"^(?P<what>(?:the |their )?[\w ,]+?) (?:is|are) missing", re.IGNORECASE)
_ONLY_FIELDS = re.compile(
    rf"\b(?:only|just)\s+(?:keep |take |use |include |want |need )?(?:the |their )?(?P<what>.+?)(?: (?:columns?|"
    rf"fields?))?{_POLITE_TAIL}{_TAIL}",
    re.IGNORECASE,
)
_ALL_FIELDS = re.compile(
    r"\b(?:all|every)(?: of)?(?: the| their| its)? (?:available |other |remaining )?(?:fields?|columns?)\b|"
    r"\beverything\b",
    re.IGNORECASE,
)


def read_changes(text: str, lexicon: Lexicon, today: date) -> list[Change]:
    """The wishes in a sentence that changes an earlier request; empty when it holds none."""
    work = Text(re.sub(r"\s+", " ", text.replace("’", "'")).strip())
    found: list[Change] = []
    schedule = find_schedule(work.rest)
    if schedule:
        for span in sorted(schedule.spans, reverse=True):
            work.cut(*span)
        found.append(Change("schedule", (schedule,)))
    if take_changes_only(work):
        found.append(Change("changes_only"))
    while match := work.take(_TABLE):
        found.append(Change("table", (next(value for value in match.groups() if value),)))
    while match := work.take(_NAME):
        found.append(Change("name", (match["a"],)))
    while match := work.take(_RENAME):
        old, new = (value for value in match.groups() if value)
        found.append(Change("rename", (old.strip(), new)))
    if work.take(_REMOVE_FILTER):
        found.append(Change("unfilter"))
    window = find_window(work.rest, today)
    if window:
        begin = re.search(
            r"(?:\b(?:only|just|the ones|those|ones|leads?|make it|change it to|limit it to|use)\b[\s,]*(?:the\s+)?)+$",
            work.rest[: window.span[0]],
            re.IGNORECASE,
        )
        work.cut(begin.start() if begin else window.span[0], window.span[1])
        found.append(Change("window", (window,)))
    key = take_key(work)
    if key:
        found.append(Change("key", (key,)))
    files = _take_files(work)
    found += files
    table, _ = take_table(work)
    if table:
        found.append(Change("table", (table,)))
    _, target = _take_systems(work, lexicon)
    if target:
        found.append(Change("target", (target,)))
    limit, order, ascending = take_limit(work)
    if limit:
        found.append(Change("limit", (limit, order, ascending)))
    if work.take(_ALL_FIELDS):
        found.append(Change("everything"))
    if match := work.take(_WITHOUT_THE):  # the column; "without an email" speaks of records
        found.append(Change("drop", tuple(filter(None, map(_clean, split_list(match["what"]))))))
    for phrase in condition_phrases(work, lexicon):
        found.append(Change("filter", (phrase,)))
    found += _fields(work, lexicon)
    return found


def _take_files(work: Text) -> list[Change]:
    more = re.search(r"\b(?:also|too|additionally|as well|plus|and)\b", work.rest, re.IGNORECASE)
    instead = work.take(_INSTEAD_FORMAT)
    files = take_files(work)
    if not files:
        return []
    if more and not instead:
        return [Change("more_files", files)]
    return [Change("format", files), *([Change("target", ("",))] if instead else [])]


def _take_systems(work: Text, lexicon: Lexicon) -> tuple[str, str]:
    mentions = lexicon.mentions(work.rest)
    for mention in reversed(mentions):
        before = work.rest[: mention.start]
        lead = re.search(r"\b(?:in ?to|to|onto|into)(?: our| the| my)?\s*$", before, re.IGNORECASE)
        if lead:
            work.cut(lead.start(), mention.end)
            return "", mention.system
    return "", ""


def _fields(work: Text, lexicon: Lexicon) -> list[Change]:
    objects = set(lexicon.object_words())
    found = []
    for op, pattern in (("drop", _DROP), ("drop", _LEAVE), ("only", _ONLY_FIELDS), ("add", _MISSING), ("add", _ADD)):
        while match := work.take(pattern):
            phrases = tuple(phrase for phrase in map(_clean, split_list(match["what"].replace(CUT, ","))) if phrase)
            if op == "only":
                phrases = tuple(entry for entry in phrases if tuple(map(singular, tokens(entry))) not in objects)
            if phrases:
                found.append(Change(op, phrases))
    return found


_NOISE = re.compile(
    r"^(?:(?:the|their|its|his|her|a|an|also|and|only|just|please|my|our|columns?|fields?|of|it|with|add|include|for|"
    r"each|lead's)\s+)+|"
    r"(?:\s+(?:columns?|fields?|please|pls|plz|too|as well|also|instead|of them|to it|for each|any ?more|"
    r"any longer))+$",
    re.IGNORECASE,
)
_TIME_CODE = re.compile(r"\b(?:days_ago|start_of|now|datetime|date)\(")
_EMPTY = word_set(
    "the a an it this that them these those please too also well perfect great good fine thanks thank you but and "
    "i want to run ok okay yes no only just ones leads one now instead again not me my make looks look like be is "
    "are do does should in into as on by for with of data records rows script have has which who whose"
)


def _clean(phrase: str) -> str:
    before = None
    while before != phrase:
        before, phrase = phrase, _NOISE.sub("", phrase.strip(" .,;:!?\"'`"))
    words = tokens(phrase)
    return "" if not words or set(words) <= _EMPTY or len(words) > 6 else phrase


def apply(request: Request, changes: list[Change]) -> Request:
    """The request with these wishes added, replaced or taken away."""
    for change in changes:
        values = change.values
        match change.op:
            case "add":
                known = {phrase.casefold() for phrase in request.fields}
                fresh = tuple(phrase for phrase in values if phrase.casefold() not in known)
                drops = tuple(
                    entry for entry in request.drops if not any(likeness(entry, value) > 0.9 for value in values)
                )
                request = replace(request, added=(*request.added, *fresh), drops=drops)
            case "drop":
                request = replace(
                    request,
                    drops=(*request.drops, *values),
                    added=tuple(
                        entry for entry in request.added if not any(likeness(entry, value) > 0.9 for value in values)
                    ),
                )
            case "only":
                request = replace(request, fields=values, added=(), drops=(), withs=(), everything=False, exact=False)
            case "everything":
                request = replace(request, everything=True)
            case "window":
                times = tuple(entry for entry in request.filters if not _TIME_CODE.search(entry.code))
                request = replace(request, window=values[0], filters=times)
            case "filter":
                request = replace(request, conditions=tuple(dict.fromkeys((*request.conditions, *values))))
            case "unfilter":
                request = replace(request, window=None, conditions=(), adjectives=(), limit=0, filters=())
            case "changes_only":
                request = replace(request, changes_only=True)
            case "table":
                request = replace(request, table=values[0])
            case "rename":
                request = replace(request, renames=(*request.renames, (values[0], values[1])))
            case "schedule":
                request = replace(request, schedule=values[0])
            case "format":
                request = replace(request, files=_named(values, request.files))
            case "more_files":
                formats = {wish.format for wish in request.files}
                request = replace(
                    request, files=(*request.files, *(wish for wish in values if wish.format not in formats))
                )
            case "limit":
                request = replace(request, limit=values[0], order=values[1], ascending=values[2])
            case "key":
                request = replace(request, key=values[0])
            case "target":
                request = replace(request, target=values[0])
            case "name":
                request = replace(request, name=values[0])
    return request


def _named(wishes: tuple[FileWish, ...], before: tuple[FileWish, ...]) -> tuple[FileWish, ...]:
    return tuple(wishes) or before

"""A sentence -> a Request. Knows English and what the lexicon says about systems and objects, nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from .clauses import condition_phrases, split_where
from .comparing import before, take_comparison
from .goals import take_changes_only, take_first_key, take_goals
from .intents import is_delete, is_help, is_show
from .lexicon import ANY_SQL, Lexicon
from .outputs import CUT, Text, take_files, take_key, take_limit, take_table
from .periods import per_unit
from .questions import read_question
from .request import Kind, Request
from .roles import find_systems, find_target_subject, find_unknown
from .schedules import find_schedule
from .subjects import clean, find_others, find_subject, is_phrase, leftover, object_in, until_mark
from .windows import find_window
from .words import split_list

__all__ = ["contents_of", "parse"]

_WITH = re.compile(
    r"(?:,?\s*\b(?:with|including|include|includes|incl\.?|containing|together with|along with|showing|plus|having)\b"
    r"(?: (?:the|their|its|all|these|following))*(?: (?:columns?|fields?|attributes?|properties))?(?: of)?:?\s+)",
    re.IGNORECASE,
)
_FIELDS = re.compile(
    r"(?:,|;|\.|\band\b|-|–)?\s*\b(?:i (?:only |just )?(?:want|need)|we (?:only |just )?(?:want|need)|only|just|"
    r"fields?|columns?|attributes|"
    r"properties|with only|with just|namely|i\.e\.|take|keep|use)\b(?: (?:the|their|its|these|following|only|just))*"
    r"(?: (?:columns?|fields?|attributes?|properties))?(?: are)?:?\s+",
    re.IGNORECASE,
)
_IN_SYNC = re.compile(
    r"\bkeep (?:our |the |my )?(?P<table>[\w.]+?)(?: table)? (?:in sync|synced|in step|up[ -]to[ -]date) with ",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\bwhen (?:they|it|he|she) (?:was |were |had |has |have |got |been |is |are )*(?P<verb>\w+)", re.IGNORECASE
)
_EVERYTHING = re.compile(
    r",?\s*(?:\bwith )?\b(?:everything(?: (?:you (?:can )?(?:find|have|get)|there is))?|(?:all|every|any) (?:of "
    r")?(?:the |their |its )?(?:available |possible |other )?"
    r"(?:fields?|columns?|attributes?|propert(?:y|ies)|data fields|details|information|data)|complete records|full "
    r"records|whole records)\b"
    r"(?: (?:of|about|on)\b)?",
    re.IGNORECASE,
)


_NOT_DONE = re.compile(  # customers who have not ordered anything, products that were never ordered
    r"\s+(?:(?:who|that|which) )?(?:(?:have|has|had|were|was|are|did|do|does) ?(?:not|n't|never)|haven't|hasn't|never)"
    r"(?: ever)?(?: been)? (?P<verb>ordered|order|booked|book|invoiced|invoice|shipped|purchased|purchase)"
    r"(?: (?:anything|any|yet|from us|with us))*(?=\W|$)",
    re.IGNORECASE,
)
_LACKS = re.compile(r"\b(?:without|with no|have no|has no)\b[^,.;]*$", re.IGNORECASE)


def _thing(verb: str) -> str:
    """ordered -> order."""
    return re.sub(r"ed$", "", verb.casefold())


def parse(text: str, lexicon: Lexicon, today: date) -> Request:
    """What a sentence asks for. `today` is the day it was written."""
    request = Request(text=text)
    if is_help(text):
        return replace(request, kind="help")
    kind: Kind = "delete" if is_delete(text) else "copy"
    plain = re.sub(r"[ \t]+", " ", text.strip().replace("’", "'"))
    plain = re.sub(r"\bw/ ?(?!o\b)", "with ", plain)
    plain = re.sub(r"\bw/o\b", "without", plain)
    plain = re.sub(r"\be?v[er]*ythi?n?g\b", "everything", plain, flags=re.IGNORECASE)
    plain = _NOT_DONE.sub(lambda match: f" without {_thing(match['verb'])}s", plain)
    plain, second_words, second, compares = take_comparison(plain, today)
    plain = per_unit(plain)
    plain = _IN_SYNC.sub(lambda match: f"sync to the table {match['table']} from ", plain)
    work = Text(_WHEN.sub(lambda match: f"{match['verb']} date", plain))
    schedule = find_schedule(work.rest)
    if schedule:
        for span in sorted(schedule.spans, reverse=True):
            work.cut(*span)
    changes_only = take_changes_only(work) or bool(schedule and schedule.cron)
    window = find_window(work.rest, today)
    lacks = bool(window and _LACKS.search(work.rest[: window.span[0]]))
    if window:
        if compares and not second:
            second = before(window, second_words)
        work.cut(*window.span)
    key = take_key(work)
    files = take_files(work)
    goals = take_goals(work, lexicon) if kind == "copy" else ()
    key = key or (take_first_key(work, lexicon) if goals else "")
    table, source_table = take_table(work)
    target_subject = find_target_subject(work, lexicon)
    role = "target" if table and not source_table else "source" if source_table and not table else ""
    source, target = find_systems(work, lexicon, role)
    limit, order, ascending = take_limit(work)
    unknown, role = find_unknown(work, lexicon, source, target)
    if table and not target and not unknown:
        target = ANY_SQL
    request = replace(
        request,
        kind=kind,
        compare=second,
        lacks_window=lacks,
        schedule=schedule,
        window=window,
        key=key,
        table=table,
        target_subject=target_subject,
        source_table=source_table,
        files=files,
        goals=goals,
        changes_only=changes_only,
        source=source,
        target=target,
        unknown_system=unknown,
        unknown_role=role,
        limit=limit,
        order=order,
        ascending=ascending,
    )
    if kind == "copy":
        asked = read_question(work.rest, request, lexicon)
        if asked:
            return asked
    found = _contents(work, request, lexicon)
    if kind == "copy" and not found.target and not found.files and (is_show(text) or (limit and order)):
        return replace(found, kind="show")
    return found


def _contents(work: Text, request: Request, lexicon: Lexicon) -> Request:
    """Object, fields and conditions from what is left of the sentence."""
    if work.take(_EVERYTHING):
        request = replace(request, everything=True)
    conditions = condition_phrases(work, lexicon)
    head, listed = _split_fields(work.rest)
    listed, more = split_where(listed)
    head, withs = _split_withs(head, lexicon)
    phrases = [phrase for phrase in split_list(listed.replace(CUT, ",")) if is_phrase(phrase)]
    found = next((hit for hit in _FIELDS.finditer(head) if object_in(head[: hit.start()], lexicon)), None)
    if not phrases and found:
        candidates = [phrase for phrase in split_list(until_mark(head[found.end() :])[0]) if is_phrase(phrase)]
        if candidates and not object_in(candidates[0], lexicon):
            phrases, head = candidates, head[: found.start()]
    subject, adjectives, before = find_subject(head, lexicon)
    others = find_others(head, subject, lexicon)
    return replace(
        request,
        subject=subject,
        others=others,
        adjectives=tuple(adjectives),
        fields=tuple(clean(phrase) for phrase in (*before, *phrases) if clean(phrase)),
        withs=tuple(clean(phrase) for phrase in withs if clean(phrase)),
        conditions=tuple(dict.fromkeys((*conditions, *more))),
        rest=leftover(head, [subject, *others, *adjectives, *before]) if subject else (),
    )


def _split_withs(head: str, lexicon: Lexicon) -> tuple[str, list[str]]:
    """The list after "with" or "including", where the object stands before it."""
    for found in _WITH.finditer(head):
        before, tail = head[: found.start()], head[found.end() :]
        tail, rest = until_mark(tail)
        items = split_list(tail)
        if items and (object_in(before, lexicon) or not object_in(tail, lexicon)) and before.strip(f" {CUT}"):
            return f"{before} {CUT} {rest}", items
    return head, []


def contents_of(text: str, request: Request, lexicon: Lexicon) -> Request:
    """Object, fields and conditions of a part of a sentence, the rest taken from `request`."""
    return _contents(Text(text), request, lexicon)


def _split_fields(text: str) -> tuple[str, str]:
    """The part before and the list after a colon, or in brackets, or as bullets."""
    if match := re.search(r"\(([^()]+)\)", text):
        return text[: match.start()] + f" {CUT} " + text[match.end() :], match[1]
    if match := re.search(r":\s*|\n\s*(?=[-*•]\s)", text):
        head, tail = text[: match.start()], text[match.end() :]
        if head.strip(f" {CUT}\n"):
            sentence = re.split(r"(?<=[^\d\s])\.\s+(?=[A-Z§])", tail, maxsplit=1)
            return head + (f" {CUT} {sentence[1]}" if len(sentence) > 1 else ""), sentence[0]
        return tail, ""
    return text, ""

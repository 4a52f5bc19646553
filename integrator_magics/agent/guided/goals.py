"""Further places that a sentence writes to: "to HubSpot, then to our DB and to a second table"."""

from __future__ import annotations

import re
from dataclasses import replace

from .lexicon import ANY_SQL, Lexicon, Mention
from .outputs import CUT, Text
from .request import Goal
from .subjects import object_in

__all__ = ["take_changes_only", "take_first_key", "take_goals"]

_NAME = r"[\"`]?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?[\"`]?"
_LINK = (
    r"(?:\s*[,;]\s*|\s+|^)(?:(?:and|then|also|plus|afterwards|after(?: that)?|next|finally|lastly|as well as|&|from "
    r"there(?: on)?|followed by|in addition|additionally|at the end|both)\b[\s,]*|&\s*)*"
)
_ACT = (
    r"(?:(?:sync|copy|write|push|put|send|store|save|load|insert|keep|bring|have|move|export)\s+(?:(?:them|it|those|"
    r"these|the same|everything|the result|a copy|all of them|all)\s+)?)?"
)
_PREP = r"(?P<prep>in ?to|onto|to|in|->|→|=>|-->)?"
_MINE = r"(?:(?:our|the|my|a|an|another|one|second|third|other|new|further|own|existing|target)\s+)*"
_INSIDE = r"\s+(?:in|inside|within|of|on|at)\s+(?:our |the |my )*"
_TABLE = rf"table (?:(?:called|named|with the name)\s+)?(?P<table>{_NAME}){_INSIDE}"
_OTHER = rf"(?P<other>{_NAME})\s+table{_INSIDE}"
_NO_NAME = rf"table{_INSIDE}"
_NOT_NAMED = r"(?!(?:and|then|with|where|every|from|by|for|too|as|in)\b)"
_BETWEEN = re.compile(
    rf"^(?P<kept>.*?)(?P<link>{_LINK})(?P<act>{_ACT}){_PREP}\s*{_MINE}(?:{_TABLE}|{_OTHER}|(?P<bare>{_NO_NAME}))?$",
    re.IGNORECASE | re.DOTALL,
)
_BEHIND = re.compile(
    rf"^(?:'s)?\s*(?:,\s*)?(?:\(\s*)?(?:(?:as|in|into|the)\s+)*(?:table\s+(?:(?:called|named)\s+)?(?P<table>{_NAME})|"
    rf"(?P<dotted>[A-Za-z_]\w*\.[A-Za-z_]\w*)(?:\s+table)?|(?P<snake>[a-z]\w*_\w+)(?:\s+table)?)\s*\)?",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"^\s*(?:,\s*)?(?:\(\s*)?(?:matched|matching|recogni[sz]ed|keyed|identified|match(?:ing)?)?\s*(?:them\s+)?(?:by|on)\s+"
    r"(?:their |the |its )?(?P<key>[\w -]+?)\)?(?=\s*(?:[,.;§)]|$|\b(?:and|then|every|each)\b))",
    re.IGNORECASE,
)
_ALONE = re.compile(
    rf"(?P<link>{_LINK}){_ACT}(?:in ?to|onto|to|in)\s+(?P<which>{_MINE})(?:database\s+|db\s+)?table\b"
    rf"(?:\s+(?:(?:called|named|with the name)\s+)?(?P<table>{_NOT_NAMED}{_NAME}))?",
    re.IGNORECASE,
)
_MORE = re.compile(r"\b(?:second|third|another|other|further|also|additionally)\b", re.IGNORECASE)
_ORDINALS = frozenset({"second", "third", "another", "other", "new", "further", "the", "a", "one", "our"})
_TO = re.compile(r"(?:\bin ?to|\bonto|\bto|->|→|=>|-->)(?: our| the| my| a| an)*\s*$", re.IGNORECASE)


_CHANGES = re.compile(
    r",?\s*(?:\b(?:and|but|please|read|reading|copy|sync|take|with|each|every|time|run|it|should|that|always)\s+)*"
    r"\b(?:(?:only|just) (?:(?:what|whatever|those that|the (?:ones|leads|records|rows) that|records that|rows that) "
    r"(?:has |have |was |were |is |are )?(?:changed|new or changed|changed or new|new)|the changes|changes)"
    r"(?: since (?:the |its )?last (?:run|time|sync))?|incremental(?:ly)?|changes only|delta(?:s)?(?: only)?|"
    r"what(?:ever)? (?:has )?changed since (?:the |its )?last (?:run|time|sync))\b(?: (?:sync|load|run))?",
    re.IGNORECASE,
)


def take_changes_only(work: Text) -> bool:
    """ "only what changed": cut out; was it there."""
    return work.take(_CHANGES) is not None


def take_goals(work: Text, lexicon: Lexicon) -> tuple[Goal, ...]:
    """The second and further targets, in order; each one's words are cut out of the text, the first stays there."""
    found: list[Goal] = []
    place = 1
    while place < len(mentions := lexicon.mentions(work.rest)):
        goal, span = _goal(work.rest, mentions, place, lexicon)
        if goal is None:
            place += 1
            continue
        found.append(goal)
        work.cut(*span)
    if alone := _table_alone(work, lexicon):
        found.append(alone)
    return tuple(found)


def take_first_key(work: Text, lexicon: Lexicon) -> str:
    """ "by email" right behind the first target of several."""
    for mention in lexicon.mentions(work.rest):
        if _TO.search(work.rest[: mention.start]) and (keyed := _KEY.match(work.rest[mention.end :])):
            work.cut(mention.end + keyed.start(), mention.end + keyed.end())
            return keyed["key"].strip()
    return ""


def _goal(text: str, mentions: list[Mention], place: int, lexicon: Lexicon) -> tuple[Goal | None, tuple[int, int]]:
    mention, before = mentions[place], mentions[place - 1]
    nothing: tuple[Goal | None, tuple[int, int]] = (None, (0, 0))
    between = _BETWEEN.match(text[before.end : mention.start])
    if between is None or CUT in between["link"] or not _is_goal_before(text, mentions, place, lexicon):
        return nothing
    kept, prep = between["kept"], between["prep"]
    said = object_in(kept, lexicon)
    if not prep and ((kept.strip() and not (said and len(kept.split()) <= 3)) or not between["link"].strip()):
        return nothing
    if not prep and re.match(r"\s*(?:ids?|keys?|links?)\b", text[mention.end :], re.IGNORECASE):
        return nothing
    if prep and not between["link"].strip() and not between["act"] and "-" not in prep and prep not in "→=>":
        is_link = bool(kept.strip()) or bool(between["table"])
        if not is_link and prep.casefold() == "in":
            return nothing  # "the table x in our DB" of the first target
    table = (between["table"] or _named(between["other"]) or "").strip('"`')
    end = mention.end
    if not table and (behind := _BEHIND.match(text[end:])):
        table = next(name for name in behind.groups() if name).strip('"`')
        end += behind.end()
    subject, length = _subject(text[end:], lexicon) if not table else ("", 0)
    end += length
    key = ""
    if keyed := _KEY.match(text[end:]):
        key = keyed["key"].strip()
        end += keyed.end()
    system = mention.system
    start = before.end + len(kept)
    return Goal(system, table, subject, key), (start, end)


def _named(name: str | None) -> str:
    return "" if name is None or name.casefold() in _ORDINALS else name


def _is_goal_before(text: str, mentions: list[Mention], place: int, lexicon: Lexicon) -> bool:
    """Is the system before it one that is written to: there is a first target then."""
    before = mentions[place - 1]
    if _TO.search(text[: before.start]):
        return True
    between = _BETWEEN.match(text[before.end : mentions[place].start])
    explicit = bool(
        between and between["prep"] and (between["link"].strip(" ,") or between["prep"] in ("->", "→", "=>"))
    )
    return explicit and any(_TO.search(text[: other.start]) for other in mentions[:place])


def _subject(text: str, lexicon: Lexicon) -> tuple[str, int]:
    """ "contacts" right behind a system: the object there."""
    match = re.match(r"(?:'s)?\s+(?:as |in |into )?(?P<what>[a-z]+(?: [a-z]+)?)", text, re.IGNORECASE)
    if not match:
        return "", 0
    for words in (match["what"], match["what"].split()[0]):
        if object_in(words, lexicon).casefold() == words.casefold():
            return words, match.start("what") + len(words)
    return "", 0


def _table_alone(work: Text, lexicon: Lexicon) -> Goal | None:
    """ "... and to a second table": a table beside a first target that is no table, or said to be another one."""
    mentions = lexicon.mentions(work.rest)
    goals = [entry for entry in mentions if _TO.search(work.rest[: entry.start])]
    if not goals:
        return None
    for match in _ALONE.finditer(work.rest, goals[0].end):
        first = goals[0].system
        is_sql = first == ANY_SQL or (first in lexicon.systems and lexicon.systems[first].kind == "sql")
        if is_sql and not _MORE.search(match[0]):
            continue
        if re.match(r"\s+(?:in|of)\s+(?:our |the |my )*", work.rest[match.end() :]) and any(
            entry.start >= match.end() for entry in mentions
        ):
            continue
        table = (match["table"] or "").strip('"`')
        work.cut(*match.span())
        return replace(Goal(ANY_SQL), table=table)
    return None

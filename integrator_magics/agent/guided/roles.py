"""Which system is the source and which the target, by the words around their names."""

from __future__ import annotations

import re

from .lexicon import Lexicon, Mention
from .outputs import CUT, Text
from .spoken import COUNTRIES
from .subjects import object_in
from .words import singular, tokens

__all__ = ["find_systems", "find_target_subject", "find_unknown"]

_SOURCE = re.compile(
    r"(?:\bfrom|\bout of|\boff|\bin our|\bin my|\bwithin|\binside|\bof our|\bof|\bsource(?: is|:)|\bexisting in|\bread)"
    r"(?: our| the| my)?\s*$",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"(?:\bin ?to|\bonto|\bto|\btowards?|->|→|=>|-->|\btarget(?: is|:)|\bupdate|\bfeed|\bfill|\bpopulate|\benrich|"
    r"\bover to)"
    r"(?: our| the| my)?\s*$",
    re.IGNORECASE,
)
_IN = re.compile(r"\b(?:in|on|with|and|&|by)(?: our| the| my)?\s*$", re.IGNORECASE)
_BEHIND = re.compile(rf"{CUT}\s*(?:in|inside|within|of|on|at)(?: our| the| my)?\s*$", re.IGNORECASE)
_ARROW = re.compile(r"^\s*(?:->|→|=>|-->)")
_PUT = re.compile(
    r"\b(?:put|store|save|write|load|land|insert|keep|create|upsert|update|have|dump|make|mirror|replicate)\b[^.]*$",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?P<prep>from|in ?to|to|in) (?:our |the |my )?(?P<name>[A-Z][A-Za-z0-9]{2,}(?:[ -][A-Z][A-Za-z0-9]+)?)(?!\w)"
)


def find_systems(work: Text, lexicon: Lexicon, table: str = "") -> tuple[str, str]:
    """Source and target, by the words around each system; mentions are cut out of the text.

    `table` says which role a table named right before a system has: "to a table x in our DB".
    """
    text = work.rest
    mentions = lexicon.mentions(text)
    roles: dict[int, str] = {}
    between = re.search(r"\bbetween\s*$", text[: mentions[0].start], re.IGNORECASE) if len(mentions) > 1 else None
    for place, mention in enumerate(mentions):
        before, after = text[: mention.start], text[mention.end :]
        if between and place < 2:
            roles[place] = "target" if place else "source"
        elif _TARGET.search(before):
            roles[place] = "target"
        elif table and _BEHIND.search(before):
            roles[place] = table
        elif _SOURCE.search(before) or _ARROW.match(after):
            roles[place] = "source"
        elif _IN.search(before) and _PUT.search(before) and (place or _mentions_source(text, mentions)):
            roles[place] = "target"
    for wanted in ("source", "target"):
        if wanted not in roles.values():
            free = next((place for place in range(len(mentions)) if place not in roles), None)
            if free is not None:
                roles[free] = wanted
    found = {role: mentions[place].system for place, role in sorted(roles.items(), reverse=True)}
    for mention in reversed(mentions):
        begin = mention.start
        lead = re.search(
            r"(?:\b(?:from|out of|in ?to|onto|to|in|within|on|with|between|and|of|towards|over|our|the|my|via|"
            r"using)\s+|->\s*|→\s*|=>\s*)+$",
            work.rest[:begin],
            re.IGNORECASE,
        )
        work.cut(lead.start() if lead else begin, mention.end)
    return found.get("source", ""), found.get("target", "")


def find_target_subject(work: Text, lexicon: Lexicon) -> str:
    """ "contacts" in "customers to HubSpot contacts": the object beside the target, where another one is read."""
    for mention in lexicon.mentions(work.rest):
        before, after = work.rest[: mention.start], work.rest[mention.end :]
        if not _TARGET.search(before) or (not object_in(before, lexicon) and not re.search(r"\w+ from\b", before)):
            continue
        match = re.match(
            r"(?:'s)?\s+(?:as |in |into )?(?P<what>[\w ]+?)(?=\s*(?:[,.;:(§]|$|\b(?:with|where|and|every|by|from)\b))",
            after,
        )
        said = object_in(match["what"], lexicon) if match else ""
        if match and said and len(tokens(match["what"])) == len(tokens(said)):
            work.cut(mention.end + match.start("what"), mention.end + match.end("what"))
            return said
    return ""


def _mentions_source(text: str, mentions: list[Mention]) -> bool:
    return any(_SOURCE.search(text[: mention.start]) for mention in mentions)


def find_unknown(work: Text, lexicon: Lexicon, source: str, target: str) -> tuple[str, str]:
    """A capitalised name in the place of a system that no driver answers to."""
    objects = {word for words in lexicon.object_words() for word in words}
    for match in _UNKNOWN.finditer(work.rest):
        role = "source" if match["prep"].casefold() == "from" else "target"
        if singular(match["name"].casefold()) in objects or (source if role == "source" else target):
            continue
        if match["prep"].casefold() == "in" and (source or target):
            continue
        if match["name"].casefold() in COUNTRIES:
            continue
        work.cut(*match.span())
        return match["name"], role
    return "", ""

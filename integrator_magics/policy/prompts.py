"""Prompts that ask for something this product never does."""

from __future__ import annotations

import re
from functools import cache

from integrator_drivers import registry

from .tables import table

__all__ = ["asks_for_delete"]

_OUR = r"(?:(?:the|our|my|your|their|this|that|all|both|these|those|whole|entire|old|target|existing|live|real)\s+)*"


def asks_for_delete(prompt: str) -> bool:
    """Whether an English prompt asks to delete records in a system, not just to leave rows out of a result."""
    plain = prompt.replace("’", "'")
    plain = re.sub(r"\"[^\"]*\"|“[^”]*”|`[^`]*`|(?<!\w)'[^']*'(?!\w)", " x ", plain)
    return any(_clause_asks(clause) for clause in re.split(r"[.;!?\n:]+(?=\s|$)|\s+but\s+|\s+then\s+", plain))


def _clause_asks(clause: str) -> bool:
    if (hit := _mirror().search(clause)) and not _negated().search(clause[: hit.start("verb")]):
        return True
    start = 0
    while match := _verb().search(clause, start):
        if _verb_asks(clause[max(0, match.start() - 300) : match.start()], match):
            return True
        start = match.start("rest")
    match = _passive().search(clause)
    if match is None:
        return False
    before = clause[: match.start()] + " " + match["between"]
    if _negated().search(before) or re.search(r"\b(?:not|never|nothing|no|none|list|report|flag)\b", before, re.I):
        return False
    if match["weak"]:
        return _in_a_system(match["rest"]) or (_has("records", before) and not _has("output", clause))
    return not _has("output", match["rest"])


def _verb_asks(before: str, match: re.Match[str]) -> bool:
    rest = match["rest"]
    if _negated().search(before) or re.match(rf"\W*(?:{_any('noun_after')})\b", rest, re.I):
        return False
    if re.search(r"\b(?:someone|somebody|anyone|who|the|an?|last|next|first|any|each|of)\s*$", before, re.I):
        return False
    if re.search(r"\bto\s*$", before, re.I) and re.search(rf"\b(?:{_any('talk')})\b[^,]*$", before, re.I):
        return False
    until = re.split(r",|\band\b", rest, maxsplit=1)[0]
    if match["strong"]:
        return _in_a_system(until) or not _has("output", until)
    whole = re.match(rf"\W*(?:out\s+)?{_OUR}(?:[\w.]+\s+)?(?:{_any('whole')})\b", rest, re.I)
    if match["cut"]:
        return bool(whole) or _in_a_system(rest) or (_has("records", until) and not _has("output", until))
    return bool(whole) or (_has("records", until) and _in_a_system(until))


def _in_a_system(text: str) -> bool:
    return _system().search(text) is not None


def _any(key: str) -> str:
    words = sorted(table("prompts", key), key=lambda word: (-len(word), word))
    return "|".join(re.escape(word).replace("_", r"\s+") for word in words)


def _has(key: str, text: str) -> bool:
    return re.search(rf"\b(?:{_any(key)})\b", text, re.I) is not None


@cache
def _verb() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:(?P<strong>(?:(?:hard|bulk|mass)[- ]?)?(?:{_any('strong')}))"
        rf"|(?P<cut>{_any('cut')})|(?P<weak>{_any('weak')}))\b(?P<rest>.{{0,300}})",
        re.I,
    )


@cache
def _passive() -> re.Pattern[str]:
    past = rf"(?:{_any('strong_past')}|(?P<weak>{_any('weak_past')}))"
    return re.compile(rf"\b(?:{_any('wish')})\b(?P<between>.*?)\b{past}\b(?P<rest>.{{0,300}})", re.I)


@cache
def _negated() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_any('not')})\b(?:\W+\w+){{0,4}}\W*$", re.I)


@cache
def _mirror() -> re.Pattern[str]:
    """Rows that are gone in the source should be gone in the target: a delete in other words."""
    return re.compile(rf"\b(?:{_any('gone')})\b.*\b(?P<verb>{_any('vanish')})\b", re.I)


@cache
def _system() -> re.Pattern[str]:
    """`from Salesforce`, `in our CRM`, `in the table leads`, `from public.leads`."""
    spoken = set(table("prompts", "systems"))
    for entry in registry.manifests().values():
        spoken |= {name.lower() for name in (entry.name, entry.label, *entry.aliases)}
    names = "|".join(sorted((re.escape(name) for name in spoken), key=len, reverse=True))
    place = rf"\b(?:from|in|out of|of|at|on|inside)\s+{_OUR}"
    return re.compile(rf"{place}(?:(?:{names})\b|(?:\w+\s+)?tables?\b|[a-z_]+\.[a-z_]\w*)", re.I)

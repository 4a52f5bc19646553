"""Clauses that choose among the records: where, with, without, only, over, in a place."""

from __future__ import annotations

import re

from .lexicon import Lexicon
from .outputs import CUT, Text
from .spoken import SMALL, VERBS
from .subjects import is_typo, object_in, until_mark
from .words import word_set

__all__ = ["condition_phrases", "split_where"]

_WHERE = re.compile(
    r",?\s*\b(?:where|whose|if|provided that|as long as|(?:that|which|who) (?:have|has|are|is|do|does)|"
    r"(?:that|which|who)(?= [a-z]{3,}ed\b)|having|but "
    r"only|but only those|only those|(?:and|but) "
    r"(?:who |which |that )?(?:are|is|have|has)(?! (?:to|it|them)\b)|only the ones|limited to those)\b\s+",
    re.IGNORECASE,
)
_NEXT = re.compile(rf",\s*(?:and |then |please )*(?:{VERBS})\b", re.IGNORECASE)
_BESIDE = re.compile(r",?\s+\b(?:with|including|showing)\s", re.IGNORECASE)
_WITHOUT = re.compile(
    r",?\s*\b(?P<whole>(?:without|with no|lacking|missing) (?:an? |any |the |their )?[^,.;§]+?)(?=[,.;§]|$|\s(?:and|"
    r"from|to|into|in)\s)",
    re.IGNORECASE,
)
_HAS = re.compile(
    r",?\s*\b(?P<whole>with (?:an?|at least one|a valid|a known|some) [^,.;§]+?)(?=[,.;§]|$|\s(?:and|from|to|into|"
    r"in)\s)",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"(?:,|;|\.|-|–|\bbut\b|\band\b)*\s*\b(?:only|just)(?: the| those| our)?\s+(?P<what>[^,.;§:]+?)\s+"
    r"(?P<noun>ones|one|records|rows|entries|people|{nouns})\b(?=\s*(?:[,.;§]|$|please))",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r",?\s*\b(?P<whole>(?:from|in|based in|located in) (?:the )?[A-Z]\w*(?: [A-Z]\w*)*"
    r"(?:(?:, | and | or |, and |, or )(?:from |in )?[A-Z]\w*(?: [A-Z]\w*)*)*)(?=[\s,.;§]|$)"
)
_COMPARE = re.compile(
    r"\b(?P<op>over|above|under|below|greater than|more expensive than|more than|less than|"
    r"at least|at most|of at least|"
    r"of more than|"
    r"larger than|bigger than|smaller than|higher than|lower than|exceeding|cheaper than|more expensive than)\s+"
    r"[$€£]?\d[\d.,]*\d?(?:k|m)?(?:\s?(?:€|\$|£|eur|usd|euros?|dollars?))?(?![\w%])"
    r"|\bbetween\s+[$€£]?\d[\d.,]*(?:k|m)?\s+and\s+[$€£]?\d[\d.,]*\d?(?:k|m)?(?![\w%])"
    r"|(?:>=|<=|!=|>|<|=)\s?[$€£]?\d[\d.,]*(?:k|m)?(?!\w)",
    re.IGNORECASE,
)
_STOPS = word_set("with whose where having and or of for from to into that which who are is in the a an only all")


def condition_phrases(work: Text, lexicon: Lexicon) -> list[str]:
    """Phrases that choose among the records, cut out of the text."""
    conditions: list[str] = []
    nouns = "|".join(
        sorted(
            {re.escape(" ".join(words)) + "s?" for words in lexicon.object_words()} | {"of them"}, key=len, reverse=True
        )
    )
    for pattern in (_WITHOUT, _HAS):
        while match := work.take(pattern):
            conditions.append(match["whole"].strip())
    while match := _COMPARE.search(work.rest):
        conditions.append(_compared(work, match, lexicon))
    pattern = re.compile(_ONLY.pattern.replace("{nouns}", nouns), re.IGNORECASE)
    while match := pattern.search(work.rest):
        is_object = bool(object_in(match["noun"], lexicon))
        work.cut(match.start(), match.start("noun") if is_object else match.end())
        conditions.append(f"only {match['what'].strip()}")
    while match := work.take(_PLACE, lambda match: not object_in(match["whole"], lexicon)):
        conditions.append(match["whole"].strip())
    rest, more = split_where(work.rest)
    work.rest = rest
    return list(dict.fromkeys([*conditions, *more]))


def _compared(work: Text, match: re.Match[str], lexicon: Lexicon) -> str:
    """Cut "amount over 10000" out: the comparison and the words before it that name a field."""
    begin = match.start()
    for word in reversed(list(re.finditer(r"\S+\s+", work.rest[: match.start()]))[-3:]):
        plain = word[0].strip().casefold()
        if (
            not re.fullmatch(r"[\w-]+", plain)
            or object_in(plain, lexicon)
            or plain in _STOPS
            or is_typo(plain, lexicon)
        ):
            break
        begin = word.start()
    end = match.end()
    noun = re.match(r"\s+(?P<noun>[a-z][a-z-]{2,})\b", work.rest[end:], re.IGNORECASE)
    is_field = noun and noun["noun"].casefold() not in _STOPS | SMALL and not object_in(noun["noun"], lexicon)
    if noun and is_field and begin == match.start():
        end += noun.end()
    lead = re.search(r"(?:\b(?:with|whose|where|having|and|an?|the)\s+)+$", work.rest[:begin], re.IGNORECASE)
    said = work.cut(lead.start() if lead else begin, end).strip(" ,")
    return re.sub(r"^(?:(?:with|whose|where|having|and|an?|the)\s+)+", "", said, flags=re.IGNORECASE)


def split_where(text: str) -> tuple[str, list[str]]:
    conditions = []
    if match := _WHERE.search(text):
        tail, rest = until_mark(text[match.end() :])
        if other := _NEXT.search(tail):
            tail, rest = tail[: other.start()], f"{tail[other.start() :]} {CUT} {rest}"
        if beside := _BESIDE.search(tail):
            tail, rest = tail[: beside.start()], f"{tail[beside.start() :]} {CUT} {rest}"
        word = match[0].strip(" ,").casefold()
        for part in re.split(r"\s+(?:and|but)\s+(?!\d)", tail):
            part = part.strip(" .,;!")
            if part:
                prefix = "with " if word.endswith((" have", " has")) or word == "having" else ""
                prefix = "only " if word.endswith((" are", " is")) else prefix
                bare = re.match(r"(?:have|has|having|with|without)\b", part, re.IGNORECASE)
                conditions.append(part if bare else prefix + part)
        text = f"{text[: match.start()]} {CUT} {rest}"
    return text, conditions

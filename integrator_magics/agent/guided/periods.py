"""Groups by time: "per month", "by close date per quarter" -> the unit, the words for the date, and the code."""

from __future__ import annotations

import re

from .pretty import quoted
from .windows import VERBS

__all__ = ["UNITS", "asks_for_figures", "per_unit", "period_code", "read_period", "verb_before"]

UNITS = ("day", "week", "month", "quarter", "year")
_UNIT = "|".join(UNITS)
_SMALL = (
    r"(?:of|by|in|the|their|its|they|it|were|was|are|is|got|came|when|which|on|that|being|been|calendar|single|full)"
)
_FIRST = re.compile(rf"^(?:{_SMALL}\s+)*(?P<unit>{_UNIT})s?\b(?:\s+{_SMALL}\b)*\s*(?P<date>.*)$", re.IGNORECASE)
_LAST = re.compile(
    rf"^(?P<date>.+?)[\s,]+(?:{_SMALL}\s+|per\s+|each\s+|every\s+|and\s+)*(?P<unit>{_UNIT})s?$", re.IGNORECASE
)
_WORD = r"(?:how many|count|number|average|mean|median|total|sum|highest|lowest|maximum|minimum)"
_MORE = (
    r"\b(?:most|fewest|least|best|worst|biggest|largest|revenue|sales|turnover|share|percent\w*|proportion|rate|never|"
    r"without|compared?|versus)\b"
)
_ASKS = re.compile(rf"\b{_WORD}\b", re.IGNORECASE)
_STARTS = re.compile(
    rf"^\W*(?:\b(?:please|pls|hi|hey|hello|can you|could you|show me|show|give me|tell me|list|what is|what's|what was|"
    rf"what were|the|our|i need|we need|daily|weekly|monthly|quarterly|yearly|annual)\b\W*)*{_WORD}\b",
    re.IGNORECASE,
)
_GOAL = re.compile(r"\b(?:to|into|as|onto)\b", re.IGNORECASE)
_EACH = re.compile(
    rf"\b(?:each|every|a|for every|for each|in each)\s+(?P<unit>{_UNIT})\b(?! (?:at|on)\b)", re.IGNORECASE
)
_ADVERBS = {
    "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter", "yearly": "year", "annual": "year",
}  # fmt: skip
_ADVERB = re.compile(rf"\b(?P<adverb>{'|'.join(_ADVERBS)})\s+(?={_WORD}\b)", re.IGNORECASE)
_VERB = re.compile(
    rf"\s*(?:\b(?:were|was|are|is|did|do|does|have|has|been|got|we|get)\s+)*\b(?P<verb>{VERBS})\s*$", re.IGNORECASE
)
_FORMATS = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "quarter": "%Y-Q", "year": "%Y"}


def asks_for_figures(text: str) -> bool:
    """Words for counts, sums and averages, or "per"."""
    return bool(
        _ASKS.search(text) or re.search(_MORE, text, re.IGNORECASE) or re.search(r"\bper\b", text, re.IGNORECASE)
    )


def per_unit(text: str) -> str:
    """Questions with "each month" or "monthly" say "per month" instead, so that it is no schedule."""
    if not _STARTS.match(text) or _GOAL.search(text) or re.search(r"\bper\b", text, re.IGNORECASE):
        return text
    if match := _ADVERB.search(text):
        rest = (text[: match.start()] + text[match.end() :]).rstrip(" ?.!")
        return f"{rest} per {_ADVERBS[match['adverb'].casefold()]}"
    return _EACH.sub(lambda match: f"per {match['unit']}", text, count=1)


def read_period(group: str) -> tuple[str, str] | None:
    """Unit and words for the date of "month", "close date per quarter", "week they were created"; None for others."""
    for pattern in (_FIRST, _LAST):
        if match := pattern.match(group.strip()):
            return match["unit"].casefold(), match["date"].strip(" ,.")
    return None


def verb_before(text: str) -> tuple[str, int]:
    """The verb that ends a text, and where it starts: "orders shipped" per month."""
    match = _VERB.search(text)
    return (match["verb"].casefold(), match.start()) if match else ("", len(text))


def period_code(value: str, unit: str) -> str:
    """Code of the period that a date in the variable `value` falls into: 2026-03, 2026-Q1, 2026-W09; None without."""
    code = f"{value}.strftime({quoted(_FORMATS[unit])})"
    if unit == "quarter":
        code += f" + str(({value}.month + 2) // 3)"
    return f"{code} if {value} else None"

"""Two periods held against each other: "last week compared with the week before"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from .windows import Moment, Window, find_window

__all__ = ["before", "take_comparison"]

_COMPARE = re.compile(
    r"^(?P<lead>\W*(?:(?:please|can you|could you)\W+)*)compare\s+(?P<what>.+?)\s+"
    r"(?:with|to|and|against|versus|vs\.?)\s+"
    r"(?P<tail>(?:(?:the|those of|that of)\s+)*(?:last|previous|prior|this|the year|the month|the week|\d{4}).*)$",
    re.IGNORECASE,
)
_THAN = re.compile(
    r",?\s*\b(?:(?:as )?compared (?:with|to)|in comparison (?:with|to)|versus|vs\.?|against|relative to)\s+"
    r"(?P<tail>.+)$",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:the )?(?:(?:day|week|month|quarter|year|period|one|days|weeks|months) before(?: (?:that|it|then))?|"
    r"(?:previous|prior|preceding) (?:one|period|day|week|month|quarter|year)|(?:same|equal) (?:time|period) before)\b",
    re.IGNORECASE,
)


def take_comparison(text: str, today: date) -> tuple[str, str, Window | None, bool]:
    """The text without the second period, that period's own words, the period, and whether one was asked for.

    The period is None where it is "the week before": it follows from the first.
    """
    if match := _COMPARE.match(text):
        text = f"{match['lead']}how many {_bare(match['what'])} compared with {match['tail']}"
    match = _THAN.search(text)
    if not match:
        return text, "", None, False
    tail = match["tail"]
    found = _BEFORE.search(tail)
    window = find_window(tail, today)
    if found and (window is None or found.start() <= window.span[0]):
        rest = tail[: found.start()] + tail[found.end() :]
        return f"{text[: match.start()]} {rest}".strip(), found[0], None, True
    if window is None:
        return text, "", None, False
    rest = tail[: window.span[0]] + tail[window.span[1] :]
    return f"{text[: match.start()]} {rest}".strip(), window.words, window, True


def _bare(what: str) -> str:
    return re.sub(r"^(?:the |our )*(?:numbers? of|counts? of|how many)\s+(?:the |our )*", "", what, flags=re.IGNORECASE)


def before(window: Window, words: str) -> Window | None:
    """The period of the same length that ends where this one starts; None where it has no start."""
    start = window.start
    if start is None:
        return None
    if start.day and window.end and window.end.day:
        length = window.end.day - start.day
        return Window(Moment(day=start.day - length), start, words, window.verb)
    if start.hours:
        return Window(replace(start, hours=2 * start.hours), start, words, window.verb)
    if start.rolling:
        return Window(replace(start, ago=2 * start.ago), start, words, window.verb)
    if start.unit:
        return Window(replace(start, ago=start.ago + 1), start, words, window.verb)
    return None

"""What kind of sentence it is: a wish to delete, a question about the product, a wish to see."""

from __future__ import annotations

import re

from ...policy import asks_for_delete
from .lexicon import Lexicon
from .subjects import object_in

__all__ = ["is_delete", "is_help", "is_show"]

_DELETE = re.compile(
    r"^(?:\W*(?:please|can you|could you|now|and|then|i want to|i need to|we need to|i want you to|let's|just|go "
    r"and)\W+)*"
    r"(?P<verb>delete|remove|erase|purge|truncate|drop|wipe|clean out|clear out|get rid of|destroy|archive|void)\b"
    r"(?P<what>.*)",
    re.IGNORECASE | re.DOTALL,
)
_PARTS = re.compile(
    r"\b(?:columns?|fields?|schedules?|filters?|conditions?|limits?|scripts?|from (?:it|the script|the list|the "
    r"sync))\b",
    re.IGNORECASE,
)
_RECORDS = re.compile(
    r"\b(?:records?|rows?|entries|data|everything|all|every|each|old|duplicates|tables?)\b", re.IGNORECASE
)
_HELP = re.compile(
    r"^\W*(?:help|hi|hello|hey|good (?:morning|afternoon|evening)|what (?:can|could) (?:you|i|we) do.*|who are you.*|"
    r"how does this work.*|"
    r"what is this.*|what do you (?:do|know|understand).*|which systems.*|what systems.*|thanks?.*|thank you.*|"
    r"test)\W*$",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"^\W*(?:(?:please|can you|could you|i want to|i'd like to|let me|hi|hello|now|ok)\W+)*"
    r"(?:show|display|list|see|look at|look up|find|print|preview|what are|which are|who are|tell me)\b",
    re.IGNORECASE,
)


def is_delete(text: str, lexicon: Lexicon | None = None, *, has_script: bool = False) -> bool:
    """True when a sentence asks to delete records, not to leave out a column, a condition or a schedule.

    With a script at hand, "drop the email" speaks of its columns.
    """
    match = _DELETE.match(text.strip())
    if match and _PARTS.search(match["what"]):
        return False
    if asks_for_delete(text) or (match and not has_script):
        return True
    if not match:
        return False
    speaks_of_records = _RECORDS.search(match["what"]) or (lexicon and object_in(match["what"], lexicon))
    return bool(speaks_of_records) or match["verb"].casefold() in ("erase", "purge", "truncate", "wipe", "destroy")


def is_help(text: str) -> bool:
    """True when a sentence asks what this can do, or only greets."""
    return bool(_HELP.match(text.strip()))


def is_show(text: str) -> bool:
    """True when a sentence asks to see records rather than to bring them somewhere."""
    return bool(_SHOW.search(text))

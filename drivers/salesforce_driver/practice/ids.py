"""Record ids: 15 characters that are case-sensitive, and 3 more that make 18 which are not."""

from __future__ import annotations

import re

__all__ = ["canonical_id", "suffix"]

_SHORT = re.compile(r"[0-9A-Za-z]{15}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def suffix(short: str) -> str:
    """The last three characters of the 18: which of the 15 are capitals, five at a time."""
    return "".join(
        _LETTERS[sum(1 << i for i, char in enumerate(short[start : start + 5]) if char.isupper())]
        for start in (0, 5, 10)
    )


def canonical_id(text: str) -> str | None:
    """The 18 characters of a valid id of 15 or 18; None for anything else."""
    short = text[:15]
    if not _SHORT.fullmatch(short):
        return None
    whole = short + suffix(short)
    return whole if len(text) == 15 or text.upper() == whole.upper() else None

"""Prompts that ask for something this product never does."""

from __future__ import annotations

import re

__all__ = ["asks_for_delete"]

_VERB = re.compile(
    r"\b(?:(?P<strong>(?:hard[- ]?)?delet(?:e|es|ing)|eras(?:e|es|ing)|purg(?:e|es|ing)|wip(?:e|es|ing)|truncat(?:e|es|ing)"
    r"|destroy(?:s|ing)?)|(?P<weak>drop(?:s|ping)?|remov(?:e|es|ing)|get(?:ting)? rid of|clear(?:s|ing)?|empt(?:y|ies|ying)))\b"
    r"(?P<object>[^.;!?\n]*)",
    re.I,
)


def asks_for_delete(prompt: str) -> bool:
    """Whether an English prompt asks to delete records in a system, not just to leave rows out of a result."""
    return any(match["strong"] is not None for match in _VERB.finditer(prompt))

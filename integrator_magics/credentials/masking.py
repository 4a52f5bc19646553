"""Personal values as people may see them in samples and the model in prompts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["mask"]

_EMAIL = re.compile(r"([^\s@]+)@([^\s@]+?)(\.[^\s@.]+)?", re.DOTALL)
_PHONE = re.compile(r"\+?[\d\s().\-/xX]{6,}")


def mask(value: Any, field: Mapping[str, Any]) -> Any:
    """The value itself unless the field is personal: `a**@e******.com`, phone with its last two digits, initials."""
    if value is None or value == "" or not field.get("personal"):
        return value
    text = str(value).strip()
    if found := _EMAIL.fullmatch(text):
        return f"{_first(found[1])}@{_first(found[2])}{found[3] or ''}"
    written = field.get("type", "text") in ("text", "reference")
    if written and _PHONE.fullmatch(text) and sum(char.isdigit() for char in text) >= 6:
        return _all_but_last_digits(text, 2)
    if written and text:
        return _initials(text)
    return "***"


def _first(text: str) -> str:
    return text[0] + "*" * (len(text) - 1 or 1)


def _all_but_last_digits(text: str, count: int) -> str:
    left = sum(char.isdigit() for char in text) - count
    out = []
    for char in text:
        if char.isdigit() and left > 0:
            out.append("*")
            left -= 1
        else:
            out.append(char)
    return "".join(out)


def _initials(text: str) -> str:
    words = re.findall(r"\w+", text)
    if not words or any(char.isdigit() for char in text) or len(words) > 5:
        return "***"
    return " ".join(word[0] + "." for word in words)

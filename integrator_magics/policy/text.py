"""Text that a parser and the interpreter, or a person, would read differently is refused before it is parsed."""

from __future__ import annotations

import codecs
import re

from .model import Label, Reason

__all__ = ["unreadable"]

_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f\x80-\x9f\u2028\u2029]")
_REWRITE = "Write that line again with plain characters."


def unreadable(source: str, kind: str = "python") -> list[Reason]:
    """Findings that make a text unfit for parsing; empty when it is fine."""
    found = []

    def add(at: int, what: str) -> None:
        line = source.count("\n", 0, at) + 1
        found.append(Reason(line, f"holds {what}, so what is shown may not be what runs", _REWRITE, Label.DANGEROUS))

    if (at := source.find("\0")) >= 0:
        add(at, "a NUL character")
    for match in re.finditer(r"\r(?!\n)", source):
        add(match.start(), "a lone carriage return")
        break
    if hit := _HIDDEN.search(source):
        add(hit.start(), f"an invisible or text-turning character (U+{ord(hit[0]):04X})")
    if hit := _CONTROL.search(source):
        add(hit.start(), f"a control character (U+{ord(hit[0]):04X})")
    if any("\ud800" <= char <= "\udfff" for char in source):
        add(0, "half of a character")
    if kind == "python":
        for number, line in enumerate(re.split(r"\r?\n", source)[:2], 1):
            cookie = _COOKIE.match(line)
            if cookie and not _is_utf8(cookie[1]):
                found.append(
                    Reason(number, f"declares the encoding {cookie[1]}", "Save the script as UTF-8.", Label.DANGEROUS)
                )
    return found


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8" and "sig" not in name.lower()
    except (LookupError, ValueError):
        return False

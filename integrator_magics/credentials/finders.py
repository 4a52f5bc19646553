"""One way to find one secret value in text, and to tell where the end of a text could be the beginning of one.

A finder's answer depends on the text from `start` on and on at most CONTEXT characters before a match; that is what
lets a stream be cut anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import forms

__all__ = ["CONTEXT", "SHORT", "Finder", "finders_for"]

SHORT = 8  # characters; a shorter value counts only where a name or an address says what it is
_COLOURED = 80  # characters; longer values are not looked for between colour codes
_COLOUR = r"(?:\x1b\[[0-9;]{0,12}[A-Za-z]){0,2}"
_BREAK = r"(?:\r\n|\n|\\r\\n|\\n)?"
_BREAK_REVERSED = r"(?:\n\r|\n|n\\r\\|n\\)?"
CONTEXT = 160  # characters before a short value that are looked at
_WORDS = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|auth(?:orization)?|bearer"
    r"|pin|credentials?"
)


@dataclass(frozen=True)
class Finder:
    """`anchor` is a literal part of every match; `before` (matches reversed text) and `after` are what surrounds it.

    Without an anchor `after` is searched for. `guard` must match just before the value.
    """

    name: str
    anchor: str
    before: re.Pattern[str] | None = None
    after: re.Pattern[str] | None = None
    guard: re.Pattern[str] | None = None
    reach: int = 0  # longest text before the anchor
    longest: int = 0
    head: str | re.Pattern[str] = ""  # how a match begins, as far as it was seen
    needs: str = ""  # without this in the text there is no match

    def find(self, text: str, start: int) -> tuple[int, int] | None:
        """Leftmost match that begins at or after `start`."""
        if self.needs and text.find(self.needs, start) < 0:
            return None
        if not self.anchor:
            assert self.after is not None
            at = start
            while hit := self.after.search(text, at):
                if self._guarded(text, *hit.span()):
                    return hit.span()
                at = hit.start() + 1
            return None
        at = text.find(self.anchor, start)
        while at >= 0:
            begin, end = at, at + len(self.anchor)
            if self.before:
                hit = self.before.match(text[max(start, at - self.reach) : at][::-1])
                begin = at - hit.end() if hit else -1
            if begin >= 0 and self.after:
                hit = self.after.match(text, end)
                end = hit.end() if hit else -1
            if begin >= 0 and end >= 0 and self._guarded(text, begin, end):
                return begin, end
            at = text.find(self.anchor, at + 1)
        return None

    def open_end(self, text: str) -> int:
        """First place from which the rest of the text may be the beginning of a match; its length without one."""
        first = max(0, len(text) - self.longest - (1 if self.guard else 0) + 1)
        if isinstance(self.head, re.Pattern):
            if self.needs and text.find(self.needs, first) < 0:
                return len(text)
            hit = self.head.search(text, first)
            return hit.start() if hit else len(text)
        at = text.find(self.head, first)
        if at >= 0:
            return at
        for size in range(min(len(self.head) - 1, len(text)), 0, -1):
            if text.endswith(self.head[:size]):
                return len(text) - size
        return len(text)

    def _guarded(self, text: str, begin: int, end: int) -> bool:
        if self.guard is None:
            return True
        if text[end : end + 1].isalnum():
            return False
        return self.guard.search(text[max(0, begin - CONTEXT) : begin]) is not None


def finders_for(value: str, name: str, common: bool = False) -> list[Finder]:
    """Every way to find this value."""
    if common or len(value) < SHORT:
        return [_spelled(value, name, _guard(name))]
    literals = [Finder(name, text, longest=len(text), head=text[:6]) for text in forms.whole(value)]
    for core in forms.base64_cores(value):
        literals += _wrapped(core, name)
    if len(value) <= _COLOURED:
        literals.append(_coloured(value, name))
    return [_spelled(value, name), *literals]


def _wrapped(core: str, name: str) -> list[Finder]:
    """Base64 with a line break anywhere in it, as mail and key files have it: one half is whole on either side."""
    half, begin = len(core) // 2, 5
    first, second = core[:half], core[half:]
    longest = len(core) * 5
    if half <= begin:
        return [Finder(name, core, longest=len(core), head=core[:6])]
    after = re.compile("".join(_BREAK + char for char in map(re.escape, second)))
    inner = "".join(_BREAK_REVERSED + char for char in map(re.escape, reversed(first[begin:])))
    before = re.compile(inner + _BREAK_REVERSED + re.escape(first[:begin][::-1]))
    rest = core[begin:]
    return [
        Finder(name, first, after=after, longest=longest, head=core[:6]),
        Finder(name, second, before=before, reach=longest, longest=longest, head=core[:begin]),
        Finder(name, rest, longest=len(rest), head=rest[:6]),
    ]


def _coloured(value: str, name: str) -> Finder:
    """The value with a terminal's colour codes somewhere inside."""
    chars = [re.escape(char) for char in value]
    head = ""
    for char in reversed(chars):
        head = rf"{char}(?:\x1b|{head})" if head else char + r"(?!)"
    pattern = re.compile(_COLOUR.join(chars))
    return Finder(name, "", after=pattern, longest=len(value) * 33, head=re.compile(head), needs="\x1b")


def _spelled(value: str, name: str, guard: re.Pattern[str] | None = None) -> Finder:
    run = max(re.finditer(r"[A-Za-z0-9]+|\Z", value), key=lambda match: len(match[0]))
    before, after = value[: run.start()], value[run.end() :]
    lengths = [len(forms.spellings(char)[0]) for char in value]
    reverse = "".join(_either(char, reverse=True) for char in reversed(before))
    leading = re.match(r"[A-Za-z0-9]{5,6}", value)
    return Finder(
        name,
        run[0],
        re.compile(reverse) if before and run[0] else None,
        re.compile("".join(map(_either, after or value))) if after or not run[0] else None,
        guard,
        sum(lengths[: run.start()]),
        sum(lengths),
        leading[0] if leading else re.compile(_beginning(value[:6])),
    )


def _either(char: str, *, reverse: bool = False) -> str:
    found = [re.escape(text[::-1] if reverse else text) for text in forms.spellings(char)]
    return found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"


def _beginning(value: str) -> str:
    """A pattern for the spelled value, or as much of it as fits before the end of the text."""
    char, rest = value[0], value[1:]
    pieces = {text[:size] for text in forms.spellings(char) for size in range(1, len(text))}
    cut = "|".join(re.escape(piece) for piece in sorted(pieces))
    more = rf"(?:\Z|{_beginning(rest)})" if rest else ""
    return rf"(?:{_either(char)}{more}" + (rf"|(?:{cut})\Z)" if cut else ")")


def _guard(name: str) -> re.Pattern[str]:
    """What stands before a short secret: `name=`, `"password": "`, `Bearer `, `://user:`."""
    key = rf"(?i:(?:{re.escape(name)}|{_WORDS})\w{{0,20}})"
    sign = r"(?:[\\\"']{0,3}\s{0,3}(?:=>|:=|==?|:)\s{0,3}|\s)[\\\"']{0,3}"
    return re.compile(rf"(?:{key}{sign}|://[^\s:/@]{{0,80}}:)\Z")

"""Takes known secret values out of text and data, in every form they usually stand in, also across chunks."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from . import forms
from .finders import CONTEXT, SHORT, Finder, finders_for
from .formats import FORMAT_FINDERS

__all__ = ["Redactor", "StreamRedactor"]

_SHORT_TEXT = 400  # characters; below, looking for beginnings is faster than looking for every form


class Redactor:
    """Replaces each value by the name of its variable in brackets: `[PGPASSWORD]`.

    Keys in a format that a vendor gave them are replaced too, whether or not they are known: `[an AWS access key]`.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}  # value -> name
        self._known: tuple[Finder, ...] = ()
        self._finders: tuple[Finder, ...] = FORMAT_FINDERS
        self._indexed: tuple[Finder, ...] | None = None
        self._heads: dict[str, set[str]] = {}
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        for name, value in (values or {}).items():
            self.register(value, name)

    def __repr__(self) -> str:
        return f"Redactor({len(self._names)} values)"

    @property
    def longest(self) -> int:
        """Characters of the longest form of a known value: what a stream holds back for it at most."""
        return max((finder.longest for finder in self._known), default=0)

    def register(self, value: str, name: str = "SECRET", *, common: bool = False) -> None:
        """From now on replace this value too; a blank one is ignored.

        A `common` word, such as a system's name, is replaced only where something says that it is a secret.
        """
        if not value or not value.strip() or value in self._names:
            return
        with self._lock:
            new: list[Finder] = []
            for part in forms.parts(value):
                if part.strip() and part not in self._names:
                    self._names[part] = name
                    new += finders_for(part, name, common)
            self._known = (*self._known, *new)
            self._finders = (*self._known, *FORMAT_FINDERS)  # where two are the same, its own name says more

    def find(self, text: str) -> str | None:
        """The name of the first known value in the text, None without one."""
        hit = next(self.matches(text, 0), None)
        return hit[2] if hit else None

    def redact(self, text: str) -> str:
        """The text with every known value replaced."""
        done, out = 0, []
        for begin, end, name in self.matches(text, 0):
            out += [text[done:begin], f"[{name}]"]
            done = end
        return "".join([*out, text[done:]]) if out else text

    def redact_data(self, data: Any) -> Any:
        """JSON-like data with every text in it redacted, keys too; a number that is a secret becomes text."""
        if isinstance(data, str):
            return self.redact(data)
        if isinstance(data, Mapping):
            return {self.redact_data(key): self._entry(key, value) for key, value in data.items()}
        if isinstance(data, (list, set, frozenset)):
            return type(data)(self.redact_data(entry) for entry in data)
        if isinstance(data, tuple):
            entries = [self.redact_data(entry) for entry in data]
            return type(data)(*entries) if hasattr(data, "_fields") else tuple(entries)
        if isinstance(data, (bytes, bytearray)):
            text = bytes(data).decode("utf-8", "surrogateescape")
            clean = self.redact(text)
            return data if clean == text else clean.encode("utf-8", "surrogateescape")
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            text = str(data)
            clean = self.redact(text)
            return data if clean == text else clean
        return data

    def stream(self) -> StreamRedactor:
        """A redactor for text that comes in pieces."""
        return StreamRedactor(self)

    def matches(self, text: str, start: int) -> Iterator[tuple[int, int, str]]:
        """Begin, end and name of matches, from left to right, none overlapping; where two begin together the longer."""
        coming: list[tuple[int, int, Finder]] = []
        for finder in self._finders:
            if span := finder.find(text, start):
                coming.append((*span, finder))
        while coming:
            begin, end, finder = min(coming, key=lambda hit: (hit[0], -hit[1]))
            yield begin, end, finder.name
            later = []
            for hit in coming:
                if hit[0] >= end:
                    later.append(hit)
                elif span := hit[2].find(text, end):
                    later.append((*span, hit[2]))
            coming = later

    def open_end(self, text: str) -> int:
        """Where the part of the text begins that could still become a match when more is added."""
        return min((finder.open_end(text) for finder in self._finders), default=len(text))

    def may_begin(self, text: str, start: int) -> int:
        """First place at or after `start` where a match, whole or cut off by the end, may begin. For short texts."""
        if self._indexed is not self._finders:
            self._heads, self._patterns, self._indexed = {}, [], self._finders
            for finder in self._finders:
                if isinstance(finder.head, str):
                    self._heads.setdefault(finder.head[0], set()).add(finder.head)
                else:
                    self._patterns.append((finder.needs, finder.head))
        found = [
            hit.start()
            for needs, pattern in self._patterns
            if (not needs or text.find(needs, start) >= 0) and (hit := pattern.search(text, start))
        ]
        end = min([len(text), *found])
        for at in range(start, end):
            for head in self._heads.get(text[at], ()):
                if text.startswith(head, at) or head.startswith(text[at:]):
                    return at
        return end

    def _entry(self, key: object, value: Any) -> Any:
        """A short secret is known by its key: `{"password": "abc"}`."""
        if isinstance(key, str) and isinstance(value, str) and value:
            before = f"{key}="
            clean = self.redact(before + value)
            if clean.startswith(before):
                return clean[len(before) :]
        return self.redact_data(value)


class StreamRedactor:
    """Feed text in any pieces; the joined output is what `redact` makes of the joined input."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._text = ""  # some context, then what is not given out yet
        self._from = 0

    def feed(self, chunk: str) -> str:
        """Text that is safe to show now; the end is held back while it could be the beginning of a value."""
        self._text += chunk
        out = ""
        if len(self._text) - self._from < _SHORT_TEXT:
            begin = self._redactor.may_begin(self._text, self._from)
            out = self._give(self._text[self._from : begin], begin)
            if len(self._text) - self._from < SHORT:
                return out
        return out + self._release(self._redactor.open_end(self._text))

    def flush(self) -> str:
        """The rest, at the end of the stream."""
        out = self._release(len(self._text) + 1)
        self._text, self._from = "", 0
        return out

    def _release(self, safe: int) -> str:
        text, done, out = self._text, self._from, []
        for begin, end, name in self._redactor.matches(text, done):
            if begin >= safe:
                break
            out += [text[done:begin], f"[{name}]"]
            done = end
        stop = max(done, min(safe, len(text)))
        out.append(text[done:stop])
        return self._give("".join(out), stop)

    def _give(self, out: str, stop: int) -> str:
        keep = max(0, stop - CONTEXT)
        self._text, self._from = self._text[keep:], stop - keep
        return out

"""Python expressions laid out as `ruff format` does, so that a written script needs no formatter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

__all__ = ["WIDTH", "Node", "call", "listing", "mapping", "plain", "quoted", "tuple_of"]

WIDTH = 120


class Node:
    """An expression with brackets: `open` + parts + `close`; on one line where it fits, else a part a line."""

    def __init__(
        self, open_: str, parts: Sequence[Node | str], close: str, *, prefix: str = "", spread: bool = False
    ) -> None:
        self.open, self.parts, self.close, self.prefix, self.spread = open_, list(parts), close, prefix, spread

    def flat(self) -> str:
        """On one line."""
        return (
            self.prefix
            + self.open
            + ", ".join(part if isinstance(part, str) else part.flat() for part in self.parts)
            + self.close
        )

    @property
    def must_spread(self) -> bool:
        """True when it, or a part of it, was asked to take several lines."""
        return self.spread or any(isinstance(part, Node) and part.must_spread for part in self.parts)

    def lines(self, indent: int, before: str = "", after: str = "") -> list[str]:
        """Lines at an indentation of that many spaces, `before` and `after` on the first and the last."""
        pad = " " * indent
        flat = pad + before + self.flat() + after
        if not self.parts or (len(flat) <= WIDTH and not self.must_spread):
            return [flat]
        found = [pad + before + self.prefix + self.open]
        for part in self.parts:
            if isinstance(part, str):
                found.append(f"{pad}    {part},")
            else:
                found += part.lines(indent + 4, "", ",")
        found.append(pad + self.close + after)
        return found


def quoted(text: str) -> str:
    """A string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def plain(text: str) -> str:
    """Text as it may stand in a comment, or in an f-string in double quotes."""
    return re.sub(r'[\x00-\x1f\x7f\\{}"]+', " ", text)


def call(function: str, args: Iterable[Node | str] = (), *, spread: bool = False, **named: Node | str | None) -> Node:
    """A call with positional and named arguments; those that are None are left out."""
    parts = list(args)
    for name, value in named.items():
        if isinstance(value, Node):
            value.prefix = f"{name}={value.prefix}"
            parts.append(value)
        elif value is not None:
            parts.append(f"{name}={value}")
    return Node(f"{function}(", parts, ")", spread=spread)


def listing(items: Iterable[Node | str]) -> Node:
    """A list."""
    return Node("[", list(items), "]")


def tuple_of(items: Iterable[str]) -> Node:
    """A tuple of at least two."""
    return Node("(", list(items), ")")


def mapping(entries: Iterable[tuple[str, str]]) -> Node:
    """A dict of literals."""
    return Node("{", [f"{key}: {value}" for key, value in entries], "}")

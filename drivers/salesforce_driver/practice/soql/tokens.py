"""SOQL text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from ..errors import SalesforceError, at_position, unexpected_token

__all__ = ["Token", "tokens", "unescape"]

_PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2}))
  | (?P<date>\d{4}-\d{2}-\d{2})(?![\dT])
  | (?P<number>[+-]?(?:\d+(?:\.\d+)?|\.\d+))(?![\w-])
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<symbol>!=|<>|<=|>=|[=<>(),.:])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"} | {char: char for char in "\"'\\_%"}


@dataclass(frozen=True)
class Token:
    """`value` is what a literal means."""

    kind: Literal["datetime", "date", "number", "string", "name", "symbol", "end"]
    text: str
    position: int
    value: str | int | float | date | datetime | None = None

    @property
    def upper(self) -> str:
        return self.text.upper()


def tokens(text: str) -> list[Token]:
    """All tokens and one of kind "end". Raises MALFORMED_QUERY at the first character that fits nowhere."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if not match:
            raise _refusal(text, position)
        kind = match.lastgroup or ""
        if kind != "space":
            value = _value(kind, match[0], text, position)
            found.append(Token(kind, match[0], position, value))  # type: ignore[arg-type]
        position = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _value(kind: str, piece: str, text: str, position: int) -> str | int | float | date | datetime | None:
    try:
        match kind:
            case "string":
                return unescape(piece[1:-1])
            case "number":
                return float(piece) if "." in piece else int(piece)
            case "date":
                return date.fromisoformat(piece)
            case "datetime":
                return datetime.fromisoformat(piece).astimezone(UTC)
    except OverflowError:
        raise at_position("MALFORMED_QUERY", text, position, f"invalid date: {piece}") from None
    except _BadEscapeError as exc:
        where = position + 1 + piece[1:-1].find(str(exc))
        raise at_position(
            "MALFORMED_QUERY",
            text,
            where,
            f"invalid string literal '{piece[1:-1]}'. Illegal character sequence '{exc}' in string literal.",
        ) from None
    except ValueError:
        raise at_position("INVALID_FIELD", text, position, f"invalid date: {piece}") from None
    return None


class _BadEscapeError(Exception):
    pass


def unescape(piece: str) -> str:
    """A string literal without its quotes, as what it means."""

    def one(match: re.Match[str]) -> str:
        body = match[1]
        if len(body) == 5:
            return chr(int(body[1:], 16))
        if body not in _ESCAPES:
            raise _BadEscapeError(match[0])
        return _ESCAPES[body]

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", one, piece, flags=re.DOTALL)


def _refusal(text: str, position: int) -> SalesforceError:
    row = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1)
    if text[position] == "'":
        return SalesforceError(
            400, "MALFORMED_QUERY", f"line {row}:{len(text)} mismatched character '<EOF>' expecting '''"
        )
    if text[position] in '"#$&?@[]{}|~`\\;!':
        return SalesforceError(
            400, "MALFORMED_QUERY", f"line {row}:{column} no viable alternative at character '{text[position]}'"
        )
    return unexpected_token(text, position, re.match(r"\S+", text[position:])[0])  # type: ignore[index]

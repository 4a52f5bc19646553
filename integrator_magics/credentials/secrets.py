"""Secrets that nobody registered: by the formats vendors gave their keys, and by what the text says about them."""

from __future__ import annotations

import re

from .formats import FORMATS

__all__ = ["find_format"]

_NAMED = re.compile("|".join(f"(?P<f{n}>{pattern})" for n, (_, pattern) in enumerate(FORMATS)))
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/@'\"]{0,128}:(?P<value>[^\s/@'\"]{1,256}|[^\s@'\"]{1,256})@[^\s@]", re.I
)
_WORD = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret(?:[ _-]?(?:access)?[ _-]?key)?|(?:api|access|auth|private|client|"
    r"security|bearer|refresh|session)[ _-]?(?:key|token|secret)|token|credentials?)"
)
_ASSIGNED = re.compile(
    rf"(?P<name>\b\w{{0,40}}{_WORD}\w{{0,20}})[\"'`]?(?:\s+(?:for|of)\s+\S{{1,40}}(?:\s+\S{{1,40}}){{0,2}}?)?\s{{0,3}}"
    r"(?P<how>:=|=>|={1,2}|:|\bis now\b|\bis\b|\bwas\b|\bto\b)"
    r"\s{0,3}(?P<quote>[\"'`]?)(?P<value>[^\s\"'`,;]{1,256})",
    re.I,
)
_BARE = re.compile(r"\b(?:bearer|basic)\s+(?P<value>[A-Za-z0-9._~+/=-]{16,})", re.I)
_PLACEHOLDER = re.compile(
    r"[<\[{(%$*.…].*|.*(?:\*{3,}|\.{3}|…|x{4,}).*|(?:your|my|the|new|some|an?|example|"
    r"sample|placeholder)[-_ ].*"
    r"|os\.environ.*|os\.getenv.*|getenv.*|process\.env.*|env[.\[:].*|settings\..*|config\..*|self\..*|redacted|changeme|"
    r"(?:none|null|true|false|str|string|text|varchar.*|int|integer|bool|boolean|bytes|required|optional|empty|missing|unset|"
    r"wrong|invalid|expired|correct|refused|needed|not|set|in|stored|kept|there|here|hidden|secret|password|token|valid|ok|"
    r"fine|ready|used|and|or|for|it|at|on|by|from|as|mandatory|available|encrypted|hashed|safe|visible|read|reset|being|"
    r"rotated|same|also|only|still|now|never|always|longer|too|very|because|when|if|what|which|where)[.!?)\]]*",
    re.I,
)


def find_format(text: str) -> str | None:
    """What kind of secret the text seems to hold ("a Stripe key", "a password"), None when there is none.

    Only looks at the text; values that are known are the redactor's business.
    """
    if hit := _NAMED.search(text):
        return FORMATS[int((hit.lastgroup or "f0")[1:])][0]
    for hit in _ADDRESS.finditer(text):
        if not _PLACEHOLDER.fullmatch(hit["value"]) and hit["value"].lower() not in (
            "password",
            "pass",
            "pwd",
            "secret",
        ):
            return "a password in an address"
    for hit in _ASSIGNED.finditer(text):
        if _is_value(hit["value"], hit["how"].lower(), bool(hit["quote"]), hit["name"].lower()):
            return _kind(hit["name"])
    for hit in _BARE.finditer(text):
        if _mixed(hit["value"]):
            return "a token"
    return None


def _kind(name: str) -> str:
    low = name.lower()
    if "pass" in low or "pwd" in low:
        return "a password"
    if "token" in low:
        return "a token"
    return "a key" if "key" in low else "a secret"


def _is_value(value: str, how: str, quoted: bool, name: str) -> bool:
    value = value.rstrip(".,!?)]}")
    if len(value) < 4 or _PLACEHOLDER.fullmatch(value):
        return False
    if how in ("is", "is now", "was", "to", ":"):
        return _mixed(value) or (quoted and len(value) >= 6 and how != "to")
    if "pass" in name or "pwd" in name:
        return not re.fullmatch(r"\w+\(.*|[a-z_]+(?:\.[a-z_]+)+\(?.*", value)
    return _mixed(value) and not re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+|\[.*|\(.*)+", value)


def _mixed(value: str) -> bool:
    """Looks made up, not like a word: letters with digits or signs."""
    if len(value) < 6:
        return len(value) >= 4 and bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value))
    letters = re.search(r"[A-Za-z]", value)
    digits = re.search(r"\d", value)
    signs = re.search(r"[^\w.,:/-]", value)
    return bool((letters and digits) or signs)

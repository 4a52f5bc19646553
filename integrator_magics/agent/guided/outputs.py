"""Files, tables, limits and keys named in a sentence: found and cut out of it."""

from __future__ import annotations

import re
from collections.abc import Callable

from .request import FileWish
from .spoken import FORMATS, VERBS
from .words import word_set

__all__ = ["CUT", "Text", "take_files", "take_key", "take_limit", "take_table"]

CUT = "§"  # stands where something understood was cut out
_EXTENSION = {"csv": "csv", "json": "json", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet",
              "xlsx": "excel", "xls": "excel", "xml": "xml", "pdf": "pdf"}  # fmt: skip
_FORMAT = "|".join(re.escape(word) for word in sorted(FORMATS, key=len, reverse=True))
_FILE_NAME = re.compile(
    r"(?:\b(?:to|as|into|in|called|named|and|the|a|file)\b\s+)*[\"'`]?(?P<name>[\w][\w\-./]*\.(?P<ext>csv|jsonl|json|"
    r"ndjson|parquet|xlsx|xls|xml|pdf))\b[\"'`]?",
    re.IGNORECASE,
)
_FORMAT_WORDS = re.compile(
    rf"(?:\b(?:to|as|into|in|onto|a|an|the|one|of|both|and|or|also|plus|format|formatted|saved|save|it|them|that|"
    rf"write|export|exported)\b[\s,]*)*\b(?P<format>{_FORMAT})\b(?:[ -](?:files?|format|export|documents?|sheet|"
    rf"workbook|dump)\b)?(?: of\b)?",
    re.IGNORECASE,
)
_ANY_FILE = re.compile(
    r"\b(?:to|into|as|in)(?: a| one| some)? (?:flat |text |local |new )?files?\b(?: (?:called|named) "
    r"(?P<name>[\w\-]+))?",
    re.IGNORECASE,
)
_IDENTIFIER = r"[\"`]?[A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)?[\"`]?"
_TABLES = (
    rf"(?P<prep>\b(?:in ?to|to|in|as|onto|from|of|out of)\s+)?(?:\b(?:the|a|an|my|our|new|existing|target|database|"
    rf"db)\s+)*"
    rf"\btable (?:called |named |with the name )?(?P<name>{_IDENTIFIER})",
    r"(?P<prep>\b(?:in ?to|to|in|as|onto|from|of|out of)\s+)(?:\b(?:the|a|an|my|our|new|existing|target)\s+)*"
    rf"(?P<name>{_IDENTIFIER})\s+(?:database )?table\b",
    r"(?P<prep>\b(?:in ?to|to|onto|as|from|out of)\s+)(?P<name>[\"`]?[A-Za-z_]\w*\.[A-Za-z_]\w*[\"`]?)(?![\w.])",
    r"(?P<prep>\b(?:in ?to|to|onto|as)\s+)(?P<name>[\"`]?[a-z]\w*_\w+[\"`]?)(?![\w.])",
    r"(?P<prep>)\b(?:the )?(?P<name>[A-Za-z_]\w*_\w+|[A-Za-z_]\w*\.[A-Za-z_]\w*)\s+table\b",
)
_NO_TABLE = word_set("to in into for the a an of with from where and that which called named it is as by per")
_NUMBER_WORDS = {"ten": 10, "twenty": 20, "fifty": 50, "hundred": 100, "five": 5, "three": 3, "thousand": 1000}
_LIMIT = re.compile(
    r"\b(?:(?P<dir>top|best|biggest|largest|highest|smallest|lowest|bottom|newest|latest|oldest|first|limit(?:ed)? to|"
    r"limit|at most|no more than|maximum(?: of)?|max|up to|only(?: the)? first|not more than)\s+)"
    r"(?P<n>\d[\d,. ]*k?\b|ten|twenty|fifty|hundred|five|three|thousand)(?!\s*(?:days?|weeks?|months?|hours?|years?|%|"
    r"st|nd|rd|th))"
    r"(?:\s+(?:rows|records|entries|lines|of them)\b)?",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:(?:ordered|sorted|ranked|order|sort|measured) )?by (?:the |their )?(?P<order>[\w ]+?)"
    r"(?P<down> ascending| descending| asc| desc)?(?=[,.;§]|$| from| in | to | into| where| with| as )",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"[,;]?\s*(?:\b(?:and|then)\s+)?\b(?:(?:match(?:ed|ing)?|identif(?:y|ied)|recogni[sz]e[d]?|keyed|merge[d]?|"
    r"join(?:ed)?|"
    r"upsert(?:ed)?|dedup(?:e|licated?)?)(?: (?:them|it|rows|records|known ones))? (?:by|on|via|using|with)|"
    r"(?:using|with|use)(?: the)?|the key is|key is|key:) (?:their |the |its )?(?P<key>[\w .-]+?)"
    r"(?P<suffix>\s+(?:as (?:the |a |its )?(?:primary |unique )?key|for matching|to match))?(?=[,.;§]|$| and | from | "
    r"to | into )",
    re.IGNORECASE,
)


class Text:
    """A sentence from which understood parts are cut, leaving a mark."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def cut(self, start: int, end: int, mark: str = f" {CUT} ") -> str:
        """Take a span out and return it."""
        piece = self.rest[start:end]
        self.rest = self.rest[:start] + mark + self.rest[end:]
        return piece

    def take(
        self, pattern: re.Pattern[str], accept: Callable[[re.Match[str]], bool] = lambda match: True
    ) -> re.Match[str] | None:
        """Cut out and return the first match that is acceptable."""
        for match in pattern.finditer(self.rest):
            if accept(match):
                self.cut(*match.span())
                return match
        return None


def take_files(text: Text) -> tuple[FileWish, ...]:
    """Files that a sentence asks for."""
    wishes: list[FileWish] = []
    while match := text.take(_FILE_NAME):
        wishes.append(FileWish(_EXTENSION[match["ext"].casefold()], match["name"]))
    named = {wish.format for wish in wishes}
    while match := text.take(_FORMAT_WORDS):
        form = FORMATS[match["format"].casefold()]
        if form not in named:
            named.add(form)
            wishes.append(FileWish(form))
    match = text.take(_ANY_FILE)
    if match and not wishes:
        wishes.append(FileWish("", match["name"] or ""))
    return tuple(wishes)


def take_table(text: Text) -> tuple[str, str]:
    """The target table and the source table that are named as tables."""
    target = source = ""
    for pattern in _TABLES:
        compiled = re.compile(pattern, re.IGNORECASE)
        while match := next((found for found in compiled.finditer(text.rest) if _is_table(found)), None):
            name = match["name"].strip('"`')
            prep = (match["prep"] or "").strip().casefold()
            before = text.rest[: match.start()]
            first = not prep and (
                not before.strip() or re.search(rf"\b(?:{VERBS}|all(?: of)?|rows)\s*$", before, re.IGNORECASE)
            )
            text.cut(*match.span())
            if prep in ("from", "of", "out of") or (first and not source):
                source = source or name
            else:
                target = target or name
    return target, source


def _is_table(match: re.Match[str]) -> bool:
    return match["name"].strip('"`').casefold() not in _NO_TABLE


_MOST = re.compile(
    r"\b(?:the )?(?P<n>\d+) (?P<noun>[\w ]+?) (?:with|having|by) (?:the )?(?P<dir>highest|most|biggest|largest|lowest|"
    r"smallest|"
    r"fewest|least|best) (?P<order>[\w ]+?)(?=[,.;§]|$| from| in | to | into| where| as )",
    re.IGNORECASE,
)


_BIGGEST = re.compile(
    r"\b(?:the )?(?P<n>\d+) (?P<dir>biggest|largest|highest|smallest|lowest|best|newest|latest|oldest|most recent|"
    r"most expensive|cheapest|most valuable)\b",
    re.IGNORECASE,
)


def take_limit(text: Text) -> tuple[int, str, bool]:
    """How many rows at most, ordered by what, ascending; 0 without a limit."""
    if most := _MOST.search(text.rest):
        text.cut(most.end("noun"), most.end())
        text.cut(most.start(), most.start("noun"), " ")
        return (
            int(most["n"]),
            most["order"].strip(),
            most["dir"].casefold() in ("lowest", "smallest", "fewest", "least"),
        )
    if biggest := text.take(_BIGGEST):
        direction = biggest["dir"].casefold()
        measure = "created" if direction in ("newest", "latest", "oldest", "most recent") else "amount"
        return int(biggest["n"]), measure, direction in ("smallest", "lowest", "oldest", "cheapest")
    match = text.take(_LIMIT)
    if not match:
        return 0, "", False
    word = match["n"].casefold().strip()
    number = _NUMBER_WORDS.get(word) or int(re.sub(r"\D", "", word) or 0) * (1000 if word.endswith("k") else 1)
    direction = match["dir"].casefold()
    order = (
        text.take(_ORDER)
        if direction in ("top", "best", "biggest", "largest", "highest", "smallest", "lowest", "bottom")
        else None
    )
    ascending = direction in ("smallest", "lowest", "bottom", "oldest")
    said = order["order"].strip() if order else ""
    if direction in ("newest", "latest", "oldest"):
        said = "created"
    return number, said, ascending


def take_key(text: Text) -> str:
    """By what known records are recognised, "" when nothing was said."""

    def accept(match: re.Match[str]) -> bool:
        plain = re.match(r"[,;]?\s*(?:and |then )?(?:using|with|use)\b", match[0].strip(), re.IGNORECASE)
        return bool(match["suffix"]) or not plain

    match = text.take(_KEY, accept)
    return match["key"].strip() if match else ""

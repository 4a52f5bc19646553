"""Text search: /search with SOSL. All words must be there; `*` and `?` stand for letters, quotes hold a phrase."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from integrator_practice.http import Response, json_response

from . import soql
from .calls import Call, Route
from .errors import SalesforceError
from .schema import Object
from .soql.operands import reader

__all__ = ["ROUTES"]

MAX_FOUND = 2_000
LISTS_BEFORE = 37  # older versions answer with a list
_FIND = re.compile(
    r"\s*FIND\s*\{(?P<text>(?:\\.|[^}\\])*)\}"
    r"(?:\s+IN\s+(?P<where>ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS)?"
    r"(?:\s+RETURNING\s+(?P<returning>.*?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_RETURNED = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)
_CLAUSE = re.compile(r"\b(?:WHERE|ORDER\s+BY|LIMIT)\b", re.IGNORECASE)
_LIMIT = re.compile(r"\bLIMIT\s+(\d+)\s*$", re.IGNORECASE)
_WORD = re.compile(r'"([^"]+)"|(\S+)')
_PIECE = re.compile(r"\w+")


def search(call: Call) -> Response:
    """GET /search?q="""
    text = call.request.query.get("q", "")
    found = _FIND.fullmatch(text)
    if not found:
        raise SalesforceError(400, "MALFORMED_SEARCH", f"The search is not understood: {text[:200]}")
    matches = _matcher(re.sub(r"\\(.)", r"\1", found["text"]))
    left = min(int(found["limit"] or MAX_FOUND), MAX_FOUND)
    shown: list[dict[str, Any]] = []
    for described, fields, clauses, limit in _returned(call, found["returning"]):
        rows = soql.run(
            f"SELECT {fields} FROM {described.name} {clauses}",
            call.org,
            call.clock,
            include_deleted=False,
            children=_no_children,
        )
        reads = [
            reader(call.org, described, field) for field in _searched(described, (found["where"] or "ALL").upper())
        ]
        hits = [row for row in rows.found if any(matches(str(read(row) or "")) for read in reads)]
        hits = hits[: left if limit is None else min(limit, left)]
        left -= len(hits)
        shown += [rows.render(row, call.base) for row in hits]
    return json_response(shown if call.version < LISTS_BEFORE else {"searchRecords": shown})


def _matcher(text: str) -> Callable[[str], bool]:
    """Are all words of the search in a value?"""
    tests: list[re.Pattern[str]] = []
    for phrase, word in _WORD.findall(text):
        if word.upper() in ("AND", "OR", "NOT") and word.isupper():
            raise SalesforceError(400, "MALFORMED_SEARCH", f"{word} between search terms is not known here")
        pieces = _PIECE.findall((phrase or word).replace("*", "__STAR__").replace("?", "__MARK__"))
        body = r"\W+".join(re.escape(one).replace("__STAR__", r"\w*").replace("__MARK__", r"\w") for one in pieces)
        if pieces:
            tests.append(re.compile(rf"(?<!\w){body}(?!\w)", re.IGNORECASE))
    if not tests or len(re.sub(r"\W", "", text)) < 2:
        raise SalesforceError(400, "MALFORMED_SEARCH", "search term must be longer than one character")
    return lambda value: all(test.search(value) for test in tests)


def _returned(call: Call, text: str | None) -> Iterator[tuple[Object, str, str, int | None]]:
    """Object, fields, clauses and limit of each item of RETURNING; all that can be searched without one."""
    if text is None:
        for described in call.org.schema.objects.values():
            if described.facts["searchable"] and described.facts["queryable"]:
                yield described, "Id", "", None
        return
    for item in _split(text):
        match = _RETURNED.fullmatch(item)
        described_or_none = call.org.schema.object(match[1]) if match else None
        if match is None or described_or_none is None:
            raise SalesforceError(400, "INVALID_TYPE", f"sObject type '{item.partition('(')[0]}' is not supported.")
        if not described_or_none.facts["searchable"]:
            raise SalesforceError(400, "INVALID_SEARCH", f"{described_or_none.name} can not be searched")
        inner = (match[2] or "Id").strip()
        start = _CLAUSE.search(inner)
        fields, clauses = (inner[: start.start()], inner[start.start() :]) if start else (inner, "")
        limit = _LIMIT.search(clauses)
        clauses = clauses[: limit.start()] if limit else clauses
        yield described_or_none, fields, clauses, int(limit[1]) if limit else None


def _split(text: str) -> list[str]:
    """The items of a list, with commas inside of parentheses and texts left alone."""
    items, depth, quoted = [""], 0, False
    for position, char in enumerate(text):
        if char == "'" and text[position - 1] != "\\":
            quoted = not quoted
        depth += 0 if quoted else (char == "(") - (char == ")")
        if char == "," and depth == 0 and not quoted:
            items.append("")
        else:
            items[-1] += char
    return [item.strip() for item in items]


def _searched(described: Object, where: str) -> list[Any]:
    fields = [field for field in described.visible() if field.kind == "text"]
    if where in ("EMAIL", "PHONE"):
        return [field for field in fields if field.type == where.lower()]
    if where == "NAME":
        return [field for field in fields if field.facts["nameField"]]
    return fields


def _no_children(rows: Any, render: Any, base: str) -> dict[str, Any]:
    raise SalesforceError(400, "MALFORMED_SEARCH", "A search can't return child records")


ROUTES: list[Route] = [("GET", "/search", search)]

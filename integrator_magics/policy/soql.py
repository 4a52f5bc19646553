"""SOQL and SOSL: both only read, except the clauses that mark or lock records."""

from __future__ import annotations

import re

from .model import Classification, Label, Reason, summed
from .text import unreadable

__all__ = ["classify_soql"]

_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)


def classify_soql(soql: str) -> Classification:
    """Label one SOQL query (SELECT ...) or SOSL search (FIND ...)."""
    if found := unreadable(soql, "soql"):
        return summed(found)
    plain = _LITERAL.sub("''", soql)
    if "'" in plain.replace("''", ""):
        return _one("is a query with an open quote", "Close the quote.")
    if not re.match(r"\s*(?:SELECT|FIND)\b", plain, re.I):
        word = (re.match(r"\s*(\w+)", plain) or ["", "nothing"])[1]
        if word.lower() in ("delete", "undelete", "merge"):
            return _one(f"would {word.lower()} records", "Write a report instead.", Label.DELETE)
        if word.lower() in ("insert", "update", "upsert"):
            return _one(f"would {word.lower()} records", "Use sync(...) or the driver's upsert.", Label.WRITE)
        return _one("is not a SOQL query", "Begin with SELECT.")
    if ";" in plain:
        return _one("holds more than one statement", "Send one query at a time.")
    if match := re.search(r"\bFOR\s+(UPDATE|VIEW|REFERENCE)\b", plain, re.I):
        effect = "lock the records" if match[1].upper() == "UPDATE" else "mark the records as viewed"
        return _one(f"would {effect} (FOR {match[1].upper()})", "Leave that clause out.", Label.WRITE)
    if match := re.search(r"\bUPDATE\s+(TRACKING|VIEWSTAT)\b", plain, re.I):
        return _one(f"would count as a use of the articles (UPDATE {match[1].upper()})", "Leave it out.", Label.WRITE)
    return summed([])


def _one(what: str, instead: str, label: Label = Label.UNKNOWN) -> Classification:
    return summed([Reason(1, what, instead, label)])

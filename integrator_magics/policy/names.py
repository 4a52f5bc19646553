"""Method names: what drivers do by them, and what plain data offers."""

from __future__ import annotations

import builtins
import csv
import datetime
import decimal
import io
import re
import uuid
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from functools import cache

from .tables import table

__all__ = ["CLIENT_WRITES", "DELETE_WORDS", "data_methods", "safe_builtins", "sounds_like_delete"]

CLIENT_WRITES = {
    "insert": "create records of {object}",
    "update": "change records of {object}",
    "upsert": "add or change records of {object}",
    "send": "send messages to {object}",
    "change_table": "create or widen {object}",
}
# The many names of deleting; compared with the words of a name, so "deleted_at" is none of them.
DELETE_WORDS = table("methods", "delete_words")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def sounds_like_delete(name: str) -> bool:
    """Whether a method's name says deleting, in any of its words: `hardDelete`, `empty_recycle_bin`."""
    return any(word.lower() in DELETE_WORDS for word in _WORDS.findall(name))


@cache
def data_methods() -> frozenset[str]:
    """Public methods of plain data: text, numbers, times, collections, tables, Records, files that are already open."""
    types: tuple[type, ...] = (
        *(str, bytes, bytearray, int, float, complex, list, dict, set, frozenset, tuple, range, slice),
        *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone, decimal.Decimal),
        *(Counter, OrderedDict, defaultdict, deque, ChainMap, uuid.UUID, re.Pattern, re.Match),
        *(io.StringIO, csv.DictReader, csv.DictWriter, BaseException),
    )
    found = {name for kind in types for name in dir(kind) if not name.startswith("_")}
    for key in ("pandas", "records", "files", "paths", "other", "file_methods"):
        found |= table("methods", key)
    return frozenset(found - {"truncate", "detach", "format", "format_map", "insert", "update", "send", "query"})


@cache
def safe_builtins() -> frozenset[str]:
    """Built-in functions, types and exceptions that can't reach outside."""
    errors = {
        name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
    }
    return table("python", "builtins") | errors

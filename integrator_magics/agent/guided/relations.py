"""How objects belong together: the joins of a manifest, and those that references between tables tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .fields import Fields, key_field, match_field, readable
from .joins import Join, Wish, field_of, object_of
from .knowledge import Knowledge
from .steps import ToolCall
from .words import likeness, name_tokens, plural, singular, tokens

__all__ = ["known_tables", "path_to", "with_references"]

TABLES = 25  # whose fields are looked at to see how they belong together, at most
HOPS = 3
Tables = Mapping[str, Fields]


def known_tables(system: str, kind: str, objects: Sequence[Mapping[str, Any]], known: Knowledge) -> dict[str, Fields]:
    """The fields of every table of a database that has few; of other systems those that were looked at."""
    names = [str(entry["name"]) for entry in objects]
    calls = {name: ToolCall("get_fields", {"system": system, "object": name}) for name in names}
    if kind == "sql" and len(names) <= TABLES:
        known.need("I am looking at how the tables belong together, reading only.", *calls.values())
    found = {name: known.last(call.tool, **call.args) for name, call in calls.items()}
    return {name: result["fields"] for name, result in found.items() if result and result.get("fields")}


def with_references(driver: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """The driver with a join for each reference between these tables that its manifest does not name."""
    joins: list[Join] = [dict(join) for join in driver.get("joins") or ()]
    named = {join["start"] for join in joins}
    keys = {object_of(join["to"]): field_of(join["to"]) for join in joins if _is_key(join)}
    for name, fields in tables.items():
        for field, entry in fields.items():
            others = [other for other in entry.get("references") or () if other in tables or other in keys]
            if len(others) != 1 or f"{name}.{field}" in named:
                continue
            other = others[0]
            key = key_field(tables[other], other) if other in tables else keys[other]
            if not key:
                continue
            same = [entry for entry in fields.values() if list(entry.get("references") or ()) == [other]]
            joins.append(_there(name, field, other, key, alone=len(same) == 1))
            if driver.get("kind") == "sql":
                joins.append(_back(name, field, other, key))
    return {**driver, "joins": joins, "back": _backwards(driver), "tables": tables}


def _backwards(driver: Mapping[str, Any]) -> list[Join]:
    """The manifest's joins from their other end: the opportunities of an account."""
    words: Mapping[str, Any] = driver.get("words") or {}
    return [
        {"start": join["to"], "to": join["start"], "words": list(words.get(object_of(join["start"]), ())), "one": False}
        for join in driver.get("joins") or ()
        if _is_key(join)
    ]


def _is_key(join: Join) -> bool:
    return field_of(join["to"]).casefold() == "id"


def _there(name: str, field: str, other: str, key: str, *, alone: bool) -> Join:
    stem = [word for word in name_tokens(field) if word not in ("id", "key", "code", "fk")]
    called = name_tokens(other.rpartition(".")[2])
    one = [*called[:-1], singular(called[-1])]
    words = [" ".join(stem)] if stem else []
    if alone or [singular(word) for word in stem] == one:
        words += [" ".join(one), " ".join([*called[:-1], plural(singular(called[-1]))])]
    return {
        "start": f"{name}.{field}", "to": f"{other}.{key}", "keep": "left", "words": list(dict.fromkeys(words)),
        "one": True,
    }  # fmt: skip


def _back(name: str, field: str, other: str, key: str) -> Join:
    called = name_tokens(name.rpartition(".")[2])
    words = [" ".join([*called[:-1], singular(called[-1])]), " ".join(called)]
    return {"start": f"{other}.{key}", "to": f"{name}.{field}", "keep": "left", "words": words, "one": False}


def path_to(phrase: str, obj: str, joins: Sequence[Join], tables: Tables) -> Wish | None:
    """The nearest way from an object to what a phrase names, each step to exactly one record.

    "customer country" names the other object first; "country" alone a field of one that is near.
    """
    said = [singular(word) for word in tokens(phrase)]
    if not said:
        return None
    queue: deque[tuple[str, tuple[Join, ...]]] = deque([(obj, ())])
    reached = {obj}
    named: list[Wish] = []
    held: list[Wish] = []
    while queue:
        here, path = queue.popleft()
        if path and (rest := _after_name(said, path[-1])) is not None:
            named.append(Wish(path[0], " ".join(tokens(phrase)[len(said) - len(rest) :]), path=path))
        if path and (field := _exactly(phrase, here, tables)):
            held.append(Wish(path[0], field, path=path))
        if len(path) == HOPS:
            continue
        for join in joins:
            other = object_of(join["to"])
            if object_of(join["start"]) == here and other not in reached and (join.get("one") or _is_key(join)):
                reached.add(other)
                queue.append((other, (*path, join)))
    for wish in named:
        fields = tables.get(object_of(wish.path[-1]["to"]))
        if not wish.rest or fields is None or match_field(wish.rest, readable(fields)).sure:
            return replace(wish, rest=wish.rest or "name")
    return held[0] if held else None


def _after_name(said: list[str], join: Join) -> list[str] | None:
    """The words after those that name the other object, None where they do not."""
    names = [*join["words"], " ".join(name_tokens(object_of(join["to"]).rpartition(".")[2]))]
    best: list[str] | None = None
    for name in names:
        wanted = [singular(word) for word in tokens(name)]
        if wanted and said[: len(wanted)] == wanted and (best is None or len(said) - len(wanted) < len(best)):
            best = said[len(wanted) :]
    return best


def _exactly(phrase: str, obj: str, tables: Tables) -> str:
    fields = readable(tables.get(obj) or {})
    match = match_field(phrase, fields, obj) if fields else None
    if not match or not match.sure or len(match.names) != 1:
        return ""
    name = match.names[0]
    near = likeness(phrase, name, str(fields[name].get("label") or ""), obj)
    return name if near >= 0.94 and not fields[name].get("references") else ""

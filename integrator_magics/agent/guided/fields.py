"""Phrases of people -> fields of an object, by name, label, synonym and likeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .words import best, holds, likeness, name_tokens, singular, tokens

__all__ = [
    "CREATED_OR_CHANGED",
    "Match",
    "default_fields",
    "first_and_last",
    "key_field",
    "match_field",
    "readable",
    "time_fields",
]

Fields = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Match:
    """Fields that a phrase means. `sure` False: several could be meant, or none fits and `names` are near ones."""

    names: tuple[str, ...]
    sure: bool
    several: bool = False


def readable(fields: Fields) -> dict[str, Mapping[str, Any]]:
    """Fields that a script can carry: no files, no compound whose parts are there."""
    parts = {
        str(field.get("compound")) for name, field in fields.items() if field.get("compound") not in (None, "", name)
    }
    return {
        name: field
        for name, field in fields.items()
        if field.get("type") != "binary" and not (field.get("type") == "json" and name in parts)
    }


def _labels(fields: Fields) -> dict[str, str]:
    return {name: str(field.get("label") or "") for name, field in fields.items()}


def match_field(phrase: str, fields: Fields, obj: str = "") -> Match:
    """The field that a phrase names; "address" means its parts, "name" first and last name where there is no other."""
    labels = _labels(fields)
    ranked = best(phrase, labels, obj=obj)
    if not ranked:
        return Match((), False)
    top = ranked[0][0]
    if top >= 0.94:
        exact = [name for score, name in ranked if score >= top - 0.001]
        if len(exact) > 1:
            exact = _narrow(phrase, exact, fields)
        if len(exact) == 1:
            return Match(_parts(exact[0], fields), True)
        return Match(tuple(exact[:5]), False, several=True)
    if set(tokens(phrase)) <= {"name", "names", "full"} and (both := first_and_last(fields)):
        return Match(both, True)
    holding = [name for _, name in ranked if holds(phrase, name, labels[name])]
    if len(holding) == 1 and top < 0.75:
        return Match(_parts(holding[0], fields), True)
    close = [name for score, name in ranked if score >= max(top - 0.12, 0.55)]
    if top >= 0.7 and len(close) == 1:
        return Match(_parts(close[0], fields), True)
    if len(close) > 1 and top >= 0.62:
        return Match(tuple(close[:5]), False, several=True)
    return Match(tuple(name for score, name in ranked[:4] if score >= 0.3), False)


def _narrow(phrase: str, names: list[str], fields: Fields) -> list[str]:
    """Of equally good fields those that are named exactly so, then those that are no reference."""
    wanted = "".join(tokens(phrase))
    for test in (
        lambda name: name.casefold() == phrase.strip().casefold(),
        lambda name: "".join(name_tokens(name)) == wanted,
        lambda name: "".join(tokens(str(fields[name].get("label") or ""))) == wanted,
        lambda name: fields[name].get("type") not in ("reference", "json"),
    ):
        fitting = [name for name in names if test(name)]
        if fitting:
            names = fitting
        if len(names) == 1:
            break
    return names


def _parts(name: str, fields: Fields) -> tuple[str, ...]:
    field = fields[name]
    if field.get("type") != "json":
        return (name,)
    parts = tuple(
        part
        for part, entry in fields.items()
        if part != name and entry.get("compound") == name and entry.get("type") != "number"
    )
    return parts or (name,)


def first_and_last(fields: Fields) -> tuple[str, ...]:
    """The fields for first and last name; empty unless both are there."""
    found = []
    for word in ("first", "last"):
        named = [name for score, name in best(f"{word} name", _labels(fields)) if score >= 0.94]
        if named:
            found.append(named[0])
    return tuple(found) if len(found) == 2 else ()


def key_field(fields: Fields, obj: str = "") -> str:
    """The primary key, or a field named so; "" when there is none."""
    primary = [name for name, field in fields.items() if field.get("primary_key")]
    if len(primary) == 1:
        return primary[0]
    if primary:
        return ""
    one = singular(name_tokens(obj)[-1]) if name_tokens(obj) else ""
    for name in fields:
        if name_tokens(name) in (["id"], [one, "id"], ["uuid"], ["guid"], ["key"], [one, "key"]):
            return name
    return ""


# What a person expects in a list of people, companies, deals or orders when no field was named.
_DEFAULTS = (
    "name", "subject", "email", "phone", "company", "status", "stage", "source", "amount", "total", "price", "quantity",
    "type", "industry", "city", "country", "close date", "start date", "due date", "date", "title", "number",
)  # fmt: skip


def default_fields(fields: Fields, obj: str, created: str | None, limit: int = 9) -> tuple[str, ...]:
    """Key, name, e-mail and the like, and when it was created. All fields of an object that has few."""
    usable = readable(fields)
    if len(usable) <= 12:
        return tuple(usable)
    chosen = [key_field(usable, obj)] if key_field(usable, obj) else []
    for wish in _DEFAULTS:
        match = match_field(wish, usable, obj)
        if match.sure and len(chosen) < limit:
            scores = [likeness(wish, name, str(usable[name].get("label") or ""), obj) for name in match.names]
            if wish == "name" or max(scores) >= 0.94:
                chosen += [name for name in match.names if name not in chosen]
    when = created if created in usable else next(iter(time_fields(usable, "created", obj, None)), None)
    if when and when not in chosen:
        chosen.append(when)
    return tuple(chosen) if len(chosen) > 1 else tuple(list(usable)[:limit])


_VERB_WORDS = {
    "opened": "created", "came in": "created", "come in": "created", "coming in": "created", "arrived": "created",
    "came": "created",
    "new": "created", "added": "created", "entered": "created", "registered": "created", "made": "created",
    "generated": "created", "captured": "created", "collected": "created", "modified": "updated", "changed": "updated",
    "edited": "updated", "touched": "updated", "signed up": "signup", "last seen": "last seen", "logged in": "last "
    "login",
    "won": "closed", "lost": "closed", "placed": "ordered", "finished": "ended", "dated": "date",
}  # fmt: skip


CREATED_OR_CHANGED = frozenset({"created", "updated", *(verb for verb, word in _VERB_WORDS.items() if " " not in word)})


def time_fields(fields: Fields, verb: str, obj: str, created: str | None, cursor: str | None = None) -> list[str]:
    """Fields that hold the time a window speaks of, the fitting one first; several when it is not clear."""
    times = {name: field for name, field in fields.items() if field.get("type") in ("date", "datetime")}
    if not times:
        return []
    verb = _past(verb)
    word = _VERB_WORDS.get(verb, verb)
    if verb and verb not in ("new",):
        direct = best(verb, _labels(times), obj=obj, cutoff=0.45) + best(
            f"{verb} date", _labels(times), obj=obj, cutoff=0.62
        )
        mapped = best(word, _labels(times), obj=obj, cutoff=0.45) + best(
            f"{word} date", _labels(times), obj=obj, cutoff=0.62
        )
        if word == "created" and created in times:
            return [str(created)]
        if word == "updated" and cursor in times and not direct:
            return [str(cursor)]
        for ranked in (direct, mapped):
            if ranked:
                ranked.sort(key=lambda entry: (-entry[0], times[entry[1]].get("type") != "datetime"))
                return [ranked[0][1]]
        if word == "updated" and cursor in times:
            return [str(cursor)]
        return list(times) if word not in ("created",) else _created_like(times, obj) or list(times)
    if created in times:
        return [str(created)]
    return _created_like(times, obj) or list(times)


def _past(verb: str) -> str:
    """closing -> closed, expiring -> expired: how systems name their dates."""
    return f"{verb[:-3]}ed" if verb.endswith("ing") and verb not in _VERB_WORDS and " " not in verb else verb


def _created_like(times: Fields, obj: str) -> list[str]:
    labels = _labels(times)
    for wish in ("created at", "creation date", "created", "inserted at", "date", "timestamp"):
        ranked = best(wish, labels, obj=obj, cutoff=0.9)
        if ranked:
            return [ranked[0][1]]
    one = singular(name_tokens(obj)[-1]) if name_tokens(obj) else ""
    for suffix in ("date", "at", "on", "time"):
        ranked = best(f"{one} {suffix}", labels, cutoff=0.9)
        if ranked:
            return [ranked[0][1]]
    return list(times) if len(times) == 1 else []

"""Which records: the time window, conditions on fields, and whether something beside them is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .conditions import Filter, Reading, read_condition
from .explain import and_list
from .fields import CREATED_OR_CHANGED, Fields, match_field, readable, time_fields
from .joins import Wish, field_of, join_for, object_of
from .knowledge import Knowledge
from .plan import Presence
from .request import Request
from .steps import Ask, Choice, Say
from .windows import Moment, Window
from .words import likeness, singular, slug, tokens

__all__ = ["Narrowed", "narrow", "stated_verb", "window_of"]

_BESIDE = re.compile(
    r"^(?:only )?(?P<word>with no|without|with|who have no|that have no|have no|lacking|missing|in|not in|having|have|"
    r"has)"
    r"(?: (?:an?|any|some|at least one|the|their|known))? (?P<what>.+)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Narrowed:
    """Conditions, presences, and what to tell the user."""

    filters: tuple[Filter, ...] = ()
    presences: tuple[Presence, ...] = ()
    notes: tuple[str, ...] = ()


def window_of(
    request: Request, fields: Fields, obj: str, driver: Mapping[str, Any], known: Knowledge
) -> tuple[tuple[Filter, ...], str]:
    """Conditions of the time window, and its words; asks which date counts where several could."""
    window = request.window
    if not window:
        return (), ""
    usable = readable(fields)
    verb = window.verb or stated_verb(request, usable, obj, driver)
    names = time_fields(usable, verb, obj, driver.get("created"), driver.get("cursor"))
    if not names:
        raise Say(
            f"{obj} has no field with a date, so I can't choose records by time ({window.words}). "
            "Say it without the time."
        )
    name = names[0] if len(names) == 1 else _which_date(names, window.words, fields, obj, known)
    kind = str(fields[name].get("type"))
    label = str(fields[name].get("label") or name)
    end = window.end
    if verb and not end and name not in (driver.get("created"), driver.get("cursor")):
        end = _until_now(window)
    found = [
        Filter(name, op, moment.code(kind), f"{label} {window.words}")
        for op, moment in ((">=", window.start), ("<", end))
        if moment
    ]
    is_created = driver.get("created") == name
    return tuple(found), window.words if is_created else f"{window.words} (by {label})"


def _until_now(window: Window) -> Moment | None:
    """The end of "this quarter" and "the last 30 days", for dates that may lie in the future."""
    start = window.start
    if not start or start.day or start.hours:
        return None
    if window.words.startswith("the last"):
        return Moment("day", -1)
    return Moment(start.unit, -1) if window.words in ("today", f"this {start.unit}") else None


def stated_verb(request: Request, fields: Fields, obj: str, driver: Mapping[str, Any]) -> str:
    """ "won opportunities this year": where a date tells when that happened, it is meant."""
    for word in request.adjectives:
        if word.startswith(("un", "non", "dis")):
            continue
        if word.endswith("ed") or word in ("won", "lost", "paid", "sold"):
            found = time_fields(fields, word, obj, driver.get("created"), driver.get("cursor"))
            if len(found) == 1:
                return word
    return ""


def _which_date(names: list[str], words: str, fields: Fields, obj: str, known: Knowledge) -> str:
    reply = known.answer("time")
    choices = [Choice(str(fields[name].get("label") or name), name, name) for name in names[:6]]
    if reply is None:
        raise Ask("time", f'{obj} has several dates. Which one decides ("{words}")?', choices)
    answer, _ = reply
    if answer.index is not None and answer.index < len(choices):
        return str(choices[answer.index].value)
    match = match_field(answer.text, {name: fields[name] for name in names}, obj)
    return match.names[0] if match.names else names[0]


def narrow(
    request: Request,
    rest: tuple[str, ...],
    unused: tuple[str, ...],
    fields: Fields,
    obj: str,
    noun: str,
    driver: Mapping[str, Any],
    known: Knowledge,
) -> Narrowed:
    """Every condition of a request; asks where a phrase can mean several things or nothing.

    `rest` are phrases that must mean something, `unused` words that perhaps do.
    """
    filters: list[Filter] = [*request.filters, *_state(request, fields, obj)]
    presences: list[Presence] = []
    notes: list[str] = []
    said = [*_stated(request, fields, obj, driver), *(f"only {word}" for word in request.adjectives)]
    for phrase in dict.fromkeys((*said, *request.conditions, *rest)):
        if found := _beside(phrase, fields, obj, driver):
            presences += [entry for entry in found if isinstance(entry, Presence)]
            filters += [entry for entry in found if isinstance(entry, Filter)]
            continue
        reading = read_condition(phrase, fields, obj)
        filters += reading.filters[0] if reading.sure else _asked(phrase, reading, fields, obj, noun, known, notes)
    for phrase in unused:
        reading = read_condition(phrase, fields, obj)
        if reading.sure:
            filters += reading.filters[0]
        elif reading.filters or re.search(r"\d|\b[A-Z]|\b(?:never|except)\b", phrase):
            filters += _asked(phrase, reading, fields, obj, noun, known, notes)
        else:
            notes.append(f'I did not use the words "{phrase}".')
    return Narrowed(_merged(filters), tuple(dict.fromkeys(presences)), tuple(notes))


def _state(request: Request, fields: Fields, obj: str) -> tuple[Filter, ...]:
    """ "won in Q3": the verb chooses the date; where the object says by yes or no what it tells, that holds too."""
    verb = request.window.verb if request.window else ""
    if not verb or verb.endswith("ing") or verb in request.adjectives:
        return ()
    reading = read_condition(f"only {verb}", fields, obj)
    if not reading.sure or any(fields[entry.field].get("type") != "boolean" for entry in reading.filters[0]):
        return ()
    return reading.filters[0]


def _stated(request: Request, fields: Fields, obj: str, driver: Mapping[str, Any]) -> list[str]:
    """ "cancelled last month" where no date is about that: a condition of its own."""
    verb = request.window.verb if request.window else ""
    if not verb or verb == "new" or _state(request, fields, obj):
        return []
    found = time_fields(readable(fields), verb, obj, driver.get("created"), driver.get("cursor"))
    return [f"only {verb}"] if len(found) > 1 and verb.endswith("ed") and verb not in CREATED_OR_CHANGED else []


def _merged(filters: list[Filter]) -> tuple[Filter, ...]:
    """Two values of one field are alternatives: "paused and banned guests"."""
    found: list[Filter] = []
    for entry in dict.fromkeys(filters):
        same = next((old for old in found if (old.field, old.op, entry.op) == (entry.field, "=", "=")), None)
        both = next((old for old in found if (old.field, old.op, entry.op) == (entry.field, "in", "=")), None)
        if same:
            words = f"{same.words} or {entry.words.split(' is ', 1)[-1]}"
            found[found.index(same)] = Filter(entry.field, "in", f"[{same.code}, {entry.code}]", words)
        elif both:
            words = f"{both.words} or {entry.words.split(' is ', 1)[-1]}"
            found[found.index(both)] = Filter(entry.field, "in", f"{both.code[:-1]}, {entry.code}]", words)
        else:
            found.append(entry)
    return tuple(found)


def _beside(phrase: str, fields: Fields, obj: str, driver: Mapping[str, Any]) -> list[Filter | Presence]:
    """ "without a campaign": an object beside, reached by a join; the reference itself where there is one."""
    match = _BESIDE.match(phrase.strip())
    if not match:
        return []
    what = match["what"].strip(" .,?")
    exact = match_field(what, readable(fields), obj)
    if exact.sure and likeness(what, exact.names[0], str(fields[exact.names[0]].get("label") or ""), obj) >= 0.94:
        return []
    joins = driver.get("joins") or ()
    wish = join_for(what, obj, joins) or join_for(what, obj, driver.get("back") or ()) or _linked(what, obj, joins)
    if not wish or wish.rest:
        return []
    wanted = not re.search(r"\bno\b|without|lacking|missing|not in", match["word"], re.IGNORECASE)
    start = field_of(wish.join["start"])
    label = str(wish.join["words"][0]) if wish.join["words"] else object_of(wish.join["to"])
    if fields.get(start, {}).get("references"):
        said = f"{label} is {'filled in' if wanted else 'empty'}"
        return [Filter(start, "not null" if wanted else "is null", "None", said)]
    return [Presence(object_of(wish.join["to"]), start, field_of(wish.join["to"]), wanted, label)]


def _linked(what: str, obj: str, joins: Sequence[Mapping[str, Any]]) -> Wish | None:
    """ "orders" of a product, where only order_items refer to it."""
    said = [singular(word) for word in tokens(what)]
    for join in joins:
        called = [singular(word) for word in tokens(str(join["words"][0]))] if join["words"] else []
        if object_of(join["start"]) == obj and join.get("one") is False and called[: len(said)] == said:
            return Wish(join)
    return None


def _asked(
    phrase: str, reading: Reading, fields: Fields, obj: str, noun: str, known: Knowledge, notes: list[str]
) -> tuple[Filter, ...]:
    slot = slug(f"filter {phrase}")
    reply = known.answer(slot)
    choices = [Choice(and_list([part.words for part in entry]), "", entry) for entry in reading.filters]
    everything = Choice(f"Take all {noun}", "without this condition")
    if reply is None:
        if choices:
            question = f'Which {noun} do you mean by "{phrase}"?'
        else:
            near = and_list([str(fields[name].get("label") or name) for name in reading.near], "or")
            hint = f" It has {near}, for instance." if near else ""
            question = f'I could not match "{phrase}" with a field of {obj}.{hint} How shall I choose the {noun}?'
        raise Ask(slot, question, [*choices, everything])
    answer, _ = reply
    if answer.index is not None:
        return choices[answer.index].value if answer.index < len(choices) else ()
    again = read_condition(answer.text, fields, obj)
    if again.filters:
        return again.filters[0]
    for choice in choices:
        if any(
            likeness(answer.text, part.field, str(fields[part.field].get("label") or "")) > 0.9 for part in choice.value
        ):
            return tuple(choice.value)
    notes.append(f'I left out the condition "{phrase}", because no field fits it.')
    return ()

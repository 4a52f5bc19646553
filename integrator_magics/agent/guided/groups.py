"""Per what a question counts: a field, a period, or something beside the object, however many steps away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .fields import Fields, key_field, match_field, readable
from .joins import Wish, join_for, join_through, object_of, steps_for
from .knowledge import Knowledge
from .named import named
from .plan import JoinStep, Plan
from .relations import Tables, path_to
from .steps import ToolCall
from .words import likeness, name_tokens, tokens, word_set

__all__ = ["Place", "grouped", "place_of", "start_field"]

_REPS = word_set("rep reps salesperson salespeople seller sellers salesman agent agents manager owner owners person")
_AMOUNTS = word_set("employees revenue amount price total value cost budget employee size headcount numberofemployees")


@dataclass(frozen=True)
class Place:
    """Where a value stands: a field of the object, or the last of some joins; `key` tells same names apart."""

    field: str
    label: str
    steps: tuple[JoinStep, ...] = ()
    key: str = ""
    bands: bool = False

    @property
    def column(self) -> str:
        """Its name after the joins."""
        return f"{self.steps[-1].prefix}{self.field}" if self.steps else self.field


def grouped(
    plan: Plan, phrase: str, fields: Fields, driver: Mapping[str, Any], tables: Tables, known: Knowledge
) -> Plan:
    """The plan, per what the phrase names."""
    place = place_of(phrase, plan.object, fields, driver, tables, known) or _asked(phrase, plan, fields, known)
    return replace(
        plan,
        group=place.field,
        group_label=place.label,
        group_join=place.steps,
        group_key=place.key,
        bands=place.bands,
    )


def place_of(
    phrase: str, obj: str, fields: Fields, driver: Mapping[str, Any], tables: Tables, known: Knowledge
) -> Place | None:
    """The one place that a phrase names; None where it is not clear."""
    phrase = re.sub(r"\bsize$", "employees", phrase)  # of a company
    usable = readable(fields)
    joins = driver.get("joins") or ()
    exact = match_field(phrase, usable, obj)
    name = exact.names[0] if exact.sure else ""
    near = likeness(phrase, name, str(usable[name].get("label") or ""), obj) if name else 0.0
    if name and not usable[name].get("references") and near >= 0.94:
        return _field(name, usable, phrase)
    wish = join_for(phrase, obj, joins) or path_to(phrase, obj, joins, tables)
    if not wish and not name and driver.get("kind") != "sql":
        wish = path_to(phrase, obj, joins, {**tables, **_beside(obj, driver, known)})
    if not wish and name and usable[name].get("references"):
        wish = join_through(name, obj, joins)
    if not wish and set(tokens(phrase)) & _REPS:
        wish = path_to("owner", obj, joins, tables)
    if name and not usable[name].get("references") and not wish:
        return _field(name, usable, phrase)
    if wish:
        return _joined(wish, phrase, obj, fields, driver, known)
    return _field(name, usable, phrase) if name else None


def _beside(obj: str, driver: Mapping[str, Any], known: Knowledge) -> dict[str, Fields]:
    """The fields of the objects that one like this refers to."""
    joins = driver.get("joins") or ()
    names = [object_of(join["to"]) for join in joins if object_of(join["start"]) == obj and "one" not in join]
    calls = [ToolCall("get_fields", {"system": driver["name"], "object": name}) for name in dict.fromkeys(names)]
    words = f"I am looking at what belongs to {obj}, reading only."
    found = known.need(words, *calls) if calls else []
    return {str(call.args["object"]): result.get("fields") or {} for call, result in zip(calls, found, strict=True)}


def _field(name: str, fields: Fields, said: str = "") -> Place:
    label = str(fields[name].get("label") or name)
    label = said if said.casefold() == label.casefold() else label
    return Place(name, label, bands=_has_bands(name, fields[name]))


def _joined(
    wish: Wish, phrase: str, obj: str, fields: Fields, driver: Mapping[str, Any], known: Knowledge
) -> Place | None:
    """The object a phrase names, or the field of it that the rest of the phrase names."""
    itself = wish.rest in ("", "name")
    steps = steps_for([replace(wish, rest=wish.rest or "name")], obj, fields, driver, known)
    if not steps or not steps[-1].shown:
        return None
    last = steps[-1]
    there = known.need("", ToolCall("get_fields", {"system": driver["name"], "object": last.object}))[0]
    behind: Fields = readable(there.get("fields") or {})
    if itself:
        key = key_field(behind, last.object)
        if key and key not in last.fields:
            steps = (*steps[:-1], replace(last, fields=(key, *last.fields)))
        return Place(last.shown[0], last.label, steps, f"{last.prefix}{key}" if key else "")
    match = match_field(wish.rest, behind, last.object)
    field = match.names[0] if match.sure else named(wish.rest, behind, last.object, driver["name"], known)
    fields_read = tuple(dict.fromkeys((*(name for name in last.fields if name not in last.shown), field)))
    steps = (*steps[:-1], replace(last, fields=fields_read, shown=(field,)))
    said = " ".join(name_tokens(phrase))
    return Place(field, said, steps, bands=_has_bands(field, behind[field]))


def _has_bands(name: str, entry: Mapping[str, Any]) -> bool:
    """Numbers that hardly two records share: employees, revenue."""
    words = {*name_tokens(name), *tokens(str(entry.get("label") or ""))}
    return entry.get("type") in ("number", "integer") and bool(words & _AMOUNTS)


def _asked(phrase: str, plan: Plan, fields: Fields, known: Knowledge) -> Place:
    usable = readable(fields)
    return _field(named(phrase, usable, plan.object, plan.source.name, known), usable)


def start_field(place: Place) -> str:
    """What must be read of the object to get there."""
    return place.steps[0].start if place.steps else place.field

"""Objects beside the one asked for, by the joins a driver's manifest names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .columns import Chosen
from .fields import Fields, default_fields, key_field, readable
from .knowledge import Knowledge
from .plan import JoinStep
from .request import Request
from .steps import ToolCall
from .words import likeness, name_tokens, snake, tokens

__all__ = ["join_steps"]


def join_steps(
    request: Request,
    chosen: Chosen,
    obj: str,
    driver: Mapping[str, Any],
    fields: Fields,
    known: Knowledge,
    objects: list[dict[str, Any]],
) -> tuple[tuple[JoinStep, ...], tuple[str, ...], tuple[str, ...]]:
    """Join steps, phrases that are no join, and notes."""
    joins = list(driver.get("joins") or ())
    wanted: list[Mapping[str, Any]] = []
    leftover: list[str] = []
    for phrase in chosen.withs:
        found = _join_for(phrase, obj, joins)
        if found:
            wanted.append(found)
        else:
            leftover.append(phrase)
    for entry in chosen.joins:
        said = str(entry.get("join") or str(entry.get("field", "")).split(".")[0])
        found = next((join for join in joins if _object(join["start"]) == obj and _object(join["to"]) == said), None)
        found = found or _join_for(said, obj, joins)
        if found:
            wanted.append(found)
    steps: list[JoinStep] = []
    for join in {str(join["to"]): join for join in wanted}.values():
        steps += _chain(join, obj, joins, driver, known, len(steps))
    return tuple(steps), tuple(leftover), ()


def _object(place: str) -> str:
    return str(place).rpartition(".")[0]


def _field(place: str) -> str:
    return str(place).rpartition(".")[2]


def _join_for(phrase: str, obj: str, joins: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    said = [
        word for word in tokens(phrase) if word not in ("info", "information", "details", "data", "name", "names")
    ] or tokens(phrase)
    best, score = None, 0.0
    for join in joins:
        if _object(join["start"]) != obj:
            continue
        names = [*join["words"], " ".join(name_tokens(_object(join["to"])))]
        value = max(likeness(" ".join(said), word, word) for word in names)
        if value > score:
            best, score = join, value
    return best if score >= 0.85 else None


def _chain(
    join: Mapping[str, Any],
    obj: str,
    joins: list[Mapping[str, Any]],
    driver: Mapping[str, Any],
    known: Knowledge,
    first: int,
) -> list[JoinStep]:
    """The join, and one further where the other side only connects (its words name what is behind it)."""
    other = _object(join["to"])
    further = [
        entry
        for entry in joins
        if _object(entry["start"]) == other
        and _object(entry["to"]) != obj
        and set(map(str.casefold, entry["words"])) & set(map(str.casefold, join["words"]))
    ][:1]
    calls = [
        ToolCall("get_fields", {"system": driver["name"], "object": name})
        for name in (other, *(_object(entry["to"]) for entry in further))
    ]
    words = f"I am looking at the fields of {other}, reading only."
    known.need(words, *calls)
    looks = [known.look(words, call, str(call.args["object"])) for call in calls]
    found: list[JoinStep] = []
    label = str(join["words"][0] if join["words"] else " ".join(name_tokens(other)))
    for place, (entry, look) in enumerate(zip((join, *further), looks, strict=True)):
        name = _object(entry["to"])
        there: Fields = (look.data.get("fields") if look else None) or {}
        key = _field(entry["to"])
        needed = [key, *(_field(more["start"]) for more in further if place == 0)]
        shown = [field for field in _worth(there, name, driver) if field not in needed]
        keep = str(entry.get("keep") or "left")
        found.append(
            JoinStep(
                object=name,
                start=_field(entry["start"]),
                key=key,
                fields=tuple(dict.fromkeys([*needed, *shown])),
                keep=keep,
                prefix=f"{snake(name)}_" if place == 0 else f"{snake(name)}_",
                label=label,
                inner_of=-1 if place == 0 else first,
            )
        )
    return found


def _worth(fields: Fields, obj: str, driver: Mapping[str, Any]) -> list[str]:
    usable = readable(fields)
    key = key_field(usable, obj)
    names = [
        name
        for name in default_fields(usable, obj, driver.get("created"), limit=6)
        if name != key and not usable[name].get("references")
    ]
    return names[:6]

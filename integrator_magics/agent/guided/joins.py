"""Objects beside the one asked for, by the joins a driver's manifest names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .fields import Fields, key_field, match_field, readable
from .knowledge import Knowledge
from .plan import JoinStep
from .steps import ToolCall
from .words import name_tokens, singular, tokens, word_set

__all__ = ["Join", "Wish", "field_of", "join_for", "join_through", "object_of", "steps_for", "worth"]

Join = Mapping[str, Any]
_VAGUE = word_set("info information detail data of the a their its all name record membership association")


@dataclass(frozen=True)
class Wish:
    """A join that was asked for: the manifest's entry, the words left over ("name"), and `show` of a question."""

    join: Join
    rest: str = ""
    show: str = ""
    path: tuple[Join, ...] = ()  # the whole way where it is more than one step


def object_of(place: str) -> str:
    """ "CampaignMember.LeadId" -> "CampaignMember"."""
    return str(place).rpartition(".")[0]


def field_of(place: str) -> str:
    """ "CampaignMember.LeadId" -> "LeadId"."""
    return str(place).rpartition(".")[2]


def join_for(phrase: str, obj: str, joins: Sequence[Join]) -> Wish | None:
    """The join that a phrase speaks of: "campaign info", "account name", "CampaignMember"."""
    said = [singular(word) for word in tokens(phrase)]
    best: Wish | None = None
    length = 0
    for join in joins:
        if object_of(join["start"]) != obj:
            continue
        for word in (*join["words"], object_of(join["to"]), " ".join(name_tokens(object_of(join["to"])))):
            wanted = [singular(part) for part in tokens(word)]
            if wanted and said[: len(wanted)] == wanted and len(wanted) > length:
                rest = [part for part in tokens(phrase)[len(wanted) :] if singular(part) not in _VAGUE - {"name"}]
                best, length = Wish(join, " ".join(rest)), len(wanted)
    return best


def join_through(field: str, obj: str, joins: Sequence[Join]) -> Wish | None:
    """The join that starts at a reference field: Lead.OwnerId -> the owner."""
    for join in joins:
        if join["start"] == f"{obj}.{field}":
            return Wish(join, "name")
    return None


def steps_for(
    wishes: Sequence[Wish], obj: str, fields: Fields, driver: Mapping[str, Any], known: Knowledge
) -> tuple[JoinStep, ...]:
    """Join steps in order; each object is joined once."""
    joins: Sequence[Join] = driver.get("joins") or ()
    merged: dict[str, list[Wish]] = {}
    for wish in wishes:
        way = wish.path or (wish.join,)
        merged.setdefault(" ".join(f"{join['start']} {join['to']}" for join in way), []).append(wish)
    found: list[JoinStep] = []
    for same in merged.values():
        found += _chain(same, obj, fields, joins, driver, known)
    return tuple(found)


def _further(join: Join, obj: str, joins: Sequence[Join]) -> Join | None:
    """Where the other side only connects, the join to what is behind it: they share a word."""
    other = object_of(join["to"])
    words = {word.casefold() for word in join["words"]}
    for entry in joins:
        shared = words & {word.casefold() for word in entry["words"]}
        if shared and object_of(entry["start"]) == other and object_of(entry["to"]) != obj:
            return entry
    return None


def _chain(
    wishes: Sequence[Wish], obj: str, fields: Fields, joins: Sequence[Join], driver: Mapping[str, Any], known: Knowledge
) -> list[JoinStep]:
    join = wishes[0].join
    further = None if wishes[0].path else _further(join, obj, joins)
    chain = [*wishes[0].path] or [join, *([further] if further else [])]
    calls = [ToolCall("get_fields", {"system": driver["name"], "object": object_of(entry["to"])}) for entry in chain]
    names = " and ".join(str(call.args["object"]) for call in calls)
    words = f"I am looking at the fields of {names}, reading only."
    known.need(words, *calls)
    looks = [known.look(words, call, str(call.args["object"])) for call in calls]
    there = [readable((look.data.get("fields") if look else None) or {}) for look in looks]
    shown = _shown(wishes, chain, there, fields)
    last = wishes[0].path[-1] if wishes[0].path else join
    label = str(last["words"][0]) if last["words"] else " ".join(name_tokens(object_of(last["to"])))
    found: list[JoinStep] = []
    left = ""
    for place, (entry, known_fields) in enumerate(zip(chain, there, strict=True)):
        name = object_of(entry["to"])
        key = field_of(entry["to"])
        needed = [key, *([field_of(chain[place + 1]["start"])] if place + 1 < len(chain) else [])]
        prefix = f"{name.rpartition('.')[2]}."
        found.append(
            JoinStep(
                object=name,
                start=left + field_of(entry["start"]),
                key=key,
                fields=tuple(dict.fromkeys([*needed, *shown[place]])),
                keep=str(entry.get("keep") or "left") if place == 0 else found[0].keep,
                prefix=prefix,
                label=label,
                many=place == 0 and not known_fields.get(key, {}).get("primary_key"),
                shown=tuple(shown[place]),
                labels=tuple(str(known_fields[field].get("label") or field) for field in shown[place]),
                through=place > 0,
            )
        )
        left = prefix
    return found


def _shown(wishes: Sequence[Wish], chain: Sequence[Join], there: Sequence[Fields], left: Fields) -> list[list[str]]:
    """Fields to bring of each object of the chain."""
    shown: list[list[str]] = [[] for _ in chain]
    last = len(chain) - 1
    for wish in wishes:
        if wish.show:
            target = object_of(wish.show)
            place = next((p for p, entry in enumerate(chain) if object_of(entry["to"]) == target), 0)
            if field_of(wish.show) in there[place]:
                shown[place].append(field_of(wish.show))
                continue
        if wish.rest:
            for place in range(last, -1, -1):
                match = match_field(wish.rest, there[place], object_of(chain[place]["to"]))
                if match.sure:
                    shown[place] += match.names
                    break
            else:
                shown[last] += _worth_of(there[last], object_of(chain[last]["to"]), left, is_link=False)
            continue
        for place, entry in enumerate(chain):
            shown[place] += _worth_of(there[place], object_of(entry["to"]), left, is_link=place < last)
    return [list(dict.fromkeys(names)) for names in shown]


def worth(fields: Fields, obj: str) -> list[str]:
    """What to show of an object when only its name was said."""
    return _worth_of(fields, obj, {}, is_link=False)


def _worth_of(fields: Fields, obj: str, left: Fields, *, is_link: bool) -> list[str]:
    """A name, a type, a status, what has choices and few dates; of a link only what is its own."""
    key = key_field(fields, obj)
    names = []
    wishes = ("status", "type") if is_link else ("name", "type", "status", "start date", "industry", "amount", "email")
    for wish in wishes:
        match = match_field(wish, fields, obj)
        for name in match.names if match.sure else ():
            entry = fields[name]
            if name == key or entry.get("references") or (is_link and entry.get("personal")):
                continue
            names.append(name)
    if is_link:
        own = [
            name
            for name, entry in fields.items()
            if entry.get("type") == "boolean" and name not in left and name_tokens(name)[0] in ("has", "is", "was")
        ]
        names += [name for name in own if not _is_system(name)][:1]
    return list(dict.fromkeys(names))[:5] or [name for name in fields if name != key][:3]


def _is_system(name: str) -> bool:
    return bool({"deleted", "system", "archived", "locked"} & set(name_tokens(name)))

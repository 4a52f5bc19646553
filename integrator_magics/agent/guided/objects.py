"""Which object a request is about, and the table it goes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from .knowledge import Knowledge
from .lexicon import Lexicon
from .steps import Ask, Choice, Say
from .words import likeness, name_tokens, plural, singular, slug, snake, tokens

__all__ = ["find_object", "noun_of", "table_name"]

Objects = Sequence[dict[str, Any]]


def _bare(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _ranked(said: str, objects: Objects) -> list[tuple[float, str]]:
    scored = []
    for place, entry in enumerate(objects):
        name = entry["name"]
        label = str(entry.get("label") or "")
        score = max(likeness(said, _bare(name), label), likeness(said, name) if "." in said else 0.0)
        scored.append((score, -place, name))
    return [(score, name) for score, _, name in sorted(scored, reverse=True) if score > 0]


def find_object(
    said: str, system: str, objects: Objects, known: Knowledge, lexicon: Lexicon, role: str = "source"
) -> str:
    """The object that a phrase names. Raises Ask when it is not clear."""
    names = [entry["name"] for entry in objects]
    label = lexicon.label(system)
    if said:
        exact = [
            name for name in names if name.casefold() == said.casefold() or _bare(name).casefold() == said.casefold()
        ]
        if len(exact) == 1:
            return str(exact[0])
        called = [name for name in lexicon.objects_called(said, system) if not names or name in names]
        if len(called) == 1:
            return called[0]
        ranked = _ranked(said, objects)
        if not called and ranked and ranked[0][0] >= 0.75 and (len(ranked) == 1 or ranked[0][0] - ranked[1][0] > 0.1):
            return ranked[0][1]
        near = called or exact or [name for score, name in ranked if score >= 0.4][:5]
    else:
        near = [entry["name"] for entry in objects][:6]
    slot = slug(f"object {role} {said}")
    reply = known.answer(slot)
    if reply is None:
        what = f'{label} has no object called "{said}".' if said and not near else ""
        if said and near:
            what = (
                f'Several things in {label} could be "{said}".'
                if len(near) > 1
                else f'I found nothing in {label} called exactly "{said}".'
            )
        shown = near or names[:6]
        question = f"{what} Which one do you mean?".strip() if said else f"Which records of {label} do you mean?"
        raise Ask(slot, question, [Choice(name, _about(name, objects)) for name in shown])
    answer, options = reply
    if answer.index is not None:
        return str(options[answer.index]["label"])
    if answer.text and answer.text.casefold() != said.casefold():
        ranked = _ranked(answer.text, objects)
        called = lexicon.objects_called(answer.text, system)
        if called or (ranked and ranked[0][0] >= 0.6):
            return called[0] if called else ranked[0][1]
    raise Say(f'{label} has no object called "{answer.text}". `%discover {system}` lists what is there.')


def _about(name: str, objects: Objects) -> str:
    entry = next((entry for entry in objects if entry["name"] == name), {})
    records = entry.get("records")
    parts = [str(entry.get("purpose") or entry.get("label") or "")]
    if records is not None:
        parts.append(f"{records:,} records")
    return ", ".join(part for part in parts if part and part != name)


def noun_of(said: str, obj: str, objects: Objects) -> str:
    """What to call the records: the user's word where it is one, else the object's label."""
    words = tokens(said)
    label = str(next((entry.get("label") for entry in objects if entry["name"] == obj), "") or "")
    known = [singular(word) for word in (*tokens(label), *name_tokens(_bare(obj)))]
    typo = words and singular(words[-1]) not in known and get_close_matches(singular(words[-1]), known, 1, 0.75)
    if words and not typo and "_" not in said and "." not in said and words[-1] not in ("table", "object"):
        return " ".join([*words[:-1], plural(singular(words[-1]))])
    parts = tokens(label) if label and "." not in label else name_tokens(_bare(obj))
    parts = parts or [obj.casefold()]
    return " ".join([*parts[:-1], plural(singular(parts[-1]))])


def table_name(wish: str, obj: str, objects: Objects) -> tuple[str, bool]:
    """The table to write to, and whether it is there already. New ones go to the schema most tables are in."""
    names = [entry["name"] for entry in objects]
    schemas = Counter(name.rsplit(".", 1)[0] for name in names if "." in name)
    default = ""
    if schemas:
        default = "public" if "public" in schemas else schemas.most_common(1)[0][0]
    if wish:
        for name in names:
            if wish.casefold() == name.casefold() or ("." not in wish and wish.casefold() == _bare(name).casefold()):
                return name, True
        return (wish if "." in wish or not default else f"{default}.{wish}"), False
    words = name_tokens(_bare(obj))
    wanted = "_".join([*words[:-1], plural(singular(words[-1]))]) if words else snake(obj)
    alike = [
        name
        for name in names
        if [singular(word) for word in name_tokens(_bare(name))] == [singular(word) for word in words]
    ]
    alike.sort(key=lambda name: (name.rsplit(".", 1)[0] != default, _bare(name) != wanted))
    if alike:
        return alike[0], True
    name = snake(wanted)
    return (f"{default}.{name}" if default else name), False

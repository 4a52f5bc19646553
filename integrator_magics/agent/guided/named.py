"""A field that a phrase names, asked for where several could be meant or none is near."""

from __future__ import annotations

from .fields import Fields, match_field
from .knowledge import Knowledge
from .steps import Ask, Choice, Say
from .words import slug

__all__ = ["named"]


def named(phrase: str, fields: Fields, obj: str, system: str, known: Knowledge) -> str:
    """The field of an object that a phrase means. Raises Ask where it is not clear, Say where there is none."""
    match = match_field(phrase, fields, obj)
    if match.sure:
        return match.names[0]
    slot = slug(f"by {phrase}")
    reply = known.answer(slot)
    telling = [name for name, entry in fields.items() if entry.get("choices")] or list(fields)
    near = match.names[:5] or tuple(telling)[:5]
    choices = [Choice(str(fields[name].get("label") or name), name, name) for name in near]
    if reply is None:
        if not choices:
            raise Say(f'{obj} has no field that fits "{phrase}". `%discover {system}` shows what it has.')
        raise Ask(slot, f'Which field of {obj} do you mean by "{phrase}"?', choices)
    answer, _ = reply
    if answer.index is not None:
        return str(choices[answer.index].value)
    again = match_field(answer.text, fields, obj)
    if again.names:
        return again.names[0]
    raise Say(f'{obj} has no field "{answer.text}".')

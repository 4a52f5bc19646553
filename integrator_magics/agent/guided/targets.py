"""Where records go: a table of a database, or objects of another system."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .columns import Chosen, name_columns
from .explain import and_list
from .fields import Fields, first_and_last, key_field, match_field, readable
from .knowledge import Knowledge
from .lexicon import Lexicon
from .objects import find_object, table_name
from .plan import Column, Plan, System
from .request import Request
from .steps import Ask, Choice, Say
from .words import plural, singular, snake, tokens

__all__ = ["Place", "find_place", "to_objects", "to_table"]


class Place:
    """A table or an object to write to, whether it is there, and its fields where they are known."""

    def __init__(self, name: str, exists: bool, number: int = 0) -> None:
        self.name, self.exists = name, exists
        self.fields: Fields = {}
        self.number = number  # of several, from 0

    def slot(self, name: str) -> str:
        """A question that is asked for each of several."""
        return f"{name}_{self.number + 1}" if self.number else name


def find_place(
    request: Request,
    obj: str,
    objects: dict[str, list[dict[str, Any]]],
    target: System,
    known: Knowledge,
    lexicon: Lexicon,
    before: tuple[tuple[str, str], ...] = (),
) -> Place:
    """The table or object that a request writes to; `before` are the (system, name) of targets before it."""
    there = objects[target.name]
    number = len(before)
    if target.kind == "sql":
        table, exists = table_name(request.table or request.target_subject, obj, there)
        if target.name == request.source and table == obj:
            table, exists = _other_table(obj, there, known, number)
        elif (target.name, table) in before:
            table, exists = _second_table(table, there, known, number)
        return Place(table, exists, number)
    wish = request.table or request.target_subject or request.subject or obj
    name = find_object(wish, target.name, there, known, lexicon, "target")
    if (target.name, name) in before:
        raise Say(f"{name} in {target.label} is named twice as a target. Name another object, or leave one out.")
    return Place(name, True, number)


def _second_table(table: str, objects: list[dict[str, Any]], known: Knowledge, number: int) -> tuple[str, bool]:
    """Two targets in one database need names of their own."""
    slot = f"second_table_{number + 1}"
    reply = known.answer(slot)
    if reply is None:
        raise Ask(
            slot,
            f"{table} is a target already. What shall the other table be called?",
            [Choice(f"{table}_{number + 1}")],
        )
    answer, options = reply
    wish = options[answer.index]["label"] if answer.index is not None else "_".join(answer.text.split())
    found, exists = table_name(wish, table, objects)
    if found == table:
        raise Say(f"{table} can't be two targets at once. Name another table, for example {table}_{number + 1}.")
    return found, exists


def _other_table(obj: str, objects: list[dict[str, Any]], known: Knowledge, number: int = 0) -> tuple[str, bool]:
    """A copy inside one database needs a table of another name."""
    slot = f"other_table_{number + 1}" if number else "other_table"
    reply = known.answer(slot)
    if reply is None:
        question = f"{obj} can't be copied onto itself. What shall the table for the copy be called?"
        raise Ask(slot, question, [Choice(f"{obj}_copy")])
    answer, options = reply
    wish = options[answer.index]["label"] if answer.index is not None else "_".join(answer.text.split())
    table, exists = table_name(wish, obj, objects)
    if table == obj:
        raise Say(f"{obj} can't be copied onto itself. Name another table, for example {obj}_copy.")
    return table, exists


def to_table(plan: Plan, request: Request, chosen: Chosen, fields: Fields, place: Place, known: Knowledge) -> Plan:
    """The plan with columns and key of a table."""
    primary = key_field(fields, plan.object)
    key = primary
    if request.key:
        match = match_field(request.key, readable(fields), plan.object)
        if not match.sure:
            key = ""
        elif len(match.names) == 1:
            key = match.names[0]
    if not key:
        key = _ask_key(plan, fields, place, known)
    key = _known_by(plan, request, key, fields, place, chosen, known)
    names = chosen.names if key in chosen.names else (key, *chosen.names)
    prefix = plan.source.name if plan.source.kind != "sql" and key == primary else ""
    columns = name_columns(names, fields, plan.object, request, prefix, place.fields, True, key)
    extra = joined_columns(plan, columns, to_sql=True)
    key_column = next(column for column in columns if column.field == key)
    added = tuple(column.column for column in (*columns, *extra) if place.exists and column.column not in place.fields)
    return replace(
        plan,
        columns=columns,
        joined=extra,
        table=place.name,
        key=key_column.column,
        key_words=f"{plan.source.label} id" if prefix else key_column.label,
        new_table=not place.exists,
        added_columns=added,
    )


def _known_by(
    plan: Plan, request: Request, key: str, fields: Fields, place: Place, chosen: Chosen, known: Knowledge
) -> str:
    """The key where the table is there but has no column for it: another field, or a new column."""
    if not place.exists or not place.fields or request.key or request.exact:
        return key
    prefix = plan.source.name if plan.source.kind != "sql" and key == key_field(fields, plan.object) else ""
    names = chosen.names if key in chosen.names else (key, *chosen.names)
    columns = name_columns(names, fields, plan.object, request, prefix, place.fields, True, key)
    column = next(entry.column for entry in columns if entry.field == key)
    shared = [entry for entry in columns if entry.column in place.fields and entry.field != key]
    if column in place.fields or not shared:
        return key
    shared.sort(key=lambda entry: "email" not in snake(entry.label) and "email" not in entry.column)
    add = Choice(f"Add a column {column}", "the table gets one more column; nothing there is changed by it", key)
    choices = [*(Choice(entry.label, f"column {entry.column}", entry.field) for entry in shared[:3]), add]
    slot = place.slot("known_by")
    reply = known.answer(slot)
    if reply is None:
        question = f"{place.name} has no column for the {plan.source.label} id. How do I recognise known {plan.noun}?"
        raise Ask(slot, question, choices)
    answer, _ = reply
    if answer.index is not None:
        return str(choices[answer.index].value)
    match = match_field(answer.text, readable(fields), plan.object)
    return match.names[0] if match.sure else key


def joined_columns(plan: Plan, columns: tuple[Column, ...], *, to_sql: bool) -> tuple[Column, ...]:
    """Columns that joins add; several values of one record share a column."""
    taken = {column.column for column in columns}
    found: list[Column] = []
    for place, step in enumerate(plan.joins):
        following = plan.joins[place + 1] if place + 1 < len(plan.joins) else None
        if step.many and to_sql:
            last = following if following and following.through else step
            name = plural("_".join(tokens(step.label)) or snake(step.object))
            if last.shown:
                found.append(Column(name, _free(name, taken), plural(step.label)))
            continue
        if step.through and plan.joins[place - 1].many and to_sql:
            continue
        for name, label in zip(step.shown, step.labels, strict=True):
            column = f"{step.prefix}{name}"
            spoken = f"{step.label} {label}" if singular(step.label) not in label.casefold() else label
            found.append(Column(column, _free(snake(f"{step.object}_{name}"), taken) if to_sql else column, spoken))
    return tuple(found)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _ask_key(plan: Plan, fields: Fields, place: Place, known: Knowledge) -> str:
    fitting = ("text", "integer", "reference")
    usable = [name for name, field in readable(fields).items() if field.get("type") in fitting]
    primary = [name for name in usable if fields[name].get("primary_key")]
    slot = place.slot("key")
    reply = known.answer(slot)
    choices = [Choice(str(fields[name].get("label") or name), name, name) for name in (primary or usable)[:6]]
    if reply is None:
        question = f"By which field are known {plan.noun} recognised? Its value must be different in each."
        raise Ask(slot, question, choices)
    answer, _ = reply
    if answer.index is not None:
        return str(choices[answer.index].value)
    match = match_field(answer.text, readable(fields), plan.object)
    if match.names:
        return match.names[0]
    raise Say(
        f'{plan.object} has no field "{answer.text}". Without a key I can\'t tell new {plan.noun} from known ones.'
    )


def to_objects(plan: Plan, request: Request, chosen: Chosen, fields: Fields, place: Place, known: Knowledge) -> Plan:
    """The plan for a target that is no table: fields go to its fields, the key is asked for."""
    target = plan.target
    assert target is not None
    obj = place.name
    writable = {name: entry for name, entry in place.fields.items() if entry.get("writable", True)}
    named = bool(request.fields or request.added or request.everything)
    source_key = key_field(fields, plan.object)
    columns: list[Column] = []
    missing: list[str] = []
    for name in _names_apart(chosen.names, fields, writable):
        column = _fitting(name, fields, writable, obj, request, {entry.column for entry in columns})
        if column:
            columns.append(column)
        elif name != source_key:
            missing.append(str(fields[name].get("label") or name))
    notes = list(plan.notes)
    if missing and (named or columns):
        notes.append(f"{obj} in {target.label} has no field for {and_list(missing)}, so I left that out.")
    if not columns:
        raise Say(
            f"None of the fields of {plan.object} fits a field of {obj} in {target.label}. "
            "Name the fields, for example: name, email."
        )
    key = _target_key(plan, request, columns, place, known)
    if key not in {column.column for column in columns}:
        match = match_field(str(place.fields[key].get("label") or key), readable(fields), plan.object)
        source = match.names[0] if match.sure else source_key
        columns.insert(0, Column(source, key, str(fields.get(source, {}).get("label") or source)))
    label = str(place.fields.get(key, {}).get("label") or key)
    return replace(plan, columns=tuple(columns), table=obj, key=key, key_words=label, notes=tuple(notes))


def _names_apart(names: tuple[str, ...], fields: Fields, writable: Fields) -> list[str]:
    """A full name as first and last name, where the target has it so."""
    both = first_and_last(readable(fields))
    found: list[str] = []
    for name in names:
        is_full = set(tokens(str(fields[name].get("label") or name))) <= {"full", "name"} and name not in both
        apart = is_full and both and first_and_last(writable) and len(match_field("full name", writable).names) != 1
        found += [entry for entry in (both if apart else (name,)) if entry not in found]
    return found


def _fitting(name: str, fields: Fields, writable: Fields, obj: str, request: Request, taken: set[str]) -> Column | None:
    label = str(fields[name].get("label") or name)
    for said, wish in request.renames:
        source = match_field(said, {name: fields[name]})
        to = match_field(wish, writable, obj)
        if source.sure and to.sure and len(to.names) == 1 and to.names[0] not in taken:
            return Column(name, to.names[0], label)
    for phrase in (label, name):
        match = match_field(phrase, writable, obj)
        if match.sure and len(match.names) == 1 and match.names[0] not in taken:
            if writable[match.names[0]].get("primary_key"):
                return None
            return Column(name, match.names[0], label)
    return None


def _target_key(plan: Plan, request: Request, columns: list[Column], place: Place, known: Knowledge) -> str:
    """The field by which records that are there already are recognised."""
    target, obj, fields, slot = plan.target, place.name, place.fields, place.slot("target_key")
    assert target is not None
    said = request.key
    reply = known.answer(slot)
    named = [column.column for column in columns]
    first = [name for name in named if _is_email(name, fields) or snake(name).endswith(("_id", "number", "code"))]
    first = [*(name for name in first if _is_email(name, fields)), *_ids_of(plan, fields), *first]
    first = list(dict.fromkeys(first))
    others = [name for name in named if name not in first and fields[name].get("type") == "text"]
    choices = [
        Choice(str(fields[name].get("label") or name), _key_hint(plan, name, fields), name)
        for name in (first if len(first) > 1 else [*first, *others])[:4]
    ]
    if not said and reply is None:
        question = f"By which field do I recognise the {obj} that {target.label} already has?"
        raise Ask(slot, question, choices)
    if reply is not None:
        answer, _ = reply
        if answer.index is not None:
            return str(choices[answer.index].value)
        said = answer.text
    match = match_field(said, fields, obj)
    if match.names:
        return match.names[0]
    raise Say(f'{obj} in {target.label} has no field "{said}". Name one that is different in each record.')


def _ids_of(plan: Plan, fields: Fields) -> list[str]:
    """Fields that are there to hold the source's id: salesforce_lead_id."""
    system = snake(plan.source.name)
    return [
        name
        for name, entry in fields.items()
        if snake(name).startswith(f"{system}_")
        and snake(name).endswith("id")
        and entry.get("type") == "text"
        and entry.get("writable", True)
    ][:1]


def _is_email(name: str, fields: Fields) -> bool:
    label = str(fields[name].get("label") or "") if name in fields else ""
    return bool(re.search(r"\be[-_ ]?mail|email", f"{name} {label}", re.IGNORECASE))


def _key_hint(plan: Plan, name: str, fields: Fields) -> str:
    """What a key means for records without a value, and for two with the same."""
    if name in _ids_of(plan, fields):
        return f"holds the {plan.source.label} id, which stays when an address changes"
    if _is_email(name, fields):
        return f"{plan.noun} without one stay out of it; of several with the same one the newest counts"
    return ""

"""One or more targets of the same records: where each is, what goes there, whose ids are kept where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrator_drivers.incremental import FLAG

from .columns import Chosen
from .fields import Fields, key_field, time_fields
from .knowledge import Knowledge
from .lexicon import Lexicon
from .plan import Column, Plan, System
from .request import Goal, Request
from .targets import Place, find_place, to_objects, to_table
from .words import singular, snake

__all__ = ["find_places", "of_goal", "to_places", "with_cursor", "with_newest"]


def of_goal(request: Request, goal: Goal) -> Request:
    """The request as a further target sees it."""
    return replace(
        request, target=goal.system, table=goal.table, target_subject=goal.subject, key=goal.key, goals=()
    )  # fmt: skip


def find_places(
    requests: Sequence[Request],
    obj: str,
    objects: dict[str, list[dict[str, Any]]],
    targets: Sequence[System],
    known: Knowledge,
    lexicon: Lexicon,
) -> list[Place]:
    """The table or object of each target."""
    places: list[Place] = []
    before: list[tuple[str, str]] = []
    for request, target in zip(requests, targets, strict=True):
        place = find_place(request, obj, objects, target, known, lexicon, tuple(before))
        places.append(place)
        before.append((target.name, place.name))
    return places


def to_places(
    plan: Plan,
    requests: Sequence[Request],
    targets: Sequence[System],
    places: Sequence[Place],
    chosen: Chosen,
    fields: Fields,
    known: Knowledge,
) -> Plan:
    """The plan of the first target, with those of the others in `more`."""
    plans = []
    for request, target, place in zip(requests, targets, places, strict=True):
        build = to_table if target.kind == "sql" else to_objects
        plans.append(build(replace(plan, target=target), request, chosen, fields, place, known))
    plans = _with_ids(plans, places, fields)
    notes = dict.fromkeys(note for entry in plans for note in entry.notes)
    first, *more = plans
    return replace(first, more=tuple(more), notes=tuple(notes))


def _with_ids(plans: list[Plan], places: Sequence[Place], fields: Fields) -> list[Plan]:
    """Tables keep the ids that the systems before them give."""
    found = list(plans)
    for number, giver in enumerate(plans):
        target = giver.target
        if target is None or target.kind == "sql" or target.name == giver.source.name:
            continue
        later = [place for place in range(number + 1, len(plans)) if _is_table(plans[place])]
        if not later:
            continue
        name = f"{snake(target.name)}_id"
        taken = {*fields, *(entry.id_as for entry in found)}
        if name in taken:
            name = f"{snake(target.name)}_{snake(singular(giver.table))}_id"
        found[number] = replace(found[number], id_as=name)
        for place in later:
            found[place] = _keeping(found[place], name, f"{target.label} id", places[place])
    return found


def _is_table(plan: Plan) -> bool:
    return plan.target is not None and plan.target.kind == "sql"


def _keeping(plan: Plan, name: str, label: str, place: Place) -> Plan:
    """A table's plan with a column for an id."""
    taken = {column.column for column in (*plan.columns, *plan.joined)}
    candidates = [name, name.replace("_", ""), name.removesuffix("_id") + "_contact_id"]
    there = [entry for entry in candidates if entry in place.fields and entry not in taken]
    column = there[0] if there else name
    while column in taken:
        column += "_"
    added = plan.added_columns
    if place.exists and column not in place.fields:
        added = (*added, column)
    columns = (plan.columns[0], Column(name, column, label), *plan.columns[1:])
    return replace(plan, columns=columns, added_columns=added)


def with_newest(plan: Plan, fields: Fields, driver: Mapping[str, Any]) -> Plan:
    """Where records can share a key, the field that tells which of them is the newest."""
    primary = key_field(fields, plan.object)
    shared = [entry for entry in plan.everywhere if _key_source(entry) != primary]
    if not shared:
        return plan
    cursor = str(driver.get("cursor") or "")
    if cursor not in fields:
        found = [
            name
            for name in time_fields(fields, "updated", plan.object, None)
            if "updat" in name.casefold() or "modif" in name.casefold() or "chang" in name.casefold()
        ]
        cursor = found[0] if len(found) == 1 else ""
    if not cursor:
        return plan
    support = plan.support
    if not plan.plain and cursor not in {*support, *(column.field for column in plan.columns)}:
        support = (*support, cursor)
    return replace(plan, newest=cursor, support=support)


def with_cursor(plan: Plan, request: Request, fields: Fields, driver: Mapping[str, Any]) -> Plan:
    """A sync that runs again and again reads only what changed, where the system has a time of the last change."""
    cursor = str(driver.get("cursor") or "")
    if not request.changes_only or not plan.plain or fields.get(cursor, {}).get("type") != "datetime":
        return plan
    marks = FLAG in fields and any(_is_table(entry) for entry in plan.everywhere)
    return replace(plan, cursor=cursor, marks_deleted=marks)


def _key_source(plan: Plan) -> str:
    return next((column.field for column in plan.columns if column.column == plan.key), "")

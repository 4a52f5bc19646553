"""One request from its words to a plan: what is missing is looked up or asked for, in a fixed order."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

from .columns import Chosen, choose_fields, name_columns
from .explain import and_list
from .fields import Fields, match_field, readable, time_fields
from .joins import steps_for
from .knowledge import Knowledge
from .lexicon import Lexicon
from .named import named
from .narrowing import narrow, window_of
from .objects import find_object, noun_of
from .plan import Column, Plan, Presence
from .questioning import base_of, question_plan
from .relations import Tables, known_tables, with_references
from .request import FileWish, Request
from .several import find_places, of_goal, to_places, with_cursor, with_newest
from .standings import MONEY
from .steps import Need, Say, ToolCall
from .subjects import object_in
from .systems import load, settle, system_of
from .targets import joined_columns
from .words import plural, singular, snake, tokens

__all__ = ["make_plan"]

COUNTED = 50_000  # records of an object that are counted beforehand at most


def make_plan(request: Request, known: Knowledge, lexicon: Lexicon, today: date) -> Plan:
    """The plan of a request. Raises Need, Ask or Say on the way."""
    request = settle(request, known, lexicon)
    systems = (request.source, request.target, *(goal.system for goal in request.goals))
    names = list(dict.fromkeys(name for name in systems if name))
    drivers = load(names, known, lexicon)
    driver = drivers[request.source]
    source = system_of(driver)
    target = system_of(drivers[request.target]) if request.target else None
    requests = [request, *(of_goal(request, goal) for goal in request.goals)] if target else []
    targets = [system_of(drivers[entry.target]) for entry in requests]
    _read_about(request, names, known)
    objects, verified = _objects(names, known, lexicon)
    tables: Tables = {}
    if request.kind == "question" or _names_others(request, lexicon):
        tables = known_tables(source.name, source.kind, objects[source.name], known)
        driver = with_references(driver, tables)
    said = request.source_table or request.subject
    base = ""
    if request.kind == "question" and request.of and _is_figure(request):
        base = base_of(request, objects[source.name], driver, tables, known)
    obj = base or find_object(said, source.name, objects[source.name], known, lexicon)
    if base:
        request = replace(request, subject="")
    noun = noun_of(request.subject, obj, objects[source.name])
    places = find_places(requests, obj, objects, targets, known, lexicon)
    there = list(dict.fromkeys([obj, *(place.name for place in places if place.exists)]))
    words = f"I am looking at the fields of {and_list(there)}, reading only."
    calls = [ToolCall("get_fields", {"system": source.name, "object": obj})]
    of_places = {
        place.number: ToolCall("get_fields", {"system": system.name, "object": place.name})
        for place, system in zip(places, targets, strict=True)
        if place.exists
    }
    known.need(words, *calls, *of_places.values())
    seen = known.look(words, calls[0], obj)
    if seen is None:
        raise Say(f"Without the fields of {obj} I can't write the script. Nothing was read.")
    fields: Fields = seen.data.get("fields") or {}
    for number, call in of_places.items():
        place = places[number]
        known_place = known.look(words, call, place.name, quiet=("ObjectNotFoundError",))
        place.exists = known_place is not None
        place.fields = (known_place.data.get("fields") or {}) if known_place else {}
    tables = {**tables, obj: fields}
    driver = with_references(driver, tables)
    if request.limit and request.order and request.kind != "question" and not request.target:
        ranked = _ranked_by_figure(request, fields, obj)
        if ranked:
            return make_plan(ranked, known, lexicon, today)
    plan = Plan("", source, obj, noun, (), target=target, limit=request.limit, verified=verified and seen.verified)
    plan = replace(plan, cron=request.schedule.cron if request.schedule else None)
    chosen = Chosen(()) if request.kind == "question" else choose_fields(request, fields, obj, driver, known)
    joins = steps_for(chosen.joins, obj, fields, driver, known)
    of_absent = request.lacks_window and any(
        re.match(r"without|with no|(?:have|has) no", said) for said in request.conditions
    )
    window_filters, window_words = ((), "") if of_absent else window_of(request, fields, obj, driver, known)
    is_question = request.kind == "question"
    rest, unused = (request.withs, request.rest) if is_question else (chosen.rest, chosen.unused)
    narrowed = narrow(request, rest, unused, fields, obj, noun, driver, known)
    presences = [_windowed(entry, request, driver, known) if of_absent else entry for entry in narrowed.presences]
    for presence in presences:
        known.need("", ToolCall("get_fields", {"system": source.name, "object": presence.object}))
    plan = replace(
        plan,
        joins=joins,
        presences=tuple(presences),
        window_filters=window_filters,
        window_words=window_words,
        filters=narrowed.filters,
        notes=(*_read_as(request, noun), *_one_at_a_time(request, noun), *chosen.notes, *narrowed.notes),
    )
    plan = replace(plan, support=_support(plan, chosen, fields))
    if request.kind == "question":
        plan = question_plan(plan, request, fields, driver, tables, today, known)
    elif target:
        plan = to_places(plan, requests, targets, places, chosen, fields, known)
        plan = with_cursor(with_newest(plan, fields, driver), request, fields, driver)
    else:
        plan = _reader(plan, request, chosen, fields)
    plan = _ordered(plan, request, fields, known)
    return _counted(replace(plan, name=request.name or _name(plan)), objects[source.name], known)


def _windowed(presence: Presence, request: Request, driver: dict[str, Any], known: Knowledge) -> Presence:
    """ "without orders since March": the time is that of the orders."""
    call = ToolCall("get_fields", {"system": driver["name"], "object": presence.object})
    fields: Fields = known.need("", call)[0].get("fields") or {}
    verb = "created" if request.window and request.window.verb in ("", "new") else ""
    window = replace(request.window, verb=verb) if request.window and verb else request.window
    filters, words = window_of(replace(request, window=window), fields, presence.object, driver, known)
    return replace(presence, filters=filters, label=f"{presence.label} {words}")


def _names_others(request: Request, lexicon: Lexicon) -> bool:
    """Whether a field, a condition or an order speaks of another object than the one asked for."""
    one = singular(tokens(request.subject)[-1]) if tokens(request.subject) else ""
    phrases = (*request.fields, *request.withs, *request.conditions, *request.rest, *request.added, *request.others)
    return any(singular(tokens(said)[-1]) != one for phrase in phrases if (said := object_in(phrase, lexicon)))


def _is_figure(request: Request) -> bool:
    return bool(set(tokens(request.of)) & MONEY) or request.of == "quantity"


def _ranked_by_figure(request: Request, fields: Fields, obj: str) -> Request | None:
    """ "top 10 customers by revenue", where customers have no revenue: a question about their orders."""
    if match_field(request.order, readable(fields), obj).sure:
        return None
    of = "revenue" if set(tokens(request.order)) & MONEY else request.order
    if of != "revenue" and of != "quantity":
        return None
    group = singular(tokens(request.subject)[-1])
    return replace(request, kind="question", measure="sum", of=of, group=group, best=True, order="", subject="")


def _read_as(request: Request, noun: str) -> tuple[str, ...]:
    """Say so where another word was read than was written."""
    said, meant = tokens(request.subject), tokens(noun)
    if (
        not said
        or "_" in request.subject
        or said[-1] in ("table", "object")
        or singular(said[-1]) == singular(meant[-1])
        or request.source_table
    ):
        return ()
    return (f'I read "{request.subject}" as {noun}.',)


def _one_at_a_time(request: Request, noun: str) -> tuple[str, ...]:
    if request.unanswered:
        return (f'I answer one question at a time; ask "{request.unanswered}" next.',)
    if not request.others:
        return ()
    return (
        f"It is for {noun} only; the guided mode makes one script at a time, so ask for {and_list(request.others)} "
        f"next.",
    )


def _objects(names: list[str], known: Knowledge, lexicon: Lexicon) -> tuple[dict[str, list[dict[str, Any]]], bool]:
    """What each system holds, and whether all of it was seen live."""
    calls = {name: ToolCall("list_objects", {"system": name}) for name in names}
    labels = and_list([lexicon.label(name) for name in names])
    words = f"I am looking at what is in {labels}, reading only."
    known.need(words, *calls.values())
    looks = {name: known.look(words, call, lexicon.label(name)) for name, call in calls.items()}
    found = {name: list((look.data.get("objects") if look else None) or []) for name, look in looks.items()}
    return found, all(look is not None and look.verified for look in looks.values())


def _read_about(request: Request, names: list[str], known: Knowledge) -> None:
    """Look into the documents once: the section that fits the request, for each system."""
    words = (request.subject, *request.withs[:1], "sync" if request.target else "read")
    topic = " ".join(word for word in words if word)
    found = known.need("", *(ToolCall("search_docs", {"query": topic, "system": name}) for name in names))
    wanted = [result["hits"][0]["id"] for result in found if result.get("hits")][:2]
    if wanted:
        known.need("I am reading how this is best done.", *(ToolCall("read_doc", {"id": entry}) for entry in wanted))


def _support(plan: Plan, chosen: Chosen, fields: Fields) -> tuple[str, ...]:
    """Fields that joins and presences start at, beside those that were asked for."""
    starts = [step.start for step in plan.joins if not step.through] + [entry.start for entry in plan.presences]
    return tuple(name for name in dict.fromkeys(starts) if name not in chosen.names and name in fields)


def _reader(plan: Plan, request: Request, chosen: Chosen, fields: Fields) -> Plan:
    columns = name_columns(chosen.names, fields, plan.object, request, "", {}, False, "")
    stem = snake(plan.noun)
    files = []
    for wish in request.files:
        name = wish.name or stem
        files.append(FileWish(wish.format, name if "." in name else f"{name}.{wish.format}"))
    return replace(plan, columns=columns, joined=joined_columns(plan, columns, to_sql=False), files=tuple(files))


def _ordered(plan: Plan, request: Request, fields: Fields, known: Knowledge) -> Plan:
    if not request.limit or not request.order or plan.measure:
        return plan
    names = readable(fields)
    if request.order == "created":
        found = time_fields(names, "created", plan.object, None)
        order = found[0] if len(found) == 1 else ""
    else:
        order = named(request.order, names, plan.object, plan.source.name, known)
    if not order:
        return plan
    columns = plan.columns
    if order not in {column.field for column in columns}:
        label = str(fields[order].get("label") or order)
        columns = (*columns, Column(order, snake(order) if plan.target else order, label))
    is_time = fields[order].get("type") in ("date", "datetime")
    return replace(plan, order=order, order_is_time=is_time, ascending=request.ascending, columns=columns)


def _name(plan: Plan) -> str:
    one = snake(plan.object.rsplit(".", 1)[-1])
    if plan.target:
        same = plan.target.name == plan.source.name
        name = f"{snake(plan.table.rsplit('.', 1)[-1]) if same else snake(singular_name(one))}_sync"
    elif plan.measure:
        by = f"_per_{snake(plan.group_label)}" if plan.group else ""
        measure = f"{plan.rate.word}_rate" if plan.rate else plan.measure if plan.of else "count"
        name = f"{snake(plan.noun)}_{measure}{by}{'_compared' if plan.compare_words else ''}"
    elif plan.files:
        name = f"{snake(plural(one))}_to_{plan.files[0].format}"
    else:
        name = f"{snake(plural(one))}_list"
    return name[:40].strip("_")


def singular_name(name: str) -> str:
    """order_lines -> order_line."""
    from .words import singular

    head, _, last = name.rpartition("_")
    return f"{head}_{singular(last)}" if head else singular(last)


def _counted(plan: Plan, objects: list[dict[str, Any]], known: Knowledge) -> Plan:
    """The plan with how many records fit, counted once where that is cheap."""
    records = next((entry.get("records") for entry in objects if entry["name"] == plan.object), None)
    if not plan.where:
        return replace(plan, count=records)
    if plan.limit or plan.measure or plan.presences or records is None or records > COUNTED or not plan.verified:
        return plan
    from .compose import count_code

    call = ToolCall("run_discovery", {"code": count_code(plan), "purpose": f"I am counting the {plan.noun} that fit."})
    earlier = [entry for entry in known.every("run_discovery") if entry.args["code"] == call.args["code"]]
    if not earlier:
        raise Need("", [call])
    result = earlier[-1].result or {}
    if result.get("error"):
        return replace(plan, notes=(*plan.notes, f"I could not count the {plan.noun} beforehand; the preview does."))
    values = [value for value in (result.get("values") or {}).values() if isinstance(value, int)]
    if not values:
        return plan
    notes = plan.notes if values[0] else (*plan.notes, f"At the moment no {plan.noun} fit.")
    return replace(plan, count=values[0], counted=True, notes=notes)

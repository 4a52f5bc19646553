"""One request from its words to a plan: what is missing is looked up or asked for, in a fixed order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .columns import Chosen, choose_fields, name_columns
from .explain import and_list
from .fields import Fields, key_field, match_field, readable, time_fields
from .joins import join_for, steps_for
from .knowledge import Knowledge
from .lexicon import Lexicon
from .narrowing import narrow, stated_verb, window_of
from .objects import find_object, noun_of
from .periods import read_period
from .plan import Column, Plan
from .request import FileWish, Request
from .several import find_places, of_goal, to_places, with_cursor, with_newest
from .steps import Ask, Choice, Need, Say, ToolCall
from .systems import load, settle, system_of
from .targets import joined_columns
from .words import likeness, plural, singular, slug, snake, tokens

__all__ = ["make_plan"]

COUNTED = 50_000  # records of an object that are counted beforehand at most


def make_plan(request: Request, known: Knowledge, lexicon: Lexicon) -> Plan:
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
    said = request.source_table or request.subject
    obj = find_object(said, source.name, objects[source.name], known, lexicon)
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
    plan = Plan("", source, obj, noun, (), target=target, limit=request.limit, verified=verified and seen.verified)
    plan = replace(plan, cron=request.schedule.cron if request.schedule else None)
    chosen = Chosen(()) if request.kind == "question" else choose_fields(request, fields, obj, driver, known)
    joins = steps_for(chosen.joins, obj, fields, driver, known)
    window_filters, window_words = window_of(request, fields, obj, driver, known)
    is_question = request.kind == "question"
    rest, unused = (request.withs, request.rest) if is_question else (chosen.rest, chosen.unused)
    narrowed = narrow(request, rest, unused, fields, obj, noun, driver, known)
    for presence in narrowed.presences:
        known.need("", ToolCall("get_fields", {"system": source.name, "object": presence.object}))
    plan = replace(
        plan,
        joins=joins,
        presences=narrowed.presences,
        window_filters=window_filters,
        window_words=window_words,
        filters=narrowed.filters,
        notes=(*_read_as(request, noun), *_one_at_a_time(request, noun), *chosen.notes, *narrowed.notes),
    )
    plan = replace(plan, support=_support(plan, chosen, fields))
    if request.kind == "question":
        plan = _question(plan, request, fields, driver, known)
    elif target:
        plan = to_places(plan, requests, targets, places, chosen, fields, known)
        plan = with_cursor(with_newest(plan, fields, driver), request, fields, driver)
    else:
        plan = _reader(plan, request, chosen, fields)
    plan = _ordered(plan, request, fields, known)
    return _counted(replace(plan, name=request.name or _name(plan)), objects[source.name], known)


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
        order = _named(request.order, names, plan, known)
    if not order:
        return plan
    columns = plan.columns
    if order not in {column.field for column in columns}:
        label = str(fields[order].get("label") or order)
        columns = (*columns, Column(order, snake(order) if plan.target else order, label))
    is_time = fields[order].get("type") in ("date", "datetime")
    return replace(plan, order=order, order_is_time=is_time, ascending=request.ascending, columns=columns)


def _question(plan: Plan, request: Request, fields: Fields, driver: dict[str, Any], known: Knowledge) -> Plan:
    usable = readable(fields)
    key = key_field(usable, plan.object) or next(iter(usable))
    plan = replace(plan, measure=request.measure, ascending=request.ascending, columns=(Column(key, key, key),))
    if request.of:
        numbers = {name: entry for name, entry in usable.items() if entry.get("type") in ("number", "integer")}
        plan = replace(plan, of=_named(request.of, numbers, plan, known))
    plan = replace(plan, best=request.best)
    if not request.group:
        return plan
    exact = match_field(request.group, usable, plan.object)
    period = read_period(request.group)
    if period and not (exact.sure and likeness(request.group, exact.names[0]) >= 0.94):
        return _by_time(plan, request, *period, usable, driver, known)
    wish = join_for(request.group, plan.object, driver.get("joins") or ())
    if wish and not (exact.sure and not usable[exact.names[0]].get("references")):
        steps = steps_for([replace(wish, rest="name")], plan.object, fields, driver, known)
        if steps and steps[-1].shown:
            return replace(plan, group_join=steps, group=steps[-1].shown[0], group_label=steps[-1].label)
    group = _named(request.group, usable, plan, known)
    return replace(plan, group=group, group_label=str(usable[group].get("label") or group))


def _by_time(
    plan: Plan, request: Request, unit: str, said: str, fields: Fields, driver: dict[str, Any], known: Knowledge
) -> Plan:
    """Grouped by the day, week, month, quarter or year of a date."""
    times = {name: entry for name, entry in fields.items() if entry.get("type") in ("date", "datetime")}
    if not times:
        raise Say(
            f"{plan.object} has no field with a date, so I can't group by {unit}. I can group by one of its fields, "
            "for example by status."
        )
    verb = (request.window.verb if request.window else "") or stated_verb(request, fields, plan.object, driver)
    match = match_field(said, times, plan.object) if said else None
    if match and match.sure:
        name = match.names[0]
    else:
        found = time_fields(fields, said or verb, plan.object, driver.get("created"), driver.get("cursor"))
        name = (
            found[0]
            if len(found) == 1
            else _named(said or "date", {entry: fields[entry] for entry in found}, plan, known)
        )
    return replace(
        plan, group=name, group_label=unit, group_unit=unit, group_zoned=fields[name].get("type") == "datetime"
    )


def _named(phrase: str, fields: Fields, plan: Plan, known: Knowledge) -> str:
    match = match_field(phrase, fields, plan.object)
    if match.sure:
        return match.names[0]
    slot = slug(f"by {phrase}")
    reply = known.answer(slot)
    near = match.names[:5] or tuple(fields)[:5]
    choices = [Choice(str(fields[name].get("label") or name), name, name) for name in near]
    if reply is None:
        if not choices:
            raise Say(
                f'{plan.object} has no field that fits "{phrase}". `%discover {plan.source.name}` shows what it has.'
            )
        raise Ask(slot, f'Which field of {plan.object} do you mean by "{phrase}"?', choices)
    answer, _ = reply
    if answer.index is not None:
        return str(choices[answer.index].value)
    again = match_field(answer.text, fields, plan.object)
    if again.names:
        return again.names[0]
    raise Say(f'{plan.object} has no field "{answer.text}".')


def _name(plan: Plan) -> str:
    one = snake(plan.object.rsplit(".", 1)[-1])
    if plan.target:
        same = plan.target.name == plan.source.name
        name = f"{snake(plan.table.rsplit('.', 1)[-1]) if same else snake(singular_name(one))}_sync"
    elif plan.measure:
        by = f"_per_{snake(plan.group_label)}" if plan.group else ""
        name = f"{snake(plan.noun)}_{plan.measure if plan.of else 'count'}{by}"
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

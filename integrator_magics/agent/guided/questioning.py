"""A question -> what is read, counted, per what; the definitions behind it are asked for where they matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from .conditions import read_condition
from .fields import Fields, key_field, match_field, readable, time_fields
from .groups import grouped, place_of
from .knowledge import Knowledge
from .named import named
from .narrowing import stated_verb, window_of
from .outcomes import asked_window, rate_of
from .periods import read_period
from .plan import Column, Plan
from .relations import Tables, path_to
from .request import Request
from .standings import MONEY
from .steps import Say, ToolCall
from .words import likeness, name_tokens, plural, singular, tokens, word_set

__all__ = ["base_of", "question_plan"]

_TOTALS = ("amount", "total", "revenue", "net amount", "gross", "value")
_VOID = word_set("cancelled canceled void voided refunded returned rejected deleted archived")
_FIGURES = 8  # objects that are looked at for where the money is, at most
_SOLD = ("deal", "opportunity", "order", "invoice", "sale", "payment", "transaction", "subscription", "quote")


def base_of(
    request: Request, objects: list[dict[str, Any]], driver: Mapping[str, Any], tables: Tables, known: Knowledge
) -> str:
    """The object that holds the figure asked for ("revenue") and leads to what it is asked per; "" without one."""
    names = [str(entry["name"]) for entry in objects]
    if not tables or driver.get("kind") != "sql":
        words: Mapping[str, Any] = driver.get("words") or {}
        names = [name for name in names if {singular(word) for word in words.get(name, ())} & set(_SOLD)][:_FIGURES]
        calls = [ToolCall("get_fields", {"system": driver["name"], "object": name}) for name in names]
        found = known.need(f"I am looking at where the {request.of} is, reading only.", *calls) if calls else []
        tables = {name: result.get("fields") or {} for name, result in zip(names, found, strict=True)}
    joins = driver.get("joins") or ()
    scored = []
    for place, (name, fields) in enumerate(tables.items()):
        figure = _figure(request.of, readable(fields), name)
        if not figure:
            continue
        ways = [_steps_to(phrase, name, fields, joins, tables) for phrase in (request.group, request.per) if phrase]
        if None in ways:
            continue
        scored.append((sum(way or 0 for way in ways), len(figure), place, name))
    return min(scored)[3] if scored else ""


def _steps_to(phrase: str, name: str, fields: Fields, joins: Any, tables: Tables) -> int | None:
    """How many joins lead from an object to what a phrase names; None where none do."""
    period = read_period(phrase)
    if period:
        return 0 if any(entry.get("type") in ("date", "datetime") for entry in fields.values()) else None
    match = match_field(phrase, readable(fields), name)
    near = likeness(phrase, match.names[0], str(fields[match.names[0]].get("label") or ""), name) if match.sure else 0
    if near >= 0.94 and not fields[match.names[0]].get("references"):
        return 0
    wish = path_to(phrase, name, joins, tables)
    return len(wish.path) if wish else None


def _figure(of: str, fields: Fields, obj: str) -> tuple[str, ...]:
    """The number that a word for money or quantity means; quantity and price where only both together tell it."""
    numbers = {
        name: entry
        for name, entry in fields.items()
        if entry.get("type") in ("number", "integer") and not entry.get("primary_key") and not entry.get("references")
    }
    if not set(tokens(of)) & MONEY:
        match = match_field(of, numbers, obj)
        return match.names[:1] if match.sure else ()
    for wish in (of, *_TOTALS):
        match = match_field(wish, numbers, obj)
        if match.sure and likeness(wish, match.names[0], str(fields[match.names[0]].get("label") or ""), obj) >= 0.94:
            return match.names[:1]
    quantity = [name for name in numbers if {"quantity", "qty"} & set(name_tokens(name))]
    price = [name for name in numbers if {"price"} & set(name_tokens(name))]
    return (quantity[0], price[0]) if len(quantity) == 1 and len(price) == 1 else ()


def question_plan(
    plan: Plan,
    request: Request,
    fields: Fields,
    driver: Mapping[str, Any],
    tables: Tables,
    today: date,
    known: Knowledge,
) -> Plan:
    """The plan of a question whose object, window and conditions are known."""
    usable = readable(fields)
    key = key_field(usable, plan.object) or next(iter(usable))
    plan = replace(
        plan,
        measure=request.measure,
        ascending=request.ascending,
        columns=(Column(key, key, key),),
        best=request.best,
        shares=request.shares,
    )
    if request.compare and request.group:
        raise Say(
            "I can hold two periods against each other, or work it out per something, not both in one script. "
            "Ask for one of them first."
        )
    if request.of:
        plan = _measured(plan, request, usable, driver, known)
    if request.group:
        plan = _per(plan, request, usable, driver, tables, known)
    if request.per:
        plan = _divided(plan, request, usable, driver, tables, known)
    if request.measure == "rate":
        plan = _rated(plan, request, usable, driver, today, known)
    if request.compare:
        plan = _compared(plan, request, usable, driver, known)
    return replace(plan, notes=(*plan.notes, *_void(plan, request, usable)))


def _measured(plan: Plan, request: Request, fields: Fields, driver: Mapping[str, Any], known: Knowledge) -> Plan:
    figure = _figure(request.of, fields, plan.object)
    if len(figure) == 2:
        return replace(plan, of="revenue", factors=figure)
    numbers = {name: entry for name, entry in fields.items() if entry.get("type") in ("number", "integer")}
    of = "amount" if singular(request.of) in ("size", "deal size", "order size") else request.of
    name = figure[0] if figure else named(of, numbers, plan.object, plan.source.name, known)
    plan = replace(plan, of=name)
    if set(tokens(request.of)) & MONEY:
        won = read_condition("only won", fields, plan.object)
        if won.sure and not {entry.field for entry in won.filters[0]} & {entry.field for entry in plan.filters}:
            note = f"Revenue is taken from {plan.noun} that were won."
            return replace(plan, filters=(*plan.filters, *won.filters[0]), notes=(*plan.notes, note))
    return plan


def _per(
    plan: Plan, request: Request, fields: Fields, driver: Mapping[str, Any], tables: Tables, known: Knowledge
) -> Plan:
    exact = match_field(request.group, fields, plan.object)
    period = read_period(request.group)
    if period and exact.sure and fields[exact.names[0]].get("type") in ("date", "datetime"):
        return _by_time(plan, request, period[0], exact.names[0], fields, driver, known)
    if period and not (exact.sure and likeness(request.group, exact.names[0]) >= 0.94):
        return _by_time(plan, request, *period, fields, driver, known)
    if " and " in request.group and not (exact.sure):
        one, _, other = request.group.partition(" and ")
        raise Say(f"I group by one thing in one script. Ask for it per {one}, or per {other}.")
    return grouped(plan, request.group, fields, driver, tables, known)


def _by_time(
    plan: Plan, request: Request, unit: str, said: str, fields: Fields, driver: Mapping[str, Any], known: Knowledge
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
        near = {entry: fields[entry] for entry in found}
        name = found[0] if len(found) == 1 else named(said or "date", near, plan.object, plan.source.name, known)
    zoned = fields[name].get("type") == "datetime"
    return replace(plan, group=name, group_label=unit, group_unit=unit, group_zoned=zoned)


def _divided(
    plan: Plan, request: Request, fields: Fields, driver: Mapping[str, Any], tables: Tables, known: Knowledge
) -> Plan:
    """Revenue per customer: how many different ones there are is found on the way."""
    place = place_of(request.per, plan.object, fields, driver, tables, known)
    if not place:
        raise Say(f'I found no way from {plan.object} to "{request.per}", so I can\'t divide by it.')
    label = plural(singular(tokens(request.per)[-1]))
    return replace(plan, per=place.key or place.column, per_label=label, per_join=place.steps)


def _rated(
    plan: Plan, request: Request, fields: Fields, driver: Mapping[str, Any], today: date, known: Knowledge
) -> Plan:
    rate = rate_of(plan, request.outcome, False, fields, driver, known)
    if request.best and not plan.window_filters:
        window = asked_window(plan, fields, driver, today, known)
        if window:
            filters, words = window_of(replace(request, window=window), fields, plan.object, driver, known)
            plan = replace(plan, window_filters=filters, window_words=words)
    if request.best:
        rate = rate_of(plan, request.outcome, True, fields, driver, known)
    notes = [*plan.notes]
    if request.decided:
        closed = read_condition("only closed", fields, plan.object)
        if closed.sure and closed.filters[0][0].field not in {entry.field for entry in plan.filters}:
            plan = replace(plan, filters=(*plan.filters, *closed.filters[0]))
            notes.append(f"Open {plan.noun} are not lost ones, so the rate is of closed ones only.")
    return replace(plan, rate=rate, notes=tuple(notes))


def _compared(plan: Plan, request: Request, fields: Fields, driver: Mapping[str, Any], known: Knowledge) -> Plan:
    first, second = request.window, request.compare
    if not first or not second:
        raise Say("Name both periods to hold against each other, for example: last week compared with the week before.")
    filters, _ = window_of(
        replace(request, window=replace(second, verb=first.verb)), fields, plan.object, driver, known
    )
    notes = [*plan.notes]
    if first.end is None and first.start and first.start.unit and not first.start.rolling:
        notes.append(f"{first.words[:1].upper()}{first.words[1:]} is not over yet.")
    words = (first.words, second.words)
    return replace(plan, compare_filters=filters, compare_words=words, notes=tuple(notes))


def _void(plan: Plan, request: Request, fields: Fields) -> list[str]:
    """A hint where records that came to nothing are counted too."""
    if plan.measure == "rate" or {entry.field for entry in plan.where} & {
        name for name, entry in fields.items() if entry.get("choices")
    }:
        return []
    for entry in fields.values():
        void = [str(choice) for choice in entry.get("choices") or () if set(tokens(str(choice))) & _VOID]
        if void and plan.of:
            return [f'{void[0].capitalize()} {plan.noun} count too; say "without {void[0]} ones" to leave them out.']
    return []

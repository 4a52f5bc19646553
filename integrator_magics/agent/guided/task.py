"""One request from its words to a plan: what is missing is looked up or asked for, in a fixed order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from .columns import Chosen, choose_fields, name_columns
from .conditions import Filter, Reading, read_condition
from .explain import and_list
from .fields import Fields, key_field, match_field, readable, time_fields
from .joins import join_steps
from .knowledge import Knowledge, Known
from .lexicon import Lexicon
from .objects import find_object, noun_of, table_name
from .plan import Column, Plan, System
from .request import FileWish, Request
from .steps import Ask, Choice, Need, Say, ToolCall
from .systems import load, settle, system_of
from .words import plural, slug, snake

__all__ = ["make_plan"]

COUNTED = 50_000  # records of an object that are counted beforehand at most


def make_plan(request: Request, known: Knowledge, lexicon: Lexicon, today: date) -> Plan:
    """The plan of a request. Raises Need, Ask or Say on the way."""
    request = settle(request, known, lexicon)
    names = list(dict.fromkeys(name for name in (request.source, request.target) if name))
    drivers = load(names, known, lexicon)
    source, driver = system_of(drivers[request.source]), drivers[request.source]
    target = system_of(drivers[request.target]) if request.target else None
    _read_about(request, names, known)
    looks = {
        name: known.look(
            f"I am looking at what is in {lexicon.label(name)}, reading only.",
            ToolCall("list_objects", {"system": name}),
            lexicon.label(name),
        )
        for name in names
    }
    objects = {name: (look.data.get("objects") or []) if look else [] for name, look in looks.items()}
    said = request.source_table or request.subject
    obj = find_object(said, source.name, objects[source.name], known, lexicon)
    noun = noun_of(request.subject, obj, objects[source.name])
    table, exists, target_fields = _target(request, obj, objects, target, known, lexicon)
    words = f"I am looking at the fields of {obj}" + (f" and at {table}" if exists else "") + ", reading only."
    calls = [ToolCall("get_fields", {"system": source.name, "object": obj})]
    if exists and target:
        calls.append(ToolCall("get_fields", {"system": target.name, "object": table}))
    missing = [call for call in calls if known.last(call.tool, **call.args) is None]
    if missing:
        raise Need(words, missing)
    seen = known.look(words, calls[0], obj)
    if seen is None:
        raise Say(f"Without the fields of {obj} I can't write the script. Nothing was read.")
    fields: Fields = seen.data.get("fields") or {}
    if exists and target:
        there = known.look(words, calls[1], table, quiet=("ObjectNotFoundError",))
        target_fields = there.data.get("fields") if there else None
        exists = there is not None
    chosen = choose_fields(request, fields, obj, driver, known)
    steps, leftover, join_notes = join_steps(request, chosen, obj, driver, fields, known, objects[source.name])
    window_filters, window_words = _window(request, fields, obj, driver, known)
    filters, notes = _filters(request, leftover, fields, obj, noun, known)
    plan = Plan(
        name="",
        source=source,
        object=obj,
        noun=noun,
        columns=(),
        filters=filters,
        window_words=window_words,
        window_filters=window_filters,
        target=target,
        joins=steps,
        limit=request.limit,
        cron=request.schedule.cron if request.schedule else None,
        verified=all(look.verified for look in [seen, *looks.values()] if isinstance(look, Known)),
        notes=(*chosen.notes, *join_notes, *notes),
    )
    if request.kind == "question":
        plan = _question(plan, request, fields, known)
    elif target:
        plan = _sync(plan, request, chosen, fields, table, exists, target_fields, known)
    else:
        plan = _reader(plan, request, chosen, fields)
    plan = replace(plan, name=request.name or _name(plan))
    return _counted(plan, objects[source.name], known)


def _read_about(request: Request, names: list[str], known: Knowledge) -> None:
    """Look into the documents once: the sections that fit the request, for each system."""
    topic = " ".join(
        part for part in (request.subject, *request.withs[:1], "sync" if request.target else "read") if part
    )
    searches = [ToolCall("search_docs", {"query": topic, "system": name}) for name in names]
    found = known.need("", *searches)
    wanted = [hits[0]["id"] for hits in (result.get("hits") or [] for result in found) if hits][:2]
    if wanted:
        known.need("I am reading how this is best done.", *(ToolCall("read_doc", {"id": entry}) for entry in wanted))


def _target(
    request: Request,
    obj: str,
    objects: dict[str, list[dict[str, Any]]],
    target: System | None,
    known: Knowledge,
    lexicon: Lexicon,
) -> tuple[str, bool, Fields | None]:
    if not target:
        return "", False, None
    if target.kind == "sql":
        table, exists = table_name(request.table, obj, objects[target.name])
        if target.name == request.source and table == obj:
            table, exists = _other_table(obj, objects[target.name], known)
        return table, exists, None
    wish = request.table or request.subject or obj
    found = find_object(wish, target.name, objects[target.name], known, lexicon, "target")
    return found, True, None


def _other_table(obj: str, objects: list[dict[str, Any]], known: Knowledge) -> tuple[str, bool]:
    """A copy inside one database needs a table of another name."""
    reply = known.answer("other_table")
    if reply is None:
        raise Ask(
            "other_table",
            f"{obj} can't be copied onto itself. What shall the new table be called?",
            [Choice(f"{obj}_copy")],
        )
    answer, options = reply
    wish = options[answer.index]["label"] if answer.index is not None else answer.text.replace(" ", "_")
    return table_name(wish, obj, objects)


def _window(
    request: Request, fields: Fields, obj: str, driver: dict[str, Any], known: Knowledge
) -> tuple[tuple[Filter, ...], str]:
    window = request.window
    if not window:
        return (), ""
    names = time_fields(readable(fields), window.verb, obj, driver.get("created"), driver.get("cursor"))
    if not names:
        raise Say(
            f"{obj} has no field with a date, so I can't choose records by time ({window.words}). Say it without the time."
        )
    if len(names) > 1:
        reply = known.answer("time")
        choices = [Choice(str(fields[name].get("label") or name), name, name) for name in names[:6]]
        if reply is None:
            raise Ask("time", f"Which date decides whether a record is {_of(window.words)}?", choices)
        answer, _ = reply
        if answer.index is not None:
            names = [choices[answer.index].value]
        else:
            match = match_field(answer.text, {name: fields[name] for name in names}, obj)
            names = list(match.names[:1]) or names
    name = names[0]
    kind = str(fields[name].get("type"))
    created = driver.get("created") == name
    label = str(fields[name].get("label") or name)
    found = []
    for op, moment in ((">=", window.start), ("<", window.end)):
        if moment:
            found.append(Filter(name, op, moment.code(kind), f"{label} {window.words}"))
    words = window.words
    if not created:
        plain = " ".join(snake(label).split("_"))
        link = (
            ""
            if words.startswith(("in ", "on ", "since ", "until ", "before ", "older "))
            else "in "
            if words.startswith("the ")
            else ""
        )
        words = f"with {plain} {link}{words}"
    return tuple(found), words


def _of(words: str) -> str:
    return words if words.startswith(("in ", "on ", "since ", "until ", "before ", "older ")) else f"of {words}"


def _filters(
    request: Request, leftover: tuple[str, ...], fields: Fields, obj: str, noun: str, known: Knowledge
) -> tuple[tuple[Filter, ...], tuple[str, ...]]:
    found: list[Filter] = []
    notes: list[str] = []
    for phrase in (*(f"only {word}" for word in request.adjectives), *request.conditions, *leftover):
        reading = read_condition(phrase, fields, obj)
        if reading.sure:
            found += reading.filters[0]
            continue
        found += _asked(phrase, reading, fields, obj, noun, known, notes)
    return tuple(dict.fromkeys(found)), tuple(notes)


ALL_OF_THEM = "No such condition"


def _asked(
    phrase: str, reading: Reading, fields: Fields, obj: str, noun: str, known: Knowledge, notes: list[str]
) -> tuple[Filter, ...]:
    slot = slug(f"filter {phrase}")
    reply = known.answer(slot)
    choices = [Choice(and_list([part.words for part in entry]), "", entry) for entry in reading.filters]
    if reply is None:
        if choices:
            question = f'Which {noun} do you mean by "{phrase}"?'
        else:
            near = and_list([str(fields[name].get("label") or name) for name in reading.near], "or")
            hint = f" It has {near}, for instance." if near else ""
            question = f'I could not match "{phrase}" with a field of {obj}.{hint} How shall I choose the {noun}?'
        raise Ask(slot, question, [*choices, Choice(ALL_OF_THEM, f"take all {noun}")])
    answer, options = reply
    if answer.index is not None:
        label = options[answer.index]["label"]
        return next((choice.value for choice in choices if choice.label == label), ())
    again = read_condition(answer.text, fields, obj)
    if again.filters:
        return again.filters[0]
    notes.append(f'I left out the condition "{phrase}", because no field fits it.')
    return ()


def _sync(
    plan: Plan,
    request: Request,
    chosen: Chosen,
    fields: Fields,
    table: str,
    exists: bool,
    target_fields: Fields | None,
    known: Knowledge,
) -> Plan:
    target = plan.target
    assert target is not None
    if plan.limit:
        plan = _no_limit(plan, known)
    key = key_field(fields, plan.object)
    names = chosen.names
    notes = list(plan.notes)
    wish = request.key
    if target.kind != "sql":
        return _to_objects(plan, request, chosen, fields, table, target_fields or {}, known)
    if wish:
        match = match_field(wish, fields, plan.object)
        if match.sure:
            key = match.names[0]
    if not key:
        key = _ask_key(plan, fields, known)
    if key not in names:
        names = (key, *names)
    prefix = plan.source.name if plan.source.kind != "sql" and not wish else ""
    if wish and key == key_field(fields, plan.object):
        prefix = plan.source.name if plan.source.kind != "sql" else ""
    columns = name_columns(names, fields, plan.object, request, prefix, target_fields if exists else None, True, key)
    key_column = next(column.column for column in columns if column.field == key)
    added = tuple(
        column.column
        for column in columns
        if exists and target_fields is not None and column.column not in target_fields
    )
    words = f"{plan.source.label} id" if prefix else next(column.label for column in columns if column.field == key)
    return replace(
        plan,
        columns=columns,
        table=table,
        key=key_column,
        key_words=words,
        new_table=not exists,
        added_columns=added,
        notes=tuple(notes),
    )


def _no_limit(plan: Plan, known: Knowledge) -> Plan:
    take = f"Take all {plan.noun}"
    reply = known.answer("limit")
    if reply is None:
        question = f"A sync has no row limit: it keeps all {plan.noun} that fit up to date. How shall I go on?"
        raise Ask("limit", question, [Choice(take, "add a condition or a time to take fewer"), Choice("Stop")])
    return replace(plan, limit=0)


def _ask_key(plan: Plan, fields: Fields, known: Knowledge) -> str:
    usable = [name for name, field in readable(fields).items() if field.get("type") in ("text", "integer", "reference")]
    reply = known.answer("key")
    choices = [Choice(str(fields[name].get("label") or name), name, name) for name in usable[:5]]
    if reply is None:
        raise Ask(
            "key", f"By which field are known {plan.noun} recognised? Its value must be different in each.", choices
        )
    answer, _ = reply
    if answer.index is not None:
        return str(choices[answer.index].value)
    match = match_field(answer.text, fields, plan.object)
    if match.names:
        return match.names[0]
    raise Say(
        f'{plan.object} has no field "{answer.text}". Without a key I can\'t tell new {plan.noun} from known ones.'
    )


def _to_objects(
    plan: Plan, request: Request, chosen: Chosen, fields: Fields, obj: str, target_fields: Fields, known: Knowledge
) -> Plan:
    """A target that is no table: fields go to its fields, the key is asked for."""
    target = plan.target
    assert target is not None
    writable = {name: entry for name, entry in target_fields.items() if entry.get("writable", True)}
    named = bool(request.fields or request.added or request.everything)
    source_key = key_field(fields, plan.object)
    columns: list[Column] = []
    missing: list[str] = []
    for name in chosen.names:
        label = str(fields[name].get("label") or name)
        match = match_field(label, writable, obj)
        if not match.sure:
            match = match_field(name, writable, obj)
        if match.sure and len(match.names) == 1 and match.names[0] not in {column.column for column in columns}:
            if name == source_key and target_fields[match.names[0]].get("primary_key"):
                continue
            columns.append(Column(name, match.names[0], label))
        elif name != source_key:
            missing.append(label)
    notes = list(plan.notes)
    if missing and named:
        notes.append(f"{target.label} {obj} has no field for {and_list(missing)}, so I left that out.")
    if not columns:
        raise Say(
            f"None of the fields fits a field of {obj} in {target.label}. Name the fields, for example: name, email."
        )
    key = _target_key(request, columns, target_fields, obj, target, known)
    if key not in {column.column for column in columns}:
        extra = match_field(str(target_fields[key].get("label") or key), readable(fields), plan.object)
        source = extra.names[0] if extra.sure else source_key
        columns.insert(0, Column(source, key, str(fields[source].get("label") or source)))
    label = str(target_fields.get(key, {}).get("label") or key)
    return replace(plan, columns=tuple(columns), table=obj, key=key, key_words=label, notes=tuple(notes))


def _target_key(
    request: Request, columns: list[Column], target_fields: Fields, obj: str, target: System, known: Knowledge
) -> str:
    said = request.key
    reply = known.answer("target_key")
    named = [column.column for column in columns]
    first = [name for name in named if "email" in snake(name) or snake(name).endswith(("_id", "number", "code"))]
    others = [name for name in named if name not in first and target_fields[name].get("type") == "text"]
    choices = [Choice(str(target_fields[name].get("label") or name), name, name) for name in [*first, *others][:4]]
    if not said and reply is None:
        question = f"By what does {target.label} recognise a record of {obj} it already has?"
        raise Ask("target_key", question, choices)
    if reply is not None:
        answer, _ = reply
        if answer.index is not None:
            return str(choices[answer.index].value)
        said = answer.text
    match = match_field(said, target_fields, obj)
    if match.names:
        return match.names[0]
    raise Say(f'{obj} in {target.label} has no field "{said}". Name one that is different in each record.')


def _reader(plan: Plan, request: Request, chosen: Chosen, fields: Fields) -> Plan:
    columns = name_columns(chosen.names, fields, plan.object, request, "", None, False, "")
    files = tuple(FileWish(wish.format, wish.name or f"{snake(plan.noun)}.{wish.format}") for wish in request.files)
    files = tuple(
        FileWish(wish.format, wish.name if "." in wish.name else f"{wish.name}.{wish.format}") for wish in files
    )
    return replace(plan, columns=columns, files=files)


def _question(plan: Plan, request: Request, fields: Fields, known: Knowledge) -> Plan:
    usable = readable(fields)
    key = key_field(usable, plan.object) or next(iter(usable))
    plan = replace(plan, measure=request.measure, ascending=request.ascending, columns=(Column(key, key, key),))
    if request.group:
        plan = replace(plan, group=(_named(request.group, usable, plan, known),))
    if request.of:
        numbers = {name: entry for name, entry in usable.items() if entry.get("type") in ("number", "integer")}
        plan = replace(plan, of=_named(request.of, numbers, plan, known))
    return plan


def _named(phrase: str, fields: Fields, plan: Plan, known: Knowledge) -> str:
    match = match_field(phrase, fields, plan.object)
    if match.sure:
        return match.names[0]
    slot = slug(f"by {phrase}")
    reply = known.answer(slot)
    choices = [Choice(str(fields[name].get("label") or name), name, name) for name in match.names[:5]]
    if reply is None:
        if not choices:
            raise Say(
                f'{plan.object} has no field for "{phrase}", and the guided mode can only count by a field of {plan.object}.'
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
        name = f"{snake(plan.noun.split()[-1]) if plan.target.name == plan.source.name else one}_sync"
    elif plan.measure:
        by = f"_per_{snake(plan.group[0])}" if plan.group else ""
        name = f"{snake(plan.noun)}_{plan.measure if plan.of else 'count'}{by}"
    elif plan.files:
        name = f"{snake(plural(one))}_to_{plan.files[0].format}"
    else:
        name = f"{snake(plural(one))}_list"
    return name[:40].strip("_")


def _counted(plan: Plan, objects: list[dict[str, Any]], known: Knowledge) -> Plan:
    """The plan with how many records fit, counted once where that is cheap."""
    records = next((entry.get("records") for entry in objects if entry["name"] == plan.object), None)
    if not plan.where:
        return replace(plan, count=records)
    if plan.limit or plan.measure or records is None or records > COUNTED or not plan.verified:
        return plan
    from .compose import count_code

    code = count_code(plan)
    purpose = f"Counting the {plan.noun} that fit, reading only."
    if plan.count is None and known.last("run_discovery", code=code, purpose=purpose) is None:
        if (
            any(call.args.get("purpose") == purpose for call in known.every("run_discovery")[-3:])
            and known.transcript.prompts[1:]
        ):
            return plan
        raise Need("", [ToolCall("run_discovery", {"code": code, "purpose": purpose})])
    result = known.last("run_discovery", code=code, purpose=purpose) or {}
    values = [value for value in (result.get("values") or {}).values() if isinstance(value, int)]
    return replace(plan, count=values[0]) if values else plan

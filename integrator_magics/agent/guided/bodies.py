"""What stands inside `main()`: lines for each kind of plan."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Mapping
from dataclasses import replace

from .periods import period_code
from .plan import Column, JoinStep, Plan, System
from .pretty import Node, call, listing, mapping, quoted
from .words import slug, snake, word_set

__all__ = ["body", "read_of", "systems_of", "variable"]

_WRITERS = {"csv": "to_csv", "json": "to_json", "jsonl": "to_jsonl", "parquet": "to_parquet"}
_RESERVED = word_set(
    "main run sync join show median days_ago start_of now source target date datetime timedelta rows row table counter "
    "counts groups day days period value values result name names total totals count fields ranked"
)
_MEASURES = {
    "sum": "sum(values)",
    "average": "round(sum(values) / len(values), 4)",
    "median": "median(values)",
    "highest": "max(values)",
    "lowest": "min(values)",
}


def variable(name: str, taken: Iterable[str] = ()) -> str:
    """A variable of that name that hides nothing."""
    text = slug(name)
    text = f"n_{text}" if text[0].isdigit() else text
    used = {*taken, *_RESERVED, *dir(builtins)}
    while keyword.iskeyword(text) or keyword.issoftkeyword(text) or text in used:
        text += "_"
    return text


def systems_of(plan: Plan) -> list[System]:
    """Source and target, once each."""
    found = {plan.source.name: plan.source}
    for entry in plan.everywhere:
        if entry.target:
            found.setdefault(entry.target.name, entry.target)
    return list(found.values())


def body(plan: Plan) -> list[str]:
    """The lines of `main()`."""
    systems = systems_of(plan)
    names: dict[str, str] = {}
    for system in systems:
        names[system.name] = variable(system.name, names.values())
    items = [f"{system.client}() as {names[system.name]}" for system in systems]
    line = f"    with {', '.join(items)}:"
    lines = [line] if len(line) <= 120 else ["    with (", *(f"        {item}," for item in items), "    ):"]
    client = names[plan.source.name]
    if plan.measure:
        return [*lines, *_question(plan, client)]
    if plan.target and plan.plain:
        return [*lines, *_sync(plan, _source(plan, client), names)]
    return [*lines, *_read(plan, client, names)]


def where_of(plan: Plan) -> Node | None:
    """The conditions, None without any."""
    return listing([condition.line() for condition in plan.where]) if plan.where else None


def read_of(plan: Plan, client: str, fields: Iterable[str], *, spread: bool = False) -> Node:
    """The read of the object asked for."""
    return call(
        f"{client}.read",
        [quoted(plan.object)],
        fields=listing([quoted(name) for name in dict.fromkeys(fields)]),
        where=where_of(plan),
        limit=str(plan.limit) if plan.limit and not plan.order and not plan.presences else None,
        spread=spread,
    )


def _mapped(columns: Iterable[Column]) -> Node:
    return mapping((quoted(column.field), quoted(column.column)) for column in columns)


def _source(plan: Plan, client: str) -> Node:
    fields = [] if plan.more else [_mapped(plan.columns)]
    spread = not plan.more or bool(plan.where)
    return call("Source", [client, quoted(plan.object), *fields], where=where_of(plan), spread=spread)


def _sync(plan: Plan, source: Node, names: Mapping[str, str]) -> list[str]:
    assert plan.target is not None
    if plan.more:
        to, key = listing([_target(entry, names) for entry in plan.everywhere]), None
    else:
        to, key = call("Target", [names[plan.target.name], quoted(plan.table)]), quoted(plan.key)
    cursor = quoted(plan.cursor) if plan.cursor else None
    newest = quoted(plan.newest) if plan.newest and not (plan.more and plan.cursor) else None
    return call("sync", source=source, target=to, key=key, cursor=cursor, newest=newest, spread=True).lines(8)


def _target(plan: Plan, names: Mapping[str, str]) -> Node:
    """One of several targets, with its own fields and key."""
    assert plan.target is not None
    fields = _mapped((*plan.columns, *plan.joined))
    id_as = quoted(plan.id_as) if plan.id_as else None
    return call(
        "Target",
        [names[plan.target.name], quoted(plan.table), fields],
        key=quoted(plan.key),
        id_as=id_as,
        spread=True,
    )


def _read(plan: Plan, client: str, names: Mapping[str, str]) -> list[str]:
    """Read, keep, join, then write or show."""
    taken = {client, *names.values()}
    noun = variable(snake(plan.noun), taken)
    taken.add(noun)
    given = {entry.id_as for entry in plan.everywhere}
    fields = [column.field for entry in plan.everywhere or [plan] for column in entry.columns]
    fields = [*(name for name in fields if name not in given), *plan.support]
    lines = read_of(plan, client, fields, spread=bool(plan.where)).lines(8, f"{noun} = ")
    for presence in plan.presences:
        lines += _kept(plan, presence.object, presence.start, presence.key, presence.wanted, client, noun, taken)
    if plan.order:
        lines += _ranked(plan, noun)
    elif plan.limit and plan.presences:
        lines.append(f"        {noun} = Records({noun}.fields, {noun}.first({plan.limit}))")
    lines += _joined(plan, client, noun, taken, collapse=bool(plan.target))
    if plan.target:
        if plan.more:
            return [*lines, *_sync(plan, Node(noun, [], ""), names)]
        renamed = call(f"{noun}.renamed", [_mapped((*plan.columns, *plan.joined))])
        return [*lines, *_sync(replace(plan, newest=""), renamed, names)]
    if any(column.field != column.column for column in plan.columns):
        lines += call(f"{noun}.renamed", [_mapped((*plan.columns, *plan.joined))]).lines(8, f"{noun} = ")
    for wish in plan.files:
        lines.append(f"        {noun}.{_WRITERS[wish.format]}({quoted(wish.name)})")
    if not plan.files:
        lines.append(f"        show({noun}, name={quoted(snake(plan.noun))})")
    return lines


def _kept(
    plan: Plan, obj: str, start: str, key: str, wanted: bool, client: str, noun: str, taken: set[str]
) -> list[str]:
    """Only records whose value another object has, or has not."""
    there = variable(f"in_{snake(obj.rpartition('.')[2])}", taken)
    taken.add(there)
    read = call(f"{client}.read", [quoted(obj)], fields=listing([quoted(key)])).flat()
    test = "in" if wanted else "not in"
    return [
        f"        {there} = {{row[{quoted(key)}] for row in {read}}}",
        f"        {noun} = Records({noun}.fields, [row for row in {noun} if row[{quoted(start)}] {test} {there}])",
    ]


def _ranked(plan: Plan, noun: str) -> list[str]:
    order = quoted(plan.order)
    ranked = call(
        "sorted",
        [f"(row for row in {noun} if row[{order}] is not None)"],
        key=f"lambda row: row[{order}]",
        reverse=None if plan.ascending else "True",
    )
    return [*ranked.lines(8, "ranked = "), f"        {noun} = Records({noun}.fields, ranked[:{plan.limit}])"]


def _joined(plan: Plan, client: str, noun: str, taken: set[str], *, collapse: bool) -> list[str]:
    lines: list[str] = []
    place = 0
    while place < len(plan.joins):
        step = plan.joins[place]
        following = plan.joins[place + 1] if place + 1 < len(plan.joins) else None
        behind = following if following and following.through else None
        if collapse and step.many:
            lines += _collapsed(plan, step, behind, client, noun, taken)
            place += 2 if behind else 1
            continue
        lines += _beside(step, client, noun, taken)
        place += 1
    return lines


def _side(step: JoinStep, client: str, taken: set[str]) -> tuple[str, list[str]]:
    name = variable(snake(step.object.rpartition(".")[2]), taken)
    taken.add(name)
    read = call(f"{client}.read", [quoted(step.object)], fields=listing([quoted(field) for field in step.fields]))
    return name, read.lines(8, f"{name} = ")


def _beside(step: JoinStep, client: str, noun: str, taken: set[str]) -> list[str]:
    name, lines = _side(step, client, taken)
    joined = call(
        "join",
        [noun, name, quoted(step.start), quoted(step.key)],
        keep=quoted(step.keep) if step.keep != "left" else None,
        prefix=quoted(step.prefix),
    )
    return [*lines, *joined.lines(8, f"{noun} = ")]


def _collapsed(
    plan: Plan, step: JoinStep, behind: JoinStep | None, client: str, noun: str, taken: set[str]
) -> list[str]:
    """Several values of one record go into one column, separated by "; "."""
    name, lines = _side(step, client, taken)
    last = behind or step
    value = last.shown[0] if last.shown else last.key
    if behind:
        other, more = _side(behind, client, taken)
        lines += more
        prefix = behind.prefix
        start = behind.start.removeprefix(step.prefix)
        lines += call("join", [name, other, quoted(start), quoted(behind.key)], prefix=quoted(prefix)).lines(
            8, f"{name} = "
        )
        value = f"{prefix}{value}"
    column = next((entry.field for entry in plan.joined if entry.label.startswith(step.label[:4])), step.label)
    found = variable(column, taken)
    taken.add(found)
    text = '{"type": "text", "native_type": "text", "nullable": True}'
    start, key = quoted(step.start), quoted(step.key)
    return [
        *lines,
        f"        {found} = {{}}",
        f"        for row in {name}:",
        f"            if row[{quoted(value)}] is not None:",
        f"                {found}.setdefault(row[{key}], []).append(str(row[{quoted(value)}]))",
        f"        fields = {noun}.fields | {{{quoted(column)}: {text}}}",
        f"        rows = "
        f'[row | {{{quoted(column)}: "; ".join({found}.get(row[{start}], [])) or None}} for row in {noun}]',
        f"        {noun} = Records(fields, rows)",
    ]


def _question(plan: Plan, client: str) -> list[str]:
    taken = {client}
    noun = variable(snake(plan.noun), taken)
    taken.add(noun)
    names = [entry for entry in (plan.of,) if entry]
    if plan.group_join:
        names.append(plan.group_join[0].start)
    elif plan.group:
        names.append(plan.group)
    names += [presence.start for presence in plan.presences]
    lines = read_of(plan, client, names or [plan.columns[0].field]).lines(8, f"{noun} = ")
    for presence in plan.presences:
        lines += _kept(plan, presence.object, presence.start, presence.key, presence.wanted, client, noun, taken)
    for step in plan.group_join:
        lines += _beside(step, client, noun, taken)
    shown = quoted(snake(plan.noun))
    by = f"{plan.group_join[-1].prefix}{plan.group}" if plan.group_join else plan.group
    label = quoted(snake(plan.group_label)) if plan.group else ""
    if not plan.of:
        return [*lines, *_counts(plan, noun, by, label, shown)]
    return [*lines, *_measures(plan, noun, by, label)]


def _by_group(plan: Plan, found: str) -> list[str]:
    """Groups in order: times as they come, others by their result; those without a value last."""
    if plan.group_unit and not plan.best:
        key = "(entry[0] is None, entry[0])"
    else:
        key = f"(entry[0] is None, {'' if plan.ascending else '-'}entry[1])"
    return [f"        ranked = sorted({found}.items(), key=lambda entry: {key})"]


def _group_name() -> str:
    return '"(none)" if value is None else value'


def _counts(plan: Plan, noun: str, by: str, label: str, shown: str) -> list[str]:
    if not by:
        return [f"        show(sum(1 for _ in {noun}), name={shown})"]
    lines = [f"        counts = Counter(row[{quoted(by)}] for row in {noun})"]
    if plan.group_unit:
        lines = [
            f"        days = [row[{quoted(by)}] for row in {noun}]",
            f"        counts = Counter({period_code('day', plan.group_unit)} for day in days)",
        ]
    return [
        *lines,
        *_by_group(plan, "counts"),
        f"        rows = [{{{label}: {_group_name()}, {shown}: count}} for value, count in ranked]",
        f"        show(rows, name={quoted(plan.name)})",
    ]


def _measures(plan: Plan, noun: str, by: str, label: str) -> list[str]:
    of = quoted(plan.of)
    measure = _MEASURES[plan.measure]
    name = quoted(f"{plan.measure}_{snake(plan.of)}")
    if not by:
        empty = "0" if plan.measure == "sum" else "None"
        return [
            f"        values = [row[{of}] for row in {noun} if row[{of}] is not None]",
            f"        result = {measure} if values else {empty}",
            f"        show(result, name={name})",
        ]
    grouped = [f"                groups.setdefault(row[{quoted(by)}], []).append(row[{of}])"]
    if plan.group_unit:
        grouped = [
            f"                day = row[{quoted(by)}]",
            f"                period = {period_code('day', plan.group_unit)}",
            f"                groups.setdefault(period, []).append(row[{of}])",
        ]
    return [
        "        groups = {}",
        f"        for row in {noun}:",
        f"            if row[{of}] is not None:",
        *grouped,
        f"        totals = {{value: {measure} for value, values in groups.items()}}",
        *_by_group(plan, "totals"),
        f"        rows = [{{{label}: {_group_name()}, {name}: total}} for value, total in ranked]",
        f"        show(rows, name={quoted(plan.name)})",
    ]

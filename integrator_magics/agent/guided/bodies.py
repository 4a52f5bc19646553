"""What stands inside `main()`: lines for each kind of plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .figures import question
from .plan import Column, JoinStep, Plan, System
from .pretty import Node, call, listing, mapping, quoted
from .reads import beside, kept, read_of, side, variable, where_of
from .words import snake

__all__ = ["body", "systems_of"]

_WRITERS = {"csv": "to_csv", "json": "to_json", "jsonl": "to_jsonl", "parquet": "to_parquet"}


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
        return [*lines, *question(plan, client)]
    if plan.target and plan.plain:
        return [*lines, *_sync(plan, _source(plan, client), names)]
    return [*lines, *_read(plan, client, names)]


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
        lines += kept(presence, client, noun, taken)
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
        lines += beside(step, client, noun, taken)
        place += 1
    return lines


def _collapsed(
    plan: Plan, step: JoinStep, behind: JoinStep | None, client: str, noun: str, taken: set[str]
) -> list[str]:
    """Several values of one record go into one column, separated by "; "."""
    name, lines = side(step, client, taken)
    last = behind or step
    value = last.shown[0] if last.shown else last.key
    if behind:
        other, more = side(behind, client, taken)
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

"""A plan -> the text of the script. The same plan gives the same bytes, already formatted."""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
from collections.abc import Iterable

from .plan import Column, JoinStep, Plan, System
from .pretty import Node, call, listing, mapping, quoted
from .words import slug, snake

__all__ = ["compose", "count_code", "variable"]

_WRITERS = {"csv": "to_csv", "json": "to_json", "jsonl": "to_jsonl", "parquet": "to_parquet"}
_RESERVED = frozenset(
    ["main", "run", "sync", "join", "show", "days_ago", "start_of", "now", "source", "target", "date", "datetime", "timedelta", "rows", "row", "table", "counter", "counts", "groups", "value", "values", "result", "name", "names", "total"]
)
_FROM_DRIVERS = ("Source", "Target", "days_ago", "join", "now", "run", "show", "start_of", "sync")
_FROM_DATETIME = ("UTC", "date", "datetime", "timedelta")


def compose(plan: Plan) -> str:
    """The whole file."""
    body = _body(plan)
    text = "\n".join(body)
    systems = _systems(plan)
    lines = [*_header(systems), *_docstring(plan), "", *_imports(text, systems), ""]
    cron = quoted(plan.cron) if plan.cron else "None"
    lines += [f"SCHEDULE = {cron}", "", "", "def main() -> None:", *body, "", ""]
    lines += ['if __name__ == "__main__":', "    run(main, SCHEDULE)"]
    return "\n".join(lines) + "\n"


def count_code(plan: Plan) -> str:
    """A short script that counts what the plan would read."""
    client = variable(plan.source.name)
    first = plan.columns[0].field
    read = call(f"{client}.read", [quoted(plan.object)], fields=listing([quoted(first)]), where=_where(plan))
    noun = variable(snake(plan.noun), {client})
    body = read.lines(4, f"{noun} = ")
    body.append(f"    show(sum(1 for _ in {noun}), name={quoted(snake(plan.noun))})")
    lines = [f"with {plan.source.client}() as {client}:", *body]
    text = "\n".join(lines)
    return "\n".join([*_imports(text, [plan.source], extra=()), "", *lines]) + "\n"


def variable(name: str, taken: Iterable[str] = ()) -> str:
    """A variable of that name that hides nothing."""
    text = slug(name)
    text = f"n_{text}" if text[0].isdigit() else text
    while (
        keyword.iskeyword(text)
        or keyword.issoftkeyword(text)
        or text in _RESERVED
        or text in set(taken)
        or text in dir(builtins)
    ):
        text += "_"
    return text


def _systems(plan: Plan) -> list[System]:
    found = {plan.source.name: plan.source}
    if plan.target:
        found.setdefault(plan.target.name, plan.target)
    return list(found.values())


def _header(systems: list[System]) -> list[str]:
    from ... import __version__

    extras = ",".join(sorted(system.name for system in systems))
    return [
        "# /// script",
        '# requires-python = ">=3.11"',
        f'# dependencies = ["integrator-drivers[{extras}]"]',
        "#",
        "# [tool.uv.sources]",
        f'# integrator-drivers = {{ path = "wheels/integrator_drivers-{__version__}-py3-none-any.whl" }}',
        "# ///",
    ]


def _plain(text: str) -> str:
    """Text that may stand in a docstring."""
    return re.sub(r"[\x00-\x1f]", " ", text).replace("\\", "/").replace('"', "'")


def title(plan: Plan) -> str:
    """One line: what, from where, to where."""
    noun = plan.noun[:1].upper() + plan.noun[1:]
    when = ""
    if plan.window_words:
        link = "" if re.match(r"in |on |since |until |before |older ", plan.window_words) else "of "
        when = f" {link}{plan.window_words}"
    if plan.target:
        goal = f"{plan.target.label} ({plan.table})"
    elif plan.files:
        goal = ", ".join(wish.name for wish in plan.files)
    else:
        return f"{noun}{when} in {plan.source.label}."
    return f"{noun}{when}, {plan.source.label} -> {goal}."


def _docstring(plan: Plan) -> list[str]:
    from .explain import summary

    first = textwrap.shorten(_plain(title(plan)), 112, placeholder=" ...")
    lines = textwrap.wrap(_plain(summary(plan)), 118)
    return [f'"""{first}', "", *lines, '"""']


def _imports(text: str, systems: list[System], extra: Iterable[str] = ("run",)) -> list[str]:
    """Only what the text uses, as isort orders it."""

    def used(names: Iterable[str]) -> list[str]:
        return [name for name in names if re.search(rf"(?<![\w.\"]){name}\b(?=[(,)]|$)", text)]

    lines = []
    if "Counter(" in text:
        lines.append("from collections import Counter")
    if dates := used(_FROM_DATETIME):
        lines.append(f"from datetime import {', '.join(dates)}")
    if "mean(" in text or "median(" in text:
        lines.append(f"from statistics import {', '.join(name for name in ('mean', 'median') if f'{name}(' in text)}")
    if lines:
        lines.append("")
    names = sorted({*used(_FROM_DRIVERS), *extra}, key=lambda name: (not name[0].isupper(), name))
    rest = {"integrator_drivers": names}
    for system in systems:
        rest.setdefault(system.module, []).append(system.client)
    for module in sorted(rest):
        lines.append(f"from {module} import {', '.join(rest[module])}")
    return lines


def _where(plan: Plan) -> Node | None:
    return listing([condition.line() for condition in plan.where]) if plan.where else None


def _with(plan: Plan) -> tuple[list[str], str, str]:
    """The lines that open the clients, and the variables of source and target."""
    systems = _systems(plan)
    names = {system.name: variable(system.name) for system in systems}
    items = [f"{system.client}() as {names[system.name]}" for system in systems]
    line = f"    with {', '.join(items)}:"
    lines = [line] if len(line) <= 120 else ["    with (", *(f"        {item}," for item in items), "    ):"]
    return lines, names[plan.source.name], names[plan.target.name] if plan.target else ""


def _body(plan: Plan) -> list[str]:
    lines, source, target = _with(plan)
    if plan.measure:
        return [*lines, *_question(plan, source)]
    if plan.target and not plan.joins:
        return [*lines, *_sync(plan, source, target)]
    return [*lines, *_read(plan, source, target)]


def _renamed(columns: tuple[Column, ...]) -> bool:
    return any(column.field != column.column for column in columns)


def _source(plan: Plan, client: str) -> Node:
    fields = mapping((quoted(column.field), quoted(column.column)) for column in plan.columns)
    return call("Source", [client, quoted(plan.object), fields], where=_where(plan), spread=True)


def _sync(plan: Plan, source: str, target: str) -> list[str]:
    return call(
        "sync",
        source=_source(plan, source),
        target=call("Target", [target, quoted(plan.table)]),
        key=quoted(plan.key),
        spread=True,
    ).lines(8)


def _read_of(plan: Plan, client: str, columns: Iterable[str]) -> Node:
    return call(
        f"{client}.read",
        [quoted(plan.object)],
        fields=listing([quoted(name) for name in columns]),
        where=_where(plan),
        limit=str(plan.limit) if plan.limit else None,
        spread=True,
    )


def _read(plan: Plan, client: str, target: str) -> list[str]:
    noun = variable(snake(plan.noun), {client})
    if _renamed(plan.columns) and not plan.joins and not plan.limit:
        lines = _source(plan, client).lines(8, f"{noun} = ", ".records()")
    else:
        lines = _read_of(plan, client, [column.field for column in plan.columns]).lines(8, f"{noun} = ")
    taken = {client, noun}
    sides: list[str] = []
    for step in plan.joins:
        side = variable(snake(step.object), taken)
        taken.add(side)
        sides.append(side)
        read = call(f"{client}.read", [quoted(step.object)], fields=listing([quoted(name) for name in step.fields]))
        lines += read.lines(8, f"{side} = ")
    for place in range(len(plan.joins) - 1, -1, -1):
        step = plan.joins[place]
        left = noun if step.inner_of < 0 else sides[step.inner_of]
        right = sides[place]
        joined = call(
            "join",
            [left, right, quoted(step.start), quoted(step.key)],
            keep=quoted(step.keep) if step.keep != "left" else None,
            prefix=quoted(step.prefix) if step.prefix else None,
        )
        lines += joined.lines(8, f"{left} = ")
    for wish in plan.files:
        lines.append(f"        {noun}.{_WRITERS[wish.format]}({quoted(wish.name)})")
    if not plan.files:
        lines.append(f"        show({noun}, name={quoted(snake(plan.noun))})")
    return lines


def _question(plan: Plan, client: str) -> list[str]:
    noun = variable(snake(plan.noun), {client})
    names = list(dict.fromkeys([*plan.group, *([plan.of] if plan.of else [])])) or [plan.columns[0].field]
    lines = _read_of(plan, client, names).lines(8, f"{noun} = ")
    if len(lines) > 1 and not plan.where:
        flat = call(f"{client}.read", [quoted(plan.object)], fields=listing([quoted(name) for name in names]))
        lines = flat.lines(8, f"{noun} = ")
    shown = quoted(snake(plan.noun))
    if not plan.of:
        if not plan.group:
            return [*lines, f"        show(sum(1 for _ in {noun}), name={shown})"]
        order = "counts.most_common()" if not plan.ascending else "sorted(counts.items(), key=lambda entry: entry[1])"
        entry = f"{{{quoted(snake(plan.group[0]))}: value, {shown}: count}}"
        return [
            *lines,
            f"        counts = Counter(row[{quoted(plan.group[0])}] for row in {noun})",
            f"        show([{entry} for value, count in {order}], name={shown})",
        ]
    of = quoted(plan.of)
    function = {"sum": "sum", "average": "mean", "median": "median", "highest": "max", "lowest": "min"}[plan.measure]
    label = quoted(f"{plan.measure}_{snake(plan.of)}")
    if not plan.group:
        lines.append(f"        values = [row[{of}] for row in {noun} if row[{of}] is not None]")
        empty = "0" if function == "sum" else "None"
        lines.append(f"        show({function}(values) if values else {empty}, name={label})")
        return lines
    group = quoted(plan.group[0])
    lines += [
        "        groups = {}",
        f"        for row in {noun}:",
        f"            if row[{of}] is not None:",
        f"                groups.setdefault(row[{group}], []).append(row[{of}])",
        f"        totals = {{value: {function}(values) for value, values in groups.items()}}",
        f"        ranked = sorted(totals.items(), key=lambda entry: entry[1], reverse={not plan.ascending})",
        f"        show([{{{quoted(snake(plan.group[0]))}: value, {label}: total}} for value, total in ranked], name={label})",
    ]
    return lines


def join_columns(step: JoinStep) -> list[str]:
    """Names of the columns that a join adds."""
    return [f"{step.prefix}{name}" for name in step.fields if name != step.key]

"""What stands inside `main()` for questions: read, join, count or sum, show a table, a chart and a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .periods import period_code
from .plan import JoinStep, Plan
from .pretty import mapping, plain, quoted
from .rates import rate_lines, row_lines, sentence, unique
from .reads import beside, kept, read_of, variable
from .words import snake

__all__ = ["question"]

_MEASURES = {
    "sum": "sum(values)",
    "average": "round(sum(values) / len(values), 4)",
    "median": "median(values)",
    "highest": "max(values)",
    "lowest": "min(values)",
}


def question(plan: Plan, client: str) -> list[str]:
    """The lines that answer a question."""
    taken = {client}
    noun = variable(snake(plan.noun), taken)
    taken.add(noun)
    if plan.compare_words:
        return _compared(plan, client, noun)
    rate = plan.rate
    steps = unique((*plan.group_join, *plan.per_join, *(rate.joins if rate else ())))
    names = [*(plan.factors or (plan.of,))]
    names += [plan.columns[0].field] if rate else []
    names += [*rate.fields, *([rate.happened] if rate.happened and rate.touched else [])] if rate else []
    names += [plan.group] if plan.group and not plan.group_join else []
    names += [plan.per] if plan.per and not plan.per_join else []
    names += [step.start for step in steps if not step.through]
    names += [presence.start for presence in plan.presences]
    lines = read_of(plan, client, [name for name in names if name] or [plan.columns[0].field]).lines(8, f"{noun} = ")
    for presence in plan.presences:
        lines += kept(presence, client, noun, taken)
    for step in _touching(plan, steps):
        lines += beside(step, client, noun, taken)
    if rate:
        return [*lines, *rate_lines(plan, noun)]
    by = f"{plan.group_join[-1].prefix}{plan.group}" if plan.group_join else plan.group
    if plan.per:
        return [*lines, *_divided(plan, noun, by)]
    if not plan.of:
        return [*lines, *_counts(plan, noun, by)]
    return [*lines, *_measures(plan, noun, by)]


def _touching(plan: Plan, steps: Iterable[JoinStep]) -> list[JoinStep]:
    """For a rate only records that have such a group, and when they got into it."""
    rate = plan.rate
    if not rate or not plan.group_join or not plan.group_join[0].many:
        return list(steps)
    found = []
    for step in steps:
        if step in plan.group_join or step.object in {entry.object for entry in plan.group_join}:
            step = replace(step, keep="inner")
            if rate.touched.startswith(step.prefix) and step.many:
                field = rate.touched.removeprefix(step.prefix)
                step = replace(step, fields=tuple(dict.fromkeys((*step.fields, field))))
        found.append(step)
    return found


def _group(plan: Plan, row: str, by: str) -> str:
    """The code of a row's group: its key and name where names may be the same, a band, a period, or the value."""
    value = f"{row}[{quoted(by)}]"
    if plan.bands:
        return f"band({value})"
    return f"({row}[{quoted(plan.group_key)}], {value})" if plan.group_key else value


def _by_group(plan: Plan, found: str) -> list[str]:
    """Groups in order: times as they come, others by their result; those without a value last."""
    value = "entry[0][1]" if plan.group_key else "entry[0]"
    if plan.group_unit and not plan.best:
        key = f"({value} is None, {value})"
    else:
        key = f"({value} is None, {'' if plan.ascending else '-'}entry[1])"
    lines = [f"        ranked = sorted({found}.items(), key=lambda entry: {key})"]
    if plan.limit:
        lines[0] = lines[0].removesuffix(")") + f")[:{plan.limit}]"
    return lines


def _each(plan: Plan) -> str:
    return "(_, value)" if plan.group_key else "value"


_NAMED = '"(none)" if value is None else value'


def _shown(plan: Plan, column: str) -> list[str]:
    """The table, drawn where it is not too long, and which one is ahead."""
    lines = [f"        show(rows, name={quoted(plan.name)}, chart={quoted(column)})"]
    return [*lines, *sentence(plan, column)] if plan.best and plan.group else lines


def _counts(plan: Plan, noun: str, by: str) -> list[str]:
    shown = quoted(snake(plan.noun))
    if not by:
        return [f"        show(sum(1 for _ in {noun}), name={shown})"]
    label = quoted(snake(plan.group_label))
    lines = [f"        counts = Counter({_group(plan, 'row', by)} for row in {noun})"]
    if plan.group_unit:
        lines = [
            f"        days = [row[{quoted(by)}] for row in {noun}]",
            f"        counts = Counter({period_code('day', plan.group_unit)} for day in days)",
        ]
    pairs = [(label, _NAMED), (shown, "count")]
    if plan.shares:
        lines.append("        total = counts.total() or 1")
        pairs.append(('"percent"', "round(100 * count / total, 1)"))
    rows = mapping(pairs).flat()
    return [
        *lines,
        *_by_group(plan, "counts"),
        *row_lines(rows, f"for {_each(plan)}, count in ranked"),
        *_shown(plan, "percent" if plan.shares else snake(plan.noun)),
    ]


def _product(plan: Plan) -> str:
    if plan.factors:
        return " * ".join(f"row[{quoted(name)}]" for name in plan.factors)
    return f"row[{quoted(plan.of)}]"


def _known(plan: Plan) -> str:
    return " and ".join(f"row[{quoted(name)}] is not None" for name in plan.factors or (plan.of,))


def _measures(plan: Plan, noun: str, by: str) -> list[str]:
    measure = _MEASURES[plan.measure]
    name = f"{plan.measure}_{snake(plan.of)}"
    if not by:
        empty = "0" if plan.measure == "sum" else "None"
        return [
            f"        values = [{_product(plan)} for row in {noun} if {_known(plan)}]",
            f"        result = {measure} if values else {empty}",
            f"        show(result, name={quoted(name)})",
        ]
    label = quoted(snake(plan.group_label))
    grouped = [f"                groups.setdefault({_group(plan, 'row', by)}, []).append({_product(plan)})"]
    if plan.group_unit:
        grouped = [
            f"                day = row[{quoted(by)}]",
            f"                period = {period_code('day', plan.group_unit)}",
            f"                groups.setdefault(period, []).append({_product(plan)})",
        ]
    rows = mapping([(label, _NAMED), (quoted(name), "float(total)")]).flat()
    return [
        "        groups = {}",
        f"        for row in {noun}:",
        f"            if {_known(plan)}:",
        *grouped,
        f"        totals = {{value: {measure} for value, values in groups.items()}}",
        *_by_group(plan, "totals"),
        *row_lines(rows, f"for {_each(plan)}, total in ranked"),
        *_shown(plan, name),
    ]


def _divided(plan: Plan, noun: str, by: str) -> list[str]:
    """A sum per group, divided by how many different ones stand behind it."""
    each, many, of = snake(plan.per_label), snake(plan.per_label), snake(plan.of)
    one = f"{of}_per_{each.removesuffix('s')}"
    label = quoted(snake(plan.group_label)) if plan.group else '"all"'
    group = _group(plan, "row", by) if plan.group else '"all"'
    direction = "" if plan.ascending else "-"
    value = "group[1]" if plan.group_key else "group"
    return [
        "        totals, members = defaultdict(float), defaultdict(set)",
        f"        for row in {noun}:",
        f"            if {_known(plan)}:",
        f"                group = {group}",
        f"                totals[group] += float({_product(plan)})",
        f"                members[group].add(row[{quoted(plan.per)}])",
        "        rows = [",
        "            {",
        f"                {label}: {value},",
        f"                {quoted(of)}: round(total, 2),",
        f"                {quoted(many)}: len(members[group]),",
        f"                {quoted(one)}: round(total / len(members[group]), 2),",
        "            }",
        "            for group, total in totals.items()",
        "        ]",
        f"        rows.sort(key=lambda row: {direction}row[{quoted(one)}])",
        *_shown(plan, one),
    ]


def _compared(plan: Plan, client: str, noun: str) -> list[str]:
    """The same figure of two periods, and the change."""
    first, second = plan.compare_words
    names = [*(plan.factors or (plan.of,))] if plan.of else [plan.columns[0].field]
    names += [presence.start for presence in plan.presences]
    figure = snake(plan.noun) if not plan.of else f"{plan.measure}_{snake(plan.of)}"
    lines: list[str] = []
    earlier = replace(plan, window_filters=plan.compare_filters)
    for variant, count in ((plan, "latest"), (earlier, "before")):
        taken = {client, noun}
        lines += read_of(variant, client, names).lines(8, f"{noun} = ")
        for presence in plan.presences:
            lines += kept(presence, client, noun, taken)
        if not plan.of:
            lines.append(f"        {count} = sum(1 for _ in {noun})")
        else:
            lines.append(f"        values = [{_product(plan)} for row in {noun} if {_known(plan)}]")
            lines.append(f"        {count} = float({_MEASURES[plan.measure]}) if values else 0.0")
    number = ":,.10g" if plan.of else ":,"
    what = plan.noun if not plan.of else plain(f"{plan.measure} of {plan.of}")
    return [
        *lines,
        "        rows = [",
        f'            {{"period": {quoted(second)}, {quoted(figure)}: before}},',
        f'            {{"period": {quoted(first)}, {quoted(figure)}: latest}},',
        "        ]",
        f"        show(rows, name={quoted(plan.name)}, chart={quoted(figure)})",
        '        change = f"{(latest - before) / before:+.0%}" if before else "no comparison, there were none before"',
        f'        text = f"{what[:1].upper()}{what[1:]} {first}: {{latest{number}}}, {second}: {{before{number}}}"',
        '        show(f"{text} ({change}).", name="answer")',
    ]

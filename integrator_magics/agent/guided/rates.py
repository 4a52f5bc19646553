"""Lines of a rate: how many of each group did it, small groups shown but not ranked, and the sentence that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .plan import JoinStep, Plan
from .pretty import plain, quoted
from .words import plural, snake

__all__ = ["did", "rate_lines", "row_lines", "sentence", "unique"]


def unique(steps: Sequence[JoinStep]) -> list[JoinStep]:
    """Each join once, with the fields of all that ask for it."""
    found: dict[tuple[str, str, str], JoinStep] = {}
    for step in steps:
        place = (step.object, step.start, step.key)
        if place in found:
            old = found[place]
            step = replace(old, fields=tuple(dict.fromkeys((*old.fields, *step.fields))))
        found[place] = step
    return list(found.values())


def row_lines(row: str, loop: str) -> list[str]:
    """`rows = [row for ...]`, on one line where it fits."""
    line = f"        rows = [{row} {loop}]"
    if len(line) <= 120:
        return [line]
    inner = f"            {row} {loop}"
    if len(inner) <= 120:
        return ["        rows = [", inner, "        ]"]
    return ["        rows = [", f"            {row}", f"            {loop}", "        ]"]


def rate_lines(plan: Plan, noun: str) -> list[str]:
    """Count members and good ones of each group; each record once in a group."""
    rate = plan.rate
    assert rate is not None
    key = plan.columns[0].field
    lines = _touches(plan, noun)
    source = "touches.values()" if rate.credit in ("first", "last") else noun
    if not plan.group:
        return [*lines, *_overall(plan, source)]
    by = f"{plan.group_join[-1].prefix}{plan.group}" if plan.group_join else plan.group
    group, shown = quoted(snake(plan.group_label)), quoted(snake(plan.noun))
    word, percent = snake(rate.word), f"{snake(rate.word)}_percent"
    named = f"row[{quoted(by)}]"
    place = f"row[{quoted(plan.group_key)}]" if plan.group_key else named
    if plan.bands:
        place = named = f"band({named})"
    lines += [
        "        names, members, good = {}, defaultdict(set), defaultdict(set)",
        f"        for row in {source}:",
        *_too_late(plan),
        f"            group = {place}",
        f"            names[group] = {named}",
        f"            members[group].add(row[{quoted(key)}])",
        f"            if {rate.hit}:",
        f"                good[group].add(row[{quoted(key)}])",
        "        rows = []",
        "        for group, found in members.items():",
    ]
    enough = " if len(found) >= MINIMUM else None" if rate.minimum else ""
    lines += [
        f"            percent = round(100 * len(good[group]) / len(found), 1){enough}",
        '            name = "(none)" if names[group] is None else names[group]',
        f"            line = {{{group}: name, {shown}: len(found), {quoted(word)}: len(good[group])}}",
        f"            rows.append(line | {{{quoted(percent)}: percent}})",
    ]
    direction = "" if plan.ascending else "-"
    order = f"(row[{quoted(percent)}] is None, {direction}(row[{quoted(percent)}] or 0), -row[{shown}])"
    lines += [
        f"        rows.sort(key=lambda row: {order})",
        f"        show(rows, name={quoted(plan.name)}, chart={quoted(percent)})",
    ]
    return [*lines, *_verdict(plan, percent)]


def _touches(plan: Plan, noun: str) -> list[str]:
    """One group for each record: the first or the last one it got into."""
    rate = plan.rate
    assert rate is not None
    if rate.credit not in ("first", "last"):
        return []
    key, when = quoted(plan.columns[0].field), quoted(rate.touched)
    put = f"touches.setdefault(row[{key}], row)" if rate.credit == "first" else f"touches[row[{key}]] = row"
    return [
        "        touches = {}",
        f"        for row in sorted({noun}, key=lambda row: row[{when}]):",
        *_too_late(plan, inside=True),
        f"            {put}",
    ]


def _too_late(plan: Plan, *, inside: bool = False) -> list[str]:
    """What came after the success did not lead to it."""
    rate = plan.rate
    assert rate is not None
    if not rate.touched or not rate.happened or inside != (rate.credit in ("first", "last")):
        return []
    day = "" if rate.happened_is_time else ".date()"
    happened = f"row[{quoted(rate.happened)}]"
    group = plain(plan.group_label)
    return [
        f"            if {happened} and row[{quoted(rate.touched)}]{day} > {happened}:",
        f"                continue  # a {group} after it {rate.word} did not lead to that",
    ]


def _overall(plan: Plan, source: str) -> list[str]:
    """The rate of all, without groups."""
    rate = plan.rate
    assert rate is not None
    text = f"{{sum(hits):,}} of {{len(hits):,}} {plan.noun} {did(rate.word)}: {{100 * sum(hits) / len(hits):.1f}} %."
    return [
        f"        hits = [bool({rate.hit}) for row in {source}]",
        "        if hits:",
        f'            show(f"{text}", name="answer")',
        "        else:",
        f'            show("There are no {plan.noun}.", name="answer")',
    ]


def did(word: str) -> str:
    """ "converted", "were won": what a good one did."""
    return word if word in ("converted", "responded", "replied", "churned") else f"were {word}"


def _verdict(plan: Plan, percent: str) -> list[str]:
    """The sentence that answers."""
    rate = plan.rate
    assert rate is not None
    group, noun = plain(plan.group_label), plan.noun
    label, shown = snake(plan.group_label), snake(noun)
    side = "worst" if plan.ascending else "best"
    ahead = f"{{best[{label!r}]}}"
    did_so = did(rate.word)
    lines = [f"        ranked = [row for row in rows if row[{quoted(percent)}] is not None]"]
    several = bool(plan.group_join) and plan.group_join[0].many and rate.credit == "each"
    lines += [
        "        everyone, all_good = set().union(*members.values()), set().union(*good.values())",
        "        if ranked:",
        "            best = ranked[0]",
        f"            best_percent, size = best[{quoted(percent)}], best[{quoted(shown)}]",
        "            share = 100 * len(all_good) / len(everyone)",
        "            show(",
        f'                f"{ahead} {_brings(plan, side)}: {{best_percent:g}} % of {{size:,}} {did_so}, "',
        '                f"against {share:.1f} % of all {len(everyone):,}.",',
        '                name="answer",',
        "            )",
        "            # two standard errors: about 1 in 20 groups is further off by chance alone",
        "            chance = 2 * (share * (100 - share) / size) ** 0.5",
        "            if len(ranked) > 1 and abs(best_percent - share) < chance:",
        "                show(",
        f'                    f"That is no clear lead: with {{size:,}} {noun}, {{chance:.1f}} points more or less '
        'can be chance.",',
        '                    name="chance",',
        "                )",
    ]
    if rate.minimum:
        lines += [
            "        else:",
            f'            show(f"No {group} has {{MINIMUM}} {noun} or more, so none is ranked.", name="answer")',
            "        if small := len(rows) - len(ranked):",
            f'            text = f"{{small:,}} {plural(group)} with fewer than {{MINIMUM}} {noun}"',
            '            show(f"{text} are shown without a rate.", name="small")',
        ]
    if several:
        lines += [
            "        several = Counter(record for found in members.values() for record in found)",
            "        if extra := sum(1 for count in several.values() if count > 1):",
            "            show(",
            f'                f"{{extra:,}} {noun} are in several {plural(group)} and count in each: '
            'the columns do not add up.",',
            '                name="several",',
            "            )",
        ]
    return lines


def _brings(plan: Plan, side: str) -> str:
    if plan.group_join and plan.group_join[0].many:
        return f"brings the {side} {plan.noun}"
    return f"has the {'lowest' if side == 'worst' else 'highest'} rate"


def sentence(plan: Plan, column: str) -> list[str]:
    """Which group is ahead."""
    label = snake(plan.group_label)
    if plan.of:
        text = f"is {'last' if plan.ascending else 'first'} by {column.replace('_', ' ')}"
    else:
        tests = ", ".join(condition.words for condition in plan.filters)
        text = f"has the {'fewest' if plan.ascending else 'most'} {plan.noun}{f' ({tests})' if tests else ''}"
    return [
        "        if rows:",
        "            best = rows[0]",
        f'            show(f"{{best[{label!r}]}} {plain(text)}: {{best[{column!r}]:,.10g}}.", name="answer")',
    ]

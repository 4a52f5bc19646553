"""A plan in business words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from .plan import Plan, Rate
from .rates import did
from .windows import MONTH_NAMES
from .words import plural, singular

__all__ = ["an", "and_list", "explanation", "last_words", "spoken_date", "summary", "title"]

_FORMATS = {"csv": "CSV", "json": "JSON", "jsonl": "JSON lines", "parquet": "Parquet"}
_BARE_WINDOW = ("in ", "on ", "since ", "until ", "before ", "older ", "created ", "updated ")


def and_list(words: Sequence[str], link: str = "and") -> str:
    """ "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {link} {words[-1]}"


def an(noun: str) -> str:
    """ "a lead", "an order"."""
    return f"{'an' if noun[:1].casefold() in 'aeiou' else 'a'} {noun}"


def spoken_date(day: date) -> str:
    """ "22 October 2026"."""
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def title(plan: Plan) -> str:
    """One line: what, from where, to where."""
    noun = plan.noun[:1].upper() + plan.noun[1:]
    when = _when(plan)
    if plan.measure:
        return f"{noun}{when}: {_what(plan)}{_per(plan)}, from {plan.source.label}."
    if plan.target:
        goal = " and ".join(f"{entry.target.label} ({entry.table})" for entry in plan.everywhere if entry.target)
    elif plan.files:
        goal = ", ".join(wish.name for wish in plan.files)
    else:
        return f"{noun}{when} in {plan.source.label}."
    return f"{noun}{when}, {plan.source.label} -> {goal}."


def _what(plan: Plan) -> str:
    """ "count", "average of Amount", "how many converted"."""
    if plan.rate:
        return f"how many {did(plan.rate.word)}, in percent,"
    what = f"{plan.measure} of {plan.of}" if plan.of else "count"
    if plan.factors:
        what = f"sum of {' times '.join(plan.factors)}"
    return f"{what} divided by the number of {plan.per_label}" if plan.per else what


def _when(plan: Plan) -> str:
    if not plan.window_words:
        return ""
    return f" {plan.window_words}" if plan.window_words.startswith(_BARE_WINDOW) else f" of {plan.window_words}"


def _columns(plan: Plan) -> str:
    names = [column.label for column in (*plan.columns, *plan.joined)]
    if len(names) > 8:
        return f"{', '.join(names[:6])} and {len(names) - 6} more columns"
    return and_list(names)


def _which(plan: Plan, since: str = "") -> str:
    """ "leads of the last 30 days where Status is Open"."""
    text = plan.noun + _when(plan) + since
    tests = [condition.words for condition in plan.filters]
    if tests:
        text += f" where {and_list(tests)}"
    for presence in plan.presences:
        text += f" {'with' if presence.wanted else 'without'} {an(presence.label)}"
    return text


def summary(plan: Plan) -> str:
    """The docstring's paragraph."""
    text = f"Reads {_which(plan)}"
    if plan.more:
        keys = [f"{entry.key_words or entry.key} in {entry.target.label}" for entry in plan.everywhere if entry.target]
        text += f"; in each target adds new ones and updates known ones (same {and_list(keys)}); never deletes."
        text += "".join(f" The id from {label} is kept in {place}." for label, place in _kept_ids(plan))
        text += " What one target refuses still reaches the others and is tried again with the next run."
    elif plan.target:
        text += f"; adds new ones and updates known ones (same {plan.key_words or plan.key}); never deletes."
    elif plan.measure:
        text += f" and {_measured(plan)}; only reads."
    elif plan.files:
        formats = and_list([_FORMATS[wish.format] for wish in plan.files])
        text += f"; writes {formats}; changes nothing in {plan.source.label}."
    else:
        text += "; only reads."
    if plan.cursor:
        text += f" After the first run it reads only what changed since the last one (by {plan.cursor})."
    if not plan.verified:
        text += " Field names come from the standard schema and were not verified."
    return text


def explanation(plan: Plan, today: date) -> list[str]:
    """What the script does, a line each."""
    lines = [f"reads {_quantity(plan)}{_which(plan, _since(plan, today))} from {plan.source.label}{_count(plan)},"]
    lines += [*_again(plan), *_joins(plan)]
    if plan.measure:
        return [*lines, f"{_measured(plan)},", "shows the result as a table; nothing is written."]
    if plan.more:
        writes = [line for entry in plan.everywhere for line in _writes(entry, plan)]
        refused = "what one target refuses still reaches the others, and is tried again with the next run,"
        return [*lines, *writes, refused, "never deletes anything."]
    if plan.target:
        return [*lines, *_writes(plan, plan), "never deletes anything."]
    if plan.files:
        files = and_list([f"{wish.name} ({_FORMATS[wish.format]})" for wish in plan.files])
        lines.append(f"writes {_columns(plan)} to {files} beside this notebook,")
    else:
        lines.append(f"shows {_columns(plan)} as a table,")
    return [*lines, f"changes nothing in {plan.source.label}."]


def _quantity(plan: Plan) -> str:
    if plan.measure:
        return ""
    if plan.order:
        if plan.order_is_time:
            return f"the {plan.limit:,} {'oldest' if plan.ascending else 'newest'} by {plan.order} of "
        return f"the {plan.limit:,} {'lowest' if plan.ascending else 'highest'} by {plan.order} of "
    return f"at most {plan.limit:,} " if plan.limit else ""


def _count(plan: Plan) -> str:
    if plan.count is None:
        return ""
    return f" ({plan.count:,} now)" if plan.counted else f" (about {plan.count:,})"


def _since(plan: Plan, today: date) -> str:
    """The day a rolling window starts on, if it runs today."""
    for condition in plan.window_filters:
        match = re.match(r"days_ago\((\d+)\)", condition.code)
        if match and condition.op == ">=":
            return f" (since {spoken_date(today - timedelta(days=int(match[1])))})"
    return ""


def _joins(plan: Plan) -> list[str]:
    lines = []
    for step in plan.joins:
        if step.through:
            continue
        missing = f"{plan.noun} without one are {'kept' if step.keep == 'left' else 'left out'}"
        if not step.many:
            lines.append(f"adds the {step.label} of each; {missing},")
        elif plan.target:
            lines.append(f"adds the {plural(step.label)} of each in one column, separated by semicolons; {missing},")
        else:
            lines.append(f"adds the {step.label} of each; {plan.noun} with several have a line for each, {missing},")
    return lines


def _again(plan: Plan) -> list[str]:
    """What a run after the first one reads."""
    if not plan.cursor:
        return []
    lines = [f"reads from the second run on only what changed since the last one (by {plan.cursor}),"]
    if plan.marks_deleted:
        lines.append(f"marks {plan.noun} that are deleted in {plan.source.label} with the time, in deleted_at,")
    return lines


def _writes(plan: Plan, whole: Plan) -> list[str]:
    """What happens at one target; `whole` is the plan of the first."""
    assert plan.target is not None
    where = f"the table {plan.table}" if plan.target.kind == "sql" else plan.table
    known = f"known ones (same {plan.key_words or plan.key}) are updated"
    lines = [f"writes {_columns(plan)} to {where} in {plan.target.label}: new {plan.noun} are added, {known},"]
    if plan.new_table:
        one = " ".join([*plan.noun.split()[:-1], singular(plan.noun.split()[-1])])
        lines.insert(len(lines) - 1, f"makes the table {plan.table}, which is not there yet, with one row per {one},")
    elif plan.added_columns:
        many = "columns" if len(plan.added_columns) > 1 else "column"
        lines.insert(
            len(lines) - 1, f"adds the {many} {and_list(plan.added_columns)}, which {plan.table} does not have yet,"
        )
    if plan.target.kind != "sql":
        lines.append(_shared(plan, whole))
    return lines


def _shared(plan: Plan, whole: Plan) -> str:
    """What becomes of records without a key, and of several with one."""
    assert plan.target is not None
    key = plan.key_words or plan.key
    one = "the newest counts" if whole.newest else "the first counts"
    elsewhere = " (the other targets get them)" if whole.more else ""
    return (
        f"leaves {plan.noun} without {_article(key)} out of {plan.target.label}{elsewhere}; of several with the same "
        f"{key} {one},"
    )


def _article(word: str) -> str:
    plain = word[:1].lower() + word[1:] if word[1:2].islower() else word
    return f"{'an' if plain[:1].lower() in 'aeiou' else 'a'} {plain}"


def _kept_ids(plan: Plan) -> list[tuple[str, str]]:
    """The systems whose ids are kept, and the tables that keep them."""
    return [
        (giver.target.label, entry.table)
        for giver in plan.everywhere
        if giver.id_as and giver.target
        for entry in plan.more
        if any(column.field == giver.id_as for column in entry.columns)
    ]


def _per(plan: Plan) -> str:
    per = f" per {plan.group_label}" if plan.group else ""
    if plan.group_unit:
        per += f" of {plan.group}" + (" (in UTC)" if plan.group_zoned else "")
    return per


def _measured(plan: Plan) -> str:
    if plan.rate:
        return _rated(plan, plan.rate)
    text = f"works out the {_what(plan)}{_per(plan)}" if plan.of else f"counts them{_per(plan)}"
    if plan.compare_words:
        text += f", once for {plan.compare_words[0]} and once for {plan.compare_words[1]}"
    if plan.limit and plan.group:
        text += f", keeps the first {plan.limit:,}"
    if any(step.many for step in plan.group_join):
        text += f" ({plan.noun} in several {plural(plan.group_label)} count once in each, those in none as (none))"
    return text


def _rated(plan: Plan, rate: Rate) -> str:
    """Every definition that the user chose, so that the figure can be trusted."""
    text = f"works out how many {did(rate.word)} ({rate.words}){_per(plan)}, in percent"
    group = plan.group_label
    if plan.group_join and plan.group_join[0].many:
        each = f"each counts for every {group} it was in" if rate.credit == "each" else ""
        text += f"; {each or f'each counts for the {rate.credit} {group} it was in'}"
        text += f", those in no {group} are left out"
        if rate.touched and rate.happened:
            text += f", and {an(group)} after it {rate.word} does not count"
    if rate.minimum:
        text += f"; {an(group)} of fewer than {rate.minimum:,} {plan.noun} is shown without a rate"
    return text


def last_words(plan: Plan, notes: Sequence[str], *, changed: bool) -> str:
    """The end of a turn: where the script is, what to do next."""
    parts = [f"The script `{plan.name}` is {'changed' if changed else 'ready'}.", *notes]
    parts.append(f"Run its cell (or `%integration {plan.name}`) to see a preview.")
    parts.append("Nothing is written before you approve." if plan.target else "It only reads.")
    return " ".join(parts)

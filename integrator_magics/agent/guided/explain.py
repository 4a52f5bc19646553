"""A plan in business words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from .plan import Plan
from .windows import MONTH_NAMES
from .words import singular

__all__ = ["and_list", "explanation", "last_words", "spoken_date", "summary"]

_FORMATS = {"csv": "CSV", "json": "JSON", "jsonl": "JSON lines", "parquet": "Parquet"}


def and_list(words: Sequence[str], link: str = "and") -> str:
    """ "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {link} {words[-1]}"


def spoken_date(day: date) -> str:
    """ "22 October 2026"."""
    return f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"


def _columns(plan: Plan) -> str:
    names = [column.label for column in plan.columns]
    if len(names) > 8:
        return f"{and_list(names[:6])} and {len(names) - 6} more columns".replace(
            f" and {names[5]} and", f", {names[5]} and"
        )
    return and_list(names)


def _which(plan: Plan) -> str:
    """ "leads of the last 30 days where Status is Open"."""
    text = plan.noun
    if plan.window_words:
        starts = ("in ", "on ", "since ", "until ", "before ", "older ", "created ", "updated ")
        text += f" {plan.window_words}" if plan.window_words.startswith(starts) else f" of {plan.window_words}"
    if plan.filters:
        text += f" where {and_list([condition.words for condition in plan.filters])}"
    return text


def summary(plan: Plan) -> str:
    """The docstring's paragraph."""
    parts = [f"Reads {_which(plan)}"]
    if plan.target:
        one = singular(plan.noun.split()[-1])
        parts.append(f"; adds new ones and updates known ones (same {plan.key_words}); never deletes.")
        if not plan.key_words:
            parts[-1] = f"; adds new ones and updates the {one} with the same {plan.key}; never deletes."
    elif plan.files:
        parts.append(
            f"; writes {and_list([_FORMATS[wish.format] for wish in plan.files])}; changes nothing in {plan.source.label}."
        )
    else:
        parts.append("; only reads.")
    if not plan.verified:
        parts.append(" Field names come from the standard schema and were not verified.")
    return "".join(parts)


def explanation(plan: Plan, today: date) -> list[str]:
    """What the script does, a line each."""
    count = ""
    if plan.count is not None:
        count = f" ({plan.count:,} now)"
    which = _which(plan)
    since = ""
    starts = [condition for condition in plan.window_filters if condition.op == ">="]
    if starts and plan.window_words.startswith("the last") and "days_ago(" in starts[0].code:
        from datetime import timedelta

        days = int(starts[0].code.split("days_ago(")[1].split(")")[0])
        since = f", that is since {spoken_date(today - timedelta(days=days))}"
    limit = f"at most {plan.limit:,} " if plan.limit else ""
    lines = [f"reads {limit}{which}{since} from {plan.source.label}{count},"]
    for step in plan.joins:
        if step.inner_of < 0:
            kept = (
                f"{plan.noun} without one are kept" if step.keep == "left" else f"{plan.noun} without one are left out"
            )
            lines.append(f"adds the {step.label} of each; {plan.noun} with several have a line for each, {kept},")
    if plan.measure:
        lines.append(f"{_measured(plan)},")
        lines.append("shows the result as a table; nothing is written.")
        return lines
    if plan.target:
        one = singular(plan.noun.split()[-1])
        where = f"the table {plan.table}" if plan.target.kind == "sql" else plan.table
        known = f"known ones (same {plan.key_words or plan.key}) are updated"
        lines.append(f"writes {_columns(plan)} to {where} in {plan.target.label}: new {plan.noun} are added, {known},")
        if plan.new_table:
            lines.append(f"makes that table first, as it is not there yet, with one row per {one},")
        elif plan.added_columns:
            many = "columns" if len(plan.added_columns) > 1 else "column"
            lines.append(f"adds the {many} {and_list(plan.added_columns)} to that table first,")
        lines.append("never deletes anything.")
    elif plan.files:
        files = and_list([f"{wish.name} ({_FORMATS[wish.format]})" for wish in plan.files])
        lines.append(f"writes {_columns(plan)} to {files} beside this notebook,")
        lines.append(f"changes nothing in {plan.source.label}.")
    else:
        lines.append(f"shows {_columns(plan)} as a table,")
        lines.append(f"changes nothing in {plan.source.label}.")
    return lines


def _measured(plan: Plan) -> str:
    per = f" per {plan.group[0]}" if plan.group else ""
    if not plan.of:
        return f"counts them{per}"
    return f"works out the {plan.measure} of {plan.of}{per}"


def last_words(plan: Plan, notes: Sequence[str], *, changed: bool) -> str:
    """The end of a turn: where the script is, what to do next."""
    verb = "is changed in" if changed else "is in"
    parts = [f"The script `{plan.name}` {verb} the cell below."]
    parts += notes
    parts.append("Run that cell to see a preview.")
    parts.append("Nothing is written before you approve." if plan.target else "It only reads.")
    return " ".join(parts)

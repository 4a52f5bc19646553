"""Each event as plain text lines: for terminals, executed notebooks and screen readers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any

from integrator_drivers.showing import bars

from ..events import (
    Answered,
    Asked,
    Decided,
    Ended,
    Event,
    Explained,
    Failed,
    Mapped,
    MappedField,
    Opened,
    Option,
    Previewed,
    Progress,
    Ran,
    Said,
    Step,
    Table,
    TargetCounts,
    Usage,
    Wrote,
)
from . import wording, words
from .story import Story

__all__ = ["lines", "table_lines", "transcript"]

WIDTH = 100
ROWS = 10
_MARKS = {"done": "v", "running": ".", "failed": "x"}


def transcript(events: Iterable[Event]) -> str:
    """The whole dialog as text, without the code of an approval: what is saved must not be able to approve."""
    story = Story(events)
    decided = {entry.name for entry in story.entries if isinstance(entry, Decided)}
    entries = [
        replace(entry, code="", needs_decision=entry.needs_decision and entry.name not in decided)
        if isinstance(entry, Previewed)
        else entry
        for entry in story.entries
    ]
    found = [line for entry in entries for line in lines(entry)]
    if story.usage:
        found += lines(story.usage)
    return "\n".join(found)


@singledispatch
def lines(event: Event) -> list[str]:
    """The event as lines of at most about 100 characters, without a trailing newline."""
    return [type(event).__name__]


def _wrap(text: str, indent: str = "   ", first: str = "") -> list[str]:
    """Paragraphs wrapped to WIDTH; `first` marks the first line."""
    found: list[str] = []
    for paragraph in words.clean(text).split("\n"):
        found += textwrap.wrap(paragraph, WIDTH, initial_indent=indent, subsequent_indent=indent) or [""]
    if first and found:
        found[0] = first + found[0][len(first) :]
    return found


def _columns(rows: Sequence[Sequence[str]], right: Iterable[int] = (), indent: str = "  ") -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    numbers = set(right)
    shown = []
    for row in rows:
        cells = [c.rjust(w) if at in numbers else c.ljust(w) for at, (c, w) in enumerate(zip(row, widths, strict=True))]
        shown.append((indent + "   ".join(cells)).rstrip())
    return shown


def table_lines(table: Table, indent: str = "     ") -> list[str]:
    """The first rows of a table, columns aligned, with a note of how many there are."""
    rows = table.rows[:ROWS]
    found = [f"{indent}{wording.table_note(table, len(rows))}"]
    if not rows or not table.columns:
        return found
    body = [[_cell(row.get(name)) for name in table.columns] for row in rows]
    numeric = [
        at
        for at, name in enumerate(table.columns)
        if all(isinstance(row.get(name), (int, float)) or row.get(name) is None for row in rows)
    ]
    found += _columns([[words.clip(name, 30) for name in table.columns], *body], numeric, indent)
    if table.chart in table.columns:
        drawn = [(_cell(row.get(table.columns[0])), row.get(table.chart)) for row in rows]
        found += ["", *(indent + line for line in bars(drawn))]
    return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return words.number(value) if isinstance(value, (int, float)) else words.clip(value, 30)


@lines.register
def _(event: Opened) -> list[str]:
    return [wording.opened_line(event)]


@lines.register
def _(event: Said) -> list[str]:
    return _wrap(event.text)


@lines.register
def _(event: Step) -> list[str]:
    time = words.duration(event.seconds) if event.seconds is not None else ""
    head = (
        f"{_MARKS.get(event.state, 'v')}  {words.clip(event.title, 40):<16}  {words.clip(event.detail, 120)}".rstrip()
    )
    if event.state == "running":
        head += " ..."
    found = [f"{head:<90}  {time:>8}".rstrip() if time else head]
    for table in event.tables:
        found += table_lines(table)
    return found


def _options(options: Sequence[Option]) -> list[str]:
    rows = [[f"{at}. {words.clip(option.label)}", words.clip(option.hint, 100)] for at, option in enumerate(options, 1)]
    return _columns(rows, indent="     ")


@lines.register
def _(event: Asked) -> list[str]:
    found = _wrap(event.question, first="?  ")
    found += _options(event.options)
    if event.options and event.free_text:
        found.append("   Answer with %answer NUMBER, or %answer and your own words.")
    elif event.options:
        found.append("   Answer with %answer NUMBER.")
    else:
        found.append("   Answer with %answer and your own words.")
    return found


@lines.register
def _(event: Mapped) -> list[str]:
    rows = [[words.clip(entry.field, 40), "->", words.clip(entry.column, 40), *_about(entry)] for entry in event.fields]
    return [f"   {words.clean(event.source)} -> {words.clean(event.target)}", *_columns(rows, indent="     ")]


def _about(entry: MappedField) -> list[str]:
    return [entry.type, "key" if entry.is_key else ""]


@lines.register
def _(event: Answered) -> list[str]:
    return _wrap(f"{wording.said_by(event):<15}  {event.text}", first="v  ")


@lines.register
def _(event: Wrote) -> list[str]:
    version = f", version {event.version}" if event.version > 1 else ""
    found = [f"i  Script {words.clean(event.name)}{version}   sha256 {words.short(event.sha256)}"]
    parts = [part for part in event.explanation.split("\n") if part.strip()]
    for at, part in enumerate(parts, 1):
        found += _wrap(f"{at}. {part}" if len(parts) > 1 else part, indent="     ")
    if event.diff:
        found += [f"     {line}" for line in words.clean(event.diff).splitlines()]
    return found


@lines.register
def _(event: Explained) -> list[str]:
    found = [f"i  The script {words.clean(event.name)}"]
    for at, line in enumerate(event.lines, 1):
        found += _wrap(f"{at}. {line}", indent="     ")
    if event.next_runs:
        found.append("   Next runs")
        found += [f"     {words.clean(run)}" for run in event.next_runs]
    return found


def _target_notes(target: TargetCounts, *, would: bool, several: bool = False) -> list[str]:
    found = []
    if target.changes and would:
        found.append(f"  {wording.changed_line(target)}")
        found += [f"      {line}" for change in target.changes for line in words.clean(change).splitlines()]
    if target.differences and would:
        found.append("  First differences")
        rows = [wording.DIFFERENCE_COLUMNS, *map(wording.difference_row, target.differences[:5])]
        found += _columns(rows, indent="      ")
    found += [f"  {line}" for line in wording.target_lines(target)]
    if target.reject:
        found.append(f"  {wording.reject_summary(target, would)}")
        found += [f"      {wording.reject_line(entry)}" for entry in target.rejects[:3]]
    if several and found and not (target.changes and would):
        found.insert(0, f"  {wording.target_name(target)}")
    return found


def _results(answers: list[str], tables: list[Table], files: list[dict[str, Any]]) -> list[str]:
    found = [f"  {line.strip()}" for answer in answers for line in _wrap(words.clean(answer))]
    found += [line for table in tables for line in table_lines(table, "  ")]
    return found + [f"  file   {wording.file_line(entry)}" for entry in files]


@lines.register
def _(event: Previewed) -> list[str]:
    found = [f"Preview of {words.clean(event.name)}        {wording.preview_title(event)}"]
    if event.targets:
        rows = [["target", *wording.PREVIEW_COLUMNS]]
        rows += [[wording.target_name(target), *wording.preview_row(target)] for target in event.targets]
        found += _columns(rows, range(1, 6))
        several = len(event.targets) > 1
        found += [line for target in event.targets for line in _target_notes(target, would=True, several=several)]
    if event.writes:
        found += [line for note in wording.scope_lines(event) for line in _wrap(note, indent="  ")]
    found += _results(event.answers, event.tables, event.files)
    name = words.clean(event.name)
    if event.needs_decision and event.writes:
        found += [
            "",
            f"  {wording.write_question(event)}",
            f"  {wording.approve_magic(event)}   or   %reject {name} REASON",
        ]
        if event.first:
            found.append(f"  {wording.approve_magic(event)} --first {event.first}   writes so many rows and asks again")
        found.append(f"  {wording.validity(event)}")
    elif event.needs_decision:
        found += ["", "  Does this look right?", f"  {wording.approve_magic(event)}   or   %reject {name} REASON"]
    elif event.writes:
        found.append(f"  {wording.write_question(event)}")
    return found


@lines.register
def _(event: Decided) -> list[str]:
    verb, mark = wording.approved_line(event), "v" if event.approved else "x"
    reason = f": {words.clean(event.reason)}" if event.reason else ""
    return [f"{mark}  {verb} by {words.clean(event.person)}, {words.moment(event.at)}{reason}"]


@lines.register
def _(event: Progress) -> list[str]:
    bar = ""
    if event.total:
        filled = min(22, round(22 * event.done / event.total))
        bar = "#" * filled + "-" * (22 - filled) + "  "
    return [f"{words.clean(event.label)}   {bar}{wording.progress_line(event)}"]


@lines.register
def _(event: Ran) -> list[str]:
    found = [f"v  {wording.receipt_title(event)}    {words.clean(event.name)}"]
    for target in event.targets:
        found.append(f"   {wording.target_name(target)}: {wording.receipt_line(target)}")
        found += _target_notes(target, would=False)
    found += _results(event.answers, event.tables, event.files)
    for note in event.notes:
        found += _wrap(words.clean(note))
    whole = "log whole" if event.audit_whole else "LOG BROKEN, see %audit verify"
    by = (
        f"approved by {words.clean(event.approved_by)}, {words.clock(event.approved_at)}   ·   "
        if event.approved_by
        else ""
    )
    found.append(f"   {by}audit record {words.number(event.audit_record)}, {whole}")
    found.append(f"   {wording.receipt_next(event)}")
    return found


@lines.register
def _(event: Failed) -> list[str]:
    found = _wrap(" ".join(wording.failure_lines(event)), first="x  ")
    if event.options:
        found += _options(event.options)
        found.append("   Answer with %answer NUMBER.")
    if event.detail:
        found += [f"     {line}" for line in words.clean(event.detail).splitlines()]
    return found


@lines.register
def _(event: Usage) -> list[str]:
    return [line] if (line := wording.usage_line(event)) else []


@lines.register
def _(event: Ended) -> list[str]:
    if event.text:
        return _wrap(event.text)
    return [] if event.state == "done" else [f"   The dialog was {event.state}."]

"""Each event as static, escaped HTML in JupyterLab's theme: the saved notebook reads as a report without a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import singledispatch
from html import escape as _escape
from typing import Any

from ..events import (
    Answered,
    Asked,
    Decided,
    Ended,
    Event,
    Explained,
    Failed,
    Mapped,
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
from .bars import bar_chart
from .story import Story
from .theme import style

__all__ = [
    "code_block",
    "details",
    "escape",
    "fragment",
    "html",
    "inline",
    "mapping_head",
    "page",
    "paragraphs",
    "preview_body",
    "settled_preview",
    "table_html",
    "transcript",
]

ROWS = 10
SHORT = 24  # characters that are not broken over lines: ids, phone numbers, dates
_ICONS = {"done": ("✓", "done"), "running": ("…", "under way"), "failed": ("✕", "failed")}


def escape(text: object) -> str:
    """Text from outside as HTML text: escaped, control characters visible."""
    return _escape(words.clean(text), quote=True)


def transcript(events: Iterable[Event], identity: str = "") -> str:
    """The whole dialog; `identity` lets it step aside while the live dialog of that identity is in the page."""
    story = Story(events)
    body = "".join(fragment(entry) for entry in story.entries)
    if story.usage:
        body += fragment(story.usage)
    return page(body, f"ig-saved ig-saved-{escape(identity)}" if identity else "ig-saved", identity)


def html(event: Event) -> str:
    """One event on its own, with the style it needs; "" where there is nothing to say."""
    body = fragment(event)
    return page(body) if body else ""


def page(body: str, classes: str = "", identity: str = "") -> str:
    """A fragment with the style it needs."""
    return f'{style(identity)}<div class="ig-dialog {classes}" role="group" aria-label="Integrator">{body}</div>'


def _card(icon: str, word: str, body: str, kind: str = "") -> str:
    """A card with an icon, whose meaning is also there as a word for screen readers."""
    return (
        f'<div class="ig-card ig-{kind or "plain"}"><span class="ig-icon" aria-hidden="true">{icon}</span> '
        f'<span class="ig-word">{word}</span> <div class="ig-body">{body}</div></div>'
    )


def paragraphs(text: object) -> str:
    """Each line of a text as a paragraph; `words` between backticks as code."""
    return "".join(f"<p>{inline(part)}</p>" for part in words.clean(text).split("\n") if part.strip())


def inline(text: object) -> str:
    """Text with `words` between backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(text))


def _list(items: Iterable[str], tag: str = "ul") -> str:
    inner = "".join(f"<li>{item}</li>" for item in items)
    return f"<{tag}>{inner}</{tag}>" if inner else ""


def code_block(code: str, language: str = "") -> str:
    """Code as it is, in a box that scrolls and can be reached by keyboard."""
    if language == "diff":
        shown = "\n".join(f'<span class="ig-{_diff_kind(line)}">{escape(line)}</span>' for line in code.splitlines())
    else:
        shown = escape(code)
    return f'<pre class="ig-code" tabindex="0">{shown}</pre>'


def _diff_kind(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "diff-head"
    return {"+": "added", "-": "removed"}.get(line[:1], "same")


def table_html(columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    """A table; numbers stand on the right."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="ig-scroll" tabindex="0"><table class="ig-table">{top}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: Any) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, (int, float)):
        return f'<td class="ig-number">{words.number(value)}</td>'
    text = words.clip(value, 120)
    short = ' class="ig-short"' if len(text) <= SHORT else ""
    return f"<td{short}>{escape(text)}</td>"


def _table(table: Table) -> str:
    rows = [[row.get(name) for name in table.columns] for row in table.rows[:ROWS]]
    note = wording.table_note(Table(table.name, table.columns, table.rows[:ROWS], table.count))
    if not rows:
        return f"<p>{escape(note)}</p>"
    drawn = bar_chart(table) if table.chart in table.columns else ""
    return drawn + table_html(table.columns, rows, note)


def details(summary: str, body: str, line: bool = False) -> str:
    """A part that opens on demand. `line`: the summary is a whole line, with the mark at its end."""
    kind = ' class="ig-more"' if line else ""
    return f"<details{kind}><summary>{summary}</summary>{body}</details>"


@singledispatch
def fragment(event: Event) -> str:
    """The event as an HTML fragment without style; "" where there is nothing to say."""
    return ""


@fragment.register
def _(event: Opened) -> str:
    return f'<div class="ig-head">{escape(wording.opened_line(event))}</div>'


@fragment.register
def _(event: Said) -> str:
    return f'<div class="ig-said">{paragraphs(event.text)}</div>'


def step_line(event: Step) -> str:
    """Title, detail and time of a step on one line."""
    time = f'<span class="ig-time">{words.duration(event.seconds)}</span>' if event.seconds is not None else ""
    return (
        f'<span class="ig-title">{escape(event.title)}</span>'
        f'<span class="ig-detail">{escape(event.detail)}</span>{time}'
    )


@fragment.register
def _(event: Step) -> str:
    icon, word = _ICONS.get(event.state, _ICONS["done"])
    line = f'<span class="ig-line">{step_line(event)}</span>'
    more = "".join(_table(table) for table in event.tables)
    if event.code:
        more = code_block(event.code) + more
    return _card(icon, word, details(line, more, line=True) if more else line, "step")


def _options(options: list[Option]) -> str:
    def one(option: Option) -> str:
        hint = f' <span class="ig-detail">{escape(option.hint)}</span>' if option.hint else ""
        return f"{escape(option.label)}{hint}"

    return _list([one(option) for option in options], "ol")


@fragment.register
def _(event: Asked) -> str:
    return _card("?", "question", paragraphs(event.question) + _options(event.options), "asked")


@fragment.register
def _(event: Answered) -> str:
    title = f'<span class="ig-title">{wording.said_by(event)}</span>'
    line = f'{title}<span class="ig-detail ig-own">{escape(event.text)}</span>'
    return _card("✓", "answered", f'<span class="ig-line">{line}</span>', "step")


def mapping_head(event: Mapped) -> str:
    """One line about a mapping, above the live table."""
    return _card("→", "mapping", f'<span class="ig-line">{_mapping_line(event)}</span>', "step")


def _mapping_line(event: Mapped) -> str:
    detail = f"{event.source} → {event.target}: {words.count(len(event.fields), 'field')}"
    return f'<span class="ig-title">What goes where</span><span class="ig-detail">{escape(detail)}</span>'


@fragment.register
def _(event: Mapped) -> str:
    rows = [
        [entry.field, entry.label, entry.type, entry.column, "key" if entry.is_key else ""] for entry in event.fields
    ]
    table = table_html(["field", "label", "type", "goes into", ""], rows)
    return _card(
        "→", "mapping", details(f'<span class="ig-line">{_mapping_line(event)}</span>', table, line=True), "step"
    )


@fragment.register
def _(event: Wrote) -> str:
    version = f", version {event.version}" if event.version > 1 else ""
    line = (
        f'<span class="ig-line"><span class="ig-title">Script</span><span class="ig-detail">'
        f"<code>{escape(event.name)}</code>{version}, sha256 {escape(words.short(event.sha256))}</span></span>"
    )
    body = details(line, code_block(event.code), line=True) + _explanation(event.explanation)
    if event.diff:
        body += "<p>What changes</p>" + code_block(event.diff, "diff")
    return _card("✓", "script", body, "wrote")


def _explanation(text: str) -> str:
    parts = [part for part in text.split("\n") if part.strip()]
    return _list((inline(part) for part in parts), "ol") if len(parts) > 1 else paragraphs(text)


@fragment.register
def _(event: Explained) -> str:
    body = f"<p>The script <code>{escape(event.name)}</code></p>" + _list((inline(line) for line in event.lines), "ol")
    if event.next_runs:
        body += "<p>Next runs</p>" + _list(escape(run) for run in event.next_runs)
    return _card("i", "plan", body, "plan")


def _target_notes(target: TargetCounts, *, would: bool, several: bool = False) -> str:
    found = ""
    if target.changes and would:
        found += f"<p>{escape(wording.changed_line(target))}</p>" + code_block("\n".join(target.changes))
    if target.differences and would:
        found += _differences(target)
    found += "".join(f"<p>{escape(line)}</p>" for line in wording.target_lines(target))
    if target.reject:
        found += f"<p>{escape(wording.reject_summary(target, would))}</p>"
        found += _list(escape(wording.reject_line(entry)) for entry in target.rejects[:5])
    if several and found and not (target.changes and would):
        found = f'<p class="ig-title">{escape(wording.target_name(target))}</p>{found}'
    return found


def _differences(target: TargetCounts) -> str:
    """The first values that change, side by side."""
    head = "".join(f'<th scope="col">{name}</th>' for name in wording.DIFFERENCE_COLUMNS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in wording.difference_row(entry)) + "</tr>"
        for entry in target.differences[:5]
    )
    return (
        '<div class="ig-scroll" tabindex="0"><table class="ig-table"><caption>First differences</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def preview_table(event: Previewed) -> str:
    """Counts by target."""
    rows = [[wording.target_name(target), *wording.preview_row(target)] for target in event.targets]
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="ig-number">{escape(value)}</td>' for value in row[1:])
        + "</tr>"
        for row in rows
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("target", *wording.PREVIEW_COLUMNS))
    return (
        '<div class="ig-scroll" tabindex="0"><table class="ig-table ig-counts">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def preview_body(event: Previewed) -> str:
    """A preview without the question at its end."""
    body = (
        f'<p><span class="ig-title">Preview of <code>{escape(event.name)}</code></span> '
        f'<span class="ig-detail">{escape(wording.preview_title(event))}</span></p>'
    )
    if event.targets:
        several = len(event.targets) > 1
        body += preview_table(event)
        body += "".join(_target_notes(target, would=True, several=several) for target in event.targets)
    if event.writes:
        body += _list(f'<span class="ig-detail">{escape(line)}</span>' for line in wording.scope_lines(event))
    return body + _results(event.answers, event.tables, event.files)


def _results(answers: list[str], tables: list[Table], files: list[dict[str, Any]]) -> str:
    said = "".join(f'<div class="ig-answer">{paragraphs(answer)}</div>' for answer in answers)
    return (
        said + "".join(_table(table) for table in tables) + _list(escape(wording.file_line(entry)) for entry in files)
    )


def settled_preview(event: Previewed) -> str:
    """A preview that was decided on: one line, which opens."""
    line = (
        f'<span class="ig-line"><span class="ig-title">Preview</span>'
        f'<span class="ig-detail">{escape(wording.preview_line(event))}</span></span>'
    )
    return _card("✓", "preview", details(line, preview_body(event), line=True), "step")


@fragment.register
def _(event: Previewed) -> str:
    body = preview_body(event)
    if event.needs_decision:
        # No code here: what lies in a saved notebook must not be able to approve.
        question = wording.write_question(event) if event.writes else "Does this look right?"
        if event.script:
            body += details("The script that would run, whole", code_block(event.script))
        body += f'<p class="ig-question">{escape(question)}</p>'
        body += f'<p class="ig-detail">{escape(wording.validity(event))}</p>' if event.writes else ""
    elif event.writes:
        body += f"<p>{escape(wording.write_question(event))}</p>"
    return _card("?" if event.needs_decision else "✓", "preview", body, "preview")


@fragment.register
def _(event: Decided) -> str:
    icon, word = "✓" if event.approved else "✕", wording.approved_line(event)
    reason = f": {escape(event.reason)}" if event.reason else ""
    line = f'<span class="ig-title">{word}</span><span class="ig-detail">by {escape(event.person)}, '
    line += f"{escape(words.moment(event.at))}{reason}</span>"
    return _card(icon, word.lower(), f'<span class="ig-line">{line}</span>', "step")


@fragment.register
def _(event: Progress) -> str:
    value = f' value="{event.done}" max="{event.total}"' if event.total else ""
    label = escape(event.label)
    return (
        f'<div class="ig-progress"><span>{label}</span> <progress{value} aria-label="{label}"></progress> '
        f'<span class="ig-detail">{escape(wording.progress_line(event))}</span></div>'
    )


@fragment.register
def _(event: Ran) -> str:
    title = f'<span class="ig-title">{escape(wording.receipt_title(event))}</span> <code>{escape(event.name)}</code>'
    body = f"<p>{title}</p>"
    for target in event.targets:
        body += f"<p>{escape(wording.target_name(target))}: {escape(wording.receipt_line(target))}</p>"
        body += _target_notes(target, would=False)
    body += _results(event.answers, event.tables, event.files)
    body += "".join(paragraphs(note) for note in event.notes)
    approved = f"approved by {event.approved_by}, {words.moment(event.approved_at)}  ·  " if event.approved_by else ""
    whole = "log whole" if event.audit_whole else "LOG BROKEN, see %audit verify"
    record = f"{approved}audit record {words.number(event.audit_record)}, {whole}"
    after = f'<p class="ig-detail">{escape(record)}</p><p class="ig-detail">{inline(wording.receipt_next(event))}</p>'
    return _card("✓", "done", body + after, "ran")


@fragment.register
def _(event: Failed) -> str:
    what, *rest = wording.failure_lines(event)
    body = f'<p class="ig-title">{inline(what)}</p>' + "".join(paragraphs(line) for line in rest)
    body += _options(event.options)
    if event.detail:
        body += details("Details", code_block(event.detail))
    return _card("✕", "failed", body, "failed")


@fragment.register
def _(event: Usage) -> str:
    line = wording.usage_line(event)
    return f'<div class="ig-usage">{escape(line)}</div>' if line else ""


@fragment.register
def _(event: Ended) -> str:
    if event.text:
        return f'<div class="ig-said">{paragraphs(event.text)}</div>'
    return "" if event.state == "done" else f'<div class="ig-usage">The dialog was {escape(event.state)}.</div>'

"""The sentences of events, shared by plain text, HTML and widgets."""

from __future__ import annotations

from ..events import Answered, Decided, Failed, Opened, Previewed, Progress, Ran, Table, TargetCounts, Usage
from . import words

__all__ = [
    "DIFFERENCE_COLUMNS",
    "PREVIEW_COLUMNS",
    "approve_label",
    "approve_magic",
    "approved_line",
    "changed_line",
    "difference_row",
    "failure_lines",
    "file_line",
    "first_label",
    "opened_line",
    "preview_line",
    "preview_row",
    "preview_title",
    "progress_line",
    "receipt_line",
    "receipt_next",
    "receipt_title",
    "reject_line",
    "reject_summary",
    "rows_to_write",
    "said_by",
    "scope_lines",
    "system_label",
    "table_note",
    "target_lines",
    "target_name",
    "usage_line",
    "validity",
    "write_question",
]

PREVIEW_COLUMNS = ["add", "update", "unchanged", "reject", "delete"]
DIFFERENCE_COLUMNS = ["row", "field", "now", "after the run"]


def system_label(system: str) -> str:
    """The name people know a system by; the text itself where no driver has that name."""
    from integrator_drivers import registry

    entry = registry.manifests().get(system)
    return entry.label if entry else words.clean(system)


def target_name(target: TargetCounts) -> str:
    """ "PostgreSQL demo / public.leads", without the database or organisation where it is not known."""
    where = f"{words.clean(target.environment)} / " if target.environment else ""
    return f"{system_label(target.system)} {where}{words.clean(target.object)}".strip()


def opened_line(event: Opened) -> str:
    """What runs the dialog and where: "Integrator · guided mode · sandbox: embedded (full)"."""
    parts = ["Integrator", words.clean(event.mode)]
    if event.sandbox:
        parts.append(f"sandbox: {words.clean(event.sandbox)}")
    return "  ·  ".join(part for part in parts if part)


def said_by(event: Answered) -> str:
    """How a line begins that tells what the user said."""
    return "You asked for" if event.unasked else "You answered"


def rows_to_write(event: Previewed) -> int:
    """Rows that the run would add or update, over all targets."""
    return sum(target.add + target.update for target in event.targets)


def preview_title(event: Previewed) -> str:
    """ "read-only run, 0.9 s, embedded sandbox"."""
    name, bracket, level = words.clean(event.sandbox).partition(" (")
    where = name if not name or "sandbox" in name else f"{name} sandbox"
    where += bracket + level
    run = "what is left, read-only run" if event.rest else "read-only run"
    return ", ".join(part for part in (run, words.duration(event.seconds), where) if part)


def preview_line(event: Previewed) -> str:
    """ "380 to add, 32 to update, 2 to reject" of all targets together; rows and files of a script that only reads."""
    counts = {"add": 0, "update": 0, "reject": 0}
    for target in event.targets:
        for name in counts:
            counts[name] += getattr(target, name)
    if event.targets:
        return ", ".join(f"{words.number(value)} to {name}" for name, value in counts.items())
    found = [words.count(table.count, "row") for table in event.tables] + [file_line(entry) for entry in event.files]
    return ", ".join(found) or "nothing to show"


def preview_row(target: TargetCounts) -> list[str]:
    """The counts of one target in the order of PREVIEW_COLUMNS."""
    counts = [target.add, target.update, target.unchanged, target.reject]
    return [*(words.number(value) for value in counts), "never"]


def write_question(event: Previewed) -> str:
    """ "Write 412 rows to PostgreSQL public.leads?"; several targets are named one by one."""
    targets = [target for target in event.targets if target.add + target.update]
    rows = rows_to_write(event)
    if not targets:
        places = words.join_words([target_name(target) for target in event.targets if target.changes])
        return f"Change {places} without writing rows?" if places else "There is nothing to write."
    if len(targets) == 1:
        return f"Write {words.count(rows, 'row')} to {target_name(targets[0])}?"
    parts = [f"{words.number(target.add + target.update)} to {target_name(target)}" for target in targets]
    return f"Write {words.count(rows, 'row')}: {words.join_words(parts)}?"


def approve_label(event: Previewed) -> str:
    """The words on the button: they name rows and system."""
    if not rows_to_write(event) and not any(target.changes for target in event.targets):
        return "Run it, with 0 rows to write"
    systems = list(dict.fromkeys(system_label(t.system) for t in event.targets if t.add + t.update or t.changes))
    rows = rows_to_write(event)
    act = f"writing {words.count(rows, 'row')}" if rows else "this change"
    return f"Approve {act} to {words.join_words(systems)}" if systems else f"Approve {act}"


def first_label(event: Previewed) -> str:
    """The words on the button beside it."""
    return f"Write the first {words.count(event.first, 'row')}, let me look, then the rest"


def approved_line(event: Decided) -> str:
    """ "Approved", "Approved the first 10 rows" or "Rejected"."""
    if not event.approved:
        return "Rejected"
    return f"Approved the first {words.count(event.first, 'row')}" if event.first else "Approved"


def _irreversible(event: Previewed) -> list[str]:
    """What can't be taken back once it is approved, a sentence each."""
    added = sum(target.add for target in event.targets if target.operation != "send")
    updated = sum(target.update for target in event.targets)
    sent = sum(target.add for target in event.targets if target.operation == "send")
    found = []
    if sent:
        found.append(f"{words.count(sent, 'message')} can't be called back once sent.")
    if added:
        found.append(f"{words.count(added, 'row')} are added and stay: this product never deletes.")
    if updated:
        found.append(
            f"{words.count(updated, 'row')} get new values; the old ones are kept nowhere but in this preview."
        )
    if any(target.changes for target in event.targets):
        found.append("Tables and columns that are made stay.")
    return found


def _columns_line(target: TargetCounts) -> str:
    """ "id (key), name, email"; what does not fit is counted."""
    named = [f"{name} (key)" if name == target.key else name for name in map(words.clean, target.columns)]
    return words.clip(", ".join(named), 300)


def scope_lines(event: Previewed) -> list[str]:
    """With whose rights, which columns, and what can't be taken back."""
    rights = [f"With the rights of {words.join_words([words.clean(entry) for entry in event.systems])}."]
    columns = [f"{target_name(target)}: {_columns_line(target)}" for target in event.targets if target.columns]
    return [*(rights if event.systems else []), *columns, *_irreversible(event)]


def approve_magic(event: Previewed) -> str:
    """What to type instead of pressing the button."""
    return f"%approve {event.name} {event.code}".strip()


def validity(event: Previewed) -> str:
    """What an approval covers and until when."""
    until = f", until {words.clock(event.expires)}" if event.expires else ""
    return f"valid for exactly this script (sha256 {words.short(event.sha256)}), this target, once{until}"


def difference_row(entry: dict[str, object]) -> list[str]:
    """One difference in the order of DIFFERENCE_COLUMNS: which row, which field, its value now and after the run."""
    field = words.clip(entry.get("column") or entry.get("field") or "")
    key = entry.get("key")
    return [words.clip("" if key is None else key, 36), field, _value(entry.get("old")), _value(entry.get("new"))]


def _value(value: object) -> str:
    return "empty" if value is None or value == "" else words.clip(value, 40)


def reject_line(entry: dict[str, object]) -> str:
    """One rejected row: the reason, then what identifies the row."""
    reason = words.clip(entry.get("reason") or "no reason given", 120)
    record = entry.get("record")
    rest = record if isinstance(record, dict) else {k: v for k, v in entry.items() if k != "reason"}
    shown = ", ".join(f"{words.clip(k)}: {_value(v)}" for k, v in list(rest.items())[:3])
    return f'"{reason}" ({shown})' if shown else f'"{reason}"'


def reject_summary(target: TargetCounts, would: bool = True) -> str:
    """ "77 rows would be rejected: 75 no value in the key email, 2 name longer than 100 characters"."""
    verb = "would be rejected" if would else ("was rejected" if target.reject == 1 else "were rejected")
    line = f"{words.count(target.reject, 'row')} {verb}"
    if len(target.reasons) < 2:
        return line
    parts = [f"{words.number(count)} {words.clip(reason)}" for reason, count in target.reasons.items()]
    shown = parts if len(parts) < 5 else [*parts[:3], f"{len(parts) - 3} more reasons"]
    return f"{line}: {', '.join(shown)}"


_POLICIES = {
    "target": "kept as they are (conflict: target)",
    "newest": "kept, since they are newer (conflict: newest)",
    "ask": 'not written; say conflict="source" or "target" in the script to decide (conflict: ask)',
}


def target_lines(target: TargetCounts) -> list[str]:
    """What else there is to say of one target: not finished, rows with a repeated key, deletions."""
    found = [f"not finished: {words.clean(target.failed)}"] if target.failed else []
    if target.duplicates:
        rows = f"{words.count(target.duplicates, 'row')} {'has' if target.duplicates == 1 else 'have'}"
        which = f"the newest by {words.clip(target.newest)}" if target.newest else "the first"
        keys = ", ".join(_value(key) for key in target.repeated[:3])
        more = ", ..." if len(target.repeated) > 3 or target.duplicates > len(target.repeated) else ""
        found.append(f"{rows} the same {words.clip(target.key)} as another; {which} counts ({keys}{more})")
    if target.kept:
        rows = f"{words.count(target.kept, 'row')} {'was' if target.kept == 1 else 'were'} changed there"
        found.append(f"{rows} since the last run and {_POLICIES.get(target.conflict, target.conflict)}")
        for entry in target.conflicts[:5]:
            key, field, old, new = difference_row(entry)
            found.append(f"  {key}: {field} is {old} there, {new} in the source")
    if target.deleted:
        found.append(f"{words.count(target.deleted, 'row')} marked as deleted in the source; nothing was removed")
    if target.cursor:
        before = f"after {words.moment(target.watermark_before)}" if target.watermark_before else "from the beginning"
        reached = f"; next time from {words.moment(target.watermark_after)}" if target.watermark_after else ""
        found.append(f"read {before} by {words.clip(target.cursor)}{reached}")
    return found


def changed_line(target: TargetCounts) -> str:
    """Who tells what happens to the table itself."""
    return f"{target_name(target)} is changed first"


def file_line(entry: dict[str, object]) -> str:
    """ "leads.csv  412 rows, 30 kB"."""
    facts = []
    if isinstance(rows := entry.get("rows"), int):
        facts.append(words.count(rows, "row"))
    if isinstance(amount := entry.get("bytes"), int):
        facts.append(words.size(amount))
    return f"{words.clean(entry.get('path', ''))}  {', '.join(facts)}".rstrip()


def table_note(table: Table, shown: int | None = None) -> str:
    """ "salesforce.Lead: 1,240 rows, the first 10 are shown"."""
    note = f"{words.clean(table.name)}: {words.count(table.count, 'row')}"
    shown = len(table.rows) if shown is None else shown
    return f"{note}, the first {words.number(shown)} are shown" if 0 < shown < table.count else note


def progress_line(event: Progress) -> str:
    """ "260 of 412 rows   1,900 rows/s   under 1 s left"."""
    if event.total is None:
        parts = [words.count(event.done, "row")]
    else:
        parts = [f"{words.number(event.done)} of {words.count(event.total, 'row')}"]
    if event.rate:
        parts.append(f"{words.number(round(event.rate))} rows/s")
        if event.total is not None and event.total > event.done:
            left = (event.total - event.done) / event.rate
            parts.append("under 1 s left" if left < 1 else f"about {words.duration(left)} left")
    return "   ".join(parts)


def receipt_title(event: Ran) -> str:
    """ "Done in 1.1 s"."""
    return f"Done in {words.duration(event.seconds)}"


def receipt_next(event: Ran) -> str:
    """What can be done from here."""
    name = words.clean(event.name)
    return f"next: `%export {name} {name}.py` writes it to a file; ask with `%%integrate` for changes or a schedule"


def receipt_line(target: TargetCounts) -> str:
    """ "source 414 = read 414 = 380 added + 32 updated + 0 unchanged + 2 rejected".

    Where the numbers don't add up it says "but" instead of "=".
    """
    whole = target.add + target.update + target.unchanged + target.reject + target.duplicates + target.kept
    parts = (
        f"{words.number(target.add)} added + {words.number(target.update)} updated"
        f" + {words.number(target.unchanged)} unchanged + {words.number(target.reject)} rejected"
    )
    if target.kept:
        parts += f" + {words.number(target.kept)} kept"
    if target.duplicates:
        parts += f" + {words.number(target.duplicates)} with a repeated key"
    line = f"read {words.number(target.read)} {'=' if whole == target.read else 'but'} {parts}"
    if target.source_count is None:
        return line
    sign = "=" if target.source_count == target.read else "but"
    return f"source {words.number(target.source_count)} {sign} {line}"


def failure_lines(event: Failed) -> list[str]:
    """What happened, what it means for the data, what to do next."""
    return [words.clean(part) for part in (event.what, event.meaning, event.next) if part]


def usage_line(event: Usage) -> str:
    """ "12,300 tokens in, 900 out, 0.05 USD of 2.00 USD"; nothing for a dialog without a model."""
    if not event.input_tokens and not event.output_tokens:
        return ""
    tokens = f"{words.number(event.input_tokens)} tokens in, {words.number(event.output_tokens)} out"
    if event.usd is None:
        return f"{tokens}, price not known"
    return f"{tokens}, {words.money(event.usd)} of {words.money(event.ceiling)}"

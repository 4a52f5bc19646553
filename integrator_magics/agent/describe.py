"""Discovery as text for a model: one line a field, cut to a budget, marked as data that is no instruction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["BUDGET", "ago", "clipped", "data", "fields_text", "objects_text", "rows_text", "sample_text"]

BUDGET = 11_500  # characters, about 2,900 tokens
VALUE = 200  # characters of one value
CHOICES = 6
EXAMPLES = 4
STANDARD = " (the vendor's standard schema, not verified at this system)"


def data(system: str, text: str) -> str:
    """Text from an outside system, so marked that it can't pass for an instruction or close its own mark."""
    harmless = re.sub(r"<\s*/?\s*data\b", "[data", text, flags=re.IGNORECASE)
    return f'<data system="{system}">\n{harmless}\n</data>'


def fields_text(system: str, obj: str, fields: dict[str, dict[str, Any]], *, verified: bool, about: str = "") -> str:
    """`Name text, "Full Name", may be empty, personal` a line. `about` keeps fields that hold one of its words."""
    head = f"{obj} in {system}: {len(fields)} fields"
    if not verified:
        head += STANDARD
    words = [word.casefold() for word in re.findall(r"\w+", about)]
    chosen = {
        name: field
        for name, field in fields.items()
        if not words or any(word in f"{name} {field.get('label', '')}".casefold() for word in words)
    }
    long = [_field(name, field, choices=CHOICES) for name, field in chosen.items()]
    if sum(map(len, long)) + len(long) > BUDGET:
        long = [_field(name, field, choices=0) for name, field in chosen.items()]
    if sum(map(len, long)) + len(long) > BUDGET:
        head += "; text where no type is said"
        long = [f"{name} {_short(field)}".removesuffix(" text") for name, field in chosen.items()]
    return data(system, "\n".join([head, *_cut(long, "call get_fields with `about` to see only fields about a word")]))


def objects_text(system: str, objects: list[dict[str, Any]], about: str = "", *, verified: bool = True) -> str:
    """One line an object: name, label, number of records."""
    words = [word.casefold() for word in re.findall(r"\w+", about)]
    lines = []
    for entry in objects:
        text = entry["name"]
        if entry.get("label") and entry["label"] != entry["name"]:
            text += f' "{entry["label"]}"'
        if entry.get("records") is not None:
            text += f", {entry['records']:,} records"
        if not words or any(word in f"{text} {entry.get('purpose', '')}".casefold() for word in words):
            lines.append(text)
    head = f"{len(objects)} objects in {system}" + ("" if verified else STANDARD)
    if words:
        head += f"; {len(lines)} about {about!r}"
    return data(system, "\n".join([head, *_cut(lines, "call list_objects with `about` to see only some")]))


def rows_text(system: str, name: str, rows: list[dict[str, Any]], count: int, budget: int = BUDGET) -> str:
    """Rows as lines of `field=value`, long values clipped; `budget` in characters."""
    lines = [", ".join(f"{key}={_clip(value)}" for key, value in row.items()) for row in rows]
    return data(
        system, "\n".join([f"{name}: {count:,} rows", *_cut(lines, "ask for fewer columns to see more rows", budget)])
    )


def sample_text(system: str, obj: str, rows: list[dict[str, Any]], filled: dict[str, float]) -> str:
    """`LeadSource 93 % full: Web, Event` a line, instead of the rows themselves."""
    lines, empty = [], []
    for name, share in filled.items():
        values = [_clip(row[name], 60) for row in rows if row.get(name) not in (None, "")]
        if not values:
            empty.append(name)
            continue
        examples = ", ".join(list(dict.fromkeys(values))[:EXAMPLES])
        lines.append(f"{name} {share:.0%} full: {examples}".replace("% full", " % full"))
    if empty:
        lines.append(f"empty in all of them: {', '.join(empty)}")
    head = f"{len(rows)} records of {obj} in {system}"
    return data(system, "\n".join([head, *_cut(lines, "use run_discovery to read only some fields")]))


def ago(seconds: float) -> str:
    """ "20 s ago", "3 min ago"."""
    return f"{seconds:.0f} s ago" if seconds < 60 else f"{seconds / 60:.0f} min ago"


def clipped(text: str) -> str:
    """The text, cut to the budget with a note."""
    return text if len(text) <= BUDGET else f"{text[:BUDGET]} ... ({len(text) - BUDGET:,} characters more)"


def _field(name: str, field: dict[str, Any], choices: int) -> str:
    label = field.get("label") or ""
    parts = [f"{name} {_short(field)}"]
    if label and label.replace(" ", "").casefold() != name.replace("_", "").casefold():
        parts.append(f'"{_clip(label, 60)}"')
    if field.get("primary_key"):
        parts.append("key")
    if field.get("references"):
        parts.append(f"-> {'/'.join(field['references'][:3])}")
    known = field.get("choices") or []
    if choices and known:
        parts.append("one of " + "|".join(map(str, known[:choices])) + ("|..." if len(known) > choices else ""))
    if field.get("personal"):
        parts.append("personal")
    return ", ".join(parts)


def _short(field: dict[str, Any]) -> str:
    return str(field["type"]) + ("" if field.get("nullable", True) else "!")


def _clip(value: Any, length: int = VALUE) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= length else f"{text[:length]}..."


def _cut(lines: Iterable[str], more: str, budget: int = BUDGET) -> list[str]:
    kept: list[str] = []
    used = 0
    lines = list(lines)
    for number, line in enumerate(lines):
        used += len(line) + 1
        if used > budget:
            return [*kept, f"... and {len(lines) - number:,} more; {more}"]
        kept.append(line)
    return kept

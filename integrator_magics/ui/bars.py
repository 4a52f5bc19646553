"""A table's numbers as a bar chart: SVG in the notebook's colours, everything in it escaped text."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import Any

from ..events import Table
from . import words

__all__ = ["bar_chart"]

_WIDTH, _LABELS, _NUMBERS, _LINE = 640, 210, 70, 22  # in pixels


def bar_chart(table: Table) -> str:
    """One bar for each shown row, as long as the number in the column `table.chart`; none where it is empty."""
    entries = [(row.get(table.columns[0]), _number(row.get(table.chart))) for row in table.rows]
    top = max((value for _, value in entries if value is not None and value > 0), default=0.0)
    if not top:
        return ""
    room = _WIDTH - _LABELS - _NUMBERS
    parts = []
    for place, (label, value) in enumerate(entries):
        y = place * _LINE
        said = words.number(value) if value is not None else "\u2013"
        length = max(1.0, room * value / top) if value is not None and value > 0 else 0.0
        name = escape(words.clip("" if label is None else str(label), 32))
        parts.append(f'<text x="{_LABELS - 8}" y="{y + 15}" text-anchor="end">{name}</text>')
        if length:
            parts.append(f'<rect x="{_LABELS}" y="{y + 4}" width="{length:.1f}" height="14" rx="2"/>')
        parts.append(f'<text x="{_LABELS + length + 6:.1f}" y="{y + 15}">{escape(said)}</text>')
    title = escape(words.clean(f"{table.chart} by {table.columns[0]}"))
    height = len(entries) * _LINE
    return (
        f'<svg class="ig-bars" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" '
        f'viewBox="0 0 {_WIDTH} {height}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value != value:
        return None
    return float(value)

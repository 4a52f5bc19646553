"""`show`: what a script wants a person to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice
from os import environ
from typing import Any

from .errors import FieldNotFoundError
from .records import Records
from .report import report

__all__ = ["bars", "show"]

SHOWN_ROWS = 20


def show(data: Any, name: str = "result", chart: str = "") -> None:
    """Show a table (Records, a DataFrame, a list of dicts: its first 20 rows and the number of all) or any value.

    A dict of dicts, such as what get_fields gives, is a table too, its keys in the column "name". `chart` names a
    column of numbers to draw as bars beside the first column; rows without a number there get no bar. A text is a
    sentence for the reader. Where nobody listens to the report, a short text goes to the terminal.
    """
    table = _table(data)
    if table is None:
        report("value", name=name, value=data)
        if not environ.get("INTEGRATOR_REPORT"):
            print(f"{name}: {data}")
        return
    columns, rows, count = table
    if chart and chart not in columns:
        raise FieldNotFoundError(f'There is no column "{chart}" to draw; there are {", ".join(columns)}.', columns)
    report("table", name=name, columns=columns, rows=rows, count=count, chart=chart)
    if not environ.get("INTEGRATOR_REPORT"):
        print(_as_text(name, columns, rows, count))
        for line in bars([(row.get(columns[0]), row.get(chart)) for row in rows]) if chart else ():
            print(line)


def bars(entries: Sequence[tuple[Any, Any]], width: int = 40) -> list[str]:
    """A line of text for each (label, number): "Web     ####  12"; entries without a number above 0 get no bar."""
    numbers = [float(value) for _, value in entries if _is_number(value)]
    top = max((value for value in numbers if value > 0), default=1.0)
    labels = [_cell(label) for label, _ in entries]
    wide = max(map(len, labels), default=0)
    lines = []
    for label, (_, value) in zip(labels, entries, strict=True):
        length = max(0, round(width * float(value) / top)) if _is_number(value) else 0
        said = f"{float(value):,.10g}" if _is_number(value) else "-"
        lines.append(f"{label:<{wide}}  {'#' * length}{' ' if length else ''}{said}")
    return lines


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value == value


def _table(data: Any) -> tuple[list[str], list[dict[str, Any]], int] | None:
    """Columns, first rows, number of all rows; None for what is no table."""
    if isinstance(data, Records):
        first, count = [], 0
        for row in data.rows():
            if count < SHOWN_ROWS:
                first.append(row)
            count += 1
        return list(data.fields), first, count
    if hasattr(data, "to_dict") and hasattr(data, "columns") and hasattr(data, "head"):  # a DataFrame
        head = data.head(SHOWN_ROWS)
        rows = [{str(column): _plain(value) for column, value in row.items()} for row in head.to_dict(orient="records")]
        return [str(column) for column in data.columns], rows, len(data)
    if isinstance(data, Mapping) and data and all(isinstance(value, Mapping) for value in data.values()):
        data = [{"name": key, **value} for key, value in data.items()]
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        columns = list(dict.fromkeys(str(column) for row in data for column in row))
        return columns, [dict(row) for row in islice(data, SHOWN_ROWS)], len(data)
    return None


def _plain(value: Any) -> Any:
    """A pandas value as plain data: missing is None, numpy numbers are numbers."""
    if value is None or (not isinstance(value, str | list | dict) and value != value):
        return None
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.item() if hasattr(value, "item") else value


def _as_text(name: str, columns: list[str], rows: list[dict[str, Any]], count: int) -> str:
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    lines = [f"{name}: {count:,} row{'' if count == 1 else 's'}"]
    for line in [columns, *cells]:
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if count > len(rows):
        lines.append(f"... {count - len(rows):,} more")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= 40 else text[:37] + "..."

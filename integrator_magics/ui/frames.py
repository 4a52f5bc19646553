"""Tables as pandas DataFrames: rows, field dictionaries, lists of objects; with a search box where widgets work."""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING, Any

from ..events import Table

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 200

__all__ = ["csv_link", "search_view", "to_frame"]


def to_frame(table: Table) -> pd.DataFrame:
    """The rows of a table, columns in its order. `attrs["count"]` is the whole number of rows."""
    import pandas as pd

    frame = pd.DataFrame.from_records(table.rows, columns=table.columns)
    for column in table.columns:
        values = [row.get(column) for row in table.rows]
        if None in values and all(value is None or type(value) is int for value in values):
            frame[column] = pd.array(values, dtype="Int64")  # a count that is not known is no 1240.0
    frame.attrs.update(name=table.name, count=table.count)
    return frame


def csv_link(table: Table) -> str:
    """A link that saves the rows as CSV; the file is in the link itself, so it works without a kernel.

    A text that a spreadsheet would take for a formula gets an apostrophe before it
    (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    from .html import escape

    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([_no_formula(name) for name in table.columns])
    writer.writerows([[_no_formula(row.get(name)) for name in table.columns] for row in table.rows])
    data = base64.b64encode(lines.getvalue().encode("utf-8-sig", "backslashreplace")).decode()
    name = escape(f"{table.name}.csv")
    return (
        f'<a class="ig-detail ig-csv" download="{name}" href="data:text/csv;base64,{data}" '
        f'title="Save these rows as {name}">CSV</a>'
    )


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def search_view(table: Table, height: str = "320px") -> Any:
    """A widget: the rows with a search box above them that keeps those in which any value contains the text."""
    import ipywidgets as W

    from . import words
    from .html import table_html

    box = W.Text(placeholder="search", layout=W.Layout(width="220px", margin="0 8px 0 0"))
    box.add_class("ig-search")
    count = W.HTML()
    shown = W.HTML(layout=W.Layout(max_height=height, width="auto", margin="0"))
    shown.add_class("ig-sheet")
    texts = [" ".join(str(value) for value in row.values()).casefold() for row in table.rows]

    def search(_: Any = None) -> None:
        wanted = box.value.strip().casefold()
        found = [row for row, text in zip(table.rows, texts, strict=True) if wanted in text]
        first = found[:SHOWN]
        note = words.count(len(found), "row")
        if wanted:
            note = f"{words.number(len(found))} of {words.count(len(table.rows), 'row')}"
        elif table.count > len(table.rows):
            note = f"the first {words.number(len(table.rows))} of {words.count(table.count, 'row')}"
        if len(found) > len(first):
            note += f", {SHOWN} of them shown"
        count.value = f'<span class="ig-detail">{note}</span>'
        shown.value = table_html(table.columns, [[row.get(name) for name in table.columns] for row in first])

    box.observe(search, "value")
    search()
    link = W.HTML(csv_link(table))
    head = W.HBox([box, count, link] if len(table.rows) > 8 else [count, link])
    return W.VBox([head, shown], layout=W.Layout(width="100%"))

"""Tables as pandas DataFrames: rows, field dictionaries, lists of objects; with a search box where widgets work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

from ..events import Table

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 200

__all__ = ["fields_frame", "objects_frame", "search_view", "to_frame"]


def to_frame(table: Table) -> pd.DataFrame:
    """The rows of a table, columns in its order. `attrs["count"]` is the whole number of rows."""
    import pandas as pd

    frame = pd.DataFrame.from_records(table.rows, columns=table.columns)
    frame.attrs.update(name=table.name, count=table.count)
    return frame


def fields_frame(
    fields: Mapping[str, Mapping[str, Any]],
    sample: Sequence[Mapping[str, Any]] | None = None,
    fill: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """The field dictionary of an object, one row a field; with a sample also how full it is and an example."""
    import pandas as pd

    rows = []
    for name, field in fields.items():
        choices = [str(choice) for choice in field.get("choices") or []]
        row: dict[str, Any] = {
            "field": name,
            "label": field.get("label") or "",
            "type": field["type"],
            "empty?": "may be empty" if field.get("nullable") else "always filled",
            "key": "yes" if field.get("primary_key") else "",
            "choices": ", ".join(choices[:6]) + (f" and {len(choices) - 6} more" if len(choices) > 6 else ""),
            "refers to": ", ".join(field.get("references") or []),
        }
        if sample is not None or fill is not None:
            row["filled"] = _percent(name, sample or [], fill or {})
            row["example"] = next((str(r[name]) for r in sample or [] if r.get(name) not in (None, "")), "")
        rows.append(row)
    columns = ["field", "label", "type", "empty?", "key", "choices", "refers to"]
    return pd.DataFrame(rows, columns=list(rows[0]) if rows else columns)


def _percent(name: str, sample: Sequence[Mapping[str, Any]], fill: Mapping[str, float]) -> str:
    if name in fill:
        share = fill[name]
    elif sample:
        share = sum(row.get(name) not in (None, "") for row in sample) / len(sample)
    else:
        return ""
    # 99.6 % is not "100 %", and 0.4 % is not "0 %".
    shown = min(max(round(share * 100), 1), 99) if 0 < share < 1 else round(share * 100)
    return f"{shown} %"


def objects_frame(objects: Iterable[Any]) -> pd.DataFrame:
    """Objects of a system (ObjectInfo or mappings with the same keys), most records first where they are known."""
    import pandas as pd

    rows = [asdict(entry) if is_dataclass(entry) and not isinstance(entry, type) else dict(entry) for entry in objects]
    if any(row.get("records") is not None for row in rows):
        rows.sort(key=lambda row: -1 if row.get("records") is None else row["records"], reverse=True)
    frame = pd.DataFrame(rows, columns=["name", "label", "purpose", "records", "fields"])
    frame = frame.rename(columns={"name": "object", "purpose": "what it is"})
    return frame.astype({"records": "Int64", "fields": "Int64"})


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
    head = W.HBox([box, count] if len(table.rows) > 8 else [count])
    return W.VBox([head, shown], layout=W.Layout(width="100%"))

"""A DataFrame that shows itself with a search box and a CSV file to take along."""

from __future__ import annotations

import uuid
from typing import Any, Self

import pandas as pd

from ..events import Table

__all__ = ["SearchFrame"]


class SearchFrame(pd.DataFrame):
    """What `%discover` returns where widgets work, made of a frame of `to_frame`.

    What is made from it is an ordinary DataFrame.
    """

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """The same rows; name and count are in `attrs`."""
        made = cls(frame)
        made.attrs = dict(frame.attrs)
        return made

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _ipython_display_(self) -> None:
        import ipywidgets as W
        from IPython.display import display

        from .desk import html_widget
        from .frames import search_view
        from .html import page, table_html
        from .theme import style

        rows: Any = self.astype(object).where(self.notna(), None).to_dict("records")
        table = Table(self.attrs["name"], list(self.columns), rows, self.attrs["count"])
        # Two outputs: the plain table steps aside as long as the live one is in the page.
        identity = uuid.uuid4().hex[:8]
        cells = table_html(table.columns, [list(row.values()) for row in rows])
        saved = page(cells, f"ig-saved ig-saved-{identity}", identity)
        display({"text/html": saved, "text/plain": self.to_string()}, raw=True)
        live = W.VBox([html_widget(style(identity)), search_view(table, "420px")])
        live.add_class("ig-live")
        live.add_class(f"ig-live-{identity}")
        display({**live._repr_mimebundle_(), "text/html": "<!-- live table -->", "text/plain": ""}, raw=True)

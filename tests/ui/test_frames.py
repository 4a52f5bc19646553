from __future__ import annotations

import base64
import csv
import io
import re

import pandas as pd

from integrator_magics import events as e
from integrator_magics.ui.frames import csv_link, search_view, to_frame
from integrator_magics.ui.search_frame import SearchFrame


def test_a_table_keeps_its_columns_and_count() -> None:
    frame = to_frame(e.Table("t", ["b", "a"], [{"a": 1, "b": 2}], 7))
    assert list(frame.columns) == ["b", "a"]
    assert frame.attrs["count"] == 7


def test_the_search_box_keeps_matching_rows_and_shows_hostile_values_as_text() -> None:
    rows = [{"field": f"f{n}", "label": "<b>x</b>"} for n in range(20)]
    view = search_view(e.Table("t", ["field", "label"], rows, 20))
    box, count, _ = view.children[0].children
    box.value = "F1"
    assert "11 of 20 rows" in count.value
    assert "<b>" not in view.children[1].value


def test_a_count_that_is_not_known_does_not_turn_the_others_into_decimals() -> None:
    frame = to_frame(e.Table("t", ["records"], [{"records": 1240}, {"records": None}], 2))
    assert str(frame.loc[0, "records"]) == "1240"


def test_the_csv_link_holds_every_row_and_no_formula() -> None:
    rows = [{"field": "=1+1", "label": 'a "b",\nc'}, {"field": None, "label": "é"}]
    link = csv_link(e.Table("x.y", ["field", "label"], rows, 2))
    data = re.search(r'base64,([^"]*)', link)
    assert data is not None
    read = list(csv.reader(io.StringIO(base64.b64decode(data[1]).decode("utf-8-sig"), newline="")))
    assert read == [["field", "label"], ["'=1+1", 'a "b",\nc'], ["", "é"]]


def test_what_is_made_from_a_shown_frame_is_an_ordinary_one() -> None:
    table = e.Table("x.y", ["a"], [{"a": 1}, {"a": 2}], 2)
    shown = SearchFrame.of(to_frame(table))
    assert isinstance(shown, pd.DataFrame)
    assert type(shown[shown["a"] > 1]) is pd.DataFrame
    assert shown.attrs["name"] == "x.y"

from __future__ import annotations

from integrator_magics import events as e
from integrator_magics.ui.frames import search_view, to_frame


def test_a_table_keeps_its_columns_and_count() -> None:
    frame = to_frame(e.Table("t", ["b", "a"], [{"a": 1, "b": 2}], 7))
    assert list(frame.columns) == ["b", "a"]
    assert frame.attrs["count"] == 7


def test_the_search_box_keeps_matching_rows_and_shows_hostile_values_as_text() -> None:
    rows = [{"field": f"f{n}", "label": "<b>x</b>"} for n in range(20)]
    view = search_view(e.Table("t", ["field", "label"], rows, 20))
    box, count = view.children[0].children
    box.value = "F1"
    assert "11 of 20 rows" in count.value
    assert "<b>" not in view.children[1].value


def test_a_count_that_is_not_known_does_not_turn_the_others_into_decimals() -> None:
    frame = to_frame(e.Table("t", ["records"], [{"records": 1240}, {"records": None}], 2))
    assert str(frame.loc[0, "records"]) == "1240"

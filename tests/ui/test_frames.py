from __future__ import annotations

from integrator_drivers import ObjectInfo
from integrator_magics import events as e
from integrator_magics.ui.frames import fields_frame, objects_frame, search_view, to_frame

FIELDS = {
    "Id": {"type": "text", "native_type": "id", "nullable": False, "label": "Lead ID", "primary_key": True},
    "LeadSource": {"type": "text", "native_type": "picklist", "nullable": True, "choices": [f"c{n}" for n in range(9)]},
    "OwnerId": {"type": "reference", "native_type": "reference", "nullable": False, "references": ["User", "Group"]},
}


def test_a_field_dictionary_has_the_columns_people_ask_for() -> None:
    frame = fields_frame(FIELDS)
    assert list(frame.columns) == ["field", "label", "type", "empty?", "key", "choices", "refers to"]
    assert frame.loc[1, "choices"] == "c0, c1, c2, c3, c4, c5 and 3 more"
    assert frame.loc[2, "refers to"] == "User, Group"
    assert frame.loc[0, "key"] == "yes"


def test_a_sample_adds_how_full_a_field_is_and_an_example() -> None:
    rows = [{"LeadSource": "Web"}, *({"LeadSource": None} for _ in range(299))]
    frame = fields_frame(FIELDS, sample=rows)
    assert list(frame["filled"]) == ["0 %", "1 %", "0 %"]
    assert frame.loc[1, "example"] == "Web"


def test_an_object_without_fields_gives_an_empty_dictionary() -> None:
    assert next(iter(fields_frame({}).columns)) == "field"


def test_objects_come_with_the_most_records_first() -> None:
    frame = objects_frame(
        [ObjectInfo("A", "a", records=None), ObjectInfo("B", "b", records=2), ObjectInfo("C", "c", records=10)]
    )
    assert list(frame["object"]) == ["C", "B", "A"]


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

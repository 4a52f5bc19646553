from __future__ import annotations

from typing import Any

from integrator_magics import discovery

FIELDS = [
    {"name": "Id", "type": "text", "nullable": False, "label": "Lead ID", "primary_key": True},
    {"name": "LeadSource", "type": "text", "nullable": True, "choices": [f"c{n}" for n in range(9)]},
    {"name": "OwnerId", "type": "reference", "nullable": False, "references": ["User", "Group"]},
]


def found(fields: list[dict[str, Any]], sample: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"system": "salesforce", "object": "Lead", "fields": fields, "sample": sample or []}


def test_a_field_dictionary_has_the_columns_people_ask_for() -> None:
    table = discovery.field_rows(found(FIELDS))
    assert table.columns == ["field", "label", "type", "empty?", "key", "choices", "refers to"]
    assert table.rows[1]["choices"] == "c0, c1, c2, c3, c4, c5 and 3 more"
    assert table.rows[2]["refers to"] == "User, Group"
    assert table.rows[0]["key"] == "key"


def test_a_sample_adds_how_full_a_field_is_and_an_example() -> None:
    shares = [0.0, 1 / 300, 0.996, 1.0]
    fields = [{"name": f"f{n}", "type": "text", "fill": share, "example": "Web"} for n, share in enumerate(shares)]
    table = discovery.field_rows(found(fields, [{}]))
    assert [row["filled"] for row in table.rows] == ["0 %", "1 %", "99 %", "100 %"]
    assert table.rows[1]["example"] == "Web"


def test_objects_come_with_the_most_records_first() -> None:
    class Answers:
        def call(self, system: str, method: str) -> list[dict[str, Any]]:
            return [{"name": name, "records": count} for name, count in (("A", None), ("B", 2), ("C", 10), ("D", None))]

    objects = discovery.objects(Answers(), "salesforce")["objects"]  # type: ignore[arg-type]
    assert [entry["name"] for entry in objects] == ["C", "B", "A", "D"]

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from integrator_drivers import ObjectNotFoundError
from integrator_magics.relations import relations
from integrator_magics.ui.graph import Graph

SCHEMA: dict[str, dict[str, list[str]]] = {
    "orders": {"customer_id": ["customers"], "created_by": ["users"], "replaces": ["orders"]},
    "lines": {"order_id": ["orders"], "product_id": ["products"], "created_by": ["users"]},
    "customers": {"created_by": ["users"]},
    "products": {"created_by": ["users"], "gone": ["not_listed"]},
    "users": {},
    "notes": {},
}


class Answers:
    """A runner that knows a small schema."""

    def call(self, system: str, method: str, *arguments: Any) -> Any:
        if method == "describe_objects":
            return [{"name": name, "label": f"<b>{name}</b>", "records": 10} for name in SCHEMA]
        fields: dict[str, dict[str, Any]] = {"id": {"type": "integer"}}
        for name, targets in SCHEMA[arguments[0]].items():
            fields[name] = {"type": "reference", "references": targets}
        return fields


def test_references_to_objects_that_are_there_are_kept() -> None:
    found = relations(Answers(), "postgresql")  # type: ignore[arg-type]
    assert found.nodes["lines"].references == {
        "order_id": ["orders"],
        "product_id": ["products"],
        "created_by": ["users"],
    }
    assert found.nodes["products"].references == {"created_by": ["users"]}


def test_one_object_comes_with_what_it_refers_to_and_what_refers_to_it() -> None:
    found = relations(Answers(), "postgresql", "orders")  # type: ignore[arg-type]
    assert set(found.nodes) == {"orders", "lines", "customers", "users"}
    assert found.nodes["lines"].references == {"order_id": ["orders"]}
    assert found.nodes["customers"].references == {}


def test_an_object_that_nearly_all_refer_to_is_named_and_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMA, "notes", {"created_by": ["users"]})
    found = relations(Answers(), "postgresql")  # type: ignore[arg-type]
    assert found.hubs == ["users"]
    assert "users" not in found.nodes
    assert "Not drawn: users" in Graph(found).text()


def test_an_unknown_object_names_near_ones() -> None:
    with pytest.raises(ObjectNotFoundError, match="orders"):
        relations(Answers(), "postgresql", "order")  # type: ignore[arg-type]


@pytest.mark.parametrize("obj", [None, "orders"])
def test_the_drawing_is_valid_has_an_arrow_for_each_reference_and_shows_hostile_names_as_text(obj: str | None) -> None:
    found = relations(Answers(), "postgresql", obj)  # type: ignore[arg-type]
    root = ET.fromstring(Graph(found).svg())
    space = "{http://www.w3.org/2000/svg}"
    arrows = [path for path in root.iter(f"{space}path") if path.get("class") == "e"]
    others = sum(
        target != name
        for name, node in found.nodes.items()
        for targets in node.references.values()
        for target in targets
    )
    assert len(arrows) == others > 0
    assert len(list(root.iter(f"{space}rect"))) == len(found.nodes)
    assert not list(root.iter(f"{space}b"))
    assert any("<b>orders</b>" in (text.text or "") for text in root.iter(f"{space}text"))


def test_boxes_do_not_overlap() -> None:
    found = relations(Answers(), "postgresql")  # type: ignore[arg-type]
    boxes = [
        tuple(float(rect.get(side, "0")) for side in ("x", "y", "width", "height"))
        for rect in ET.fromstring(Graph(found).svg()).iter("{http://www.w3.org/2000/svg}rect")
    ]
    for place, (x, y, width, height) in enumerate(boxes):
        for x2, y2, width2, height2 in boxes[place + 1 :]:
            assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y


def test_references_in_a_circle_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMA, "customers", {"first_order": ["orders"]})
    assert "first_order" in Graph(relations(Answers(), "postgresql")).svg()  # type: ignore[arg-type]

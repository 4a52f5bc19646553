"""`%discover` in the notebook: a table to search in and take along, a drawing; all of it readable without a kernel."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_the_field_dictionary_can_be_searched_and_taken_along(lab: Any) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1200})
    lab.open(
        "discover.ipynb",
        ["%load_ext integrator_magics", "%integrator demo", "%discover salesforce Lead --sample 20", "type(_).__mro__"],
    )
    for index in (0, 1, 2):
        lab.run(index)
    lab.see("LeadSource")
    lab.shot("40-dictionary", 2)
    lab.cell(2).get_by_placeholder("search").fill("converted")
    lab.see("of 5")
    lab.shot("41-dictionary-search", 2)
    with lab.page.expect_download() as download:
        lab.page.get_by_role("link", name="CSV").locator("visible=true").click()
    assert download.value.suggested_filename == "salesforce.Lead.csv"
    lab.run(3)
    assert "pandas" in lab.cell(3).inner_text()
    lab.restart()
    lab.page.locator(".ig-saved").locator("visible=true").wait_for()
    assert lab.errors == []


def test_how_objects_relate_is_drawn(lab: Any) -> None:
    lab.open("graph.ipynb", ["%load_ext integrator_magics", "%integrator demo", "%discover salesforce --graph"])
    for index in (0, 1, 2):
        lab.run(index)
    drawing = lab.cell(2).locator("img")
    drawing.wait_for()
    assert drawing.bounding_box()["width"] > 400
    lab.shot("42-graph", 2)

"""The mapping table: a column renamed by typing, the script changed by a press, the difference shown."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PROMPT = "%%integrate\nSync contacts from Salesforce to PostgreSQL: name, email, phone"


def test_an_edit_of_the_table_changes_the_script(lab: Any) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1600})
    lab.open("mapping.ipynb", ["%load_ext integrator_magics", "%integrator demo", PROMPT])
    for index in (0, 1, 2):
        lab.run(index)
    lab.see("It is in the cell below.")
    lab.shot("50-mapping", 2)
    table = lab.cell(2).locator(".ig-mapping")
    field = table.locator('input[type="text"]').nth(2)
    field.fill("mail")
    table.locator('input[type="checkbox"]').last.uncheck()
    lab.press("Change the script")
    lab.see("Its cell was brought up to date.")
    lab.shot("51-mapping-changed", 2)
    assert '"mail"' in lab.sources()[3]
    assert "Phone" not in lab.sources()[3]
    assert lab.errors == []

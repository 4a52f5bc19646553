"""`%connect` in the notebook: the form is filled in by keyboard, and what it says of a refused login is read."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_the_form_and_the_letter_can_be_used(lab: Any) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1300})
    lab.open("connect.ipynb", ["%load_ext integrator_magics", "%connect hubspot", "%connect salesforce"])
    lab.run(0)
    lab.run(1)
    lab.run(2)
    form = lab.cell(2)
    form.get_by_text("What the account needs there").click()
    form.get_by_label("Opportunity", exact=True).check()
    lab.see("Opportunities: Read")
    lab.shot("60-connect", 2)
    form.get_by_text("A letter to its administrator").click()
    letter = form.locator("textarea")
    letter.wait_for()
    assert "Opportunities: Read" in letter.input_value()
    lab.shot("61-connect-letter", 2)
    form.locator('input[type="password"]').first.fill("obviously-fake-secret")
    lab.press("Save and check Salesforce")
    lab.see("the login did not work")
    assert form.locator('input[type="password"]').first.input_value() == ""
    lab.shot("62-connect-refused", 2)
    assert "obviously-fake-secret" not in str(lab.save())
    assert lab.errors == []

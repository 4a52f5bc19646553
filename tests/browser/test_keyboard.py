"""The whole conversation by keyboard alone: no mouse, no call into the page but to look."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PROMPT = "%%integrate\nSync leads from Salesforce to PostgreSQL: name, email, how they got to us"
FOCUS = "() => (document.activeElement.innerText || document.activeElement.placeholder || '').trim()"


def tab_to(lab: Any, label: str, presses: int = 80) -> None:
    """Press Tab until the button with that label has the focus."""
    reached = []
    for _ in range(presses):
        lab.page.keyboard.press("Tab")
        reached.append(lab.page.evaluate(FOCUS)[:40])
        if reached[-1].startswith(label[:40]):
            return
    pytest.fail(f"Tab did not reach {label!r}, but {list(dict.fromkeys(reached))}")


def test_from_a_sentence_to_a_receipt_without_a_mouse(lab: Any) -> None:
    keys = lab.page.keyboard
    lab.open("keys.ipynb", ["%load_ext integrator_magics", "%integrator demo", PROMPT])
    lab.page.locator(".jp-Notebook").first.focus()
    keys.press("Shift+Enter")
    keys.press("Shift+Enter")
    lab.see("A practice Salesforce runs on this machine")
    keys.press("Control+Enter")
    lab.see("Which one do you mean?")
    keys.press("Alt+Shift+J")
    tab_to(lab, "Lead Source")
    keys.press("Enter")
    lab.see("It is in the cell below.")
    tab_to(lab, "Go to the cell")
    keys.press("Enter")
    lab.page.locator(".jp-Cell.jp-mod-active .ig-badge").get_by_text("not approved yet").wait_for()
    keys.press("Control+Enter")
    lab.page.get_by_role("button", name="Approve writing 1,238 rows to PostgreSQL", disabled=False).wait_for()
    keys.press("Alt+Shift+J")
    keys.press("Enter")  # in flight: it must reach no Approve
    keys.press("Escape")
    assert lab.page.get_by_text("Approved", exact=True).count() == 0
    tab_to(lab, "Approve writing 1,238 rows to PostgreSQL")
    lab.shot("70-keyboard-approve")
    keys.press("Enter")
    lab.see("Done in")
    lab.page.locator(".ig-badge").get_by_text("approved", exact=True).wait_for()
    lab.shot("71-keyboard-receipt")
    assert lab.errors == []

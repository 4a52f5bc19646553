"""The side panel, the line above script cells, the palette and the launcher, on practice systems."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PROMPT = "%%integrate\nSync leads from Salesforce to PostgreSQL: name, email, how they got to us"


def panel(lab: Any) -> Any:
    return lab.page.locator(".ig-panel")


def section(lab: Any, name: str) -> Any:
    return panel(lab).get_by_role("region", name=name, exact=True)


def test_the_panel_follows_the_conversation(lab: Any) -> None:
    lab.open("panel.ipynb", ["1 + 1", PROMPT])
    lab.command("integrator:show-panel")
    panel(lab).get_by_text("Integrator is not loaded in this notebook.").wait_for()
    lab.shot("50-panel-not-loaded")
    panel(lab).get_by_role("button", name="Load it").click()
    section(lab, "Systems").get_by_text("None yet.").wait_for()
    assert lab.sources()[0] == "%load_ext integrator_magics"
    lab.shot("51-panel-empty")
    section(lab, "Systems").get_by_role("button", name="Start the practice systems").click()
    section(lab, "Systems").get_by_text("practice", exact=True).first.wait_for()
    assert lab.sources()[1] == "%integrator demo"
    lab.run(3)
    section(lab, "Waiting for you").get_by_text("Which one do you mean?").wait_for()
    lab.shot("52-panel-question")
    lab.press("Lead Source")
    section(lab, "Scripts").get_by_text("lead_sync").wait_for()
    lab.cell(4).locator(".ig-badge").get_by_text("not approved yet").wait_for()
    lab.shot("53-panel-script")
    lab.run(4)
    section(lab, "Waiting for you").get_by_text("Write 1,238 rows").wait_for()
    lab.cell(4).locator(".ig-badge").get_by_text("waiting for you").wait_for()
    lab.shot("54-panel-approval")
    lab.press("Approve writing 1,238 rows to PostgreSQL")
    lab.cell(4).locator(".ig-badge").get_by_text("approved", exact=True).wait_for()
    section(lab, "Scripts").get_by_text("last run").wait_for()
    section(lab, "Audit log").get_by_text("whole").wait_for()
    lab.shot("55-panel-receipt")
    assert lab.errors == []

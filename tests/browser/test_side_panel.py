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
    assert "Approve" not in panel(lab).inner_text()
    section(lab, "Waiting for you").get_by_role("button", name="Decide in the cell").click()
    lab.page.locator(".jp-Cell.jp-mod-active").get_by_role("button", name="Approve writing").wait_for()
    assert lab.page.evaluate("() => document.activeElement.tagName") != "BUTTON"
    lab.press("Approve writing 1,238 rows to PostgreSQL")
    lab.cell(4).locator(".ig-badge").get_by_text("approved", exact=True).wait_for()
    section(lab, "Scripts").get_by_text("last run").wait_for()
    section(lab, "Audit log").get_by_text("whole").wait_for()
    lab.shot("55-panel-receipt")
    assert lab.errors == []


def test_after_a_restart_the_panel_says_what_to_do(lab: Any) -> None:
    lab.open("again.ipynb", ["%load_ext integrator_magics"])
    lab.command("integrator:show-panel")
    lab.run(0)
    section(lab, "Systems").wait_for()
    lab.restart()
    panel(lab).get_by_text("The kernel was restarted.").wait_for()
    lab.shot("56-panel-restarted")
    panel(lab).get_by_role("button", name="Load it").click()
    section(lab, "Systems").wait_for()
    assert lab.sources() == ["%load_ext integrator_magics"]
    lab.reload()
    section(lab, "Systems").wait_for()
    assert lab.errors == []


def test_a_press_in_the_panel_is_a_magic_that_everybody_can_see(lab: Any) -> None:
    lab.open("connect.ipynb", ["%load_ext integrator_magics"])
    lab.command("integrator:show-panel")
    lab.run(0)
    section(lab, "Systems").get_by_role("button", name="Connect PostgreSQL").click()
    lab.see("Save and check PostgreSQL")
    assert lab.sources()[1] == "%connect postgresql"
    lab.shot("57-panel-connect")
    section(lab, "Audit log").get_by_role("button", name="Verify the audit log").click()
    lab.see("The audit log is")
    assert lab.sources()[2] == "%audit verify"
    section(lab, "Audit log").get_by_role("button", name="Verify the audit log").click()
    lab.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex === 2")
    assert len(lab.sources()) == 3


def test_the_panel_shows_the_notebook_in_front(lab: Any) -> None:
    lab.open("first.ipynb", ["%load_ext integrator_magics", ASKING])
    lab.command("integrator:show-panel")
    lab.run(0)
    lab.run(1)
    section(lab, "Waiting for you").get_by_text("Which one?").wait_for()
    (lab.server.root / "second.ipynb").write_text((lab.server.root / "first.ipynb").read_text())
    lab.command("docmanager:open", path="second.ipynb", factory="Notebook", kernel={"name": "python3"})
    lab.ready()
    panel(lab).get_by_text("Integrator is not loaded in this notebook.").wait_for()
    lab.command("docmanager:open", path="first.ipynb")
    section(lab, "Waiting for you").get_by_text("Which one?").wait_for()
    assert lab.errors == []


ASKING = """session = get_ipython().integrator.session
session.dialog.state, session.dialog.question = "asking", "Which one?"
get_ipython().integrator.changed()"""
HOSTILE = "<img src=x onerror=alert(1)><button>Approve</button><style>*{display:none}</style>"


def test_hostile_text_is_text_and_fits_a_narrow_panel(lab: Any) -> None:
    dialogs: list[str] = []
    lab.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    noted = f"session.record('prompt', text={HOSTILE!r})\nget_ipython()"
    hostile = ASKING.replace("Which one?", HOSTILE + "x" * 200).replace(
        "get_ipython().integrator.changed", f"{noted}.integrator.changed"
    )
    lab.open("hostile-panel.ipynb", ["%load_ext integrator_magics", hostile])
    # As narrow as a window of 1280 pixels is at 200 % zoom; the panel itself is then about 220 wide.
    lab.page.set_viewport_size({"width": 640, "height": 500})
    lab.command("integrator:show-panel")
    lab.run(0)
    lab.run(1)
    section(lab, "Waiting for you").get_by_text("<img src=x").wait_for()
    section(lab, "Audit log").get_by_text("<button>Approve</button>").wait_for()
    lab.shot("58-panel-hostile-narrow")
    assert panel(lab).locator("img, style").count() == 0
    assert panel(lab).get_by_role("button", name="Approve", exact=True).count() == 0
    assert dialogs == []
    wide = "() => { const p = document.querySelector('.ig-panel'); return p.scrollWidth - p.clientWidth; }"
    assert lab.page.evaluate(wide) <= 0


def test_a_new_integration_is_one_press_from_the_launcher(lab: Any) -> None:
    lab.open("any.ipynb", ["1"])
    lab.command("launcher:create")
    lab.page.locator(".jp-LauncherCard", has_text="New integration").click()
    lab.page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.context?.path === 'Integration.ipynb'")
    lab.ready()
    lab.page.wait_for_function("() => window.getSelection().toString().startsWith('Sync leads from Salesforce')")
    lab.shot("59-new-integration")
    lab.page.keyboard.type("Give me all accounts as CSV")
    assert lab.sources()[1:] == ["%load_ext integrator_magics", "%%integrate\nGive me all accounts as CSV"]
    lab.command("integrator:show-panel")
    section(lab, "Systems").wait_for()
    assert lab.errors == []


def test_the_script_of_a_cell_is_exported_from_the_palette(lab: Any) -> None:
    save = "session = get_ipython().integrator.session\nsession.store.save('lead_sync', \"print('one')\\n\")"
    cells = ["%load_ext integrator_magics", save, "%%integration lead_sync\nprint('one')"]
    lab.open("export.ipynb", cells)
    lab.run(0)
    lab.run(1)
    lab.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
    lab.command("apputils:activate-command-palette")
    lab.page.locator("#modal-command-palette input").fill("export the script")
    lab.shot("59-palette")
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.model.cells.length === 4")
    assert lab.sources()[3] == "%export lead_sync lead_sync.py"

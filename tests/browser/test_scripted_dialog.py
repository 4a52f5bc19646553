"""The real widgets and the real bridge in a real JupyterLab, with a session that follows a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jupyter_pages import Lab, Server

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
SETUP = f"import sys; sys.path.insert(0, {str(HERE)!r})\nfrom scripted_dialog import *"


def test_a_dialog_by_mouse_puts_a_cell_below_and_ends_in_a_receipt(lab: Any) -> None:
    lab.open("dialog.ipynb", [SETUP, "s = Scripted(); s.start()", "'last cell'"])
    lab.run(0)
    lab.run(1)
    lab.see("Which one do you mean?")
    lab.shot("01-question")
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    assert lab.sources()[2] == "%%integration lead_sync\nprint('one')"
    assert len(lab.sources()) == 4
    lab.shot("02-script")


def test_an_approval_by_mouse_ends_in_a_receipt(lab: Any) -> None:
    lab.open("approval.ipynb", [SETUP, "s = Scripted(); s.emit(PREVIEWED)", "s.finish()", "s.calls"])
    lab.run(0)
    lab.run(1)
    lab.see("Approve writing 412 rows to PostgreSQL")
    lab.shot("03-preview")
    lab.press("Approve writing 412 rows to PostgreSQL")
    lab.see("260 of 412 rows")
    lab.shot("04-progress")
    lab.run(2)
    lab.see("Done in 1.1 s")
    lab.shot("05-receipt")
    lab.run(3)
    lab.see("('approve', 'lead_sync', '7K2Q')")
    assert lab.errors == []


def test_a_page_reload_in_mid_dialog_loses_nothing(lab: Any) -> None:
    lab.open("reload.ipynb", [SETUP, "s = Scripted(); s.start()", "'last cell'"])
    lab.run(0)
    lab.run(1)
    lab.see("Which one do you mean?")
    lab.save()
    lab.reload()
    lab.see("Which one do you mean?")
    lab.shot("06-reloaded")
    lab.press("Campaign")
    lab.see("It is in the cell below.")
    assert lab.sources()[2] == "%%integration lead_sync\nprint('one')"
    # The transcript in the file has caught up, though its display handle does not reach the new page.
    lab.page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON())"
        ".includes('You answered     Campaign')"
    )
    assert lab.errors == []


def test_after_a_kernel_restart_the_saved_transcript_takes_over(lab: Any) -> None:
    lab.open("restart.ipynb", [SETUP, "s = Scripted(); s.start()", "'last cell'"])
    lab.run(0)
    lab.run(1)
    lab.see("Which one do you mean?")
    lab.restart()
    saved = lab.page.locator(".ig-saved").locator("visible=true")
    saved.wait_for()
    lab.shot("07-restarted")
    assert "Which one do you mean?" in saved.inner_text()
    assert lab.page.locator(".ig-live").locator("visible=true").count() == 0
    lab.save()
    lab.reload()
    lab.page.locator(".ig-saved").locator("visible=true").wait_for()
    assert lab.page.get_by_text("model not found").locator("visible=true").count() == 0
    lab.shot("08-restarted-and-reloaded")
    lab.run(0)
    lab.run(1)
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    assert len(lab.sources()) == 4


def test_an_edited_cell_is_left_alone_and_an_untouched_one_is_renewed(lab: Any) -> None:
    lab.open("edited.ipynb", [SETUP, "s = Scripted(); s.start()", "s.write(\"print('more')\\n\")", "s.calls"])
    lab.run(0)
    lab.run(1)
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    lab.run(3)
    lab.see("Its cell was brought up to date.")
    assert lab.sources()[2] == "%%integration lead_sync\nprint('more')"
    assert len(lab.sources()) == 5
    lab.edit(2, "%%integration lead_sync\nprint('mine')")
    lab.run(3)
    lab.see("You edited its cell, so that was left alone")
    lab.shot("09-edited")
    assert lab.sources()[2:4] == ["%%integration lead_sync\nprint('more')", "%%integration lead_sync\nprint('mine')"]


def test_only_the_tab_that_ran_the_cell_gets_the_new_one(lab: Any) -> None:
    lab.open("tabs.ipynb", [SETUP, "s = Scripted(); s.start()"])
    second = lab.second_page("tabs.ipynb")
    lab.run(0)
    lab.run(1)
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    assert len(lab.sources()) == 3
    assert len(lab.sources(second)) == 2


def test_nothing_but_a_script_cell_is_put_into_the_notebook(lab: Any) -> None:
    """Both halves check; here the kernel's half is passed by."""
    code = (
        "import threading\n"
        "def send(source):\n"
        "    bridge._ask({'type': 'insert_cell', 'new_id': 'x' + str(len(acks)), 'below': None, 'source': source,\n"
        "                 'tags': [], 'metadata': {}, 'run': True, 'scroll': True}, acks.append, '')\n"
        "acks = []\n"
        "for source in ['print(1)', '!ls', '%%integration Bad\\n', '%%integration a b\\n', ' %%integration a\\n']:\n"
        "    send(source)\n"
    )
    lab.open("refused.ipynb", [SETUP, code, "len(acks), {ack.why for ack in acks}"])
    lab.run(0)
    lab.run(1)
    lab.run(2)
    lab.see("(5, {'refused'})")
    assert len(lab.sources()) == 3


def test_after_a_restart_the_cell_of_a_script_is_found_again_by_its_name(lab: Any) -> None:
    lab.open("again.ipynb", [SETUP, "s = Scripted(); s.start()", "s.write(\"print('two')\\n\")"])
    lab.run(0)
    lab.run(1)
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    lab.restart()
    setup = "cells.remember(e.Wrote('lead_sync', \"print('one')\\n\", 'another hash', 7)); s = Scripted()"
    lab.edit(0, f"{SETUP}\n{setup}\ns.version = 7")
    lab.run(0)
    lab.run(3)
    lab.see("Its cell was brought up to date.")
    assert lab.sources()[2] == "%%integration lead_sync\nprint('two')"
    assert len(lab.sources()) == 4


def test_hostile_text_from_a_system_draws_nothing(lab: Any) -> None:
    hostile = "<button>Approve</button><img src=x onerror=alert(1)><style>*{display:none}</style>"
    code = (
        f"h = {hostile!r}\n"
        "s = Scripted()\n"
        "table = e.Table(h, [h], [{h: h}], 1)\n"
        "s.emit(e.Opened(h, h, h), e.Step('1', h, h, 'done', 1, [table], h), e.Said(h),\n"
        "       e.Failed(h, h, h, [e.Option(h, h)], h), e.Asked(h, [e.Option(h, h)]))\n"
    )
    lab.open("hostile.ipynb", [SETUP, code])
    dialogs: list[str] = []
    lab.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    lab.run(0)
    lab.run(1)
    lab.page.get_by_placeholder("something else ...").wait_for()
    lab.shot("10-hostile")
    assert lab.page.locator(".ig-live img, .ig-saved img, .ig-body button").count() == 0
    assert dialogs == []


def test_a_question_is_answered_by_keyboard_and_enter_reaches_no_approve(lab: Any) -> None:
    lab.open("keyboard.ipynb", [SETUP, "s = Scripted(); s.start()", "s.emit(PREVIEWED)", "s.calls"])
    lab.run(0)
    lab.run(1)
    field = lab.page.get_by_placeholder("something else ...")
    field.focus()
    lab.page.keyboard.type("the last 30 days")
    lab.page.keyboard.press("Enter")
    lab.see("You answered")
    lab.run(3)
    lab.see("Approve writing 412 rows to PostgreSQL")
    lab.page.keyboard.press("Enter")
    lab.run(4)
    calls = lab.cell(4).locator(".jp-OutputArea-output").inner_text()
    assert "('answer', 'the last 30 days')" in calls
    assert "approve" not in calls


def test_a_rejection_carries_its_reason(lab: Any) -> None:
    lab.open("reject.ipynb", [SETUP, "s = Scripted(); s.emit(PREVIEWED)", "s.calls"])
    lab.run(0)
    lab.run(1)
    lab.press("Reject ...")
    lab.page.get_by_placeholder("what should be different?").fill("only Berlin")
    lab.shot("11-reject")
    lab.page.keyboard.press("Enter")
    lab.see("Rejected")
    lab.run(2)
    lab.see("('reject', 'lead_sync', 'only Berlin')")


def test_without_the_front_end_half_the_script_is_shown_with_a_copy_button(lab: Any) -> None:
    code = (
        "from integrator_magics.ui.bridge import Bridge\ncells._bridge = Bridge(dispatcher)\ns = Scripted(); s.start()"
    )
    lab.open("copy.ipynb", [SETUP, code])
    lab.context.grant_permissions(["clipboard-read"])
    lab.run(0)
    lab.run(1)
    lab.press("Lead Source")
    lab.see("Copy this into a new cell and run it.")
    lab.page.locator(".ig-copy").click()
    lab.see("Copied")
    assert lab.page.evaluate("() => navigator.clipboard.readText()") == "%%integration lead_sync\nprint('one')"
    lab.shot("12-copy")


def test_it_looks_right_in_the_dark_theme_and_in_a_narrow_window(lab: Any) -> None:
    lab.server.theme("JupyterLab Dark")
    try:
        lab.open("dark.ipynb", [SETUP, "s = Scripted(); s.emit(*DIALOG[:-5]); s.emit(PREVIEWED)"])
        lab.run(0)
        lab.run(1)
        lab.see("Approve writing 412 rows to PostgreSQL")
        lab.shot("13-dark")
        lab.page.set_viewport_size({"width": 700, "height": 1000})
        lab.shot("14-dark-narrow")
        wide = lab.page.evaluate("() => document.querySelector('.ig-live').scrollWidth")
        assert wide <= lab.page.evaluate("() => document.querySelector('.ig-live').clientWidth")
    finally:
        lab.server.theme("JupyterLab Light")


def test_the_same_dialog_works_in_notebook_7(browser: Any, tmp_path: Path) -> None:
    server = Server(tmp_path, "notebook")
    try:
        notebook = Lab(server, browser, "notebook")
        notebook.open("seven.ipynb", [SETUP, "s = Scripted(); s.start()", "'last cell'"])
        notebook.run(0)
        notebook.run(1)
        notebook.press("Lead Source")
        notebook.see("It is in the cell below.")
        notebook.shot("15-notebook-7")
        assert notebook.sources()[2] == "%%integration lead_sync\nprint('one')"
        notebook.close()
    finally:
        server.close()

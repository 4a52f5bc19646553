"""The conversation the product is for, by mouse on practice systems, from an empty notebook to the exported file."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PROMPT = "%%integrate\nSync leads from Salesforce to PostgreSQL: name, email, how they got to us"


def test_from_a_sentence_to_an_exported_script(lab: Any) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1400})
    lab.open(
        "leads.ipynb",
        [
            "%load_ext integrator_magics",
            "%integrator demo",
            PROMPT,
            "%%integrate\nPerfect! But I want this to run every night.",
        ],
    )
    started = time.monotonic()
    lab.run(0)
    lab.run(1)
    lab.see("A practice Salesforce runs on this machine")
    lab.run(2)
    lab.see("Which one do you mean?")
    lab.shot("20-question")
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    lab.shot("21-script")
    assert lab.sources()[3].startswith("%%integration lead_sync\n# /// script\n")
    lab.run(3)
    lab.see("Write 1,238 rows to PostgreSQL")
    lab.shot("22-preview", 3)
    lab.press("Approve writing 1,238 rows to PostgreSQL")
    lab.see("Done in")
    lab.see("log whole")
    lab.shot("23-receipt")
    lab.run(4)
    lab.see("Its cell was brought up to date.")
    lab.shot("24-every-night", 4)
    assert 'SCHEDULE = "' in lab.sources()[3]
    assert "Working" not in lab.cell(2).inner_text()
    lab.page.evaluate("() => window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    lab.edit(5, "%export lead_sync lead_sync.py")
    lab.run(5)
    lab.see("lead_sync.py written")
    exported = (lab.server.root / "lead_sync.py").read_text()
    assert "%%integration" not in exported
    assert time.monotonic() - started < 120
    assert lab.errors == []
    saved = str(lab.save()["cells"])
    for part in ("Which one do you mean?", "You answered", "1,206 added + 32 updated", "approved by", "log whole"):
        assert part in saved


def test_another_cell_runs_while_a_question_waits(lab: Any) -> None:
    lab.open("other.ipynb", ["%load_ext integrator_magics", "%integrator demo", PROMPT, "6 * 7"])
    for index in (0, 1, 2):
        lab.run(index)
    lab.see("Which one do you mean?")
    started = time.monotonic()
    lab.run(3)
    assert lab.cell(3).locator(".jp-OutputArea-output").inner_text() == "42"
    assert time.monotonic() - started < 3


def test_a_dialog_survives_a_kernel_restart_and_goes_on(lab: Any) -> None:
    lab.open("resumed.ipynb", ["%load_ext integrator_magics", "%integrator demo", PROMPT])
    for index in (0, 1, 2):
        lab.run(index)
    lab.see("Which one do you mean?")
    lab.restart()
    lab.page.locator(".ig-saved").locator("visible=true").wait_for()
    for index in (0, 1, 2):
        lab.run(index)
    lab.press("Lead Source")
    lab.see("It is in the cell below.")
    lab.shot("25-resumed")
    assert len(lab.sources()) == 4


def test_a_script_that_only_reads_asks_whether_it_looks_right(lab: Any) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1600})
    prompt = "%%integrate\nGive me the leads from Salesforce with campaign info, last 30 days, as CSV"
    lab.open("csv.ipynb", ["%load_ext integrator_magics", "%integrator demo", prompt])
    for index in (0, 1, 2):
        lab.run(index)
    lab.see("It is in the cell below.")
    lab.shot("30-csv-script")
    lab.run(3)
    lab.see("Does this look right?")
    lab.shot("31-csv-preview", 3)
    lab.press("Yes")
    lab.see("Done in")
    lab.shot("32-csv-receipt")
    assert list(lab.server.root.glob("*.csv"))


def test_a_failure_offers_to_try_again(lab: Any) -> None:
    lab.open("failure.ipynb", ["%load_ext integrator_magics", "%integrator demo", "%%integration broken\n1 / 0"])
    for index in (0, 1, 2):
        lab.run(index)
    lab.press("Try again")
    lab.shot("33-failure")
    assert lab.errors == []

"""The real widgets and the real bridge in a real JupyterLab, with a session that follows a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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

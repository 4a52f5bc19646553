"""axe-core over the panel, the line above script cells and the dialog, in the light and the dark theme."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_pages import REPO
from test_scripted_dialog import SETUP

AXE = REPO / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (jlpm install in labextension/)"),
]
OURS = [".ig-panel", ".ig-badge", ".ig-live"]
FOUND = """async places => {
  const found = await axe.run({include: places.map(place => [place])});
  const told = found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.impact} ${rule.id}: ${node.target} ${node.failureSummary}`));
  const looked = found.passes.filter(rule => rule.id === 'color-contrast').flatMap(rule => rule.nodes.map(n => n.html));
  return [told, looked.join(' ')];
}"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_serious_stands_in_anyones_way(lab: Any, theme: str) -> None:
    lab.server.theme(theme)
    try:
        lab.open(
            "accessible.ipynb",
            [
                "%load_ext integrator_magics",
                f"{SETUP}\nsession = get_ipython().integrator.session\n"
                "session.dialog.state, session.dialog.question = 'asking', 'Which one do you mean?'\n"
                "session.store.save('lead_sync', \"print('one')\\n\")\nget_ipython().integrator.changed()",
                "s = Scripted(); s.emit(*DIALOG)",
                "t = Scripted(); t.emit(PREVIEWED)",
                "u = Scripted(); u.emit(e.Failed('It broke.', 'Nothing was written.'), e.Progress('x', 1, 9))",
                "%%integration lead_sync\nprint('one')",
            ],
        )
        lab.page.set_viewport_size({"width": 1280, "height": 1600})
        lab.command("integrator:show-panel")
        for index in range(5):
            lab.run(index)
        lab.see("Approve writing 412 rows to PostgreSQL")
        lab.page.locator(".ig-panel").get_by_text("Which one do you mean?").wait_for()
        lab.page.locator(".ig-badge").get_by_text("not approved yet").wait_for()
        lab.page.get_by_role("button", name="Approve writing", disabled=False).wait_for()
        lab.shot(f"60-accessible-{theme.split()[1].lower()}")
        # JupyterLab's body has no height and hides what overflows, so that axe would see no text at all.
        lab.page.evaluate("() => { document.body.style.height = '100vh'; }")
        lab.page.evaluate(AXE.read_text(encoding="utf-8"))
        found, looked_at = lab.page.evaluate(FOUND, OURS)
        assert [line for line in found if line.startswith(("serious", "critical"))] == []
        for text in ("Waiting for you", "not approved yet", "You answered", "Approve writing 412 rows"):
            assert text in looked_at
    finally:
        lab.server.theme("JupyterLab Light")

"""A JupyterLab or Notebook 7 of its own, and a page that shows it. Screenshots go to artefacts/ (not committed)."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[2]
ARTEFACTS = Path(__file__).parent / "artefacts"
# Of the current notebook, once its kernel is connected and idle.
READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const session = panel?.sessionContext;
  return !!session && session.isReady && panel.context.isReady
    && session.session?.kernel?.connectionStatus === 'connected' && session.session.kernel.status === 'idle';
}"""


class Server:
    """One JupyterLab on a free port, with its own folders for everything."""

    def __init__(self, folder: Path, app: str = "lab") -> None:
        self.root = folder / "notebooks"
        self.token = secrets.token_hex(16)
        self.log = folder / "server.log"
        for name in ("notebooks", "config", "data", "runtime", "settings", "workspaces", "ipython", "home"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        extensions = folder / "labextensions" / "@integrator"
        extensions.mkdir(parents=True, exist_ok=True)
        (extensions / "notebook").symlink_to(REPO / "integrator_magics" / "_labextension")
        # The pop-up that asks about news covers buttons.
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
        self.settings = settings
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "JPY"))}
        environment |= {
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
            "INTEGRATOR_HOME": str(folder / "home"),
            "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "drivers"), os.environ.get("PYTHONPATH", "")]),
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "jupyterlab" if app == "lab" else "notebook", "--no-browser", "--allow-root"]
        command += [
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--LabApp.extra_labextensions_path={extensions.parent}",
            f"--LabApp.user_settings_dir={folder / 'settings'}",
            f"--LabApp.workspaces_dir={folder / 'workspaces'}",
            "--LabApp.expose_app_in_browser=True",
        ]
        if app != "lab":
            command += [
                f"--JupyterNotebookApp.extra_labextensions_path={extensions.parent}",
                f"--JupyterNotebookApp.user_settings_dir={folder / 'settings'}",
                "--JupyterNotebookApp.expose_app_in_browser=True",
            ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"JupyterLab ended: {self.log.read_text()[-3000:]}")
            try:
                with urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)  # no event tells that a foreign process listens
        raise RuntimeError(f"JupyterLab did not start: {self.log.read_text()[-3000:]}")

    def theme(self, name: str) -> None:
        """ "JupyterLab Dark" or "JupyterLab Light", for pages opened from now on."""
        path = self.settings / "themes.jupyterlab-settings"
        path.write_text(json.dumps({"theme": name}))

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Lab:
    """One page with one notebook. Cells are given by index; texts are looked for in the whole page."""

    def __init__(self, server: Server, browser: Any, app: str = "lab") -> None:
        self.server = server
        self.app = app
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000})
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self._watch(self.page)

    def _watch(self, page: Any) -> None:
        page.set_default_timeout(45_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    def open(self, name: str, sources: list[str], page: Any = None) -> None:
        """Write a notebook with these code cells and open it."""
        import nbformat
        from nbformat.v4 import new_code_cell, new_notebook

        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.server.root / name)
        self.visit(name)

    def visit(self, name: str, page: Any = None) -> None:
        """Open an existing notebook, in this page or another one."""
        page = page or self.page
        # Not lab/tree: that restores the last workspace, and with it the notebook of another test.
        where = f"lab/workspaces/{secrets.token_hex(4)}/tree/{name}" if self.app == "lab" else f"notebooks/{name}"
        page.goto(f"{self.server.url}/{where}?token={self.server.token}")
        self.ready(page)

    def ready(self, page: Any = None) -> None:
        (page or self.page).wait_for_function(READY, timeout=60_000)

    def reload(self) -> None:
        self.page.reload()
        self.ready()

    def second_page(self, name: str) -> Any:
        """The same notebook in another tab."""
        page = self.context.new_page()
        self._watch(page)
        self.visit(name, page)
        return page

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell as if Ctrl+Enter was pressed; by default wait until it is done."""
        self.page.evaluate(
            """async ([index, wait]) => {
              const panel = window.jupyterapp.shell.currentWidget;
              panel.content.activeCellIndex = index;
              panel.content.deselectAll();
              const done = window.jupyterapp.commands.execute('notebook:run-cell');
              if (wait) await done;
            }""",
            [index, wait],
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Execute a command of the front end."""
        self.page.evaluate(
            "([name, arguments]) => window.jupyterapp.commands.execute(name, arguments)", [name, arguments]
        )

    def sources(self, page: Any = None) -> list[str]:
        """The sources of all cells, as the page has them."""
        found: list[str] = (page or self.page).evaluate(
            """() => Array.from(window.jupyterapp.shell.currentWidget.content.model.cells,
                               cell => cell.sharedModel.getSource())"""
        )
        return found

    def edit(self, index: int, source: str) -> None:
        """Change a cell as a user does, through its shared model."""
        self.page.evaluate(
            """([index, source]) =>
              window.jupyterapp.shell.currentWidget.content.model.cells.get(index).sharedModel.setSource(source)""",
            [index, source],
        )

    def cell(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def see(self, text: str, timeout: float = 45) -> Any:
        """Wait until a text is visible; returns its element."""
        found = self.page.get_by_text(text).locator("visible=true").first
        found.wait_for(state="visible", timeout=timeout * 1000)
        return found

    def press(self, label: str) -> None:
        """Click the visible button with this label (the newest one)."""
        found = self.page.get_by_role("button", name=label, disabled=False).locator("visible=true").last
        # Waiting inside click() would scroll about.
        found.wait_for(state="visible")
        found.click()

    def restart(self) -> None:
        """Restart the kernel without the question."""
        self.page.evaluate(
            "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
        )
        self.ready()

    def save(self) -> dict[str, Any]:
        """Save and return what is in the file."""
        self.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.save(); }")
        path = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
        found: dict[str, Any] = json.loads((self.server.root / path).read_text())
        return found

    def shot(self, name: str, output: int | None = None) -> Path:
        """A screenshot into artefacts/; of the output of one cell, or of the page."""
        ARTEFACTS.mkdir(exist_ok=True)
        path = ARTEFACTS / f"{name}.png"
        seen = self.page if output is None else self.cell(output).locator(".jp-Cell-outputWrapper")
        seen.screenshot(path=path)
        return path

    def close(self) -> None:
        self.context.close()

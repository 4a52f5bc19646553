"""One notebook as the magics see it: whatever the session does is shown here, in a way this front end can show."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrator_drivers import registry

from .. import discovery, overview
from ..errors import IntegratorError
from ..events import Event, Previewed, Progress, Said, Step, Usage, Wrote
from ..session import DIALOG, Session, run_channel
from . import words
from .audit_frame import audit_frame
from .bridge import AskingCell, Bridge, capture_cell
from .dispatch import Dispatcher
from .panel import Panel
from .script_cells import ScriptCells
from .standing import STANDING_COLUMNS, standing_lines, standing_row
from .text import lines

if TYPE_CHECKING:
    import pandas as pd

    from ..export import Exported
    from .live import LiveView

__all__ = ["Notebook"]


class Notebook:
    """Shows a session: widgets where a person sits at a notebook, text in a terminal or an executed notebook."""

    def __init__(self, session: Session, shell: Any, *, executed: bool) -> None:
        self.session = session
        self.shell = shell
        self.executed = executed
        self.widgets = not executed and getattr(shell, "kernel", None) is not None
        self.known_objects: dict[str, pd.DataFrame] = {}
        self.dispatcher = Dispatcher()
        self.bridge = Bridge(self.dispatcher)
        self.cells = ScriptCells(self.bridge, save=self._save_script)
        for event in session.dialog.events:
            if isinstance(event, Wrote):
                self.cells.remember(event)
        self._views: dict[str, LiveView] = {}
        self._stops: dict[str, Callable[[], None]] = {}
        self._own: dict[str, Any] = {}  # variables we made, which may be replaced
        session.on_scripts = self._insert
        self.panel = Panel(session, self.bridge, self.dispatcher, self._cell_of)

    def open(self) -> None:
        """Tell the front end that we are here, and keep its side panel true. Does nothing where nobody looks."""
        if self.widgets:
            self.bridge.open()
            self.panel.start()

    def close(self) -> None:
        """Let go of the front end."""
        self.panel.close()
        self.bridge.close()

    # The dialog.

    def integrate(self, cell: str, *, new: bool, model: str) -> None:
        """Start or continue the dialog and show it in this cell."""
        self._do(DIALOG, lambda: self.session.integrate(cell, new=new, model=model), here=True)

    def answer(self, text: str) -> None:
        """Answer the open question; what follows appears in the dialog's cell, or here in an executed notebook."""
        self._do(self.session.answer_channel, lambda: self.session.answer(text), here=False)

    def wait(self) -> None:
        """Show what arrives until the dialog and all runs need the user; KeyboardInterrupt only ends the waiting."""
        self.dispatcher.drain(until=lambda: not self.session.working)

    # Scripts.

    def run_script(self, name: str, code: str | None) -> Previewed | None:
        """Preview one script in this cell; returns the preview where it is known already (foreground)."""
        previews: list[Previewed] = []
        stop = self.session.listen(
            run_channel(name), lambda event: previews.append(event) if isinstance(event, Previewed) else None
        )
        try:
            self._do(run_channel(name), lambda: self.session.run_script(name, code), here=True)
        finally:
            stop()
        return previews[-1] if previews else None

    def approve(self, name: str, code: str, first: int | None = None) -> None:
        """Approve and run; progress and receipt appear in the script's cell, or here in an executed notebook."""
        self._do(run_channel(name), lambda: self.session.approve(name, code, first), here=False)

    def reject(self, name: str, why: str) -> None:
        """Void a preview; the dialog goes on from the reason."""
        self._do(DIALOG, lambda: self.session.reject(name, why), here=False)
        print(f"Rejected. Nothing was written by {name}.")

    def show(self, event: Event) -> None:
        """Show one event here, on its own: as text, and where a notebook keeps it also as HTML."""
        text = "\n".join(lines(event))
        if not text:
            return
        if getattr(self.shell, "kernel", None) is None:
            print(text)
            return
        from IPython.display import display

        from .html import html

        display({"text/plain": text, "text/html": html(event)}, raw=True)

    def export(self, name: str, path: str, schedule: str | None) -> Exported:
        """Export and say where the files are and when the script runs."""
        exported = self.session.export(name, path, schedule)
        print(f"{exported.path.name} written, with its drivers in wheels/{exported.wheel.name}.")
        print(f"Run it with `uv run {exported.path.name}`, or with Python after `pip install wheels/*.whl`.")
        if exported.schedule:
            from integrator_drivers.schedule import describe

            print(f"It keeps running and works {describe(exported.schedule)}; `--once` runs it now and ends.")
        return exported

    def ask_standing(self, exported: Exported, until: str | None, max_rows: int | None) -> None:
        """Say what a standing approval would allow, and how to give it."""
        standing, code = self.session.unattended.ask(exported, until, max_rows)
        print("\n".join(["", *standing_lines(standing)]))
        code = "" if standing.practice else f" {code}"
        print(f"Approve it with `%approve {standing.name}{code} --standing` within 15 minutes.")

    def approve_standing(self, name: str, code: str) -> None:
        """A person approves unattended runs."""
        standing = self.session.unattended.approve(name, code)
        print(f"Approved. {Path(standing.path).name} may write unattended until {words.moment(standing.until)}.")
        print(f"`%integrator approvals --revoke {standing.id}` ends that.")

    def approvals(self, revoke: str | None) -> Any:
        """What waits and what may run unattended, as a DataFrame; `revoke` ends one of these."""
        import pandas as pd

        if revoke:
            standing = self.session.unattended.revoke(revoke)
            print(f"Revoked. {Path(standing.path).name} only previews from now on where this machine runs it.")
            print("A copy on another machine writes until its receipt is replaced or it ends.")
            return None
        rows = [standing_row(entry) for entry in self.session.unattended.all()]
        for name in self.session.integrations.waiting_names():
            print(f"{name} waits for a decision: `%approve {name}` shows what it would do.")
        return pd.DataFrame(rows, columns=list(STANDING_COLUMNS)) if rows else print("No script may write unattended.")

    # Systems.

    def discover(self, system: str, obj: str | None, sample: int, out: str | None) -> Any:
        """Objects or fields as a DataFrame, kept in `discovered` and, unless the user owns it, in `system_object`."""
        from .frames import to_frame

        runner = self.session.runner
        if obj is None:
            found = discovery.objects(runner, system)
            table = discovery.objects_table(found)
        else:
            found = discovery.fields(runner, self.session.credentials, system, obj, sample)
            table = discovery.field_rows(found)
        frame = to_frame(table)
        self._keep(table.name, frame)
        if obj and sample:
            import pandas as pd

            self._keep(f"{table.name}.sample", pd.DataFrame(found["sample"]))
        if out:
            self.shell.user_ns[out] = frame
        if not self.widgets:
            return frame
        from .search_frame import SearchFrame

        return SearchFrame.of(frame)

    def graph(self, system: str, obj: str | None) -> Any:
        """How the objects of a system, or one of them and its neighbours, refer to each other: a drawing."""
        from ..relations import relations
        from .graph import Graph

        return Graph(relations(self.session.runner, system, obj))

    def drivers(self) -> Any:
        """All drivers as a DataFrame."""
        import pandas as pd

        rows = overview.drivers(self.session.credentials)
        columns = ["name", "purpose", "stability", "state"]
        return pd.DataFrame(rows, columns=columns)

    def docs(self, system: str, question: str) -> Any:
        """The README, or the sections that fit a question, as Markdown."""
        from IPython.display import Markdown

        name = registry.resolve(system)
        if not question:
            return Markdown(registry.docs(name)["README.md"])
        hits = self.session.index.search(question, [name])
        if not hits:
            raise IntegratorError(
                f'The {name} documents have nothing on "{question}".', f"`%docs {name}` shows its README."
            )
        return Markdown("\n\n---\n\n".join(self.session.index.read(hit.id) for hit in hits[:3]))

    def letter(self, system: str, objects: list[str], *, write: bool) -> None:
        """A letter that asks a system's administrator for access."""
        from .letter import letter

        print(letter(registry.manifest(system), objects=objects, write=write))

    def connect(self, system: str) -> None:
        """The form for one system."""
        from .connect import show_form

        if self.executed:
            raise IntegratorError(
                "Nobody can fill in a form while a notebook is executed by a program.",
                "Put the variables into .env beside the notebook.",
            )
        show_form(self.session, system, self.dispatcher if self.widgets else None)

    # The rest.

    def audit(self, what: str, path: str | None, count: int, arguments: argparse.Namespace) -> Any:
        """The log's tail as a DataFrame, its verdict, or an export."""
        log = self.session.audit
        if what == "export":
            if not path:
                raise IntegratorError("Export where to?", "`%audit export audit.csv`, or a file that ends in .json.")
            log.export(Path(path))
            print(f"The audit log is in {path}.")
            return None
        if what == "verify":
            print(log.verify())
            return None
        return audit_frame(log, count, arguments)

    def integrator(self, what: str, arguments: argparse.Namespace) -> Any:
        """Status, settings, practice systems, cancel and resume."""
        if what == "demo":
            started = self.session.start_practice()
            for name in started:
                label = registry.manifest(name).label
                print(f"A practice {label} runs on this machine, with made-up people; see `%discover {name}`.")
            return None
        if what == "config":
            return self._config(arguments)
        if what == "sent":
            return self._sent()
        if what == "approvals":
            return self.approvals(arguments.revoke)
        if what == "cancel":
            self.session.cancel()
            print("Cancelled. Everything so far is kept.")
            return None
        if what == "resume":
            self._do(DIALOG, lambda: False, here=True)
            return None
        width = max(len(subject) for subject, _ in overview.status(self.session))
        for subject, line in overview.status(self.session):
            print(f"{subject:<{width}}  {line}")
        return None

    def _sent(self) -> Any:
        """What the model was given in this dialog, as a DataFrame."""
        import pandas as pd

        from ..agent.sent import SENT_COLUMNS, sent

        rows = self.session.credentials.redactor().redact_data(sent(self.session.dialog.history))
        if rows and all("guided" in row["model"] for row in rows):
            print("Guided mode: no model was asked, nothing of this left this machine.")
        return pd.DataFrame(rows, columns=list(SENT_COLUMNS)) if rows else print("Nothing was sent to a model.")

    def _config(self, arguments: argparse.Namespace) -> None:
        settings = self.session.settings
        for name in dataclasses.fields(settings):
            value = getattr(arguments, name.name, None)
            if value is not None:
                self.session.record("setting", setting=name.name, value=str(value))
                settings.set(name.name, value)
        settings.save()
        for name in dataclasses.fields(settings):
            print(f"{name.name:<16} {getattr(settings, name.name)!r}")

    # How things are shown.

    def _do(self, channel: str, act: Callable[[], bool | None], *, here: bool) -> None:
        """Do `act` and show what it leads to: in this cell (`here`), or where the channel is shown already.

        Where nobody can press buttons, the cell waits until nothing is under way.
        """
        if not self.widgets:
            self._foreground(channel, act)
            return
        view = self._views.get(channel)
        if here or view is None:
            self._open_view(channel, act, missed=not here)
        else:
            act()

    def _open_view(self, channel: str, act: Callable[[], bool | None], *, missed: bool) -> None:
        """A live view in this cell; `missed`: after a kernel restart, begin with what was said before."""
        from .live import LiveView

        self.bridge.open()
        before = list(self.session.dialog.events) if channel == DIALOG else []
        view = LiveView(self.session, self.dispatcher, self.bridge, capture_cell())
        # Nothing is shown before this cell ends, so the view may open after the session took the request.
        old = self._views.get(channel)
        if old is not None:
            self._stops[channel]()
        stop = self._follow(channel, view)
        try:
            fresh = act() is not False
        except BaseException:
            stop()
            if old is not None:
                self._stops[channel] = self._follow(channel, old)
            raise
        if old is not None:
            self.dispatcher.post(old.close)  # after the events that are on their way to it
        self._views[channel], self._stops[channel] = view, stop
        view.open()
        if not fresh or missed:
            view.replay(before)
        if not fresh:
            view.offer_start_again()

    def _cell_of(self, channel: str) -> str:
        view = self._views.get(channel)
        return view.at.cell_id if view else ""

    def _follow(self, channel: str, view: LiveView) -> Callable[[], None]:
        return self.session.listen(channel, lambda event: self.dispatcher.post(lambda: view.show(event)))

    def _foreground(self, channel: str, act: Callable[[], bool | None]) -> None:
        """Show a channel's events one below the other until nothing is under way."""

        def listen(event: Event) -> None:
            passing = (isinstance(event, Said) and event.partial) or (
                isinstance(event, Step) and event.state == "running"
            )
            if isinstance(event, Progress):
                self.dispatcher.post(lambda: page.pass_by(event))
            elif not passing and not isinstance(event, Usage):
                self.dispatcher.post(lambda: page.add(event))

        page = _Page(in_kernel=getattr(self.shell, "kernel", None) is not None)
        stop = self.session.listen(channel, listen)
        try:
            if act() is False:
                for event in self.session.dialog.events:
                    page.add(event)
                print("\nThis was worked on before. `%%integrate --new` starts it again.")
            self.dispatcher.drain(until=lambda: not self.session.working)
        except KeyboardInterrupt:
            if channel == DIALOG:
                self.session.cancel()
            else:
                self.session.stop_run(channel.partition(":")[2])
            self.dispatcher.drain(timeout=10, until=lambda: not self.session.working)
        finally:
            self.dispatcher.run_pending()
            stop()

    def _insert(self, scripts: list[Wrote]) -> None:
        """New script versions, from the background: into cells where the front end can, else a copy in the view."""
        if not self.widgets:
            return

        def put() -> None:
            view = self._views.get(DIALOG)
            for event in scripts:
                at = view.at if view else AskingCell()
                done = partial(view.placed, event.name) if view else lambda placed: None
                self.cells.put(event, at, done)

        self.dispatcher.post(put)

    def _keep(self, name: str, frame: pd.DataFrame) -> None:
        self.known_objects[name] = frame
        self.shell.user_ns["discovered"] = self.known_objects
        variable = name.replace(".", "_").lower()
        mine = self._own.get(variable)
        if variable.isidentifier() and (variable not in self.shell.user_ns or self.shell.user_ns[variable] is mine):
            self.shell.user_ns[variable] = self._own[variable] = frame

    def _save_script(self, name: str, code: str) -> Path:
        """Keep a script as a file where no cell can hold it; an existing file is not overwritten."""
        folder = self.session.workdir
        path = next(
            candidate
            for number in range(1, 1000)
            if not (candidate := folder / f"{name}{f' ({number})' if number > 1 else ''}.py").exists()
            or candidate.read_text(encoding="utf-8") == code
        )
        path.write_text(code, encoding="utf-8")
        return path


class _Page:
    """What a cell shows while it waits: one output that grows, so that a saved notebook reads as a report."""

    def __init__(self, *, in_kernel: bool) -> None:
        self._in_kernel = in_kernel
        self._events: list[Event] = []
        self._shown: Any = None

    def pass_by(self, event: Progress) -> None:
        """How far it has come, on one line of a terminal that the next one overwrites."""
        if not self._in_kernel and sys.stdout.isatty():
            whole = event.total is not None and event.done >= event.total
            print(f"\r\x1b[2K{lines(event)[0]}", end="\n" if whole else "", flush=True)

    def add(self, event: Event) -> None:
        """Show one more event."""
        if not self._in_kernel:
            if found := lines(event):
                print("\n".join(found))
            return
        from IPython.display import display

        from .html import transcript as as_html
        from .text import transcript as as_text

        self._events.append(event)
        bundle = {"text/plain": as_text(self._events), "text/html": as_html(self._events)}
        if self._shown is None:
            self._shown = display(bundle, raw=True, display_id=True)
        else:
            self._shown.update(bundle, raw=True)

"""One notebook as the magics see it: whatever the session does is shown here, in a way this front end can show."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import discovery, overview
from ..errors import IntegratorError
from ..events import Event, Previewed, Said, Step, Wrote
from ..session import DIALOG, Session, run_channel
from .dispatch import Dispatcher
from .text import lines

if TYPE_CHECKING:
    import pandas as pd

    from .bridge import Bridge

__all__ = ["Notebook"]


class Notebook:
    """Shows a session: widgets where a person sits at a notebook, text in a terminal or an executed notebook."""

    def __init__(self, session: Session, shell: Any, *, executed: bool) -> None:
        self.session = session
        self.shell = shell
        self.executed = executed
        self.widgets = not executed and getattr(shell, "kernel", None) is not None
        self.known_objects: dict[str, pd.DataFrame] = {}
        self._own: dict[str, Any] = {}  # variables we made, which may be replaced
        self._bridge: Bridge | None = None
        session.on_scripts = self._insert

    # The dialog.

    def integrate(self, cell: str, *, new: bool, model: str) -> None:
        """Start or continue the dialog and show it in this cell."""
        self._meet_front_end()
        with self._showing(DIALOG) as shown:
            if not self.session.integrate(cell, new=new, model=model):
                shown.stored(self.session.dialog.events)

    def answer(self, text: str) -> None:
        """Answer the open question; what follows appears in the dialog's cell, or here in an executed notebook."""
        with self._showing(DIALOG, own_cell=False):
            self.session.answer(self._option(text))

    def wait(self) -> None:
        """Show what arrives until the dialog and all runs need the user; KeyboardInterrupt only ends the waiting."""
        with self._showing(DIALOG, own_cell=False) as shown:
            shown.finish()

    # Scripts.

    def run_script(self, name: str, code: str | None) -> Previewed | None:
        """Preview one script in this cell; returns the preview where it is known already (foreground)."""
        previews: list[Previewed] = []
        stop = self.session.listen(
            run_channel(name), lambda event: previews.append(event) if isinstance(event, Previewed) else None
        )
        try:
            with self._showing(run_channel(name)):
                self.session.run_script(name, code)
        finally:
            stop()
        return previews[-1] if previews else None

    def approve(self, name: str, code: str) -> None:
        """Approve and run; progress and receipt appear in the script's cell, or here in an executed notebook."""
        with self._showing(run_channel(name), own_cell=False):
            self.session.approve(name, code)

    def reject(self, name: str, why: str) -> None:
        """Void a preview; the dialog goes on from the reason."""
        with self._showing(DIALOG, own_cell=False):
            self.session.reject(name, why)
        print(f"Rejected. Nothing was written by {name}.")

    def show(self, event: Event) -> None:
        """Show one event here, on its own."""
        print("\n".join(lines(event)))

    def export(self, name: str, path: str, schedule: str | None) -> None:
        """Export and say where the files are and when the script runs."""
        exported = self.session.export(name, path, schedule)
        print(f"{exported.path.name} written, with its drivers in wheels/{exported.wheel.name}.")
        print(f"Run it with `uv run {exported.path.name}`, or with Python after `pip install wheels/*.whl`.")
        if exported.schedule:
            from integrator_drivers.schedule import describe

            print(f"It keeps running and works {describe(exported.schedule)}; `--once` runs it now and ends.")

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
        return frame

    def drivers(self) -> Any:
        """All drivers as a DataFrame."""
        import pandas as pd

        rows = overview.drivers(self.session.credentials)
        columns = ["name", "purpose", "stability", "state"]
        return pd.DataFrame(rows, columns=columns)

    def docs(self, system: str, question: str) -> Any:
        """The README, or the sections that fit a question, as Markdown."""
        from integrator_drivers import registry
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

    def connect(self, system: str) -> None:
        """The form for one system."""
        from .connect import show_form

        if self.executed:
            raise IntegratorError(
                "Nobody can fill in a form while a notebook is executed by a program.",
                "Put the variables into .env beside the notebook.",
            )
        show_form(self.session, system, widgets=self.widgets)

    # The rest.

    def audit(self, what: str, path: str | None, count: int) -> Any:
        """The log's tail as a DataFrame, its verdict, or an export."""
        log = self.session.audit
        if what == "export":
            if not path:
                raise IntegratorError("Export where to?", "`%audit export audit.csv`, or a file that ends in .json.")
            log.export(Path(path))
            print(f"The audit log is in {path}.")
            return None
        if what == "verify":
            verdict = log.verify()
            if verdict.whole:
                print(f"The audit log is whole: {verdict.records:,} records.")
            else:
                print(f"The audit log is broken at record {verdict.bad_at}: {verdict.reason}")
            return None
        import pandas as pd

        first = ["n", "at", "person", "event"]
        rows = [{key: record[key] for key in (*first, *sorted(record)) if key in record} for record in log.tail(count)]
        return pd.DataFrame(rows).drop(columns=["previous", "hash"], errors="ignore").fillna("")

    def integrator(self, what: str, arguments: argparse.Namespace) -> Any:
        """Status, settings, practice systems, cancel and resume."""
        if what == "demo":
            started = self.session.start_practice()
            for name in started:
                print(
                    f"Practice {name} runs on this machine, with made-up people; %discover {name} shows what is in it."
                )
            return None
        if what == "config":
            return self._config(arguments)
        if what == "cancel":
            self.session.cancel()
            print("Cancelled. Everything so far is kept.")
            return None
        if what == "resume":
            with self._showing(DIALOG) as shown:
                shown.stored(self.session.dialog.events)
            return None
        width = max(len(subject) for subject, _ in overview.status(self.session))
        for subject, words in overview.status(self.session):
            print(f"{subject:<{width}}  {words}")
        return None

    def _config(self, arguments: argparse.Namespace) -> None:
        settings = self.session.settings
        for name in dataclasses.fields(settings):
            value = getattr(arguments, name.name, None)
            if value is not None:
                settings.set(name.name, value)
        settings.save()
        for name in dataclasses.fields(settings):
            print(f"{name.name:<16} {getattr(settings, name.name)!r}")

    # How things are shown.

    def _showing(self, channel: str, *, own_cell: bool = True) -> _Foreground:
        return _Foreground(self, channel)

    def _option(self, text: str) -> str:
        return text.strip()

    def _keep(self, name: str, frame: pd.DataFrame) -> None:
        self.known_objects[name] = frame
        self.shell.user_ns["discovered"] = self.known_objects
        variable = name.replace(".", "_").lower()
        mine = self._own.get(variable)
        if variable.isidentifier() and (variable not in self.shell.user_ns or self.shell.user_ns[variable] is mine):
            self.shell.user_ns[variable] = self._own[variable] = frame

    def _meet_front_end(self) -> None:
        pass

    def _insert(self, scripts: list[Wrote]) -> None:
        pass


class _Foreground:
    """Shows a channel's events one below the other while the cell waits: terminals and executed notebooks."""

    def __init__(self, notebook: Notebook, channel: str) -> None:
        self.notebook = notebook
        self.dispatcher = Dispatcher()
        self._stop: Callable[[], None] = notebook.session.listen(channel, self._listen)

    def __enter__(self) -> _Foreground:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self._stop()

    def stored(self, events: list[Event]) -> None:
        """Show a dialog that was held before."""
        for event in events:
            self._show(event)
        print("\nThis was worked on before. `%%integrate --new` starts it again.")

    def finish(self) -> None:
        """Show until there is nothing under way; Stop cancels nothing that is written."""
        session = self.notebook.session
        self.dispatcher.drain(until=lambda: not session.working)
        self.dispatcher.run_pending()

    def _listen(self, event: Event) -> None:
        passing = isinstance(event, Said) and event.partial or isinstance(event, Step) and event.state == "running"
        if not passing:
            self.dispatcher.post(lambda: self._show(event))

    def _show(self, event: Event) -> None:
        text = "\n".join(lines(event))
        if not text:
            return
        if getattr(self.notebook.shell, "kernel", None) is None:
            print(text)
            return
        from IPython.display import display

        from .html import html

        display({"text/plain": text, "text/html": html(event)}, raw=True)

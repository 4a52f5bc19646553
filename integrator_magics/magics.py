"""The magics: parse a line, hand over to the session, show what comes back. Nothing is decided here."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import shlex
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand

from .errors import ApprovalRequired, IntegratorError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .session import Session
    from .ui.notebook import Notebook

__all__ = ["IntegratorMagics", "register", "unregister"]


def started_with(name: str) -> str:
    """A variable as this process was started with it, where the system tells (Linux): a cell can't change that."""
    try:
        started = Path("/proc/self/environ").read_bytes()
    except OSError:
        return os.environ.get(name, "")
    entries = dict(entry.partition(b"=")[::2] for entry in started.split(b"\0"))
    return entries.get(name.encode(), b"").decode(errors="replace")


HEADLESS_APPROVAL = started_with("INTEGRATOR_HEADLESS_APPROVAL") == "1"


def register(shell: InteractiveShell) -> None:
    """Add the magics and their completion to a shell."""
    from .ui.dispatch import kernel_loop

    magics = IntegratorMagics(shell)
    for names in magics.magics.values():
        names.update({name: _in_a_sentence(getattr(magics, name), magics.changed) for name in names})
    shell.register_magics(magics)
    for name in COMPLETED:
        shell.set_hook("complete_command", magics.complete, str_key=f"%{name}")
    shell.integrator = magics  # type: ignore[attr-defined]  # found again by unregister
    loop = kernel_loop()
    if loop is not None and not executed_by_program(shell):
        loop.call_soon_threadsafe(magics.open)  # after this cell, which is to end at once


def unregister(shell: InteractiveShell) -> None:
    """Take the magics away; a running dialog is cancelled, stored things stay."""
    magics = shell.__dict__.pop("integrator", None)
    if magics is None:
        return
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    magics.close()


def _in_a_sentence(magic: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    """The magic, with errors of drivers shown like our own: their sentence, no traceback. Calls `after` in any case."""

    @functools.wraps(magic)
    def shown(*arguments: Any) -> Any:
        from integrator_drivers import DriverError

        try:
            return magic(*arguments)
        except DriverError as exc:
            raise IntegratorError(str(exc)) from exc
        finally:
            after()

    return shown


class _Help(Exception):
    """The user asked for --help, which is shown already."""


class LineParser(argparse.ArgumentParser):
    """Parses a magic's line; errors are one sentence, `--help` prints and ends the magic."""

    def error(self, message: str) -> NoReturn:
        raise IntegratorError(f"{self.prog}: {message}.", f"`{self.prog} --help` shows what it takes.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _Help

    def parse(self, line: str) -> argparse.Namespace | None:
        """The arguments; None after --help."""
        try:
            words = shlex.split(line)
        except ValueError as exc:
            raise IntegratorError(f"{self.prog}: {str(exc).lower()}.", "Close the quotation mark.") from exc
        try:
            return self.parse_args(words)
        except _Help:
            return None


def _parser(name: str, description: str) -> LineParser:
    return LineParser(prog=name, description=description)


def executed_by_program(shell: Any) -> bool:
    """True under nbclient, papermill, nbval, or a plain script: nobody can answer."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return not (sys.stdin and sys.stdin.isatty())
    parent = kernel.get_parent("shell") or {}
    return not parent.get("content", {}).get("allow_stdin", True)


def notebook_name(shell: Any) -> str:
    """A stable name for this notebook: its path where the front end tells it, else the folder (and the process)."""
    path = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    if path:
        return str(path)
    folder = f"folder {Path.cwd()}"
    return f"{folder}, process {os.getpid()}" if executed_by_program(shell) else folder


@magics_class
class IntegratorMagics(Magics):
    """One notebook's magics; the session behind them is made at the first use."""

    @cached_property
    def session(self) -> Session:
        from .session import Session

        return Session(notebook_name(self.shell), Path.cwd())

    @cached_property
    def notebook(self) -> Notebook:
        from .ui.notebook import Notebook

        return Notebook(self.session, self.shell, executed=executed_by_program(self.shell))

    def open(self) -> None:
        """Tell the front end that we are here. What keeps us from it is said by the first magic that is used."""
        with contextlib.suppress(IntegratorError):
            self.notebook.open()

    def changed(self) -> None:
        """A magic was used: the side panel may show something new."""
        if "notebook" in self.__dict__:
            self.notebook.panel.refresh()

    def close(self) -> None:
        """End background work; called when the extension is unloaded."""
        if "notebook" in self.__dict__:
            self.notebook.close()
        if "session" in self.__dict__:
            self.session.close()

    @no_var_expand
    @cell_magic
    def integrate(self, line: str, cell: str) -> None:
        """Describe an integration in plain words; the script arrives in a new cell."""
        parser = _parser("%%integrate", "Describe below, in plain words, what you need.")
        parser.add_argument("--new", action="store_true", help="forget the dialog so far and start afresh")
        parser.add_argument(
            "--model", default="", help='for this dialog, such as "anthropic:claude-sonnet-4-5" or guided'
        )
        if arguments := parser.parse(line):
            self.notebook.integrate(cell, new=arguments.new, model=arguments.model)

    @no_var_expand
    @line_cell_magic
    def integration(self, line: str, cell: str | None = None) -> None:
        """Preview a script, ask for approval, run it: always in the sandbox, never in this kernel."""
        parser = _parser("%%integration", "Run this script (as %integration NAME: the stored one) in the sandbox.")
        parser.add_argument("name")
        if arguments := parser.parse(line):
            preview = self.notebook.run_script(arguments.name, cell)
            if preview is not None and preview.writes and executed_by_program(self.shell):
                self._require_possible_approval(preview)

    @no_var_expand
    @line_magic
    def answer(self, line: str) -> None:
        """Answer the open question: an option's label or number, or your own words."""
        if self._help("answer", "%answer TEXT", line):
            return
        self.notebook.answer(line)

    @no_var_expand
    @line_magic
    def approve(self, line: str) -> None:
        """Approve the waiting preview of NAME; CODE is the word shown with it. Without CODE: what is waiting."""
        parser = _parser("%approve", "Approve the waiting preview of a script, and run exactly that.")
        parser.add_argument("name", nargs="?")
        parser.add_argument("code", nargs="?", default="")
        parser.add_argument("--standing", action="store_true", help="approve unattended runs of the exported script")
        parser.add_argument("--first", type=int, metavar="N", help="only the first N rows; then look, and decide again")
        arguments = parser.parse(line)
        if arguments is None:
            return
        if arguments.standing:
            if not arguments.name:
                raise ApprovalRequired("Approve unattended runs of which script?", "`%approve NAME CODE --standing`.")
            self.notebook.approve_standing(arguments.name, arguments.code)
            return
        waiting = self.session.integrations.waiting_names()
        name = arguments.name or (waiting[0] if len(waiting) == 1 else "")
        if not name:
            names = ", ".join(waiting) or "nothing"
            raise ApprovalRequired(f"Waiting for a decision: {names}.", "Name one: `%approve NAME CODE`.")
        preview = self.session.integrations.waiting(name)
        if preview.code and not arguments.code:
            self.notebook.show(preview)
            return
        if preview.code and executed_by_program(self.shell) and not HEADLESS_APPROVAL:
            self._require_possible_approval(preview)
        self.notebook.approve(name, arguments.code, arguments.first)

    @no_var_expand
    @line_magic
    def reject(self, line: str) -> None:
        """Void the waiting preview of NAME; the words after it tell the agent what to change."""
        if self._help("reject", "%reject NAME [why]", line):
            return
        name, _, why = line.strip().partition(" ")
        if not name:
            raise IntegratorError("Reject which script?", "`%reject NAME why`.")
        self.notebook.reject(name, why.strip())

    @line_magic
    def wait(self, line: str) -> None:
        """Wait until the dialog is done or needs you; Stop ends the waiting, not the dialog."""
        if not self._help("wait", "%wait", line):
            self.notebook.wait()

    @line_magic
    def discover(self, line: str) -> Any:
        """The objects of a system, or the field dictionary of one; real DataFrames, only reading."""
        parser = _parser("%discover", "What is in a system: its objects, or the fields of one. Only reads.")
        parser.add_argument("system")
        parser.add_argument("object", nargs="?")
        parser.add_argument(
            "--sample", type=int, default=0, metavar="N", help="fill rate and masked examples of N records"
        )
        parser.add_argument("--out", metavar="VAR", help="also assign the DataFrame to this variable")
        parser.add_argument("--graph", action="store_true", help="draw how the objects refer to each other")
        arguments = parser.parse(line)
        if arguments is None:
            return None
        if arguments.graph:
            return self.notebook.graph(arguments.system, arguments.object)
        return self.notebook.discover(arguments.system, arguments.object, arguments.sample, arguments.out)

    @line_magic
    def drivers(self, line: str) -> Any:
        """Every driver, what it is for, and whether it is connected."""
        if self._help("drivers", "%drivers", line):
            return None
        return self.notebook.drivers()

    @no_var_expand
    @line_magic
    def docs(self, line: str) -> Any:
        """Read a driver's README, or search its documents: `%docs SYSTEM [question]`."""
        if self._help("docs", "%docs SYSTEM [question]", line):
            return None
        system, _, question = line.strip().partition(" ")
        if not system:
            raise IntegratorError("Docs of which system?", "`%docs salesforce paging`; `%drivers` lists all.")
        return self.notebook.docs(system, question.strip())

    @line_magic
    def connect(self, line: str) -> None:
        """A form for what a system needs; written to .env (mode 0600), then checked live."""
        parser = _parser("%connect", "Fill in what a driver needs; values go to .env and nowhere else.")
        parser.add_argument("system")
        parser.add_argument("--letter", nargs="*", metavar="OBJECT", help="a letter that asks for access to these")
        parser.add_argument("--write", action="store_true", help="with --letter: to write them too")
        if arguments := parser.parse(line):
            if arguments.letter is not None:
                self.notebook.letter(arguments.system, arguments.letter, write=arguments.write)
            else:
                self.notebook.connect(arguments.system)

    @line_magic
    def export(self, line: str) -> None:
        """Write the approved script to a file that runs anywhere."""
        parser = _parser("%export", "Write the approved script to a .py file, with its drivers in wheels/ beside it.")
        parser.add_argument("name")
        parser.add_argument("path")
        parser.add_argument("--schedule", metavar="CRON", help='when it runs, such as "0 2 * * *"')
        parser.add_argument("--unattended", action="store_true", help="ask for a standing approval of these runs")
        parser.add_argument("--until", metavar="DATE", help="the last day of the standing approval")
        parser.add_argument("--max-rows", type=int, metavar="N", help="rows that one unattended run may write")
        if arguments := parser.parse(line):
            exported = self.notebook.export(arguments.name, arguments.path, arguments.schedule)
            if arguments.unattended:
                self.notebook.ask_standing(exported, arguments.until, arguments.max_rows)

    @line_magic
    def audit(self, line: str) -> Any:
        """The audit log: `%audit`, `%audit tail`, `%audit verify`, `%audit export PATH`."""
        parser = _parser("%audit", "What was asked, read, decided and written.")
        parser.add_argument("what", nargs="?", choices=["tail", "verify", "export"], default="tail")
        parser.add_argument("path", nargs="?")
        parser.add_argument("-n", type=int, default=10, help="how many records")
        parser.add_argument("--event", help="such as prompt, discovery, preview, decision, run, export")
        parser.add_argument("--system", help="that had to do with this system")
        parser.add_argument("--name", help="of this script")
        parser.add_argument("--person")
        parser.add_argument("--actor", choices=["human", "agent", "program"], help="who started it")
        parser.add_argument("--since", metavar="DATE", help="from this day, or this moment, on")
        if arguments := parser.parse(line):
            return self.notebook.audit(arguments.what, arguments.path, arguments.n, arguments)
        return None

    @line_magic
    def integrator(self, line: str) -> Any:
        """Status and next step; `demo` starts practice systems; `config`, `cancel`, `resume`."""
        parser = _parser("%integrator", "Status and next step, settings, practice systems.")
        parser.add_argument(
            "what",
            nargs="?",
            default="status",
            choices=["status", "config", "demo", "cancel", "resume", "approvals", "sent"],
        )
        parser.add_argument("--revoke", metavar="ID", help="approvals: end this standing approval")
        parser.add_argument("--model")
        parser.add_argument("--ceiling", type=float, help="USD per dialog")
        parser.add_argument("--sandbox", choices=["embedded", "e2b"])
        parser.add_argument(
            "--personal-values", choices=["yes", "no"], help="may values of personal fields reach the model"
        )
        if arguments := parser.parse(line):
            return self.notebook.integrator(arguments.what, arguments)
        return None

    def complete(self, shell: Any, event: Any) -> list[str]:
        """Arguments of the magics, from what is known already: never a call to a system."""
        from integrator_drivers import registry

        from .connecting import SERVICES

        words = event.line.split()
        position = len(words) - (0 if event.line.endswith(" ") else 1)
        magic = words[0].lstrip("%") if words else ""
        if magic in ("discover", "docs", "connect"):
            if position == 1:
                return [*registry.names(), *(SERVICES if magic == "connect" else ())]
            if magic == "discover" and position == 2:
                prefix = f"{words[1]}."
                return [key.removeprefix(prefix) for key in self._known_objects() if key.startswith(prefix)]
            return ["--sample", "--out", "--graph"] if magic == "discover" else []
        if magic in ("approve", "reject", "export", "integration") and position == 1 and "session" in self.__dict__:
            return self.session.store.names()
        return {
            "audit": ["tail", "verify", "export"],
            "integrator": ["status", "config", "demo", "cancel", "resume", "approvals", "sent"],
        }.get(magic, [])

    def _known_objects(self) -> list[str]:
        return list(self.notebook.known_objects) if "notebook" in self.__dict__ else []

    def _require_possible_approval(self, preview: Any) -> None:
        if preview.practice or HEADLESS_APPROVAL:
            return
        raise ApprovalRequired(
            f"{preview.name} needs a person's approval, and this notebook is executed by a program; "
            "nothing was written.",
            "Approve it in JupyterLab, or start the kernel with INTEGRATOR_HEADLESS_APPROVAL=1.",
        )

    def _help(self, magic: str, usage: str, line: str) -> bool:
        if line.strip() not in ("-h", "--help"):
            return False
        print(f"usage: {usage}\n\n{getattr(self, magic).__doc__}")
        return True


COMPLETED = ("discover", "docs", "connect", "approve", "reject", "export", "integration", "audit", "integrator")

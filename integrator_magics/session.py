"""One notebook's conversation. Emits typed events, knows no widget; every room below is reached through here."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrator_drivers import registry

from .audit import acting, warm
from .background import Background
from .config import Settings, cache_folder, home
from .dialog import DIALOG, Dialog, run_channel
from .errors import IntegratorError, RunFailed
from .events import Answered, Asked, Decided, Ended, Event, Opened, Option, Said, Step, Wrote
from .export import Exported, ScriptStore
from .failing import failed

if TYPE_CHECKING:
    from .agent import Workspace
    from .audit import AuditLog
    from .credentials import Credentials
    from .integration import Integrations
    from .knowledge import Index
    from .policy import Approvals
    from .sandbox import Runner
    from .unattended import Unattended

__all__ = ["DIALOG", "Session", "run_channel"]

log = logging.getLogger(__name__)
TRY_AGAIN, REPAIR = "Try again", "Repair it"
Listener = Callable[[Event], None]
Watcher = Callable[[str, "Event | None"], None]


class Session:
    """The conversation, scripts and systems of one notebook.

    Methods return at once unless they say otherwise; what follows arrives at listeners, on a background thread.
    `notebook` is the notebook's path or another stable name; files of scripts are written to `workdir`.
    """

    def __init__(self, notebook: str, workdir: Path, settings: Settings | None = None) -> None:
        self.notebook = notebook
        self.workdir = workdir
        self.settings = settings or Settings.load()
        self.home = home()
        self.dialog = Dialog.load(self.home, notebook)
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._watchers: list[Watcher] = []
        self._background = Background()
        self._turn: Future[None] | None = None
        self._runs: dict[str, Future[None]] = {}
        self._model = ""
        self.practice: dict[str, Any] = {}
        self._wrote: dict[str, Wrote] = {}
        self._retry: Callable[[], None] | None = None
        self._offered: list[str] = []  # options of the last failure
        self._offered_in = DIALOG  # and the channel it was shown on
        self._broken: tuple[str, str] | None = None  # script whose preview failed last, and why
        self.on_scripts: Callable[[list[Wrote]], None] = lambda scripts: None
        warm()  # the first record need not wait for the process that writes it

    # The rooms below, each made when it is first needed.

    @cached_property
    def credentials(self) -> Credentials:
        from .credentials import Credentials

        return Credentials(self.workdir, self.home)

    @cached_property
    def audit(self) -> AuditLog:
        from .audit import AuditLog

        return AuditLog(self.home / "audit", redactor=self.credentials.redactor())

    @cached_property
    def approvals(self) -> Approvals:
        from .policy import Approvals

        return Approvals(self.home / "approvals.sqlite")

    @cached_property
    def runner(self) -> Runner:
        from .sandbox import Runner

        return Runner(self.credentials, self.audit, self.settings, self.workdir)

    @cached_property
    def store(self) -> ScriptStore:
        return ScriptStore(self.home, self.notebook)

    @cached_property
    def index(self) -> Index:
        from .knowledge import Index

        return Index(cache_folder())

    @cached_property
    def unattended(self) -> Unattended:
        from .unattended import Unattended

        return Unattended(self.store, self.approvals, self.audit)

    @cached_property
    def integrations(self) -> Integrations:
        from .integration import Integrations

        return Integrations(
            self.notebook,
            self.workdir,
            credentials=self.credentials,
            audit=self.audit,
            approvals=self.approvals,
            runner=self.runner,
            store=self.store,
        )

    @property
    def made_integrations(self) -> Integrations | None:
        """The scripts on their way; None as long as none was previewed."""
        return self.__dict__.get("integrations")

    # Listening.

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with each event of a channel; returns how to stop that."""
        self._listeners[channel].append(listener)
        return lambda: self._listeners[channel].remove(listener)

    def watch(self, watcher: Watcher) -> None:
        """Have `watcher(channel, event)` called with everything; the event is None when a piece of work has ended."""
        self._watchers.append(watcher)

    def emit(self, event: Event, channel: str = DIALOG) -> None:
        """Tell everybody who listens; the dialog's events are kept on disk. Any thread may call."""
        if channel == DIALOG:
            if not (isinstance(event, Said) and event.partial):
                self.dialog.events.append(event)
            if isinstance(event, Wrote):
                self._wrote[event.name] = event
        for listener in list(self._listeners[channel]):
            listener(event)
        self._tell(channel, event)

    def _tell(self, channel: str, event: Event | None) -> None:
        for watcher in list(self._watchers):
            watcher(channel, event)

    # The dialog.

    @property
    def busy(self) -> bool:
        """True while the agent works on a turn."""
        return self._turn is not None and not self._turn.done()

    @property
    def working(self) -> bool:
        """True while the agent or a run is under way."""
        return self.busy or bool(self.running)

    @property
    def running(self) -> list[str]:
        """Names of the scripts whose preview or run is under way."""
        return [name for name, run in self._runs.items() if not run.done()]

    def integrate(self, prompt: str, *, new: bool = False, model: str = "") -> bool:
        """Start or continue the dialog; False when this very text was worked on before and nothing was started.

        While a question waits, the text is its answer. Raises IntegratorError in one sentence.
        """
        prompt = prompt.strip()
        if not prompt:
            raise IntegratorError(
                "Nothing to do yet: the cell is empty.",
                "Write below %%integrate what you need, for example: "
                "Sync leads from Salesforce to PostgreSQL: name, email.",
            )
        self._require_idle()
        self._require_no_secret(prompt)
        if model:
            from .agent import choose

            choose(self.settings, self.credentials, model)  # raises where there is no such model
            self._model = model
        if not new and self.dialog.state == "asking" and prompt not in self.dialog.prompts:
            self.answer(prompt)
            return True
        if not new and prompt in self.dialog.prompts:
            return False
        self.record("prompt", text=prompt)
        if new:
            self.dialog.start_again()
        self.dialog.prompts.append(prompt)
        self._start(self._converse(prompt, answer=False, opening=prompt))
        return True

    def answer(self, text: str) -> None:
        """The user's answer to the open question, or the label of an option of a failure."""
        text = text.strip()
        self._require_idle()
        if not text:
            raise IntegratorError("The answer is empty.", "Type one, or press one of the buttons.")
        if self._offered and self.dialog.state != "asking":
            self._choose(text)
            return
        if self.dialog.state != "asking":
            raise IntegratorError("No question is waiting for an answer.", "Describe what you need with %%integrate.")
        asked = next((event for event in reversed(self.dialog.events) if isinstance(event, Asked)), None)
        if asked and text.isdecimal() and 0 < int(text) <= len(asked.options):
            text = asked.options[int(text) - 1].label
        self._require_no_secret(text)
        self.record("answer", question=self.dialog.question, text=text)
        self.emit(Answered(text))
        self._start(self._converse(text, answer=True))

    @property
    def answer_channel(self) -> str:
        """Where the next answer takes effect: the dialog, or the script whose failure offers options."""
        return self._offered_in if self._offered and self.dialog.state != "asking" else DIALOG

    def _choose(self, text: str) -> None:
        """An option of the last failure, by its label or number."""
        self.record("answer", question="What now?", text=text)
        options, self._offered = self._offered, []
        choice = options[int(text) - 1] if text.isdecimal() and 0 < int(text) <= len(options) else text
        if choice == REPAIR and self._broken is not None:
            name, error = self._broken
            self._go_on(f"The preview of {name} failed: {error} Repair the script.")
        elif choice == TRY_AGAIN:
            self.retry()
        else:
            self._offered = options
            raise IntegratorError(f'"{text}" is not one of the options.', f"They are: {', '.join(options)}.")

    def cancel(self) -> None:
        """End what the dialog is doing; everything done so far stays."""
        self.record("cancel")
        if self.busy and self._turn is not None:
            self.runner.cancel()
            self._turn.cancel()
        elif self.dialog.state == "asking":
            self.dialog.state = "cancelled"
            self.emit(Ended("cancelled", "Cancelled. Nothing was written; everything so far is kept."))
            self.dialog.save()

    def start_again(self) -> None:
        """A fresh dialog with the text of the newest prompt."""
        self._require_idle()
        prompts = self.dialog.prompts
        if not prompts:
            raise IntegratorError("There is no dialog to start again.", "Describe what you need with %%integrate.")
        self.integrate(prompts[-1], new=True)

    def retry(self) -> None:
        """Do the step that failed once more."""
        self._require_idle()
        if self._retry:
            self._retry()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the dialog and all runs are done or need the user; whether that is so now."""
        for future in [entry for entry in (self._turn, *self._runs.values()) if entry is not None]:
            try:
                future.result(timeout)
            except TimeoutError:
                return False
            except CancelledError:
                log.debug("a background step was cancelled")
        return True

    # Scripts.

    def run_script(self, name: str, code: str | None = None) -> None:
        """Preview a script (the stored one without `code`); one that only reads and is known to be right just runs."""
        if code is None:
            code = self.store.latest(name).code
        if name in self._runs and not self._runs[name].done():
            raise IntegratorError(f"{name} is still running.", "Wait for it, or stop it first.")
        self._retry = lambda: self.run_script(name, code)
        self._runs[name] = self._submit(self._work(name, lambda: self._preview(name, code)))

    def approve(self, name: str, code: str = "", first: int | None = None) -> None:
        """Approve the waiting preview of a script and run exactly that; with `first` so many rows, then ask again."""
        self.integrations.waiting(name)
        emit = self._emitter(name)

        def work() -> None:
            emit(self.integrations.approve(name, code, emit, first))
            if first is not None:
                emit(self.integrations.preview_rest(name, emit))

        self._runs[name] = self._submit(self._work(name, work))

    def confirm(self, name: str, yes: bool, why: str = "") -> None:
        """The answer to "Does this look right?"."""
        self.approve(name) if yes else self.reject(name, why)

    def reject(self, name: str, why: str = "") -> None:
        """Void the preview; with a reason the dialog goes on from it."""
        self._require_no_secret(why)
        self.integrations.reject(name, why, self._emitter(name))
        if why.strip() and not self.busy and name in self._names_of_dialog():
            self._go_on(why)

    def change(self, text: str) -> None:
        """A wish for the script that was written last, such as an edit of its mapping."""
        self._require_idle()
        self._require_no_secret(text)
        self.emit(Answered(text, unasked=True))
        self._go_on(text)

    def _go_on(self, text: str) -> None:
        """A further prompt, whether or not a question is open."""
        self.record("prompt", text=text)
        self.dialog.prompts.append(text)
        self._start(self._converse(text, answer=False, opening=text))

    def stop_run(self, name: str) -> None:
        """Stop the run of a script; what is written stays and is reported."""
        self.record("cancel", name=name)
        self.runner.cancel(name)

    def export(self, name: str, path: str, schedule: str | None = None) -> Exported:
        """Write the approved script to a file; blocks. Relative paths are seen from the notebook's folder."""
        target = Path(path).expanduser()
        target = target if target.is_absolute() else self.workdir / target
        return self.unattended.export(name, target, schedule, self.credentials.find_secret)

    # Systems.

    def in_background(self, work: Callable[[], None]) -> None:
        """Do blocking work off the main thread."""
        self._submit(asyncio.to_thread(work))

    def start_practice(self, *systems: str) -> dict[str, Any]:
        """Start practice systems (all there are, without names) and use them from now on; blocks some seconds."""
        import integrator_practice

        wanted = systems or [name for name, entry in registry.manifests().items() if entry.practice]
        for name in wanted:
            if name not in self.practice:
                practice = integrator_practice.start(name)
                self.practice[name] = practice
                self.credentials.use_practice(name, practice.env)
        return {name: self.practice[name] for name in wanted}

    def close(self) -> None:
        """End practice systems and background work; stored things stay."""
        if self.busy:
            self.cancel()
        self.wait(5)
        for name, practice in self.practice.items():
            self.credentials.drop_practice(name)
            practice.close()
        self.practice.clear()
        if "runner" in self.__dict__:
            self.runner.close()
        self._background.close()

    # How it works inside.

    async def _converse(self, text: str, *, answer: bool, opening: str = "") -> None:
        """One turn of the agent, from a prompt or an answer to the next question or the end."""
        from .agent import Agent, choose

        self.dialog.state = "working"
        self._wrote.clear()
        self._retry = lambda: self._start(self._converse(text, answer=answer))
        try:
            choice = await asyncio.to_thread(choose, self.settings, self.credentials, self._model)
            if opening:
                backend, level, _ = await asyncio.to_thread(self.runner.describe)
                self.emit(Opened(opening, choice.label, f"{backend} ({level})"))
            if choice.notice:
                self.emit(Step("model", "Model", choice.notice))
            agent = Agent(self.workspace, choice)
            call = self.dialog.call if answer else ""
            with acting("agent"):
                turn = await agent.turn(self.dialog.history, text, call=call)
            self.dialog.history = turn.history
            self.dialog.call = turn.call
            if turn.question:
                self.dialog.state = "asking"
                self.dialog.question = turn.question
                self.emit(Asked(turn.question, [Option(**entry) for entry in turn.options]))
            else:
                self.dialog.state = "done"
                self.emit(Ended(turn.state, turn.text))
        except asyncio.CancelledError:
            self.dialog.state = "cancelled"
            self.emit(Ended("cancelled", "Cancelled. Nothing was written; everything so far is kept."))
        except Exception as exc:  # noqa: BLE001 - a defect must not leave the dialog at "working" for ever
            self.dialog.state = "failed"
            self._fail(exc, DIALOG)
        finally:
            self._deliver()
            self.dialog.save()

    def _deliver(self) -> None:
        """Hand the scripts of this turn to whoever shows them in cells."""
        if self._wrote:
            self.on_scripts(list(self._wrote.values()))

    @cached_property
    def workspace(self) -> Workspace:
        """What the agent's tools work on."""
        from .agent import Workspace

        return Workspace(
            runner=self.runner,
            credentials=self.credentials,
            index=self.index,
            audit=self.audit,
            settings=self.settings,
            scripts=self.store,
            emit=self.emit,
            notebook=self.notebook,
            preview=lambda name: self.integrations.preview(name, self.store.latest(name).code, self.emit),
        )

    def _preview(self, name: str, code: str) -> None:
        emit = self._emitter(name)
        emit(Step("preview", f"Preview of {name}", "read-only run", "running"))
        try:
            preview = self.integrations.preview(name, code, emit)
        except RunFailed as exc:
            self._broken = (name, str(exc))
            raise
        self._broken = None
        emit(Step("preview", f"Preview of {name}", "read-only run", "done", preview.seconds))
        emit(preview)
        if not preview.writes and not preview.needs_decision:
            emit(self.integrations.run_reader(name, emit))

    async def _work(self, name: str, work: Callable[[], None]) -> None:
        channel = run_channel(name)
        try:
            await asyncio.to_thread(work)
        except Exception as exc:  # noqa: BLE001 - see _fail
            self._fail(exc, channel)

    def _fail(self, exc: Exception, channel: str) -> None:
        """Show an error; a run that failed can be tried again, and repaired where a model holds the dialog."""
        options: list[Option] = []
        if isinstance(exc, RunFailed):
            options.append(Option(TRY_AGAIN))
            if self._broken is not None and not self._guided():
                options.append(Option(REPAIR, "the agent looks at what went wrong and changes the script"))
            self._offered, self._offered_in = [option.label for option in options], channel
        self.emit(failed(exc, options, self.home, self.credentials.redactor().redact), channel)

    def _guided(self) -> bool:
        from .agent import choose

        return choose(self.settings, self.credentials, self._model).guided

    def _emitter(self, name: str) -> Listener:
        channel = run_channel(name)
        return lambda event: self.emit(event, channel)

    def _names_of_dialog(self) -> set[str]:
        return {event.name for event in self.dialog.events if isinstance(event, (Wrote, Decided))}

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self.dialog.state = "working"
        self._turn = self._submit(work)

    def _submit(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        future = self._background.submit(work)
        future.add_done_callback(lambda _: self._tell(DIALOG, None))
        return future

    def _require_idle(self) -> None:
        if self.busy:
            raise IntegratorError(
                "I am still working on the last request.", "`%wait` waits; `%integrator cancel` ends it."
            )

    def _require_no_secret(self, text: str) -> None:
        from .errors import SecretInText

        if kind := self.credentials.find_secret(text):
            raise SecretInText(
                f"This text holds what looks like a credential ({kind}), so it was neither sent nor stored.",
                "Take it out and use `%connect SYSTEM`, which keeps it in .env.",
            )

    def record(self, event: str, **facts: Any) -> int:
        return self.audit.append({"event": event, "notebook": self.notebook, **facts})

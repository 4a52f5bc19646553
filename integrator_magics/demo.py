"""`integrator demo`: the main conversation on practice systems, at a terminal, without any account."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .events import Event, Previewed, Progress, Ran
from .session import DIALOG, Session, run_channel

__all__ = ["demo"]

E = TypeVar("E", bound=Event)
PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us"
ANSWER = "LeadSource - and only the leads of the last 30 days"
CHANGE = "Perfect! But I want this to run every night."


def demo(*, headless: bool, out: Callable[[str], None] = print) -> int:
    """Play the conversation; with `headless` it answers and approves by itself. Returns an exit code."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="integrator-demo-") as folder:
        # A demo leaves nothing in the log and the scripts of the person who tries it.
        os.environ.setdefault("INTEGRATOR_HOME", str(Path(folder) / "home"))
        return _play(Path(folder), headless, out, started)


def _play(folder: Path, headless: bool, out: Callable[[str], None], started: float) -> int:
    from .config import Settings
    from .ui.text import lines

    settings = Settings.load()
    settings.model = settings.model or ("guided" if headless else "")
    session = Session(f"demo {os.getpid()}", folder, settings)

    def show(event: Event) -> None:
        passing = getattr(event, "partial", False) or getattr(event, "state", "") == "running"
        if not passing and not isinstance(event, Progress):
            out("\n".join(lines(event)))

    def say(text: str) -> None:
        out(f"\n> {text}\n")

    try:
        out("Starting practice systems: a Salesforce and a PostgreSQL on this machine, with made-up people.")
        session.start_practice()
        session.listen(DIALOG, show)
        say(f"%%integrate\n> {PROMPT}")
        session.integrate(PROMPT)
        session.wait()
        while session.dialog.state == "asking":
            answer = ANSWER if headless else input("\nYour answer: ")
            if headless:
                say(f"%answer {ANSWER}")
            session.answer(answer or ANSWER)
            session.wait()
        names = session.store.names()
        if session.dialog.state != "done" or not names:
            out("\nThe dialog ended without a script, so there is nothing to run.")
            return 1
        name = names[0]
        session.listen(run_channel(name), show)
        say(f"%integration {name}")
        preview = _last(session, name, lambda: session.run_script(name), Previewed)
        if preview is None:
            return 1
        if not headless and input("\nApprove? Type yes: ").strip().lower() != "yes":
            session.reject(name, "")
            out("\nNothing was written.")
            return 0
        say(f"%approve {name}")
        if _last(session, name, lambda: session.approve(name, preview.code), Ran) is None:
            return 1
        say(f"%%integrate\n> {CHANGE}")
        session.integrate(CHANGE)
        session.wait()
        target = Path.cwd() / f"{name}.py" if not headless else folder / f"{name}.py"
        say(f"%export {name} {target.name}")
        exported = session.export(name, str(target))
        out(f"{target.name} written ({exported.path.stat().st_size:,} bytes), its drivers in wheels/ beside it.\n")
        out(target.read_text(encoding="utf-8"))
        say(f"python {target.name} --once")
        code = _run_exported(session, target, out)
        verdict = session.audit.verify()
        out(
            f"\nAudit log: {verdict.records:,} records, "
            + ("whole." if verdict.whole else f"broken at record {verdict.bad_at}: {verdict.reason}.")
        )
        out(f"Done in {time.monotonic() - started:.0f} s.")
        return code or (0 if verdict.whole else 1)
    finally:
        session.close()


def _last(session: Session, name: str, act: Callable[[], None], kind: type[E]) -> E | None:
    """Do `act` and return the last event of `kind` it led to on the script's channel."""
    found: list[E] = []

    def keep(event: Event) -> None:
        if isinstance(event, kind):
            found.append(event)

    stop = session.listen(run_channel(name), keep)
    act()
    session.wait()
    stop()
    return found[-1] if found else None


def _run_exported(session: Session, path: Path, out: Callable[[str], None]) -> int:
    """Run the file as its owner would, outside the sandbox, with the practice systems' variables."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("INTEGRATOR_")}
    for practice in session.practice.values():
        env |= practice.env
    done = subprocess.run(
        [sys.executable, path, "--once"], env=env, capture_output=True, text=True, cwd="/", check=False
    )
    out((done.stdout + done.stderr).rstrip())
    return done.returncode

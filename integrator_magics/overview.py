"""Where things stand, as rows: drivers, status, and what `integrator doctor` checks."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from integrator_drivers import registry

if TYPE_CHECKING:
    from .credentials import Credentials
    from .session import Session

__all__ = ["doctor", "drivers", "status"]


def drivers(credentials: Credentials) -> list[dict[str, Any]]:
    """Every driver: name, label, purpose, stability, state in words, what is missing."""
    rows = []
    for name, entry in sorted(registry.manifests().items()):
        state = credentials.state(entry)
        if state.practice:
            words = "practice system, connected"
        elif state.connected:
            words = "ready to connect"
        else:
            words = f"needs {', '.join(state.missing)}"
        rows.append(
            {
                "name": name,
                "label": entry.label,
                "purpose": entry.purpose,
                "stability": entry.stability,
                "state": words,
                "connected": state.connected,
                "missing": list(state.missing),
            }
        )
    return rows


def status(session: Session) -> list[tuple[str, str]]:
    """What `%integrator` shows: pairs of a subject and one line about it, the next step last."""
    from .agent import choose

    choice = choose(session.settings, session.credentials, "")
    backend, level, reason = session.runner.describe()
    verdict = session.audit.verify()
    connected = [row["label"] for row in drivers(session.credentials) if row["connected"]]
    waiting = session.integrations.waiting_names()
    scripts = session.store.names()
    lines = [
        ("Model", choice.label + (f"; {choice.notice}" if choice.notice else "")),
        ("Sandbox", f"{backend} ({level})" + (f": {reason}" if reason else "")),
        ("Systems", ", ".join(connected) or "none connected yet"),
        ("Scripts", ", ".join(scripts) or "none yet"),
        ("Dialog", session.dialog.state),
        ("Audit", f"{verdict.records:,} records, " + ("whole" if verdict.whole else f"broken at {verdict.bad_at}")),
    ]
    if waiting:
        step = f"decide on {waiting[0]}: `%approve {waiting[0]}` shows what it would do"
    elif session.dialog.state == "asking":
        step = f"answer the question: {session.dialog.question} (`%answer ...`)"
    elif not connected:
        step = "`%integrator demo` for practice systems, or `%connect salesforce` for your own"
    else:
        step = "write `%%integrate` in a cell and, below it, what you need"
    return [*lines, ("Next", step)]


def doctor(session: Session) -> list[dict[str, Any]]:
    """Checks as {what, ok, needed, detail}: isolation, file modes, the log, versions, optional parts."""
    backend, level, reason = session.runner.describe()
    verdict = session.audit.verify()
    mode = session.home.stat().st_mode & 0o777
    checks = [
        _check(
            "isolation", str(level) in ("full", "reduced", "remote"), f"{backend} ({level}) {reason}".strip(), False
        ),
        _check("state folder", sys.platform == "win32" or mode & 0o077 == 0, f"{session.home}, mode {mode:o}", True),
        _check(
            "audit log",
            verdict.whole,
            f"{verdict.records:,} records"
            + ("" if verdict.whole else f", broken at {verdict.bad_at}: {verdict.reason}"),
            True,
        ),
        _check("bubblewrap", shutil.which("bwrap") is not None, shutil.which("bwrap") or "not installed", False),
    ]
    for package in ("ipython", "jupyterlab", "ipywidgets", "anthropic", "pydantic-ai-slim", "e2b", "psycopg", "pandas"):
        try:
            checks.append(_check(package, True, version(package), True))
        except PackageNotFoundError:
            checks.append(_check(package, False, "not installed", package not in ("e2b",)))
    for row in drivers(session.credentials):
        checks.append(_check(row["label"], row["connected"], row["state"], False))
    return checks


def _check(what: str, ok: bool, detail: str, needed: bool) -> dict[str, Any]:
    return {"what": what, "ok": ok, "needed": needed, "detail": detail}

"""How a run ended, in a word and a sentence, from what is known about its process."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Mapping
from typing import Any

from .protocols import Frame, Limits, ScriptError, Status

__all__ = ["verdict"]


def verdict(
    stop: Status | None,
    what: str,
    limits: Limits,
    returncode: int | None,
    ended: Mapping[str, Any],
    last_line: str,
) -> tuple[Status, ScriptError | None, int | None]:
    """Status, error and exit code.

    `stop` and `what`: why the host ended it, None where it did not; `ended`: what the process said about its end, which
    the script could have made up; `last_line`: the last line it printed.
    """
    if stop == "cancelled":
        return "cancelled", ScriptError("Cancelled", "The run was stopped."), None
    if stop == "timeout":
        text = f"The script did not finish within {limits.seconds:,.0f} s and was stopped."
        return "timeout", ScriptError("Timeout", text), None
    if stop:
        return stop, ScriptError("SandboxLost" if stop == "sandbox_lost" else "Limit", what), None
    code, number = _exit(returncode)
    if not ended and number is not None:
        if number == signal.SIGXCPU:
            return (
                "timeout",
                ScriptError("Timeout", "The script used all its processor time and was stopped."),
                None,
            )
        text = f"The process that ran the script was killed ({_signal_name(number)})."
        return "sandbox_lost", ScriptError("SandboxLost", text), None
    error = _error(ended.get("error"), last_line)
    if error is None and code:
        error = ScriptError("SystemExit", last_line or f"The script ended with exit code {code}.")
    if isinstance(ended.get("error"), dict) and ended["error"].get("memory"):
        text = f"The script needed more than {limits.memory / 1024**3:,.1f} GB of memory and was stopped."
        return "limit", ScriptError("MemoryError", text, error.frames if error else ()), code
    return ("script_error" if error else "ok"), error, code


def _error(found: object, last_line: str) -> ScriptError | None:
    if not isinstance(found, dict):
        return None
    frames = [
        Frame(entry["line"], str(entry.get("function", ""))[:200])
        for entry in _list(found.get("frames"))
        if isinstance(entry, dict) and isinstance(entry.get("line"), int)
    ]
    message = str(found.get("message", ""))[:8_000]
    return ScriptError(
        type=str(found.get("type", ""))[:200],
        message=message or last_line or f"The script ended with {found.get('type')}.",
        frames=tuple(frames),
        driver=found.get("driver") is True,
        near=tuple(str(name)[:200] for name in _list(found.get("near"))),
    )


def _list(found: object) -> list[Any]:
    return found[:50] if isinstance(found, list) else []


def _exit(returncode: int | None) -> tuple[int | None, int | None]:
    """Exit code, or the signal that ended it; bubblewrap tells a signal as 128 + its number."""
    if returncode is None:
        return None, None
    if returncode < 0:
        return None, -returncode
    return (None, returncode - 128) if 128 < returncode <= 128 + 64 else (returncode, None)


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"

"""An error as the event that shows it: ours and the drivers' in their sentence, a defect kept for a bug report."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from integrator_drivers import DriverError

from .errors import IntegratorError, RunFailed
from .events import Failed, Option

__all__ = ["failed"]


def failed(exc: Exception, options: Sequence[Option], home: Path, redact: Callable[[str], str]) -> Failed:
    """What to show; `options` are those of a run that failed. A defect of ours is kept whole in errors.log."""
    if isinstance(exc, RunFailed):
        return Failed(str(exc.args[0]), exc.next, options=list(options))
    if isinstance(exc, IntegratorError):
        return Failed(str(exc.args[0]), next=exc.next)
    if isinstance(exc, DriverError):
        return Failed(str(exc))
    path = home / "errors.log"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{redact(''.join(traceback.format_exception(exc)))}\n")
    what = f"The integrator itself went wrong ({type(exc).__name__}). Everything so far is kept."
    return Failed(what, next=f"Try again; {path} has the details for a bug report.")

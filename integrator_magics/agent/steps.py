"""One tool call as the user sees it: a step that begins and ends, with its time, its tables or its error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai.messages import ToolReturn

from integrator_drivers import DriverError

from ..errors import AuditUnavailable, IntegratorError
from ..events import Step, Table
from . import describe
from .failures import error_facts
from .workspace import Workspace

__all__ = ["Shown", "quiet", "shown"]

log = logging.getLogger(__name__)
WAYS_ON = "Try again, Go on from the standard schema, Stop"


@dataclass
class Shown:
    """A step while it is under way. The work changes what is shown at the end."""

    title: str
    detail: str = ""
    code: str = ""
    done_title: str = ""
    tables: list[Table] = field(default_factory=list)
    seconds: float | None = None
    failed: bool = False  # it came to an end, but not to a good one
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    started: float = field(default_factory=time.monotonic)

    def event(self, state: str) -> Step:
        """The step as it is now; `state` is running, done or failed."""
        if state == "running":
            return Step(self.id, self.title, self.detail, state, None, [], self.code)
        seconds = time.monotonic() - self.started if self.seconds is None else self.seconds
        title = self.done_title or self.title
        return Step(self.id, title, self.detail, state, seconds, self.tables, self.code)


async def shown(
    workspace: Workspace,
    step: Shown,
    work: Callable[[Shown], ToolReturn],
    *,
    systems: Iterable[str] = (),
    call: str = "",
    is_script: bool = False,
) -> ToolReturn:
    """Do `work` in a thread and show it as a step.

    `call` names it among the calls that are not made again once they failed; `systems` are the systems it asks, each
    of which is asked one thing at a time, so that an outage is met once.
    """
    names = sorted(name for name in set(systems) if name)
    async with contextlib.AsyncExitStack() as stack:
        for name in names:
            await stack.enter_async_context(workspace.lock(name))
        for name in names or [""]:
            if call and (error := workspace.failures.find(name, call)):
                return _not_again(workspace, name, error)
        step.started = time.monotonic()
        workspace.emit(step.event("running"))
        try:
            result = await asyncio.to_thread(work, step)
        except (DriverError, IntegratorError) as exc:
            step.detail = workspace.credentials.redactor().redact(str(exc))
            workspace.emit(step.event("failed"))
            if isinstance(exc, AuditUnavailable):
                raise  # what can't be recorded is not done; this ends the turn
            return _failed(workspace, names, call, exc, error_facts(exc, is_script=is_script))
        except Exception as exc:  # noqa: BLE001 - a defect of a tool is told; it must not end the dialog
            step.detail = _defect(exc)
            workspace.emit(step.event("failed"))
            return _clean(workspace, _broken(exc))
        except asyncio.CancelledError:
            step.detail = "cancelled"
            workspace.emit(step.event("failed"))
            raise
        workspace.emit(step.event("failed" if step.failed else "done"))
        return _clean(workspace, result)


async def quiet(workspace: Workspace, work: Callable[[], ToolReturn]) -> ToolReturn:
    """Do `work` in a thread without showing it."""
    try:
        return _clean(workspace, await asyncio.to_thread(work))
    except AuditUnavailable:
        raise
    except (DriverError, IntegratorError) as exc:
        return _clean(workspace, ToolReturn(f"Failed: {exc}", metadata={"error": error_facts(exc)}))
    except Exception as exc:  # noqa: BLE001 - as above
        return _clean(workspace, _broken(exc))


def _defect(exc: Exception) -> str:
    return f"This step has a defect ({type(exc).__name__}); the details are in the log. Nothing was written."


def _broken(exc: Exception) -> ToolReturn:
    log.error("a tool ended with an error it should not", exc_info=exc)
    error = {"type": "Defect", "message": _defect(exc), "next": "", "near": [], "outage": False}
    return ToolReturn(f"Failed: {_defect(exc)}", metadata={"error": error})


def _failed(
    workspace: Workspace, names: list[str], call: str, exc: DriverError | IntegratorError, error: dict[str, Any]
) -> ToolReturn:
    name = names[0] if names else ""
    text = f"Failed ({error['type']}): " + (describe.data(name, str(exc)) if isinstance(exc, DriverError) else str(exc))
    if call:
        for system in names or [""]:
            workspace.failures.note(system, call, error)
        if error["outage"]:
            text += f"\nNothing was read, and nothing is tried again by itself. Ask the user how to go on: {WAYS_ON}."
    return _clean(workspace, ToolReturn(text, metadata={"error": error, "system": name}))


def _not_again(workspace: Workspace, name: str, error: dict[str, Any]) -> ToolReturn:
    text = "No call was made: this failed before and is not tried again by itself. "
    text += describe.data(name, error["message"])
    if error.get("outage"):
        text += f"\nAsk the user how to go on: {WAYS_ON}."
    return _clean(workspace, ToolReturn(text, metadata={"error": error, "system": name}))


def _clean(workspace: Workspace, result: ToolReturn) -> ToolReturn:
    """No credential goes to a model or into the stored dialog, whichever way it came here."""
    redactor = workspace.credentials.redactor()
    metadata = redactor.redact_data(result.metadata)
    return ToolReturn(redactor.redact(str(result.return_value)), metadata=metadata)

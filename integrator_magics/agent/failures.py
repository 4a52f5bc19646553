"""Discovery that failed is not tried again until the user says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from integrator_drivers import (
    AuthError,
    ConnectionError,
    ForbiddenError,
    RateLimitError,
    ReadOnlyError,
    ValidationError,
)
from integrator_drivers.errors import NotFoundError

from ..errors import IntegratorError, NotConnected, PolicyRefused, SandboxUnavailable

__all__ = ["Failures", "error_facts"]

# These concern the whole system: another question to it would fail the same way.
_OUTAGES = (AuthError, ConnectionError, RateLimitError, NotConnected, SandboxUnavailable)
# These concern what was asked: another name or another question may do.
_OF_THE_QUESTION = (NotFoundError, ValidationError, ForbiddenError, ReadOnlyError, PolicyRefused)


def error_facts(exc: Exception, *, is_script: bool = False) -> dict[str, Any]:
    """{type, message, next, near, outage} of an error. `outage`: the system can't be asked at all now.

    What is neither known as an outage nor as a fault of the question counts as an outage, except in a script, which
    may have mistakes of its own.
    """
    message = str(exc.args[0]) if isinstance(exc, IntegratorError) and exc.args else str(exc)
    outage = isinstance(exc, _OUTAGES) or not (is_script or isinstance(exc, _OF_THE_QUESTION))
    return {
        "type": type(exc).__name__,
        "message": message,
        "next": getattr(exc, "next", ""),
        "near": list(getattr(exc, "near", ())),
        "outage": outage,
    }


@dataclass
class Failures:
    """Calls that failed since the user last spoke."""

    calls: dict[str, dict[str, Any]] = field(default_factory=dict)  # call -> its error
    outages: dict[str, dict[str, Any]] = field(default_factory=dict)  # system -> the error that concerns all of it

    @property
    def systems(self) -> set[str]:
        """Systems of which something failed."""
        return {*self.outages, *(facts["system"] for facts in self.calls.values() if facts["system"])}

    def find(self, system: str, call: str) -> dict[str, Any] | None:
        """Why this call is not made now: it failed, or its system is not to be reached."""
        facts = self.calls.get(call)
        return facts["error"] if facts else self.outages.get(system)

    def note(self, system: str, call: str, error: dict[str, Any]) -> None:
        """Remember a failed call, with its `error_facts`."""
        self.calls[call] = {"error": error, "system": system}
        if error.get("outage") and system:
            self.outages[system] = error

    def clear(self) -> None:
        """The user has spoken."""
        self.calls.clear()
        self.outages.clear()

"""Discovery that failed is not tried again until the user says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from integrator_drivers import AuthError, ConnectionError, DriverError, RateLimitError

from ..errors import IntegratorError, NotConnected, SandboxUnavailable

__all__ = ["Failures", "error_facts", "is_outage"]

# These concern the whole system: another question to it would fail the same way.
OUTAGES = (AuthError, ConnectionError, RateLimitError, NotConnected, SandboxUnavailable)


def is_outage(exc: Exception) -> bool:
    """Whether an error says that the system can't be asked at all now."""
    return isinstance(exc, OUTAGES)


def error_facts(exc: Exception) -> dict[str, Any]:
    """{type, message, next, near} of an error."""
    message = str(exc.args[0]) if isinstance(exc, IntegratorError) and exc.args else str(exc)
    return {
        "type": type(exc).__name__,
        "message": message,
        "next": getattr(exc, "next", ""),
        "near": list(getattr(exc, "near", ())),
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

    def add(self, system: str, call: str, exc: DriverError | IntegratorError) -> dict[str, Any]:
        """Remember a failed call and return what is told about it."""
        error = error_facts(exc)
        self.note(system, call, error, outage=is_outage(exc))
        return error

    def note(self, system: str, call: str, error: dict[str, Any], *, outage: bool) -> None:
        """Remember a failure that is already in words."""
        self.calls[call] = {"error": error, "system": system}
        if outage and system:
            self.outages[system] = error

    def clear(self) -> None:
        """The user has spoken."""
        self.calls.clear()
        self.outages.clear()

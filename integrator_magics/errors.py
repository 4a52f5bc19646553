"""Errors a person sees: one or two sentences, what happened, what it means for the data, what to do next.

IntegratorError
|- ConfigError          a setting or the machine is not as needed
|- NotConnected         a system's variables are missing
|- SecretInText         a credential was typed where text is stored or sent
|- PolicyRefused        the script would do what this mode does not allow
|- ApprovalRequired     a write is waiting for a person
|- AuditUnavailable     the audit log can't be written, so nothing runs
|- SandboxUnavailable   no place to run the script
|- RunFailed            a script or a discovery ended with an error
`- ModelUnavailable     the model can't be reached, or the ceiling is used up
"""

from __future__ import annotations

__all__ = [
    "ApprovalRequired",
    "AuditUnavailable",
    "ConfigError",
    "IntegratorError",
    "ModelUnavailable",
    "NotConnected",
    "PolicyRefused",
    "RunFailed",
    "SandboxUnavailable",
    "SecretInText",
]


class IntegratorError(Exception):
    """Base of every error shown to a person. `next` is the step to take, a sentence or a command."""

    def __init__(self, message: str, next: str = "") -> None:
        super().__init__(message)
        self.next = next

    def __str__(self) -> str:
        return f"{self.args[0]} {self.next}".strip()

    def _render_traceback_(self) -> list[str]:
        """IPython and the kernel show exactly these lines instead of a traceback."""
        return [str(self)]


class ConfigError(IntegratorError): ...


class NotConnected(IntegratorError): ...


class SecretInText(IntegratorError): ...


class PolicyRefused(IntegratorError): ...


class ApprovalRequired(IntegratorError): ...


class AuditUnavailable(IntegratorError): ...


class SandboxUnavailable(IntegratorError): ...


class RunFailed(IntegratorError): ...


class ModelUnavailable(IntegratorError): ...

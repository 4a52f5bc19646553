"""May this script run in this mode, and if not, why, in a sentence."""

from __future__ import annotations

from integrator_drivers.mode import Mode

from ..errors import PolicyRefused
from .classify import classify
from .model import Classification, Label, Reason

__all__ = ["DELETE_REFUSED", "allowed"]

DELETE_REFUSED = (
    "This product never deletes records. I can write a report of what would be deleted, "
    'or set a "to delete" flag in a field you choose.'
)
_MAY = {
    Mode.DISCOVERY: {Label.READ},
    Mode.PREVIEW: {Label.READ, Label.WRITE},
    Mode.APPLY: {Label.READ, Label.WRITE},
}


def allowed(source: str, mode: Mode | str) -> Classification:
    """The classification of a script that may run in this mode; else raises PolicyRefused with the first reason."""
    verdict = classify(source)
    may = _MAY[Mode(mode)]
    if verdict.label in may:
        return verdict
    reason = next(reason for reason in verdict.reasons if reason.label is verdict.label)
    if verdict.label is Label.DELETE:
        raise PolicyRefused(f"{_line(reason)}. {DELETE_REFUSED}")
    if verdict.label is Label.WRITE:
        raise PolicyRefused(f"Discovery only reads. {_line(reason)}; that belongs in the script, after your approval.")
    raise PolicyRefused(f"{_line(reason)}. Nothing was run.", reason.instead)


def _line(reason: Reason) -> str:
    return f"Line {reason.line} {reason.what}"

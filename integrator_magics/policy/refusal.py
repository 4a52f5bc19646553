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
_ORDER = list(Label)
_MAY = {
    Mode.DISCOVERY: {Label.READ},
    Mode.PREVIEW: {Label.READ, Label.WRITE},
    Mode.APPLY: {Label.READ, Label.WRITE},
}


def allowed(source: str, mode: Mode | str) -> Classification:
    """The classification of a script that may run in this mode; else raises PolicyRefused with the first reason."""
    verdict = classify(source)
    refused = [reason for reason in verdict.reasons if reason.never or reason.label not in _MAY[Mode(mode)]]
    if not refused:
        return verdict
    reason = max(refused, key=lambda reason: _ORDER.index(reason.label))
    if reason.label is Label.DELETE:
        raise PolicyRefused(f"{_line(reason)}. {DELETE_REFUSED}")
    if reason.label is Label.WRITE and not reason.never:
        raise PolicyRefused(f"Discovery only reads. {_line(reason)}; that belongs in the script, after your approval.")
    raise PolicyRefused(f"{_line(reason)}. Nothing was run.", reason.instead)


def _line(reason: Reason) -> str:
    return f"Line {reason.line} {reason.what}"

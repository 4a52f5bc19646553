"""What a script may do: classification, modes, approvals."""

from __future__ import annotations

from .approvals import Approval, Approvals, Pending
from .classify import classify
from .facts import Facts, TargetFacts
from .model import Classification, Label, Reason
from .prompts import asks_for_delete
from .python import imports
from .refusal import DELETE_REFUSED, allowed

__all__ = [
    "DELETE_REFUSED",
    "Approval",
    "Approvals",
    "Classification",
    "Facts",
    "Label",
    "Pending",
    "Reason",
    "TargetFacts",
    "allowed",
    "asks_for_delete",
    "classify",
    "imports",
]

"""What a script may do: classification, modes, approvals."""

from __future__ import annotations

from .approvals import Approval, Approvals, Pending
from .classify import classify
from .facts import Facts, TargetFacts
from .literals import require_no_secret, secret_in
from .model import Classification, Label, Reason
from .prompts import asks_for_delete
from .python import imports
from .refusal import DELETE_REFUSED, allowed
from .standing import Standing, StandingApprovals

__all__ = [
    "DELETE_REFUSED",
    "Approval",
    "Approvals",
    "Classification",
    "Facts",
    "Label",
    "Pending",
    "Reason",
    "Standing",
    "StandingApprovals",
    "TargetFacts",
    "allowed",
    "asks_for_delete",
    "classify",
    "imports",
    "require_no_secret",
    "secret_in",
]

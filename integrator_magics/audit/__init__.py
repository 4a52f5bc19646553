"""The append-only log: what was asked, shown, decided, run and sent, before it happens."""

from __future__ import annotations

from .chain import Verdict
from .keeping import warm
from .log import AuditLog
from .who import acting

__all__ = ["AuditLog", "Verdict", "acting", "warm"]

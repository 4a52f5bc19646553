"""The append-only log: what was asked, shown, decided, run and sent, before it happens."""

from __future__ import annotations

from .chain import Verdict
from .log import AuditLog

__all__ = ["AuditLog", "Verdict"]

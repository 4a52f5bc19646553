"""Scripts on a machine of their own at E2B."""

from __future__ import annotations

from .backend import E2BSandbox

__all__ = ["E2BSandbox"]

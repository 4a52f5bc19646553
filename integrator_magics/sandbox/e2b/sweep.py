"""Ends machines at E2B whose program on this computer is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from e2b import E2B

__all__ = ["sweep"]

_REQUEST = 15.0


def sweep(client: E2B, owner: str) -> int:
    """How many were ended; what can't be reached ends by itself within minutes."""
    from e2b import SandboxQuery

    ended = 0
    try:
        pages = client.Sandbox.list(query=SandboxQuery(metadata={"integrator": owner}), request_timeout=_REQUEST)
        while pages.has_next:
            for found in pages.next_items():
                if not _is_alive((found.metadata or {}).get("pid", "")):
                    ended += client.Sandbox.kill(found.sandbox_id, request_timeout=_REQUEST)
    except Exception:  # noqa: BLE001 - the run that follows says what is wrong with E2B
        return ended
    return ended


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

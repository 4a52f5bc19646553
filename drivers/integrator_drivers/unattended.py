"""May a script write while nobody looks? The receipt beside it says so: `lead_sync.receipt.json`, for these very bytes.

Plain `python lead_sync.py --once` is its owner's act and asks nobody; runs by schedule do.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Permit", "permit", "receipt_path"]


@dataclass(frozen=True)
class Permit:
    """Up to how many rows each run may write, 0 with the reason why not."""

    max_rows: int = 0
    reason: str = ""


def receipt_path(script: Path) -> Path:
    """Where the receipt of an exported script lies."""
    return script.with_suffix(".receipt.json")


def permit(script: Path, schedule: str | None = None, now: datetime | None = None) -> Permit:
    """What the standing approval beside a script allows now; `schedule`, where given, must be the approved one."""
    name = script.name
    try:
        receipt = json.loads(receipt_path(script).read_text(encoding="utf-8"))
        standing = receipt.get("standing")
        if not standing:
            return Permit(0, f"Nobody approved that {name} writes unattended.")
        digest, until = standing["script_sha256"], datetime.fromisoformat(standing["until"])
        max_rows, approved = int(standing["max_rows"]), standing["schedule"]
    except FileNotFoundError:
        return Permit(0, f"Nobody approved that {name} writes unattended.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Permit(0, f"{receipt_path(script).name} can't be read as a receipt.")
    if digest != hashlib.sha256(script.read_bytes()).hexdigest():
        return Permit(0, f"{name} has changed since its standing approval.")
    if standing.get("revoked"):
        return Permit(0, f"The standing approval of {name} was revoked.")
    if (now or datetime.now(UTC)) > until:
        return Permit(0, f"The standing approval of {name} ended on {until:%d %B %Y}.".replace(" 0", " "))
    if schedule is not None and schedule != approved:
        return Permit(0, f"The standing approval of {name} is for another schedule.")
    return Permit(max_rows)

"""`band`: numbers in groups that people can read."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["band"]


def band(value: float | Decimal | None) -> str | None:
    """The power of ten a number lies in: 37 -> "10 to 99"; below 1 "under 1", nothing for nothing."""
    if value is None:
        return None
    if value < 1:
        return "under 1"
    low = 1
    while value >= low * 10:
        low *= 10
    return f"{low:,} to {low * 10 - 1:,}"

"""Practice systems: real local servers that speak a vendor's API over seeded data. Loopback only."""

from __future__ import annotations

from .process import Practice, PracticeError, start
from .registration import is_practice

__all__ = ["Practice", "PracticeError", "is_practice", "start"]

"""The guided planner: a deterministic stand-in for the model that works without a key."""

from __future__ import annotations

from .model import guided_model

__all__ = ["guided_model"]

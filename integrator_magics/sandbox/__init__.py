"""Where generated code runs: the only place its credentials exist."""

from __future__ import annotations

from .choose import choose
from .protocols import (
    Egress,
    Event,
    Frame,
    Level,
    Limits,
    Outcome,
    Output,
    Reported,
    RunSpec,
    Sandbox,
    SandboxSession,
    ScriptError,
)
from .runner import Runner

__all__ = [
    "Egress",
    "Event",
    "Frame",
    "Level",
    "Limits",
    "Outcome",
    "Output",
    "Reported",
    "RunSpec",
    "Runner",
    "Sandbox",
    "SandboxSession",
    "ScriptError",
    "choose",
]

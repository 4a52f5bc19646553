"""The one who holds the dialog: a model, or the guided planner, with the same few tools. Imports are light."""

from __future__ import annotations

from .loop import Agent, Turn
from .models import ModelChoice, choose
from .workspace import Workspace

__all__ = ["Agent", "ModelChoice", "Turn", "Workspace", "choose"]

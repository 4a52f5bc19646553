"""What a person sees: session events as text, HTML and widgets, and the bridge that puts cells into the notebook."""

from __future__ import annotations

from .controller import Controller
from .dispatch import Dispatcher
from .story import Story

__all__ = ["Controller", "Dispatcher", "Story"]

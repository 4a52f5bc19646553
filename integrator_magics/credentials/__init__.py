"""The only reader of credential values: where they come from, who may have them, and keeping them out of text."""

from __future__ import annotations

from .masking import mask
from .redactor import Redactor, StreamRedactor
from .secrets import find_format
from .store import Credentials, State, redactor_of

__all__ = ["Credentials", "Redactor", "State", "StreamRedactor", "find_format", "mask", "redactor_of"]

"""The one process that holds credentials and reaches the network; scripts get placeholders and listeners."""

from __future__ import annotations

from .client import Broker, Way
from .system import Destination, System

__all__ = ["Broker", "Destination", "System", "Way"]

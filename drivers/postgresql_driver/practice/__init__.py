"""The practice database of this driver."""

from .server import serve

__all__ = ["serve"]

"""Search over what the drivers say about themselves."""

from .index import Hit, Index

__all__ = ["Hit", "Index"]

"""The entry point of the driver."""

from .src.client import PostgresClient

__all__ = ["PostgresClient"]

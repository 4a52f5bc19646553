"""PostgreSQL: tables of a database, read and written by scripts."""

from .main import PostgresClient

__all__ = ["PostgresClient"]

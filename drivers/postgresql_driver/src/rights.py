"""Are our rights wider than needed, and the SQL for a narrower role."""

from __future__ import annotations

import os
from typing import Any

import psycopg

from .connection import Settings

__all__ = ["reader_sql", "warnings"]

_RIGHTS = """
SELECT r.rolsuper, r.rolcreaterole OR r.rolbypassrls OR r.rolreplication,
       (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND c.relowner = r.oid AND has_table_privilege(r.oid, c.oid, 'DELETE')),
       current_schema()
  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""


def warnings(connection: psycopg.Connection[Any], settings: Settings) -> list[str]:
    """One sentence each, with the SQL that mends it."""
    row = connection.execute(" ".join(_RIGHTS.split()).encode(), prepare=True).fetchone()
    if row is None:
        return []
    is_super, is_strong, owned, schema = row
    found = []
    if is_super:
        found.append(f"{settings.user} is a superuser: nothing in the database is out of its reach.")
    elif is_strong:
        found.append(f"{settings.user} may make roles, replicate or pass row security, which no script needs.")
    if owned and not is_super:
        found.append(f"{settings.user} owns {owned:,} table{'s' if owned != 1 else ''} and may delete from them.")
    if not os.environ.get("PG_READ_USER"):
        found.append(
            "There is no read-only role for looking around. Let an administrator run: "
            f"{reader_sql(settings.database, schema or 'public')} and set PG_READ_USER and PG_READ_PASSWORD in .env."
        )
    return found


def reader_sql(database: str, schema: str) -> str:
    """The statements that make a role which can only read."""
    name, place = f'"{database.replace(chr(34), chr(34) * 2)}"', f'"{schema.replace(chr(34), chr(34) * 2)}"'
    return (
        "CREATE ROLE integrator_reader LOGIN PASSWORD '...'; "
        f"GRANT CONNECT ON DATABASE {name} TO integrator_reader; "
        f"GRANT USAGE ON SCHEMA {place} TO integrator_reader; "
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {place} TO integrator_reader; "
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {place} GRANT SELECT ON TABLES TO integrator_reader; "
        "ALTER ROLE integrator_reader SET default_transaction_read_only = on;"
    )

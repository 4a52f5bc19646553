"""Are our rights wider than needed, and the SQL for a narrower role."""

from __future__ import annotations

import os
from typing import Any, Literal

import psycopg
from psycopg import sql

from integrator_drivers import ForbiddenError

from . import catalog
from .connection import Settings
from .models import Table

__all__ = ["check_rights", "reader_sql", "warnings"]

_RIGHTS = """
SELECT r.rolname, r.rolsuper, r.rolcreaterole OR r.rolbypassrls OR r.rolreplication,
       (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND c.relowner = r.oid AND has_table_privilege(r.oid, c.oid, 'DELETE'))
  FROM pg_catalog.pg_roles r WHERE r.rolname IN (current_user, %(writer)s) ORDER BY r.rolname
"""


def warnings(connection: psycopg.Connection[Any], settings: Settings) -> list[str]:
    """One sentence each, with the SQL that mends it."""
    params = {"writer": os.environ.get("PGUSER", settings.user)}
    found = []
    for role, is_super, is_strong, owned in connection.execute(" ".join(_RIGHTS.split()), params):
        if is_super:
            found.append(f"{role} is a superuser: nothing in the database is out of its reach.")
        elif is_strong:
            found.append(f"{role} may make roles, replicate or pass row security, which no script needs.")
        if owned and not is_super:
            found.append(f"{role} owns {owned:,} table{'s' if owned != 1 else ''} and may delete from them.")
    is_here = settings.host in ("localhost", "127.0.0.1", "::1") or settings.host.startswith("/")
    if not is_here and not connection.pgconn.ssl_in_use:
        found.append("The connection is not encrypted: set PGSSLMODE=require in .env, if the server allows it.")
    if not os.environ.get("PG_READ_USER"):
        found.append(
            "There is no read-only role for looking around. Let an administrator run: "
            f"{reader_sql(settings.database, catalog.default_schema(connection))} "
            "and set PG_READ_USER and PG_READ_PASSWORD in .env."
        )
    return found


_ALLOWED = """
SELECT has_schema_privilege(r.oid, n.oid, 'CREATE') AS may_create,
       pg_has_role(r.oid, c.relowner, 'USAGE') AS owns,
       has_any_column_privilege(r.oid, c.oid, 'INSERT') AS may_insert,
       has_any_column_privilege(r.oid, c.oid, 'UPDATE') AS may_update,
       has_any_column_privilege(r.oid, c.oid, 'SELECT') AS may_select,
       pg_get_userbyid(c.relowner) AS owner
  FROM pg_catalog.pg_roles r
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = %(schema)s
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = %(name)s
 WHERE r.rolname = %(user)s
"""


def check_rights(
    connection: psycopg.Connection[Any], table: Table, user: str, act: Literal["insert", "update", "upsert", "change"]
) -> None:
    """Would the role that writes be allowed to. A preview asks, as it may log in as another role.

    Raises ForbiddenError with the SQL that gives the right. Passes where the server does not know the role by this
    name, as behind a proxy.
    """
    params = {"schema": table.schema, "name": table.name, "user": user}
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = cursor.execute(" ".join(_ALLOWED.split()), params).fetchone()
    if row is None:
        return
    place = sql.Identifier(table.schema, table.name).as_string(None)
    if act == "change":
        if table.planned and row["may_create"] is False:
            schema = sql.Identifier(table.schema).as_string(None)
            raise _forbidden(user, f"make tables in the schema {table.schema}", f"GRANT CREATE ON SCHEMA {schema}")
        if not table.planned and not row["owns"]:
            raise ForbiddenError(
                f"{user} may not add columns to {table.full_name}, which belongs to {row['owner']}. Nothing was "
                f"written. Let {row['owner']} add them, or leave them out of the script."
            )
        return
    if table.planned or row["may_insert"] is None:
        return
    needed = {"insert": ("insert",), "update": ("select", "update"), "upsert": ("select", "insert", "update")}[act]
    lacking = [right.upper() for right in needed if not row[f"may_{right}"]]
    if lacking:
        rights = ", ".join(lacking)
        raise _forbidden(user, f"write to {table.full_name} (no {rights})", f"GRANT {rights} ON {place}")


def _forbidden(user: str, what: str, grant: str) -> ForbiddenError:
    return ForbiddenError(
        f"{user} may not {what}. Nothing was written. An administrator can allow it: "
        f"{grant} TO {sql.Identifier(user).as_string(None)};"
    )


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

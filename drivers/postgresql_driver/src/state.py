"""The resume points of syncs, in a table beside their target, so that they are committed with the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from integrator_drivers import Field, ForbiddenError

from . import tables
from .models import Table
from .rows import Connection

__all__ = ["TABLE", "load", "plan", "save"]

TABLE = "integrator_state"
_FIELDS: dict[str, Field] = {
    "sync_id": {"type": "text", "native_type": "text", "nullable": False},
    "watermark": {"type": "datetime", "native_type": "timestamp with time zone", "nullable": True},
    "state": {"type": "json", "native_type": "jsonb", "nullable": True},
    "saved_at": {"type": "datetime", "native_type": "timestamp with time zone", "nullable": True},
}


def plan(connection: Connection, schema: str) -> tuple[Table, list[str]]:
    """The table of that schema and the DDL that makes it; none where it is there."""
    return tables.plan(connection, f"{schema}.{TABLE}", _FIELDS, "sync_id")


def load(connection: Connection, schema: str, sync_id: str) -> dict[str, Any] | None:
    """What was saved last; None before the first time."""
    place = sql.Identifier(schema, TABLE)
    exists = connection.execute("SELECT to_regclass(%s)", [place.as_string(connection)]).fetchone()
    if exists is None or exists[0] is None:
        return None
    query = sql.SQL("SELECT state FROM {} WHERE sync_id = %s").format(place)
    try:
        row = connection.execute(query, [sync_id]).fetchone()
    except pg.InsufficientPrivilege as exc:
        shown = place.as_string(connection)
        raise ForbiddenError(
            f"{connection.info.user} may not look at {shown}, where it stands how far the last sync came. Nothing was "
            f"written. An administrator can allow it: GRANT SELECT ON {shown} TO {connection.info.user};"
        ) from exc
    return None if row is None else row[0]


def save(connection: Connection, schema: str, sync_id: str, state: Mapping[str, Any]) -> None:
    """Replace it, in the transaction of the caller."""
    connection.execute(
        sql.SQL(
            "INSERT INTO {} (sync_id, watermark, state, saved_at) VALUES (%s, %s::timestamptz, %s::jsonb, now())"
            " ON CONFLICT (sync_id) DO UPDATE SET"
            " watermark = excluded.watermark, state = excluded.state, saved_at = excluded.saved_at"
        ).format(sql.Identifier(schema, TABLE)),
        [sync_id, state.get("watermark"), json.dumps(state)],
    )

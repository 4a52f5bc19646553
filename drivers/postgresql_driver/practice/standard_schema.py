"""Writes schema.json, what every PostgreSQL has: `python -m postgresql_driver.practice.standard_schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg

from integrator_practice.postgres import start_server

from ..src import catalog

__all__ = ["VIEWS", "read_schema", "write"]

VIEWS = {
    "information_schema.schemata": ("schemas", "Schemas of the database"),
    "information_schema.tables": ("tables", "Tables and views this user can see"),
    "information_schema.columns": ("columns", "Columns of those tables and views, with type, default and position"),
    "information_schema.views": ("views", "Views and the query behind each"),
    "information_schema.table_constraints": ("constraints", "Primary keys, unique, check and foreign key rules"),
    "information_schema.key_column_usage": ("key columns", "Columns that belong to a key"),
    "information_schema.constraint_column_usage": ("constrained columns", "Columns that a constraint refers to"),
    "information_schema.referential_constraints": ("foreign keys", "Foreign keys and the key they refer to"),
    "information_schema.check_constraints": ("checks", "Check rules and their expression"),
    "information_schema.table_privileges": ("table rights", "Who may do what with which table"),
    "pg_catalog.pg_tables": ("tables", "Tables with their owner and whether they have indexes, rules, triggers"),
    "pg_catalog.pg_views": ("views", "Views with owner and definition"),
    "pg_catalog.pg_matviews": ("materialized views", "Materialized views with owner and definition"),
    "pg_catalog.pg_indexes": ("indexes", "Indexes with the command that makes each"),
    "pg_catalog.pg_stat_user_tables": ("table statistics", "Estimated rows, scans, inserts and vacuum times per table"),
    "pg_catalog.pg_stat_activity": ("activity", "Sessions now, and what each is doing"),
    "pg_catalog.pg_settings": ("settings", "Server settings and their values"),
    "pg_catalog.pg_roles": ("roles", "Roles and what they may do"),
}


def read_schema(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """object -> {label, purpose, fields} of the views above, from this server."""
    found = {}
    for name, (label, purpose) in VIEWS.items():
        fields = {column.name: column.as_field() for column in catalog.table(connection, name).columns.values()}
        for field in fields.values():
            field.pop("personal", None)  # names of tables, not of people
        found[name] = {"label": label, "purpose": purpose, "fields": fields}
    return found


def write(path: Path) -> None:
    """Start a server, read, write."""
    with start_server() as server, psycopg.connect(**server.admin) as connection:
        objects = read_schema(connection)
        note = f"From the catalogue of PostgreSQL {server.version}; facts only. Written by practice/standard_schema.py."
    path.write_text(
        json.dumps({"note": note, "objects": objects}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    write(Path(__file__).parent.parent / "schema.json")

"""Questions to the catalogue: which tables there are, and what is in one of them."""

from __future__ import annotations

import re
from typing import Any, cast

import psycopg

from integrator_drivers import ObjectNotFoundError
from integrator_drivers.errors import near_matches

from .models import Check, Column, ForeignKey, Table, Unique

__all__ = ["Relation", "default_schema", "find", "has_schema", "is_hidden", "relations", "table"]

Relation = dict[str, Any]  # schema, name, kind, estimate, comment, columns

_RELATIONS = """
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.reltuples::bigint AS estimate,
       obj_description(c.oid, 'pg_class') AS comment, c.oid::bigint AS oid,
       (SELECT count(*) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       array_position(current_schemas(false), n.nspname) AS place
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND (n.nspname NOT IN ('pg_catalog', 'information_schema')
        OR split_part(%(exact)s::text, '.', 1) IN ('pg_catalog', 'information_schema'))
   AND n.nspname NOT LIKE 'pg\\_t%%'
   AND has_schema_privilege(n.oid, 'USAGE')
   AND (has_any_column_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'INSERT'))
   AND (%(exact)s::text IS NULL OR n.nspname || '.' || c.relname = %(exact)s OR c.relname = %(exact)s)
 ORDER BY n.nspname, c.relname
"""

_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS native, b.typname AS base,
       b.typcategory::text AS category, NOT (a.attnotnull OR t.typnotnull) AS nullable,
       pg_get_expr(d.adbin, d.adrelid) AS expression, a.attidentity::text AS identity,
       a.attgenerated::text AS generated, col_description(a.attrelid, a.attnum) AS comment,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod,
       (SELECT array_agg(l.enumlabel::text ORDER BY l.enumsortorder)
          FROM pg_catalog.pg_enum l WHERE l.enumtypid = b.oid) AS choices,
       EXISTS (SELECT 1 FROM pg_catalog.pg_index i
                WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS primary_key,
       (SELECT array_agg(DISTINCT fn.nspname || '.' || f.relname)
          FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
          JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
         WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS refers,
       e.typcategory IN ('E', 'R') OR e.typname = 'varchar' OR EXISTS (
           SELECT 1 FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
            WHERE o.opcdefault AND o.opcintype = e.oid AND m.amname IN ('btree', 'hash')) AS comparable
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN b.typcategory = 'A' THEN b.typelem ELSE b.oid END
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = %(oid)s::oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum
"""

_UNIQUE = """
SELECT x.relname AS name,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         WHERE k.place <= i.indnkeyatts) AS columns
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
 WHERE i.indrelid = %(oid)s::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
   AND i.indpred IS NULL AND i.indexprs IS NULL
 ORDER BY i.indisprimary DESC, x.relname
"""

_RULES = """
SELECT k.conname AS name, k.contype::text AS kind, pg_get_expr(k.conbin, k.conrelid) AS expression,
       fn.nspname AS schema, f.relname AS target,
       (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(k.conkey) WITH ORDINALITY AS u(number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
       (SELECT array_agg(a.attname::text ORDER BY u.place) FROM unnest(k.confkey) WITH ORDINALITY AS u(number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number) AS targets
  FROM pg_catalog.pg_constraint k
  LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
 WHERE k.conrelid = %(oid)s::oid AND k.contype IN ('c', 'f') AND k.conparentid = 0
 ORDER BY k.conname
"""


def relations(connection: psycopg.Connection[Any]) -> list[Relation]:
    """Every table, view and foreign table this user can see, by schema and name."""
    return _rows(connection, _RELATIONS, {"exact": None})


def find(connection: psycopg.Connection[Any], name: str) -> Relation:
    """The relation that `name` means: "schema.table", or a table of the search path, or one of that name anywhere.

    Raises ObjectNotFoundError with near matches, also where a bare name could mean several tables.
    """
    found = _rows(connection, _RELATIONS, {"exact": name})
    full = [row for row in found if f"{row['schema']}.{row['name']}" == name]
    visible = sorted((row for row in found if row["place"]), key=lambda row: cast("int", row["place"]))
    if full or visible:
        return (full or visible)[0]
    if not found:
        every = relations(connection)
        key = name.casefold()
        found = [row for row in every if key in (f"{row['schema']}.{row['name']}".casefold(), row["name"].casefold())]
        if not found:
            raise _unknown(connection, name, every)
    if len(found) > 1:
        names = [f"{row['schema']}.{row['name']}" for row in found]
        raise ObjectNotFoundError(f'"{name}" could mean {" or ".join(names)}; write it with its schema.', names)
    return found[0]


def table(connection: psycopg.Connection[Any], name: str) -> Table:
    """One table with its columns. Raises ObjectNotFoundError with near matches."""
    relation = find(connection, name)
    oid = {"oid": relation["oid"]}
    columns = {row["name"]: _column(row) for row in _rows(connection, _COLUMNS, oid)}
    if relation["kind"] not in ("r", "p"):
        return Table(relation["schema"], relation["name"], relation["kind"], columns)
    unique = [Unique(row["name"], tuple(row["columns"])) for row in _rows(connection, _UNIQUE, oid)]
    rules = [row for row in _rows(connection, _RULES, oid) if row["columns"]]
    checks = [Check(row["name"], row["expression"], tuple(row["columns"])) for row in rules if row["kind"] == "c"]
    references = [
        ForeignKey(row["name"], tuple(row["columns"]), row["schema"], row["target"], tuple(row["targets"]))
        for row in rules
        if row["kind"] == "f"
    ]
    return Table(
        relation["schema"],
        relation["name"],
        relation["kind"],
        columns,
        tuple(unique),
        tuple(checks),
        tuple(references),
    )


def default_schema(connection: psycopg.Connection[Any]) -> str:
    """Where a table without a schema is made."""
    found = _rows(connection, "SELECT current_schema() AS schema", {})
    return found[0]["schema"] or "public"


def is_hidden(connection: psycopg.Connection[Any], schema: str, name: str) -> bool:
    """Is there a relation of that name, whether or not this user may see it."""
    query = """
        SELECT 1 AS one FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = %(schema)s AND c.relname = %(name)s
    """
    return bool(_rows(connection, query, {"schema": schema, "name": name}))


def has_schema(connection: psycopg.Connection[Any], name: str) -> bool:
    """Is there a schema of that name."""
    return bool(
        _rows(connection, "SELECT 1 AS one FROM pg_catalog.pg_namespace WHERE nspname = %(name)s", {"name": name})
    )


def _unknown(connection: psycopg.Connection[Any], name: str, every: list[Relation]) -> ObjectNotFoundError:
    names = [f"{row['schema']}.{row['name']}" for row in every]
    bare = {row["name"]: f"{row['schema']}.{row['name']}" for row in reversed(every)}
    near = near_matches(name, names) if "." in name else []
    near += [bare[match] for match in near_matches(name.rpartition(".")[2], bare)]
    near = list(dict.fromkeys(near))[:3]
    hint = f" Close matches: {', '.join(near)}." if near else ""
    return ObjectNotFoundError(
        f'The database {connection.info.dbname} has no table or view "{name}" that this user can see.{hint}', near
    )


def _column(row: dict[str, Any]) -> Column:
    base, typmod = row["base"], row["typmod"]
    has_size = typmod is not None and typmod >= 4
    is_numeric = base == "numeric" and has_size
    scale = ((typmod - 4) & 0x7FF) if is_numeric else None
    is_identity, is_generated = row["identity"], row["generated"]
    default = row["expression"] if not is_generated else None
    if is_identity == "d":
        default = "identity"
    return Column(
        name=row["name"],
        native=row["native"],
        base=base,
        category=row["category"],
        nullable=row["nullable"],
        default=default,
        generated=bool(is_generated) or is_identity == "a",
        comment=row["comment"],
        length=typmod - 4 if base in ("varchar", "bpchar") and has_size else None,
        precision=(typmod - 4) >> 16 if is_numeric else None,
        scale=None if scale is None else (scale ^ 1024) - 1024,
        primary_key=row["primary_key"],
        references=tuple(row["refers"] or ()),
        choices=tuple(row["choices"] or ()),
        comparable=row["comparable"],
    )


def _rows(connection: psycopg.Connection[Any], query: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """All rows of one catalogue query, as dicts; one statement by the extended protocol."""
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        cursor.execute(re.sub(r"\s+", " ", query).strip(), params, prepare=True)
        return cursor.fetchall()

"""SQL on its way to a server, one statement a message: what may pass when only reading is allowed, and in a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from .model import Label
from .sql import findings, function_findings, walk
from .tables import table
from .text import unreadable

__all__ = ["statement_refusal"]

_BEGIN = {"TRANS_STMT_BEGIN", "TRANS_STMT_START"}
_TRANSACTION = {
    *("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"),
    *("TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"),
}
_WRITING_NODES = {
    *("InsertStmt", "UpdateStmt", "OnConflictClause", "InferClause", "IndexElem", "MultiAssignRef", "SetToDefault"),
    *("ReturningClause", "ReturningOption", "LockingClause", "Constraint"),
}
_CONSTRAINTS = {"NOTNULL", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "IDENTITY"}
_SHARE_ROW_EXCLUSIVE = 6  # the strongest lock a run may ask for
_OWN = "is nothing a script may send"
_UNREADABLE = "is SQL that can't be read"
_CURSOR = re.compile(r'\s*DECLARE\s+(?:"(?:[^"]|"")+"|\w+)\s[\w\s]*?\bCURSOR\b[\w\s]*?\bFOR\s+(.*)', re.I | re.S)


@lru_cache(maxsize=2_000)
def statement_refusal(sql: str, writing: bool) -> str:
    """Why this text may not pass, as the rest of a sentence ("would delete rows"); "" where it may.

    Reading: one SELECT, SHOW or EXPLAIN of known functions, cursors over one, COPY of one to the client, transactions
    that stay READ ONLY. With `writing` also what adds or changes rows, new tables and new columns; never what deletes.
    """
    if found := unreadable(sql, "sql"):
        return found[0].what
    from pglast import parse_sql
    from pglast.parser import ParseError

    try:
        statements = parse_sql(sql)
    except (ParseError, RecursionError, ValueError):
        if match := _CURSOR.match(sql):  # a driver wraps queries in a cursor
            return statement_refusal(match[1], False) or _UNREADABLE
        return _UNREADABLE
    if not statements:
        return ""
    if len(statements) > 1:
        return f"holds {len(statements)} statements"
    return next(_refusals(statements[0].stmt, writing), "")


def _refusals(statement: Any, writing: bool) -> Iterator[str]:
    kind = type(statement).__name__
    check = _CHECKS.get(kind)
    if check is not None:
        yield from check(statement, writing)
    elif writing and kind in ("InsertStmt", "UpdateStmt", "SelectStmt"):
        yield from _written(statement)
    elif kind in ("SelectStmt", "ExplainStmt", "VariableShowStmt"):
        yield from (what for _, what, _ in findings(statement))
    else:
        said = [what for label, what, _ in findings(statement) if label is not Label.UNKNOWN]
        yield from said or [_OWN]


def _transaction(statement: Any, writing: bool) -> Iterator[str]:
    kind = statement.kind.name
    if kind in _BEGIN:
        for option in statement.options or ():
            value = getattr(option.arg, "val", option.arg)
            is_off = not getattr(value, "ival", getattr(value, "boolval", value))
            if option.defname == "transaction_read_only" and is_off and not writing:
                yield "would open a transaction that writes"
            elif option.defname not in ("transaction_read_only", "transaction_isolation", "transaction_deferrable"):
                yield _OWN
    elif kind not in _TRANSACTION:
        yield _OWN


def _cursor(statement: Any, writing: bool) -> Iterator[str]:
    yield from (what for _, what, _ in findings(statement.query))


def _nothing(statement: Any, writing: bool) -> Iterator[str]:
    yield from ()


def _copy(statement: Any, writing: bool) -> Iterator[str]:
    if statement.is_program or statement.filename:
        yield "would read or write files of the database server"
    elif statement.is_from:
        if not writing:
            yield "would copy rows in"
        yield from _target(statement.relation)
    elif statement.query is not None:
        yield from (what for _, what, _ in findings(statement.query))
    else:
        yield from (what for _, what, _ in findings(statement.relation))
    if statement.whereClause is not None:
        yield from (what for _, what, _ in findings(statement.whereClause))


def _create(statement: Any, writing: bool) -> Iterator[str]:
    if not writing:
        yield "would create a table"
    odd = ("inhRelations", "partbound", "partspec", "ofTypename", "tablespacename", "options", "accessMethod")
    if any(getattr(statement, name, None) for name in odd):
        yield _OWN
    yield from _target(statement.relation)
    yield from _written(list(statement.tableElts or ()))


def _create_as(statement: Any, writing: bool) -> Iterator[str]:
    if not writing or statement.into.rel.relpersistence != "t":
        yield "would create a table"
    yield from (what for _, what, _ in findings(statement.query))


def _create_schema(statement: Any, writing: bool) -> Iterator[str]:
    if not writing:
        yield "would create a schema"
    if statement.schemaElts or statement.authrole or str(statement.schemaname).startswith("pg_"):
        yield _OWN


def _alter(statement: Any, writing: bool) -> Iterator[str]:
    if not writing:
        yield "would change a table"
    yield from _target(statement.relation)
    for command in statement.cmds or ():
        if command.subtype.name != "AT_AddColumn":
            yield "would drop a part of a table" if "Drop" in command.subtype.name else "would change a table"
        else:
            yield from _written(command.def_)


def _lock(statement: Any, writing: bool) -> Iterator[str]:
    if not writing or statement.mode > _SHARE_ROW_EXCLUSIVE:
        yield "would lock a table"


def _written(node: Any) -> Iterator[str]:
    """A tree in which rows may be added and changed, but nothing deleted and nothing unknown called."""
    for current in walk(node):
        kind = type(current).__name__
        if kind in ("InsertStmt", "UpdateStmt"):
            yield from _target(current.relation)
        elif kind == "DeleteStmt":
            yield "would delete rows"
        elif kind == "FuncCall":
            yield from (what for _, what, _ in function_findings(current))
        elif kind == "RangeVar":
            if current.relname in table("sql", "secret_tables") and current.schemaname in (None, "pg_catalog"):
                yield f"would read {current.relname}, which holds secrets of the server"
        elif kind == "Constraint":
            if current.contype.name.removeprefix("CONSTR_") not in _CONSTRAINTS:
                yield "would create a rule on a table"
        elif kind == "IntoClause":
            yield "would create a table"
        elif kind in ("A_Expr", "SortBy"):
            name = current.name if kind == "A_Expr" else current.useOp
            if name and len(name) > 1 and name[0].sval != "pg_catalog":
                yield "uses an operator of its own"
        elif kind not in _WRITING_NODES and kind not in table("sql", "nodes"):
            yield _OWN


def _target(relation: Any) -> Iterator[str]:
    schema, name = relation.schemaname or "", relation.relname
    if schema in ("pg_catalog", "information_schema") or schema.startswith("pg_toast") or name.startswith("pg_"):
        yield "would change the database itself"


_CHECKS = {
    "TransactionStmt": _transaction,
    "DeclareCursorStmt": _cursor,
    "FetchStmt": _nothing,
    "ClosePortalStmt": _nothing,
    "DeallocateStmt": _nothing,
    "CopyStmt": _copy,
    "CreateStmt": _create,
    "CreateTableAsStmt": _create_as,
    "CreateSchemaStmt": _create_schema,
    "AlterTableStmt": _alter,
    "LockStmt": _lock,
}

"""SQL by its parse tree: one statement that only reads, made of nodes and functions that are known to do no more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from .model import Classification, Label, Reason, summed
from .text import unreadable

__all__ = ["allowed_functions", "classify_sql"]

_INSTEAD_READ = "Use one SELECT; rows are written with sync(...) or a driver's upsert."
_INSTEAD_DELETE = "Write a report of what would be deleted, or set a flag in a field."
_WRITES = {
    "InsertStmt": "would insert rows",
    "UpdateStmt": "would change rows",
    "MergeStmt": "would change rows",
    "CopyStmt": "would copy rows in or out",
    "CreateTableAsStmt": "would create a table",
    "CreateStmt": "would create a table",
    "IntoClause": "would create a table",
    "LockingClause": "would lock rows",
    "LockStmt": "would lock a table",
    "RefreshMatViewStmt": "would refresh a view",
    "IndexStmt": "would create an index",
    "ViewStmt": "would create a view",
    "CommentStmt": "would change a comment",
    "NotifyStmt": "would send a notification",
}
_DELETES = {
    "DeleteStmt": "would delete rows",
    "TruncateStmt": "would empty a table",
    "DropStmt": "would drop an object",
    "DropRoleStmt": "would drop a role",
    "DropdbStmt": "would drop a database",
    "DropOwnedStmt": "would drop objects",
    "DropTableSpaceStmt": "would drop a tablespace",
    "DropSubscriptionStmt": "would drop a subscription",
    "DropUserMappingStmt": "would drop a user mapping",
}
_NODES = frozenset(
    "RawStmt SelectStmt ExplainStmt VariableShowStmt DefElem ResTarget ColumnRef A_Star A_Const A_Expr A_ArrayExpr"
    " A_Indirection A_Indices BoolExpr NullTest BooleanTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr FuncCall TypeCast"
    " TypeName SubLink RangeVar RangeSubselect RangeFunction RangeTableSample JoinExpr Alias WithClause CommonTableExpr"
    " CTECycleClause CTESearchClause SortBy WindowDef GroupingSet GroupingFunc RowExpr ParamRef SQLValueFunction"
    " CollateClause NamedArgExpr String Integer Float Boolean BitString List XmlExpr XmlSerialize JsonValueExpr JsonFormat"
    " JsonReturning JsonOutput JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonKeyValue"
    " JsonObjectAgg JsonArrayAgg JsonAggConstructor JsonIsPredicate JsonFuncExpr JsonBehavior JsonArgument JsonParseExpr"
    " JsonScalarExpr JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec RangeTableFunc RangeTableFuncCol".split()
)
_SECRET_TABLES = frozenset(
    "pg_authid pg_shadow pg_user_mapping pg_user_mappings pg_largeobject pg_largeobject_metadata pg_hba_file_rules"
    " pg_ident_file_mappings pg_file_settings pg_subscription pg_stat_ssl pg_stat_activity pg_config"
    " pg_statistic pg_stat_statements pg_foreign_server pg_db_role_setting pg_roles_secret".split()
)
_DANGEROUS = (
    "pg_read", "pg_ls_", "pg_stat_file", "lo_", "dblink", "pg_terminate", "pg_cancel", "pg_reload", "pg_rotate", "pg_file",
    "query_to_xml", "cursor_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml", "pg_logical", "pg_replication",
    "pg_create", "pg_drop", "pg_advisory", "set_config", "setval", "nextval", "pg_switch", "pg_promote", "pg_backup",
    "pg_notify", "pg_sleep", "pg_import", "pg_export", "txid_current", "pg_current_xact", "currval", "lastval", "loread", "lowrite",
)  # fmt: skip


@cache
def allowed_functions() -> frozenset[str]:
    """Functions of pg_catalog without a side effect."""
    text = files(__package__).joinpath("sql_functions.txt").read_text(encoding="utf-8")
    return frozenset(name for line in text.splitlines() for name in line.split("#")[0].split())


def classify_sql(sql: str) -> Classification:
    """Label one SQL text. More than one statement, an unknown node or an unknown function is not read."""
    if found := unreadable(sql, "sql"):
        return summed(found)
    from pglast import parse_sql
    from pglast.parser import ParseError

    try:
        statements = parse_sql(sql)
    except (ParseError, RecursionError, ValueError) as exc:
        return summed([Reason(1, f"is SQL that can't be read ({str(exc).splitlines()[0]})", _INSTEAD_READ)])
    if not statements:
        return summed([Reason(1, "holds no SQL statement", _INSTEAD_READ)])
    found = []
    for statement in statements:
        line = sql.count("\n", 0, _start(sql, statement.stmt_location or 0)) + 1
        found += [Reason(line, what, instead, label) for label, what, instead in _findings(statement.stmt)]
        kind = type(statement.stmt).__name__
        if kind not in ("SelectStmt", "ExplainStmt", "VariableShowStmt") and not found:
            found.append(Reason(line, f"is {_plain(kind)}, not a query", _INSTEAD_READ, Label.UNKNOWN))
    if len(statements) > 1:
        found.append(Reason(1, f"holds {len(statements)} statements", "Send one statement at a time.", Label.UNKNOWN))
    return summed(found)


def _start(sql: str, location: int) -> int:
    text = sql.encode("utf-8")[location:].decode("utf-8", "ignore")
    return len(sql) - len(text.lstrip())


def _findings(statement: Any) -> Iterator[tuple[Label, str, str]]:
    for node in _walk(statement):
        kind = type(node).__name__
        if kind in _DELETES:
            yield Label.DELETE, _DELETES[kind], _INSTEAD_DELETE
        elif kind == "MergeWhenClause" and getattr(node.commandType, "name", "") == "CMD_DELETE":
            yield Label.DELETE, "would delete rows", _INSTEAD_DELETE
        elif kind == "CopyStmt" and (node.is_program or node.filename):
            yield Label.DANGEROUS, "would read or write files of the database server", _INSTEAD_READ
        elif kind in _WRITES:
            yield Label.WRITE, _WRITES[kind], _INSTEAD_READ
        elif kind == "AlterTableCmd" and "Drop" in getattr(node.subtype, "name", ""):
            yield Label.DELETE, "would drop a part of a table", _INSTEAD_DELETE
        elif kind == "FuncCall":
            yield from _function(node)
        elif kind == "RangeVar":
            if node.relname in _SECRET_TABLES and node.schemaname in (None, "pg_catalog"):
                yield (
                    Label.DANGEROUS,
                    f"would read {node.relname}, which holds secrets of the server",
                    "Read another table.",
                )
        elif kind == "ExplainStmt":
            if any(option.defname.lower() == "analyze" for option in node.options or ()):
                yield Label.UNKNOWN, "would run the statement it explains", "Use EXPLAIN without ANALYZE."
        elif kind in ("A_Expr", "SortBy"):
            name = node.name if kind == "A_Expr" else node.useOp
            if name and len(name) > 1 and name[0].sval != "pg_catalog":
                yield Label.UNKNOWN, "uses an operator of its own", "Use a standard operator."
        elif kind not in _NODES:
            yield Label.UNKNOWN, f"is or holds {_plain(kind)}, which is not a plain query", _INSTEAD_READ


def _function(node: Any) -> Iterator[tuple[Label, str, str]]:
    names = [part.sval for part in node.funcname]
    name = names[-1]
    if len(names) == 1 or (len(names) == 2 and names[0] == "pg_catalog"):
        if name in allowed_functions():
            return
        if name.startswith(_DANGEROUS):
            yield Label.DANGEROUS, f"calls {name}(), which does more than read rows", "Leave that function out."
            return
    shown = ".".join(names)
    yield Label.UNKNOWN, f"calls {shown}(), which is not known to only read", "Use a standard function."


def _walk(node: Any) -> Iterator[Any]:
    from pglast import ast

    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Node):
            yield current
            stack.extend(getattr(current, name) for name in current)
        elif isinstance(current, (tuple, list)):
            stack.extend(current)


def _plain(kind: str) -> str:
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in kind.removesuffix("Stmt")).strip()
    return f'a statement of the kind "{words}"'

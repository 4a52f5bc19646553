"""SQL by its parse tree: one statement that only reads, made of nodes and functions that are known to do no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .model import Classification, Label, Reason, summed
from .tables import sql_functions, table
from .text import unreadable

__all__ = ["classify_sql", "findings", "function_findings", "walk"]

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
_DEFINING = ("Create", "Alter", "Grant", "Rename", "Comment", "SecLabel", "Reassign", "Define", "Rule", "Composite")
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
        said = list(findings(statement.stmt))
        kind = type(statement.stmt).__name__
        if kind not in ("SelectStmt", "ExplainStmt", "VariableShowStmt") and not said:
            said = [(Label.UNKNOWN, f"is {_plain(kind)}, not a query", _INSTEAD_READ)]
        found += [Reason(line, what, instead, label) for label, what, instead in said]
    if len(statements) > 1:
        found.append(Reason(1, f"holds {len(statements)} statements", "Send one statement at a time.", Label.UNKNOWN))
    return summed(found)


def _start(sql: str, location: int) -> int:
    text = sql.encode("utf-8")[location:].decode("utf-8", "ignore")
    return len(sql) - len(text.lstrip())


def findings(statement: Any) -> Iterator[tuple[Label, str, str]]:
    """What stands in a parsed tree beside plain reading: label, what it would do, what to do instead."""
    parts_of_writes = False  # what only stands inside a write needs no finding of its own
    kind = type(statement).__name__
    if kind in table("sql", "dangerous_statements"):
        yield Label.DANGEROUS, f"is {_plain(kind)}, which can do anything", _INSTEAD_READ
        return
    if kind.startswith(_DEFINING) and kind not in _WRITES:
        parts_of_writes = True
        yield Label.WRITE, "would change the database itself", _INSTEAD_READ
    for node in walk(statement):
        kind = type(node).__name__
        if kind in _DELETES:
            parts_of_writes = True
            yield Label.DELETE, _DELETES[kind], _INSTEAD_DELETE
        elif kind == "MergeWhenClause" and getattr(node.commandType, "name", "") == "CMD_DELETE":
            yield Label.DELETE, "would delete rows", _INSTEAD_DELETE
        elif kind == "CopyStmt" and (node.is_program or node.filename):
            yield Label.DANGEROUS, "would read or write files of the database server", _INSTEAD_READ
        elif kind in _WRITES:
            parts_of_writes = parts_of_writes or kind != "LockingClause"
            yield Label.WRITE, _WRITES[kind], _INSTEAD_READ
        elif kind == "AlterTableCmd" and any(word in getattr(node.subtype, "name", "") for word in ("Drop", "Detach")):
            yield Label.DELETE, "would drop a part of a table", _INSTEAD_DELETE
        elif kind == "FuncCall":
            yield from function_findings(node)
        elif kind == "RangeVar":
            if node.relname in table("sql", "secret_tables") and node.schemaname in (None, "pg_catalog"):
                what = f"would read {node.relname}, which holds secrets of the server"
                yield Label.DANGEROUS, what, "Read another table."
        elif kind == "ExplainStmt":
            if any(option.defname.lower() == "analyze" for option in node.options or ()):
                yield Label.UNKNOWN, "would run the statement it explains", "Use EXPLAIN without ANALYZE."
        elif kind in ("A_Expr", "SortBy"):
            name = node.name if kind == "A_Expr" else node.useOp
            if name and len(name) > 1 and name[0].sval != "pg_catalog":
                yield Label.UNKNOWN, "uses an operator of its own", "Use a standard operator."
        elif kind not in table("sql", "nodes") and not parts_of_writes:
            yield Label.UNKNOWN, f"is or holds {_plain(kind)}, which is not a plain query", _INSTEAD_READ


def function_findings(node: Any) -> Iterator[tuple[Label, str, str]]:
    """The same about one function call."""
    names = [part.sval for part in node.funcname]
    name = names[-1]
    if len(names) == 1 or (len(names) == 2 and names[0] == "pg_catalog"):
        if name in sql_functions():
            return
        if name.startswith(tuple(table("sql", "dangerous_prefixes"))):
            yield Label.DANGEROUS, f"calls {name}(), which does more than read rows", "Leave that function out."
            return
    shown = ".".join(names)
    yield Label.UNKNOWN, f"calls {shown}(), which is not known to only read", "Use a standard function."


def walk(node: Any) -> Iterator[Any]:
    """Every node of a tree, or of several in a list."""
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

"""A script of this planner's shape -> the request behind it, so that a later dialog can change it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import Any

from .conditions import Filter
from .lexicon import Lexicon
from .request import FileWish, Request
from .schedules import Schedule

__all__ = ["recover"]

_FILES = {"to_csv": "csv", "to_json": "json", "to_jsonl": "jsonl", "to_parquet": "parquet"}
_BEYOND = {"join", "Records", "Counter", "sorted"}


@dataclass
class _Parts:
    """What stands in a script."""

    clients: dict[str, str]  # variable -> system
    reads: list[tuple[str, str, dict[str, str], list[Filter], int]]  # client, object, fields, where, limit
    target: tuple[str, str] = ("", "")
    key: str = ""
    files: tuple[FileWish, ...] = ()


def recover(name: str, code: str, lexicon: Lexicon) -> Request | None:
    """The request of a script that reads one object and writes or exports it; None for any other."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    if called & _BEYOND:
        return None
    parts = _parts(tree, lexicon)
    if len(parts.reads) != 1:
        return None
    client, obj, fields, where, limit = parts.reads[0]
    if client not in parts.clients or not fields:
        return None
    target, table = parts.target
    request = Request(
        text=f"change {name}",
        kind="copy" if target or parts.files else "show",
        source=parts.clients[client],
        target=parts.clients.get(target, ""),
        files=parts.files,
        source_table=obj,
        fields=tuple(fields),
        exact=True,
        filters=tuple(where),
        limit=limit,
        table=table,
        renames=tuple((field, column) for field, column in fields.items()),
        name=name,
    )
    if parts.key:
        source = next((field for field, column in fields.items() if column == parts.key), "")
        request = replace(request, key=source)
    found = re.search(r'^SCHEDULE = "([^"\n]*)"$', code, re.MULTILINE)
    return replace(request, schedule=Schedule(found[1], f"at {found[1]}")) if found else request


def _parts(tree: ast.Module, lexicon: Lexicon) -> _Parts:
    modules = {
        alias.name: node.module.removesuffix("_driver")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith("_driver")
        for alias in node.names
    }
    parts = _Parts({}, [])
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call):
            made, name = node.context_expr.func, node.optional_vars
            if isinstance(made, ast.Name) and isinstance(name, ast.Name) and modules.get(made.id) in lexicon.systems:
                parts.clients[name.id] = modules[made.id]
        elif isinstance(node, ast.Call):
            _call(node, parts)
    return parts


def _call(node: ast.Call, parts: _Parts) -> None:
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if isinstance(node.func, ast.Name):
        texts = [_literal(argument) for argument in node.args]
        if node.func.id == "Source" and len(node.args) >= 2 and isinstance(node.args[0], ast.Name):
            fields = named.get("fields") or (node.args[2] if len(node.args) > 2 else None)
            parts.reads.append((node.args[0].id, str(texts[1]), _fields(fields), _where(named.get("where")), 0))
        elif node.func.id == "Target" and len(node.args) == 2 and isinstance(node.args[0], ast.Name):
            parts.target = (node.args[0].id, str(texts[1]))
        elif node.func.id == "sync":
            parts.key = str(_literal(named.get("key")) or "")
    elif isinstance(node.func, ast.Attribute):
        if node.func.attr == "read" and isinstance(node.func.value, ast.Name) and node.args:
            limit = _literal(named.get("limit"))
            entry = (_fields(named.get("fields")), _where(named.get("where")), limit if isinstance(limit, int) else 0)
            parts.reads.append((node.func.value.id, str(_literal(node.args[0])), *entry))
        elif node.func.attr in _FILES and node.args:
            wish = FileWish(_FILES[node.func.attr], str(_literal(node.args[0])))
            parts.files = (*parts.files, wish)


def _literal(node: ast.expr | None) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def _fields(node: ast.expr | None) -> dict[str, str]:
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {str(_literal(key)): str(_literal(value)) for key, value in pairs}
    if isinstance(node, ast.List | ast.Tuple):
        return {str(_literal(entry)): str(_literal(entry)) for entry in node.elts}
    return {}


def _where(node: ast.expr | None) -> list[Filter]:
    found = []
    for entry in node.elts if isinstance(node, ast.List | ast.Tuple) else ():
        if isinstance(entry, ast.Tuple) and len(entry.elts) == 3:
            field, op = (str(_literal(part)) for part in entry.elts[:2])
            code = ast.unparse(entry.elts[2])
            code = re.sub(r"'([^'\"\\]*)'", r'"\1"', code)
            found.append(Filter(field, op, code, f"{field} {op} {code}"))
    return found

"""Values a reader can tell without running anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

__all__ = ["constants", "fold"]

_DEDENT = "textwrap.dedent()"  # stands among the constants when `dedent` surely is textwrap's
_MAX = 100_000  # characters


def fold(node: ast.expr | None, names: Mapping[str, object], *, hole: str | None = None) -> object:
    """The constant value of an expression; None when it has none.

    Concatenation, f-strings, `.join`, `.strip`, textwrap.dedent. `hole` stands for the parts that can't be told;
    without it one such part makes the whole unknown.
    """
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names.get(name)
        case ast.JoinedStr(values=values):
            parts = []
            for value in values:
                inner = value.value if isinstance(value, ast.FormattedValue) else value
                text = fold(inner, names, hole=hole)
                plain = not isinstance(value, ast.FormattedValue) or (value.conversion == -1 and not value.format_spec)
                if isinstance(text, (str, int)) and not isinstance(text, bool) and plain:
                    parts.append(str(text))
                elif hole is not None:
                    parts.append(hole)
                else:
                    return None
            return _short("".join(parts))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, two = fold(left, names, hole=hole), fold(right, names, hole=hole)
            if isinstance(one, str) and isinstance(two, str):
                return _short(one + two)
            if hole is not None and (isinstance(one, str) or isinstance(two, str)):
                return _short(f"{one if isinstance(one, str) else hole}{two if isinstance(two, str) else hole}")
            return None
        case ast.Call(
            func=ast.Attribute(value=value, attr="strip" | "lstrip" | "rstrip" as attr), args=[], keywords=[]
        ):
            text = fold(value, names, hole=hole)
            return getattr(text, attr)() if isinstance(text, str) else None
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(glue)), attr="join"), args=[seq], keywords=[]):
            entries = _entries(seq, names, hole)
            return _short(glue.join(entries)) if entries is not None else None
        case ast.Call(func=ast.Name(id="dedent") | ast.Attribute(attr="dedent"), args=[inner], keywords=[]):
            return fold(inner, names, hole=hole) if _DEDENT in names else None
        case ast.Call(func=ast.Attribute(value=value, attr="format")) if hole is not None:
            text = fold(value, names)
            return _short(re.sub(r"\{[^{}]*\}", lambda _: hole, text)) if isinstance(text, str) else None
        case ast.BinOp(left=left, op=ast.Mod()) if hole is not None:
            text = fold(left, names)
            return _short(re.sub(r"%(?:\(\w+\))?[sdrif]", lambda _: hole, text)) if isinstance(text, str) else None
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            found = [fold(entry, names, hole=hole) for entry in elts]
            return tuple(found) if None not in found else None
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = fold(operand, names)
            return -number if isinstance(number, (int, float)) else None
    return None


def constants(tree: ast.AST) -> dict[str, object]:
    """Names that are bound once in the whole script, to a value that can be told."""
    bound: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bound.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            bound.setdefault(node.target.id, []).append(node.value)
    stores: dict[str, int] = {}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names = [node.id]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            names = [node.name]
        elif isinstance(node, ast.alias):
            names = [(node.asname or node.name).partition(".")[0]]
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            names = [node.name]
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names = [node.rest]
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            names = node.names * 2
        for name in names:
            stores[name] = stores.get(name, 0) + 1
    found: dict[str, object] = {}
    if _imports_dedent(tree) and stores.get("dedent", 0) + stores.get("textwrap", 0) == 1:
        found[_DEDENT] = True
    for _ in range(3):
        for name, values in bound.items():
            if len(values) == 1 and stores.get(name) == 1 and name not in found:
                value = fold(values[0], found)
                grows = isinstance(values[0], ast.List) and _may_change(tree, name)
                if value is not None and not grows:
                    found[name] = value
    return found


def _imports_dedent(tree: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.Import) and any(alias.name == "textwrap" and not alias.asname for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "textwrap" and not node.level)
        for node in ast.walk(tree)
    )


def _may_change(tree: ast.AST, name: str) -> bool:
    """A list bound to this name is used for anything but `"...".join(name)` and may have changed by then."""
    joined = {
        id(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "join"
        and node.args
    }
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in joined
        for node in ast.walk(tree)
    )


def _entries(node: ast.expr, names: Mapping[str, object], hole: str | None) -> list[str] | None:
    value = fold(node, names)
    if isinstance(value, tuple) and all(isinstance(entry, str) for entry in value):
        return [str(entry) for entry in value]
    return [hole] if hole is not None else None


def _short(text: str) -> str | None:
    return text if len(text) <= _MAX else None

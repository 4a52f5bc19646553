"""The schema-grounded gate: every object and field a script names must have been seen, before a run is spent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from integrator_drivers import Mode, registry
from integrator_drivers.errors import near_matches

from .workspace import Schema, Workspace

__all__ = ["check"]

_METHODS = ("read", "lookup", "insert", "update", "upsert")


class _Use(NamedTuple):
    """A place where a script names an object, and fields of it."""

    line: int
    system: str
    object: str
    fields: list[str]
    reads: bool


def check(code: str, workspace: Workspace) -> tuple[list[str], list[str]]:
    """(problems, notes): sentences with line numbers. Problems stop the script; notes go into its explanation."""
    from ..errors import PolicyRefused
    from ..policy import allowed

    try:
        tree = ast.parse(code)
    except SyntaxError as exc:
        return [f"Line {exc.lineno}: this is not valid Python ({exc.msg})."], []
    try:
        allowed(code, Mode.APPLY)
    except PolicyRefused as exc:
        return [str(exc)], []
    problems: list[str] = []
    unverified: set[str] = set()
    for use in _uses(tree):
        problem, standard = _check_use(use, workspace)
        problems += problem
        if standard:
            unverified.add(f"{use.object} in {registry.manifest(use.system).label}")
    notes = [
        f"Not verified: the fields of {name} are from the vendor's standard schema." for name in sorted(unverified)
    ]
    return problems, notes


def _check_use(use: _Use, workspace: Workspace) -> tuple[list[str], bool]:
    label = registry.manifest(use.system).label
    schema = _schema(workspace, use.system, use.object)
    if schema is None:
        if not use.reads:
            return [], False
        known = [entry["name"] for entry in workspace.objects.get(use.system, [])]
        known += list(registry.standard_schema(use.system))
        if known and use.object not in known:
            near = ", ".join(near_matches(use.object, known))
            hint = f" Close matches: {near}." if near else ""
            return [f"Line {use.line}: {label} has no object {use.object!r} that was seen.{hint}"], False
        return [f"Line {use.line}: look at {use.object} with get_fields first; its fields are not known yet."], False
    problems = []
    for name in use.fields if use.reads else []:
        if not _known(workspace, use.system, schema, name):
            near = ", ".join(near_matches(name.rpartition(".")[2], schema.fields))
            hint = f" Close matches: {near}." if near else ""
            problems.append(f"Line {use.line}: {use.object} in {label} has no field {name!r} that was seen.{hint}")
    return problems, not schema.verified


def _known(workspace: Workspace, system: str, schema: Schema, name: str) -> bool:
    """Whether a field, or a path over parents such as Campaign.Name, is known as far as schemas are."""
    if name in schema.fields:
        return True
    head, _, rest = name.partition(".")
    if not rest:
        return False
    for field_name, field in schema.fields.items():
        if field.get("references") and field_name in (head, f"{head}Id", f"{head.removesuffix('__r')}__c"):
            parents = [_schema(workspace, system, parent) for parent in field["references"]]
            seen = [parent for parent in parents if parent is not None]
            return not seen or any(_known(workspace, system, parent, rest) for parent in seen)
    return False


def _schema(workspace: Workspace, system: str, obj: str) -> Schema | None:
    if (system, obj) in workspace.schemas:
        return workspace.schemas[system, obj]
    standard = registry.standard_schema(system).get(obj)
    return Schema(standard["fields"], verified=False, at=0.0) if standard else None


def _uses(tree: ast.Module) -> Iterator[_Use]:
    clients = _clients(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        arguments = list(node.args)
        named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        if isinstance(node.func, ast.Name) and node.func.id in ("Source", "Target") and arguments:
            client, arguments, reads = arguments[0], arguments[1:], node.func.id == "Source"
        elif isinstance(node.func, ast.Attribute) and node.func.attr in (
            "read",
            "lookup",
            "insert",
            "update",
            "upsert",
        ):
            client, reads = node.func.value, node.func.attr in ("read", "lookup")
        else:
            continue
        obj = _text(arguments[0] if arguments else named.get("obj") or named.get("object"))
        if not isinstance(client, ast.Name) or client.id not in clients or obj is None:
            continue
        listed = named.get("fields") or (arguments[1] if len(arguments) > 1 else None)
        fields = [*_texts(listed), *_conditions(named.get("where"))] if reads else []
        yield _Use(node.lineno, clients[client.id], obj, fields, reads)


def _clients(tree: ast.Module) -> dict[str, str]:
    """Variable -> system, for `with XClient() as x` and `x = XClient()`."""
    classes: dict[str, str] = {}
    for name, manifest in registry.manifests().items():
        classes[manifest.client.partition(":")[2]] = name
    found: dict[str, str] = {}

    def bind(value: ast.expr, target: ast.expr | None) -> None:
        called = value.func if isinstance(value, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in classes and isinstance(target, ast.Name):
            found[target.id] = classes[called.id]

    for node in ast.walk(tree):
        if isinstance(node, ast.With):
            for item in node.items:
                bind(item.context_expr, item.optional_vars)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            bind(node.value, node.targets[0])
    return found


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _texts(node: ast.expr | None) -> list[str]:
    """Literal strings of a list, tuple or set, or the keys of a dict."""
    entries: list[Any] = []
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        entries = list(node.elts)
    elif isinstance(node, ast.Dict):
        entries = [key for key in node.keys if key is not None]
    return [text for entry in entries if (text := _text(entry)) is not None]


def _conditions(node: ast.expr | None) -> list[str]:
    """Field names of literal `where` triples."""
    if not isinstance(node, (ast.List, ast.Tuple)):
        return []
    firsts = [entry.elts[0] for entry in node.elts if isinstance(entry, (ast.Tuple, ast.List)) and entry.elts]
    return [text for first in firsts if (text := _text(first)) is not None]

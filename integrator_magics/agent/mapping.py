"""Which source field goes into which target column, read from a script's syntax tree: what the mapping table shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from integrator_drivers import registry

from ..events import Mapped, MappedField
from .uses import Script
from .workspace import Workspace

__all__ = ["mapped"]

MORE = 200  # fields of the source that are offered


def mapped(name: str, code: str, workspace: Workspace) -> list[Mapped]:
    """A mapping for each `sync` whose columns stand in the script as literals, in the order of the script."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []
    script = Script(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    syncs = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "sync"]
    found = []
    for node in sorted(syncs, key=lambda entry: entry.lineno):
        found += list(_of_sync(name, node, script, workspace))
    return found


def _of_sync(name: str, node: ast.Call, script: Script, workspace: Workspace) -> Iterator[Mapped]:
    target = script.call_of(node, 1, "target")
    source = script.call_of(node, 0, "source")
    if target is None or source is None:
        return
    system = script.system(script.argument(target, 0, "client"))
    obj = script.text(script.argument(target, 1, "object", "obj"))
    key = script.text(script.argument(node, 2, "key"))
    if not system or not obj:
        return
    from_system, from_object, fields = "", "", script.argument(source, 2, "fields")
    if isinstance(source.func, ast.Name) and source.func.id == "Source":
        from_system = script.system(script.argument(source, 0, "client"))
        from_object = script.text(script.argument(source, 1, "object", "obj"))
    elif isinstance(source.func, ast.Attribute) and source.func.attr == "renamed":
        fields = script.argument(source, 0, "columns")
    else:
        return
    pairs = script.pairs(fields)
    if not pairs:
        return
    seen = workspace.seen(from_system, from_object) if from_object else None
    known = seen.fields if seen else {}
    entries = [
        MappedField(
            field=field,
            column=column,
            label=str(known.get(field, {}).get("label") or ""),
            type=str(known.get(field, {}).get("type") or ""),
            is_key=column == key,
        )
        for field, column in pairs
    ]
    taken = {field for field, _ in pairs}
    more = [entry for entry, shape in known.items() if entry not in taken and shape.get("compound") != entry]
    title = registry.manifest(from_system).label if from_system else "records"
    yield Mapped(
        name=name,
        source=f"{title} {from_object}".strip(),
        target=f"{registry.manifest(system).label} {obj}",
        fields=entries,
        more=more[:MORE],
    )

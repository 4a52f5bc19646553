"""How the objects of a system refer to each other: what `%discover SYSTEM [OBJECT] --graph` draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from integrator_drivers import registry
from integrator_drivers.errors import ObjectNotFoundError, near_matches

from . import discovery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .sandbox import Runner

__all__ = ["Node", "Relations", "relations"]

LOOKED_AT = 20  # objects whose fields are read
_HUB = 0.75  # share of the objects that refer to one, above which drawing it would hide the rest


@dataclass
class Node:
    """One object, and the fields by which it refers to others: field -> objects."""

    name: str
    label: str
    records: int | None = None
    references: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Relations:
    """Objects by name. `hubs` are left out of a whole system's picture: nearly everything refers to them."""

    system: str
    nodes: dict[str, Node]
    looked_at: int  # objects whose fields were read
    objects: int  # objects there are
    center: str = ""
    hubs: list[str] = field(default_factory=list)


def relations(runner: Runner, system: str, obj: str | None = None) -> Relations:
    """Read the fields of the objects with the most records, and keep what refers to what.

    With `obj` only that object, what it refers to, and which of the others refer to it. Raises ObjectNotFoundError.
    """
    name = registry.resolve(system)
    listed = {entry["name"]: entry for entry in discovery.objects(runner, name)["objects"]}
    if obj is not None and obj not in listed:
        near = near_matches(obj, listed)
        hint = f" Close matches: {', '.join(near)}." if near else ""
        raise ObjectNotFoundError(f'{registry.manifest(name).label} has no object "{obj}".{hint}', near)
    scanned = list(dict.fromkeys([*([obj] if obj else []), *list(listed)[:LOOKED_AT]]))
    nodes: dict[str, Node] = {}
    for entry in scanned:
        node = nodes[entry] = Node(entry, listed[entry]["label"] or entry, listed[entry].get("records"))
        for field_name, known in runner.call(name, "get_fields", entry).items():
            if targets := list(known.get("references") or []):
                node.references[field_name] = targets
    found = Relations(name, nodes, len(scanned), len(listed), obj or "")
    if obj:
        _keep_around(found, listed)
    else:
        _leave_out_hubs(found)
    return found


def _keep_around(found: Relations, listed: Iterable[str]) -> None:
    """Only the center, what it refers to and what refers to it; of the others only the fields that do."""
    center = found.nodes[found.center]
    kept = {found.center: center}
    for name, node in found.nodes.items():
        towards = {field: [found.center] for field, targets in node.references.items() if found.center in targets}
        if name != found.center and towards:
            kept[name] = Node(name, node.label, node.records, towards)
    parents = dict.fromkeys(target for targets in center.references.values() for target in targets)
    for target in parents:
        if target in listed:
            known = found.nodes.get(target)
            kept.setdefault(target, Node(target, known.label if known else target, known.records if known else None))
    center.references = {
        field: kept_targets
        for field, targets in center.references.items()
        if (kept_targets := [target for target in targets if target in kept])
    }
    found.nodes = kept


def _leave_out_hubs(found: Relations) -> None:
    """References to what is not drawn go; so do objects that nearly all others refer to."""
    fans: dict[str, set[str]] = {}
    for name, node in found.nodes.items():
        for targets in node.references.values():
            for target in targets:
                fans.setdefault(target, set()).add(name)
    if len(found.nodes) > 4:
        found.hubs = [name for name, fan in fans.items() if len(fan) > _HUB * len(found.nodes) and name in found.nodes]
    found.nodes = {name: node for name, node in found.nodes.items() if name not in found.hubs}
    for node in found.nodes.values():
        node.references = {
            field: kept
            for field, targets in node.references.items()
            if (kept := [target for target in targets if target in found.nodes])
        }

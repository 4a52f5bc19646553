"""Which drivers there are. Nothing here imports a driver, except `client`."""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .errors import DriverNotFoundError, near_matches
from .manifest import Manifest

__all__ = ["client", "docs", "manifest", "manifests", "names", "resolve", "standard_schema"]


@cache
def manifests() -> dict[str, Manifest]:
    """Every driver by name: those beside this package, then those of entry-point group `integrator.drivers`."""
    found = {}
    for path in sorted(Path(__file__).parent.parent.glob("*_driver/driver.toml")):
        entry = Manifest.load(path)
        found[entry.name] = entry
    for point in entry_points(group="integrator.drivers"):
        spec = find_spec(point.module)
        if spec and spec.origin and point.name not in found:
            found[point.name] = Manifest.load(Path(spec.origin).parent / "driver.toml")
    return found


def names() -> list[str]:
    """Names of all drivers, sorted."""
    return sorted(manifests())


def resolve(text: str) -> str:
    """The driver that `text` names, by name or alias. Raises DriverNotFoundError with near matches."""
    spoken = {name.casefold(): name for name in manifests()}
    for name, entry in manifests().items():
        spoken |= {alias.casefold(): name for alias in (entry.label, *entry.aliases)}
    key = text.strip().casefold()
    if key in spoken:
        return spoken[key]
    near = list(dict.fromkeys(spoken[match] for match in near_matches(key, spoken)))
    hint = f" Did you mean {near[0]}?" if near else ""
    raise DriverNotFoundError(f'There is no driver for "{text}".{hint} `%drivers` lists all {len(names())}.', near)


def manifest(name: str) -> Manifest:
    """The manifest of the driver that `name` (or an alias) names."""
    return manifests()[resolve(name)]


def client(name: str) -> Any:
    """The client class of a driver; this imports it."""
    module, _, attribute = manifest(name).client.partition(":")
    return getattr(import_module(module), attribute)


def docs(name: str) -> dict[str, str]:
    """README, docs/ and examples/ of a driver: path inside its folder -> text."""
    folder = manifest(name).folder
    paths = [folder / "README.md", *sorted(folder.glob("docs/*.md")), *sorted(folder.glob("examples/*.py"))]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths if path.exists()}


def standard_schema(name: str) -> dict[str, dict[str, Any]]:
    """The vendor's standard objects, from schema.json: object -> {label, purpose, fields}. Not verified live."""
    path = manifest(name).folder / "schema.json"
    if not path.exists():
        return {}
    objects: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["objects"]
    return objects

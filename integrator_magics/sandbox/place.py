"""Where things lie on this machine: the interpreter, installed packages, drivers; what a sandbox must see of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import integrator_drivers
from integrator_drivers import registry
from integrator_drivers.manifest import Manifest

__all__ = ["INSIDE", "driver_folders", "import_folders", "interpreter", "preload", "read_only", "requirements", "stamp"]

INSIDE = Path(__file__).parent / "inside"
_START = "import sys; sys.path.insert(0, sys.argv.pop()); from inside.main import main; main()"
_PACKAGES = ("site-packages", "dist-packages")
_DRIVERS = Path(integrator_drivers.__file__).parent.parent


def interpreter(parent_of_inside: str) -> list[str]:
    """The command that starts the program inside."""
    return [sys.executable, "-I", "-X", "utf8", "-c", _START, parent_of_inside]


def driver_folders() -> list[Path]:
    """Packages of the contract and of every driver, whether installed or in a checkout."""
    return [_DRIVERS / "integrator_drivers", *(entry.folder for entry in registry.manifests().values())]


def import_folders() -> list[str]:
    """Folders to import from which `python -I` may leave out: the drivers' own, and packages on PYTHONPATH and such."""
    return list(dict.fromkeys([*(str(folder.parent) for folder in driver_folders()), *_package_folders()]))


def read_only() -> list[Path]:
    """What a script's interpreter needs to see: itself, its packages, the drivers; nothing else of these folders."""
    found = [INSIDE, *driver_folders()]
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix)):
        found += [Path(prefix) / name for name in ("lib", "lib64", "pyvenv.cfg")]
    executable = Path(sys.executable)
    while True:  # every link on the way to the real program
        found.append(executable)
        if not executable.is_symlink():
            break
        executable = executable.parent / executable.readlink()
    found += map(Path, _package_folders())
    paths = [Path(os.path.normpath(path)) for path in found]
    kept: list[Path] = []
    for path in sorted(dict.fromkeys(paths), key=lambda entry: len(entry.parts)):
        if path.exists() and not any(path.is_relative_to(parent) for parent in kept):
            kept.append(path)
    return kept


def preload(systems: list[str]) -> list[str]:
    """Modules worth loading ahead for scripts that use these systems."""
    modules = ["integrator_drivers", "pandas", "zoneinfo"]
    for name in systems:
        entry = registry.manifest(name)
        modules += requirements(entry)
        modules.append(entry.client.partition(":")[0])
    return list(dict.fromkeys(modules))


def requirements(entry: Manifest) -> list[str]:
    """Top modules of the libraries a driver needs."""
    return [_module(requirement) for requirement in entry.requires]


def stamp() -> tuple[object, ...]:
    """Changes when the code of a driver or the set of installed packages does."""
    found: list[object] = [sys.executable]
    for folder in driver_folders():
        files = sorted(folder.rglob("*.py")) if _editable(folder) else [folder]
        found += [(str(path), path.stat().st_mtime_ns) for path in files]
    found += [(path, Path(path).stat().st_mtime_ns) for path in _package_folders()]
    return tuple(found)


def _package_folders() -> list[str]:
    """Where packages are installed."""
    return [path for path in sys.path if Path(path).name in _PACKAGES and Path(path).is_dir()]


def _editable(folder: Path) -> bool:
    return folder.parent.name not in _PACKAGES


def _module(requirement: str) -> str:
    """A guess from the distribution's name: simple-salesforce>=1.12 -> simple_salesforce."""
    name = requirement
    for mark in "[<>=!~; ":
        name = name.split(mark)[0]
    return name.replace("-", "_").lower()

"""The shape of the tree: who may import whom, and what no file may grow into."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LADDER = [
    {"errors", "config", "events"},
    {"credentials"},
    {"knowledge"},
    {"policy"},
    {"audit", "broker"},
    {"sandbox"},
    {"export"},
    {"integration", "unattended", "discovery", "relations", "mapping"},
    {"agent"},
    {"session", "dialog", "overview", "background", "failing", "connecting"},
    {"ui"},
    {"magics", "cli", "demo", "mcp", "practice"},
]
RUNG = {room: height for height, rooms in enumerate(LADDER) for room in rooms}


def imported(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, anywhere in it."""
    package = path.relative_to(ROOT).with_suffix("").parts
    package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                yield node.module or ""
                continue
            base = package[: len(package) - node.level + 1]
            if node.module:
                yield ".".join((*base, node.module))
            else:
                yield from (".".join((*base, alias.name)) for alias in node.names)


def sources(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "_labextension" not in path.parts]


@pytest.mark.parametrize("path", sources("integrator_magics"), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_rooms_below_them(path: Path) -> None:
    room = path.relative_to(ROOT / "integrator_magics").with_suffix("").parts[0]
    if room == "__init__":
        return
    assert room in RUNG, f"{room} has no place on the ladder of tests/test_house.py"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "integrator_magics" and len(parts) > 1 and parts[1] in RUNG and parts[1] != room:
            assert RUNG[parts[1]] < RUNG[room] or parts[1] in LADDER[RUNG[room]], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sources("drivers"), ids=lambda p: str(p.relative_to(ROOT)))
def test_drivers_import_neither_the_magics_nor_each_other(path: Path) -> None:
    package = path.relative_to(ROOT / "drivers").parts[0]
    for name in imported(path):
        top = name.split(".")[0]
        assert top != "integrator_magics", f"{path} imports {name}"
        if "examples" in path.parts or "practice" in path.parts:
            continue
        if top.endswith("_driver"):
            assert top == package or package == "integrator_practice", f"{path} imports {name}"
        if package == "integrator_drivers":
            assert top != "integrator_practice" or "testing" in path.parts, f"{path} imports {name}"


def test_only_the_interface_imports_ipywidgets_and_only_models_names_a_provider() -> None:
    for path in sources("integrator_magics"):
        tops = {name.split(".")[0] for name in imported(path)}
        inside = path.relative_to(ROOT / "integrator_magics").as_posix()
        if "ipywidgets" in tops:
            assert inside.startswith("ui/"), inside
        if tops & {"anthropic", "openai"}:
            assert inside == "agent/models.py", inside


def test_no_source_file_outgrows_one_idea() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("integrator_magics", "drivers")
        for path in sources(folder)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long

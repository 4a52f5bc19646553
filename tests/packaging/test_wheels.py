"""What the two wheels hold, and that each installs and works on its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from integrator_drivers import registry
from integrator_magics.export import build_light_wheel

ROOT = Path(__file__).parents[2]


def build(folder: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def root_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="module")
def light_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT / "drivers", tmp_path_factory.mktemp("light"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_root_wheel_holds_drivers_documents_examples_practice_and_front_end(root_wheel: Path) -> None:
    held = names(root_wheel)
    for driver, entry in registry.manifests().items():
        package = entry.folder.name
        assert {f"{package}/driver.toml", f"{package}/README.md", f"{package}/py.typed"} <= held, driver
        for kind in ("docs/", "examples/", "practice/"):
            assert [name for name in held if name.startswith(f"{package}/{kind}")], f"{driver} {kind}"
    assert {"integrator_magics/py.typed", "integrator_drivers/py.typed", "integrator_practice/__main__.py"} <= held
    extension = [name for name in held if "share/jupyter/labextensions/@integrator/notebook/" in name]
    assert any(name.endswith("package.json") for name in extension)
    assert any(name.endswith("install.json") for name in extension)
    assert any("remoteEntry" in name for name in extension)
    assert not [name for name in held if "node_modules" in name or "__pycache__" in name or name.startswith("tests")]


def test_the_front_end_is_in_the_wheel_once(root_wheel: Path) -> None:
    entries = [name for name in names(root_wheel) if "remoteEntry" in name]
    assert len(entries) == 1


def test_the_light_wheel_holds_the_drivers_and_no_practice(light_wheel: Path) -> None:
    held = names(light_wheel)
    assert "integrator_drivers/sync.py" in held
    for entry in registry.manifests().values():
        package = entry.folder.name
        assert {f"{package}/driver.toml", f"{package}/README.md"} <= held
        assert [name for name in held if name.startswith(f"{package}/docs/")]
        assert [name for name in held if name.startswith(f"{package}/examples/")]
    assert not [name for name in held if "/practice/" in name or "integrator_practice" in name]
    assert not [name for name in held if "integrator_magics" in name]


def test_the_wheel_that_an_export_makes_is_the_light_wheel(light_wheel: Path, tmp_path: Path) -> None:
    made = build_light_wheel(tmp_path)
    assert made.name == light_wheel.name

    def content(wheel: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}

    assert content(made) == content(light_wheel)


def test_both_wheels_ask_for_the_same_distributions(light_wheel: Path, tmp_path: Path) -> None:
    def requirements(wheel: Path) -> set[str]:
        with zipfile.ZipFile(wheel) as archive:
            name = next(entry for entry in archive.namelist() if entry.endswith("METADATA"))
            text = archive.read(name).decode()
        lines = [line.split(":", 1)[1] for line in text.splitlines() if line.startswith("Requires-Dist:")]
        return {_normal(line) for line in lines}

    assert requirements(build_light_wheel(tmp_path)) == requirements(light_wheel)


def _normal(requirement: str) -> str:
    from packaging.requirements import Requirement

    parsed = Requirement(requirement)
    return f"{parsed.name}{sorted(parsed.extras)}{sorted(map(str, parsed.specifier))}{parsed.marker}".replace("'", '"')


def test_the_light_wheel_works_without_jupyter(light_wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(light_wheel)], check=True)
    code = (
        "import sys; from integrator_drivers import registry; import integrator_drivers;"
        f"assert integrator_drivers.__file__.startswith({str(target)!r});"
        "print(registry.names(), 'IPython' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(target)!r}, *{_site()!r}];{code}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == f"{registry.names()} False"


def _site() -> list[str]:
    return [path for path in sys.path if "site-packages" in path]

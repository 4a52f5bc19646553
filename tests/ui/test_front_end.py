"""The committed front end: built from the sources beside it, and free of this machine."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
BUILT = REPO / "integrator_magics" / "_labextension"
SOURCES = REPO / "labextension"


def test_the_built_front_end_was_made_from_these_sources() -> None:
    """On failure: `jlpm install && jlpm build:prod` in labextension/."""
    paths = [
        "package.json",
        "tsconfig.json",
        "install.json",
        *(f"{folder}/{path.name}" for folder in ("schema", "src", "style") for path in (SOURCES / folder).iterdir()),
    ]
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(f"{path}\0".encode() + (SOURCES / path).read_bytes() + b"\0")
    assert (BUILT / "SOURCES.sha256").read_text().strip() == found.hexdigest()


def test_the_front_end_is_small_and_says_how_it_is_removed() -> None:
    size = sum(path.stat().st_size for path in BUILT.rglob("*") if path.is_file())
    assert size < 60_000
    assert json.loads((BUILT / "install.json").read_text())["packageName"] == "integrator-magics"
    built = json.loads((BUILT / "package.json").read_text())
    assert built["name"] == "@integrator/notebook"
    assert (BUILT / built["jupyterlab"]["_build"]["load"]).exists()


def test_no_host_is_written_into_the_lock_file() -> None:
    assert not re.search(r"https?://", (SOURCES / "yarn.lock").read_text(encoding="utf-8"))


def test_both_halves_agree_on_target_protocol_and_the_head_of_a_cell() -> None:
    from integrator_magics.ui import bridge

    source = (SOURCES / "src" / "protocol.ts").read_text(encoding="utf-8")
    assert f"TARGET = '{bridge.TARGET}'" in source
    head = re.search(r"const HEAD = /\^(.*)/;", source)
    assert head is not None
    assert head[1].replace("$", r"\Z") == bridge._HEAD.pattern


def test_what_needs_no_page_holds_in_node() -> None:
    """`jlpm test` in labextension/: badges, what waits, names, hashes."""
    compiler = SOURCES / "node_modules" / "typescript" / "bin" / "tsc"
    node = shutil.which("node")
    if node is None or not compiler.exists():
        pytest.skip("Node or labextension/node_modules is not here (jlpm install in labextension/)")
    subprocess.run([node, compiler, "-p", "tsconfig.test.json"], cwd=SOURCES, check=True, timeout=120)
    done = subprocess.run(
        [node, "--test", "build-test/test"], cwd=SOURCES, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE)

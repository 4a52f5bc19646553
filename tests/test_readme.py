"""What the README says is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from integrator_magics.magics import IntegratorMagics

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_magic_in_the_readme_exists() -> None:
    known = {name for kind in IntegratorMagics.magics.values() for name in kind}
    named = set(re.findall(r"`%{1,2}([a-z_]+)", README))
    assert named - {"load_ext"} <= known
    assert len(named) >= 10


def test_every_command_in_the_readme_exists() -> None:
    for words in sorted(set(re.findall(r"^    integrator ([a-z]+)", README, re.MULTILINE))):
        done = subprocess.run(
            [sys.executable, "-m", "integrator_magics.cli", words, "--help"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_demo_holds_the_conversation_to_the_exported_file(tmp_path: Path, state_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "integrator_magics.cli", "demo", "--headless"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    said = done.stdout
    assert done.returncode == 0, said + done.stderr
    order = [
        "how they got to us",
        "Looked at",
        "Lead Source",
        "Preview of lead_sync",
        "Approved by",
        "audit record",
        "Next runs",
        "lead_sync.py written",
        "0 added + 0 updated",
        "whole.",
    ]
    places = [said.find(word) for word in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)
    assert '+SCHEDULE = "0 2 * * *"' in said


def test_loading_the_extension_is_quick_silent_and_imports_nothing_heavy() -> None:
    heavy = [
        "anthropic",
        "pydantic_ai",
        "pandas",
        "e2b",
        "ipywidgets",
        "simple_salesforce",
        "psycopg",
        "pglast",
        "httpx",
    ]
    code = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nshell.run_line_magic('load_ext', 'integrator_magics')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert done.stderr == ""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports the product: no test may read or write the state of the person who runs it.
_HOME = tempfile.TemporaryDirectory(prefix="integrator-tests-")
os.environ["INTEGRATOR_HOME"] = _HOME.name
if "E2B_API_KEY" in os.environ:  # for the tests that say so, and for nothing else
    os.environ["INTEGRATOR_TESTS_E2B_API_KEY"] = os.environ["E2B_API_KEY"]
for _name in list(os.environ):
    if _name.startswith(("SALESFORCE_", "ANTHROPIC_", "OPENAI_", "DEEPSEEK_", "E2B_", "PG")):
        del os.environ[_name]


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh state folder for one test."""
    folder = tmp_path / "integrator-home"
    monkeypatch.setenv("INTEGRATOR_HOME", str(folder))
    yield folder

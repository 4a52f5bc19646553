"""What the model is told holds true of the product."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import integrator_drivers
from integrator_drivers import Mode, registry
from integrator_magics.agent import Workspace, gate
from integrator_magics.agent.instructions import instructions
from integrator_magics.agent.tools import toolset
from integrator_magics.policy import DELETE_REFUSED, allowed

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TEXT = instructions(NOW)
SCRIPT = TEXT[TEXT.index("# /// script") : TEXT.index("\nsync(source, target, key)")]


def test_the_example_script_passes_the_policy_and_the_gate() -> None:
    allowed(SCRIPT, Mode.PREVIEW)
    nothing: Any = SimpleNamespace()
    workspace = Workspace(nothing, nothing, nothing, nothing, nothing, nothing, print, nothing)
    problems, notes = gate.check(SCRIPT, workspace)
    assert problems == []
    assert len(notes) == 1  # nothing was looked at, so Lead is from the standard schema


def test_every_name_it_teaches_exists() -> None:
    taught = re.findall(r"\b(days_ago|start_of|join|show|sync|run|Source|Target)\(", TEXT)
    assert set(taught) <= set(integrator_drivers.__all__)
    imported = [node for node in ast.walk(ast.parse(SCRIPT)) if isinstance(node, ast.ImportFrom)]
    clients = {entry.client for entry in registry.manifests().values()}
    assert {
        f"{node.module}:{node.names[0].name}" for node in imported if node.module != "integrator_drivers"
    } <= clients


def test_every_tool_it_names_is_there_and_none_can_write() -> None:
    names = set(toolset().tools)
    for name in ("load_driver", "search_docs", "read_doc", "ask_user", "get_fields", "list_objects", "sample"):
        assert name in names
        assert name in TEXT
    assert not any(word in name for name in names for word in ("apply", "approve", "delete", "export"))


def test_it_says_the_day_the_refusal_and_stays_short() -> None:
    assert "Today is Saturday, 21 November 2026." in TEXT
    assert DELETE_REFUSED in TEXT
    assert instructions(NOW) == instructions(NOW.replace(hour=23))
    assert len(TEXT) / 4 < 1_700

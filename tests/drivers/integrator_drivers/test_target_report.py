from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrator_drivers import report
from integrator_drivers.report import report_target


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    path = tmp_path / "report"
    path.touch()
    monkeypatch.setenv("INTEGRATOR_REPORT", str(path))
    return lambda: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_nobody_reported_is_reported(told: Any) -> None:
    report_target("one", "A", "insert", "", {"add": 3, "reject": 1}, columns=["x"])
    (fact,) = told()
    assert fact == {
        "kind": "target",
        "system": "one",
        "object": "A",
        "operation": "insert",
        "key": "",
        "add": 3,
        "update": 0,
        "unchanged": 0,
        "reject": 1,
        "read": 4,
        "columns": ["x"],
    }


def test_what_a_sync_reported_is_not_reported_again(told: Any) -> None:
    report("target", system="two", object="A", add=3, update=1, unchanged=0, reject=0)
    report_target("two", "A", "upsert", "k", {"add": 3, "update": 1})
    assert len(told()) == 1


def test_what_was_written_beside_a_sync_is_reported(told: Any) -> None:
    report("target", system="three", object="A", add=3, update=0, unchanged=0, reject=0)
    report_target("three", "A", "upsert", "k", {"add": 5})
    assert told()[1]["add"] == 2
    report_target("three", "A", "upsert", "k", {"add": 1})
    assert told()[2]["add"] == 1


def test_a_target_without_anything_is_silent(told: Any) -> None:
    report_target("four", "A", "upsert", "k", {"add": 0})
    assert told() == []

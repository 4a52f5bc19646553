"""A sync with a cursor into a system that keeps no resume point: a file beside the script does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from integrator_drivers import (
    Identity,
    Receipt,
    Record,
    Records,
    Rejected,
    Source,
    Target,
    ValidationError,
    WriteResult,
)
from integrator_drivers import sync as sync_records

SYNC = import_module("integrator_drivers.transfer")
START = datetime(2026, 11, 1, tzinfo=UTC)


class Box:
    """Reads and writes records with a time of change, and has no tables."""

    system = "box"

    def __init__(self, count: int = 0, account: str = "one", refuses: Sequence[str] = ()) -> None:
        self.held = {str(n): {"id": str(n), "at": START + timedelta(hours=n)} for n in range(count)}
        self.account, self.refuses = account, refuses
        self.writes = 0
        self.fails_at = 0

    def check(self) -> Identity:
        return Identity(self.account, "test", "me")

    def get_fields(self, obj: str) -> Any:
        kind = {"native_type": "any", "nullable": False}
        return {"id": {**kind, "type": "text"}, "at": {**kind, "type": "datetime"}}

    def read(self, obj: str, fields: Any = None, where: Any = None, since: Any = None, until: Any = None) -> Records:
        found = [
            row
            for row in self.held.values()
            if all(row["at"] >= value if op == ">=" else row["at"] < value for _, op, value in where or ())
        ]
        return Records({name: self.get_fields(obj)[name] for name in fields}, [dict(row) for row in found])

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        self.writes += 1
        if self.writes == self.fails_at:
            raise OSError("cut")
        result = WriteResult()
        for row in records:
            if row["id"] in self.refuses:
                result.rejected.append(Rejected(row, "refused"))
            elif self.held.get(row["id"]) == row:
                result.unchanged += 1
            else:
                result.inserted += 1
                self.held[row["id"]] = row
        return result

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult:
        raise NotImplementedError

    def update(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        raise NotImplementedError

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        return {}


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the sandbox: the working folder is the script's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTEGRATOR_MODE", "apply")
    monkeypatch.setenv("INTEGRATOR_NOW", (START + timedelta(days=20)).isoformat())
    monkeypatch.setattr(SYNC, "_written", 0)
    monkeypatch.setattr(SYNC, "BATCH", 10)


def run(source: Box, target: Box) -> Receipt:
    return sync_records(Source(source, "A", {"id": "id", "at": "at"}), Target(target, "B"), key="id", cursor="at")


def saved(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "integrator_state").iterdir()
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_the_next_run_goes_on_from_the_file(tmp_path: Path) -> None:
    source, target = Box(50), Box()
    assert run(source, target).inserted == 50
    assert saved(tmp_path)["watermark"] == (START + timedelta(hours=49)).isoformat()
    again = run(source, target)
    assert (again.read, again.written) == (1, 0)
    source.held["x"] = {"id": "x", "at": START + timedelta(hours=60)}
    assert (run(source, target).inserted, len(target.held)) == (1, 51)


def test_a_preview_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    assert run(Box(5), Box()).watermark_after == START + timedelta(hours=4)
    assert not (tmp_path / "integrator_state").exists()


def test_it_says_nothing_before_the_target_has_the_rows(tmp_path: Path) -> None:
    source, target = Box(50), Box(refuses=["7"])
    target.fails_at = 3
    with pytest.raises(OSError, match="cut"):
        run(source, target)
    assert saved(tmp_path)["watermark"] is None
    assert saved(tmp_path)["read"] == 20
    target.refuses = []
    assert (run(source, target).inserted, len(target.held)) == (31, 50)


def test_another_account_is_another_sync() -> None:
    assert run(Box(5), Box()).read == 5
    assert run(Box(5, account="two"), Box()).read == 5
    assert run(Box(5), Box(account="two")).read == 5
    assert run(Box(5), Box()).read == 1


def test_a_file_that_makes_no_sense_stops_the_run(tmp_path: Path) -> None:
    run(Box(5), Box())
    (path,) = (tmp_path / "integrator_state").iterdir()
    path.write_text("{half")
    with pytest.raises(ValidationError, match="Move it away to read everything again"):
        run(Box(5), Box())


def test_outside_the_sandbox_it_lies_beside_the_script(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "job.py"
    script.parent.mkdir()
    script.write_text(
        "from integrator_drivers.statefile import StateFile\n"
        "state = StateFile('a -> b')\nstate.save({'n': 1})\nprint(state.load())\n"
    )

    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.stdout == "{'n': 1}\n"
    assert (script.parent / "integrator_state" / "a-b.json").is_file()

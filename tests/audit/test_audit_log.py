"""What stands in the log: one record for each act, whatever is in it, in one order over all threads."""

from __future__ import annotations

import contextvars
import csv
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrator_magics.audit import AuditLog, Verdict, acting
from integrator_magics.errors import ConfigError

AWKWARD = 'line one\nline two\r\n\0 \x1b[31mred\x1b[0m "quoted" \\ \u2028 \u202e é 😀 \ud800 {"n": 99}'


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit")


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def own(log: AuditLog) -> list[dict[str, Any]]:
    """The records but the first, which declares the key."""
    first, *rest = log.records()
    assert (first["event"], first["key"]) == ("audit_key", (log.folder / "key.pub").read_text().strip())
    return rest


def filled(log: AuditLog, count: int = 6) -> AuditLog:
    log.extend([{"event": "prompt", "text": f"request {number}"} for number in range(count)])
    return log


def test_l1_records_are_numbered_and_carry_who_and_when(log: AuditLog) -> None:
    assert [log.append({"event": "prompt", "text": "a"}), log.append({"event": "answer"})] == [2, 3]
    first, second = own(log)
    assert (first["n"], first["event"], first["text"]) == (2, "prompt", "a")
    assert (first["actor"], len(first["session"]), first["session"]) == ("human", 12, second["session"])
    assert first["monotonic"] <= second["monotonic"]
    assert first["person"]
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first["at"])).total_seconds()) < 60
    assert second["previous"] == first["hash"]
    assert log.verify() == Verdict(True, 3, head=second["hash"], key=(log.folder / "key.pub").read_text().strip())


def test_who_started_an_act_stands_in_its_record(log: AuditLog) -> None:
    with acting("agent"):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(log.append, {"event": "discovery"}))
        thread.start()
        thread.join()
    log.append({"event": "run", "actor": "program"})
    assert [record["actor"] for record in own(log)] == ["agent", "program"]


def test_the_file_and_its_folder_are_for_the_owner_only(log: AuditLog) -> None:
    filled(log, 1)
    assert oct(log.path.stat().st_mode)[-3:] == "600"
    assert oct(log.folder.stat().st_mode)[-3:] == "700"
    for name in ("head.json", "heads.jsonl", "key"):
        assert oct((log.folder / name).stat().st_mode)[-3:] == "600"


def test_l6_awkward_values_stay_one_record_and_come_back(log: AuditLog) -> None:
    log.append({"event": "prompt", "text": AWKWARD, AWKWARD: 1})
    log.append({"event": "run", "when": datetime(2026, 1, 1, tzinfo=UTC), "rows": float("nan"), "set": {2, 1}})
    assert len(lines(log)) == 3
    assert all(line.isascii() for line in lines(log))
    first, second = own(log)
    assert first["text"] == AWKWARD
    assert first[AWKWARD] == 1
    assert (second["rows"], second["set"]) == ("nan", [1, 2])
    assert log.verify().whole


@pytest.mark.parametrize("key", ["n", "at", "previous", "hash"])
def test_what_the_log_sets_itself_can_not_be_given(log: AuditLog, key: str) -> None:
    with pytest.raises(ValueError, match=key):
        log.append({"event": "prompt", key: "x"})


def test_several_records_go_to_disk_together(log: AuditLog) -> None:
    assert log.extend([{"event": "call"}] * 5) == 6
    assert log.verify().records == 6


def test_the_redactor_sees_every_record_first(tmp_path: Path) -> None:
    from integrator_magics.credentials import Redactor

    log = AuditLog(tmp_path, redactor=Redactor({"PGPASSWORD": "fake-pass-1234"}))
    log.append({"event": "run", "error": "login fake-pass-1234 failed", "more": {"fake-pass-1234": ["fake-pass-1234"]}})
    assert b"fake-pass" not in log.path.read_bytes()
    assert b"[PGPASSWORD]" in log.path.read_bytes()


def test_records_longer_than_any_block_are_read_back(log: AuditLog) -> None:
    sizes = [10, 70_000, 3, 300_000, 65_536, 1]
    for size in sizes:
        log.append({"event": "prompt", "text": "x" * size})
    assert [len(record["text"]) for record in log.tail(6)] == sizes
    assert [record["n"] for record in log.tail(2)] == [6, 7]
    (log.folder / "head.json").unlink()
    assert log.append({"event": "prompt", "text": "after"}) == 10  # 8 marks the missing head file, 9 declares the key


def test_tail_of_nothing_is_empty(log: AuditLog) -> None:
    assert log.tail(3) == []
    assert list(log.records()) == []
    assert log.verify().whole
    assert filled(log, 2).tail(0) == []


def test_several_threads_make_one_chain(log: AuditLog) -> None:
    threads = [threading.Thread(target=filled, args=(log, 50)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.verify().records == 201
    assert log.verify().whole


def test_export_to_csv_json_and_lines(log: AuditLog, tmp_path: Path) -> None:
    log.append({"event": "prompt", "text": "=cmd()", "objects": ["Lead"], "note": "a\nb"})
    log.append({"event": "run", "rows": 3, "text": "é"})
    verdict = log.export(tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["n", "at", "person", "event"]
    assert (rows[1]["text"], rows[1]["objects"], rows[2]["rows"]) == ("'=cmd()", '["Lead"]', "3")
    log.export(tmp_path / "log.json")
    content = json.loads((tmp_path / "log.json").read_text())
    assert content["verdict"]["head"] == verdict.head == content["records"][-1]["hash"]
    log.export(tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").read_bytes() == log.path.read_bytes()
    with pytest.raises(ConfigError, match=r"log\.xlsx"):
        log.export(tmp_path / "log.xlsx")

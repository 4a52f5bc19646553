"""Whatever is done to the log's files is found, with the first place where they are not what was written."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrator_magics.audit import AuditLog, chain, heads
from integrator_magics.audit.file import LogFile


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit")


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def filled(log: AuditLog, count: int = 6) -> AuditLog:
    """`count` records more; in a new log behind the one that declares the key."""
    log.extend([{"event": "prompt", "text": f"request {number}"} for number in range(count)])
    return log


@pytest.mark.parametrize("offset", range(0, 200, 7))
def test_l3_a_flipped_byte_is_found_with_its_record(log: AuditLog, offset: int) -> None:
    filled(log)
    data = bytearray(log.path.read_bytes())
    start = sum(len(line) for line in lines(log)[:2])
    data[start + offset] ^= 1
    log.path.write_bytes(data)
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, 3), verdict
    assert "Record 3" in verdict.reason


def _insert(found: list[bytes]) -> list[bytes]:
    return [*found[:3], found[1], *found[3:]]


def _remove(found: list[bytes]) -> list[bytes]:
    return found[:2] + found[3:]


def _swap(found: list[bytes]) -> list[bytes]:
    return [*found[:2], found[3], found[2], *found[4:]]


def _cut(found: list[bytes]) -> list[bytes]:
    return found[:4]


def _cut_within(found: list[bytes]) -> list[bytes]:
    return [*found[:5], found[5][:40]]


def _blank(found: list[bytes]) -> list[bytes]:
    return [*found[:2], b"\n", *found[2:]]


def _empty(found: list[bytes]) -> list[bytes]:
    return []


@pytest.mark.parametrize(
    ("change", "at", "said"),
    [
        (_insert, 4, "inserted or exchanged"),
        (_remove, 3, "Record 3 is missing"),
        (_swap, 3, "inserted or exchanged"),
        (_cut, 5, "records 5 to 7 are missing at its end"),
        (_cut_within, 6, "records 6 to 7 are missing at its end"),
        (_blank, 3, "can't be read"),
        (_empty, 1, "records 1 to 7 are missing"),
    ],
)
def test_l3_what_was_done_to_the_log_is_found_with_its_place(log: AuditLog, change, at: int, said: str) -> None:
    filled(log)
    log.path.write_bytes(b"".join(change(lines(log))))
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, at), verdict
    assert said in verdict.reason


@pytest.mark.parametrize("change", [_cut, _cut_within, _empty])
def test_l3_a_cut_stays_visible_after_further_records(log: AuditLog, change) -> None:
    filled(log)
    log.path.write_bytes(b"".join(change(lines(log))))
    filled(log, 3)
    verdict = log.verify()
    assert not verdict.whole
    assert "cut" in verdict.reason


def test_l3_an_old_log_put_back_is_found(log: AuditLog, tmp_path: Path) -> None:
    filled(log, 4)
    other = filled(AuditLog(tmp_path / "other"), 4)
    log.path.write_bytes(other.path.read_bytes())
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, 5)
    assert "replaced" in verdict.reason


def test_l3_a_missing_head_file_is_said_and_stays_visible(log: AuditLog) -> None:
    filled(log)
    (log.folder / "head.json").unlink()
    assert not log.verify().whole
    filled(log, 1)
    assert "head file" in log.verify().reason


def rewritten(log: AuditLog, first: int, **changes: object) -> None:
    """What somebody without the key can do: change a record and make the whole chain and the head file fit again."""
    previous, found = chain.GENESIS, []
    for line in lines(log):
        parsed = chain.parse(line[:-1])
        assert parsed
        record = {key: value for key, value in parsed[0].items() if key not in ("hash", "previous")}
        record |= changes if record["n"] == first else {}
        line, previous = chain.render(record, previous)
        found.append(line)
    log.path.write_bytes(b"".join(found))
    path = log.folder / "head.json"
    head = json.loads(path.read_text())
    path.write_text(json.dumps(head | {"hash": previous, "size": log.path.stat().st_size}).ljust(511) + "\n")


def test_l3_a_chain_made_anew_does_not_fit_its_signed_heads(log: AuditLog) -> None:
    for _ in range(3):
        filled(log, 60)
    rewritten(log, 20, text="something else")
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, 61)
    assert "head was signed" in verdict.reason


def test_l3_a_tail_made_anew_does_not_fit_the_seal_of_the_newest_record(log: AuditLog) -> None:
    filled(log, 10)
    filled(log, 10)
    rewritten(log, 15, text="something else")
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, 21)
    assert "signature does not fit" in verdict.reason
    filled(log, 1)  # and the next writer does not make it right
    assert "not written by this log" in log.verify().reason


@pytest.mark.parametrize("name", ["heads.jsonl", "key.pub", "head.json"])
def test_l3_a_missing_part_is_said(log: AuditLog, name: str) -> None:
    filled(log)
    (log.folder / name).unlink()
    assert not log.verify().whole


def test_l3_a_changed_signed_head_is_found(log: AuditLog) -> None:
    filled(log)
    path = log.folder / "heads.jsonl"
    path.write_text(path.read_text().replace('"reason":"count"', '"reason":"export"'))
    verdict = log.verify()
    assert not verdict.whole
    assert verdict.reason == "Signed head 1 was changed or inserted."


def test_l3_a_lost_key_stays_visible(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    LogFile(folder).write([{"event": "prompt"}] * 3)
    (folder / "key").unlink()
    LogFile(folder).write([{"event": "prompt"}])
    verdict = AuditLog(folder).verify()
    assert not verdict.whole
    assert "signing key" in verdict.reason


def test_a_log_from_before_heads_were_signed_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    folder.mkdir()
    line, digest = chain.render({"event": "prompt", "n": 1, "at": "2026-11-01T00:00:00.000Z"}, chain.GENESIS)
    (folder / "log.jsonl").write_bytes(line)
    (folder / "head.json").write_text(json.dumps({"n": 1, "hash": digest, "size": len(line)}))
    log = AuditLog(folder)
    assert log.verify().whole
    filled(log, 2)
    assert [record["event"] for record in log.records()] == ["prompt", "audit_key", "prompt", "prompt"]
    assert log.verify().whole


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 4, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def signed(folder: Path) -> list[tuple[int, str]]:
    return [(entry["n"], entry["reason"]) for entry in heads.read(folder / "heads.jsonl") if entry]


def test_l5_heads_are_signed_each_hundred_records_each_hour_and_when_asked(tmp_path: Path) -> None:
    clock, folder = Clock(), tmp_path / "audit"
    file = LogFile(folder, clock=clock)
    for _ in range(5):
        file.write([{"event": "prompt"}] * 24)
    assert signed(folder) == [(25, "count")]
    file.write([{"event": "prompt"}] * 4)
    assert signed(folder) == [(25, "count"), (125, "count")]
    file.write([{"event": "prompt"}])
    file.sign_when_due()
    assert len(signed(folder)) == 2
    clock.now += timedelta(hours=1)
    file.sign_when_due()
    assert signed(folder)[2:] == [(126, "hour")]
    file.write([{"event": "prompt"}])
    assert file.sign("export")["n"] == 127
    assert file.sign("export") == file.sign("export")
    assert AuditLog(folder).verify().whole


def test_l5_a_receipt_tells_whether_the_log_still_holds_what_it_held(log: AuditLog, tmp_path: Path) -> None:
    filled(log, 4)
    receipt = log.sign("export")
    filled(log, 4)
    assert log.verify(receipt).whole
    for change in ({"hash": "0" * 64}, {"n": 3}, {"signature": "AAAA"}):
        assert "receipt is not whole" in log.verify({**receipt, **change}).reason
    other = filled(AuditLog(tmp_path / "other"), 20)
    assert other.verify().whole
    assert not other.verify(receipt).whole
    shutil.rmtree(log.folder)  # all of it made anew, with a new key: only the receipt can tell
    filled(log, 8)
    assert log.verify().whole
    verdict = log.verify(receipt)
    assert (verdict.whole, verdict.bad_at) == (False, 5)


def test_l5_this_process_never_reads_the_key(log: AuditLog) -> None:
    filled(log)
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    filled(log)
    log.sign("export")
    assert log.verify().whole
    assert str(log.path) in opened
    assert str(log.folder / "key") not in opened
    assert hashlib.sha256((log.folder / "key").read_bytes())  # that the hook would have seen
    assert str(log.folder / "key") in opened

"""The log is durable, one chain over all writers, closed when it can't be written, and tells what was done to it."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrator_magics.audit import AuditLog
from integrator_magics.errors import AuditUnavailable, ConfigError

AWKWARD = 'line one\nline two\r\n\0 \x1b[31mred\x1b[0m "quoted" \\ \u2028 \u202e é 😀 \ud800 {"n": 99}'


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit")


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def filled(log: AuditLog, count: int = 6) -> AuditLog:
    for number in range(count):
        log.append({"event": "prompt", "text": f"request {number}"})
    return log


def test_records_are_numbered_from_one_and_carry_who_and_when(log: AuditLog) -> None:
    assert [log.append({"event": "prompt", "text": "a"}), log.append({"event": "answer"})] == [1, 2]
    first, second = log.records()
    assert (first["n"], first["event"], first["text"]) == (1, "prompt", "a")
    assert first["person"]
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first["at"])).total_seconds()) < 60
    assert second["previous"] == first["hash"]
    assert log.verify() == log.verify().__class__(True, 2, head=second["hash"])


def test_the_file_and_its_folder_are_for_the_owner_only(log: AuditLog) -> None:
    filled(log, 1)
    assert oct(log.path.stat().st_mode)[-3:] == "600"
    assert oct(log.folder.stat().st_mode)[-3:] == "700"
    assert oct((log.folder / "head.json").stat().st_mode)[-3:] == "600"


def test_awkward_values_stay_one_record_and_come_back(log: AuditLog) -> None:
    log.append({"event": "prompt", "text": AWKWARD, AWKWARD: 1})
    log.append({"event": "run", "when": datetime(2026, 1, 1, tzinfo=UTC), "rows": float("nan"), "set": {2, 1}})
    assert len(lines(log)) == 2
    assert all(line.isascii() for line in lines(log))
    first, second = log.records()
    assert first["text"] == AWKWARD
    assert first[AWKWARD] == 1
    assert (second["rows"], second["set"]) == ("nan", [1, 2])
    assert log.verify().whole


@pytest.mark.parametrize("key", ["n", "at", "previous", "hash"])
def test_what_the_log_sets_itself_can_not_be_given(log: AuditLog, key: str) -> None:
    with pytest.raises(ValueError, match=key):
        log.append({"event": "prompt", key: "x"})


def test_several_records_go_to_disk_together(log: AuditLog) -> None:
    assert log.extend([{"event": "call"}] * 5) == 5
    assert log.verify().records == 5


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
    assert [record["n"] for record in log.tail(2)] == [5, 6]
    (log.folder / "head.json").unlink()
    assert log.append({"event": "prompt", "text": "after"}) == 8  # 7 marks the missing head file


def test_tail_of_nothing_is_empty(log: AuditLog) -> None:
    assert log.tail(3) == []
    assert list(log.records()) == []
    assert log.verify().whole
    assert filled(log, 2).tail(0) == []


WRITER = """
import sys
from pathlib import Path
from integrator_magics.audit import AuditLog
log = AuditLog(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    n = log.append({"event": "call", "writer": sys.argv[2], "number": number, "text": "y" * (number % 700)})
    print(n, flush=True)
"""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_several_processes_make_one_chain(log: AuditLog) -> None:
    processes, count = 6, 200
    writers = [writer(log.folder, str(number), count) for number in range(processes)]
    for process in writers:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in writers:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    numbers = [int(line) for process in writers for line in process.communicate()[0].splitlines()]
    assert sorted(numbers) == list(range(1, processes * count + 1))
    verdict = log.verify()
    assert (verdict.whole, verdict.records, verdict.recovered) == (True, processes * count, 0)
    for name in map(str, range(processes)):
        own = [record["number"] for record in log.records() if record["writer"] == name]
        assert own == list(range(count))


def test_several_threads_make_one_chain(log: AuditLog) -> None:
    threads = [threading.Thread(target=filled, args=(log, 50)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.verify().records == 200
    assert log.verify().whole


def test_kill_nine_loses_no_acknowledged_record(log: AuditLog) -> None:
    acknowledged = 0
    for _ in range(12):
        process = writer(log.folder, "victim", 10_000)
        assert process.stdin and process.stdout
        process.stdout.readline()
        process.stdin.write("go\n")
        process.stdin.flush()
        for _ in range(15):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].splitlines(keepends=True)
        acknowledged = max([acknowledged, *(int(line) for line in rest if line.endswith("\n"))])
        verdict = log.verify()
        assert verdict.whole, verdict
        assert verdict.records >= acknowledged
    log.append({"event": "prompt"})
    assert log.verify().whole


def test_a_torn_record_of_a_crash_is_no_tampering_and_is_marked(log: AuditLog) -> None:
    filled(log, 3)
    with log.path.open("ab") as file:
        file.write(b'{"at":"2026-11-21T02:00:00.000Z","event":"pro')
    verdict = log.verify()
    assert (verdict.whole, verdict.torn, verdict.records) == (True, True, 3)
    assert "unfinished" in verdict.reason
    assert len(log.tail(10)) == 3
    assert log.append({"event": "prompt", "text": "next"}) == 5
    marker = log.tail(2)[0]
    assert (marker["event"], marker["torn_bytes"], "tampered" in marker) == ("recovered", 45, False)
    verdict = log.verify()
    assert (verdict.whole, verdict.torn, verdict.records, verdict.recovered) == (True, False, 5, 1)


def test_a_crash_between_record_and_head_file_leaves_nothing_wrong(log: AuditLog) -> None:
    filled(log, 2)
    head = (log.folder / "head.json").read_bytes()
    filled(log, 2)
    (log.folder / "head.json").write_bytes(head)
    assert log.verify().whole
    assert log.append({"event": "prompt"}) == 5
    assert log.verify().whole
    assert not [record for record in log.records() if record["event"] == "recovered"]


@pytest.mark.parametrize("offset", range(0, 200, 7))
def test_a_flipped_byte_is_found_with_its_record(log: AuditLog, offset: int) -> None:
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
        (_cut, 5, "records 5 to 6 are missing at its end"),
        (_cut_within, 6, "record 6 is missing at its end"),
        (_blank, 3, "can't be read"),
        (_empty, 1, "records 1 to 6 are missing"),
    ],
)
def test_what_was_done_to_the_log_is_found_with_its_place(log: AuditLog, change, at: int, said: str) -> None:
    filled(log)
    log.path.write_bytes(b"".join(change(lines(log))))
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, at), verdict
    assert said in verdict.reason


@pytest.mark.parametrize("change", [_cut, _cut_within, _empty])
def test_a_cut_stays_visible_after_further_records(log: AuditLog, change) -> None:
    filled(log)
    log.path.write_bytes(b"".join(change(lines(log))))
    filled(log, 3)
    verdict = log.verify()
    assert not verdict.whole
    assert "cut" in verdict.reason


def test_an_old_log_put_back_is_found(log: AuditLog, tmp_path: Path) -> None:
    filled(log, 4)
    other = filled(AuditLog(tmp_path / "other"), 4)
    log.path.write_bytes(other.path.read_bytes())
    verdict = log.verify()
    assert (verdict.whole, verdict.bad_at) == (False, 4)
    assert "replaced" in verdict.reason


def test_a_missing_head_file_is_said_and_stays_visible(log: AuditLog) -> None:
    filled(log)
    (log.folder / "head.json").unlink()
    assert not log.verify().whole
    filled(log, 1)
    assert "head file" in log.verify().reason


def test_a_file_size_limit_closes_the_log(log: AuditLog) -> None:
    """A real write error of the kernel (EFBIG), half way through a record."""
    filled(log, 3)
    before = log.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(AuditUnavailable, match="so nothing runs"):
            log.append({"event": "prompt", "text": "z" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.path.read_bytes() == before
    assert log.append({"event": "prompt"}) == 4
    assert log.verify().whole


@pytest.fixture
def small_disk(tmp_path: Path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(small_disk: Path) -> None:
    log = AuditLog(small_disk / "audit")
    written = 0
    with pytest.raises(AuditUnavailable) as caught:
        for _ in range(100):
            written = log.append({"event": "prompt", "text": "x" * 2000})
    assert str(caught.value) == (
        "The audit log can't be written (disk full), so nothing runs. Free some space and run the cell again."
    )
    verdict = log.verify()
    assert (verdict.whole, verdict.torn, verdict.records) == (True, False, written)


def test_a_read_only_disk_is_said(small_disk: Path) -> None:
    log = filled(AuditLog(small_disk / "audit"), 2)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(AuditUnavailable, match=r"\(read-only file system\), so nothing runs"):
        log.append({"event": "prompt"})
    assert log.verify().records == 2


def test_a_folder_without_rights_is_said(log: AuditLog) -> None:
    log.folder.mkdir(parents=True)
    log.folder.chmod(0o500)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(AuditUnavailable, match=r"\(no permission\), so nothing runs"):
            log.append({"event": "prompt"})
    finally:
        if root:
            os.seteuid(0)


def test_a_link_in_place_of_the_log_is_not_followed(log: AuditLog, tmp_path: Path) -> None:
    log.folder.mkdir(parents=True)
    log.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditUnavailable):
        log.append({"event": "prompt"})
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_that_is_never_given_back_closes_the_log(log: AuditLog) -> None:
    import fcntl

    filled(log, 1)
    with log.path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(AuditUnavailable, match="another program holds it"):
            AuditLog(log.folder, lock_timeout=0.05).append({"event": "prompt"})
    assert log.append({"event": "prompt"}) == 2


def test_export_to_csv_json_and_lines(log: AuditLog, tmp_path: Path) -> None:
    log.append({"event": "prompt", "text": "=cmd()", "objects": ["Lead"], "note": "a\nb"})
    log.append({"event": "run", "rows": 3, "text": "é"})
    verdict = log.export(tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["n", "at", "person", "event"]
    assert (rows[0]["text"], rows[0]["objects"], rows[1]["rows"]) == ("'=cmd()", '["Lead"]', "3")
    log.export(tmp_path / "log.json")
    content = json.loads((tmp_path / "log.json").read_text())
    assert content["verdict"]["head"] == verdict.head == content["records"][-1]["hash"]
    log.export(tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").read_bytes() == log.path.read_bytes()
    with pytest.raises(ConfigError, match=r"log\.xlsx"):
        log.export(tmp_path / "log.xlsx")

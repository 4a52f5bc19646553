"""Crashes, full disks, lost keepers, many writers: no acknowledged record is lost and nothing is taken for recorded."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integrator_magics.audit import AuditLog, keeping
from integrator_magics.audit.file import LogFile
from integrator_magics.errors import AuditUnavailable


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit")


def filled(log: AuditLog, count: int = 6) -> AuditLog:
    for number in range(count):
        log.append({"event": "prompt", "text": f"request {number}"})
    return log


WRITERS = """
import os, sys
from pathlib import Path
from integrator_magics.audit.file import LogFile
os.fsync = lambda descriptor: None  # the chain is looked at here, not the disk
folder, processes, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for writer in range(processes):
    if not os.fork():
        file = LogFile(folder)
        records = [{"event": "call", "writer": writer, "number": n, "text": "y" * (n % 700)} for n in range(count)]
        for at in range(0, count, 4):
            file.write(records[at : at + 4])
        os._exit(0)
print([os.wait()[1] for _ in range(processes)])
"""


def test_l4_eight_processes_with_a_thousand_records_each_make_one_chain(log: AuditLog) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITERS, str(log.folder), "8", "1000"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str([0] * 8)
    verdict = log.verify()
    assert (verdict.whole, verdict.records, verdict.recovered) == (True, 8001, 0)
    numbers: dict[int, list[int]] = {}
    for record in log.records():
        if record["event"] == "call":
            numbers.setdefault(record["writer"], []).append(record["number"])
    assert numbers == {writer: list(range(1000)) for writer in range(8)}


def test_l4_two_kernels_with_a_keeper_each_write_one_chain(log: AuditLog) -> None:
    program = (
        "import sys; from pathlib import Path; from integrator_magics.audit import AuditLog;"
        "log = AuditLog(Path(sys.argv[1])); [log.append({'event': 'call'}) for _ in range(20)]"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", program, str(log.folder)]) for _ in range(2)]
    filled(log, 20)
    assert [kernel.wait() for kernel in kernels] == [0, 0]
    verdict = log.verify()
    assert (verdict.whole, verdict.records) == (True, 61)
    assert len({record.get("session") for record in log.records()} - {None}) == 3


KILLS = """
import os, signal, sys
from pathlib import Path
from integrator_magics.audit.file import LogFile
os.fsync = lambda descriptor: None  # a kill takes nothing that was written; a lost disk is another matter
folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
acknowledged = LogFile(folder).write([{"event": "prompt"}])  # and what it imports is there for all
for round in range(rounds):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        file = LogFile(folder)
        while True:
            os.write(writer, file.write([{"event": "call", "text": "z" * 300}]).to_bytes(4, "big"))
    os.close(writer)
    for _ in range(round % 4):
        os.read(reader, 4)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as rest:
        told = rest.read()
    acknowledged = max([acknowledged, *(int.from_bytes(told[at : at + 4], "big") for at in range(0, len(told), 4))])
print(acknowledged)
"""


def test_l1_a_hundred_kills_lose_no_acknowledged_record(log: AuditLog) -> None:
    command = [sys.executable, "-c", KILLS, str(log.folder), "100"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    verdict = log.verify()
    assert verdict.whole, verdict
    assert verdict.records >= int(done.stdout) > 20
    log.append({"event": "prompt"})
    assert log.verify().whole


def test_l2_a_killed_keeper_closes_the_log_and_the_next_record_has_a_new_one(log: AuditLog) -> None:
    filled(log, 2)
    keeper = keeping.process_id()
    assert keeper
    os.kill(keeper, signal.SIGKILL)
    with pytest.raises(AuditUnavailable, match="keeps the audit log ended, so nothing runs"):
        log.append({"event": "run"})
    assert log.append({"event": "run"}) == 4
    assert keeping.process_id() != keeper
    assert log.verify().whole


def test_l2_the_keeper_ends_with_the_kernel_however_that_ends(log: AuditLog) -> None:
    program = (
        "import os, sys; from pathlib import Path; from integrator_magics.audit import AuditLog, keeping;"
        "log = AuditLog(Path(sys.argv[1])); log.append({'event': 'prompt'}); log.append({'event': 'run'});"
        "print(keeping.process_id(), flush=True);"
        "sys.stdin.read()"
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", program, str(log.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert kernel.stdout
    keeper = int(kernel.stdout.readline())
    gone = os.pidfd_open(keeper)
    kernel.kill()
    kernel.communicate()
    assert select.select([gone], [], [], 20)[0]
    os.close(gone)
    assert [entry["reason"] for entry in _heads(log)] == ["count", "end"]
    assert log.verify().whole


def _heads(log: AuditLog) -> list[dict[str, Any]]:
    from integrator_magics.audit import heads

    return [entry for entry in heads.read(log.folder / "heads.jsonl") if entry]


FAULTS = ("open", "pwrite", "fsync", "ftruncate", "replace")


class Fault:
    """Lets the n-th call of the operating system's functions fail, counted over all of them."""

    def __init__(self, n: int) -> None:
        self.left = n
        self.what = ""

    def failing(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.what = name
                raise OSError(28, "No space left on device")
            return real(*arguments, **named)

        return call


def broken(monkeypatch: pytest.MonkeyPatch, n: int) -> Fault:
    fault = Fault(n)
    for name in FAULTS:
        monkeypatch.setattr(os, name, fault.failing(name, getattr(os, name)))
    monkeypatch.setattr(Path, "replace", fault.failing("rename", Path.replace))
    return fault


@pytest.mark.parametrize("before", [0, 3, 99])
def test_r6_each_call_fails_once_and_what_was_told_is_what_is_there(tmp_path: Path, before: int) -> None:
    """SQLite's manner: let the first call fail, then the second, until a run meets no fault any more."""
    for n in range(1, 200):
        folder = tmp_path / str(n)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", lambda descriptor: None)
            if before:
                LogFile(folder).write([{"event": "prompt"}] * before)
            fault = broken(patch, n)
            told, did = [], []
            file = LogFile(folder)
            for number in range(3):
                try:
                    told.append(file.write([{"event": "run", "number": number}]))
                except OSError:
                    continue
                did.append(number)  # the act: only after its record
        verdict = AuditLog(folder).verify()
        there = [record["number"] for record in AuditLog(folder).records() if record["event"] == "run"]
        assert set(did) <= set(there), (n, fault.what)
        assert verdict.whole, (n, fault.what, verdict)
        LogFile(folder).write([{"event": "prompt"}])
        assert AuditLog(folder).verify().whole, (n, fault.what)
        if fault.left > 0:
            assert did == [0, 1, 2]
            assert n > 8
            return
    pytest.fail("a run without a fault was never reached")


def test_l3_a_torn_record_of_a_crash_is_no_tampering_and_is_marked(log: AuditLog) -> None:
    filled(log, 3)
    with log.path.open("ab") as file:
        file.write(b'{"at":"2026-11-21T02:00:00.000Z","event":"pro')
    verdict = log.verify()
    assert (verdict.whole, verdict.torn, verdict.records) == (True, True, 4)
    assert "unfinished" in verdict.reason
    assert len(log.tail(10)) == 4
    assert log.append({"event": "prompt", "text": "next"}) == 6
    marker = log.tail(2)[0]
    assert (marker["event"], marker["torn_bytes"], "tampered" in marker) == ("recovered", 45, False)
    verdict = log.verify()
    assert (verdict.whole, verdict.torn, verdict.records, verdict.recovered) == (True, False, 6, 1)


def test_a_crash_between_record_and_head_file_leaves_nothing_wrong(log: AuditLog) -> None:
    filled(log, 2)
    head = (log.folder / "head.json").read_bytes()
    filled(log, 2)
    (log.folder / "head.json").write_bytes(head)
    assert log.verify().whole
    assert log.append({"event": "prompt"}) == 6
    assert log.verify().whole
    assert not [record for record in log.records() if record["event"] == "recovered"]


def test_l2_a_file_size_limit_closes_the_log(log: AuditLog) -> None:
    """A real write error of the kernel (EFBIG), half way through a record."""
    filled(log, 3)
    before = log.path.read_bytes()
    keeper = keeping.process_id()
    assert keeper
    soft, hard = resource.prlimit(keeper, resource.RLIMIT_FSIZE)
    resource.prlimit(keeper, resource.RLIMIT_FSIZE, (len(before) + 100, hard))
    try:
        with pytest.raises(AuditUnavailable, match="so nothing runs"):
            log.append({"event": "prompt", "text": "z" * 1000})
    finally:
        resource.prlimit(keeper, resource.RLIMIT_FSIZE, (soft, hard))
    assert log.path.read_bytes() == before
    assert log.append({"event": "prompt"}) == 5
    assert log.verify().whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_l2_a_full_disk_is_one_sentence_and_nothing_is_lost(small_disk: Path) -> None:
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


def test_l2_a_read_only_disk_is_said(small_disk: Path) -> None:
    log = filled(AuditLog(small_disk / "audit"), 2)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(AuditUnavailable, match=r"\(read-only file system\), so nothing runs"):
        log.append({"event": "prompt"})
    assert log.verify().records == 3


def test_l2_a_folder_without_rights_is_refused(log: AuditLog) -> None:
    log.folder.mkdir(parents=True)
    log.folder.chmod(0o500)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            LogFile(log.folder).write([{"event": "prompt"}])
    finally:
        if root:
            os.seteuid(0)


def test_a_link_in_place_of_the_log_is_not_followed(log: AuditLog, tmp_path: Path) -> None:
    log.folder.mkdir(parents=True)
    log.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AuditUnavailable):
        log.append({"event": "prompt"})
    assert not (tmp_path / "elsewhere").exists()


def test_l2_a_lock_that_is_never_given_back_closes_the_log(log: AuditLog) -> None:
    filled(log, 1)
    with log.path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(AuditUnavailable, match="another program holds it"):
            AuditLog(log.folder, lock_timeout=0.05).append({"event": "prompt"})
    assert log.append({"event": "prompt"}) == 3

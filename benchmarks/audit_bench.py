"""How long a record of the audit log takes, beside what the disk takes: `python benchmarks/audit_bench.py [FOLDER]`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from integrator_magics.audit import AuditLog
from integrator_magics.audit.file import LogFile

RECORD = {"event": "call", "text": "x" * 200}


def measure(name: str, act: Callable[[], object], count: int = 500) -> None:
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    print(f"{name:<40} p50 {times[count // 2]:6.2f} ms   p99 {times[count * 99 // 100]:6.2f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if sys.argv[1:] else None) as folder:
        log, file = AuditLog(Path(folder) / "keeper"), LogFile(Path(folder) / "file")
        begun = time.perf_counter()
        log.append(RECORD)
        print(f"{'the first record, with the start of its process':<40} {(time.perf_counter() - begun) * 1000:6.0f} ms")
        descriptor = os.open(Path(folder) / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for _ in range(2):
            measure(
                "write and fsync of as many bytes", lambda: (os.write(descriptor, b"x" * 600), os.fsync(descriptor))
            )
            measure("chain and fsync, in this process", lambda: file.write([RECORD]))
            measure("as the product does it, by the keeper", lambda: log.append(RECORD))
        os.close(descriptor)
        begun = time.perf_counter()
        verdict = log.verify()
        print(f"verify: {verdict.records / (time.perf_counter() - begun):,.0f} records/s, whole: {verdict.whole}")


if __name__ == "__main__":
    main()

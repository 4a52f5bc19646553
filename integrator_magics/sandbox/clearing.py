"""Removes folders of runs, whatever a script did to them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

__all__ = ["PREFIX", "remove", "sweep"]

PREFIX = "integrator-run-"  # then the number of the process it belongs to


def remove(folder: Path) -> None:
    """Remove a folder; also one nested deeper than Python can walk, or with its permissions taken away."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            with contextlib.suppress(OSError):
                subprocess.run(
                    [*command, "--", str(folder)], stdin=subprocess.DEVNULL, capture_output=True, check=False
                )


def sweep() -> None:
    """Remove folders of runs whose program was killed (Linux)."""
    if not Path("/proc/self").exists():
        return
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = path.name.removeprefix(PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            is_old = time.time() - path.stat().st_mtime > 60
            if is_old and path.stat().st_uid == os.getuid() and not Path("/proc", pid).exists():
                remove(path)

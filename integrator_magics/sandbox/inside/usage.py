"""How much a script has written, without following its links."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["usage"]


def usage(folder: Path, most: int) -> tuple[int, int]:
    """Bytes on disk and number of the entries below the folder, of `most` at the most."""
    size = count = 0
    waiting = [folder]
    while waiting and count < most:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                size += entry.stat(follow_symlinks=False).st_blocks * 512
                count += 1
                if count >= most:
                    break
    return size, count

"""Files that variables name (a root certificate, a key), which have to come along into a sandbox."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

__all__ = ["shipped"]

_FILE = 1_000_000  # bytes of a file named by a variable


def shipped(env: Mapping[str, str], folder: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Their content by the path inside, below `folder`, and the variables that name that path."""
    files, paths = {}, {}
    for name, value in env.items():
        if not value.startswith("/") or "\0" in value or len(value) > 1000:
            continue
        source = Path(value)
        with contextlib.suppress(OSError):
            if source.is_file() and source.stat().st_size <= _FILE:
                content = source.read_bytes()
                paths[name] = f"{folder}/{name}/{source.name}"
                files[paths[name]] = content
    return files, paths

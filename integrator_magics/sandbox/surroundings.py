"""The few variables every run gets, whatever it is about."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["surroundings", "zone"]


def surroundings() -> dict[str, str]:
    """Language, time zone, one thread for numeric libraries."""
    found = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return found | ({"TZ": name} if (name := zone()) else {})


def zone() -> str:
    """The local zone as a name such as Europe/Berlin; "" leaves it to /etc/localtime."""
    if name := os.environ.get("TZ"):
        return name
    path = Path("/etc/localtime")
    if path.is_symlink():
        _, found, name = str(path.resolve()).partition("zoneinfo/")
        if found:
            return name
    path = Path("/etc/timezone")
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""

"""Does Jupyter hand out hidden files such as `.env`? It does not, unless `allow_hidden` is switched on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["hidden_files_served"]

_IN_PYTHON = re.compile(r"^[^#\n]*\ballow_hidden\s*=\s*True", re.M)


def hidden_files_served(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the server that started this kernel gives hidden files to its pages; False outside of Jupyter."""
    if "JPY_SESSION_NAME" not in environ and "JPY_PARENT_PID" not in environ:
        return False
    return _in_command(os.getppid()) or any(map(_in_config, _config_files()))


def _in_command(parent: int) -> bool:
    try:
        words = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(re.search(rb"allow_hidden=(?:True|1|true)\b", word) for word in words)


def _config_files() -> Iterable[Path]:
    from jupyter_core.paths import jupyter_config_path

    for folder in jupyter_config_path():
        for name in ("jupyter_server_config", "jupyter_config", "jupyter_notebook_config"):
            yield Path(folder) / f"{name}.json"
            yield Path(folder) / f"{name}.py"
        yield from sorted((Path(folder) / "jupyter_server_config.d").glob("*.json"))


def _in_config(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if path.suffix == ".py":
        return bool(_IN_PYTHON.search(text))
    try:
        sections = json.loads(text)
    except ValueError:
        return False
    return isinstance(sections, dict) and any(
        isinstance(section, dict) and section.get("allow_hidden") is True for section in sections.values()
    )

"""From an approved version to a file that runs anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import IntegratorError
from .store import ScriptStore, Version, sha256
from .wheel import build_light_wheel

__all__ = ["Exported", "export", "get_schedule", "same_but_schedule", "set_schedule"]

_LINE = re.compile(r"^SCHEDULE = (None|\"[^\"\n]*\")$", re.MULTILINE)


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    path: Path
    wheel: Path
    version: Version
    sha256: str
    schedule: str | None


def get_schedule(code: str) -> str | None:
    """The cron line of a script, None without one."""
    match = _LINE.search(code)
    return match[1].strip('"') if match and match[1] != "None" else None


def set_schedule(code: str, cron: str | None) -> str:
    """The script with its one SCHEDULE line changed. Raises IntegratorError when it has none or several."""
    line = f'SCHEDULE = "{cron}"' if cron else "SCHEDULE = None"
    changed, count = _LINE.subn(lambda _: line, code)
    if count != 1:
        raise IntegratorError(
            "This script has no line `SCHEDULE = None` to change.", "Add that line after its imports and try again."
        )
    return changed


def same_but_schedule(first: str, second: str) -> bool:
    """True when two scripts differ at most in when they run."""
    return _LINE.sub("SCHEDULE = None", first) == _LINE.sub("SCHEDULE = None", second)


def export(store: ScriptStore, name: str, path: Path, schedule: str | None = None) -> Exported:
    """Write the newest version a person approved to `path`, and the light wheel into `wheels/` beside it.

    A version that differs from an approved one only in its schedule counts as approved; `schedule` (a cron line)
    changes that line. Raises IntegratorError when nothing is approved or `path` is a different, existing script.
    """
    latest = store.latest(name)
    approved = [entry for entry in store.versions(name) if entry.approved_at]
    if not any(same_but_schedule(entry.code, latest.code) for entry in approved):
        if not approved:
            raise IntegratorError(
                f"{name} has not been approved yet, so it was not exported.",
                "Run its cell, look at the preview and approve it first.",
            )
        raise IntegratorError(
            f"{name} has changed since it was approved, so it was not exported.",
            "Run its cell again and approve what it would do now.",
        )
    code = latest.code
    if schedule is not None:
        from integrator_drivers.schedule import next_runs

        next_runs(schedule, 1)  # raises a sentence when the line can't be understood
        code = set_schedule(code, schedule)
    path = path.expanduser().absolute()
    if path.suffix != ".py":
        raise IntegratorError(f"{path.name} is not a Python file.", f"Try `%export {name} {name}.py`.")
    if not path.parent.is_dir():
        raise IntegratorError(f"There is no folder {path.parent}.", "Make it first, or choose another one.")
    if path.exists() and not _is_export_of(path, store, name):
        raise IntegratorError(
            f"{path.name} exists already and is not an earlier export of {name}; it was left alone.",
            "Choose another name, or move that file away.",
        )
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(code.encode("utf-8"))
    temporary.replace(path)
    wheel = build_light_wheel(path.parent / "wheels")
    return Exported(path, wheel, latest, sha256(code), get_schedule(code))


def _is_export_of(path: Path, store: ScriptStore, name: str) -> bool:
    present = path.read_bytes().decode("utf-8", errors="replace")
    return any(same_but_schedule(present, entry.code) for entry in store.versions(name))

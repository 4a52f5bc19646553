"""Every version of every script of a notebook, kept by its hash. Nothing that was written is ever lost."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..errors import IntegratorError

__all__ = ["NAME", "ScriptStore", "Version", "notebook_folder", "sha256"]

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


def sha256(code: str) -> str:
    """Hex digest of a script's UTF-8 bytes."""
    return hashlib.sha256(code.encode("utf-8")).hexdigest()


def notebook_folder(notebook: str) -> str:
    """A folder name for a notebook's path: readable, and different for different paths."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(notebook).stem)[:40].strip("-") or "notebook"
    return f"{stem}-{hashlib.sha256(notebook.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Version:
    """One version of one script; `number` counts from 1."""

    name: str
    sha256: str
    number: int
    at: str  # UTC ISO time
    explanation: list[str] = field(default_factory=list)
    code: str = ""
    approved_by: str = ""
    approved_at: str = ""


class ScriptStore:
    """Scripts of one notebook under `scripts/NOTEBOOK/NAME/`: SHA.py files and an index of versions in order."""

    def __init__(self, home: Path, notebook: str) -> None:
        self.notebook = notebook
        self.folder = home / "scripts" / notebook_folder(notebook)

    @staticmethod
    def notebooks_with(home: Path, name: str) -> list[str]:
        """Every notebook that has a script of this name."""
        found = (home / "scripts").glob(f"*/{name}/versions.json")
        return sorted((path.parents[1] / "notebook.txt").read_text(encoding="utf-8") for path in found)

    def save(self, name: str, code: str, explanation: list[str] | None = None) -> Version:
        """Keep `code` as the newest version of `name`; the same code again is the same version.

        Raises IntegratorError when the name is not a lower-case identifier of at most 41 characters.
        """
        if not NAME.fullmatch(name):
            raise IntegratorError(
                f'"{name}" can\'t name a script.', "Use lower-case letters, digits and _, beginning with a letter."
            )
        versions = self.versions(name)
        digest = sha256(code)
        if versions and versions[-1].sha256 == digest and (not explanation or explanation == versions[-1].explanation):
            return versions[-1]
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(folder / f"{digest}.py", code)
        _replace(self.folder / "notebook.txt", self.notebook)
        known = next((entry for entry in versions if entry.sha256 == digest), None)
        version = Version(
            name,
            digest,
            versions[-1].number if versions and versions[-1].sha256 == digest else len(versions) + 1,
            datetime.now(UTC).isoformat(timespec="seconds"),
            explanation or (known.explanation if known else []),
            code,
            known.approved_by if known else "",
            known.approved_at if known else "",
        )
        if versions and versions[-1].sha256 == digest:
            versions.pop()
        self._write_index(name, [*versions, version])
        return version

    def versions(self, name: str) -> list[Version]:
        """All versions of one script, oldest first; empty when there is none."""
        path = self.folder / name / "versions.json"
        if not path.exists():
            return []
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [
            Version(**entry, code=(path.parent / f"{entry['sha256']}.py").read_bytes().decode("utf-8"))
            for entry in entries
        ]

    def latest(self, name: str) -> Version:
        """The newest version. Raises IntegratorError naming the scripts there are."""
        versions = self.versions(name)
        if versions:
            return versions[-1]
        names = ", ".join(self.names()) or "none yet; describe one with %%integrate"
        raise IntegratorError(f'There is no script "{name}" in this notebook.', f"Scripts here: {names}.")

    def approved(self, name: str) -> Version | None:
        """The newest version a person approved."""
        return next((entry for entry in reversed(self.versions(name)) if entry.approved_at), None)

    def mark_approved(self, name: str, digest: str, person: str) -> None:
        """Note on the version that a person approved exactly these bytes."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        versions = [
            Version(**{**asdict(entry), "approved_by": person, "approved_at": at}) if entry.sha256 == digest else entry
            for entry in self.versions(name)
        ]
        self._write_index(name, versions)

    def names(self) -> list[str]:
        """Names of all scripts of this notebook, sorted."""
        return sorted(path.parent.name for path in self.folder.glob("*/versions.json"))

    def all(self) -> Iterator[Version]:
        """The newest version of each script."""
        return (self.latest(name) for name in self.names())

    def diff(self, version: Version) -> str:
        """Unified diff against the version before; "" for the first."""
        versions = self.versions(version.name)
        index = next((i for i, entry in enumerate(versions) if entry.number == version.number), 0)
        if index == 0:
            return ""
        before = versions[index - 1]
        return "".join(
            difflib.unified_diff(
                before.code.splitlines(keepends=True),
                version.code.splitlines(keepends=True),
                f"{version.name}, version {before.number}",
                f"{version.name}, version {version.number}",
                n=2,
            )
        )

    def _write_index(self, name: str, versions: list[Version]) -> None:
        entries = [{key: value for key, value in asdict(entry).items() if key != "code"} for entry in versions]
        _replace(self.folder / name / "versions.json", json.dumps(entries, indent=1))


def _replace(path: Path, text: str) -> None:
    """Write atomically: a crash leaves the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)

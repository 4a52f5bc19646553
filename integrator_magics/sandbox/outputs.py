"""Files a run leaves: listed after every run, carried out to the user's folder only after one that may write.

The resume points of syncs are files too (`integrator_state/NAME.json`): copies of them go into each run, and after one
that may write they replace those in the user's folder.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from integrator_drivers import DriverError
from integrator_drivers.files import replacing
from integrator_drivers.statefile import FOLDER as STATE

from ..credentials import Redactor

__all__ = ["Collected", "carry_out", "carry_state", "list_files", "read_state"]

_TEXT = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".md", ".html", ".htm", ".xml", ".yaml", ".yml", ".log"}
_HEAD_LINES = 20
_HEAD_BYTES = 20_000
_CHUNK = 1 << 20
_DEPTH = 8
_STATE_BYTES = 64_000_000  # of one resume point


@dataclass
class Collected:
    """Files as {path, rows, bytes, sha256, ...}, and sentences about those that were left behind."""

    files: list[dict[str, Any]]
    notes: list[str]


def list_files(folder: Path, report: list[dict[str, Any]], redactor: Redactor) -> Collected:
    """What the run wrote, with the head of text files, redacted. Nothing leaves the sandbox."""
    found = Collected([], [])
    rows = _reported_rows(report)
    for name in _results(folder, found.notes):
        with _Opened(folder, name, found.notes) as file:
            if file is None:
                continue
            head = file.read(_HEAD_BYTES)
            size = os.fstat(file.fileno()).st_size
            entry: dict[str, Any] = {"path": redactor.redact(name), "rows": rows.get(name), "bytes": size}
            if _is_text(name):
                lines = redactor.redact(head.decode("utf-8", "replace")).splitlines()
                entry["head"] = lines[:_HEAD_LINES]
            file.seek(0)
            entry["sha256"] = _digest(file)
            found.files.append(entry)
    found.notes = [redactor.redact(note) for note in found.notes]
    return found


def carry_out(folder: Path, target: Path, report: list[dict[str, Any]], redactor: Redactor) -> Collected:
    """Copy the files to `target`, redacted, under names that are free there; what may not leave is named in a note."""
    found = Collected([], [])
    rows = _reported_rows(report)
    for name in _results(folder, found.notes):
        with _Opened(folder, name, found.notes) as file:
            if file is None:
                continue
            try:
                path, size, digest = _copy(file, target, redactor.redact(name), redactor)
            except _Holds as exc:
                found.notes.append(f"{name} was not saved: it holds the value of {exc}.")
            except OSError as exc:
                found.notes.append(f"{name} could not be saved ({exc.strerror or exc}).")
            else:
                shown = path.relative_to(target).as_posix()
                found.files.append({"path": shown, "rows": rows.get(name), "bytes": size, "sha256": digest})
    found.notes = [redactor.redact(note) for note in found.notes]
    return found


def read_state(folder: Path) -> dict[str, bytes]:
    """The resume points beside the notebook, by relative name."""
    notes: list[str] = []
    found = {}
    for name in _state_names(folder, notes):
        with _Opened(folder, name, notes) as file:
            if file is not None and os.fstat(file.fileno()).st_size <= _STATE_BYTES:
                found[name] = file.read()
    return found


def carry_state(folder: Path, target: Path, before: Mapping[str, bytes], redactor: Redactor) -> Collected:
    """Replace the resume points beside the notebook by those of the run that changed, each as a whole."""
    found = Collected([], [])
    for name in _state_names(folder, found.notes):
        with _Opened(folder, name, found.notes) as file:
            if file is None:
                continue
            content = file.read(_STATE_BYTES + 1)
            if content == before.get(name):
                continue
            try:
                if len(content) > _STATE_BYTES or not isinstance(json.loads(content), dict):
                    raise ValueError(name)
                text = redactor.redact(content.decode("utf-8"))
                with replacing(_folder(target, PurePosixPath(name).parent) / PurePosixPath(name).name) as part:
                    part.write_text(text, encoding="utf-8")
            except ValueError:
                found.notes.append(f"{name} does not say how far the sync came, so the last one was kept.")
            except (OSError, DriverError) as exc:
                found.notes.append(f"How far the sync came could not be saved, so the next run reads more: {exc}")
            else:
                digest = hashlib.sha256(text.encode()).hexdigest()
                found.files.append({"path": name, "bytes": len(text.encode()), "sha256": digest})
    found.notes = [redactor.redact(note) for note in found.notes]
    return found


def _state_names(folder: Path, notes: list[str]) -> list[str]:
    place = folder / STATE
    if place.is_symlink() or not place.is_dir():
        return []
    return [f"{STATE}/{name}" for name in _names(place, notes) if "/" not in name and name.endswith(".json")]


def _results(folder: Path, notes: list[str]) -> list[str]:
    """Names of all files but the resume points."""
    return [name for name in _names(folder, notes) if not name.startswith(f"{STATE}/")]


def _umask() -> int:
    """Read without changing it, which would reach other threads."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0o022
    line = next((line for line in text.splitlines() if line.startswith("Umask:")), "Umask: 022")
    return int(line.split()[1], 8)


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while data := file.read(_CHUNK):
        digest.update(data)
    return digest.hexdigest()


class _Holds(Exception):
    """A file in a binary format that holds a secret, named by its variable."""


def _copy(file: BinaryIO, target: Path, name: str, redactor: Redactor) -> tuple[Path, int, str]:
    """Write beside the final place, then take a free name, so that nobody sees half a file or loses one."""
    parent = _folder(target, PurePosixPath(name).parent)
    descriptor, temporary = tempfile.mkstemp(prefix=".integrator-", dir=parent)
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(descriptor, "wb") as out:
            for chunk in _clean(file, name, redactor):
                out.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        path = _take_free_name(Path(temporary), parent / PurePosixPath(name).name)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path, size, digest.hexdigest()


def _clean(file: BinaryIO, name: str, redactor: Redactor) -> Iterator[bytes]:
    """The content with secrets replaced; raises _Holds for a binary file that has one."""
    if not _is_text(name):
        overlap = ""
        while data := file.read(_CHUNK):
            text = overlap + data.decode("latin-1")
            if kind := redactor.find(text):
                raise _Holds(kind)
            overlap = text[-redactor.longest :] if redactor.longest else ""
        file.seek(0)
        while data := file.read(_CHUNK):
            yield data
        return
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    stream = redactor.stream()
    while data := file.read(_CHUNK):
        yield stream.feed(decoder.decode(data)).encode("utf-8", "surrogateescape")
    yield (stream.feed(decoder.decode(b"", final=True)) + stream.flush()).encode("utf-8", "surrogateescape")


def _names(folder: Path, notes: list[str]) -> list[str]:
    """Relative names of plain files, sorted. Links, pipes, hidden and odd names are left out, with a note."""
    found = []
    waiting = [(folder, PurePosixPath())]
    while waiting:
        path, relative = waiting.pop()
        try:
            with os.scandir(path) as found_there:
                entries = sorted(found_there, key=lambda item: item.name)
        except OSError as exc:
            notes.append(f"The files in {relative} were not saved ({exc.strerror}).")
            continue
        for entry in entries:
            name = relative / entry.name
            if entry.name.startswith("."):
                continue  # caches and half-written files
            if not _is_plain(entry.name):
                notes.append(f"A file with an odd name ({str(name)!a}) was not saved.")
            elif entry.is_dir(follow_symlinks=False):
                if len(name.parts) < _DEPTH:
                    waiting.append((Path(entry.path), name))
            elif entry.is_file(follow_symlinks=False):
                found.append(name.as_posix())
            else:
                notes.append(f"{name} was not saved: it is no plain file.")
    return sorted(found)


class _Opened:
    """Open a file of the run without following a link; None (and a note) for what is no plain file of its own."""

    def __init__(self, folder: Path, name: str, notes: list[str]) -> None:
        self._path, self._name, self._notes = folder / name, name, notes
        self._file: BinaryIO | None = None

    def __enter__(self) -> BinaryIO | None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as exc:
            self._notes.append(f"{self._name} was not saved ({exc.strerror}).")
            return None
        self._file = os.fdopen(descriptor, "rb")
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            return self._file
        self._notes.append(f"{self._name} was not saved: it is a link.")
        return None

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()


def _is_plain(name: str) -> bool:
    return name.isprintable() and "\\" not in name and len(name.encode("utf-8", "replace")) <= 200


def _is_text(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in _TEXT


def _folder(target: Path, relative: PurePosixPath) -> Path:
    """The folder below `target`, made where missing. Raises OSError when a part of it is a link."""
    folder = target
    for part in relative.parts:
        folder = folder / part
        if folder.is_symlink():
            raise OSError(f"{folder} is a link")
        folder.mkdir(exist_ok=True)
    return folder


def _take_free_name(temporary: Path, wanted: Path) -> Path:
    """Give the file its name, or "name (2)" and so on where there is one already."""
    for number in range(1, 10_000):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        try:
            os.link(temporary, path, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            if path.exists() or path.is_symlink():
                continue
            temporary.rename(path)
        return path
    raise OSError(f"no free name for {wanted.name}")


def _reported_rows(report: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of each file, as the script reported them, by its name inside."""
    return {
        PurePosixPath(os.path.normpath(str(line.get("path")))).as_posix(): line.get("rows")
        for line in report
        if line.get("kind") == "file"
    }

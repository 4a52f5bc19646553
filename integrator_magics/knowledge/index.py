"""The drivers' README, docs and examples as sections, found with SQLite FTS5 (bm25)."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from integrator_drivers import registry

from ..errors import ConfigError, IntegratorError
from .sections import sections, spoken

__all__ = ["Hit", "Index"]

FORMAT = 2  # of the file; a change makes all of them anew
CHECK = 10.0  # seconds between looks at the documents
EXCERPT = 32  # words
_COMMON = re.compile(
    r"an?|and|are|as|at|be|by|can|did|do|does|for|from|had|has|have|how|i|if|in|into|is|its?|me|my|not|of|on|or|our|so|"
    r"that|the|their|them|then|there|these|they|this|to|up|us|was|we|were|what|when|where|which|who|why|will|with|"
    r"would|you|your",
    re.IGNORECASE,
)
# Weights of the columns id, driver, path, heading, spoken, text.
_RANK = "bm25(section, 0, 0, 1.0, 4.0, 1.0, 1.0)"


class Hit(NamedTuple):
    """One section that fits a question. `id` is DRIVER/PATH#NUMBER."""

    id: str
    driver: str
    path: str
    heading: str
    excerpt: str


class Index:
    """Sections of all drivers' documents, in a file of `folder` that is made anew when a document changed.

    May be used by several threads and processes at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._file: Path | None = None
        self._checked = 0.0

    def search(self, query: str, drivers: Iterable[str] = (), limit: int = 5) -> list[Hit]:
        """Sections that hold words of `query`, best first; of these drivers, or of all."""
        words = re.findall(r"\w+", query.replace("_", " "))
        telling = [word for word in words if not _COMMON.fullmatch(word)] or words
        if not telling:
            return []
        wanted = list(drivers)
        match = " OR ".join(f'"{word}"' for word in dict.fromkeys(telling[:40]))
        scope = f"AND driver IN ({', '.join('?' * len(wanted))})" if wanted else ""
        sql = (
            f"SELECT id, driver, path, heading, snippet(section, 5, '', '', ' ... ', {EXCERPT}) FROM section "
            f"WHERE section MATCH ? {scope} ORDER BY {_RANK} LIMIT ?"
        )
        rows = self._ask(sql, (f"{{path heading spoken text}} : ({match})", *wanted, limit))
        return [Hit(id, driver, path, head, " ".join(excerpt.split())) for id, driver, path, head, excerpt in rows]

    def read(self, id: str) -> str:
        """The whole section with this id. Raises IntegratorError for an unknown one."""
        rows = self._ask("SELECT text FROM section WHERE id = ?", (id,))
        if not rows:
            raise IntegratorError(f'There is no section "{id}".', "`%docs SYSTEM question` finds sections.")
        return str(rows[0][0])

    def _ask(self, sql: str, values: tuple[object, ...]) -> list[tuple[str, ...]]:
        for is_last in (False, True):
            path = self._current()
            try:
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                    return db.execute(sql, values).fetchall()
            except sqlite3.DatabaseError:  # damaged, or removed by another process: it can be made again
                if is_last:
                    raise
                with self._lock:
                    self._checked = 0.0
                    path.unlink(missing_ok=True)
        return []

    def _current(self) -> Path:
        """The file for the documents as they are; looks at them at most every CHECK seconds."""
        with self._lock:
            now = time.monotonic()
            if self._file is None or not self._file.exists() or now - self._checked > CHECK:
                documents = {
                    (name, path): text for name in registry.names() for path, text in registry.docs(name).items()
                }
                digest = hashlib.sha256(f"{FORMAT}{sorted(documents.items())!r}".encode()).hexdigest()[:16]
                self._file = self._made(f"knowledge-{digest}.sqlite", documents)
                self._checked = now
            return self._file

    def _made(self, name: str, documents: dict[tuple[str, str], str]) -> Path:
        """The file in the cache folder; in a temporary one where that can't be written."""
        problem: OSError | sqlite3.Error | None = None
        for folder in (self.folder, Path(tempfile.gettempdir()) / f"integrator-knowledge-{os.getpid()}"):
            path = folder / name
            if path.exists():
                return path
            try:
                _build(path, documents)
            except (OSError, sqlite3.OperationalError) as exc:
                problem = exc
                continue
            for old in folder.glob("knowledge-*.sqlite"):
                if old != path:
                    old.unlink(missing_ok=True)
            return path
        raise ConfigError(
            f"The index of the documents can't be written to {self.folder} ({problem}).",
            "Free some space and try again.",
        ) from problem


def _build(path: Path, documents: dict[tuple[str, str], str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix="building-")
    os.close(handle)
    try:
        with closing(sqlite3.connect(temporary)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute(
                "CREATE VIRTUAL TABLE section USING fts5(id UNINDEXED, driver UNINDEXED, path, heading, spoken, "
                "text, tokenize = 'porter unicode61')"
            )
            db.executemany(
                "INSERT INTO section VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (f"{driver}/{name}#{number}", driver, name, part.heading, spoken(part.text), part.text)
                    for (driver, name), text in documents.items()
                    for number, part in enumerate(sections(name, text))
                ),
            )
            db.commit()
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)

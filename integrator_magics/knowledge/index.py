"""The drivers' README, docs and examples as sections, found with SQLite FTS5 (bm25)."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from integrator_drivers import registry

from ..errors import IntegratorError

__all__ = ["Hit", "Index"]

SECTION = 6_000  # characters; longer sections are cut at a paragraph


class Hit(NamedTuple):
    """One section that fits a question. `id` is DRIVER/PATH#NUMBER."""

    id: str
    driver: str
    path: str
    heading: str
    excerpt: str


class Index:
    """Sections of all drivers' documents, in a file of `folder` that is made anew when a document changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def search(self, query: str, drivers: Iterable[str] = (), limit: int = 5) -> list[Hit]:
        """Sections that hold words of `query`, best first; of these drivers, or of all."""
        words = re.findall(r"\w+", query)
        if not words:
            return []
        wanted = list(drivers)
        match = " OR ".join(f'"{word}"' for word in words[:40])
        scope = f"AND driver IN ({', '.join('?' * len(wanted))})" if wanted else ""
        sql = (
            "SELECT id, driver, path, heading, snippet(section, 4, '', '', ' ... ', 32) FROM section "
            f"WHERE section MATCH ? {scope} ORDER BY bm25(section, 0, 0, 1, 4, 1) LIMIT ?"
        )
        with closing(sqlite3.connect(self._path)) as db:
            return [Hit(*row) for row in db.execute(sql, (match, *wanted, limit))]

    def read(self, id: str) -> str:
        """The whole section with this id. Raises IntegratorError for an unknown one."""
        with closing(sqlite3.connect(self._path)) as db:
            row = db.execute("SELECT text FROM section WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise IntegratorError(f'There is no section "{id}".', "`%docs SYSTEM question` finds sections.")
        return str(row[0])

    @cached_property
    def _path(self) -> Path:
        documents = {(name, path): text for name in registry.names() for path, text in registry.docs(name).items()}
        digest = hashlib.sha256(repr(sorted(documents.items())).encode()).hexdigest()[:16]
        path = self.folder / f"knowledge-{digest}.sqlite"
        with self._lock:
            if not path.exists():
                self._build(path, documents)
        return path

    def _build(self, path: Path, documents: dict[tuple[str, str], str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{threading.get_ident()}")
        with closing(sqlite3.connect(temporary)) as db:
            db.execute(
                "CREATE VIRTUAL TABLE section USING fts5(id UNINDEXED, driver UNINDEXED, path, heading, text, "
                "tokenize = 'porter unicode61')"
            )
            for (driver, name), text in documents.items():
                for number, (heading, body) in enumerate(_sections(name, text)):
                    row = (f"{driver}/{name}#{number}", driver, name, heading, body)
                    db.execute("INSERT INTO section VALUES (?, ?, ?, ?, ?)", row)
            db.commit()
        temporary.replace(path)
        for old in self.folder.glob("knowledge-*.sqlite"):
            if old != path:
                old.unlink(missing_ok=True)


def _sections(path: str, text: str) -> Iterator[tuple[str, str]]:
    """(heading, whole text) of each part of a document; a script is one part, named by its first line."""
    if path.endswith(".py"):
        match = re.search(r'"""(.+)', text)
        yield (match[1].strip(' ."') if match else path), text[:SECTION]
        return
    for part in re.split(r"(?m)^(?=#{1,3} )", text):
        if part.strip():
            yield part.splitlines()[0].lstrip("# ").strip(), part.strip()[:SECTION]

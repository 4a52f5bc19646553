"""Decisions of people, in a file that outlives the kernel and that no notebook holds."""

from __future__ import annotations

import getpass
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..errors import ApprovalRequired, ConfigError
from .facts import Facts, differences

__all__ = ["ALPHABET", "Approval", "Approvals", "Pending", "is_same"]

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # of codes: no 0 O 1 I L
_TRIES = 5
_SCHEMA = """
CREATE TABLE IF NOT EXISTS decision (
    digest TEXT PRIMARY KEY, name TEXT NOT NULL, notebook TEXT NOT NULL, code TEXT NOT NULL, facts TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'used', 'rejected', 'replaced', 'void')),
    wrong INTEGER NOT NULL DEFAULT 0, requested TEXT NOT NULL, expires TEXT NOT NULL,
    person TEXT NOT NULL DEFAULT '', decided TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
    used TEXT NOT NULL DEFAULT '', card TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS decision_of ON decision (notebook, name, state);
CREATE TABLE IF NOT EXISTS reader (
    script_sha256 TEXT NOT NULL, notebook TEXT NOT NULL, systems TEXT NOT NULL,
    person TEXT NOT NULL, decided TEXT NOT NULL, PRIMARY KEY (script_sha256, notebook, systems)
);
"""


@dataclass(frozen=True)
class Pending:
    """A preview that waits for a person. `code` is shown beside it and nowhere stored in a notebook."""

    name: str
    code: str
    digest: str
    expires: datetime
    facts: Facts


@dataclass(frozen=True)
class Approval:
    """A decision for exactly these facts."""

    name: str
    digest: str
    person: str
    at: datetime
    expires: datetime
    facts: Facts


class Approvals:
    """Requests, decisions and their single use, in one SQLite file (mode 0600) that several processes may share."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        valid: timedelta = timedelta(minutes=15),
    ) -> None:
        self.path = path
        self._clock = clock
        self._valid = valid

    def request(self, facts: Facts) -> Pending:
        """Ask for a decision on a preview. An older request for the same script of the same notebook is replaced."""
        now = self._now()
        expires = now + self._valid
        facts = replace(facts, nonce=secrets.token_hex(16), expires=expires.isoformat())
        code = "".join(secrets.choice(ALPHABET) for _ in range(4))
        with self._write() as db:
            db.execute(
                "UPDATE decision SET state = 'replaced', card = ''"
                " WHERE notebook = ? AND name = ? AND state IN ('waiting', 'approved')",
                (facts.notebook, facts.name),
            )
            db.execute(
                "INSERT INTO decision (digest, name, notebook, code, facts, state, requested, expires)"
                " VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?)",
                (facts.digest, facts.name, facts.notebook, code, facts.to_json(), now.isoformat(), expires.isoformat()),
            )
        return Pending(facts.name, code, facts.digest, expires, facts)

    def pending(self, notebook: str | None = None) -> list[Pending]:
        """What waits for a decision now, oldest first; of one notebook, or all."""
        with closing(self.connect()) as db:
            rows = db.execute(
                "SELECT name, code, digest, expires, facts FROM decision"
                " WHERE state = 'waiting' AND expires > ? AND (? IS NULL OR notebook = ?) ORDER BY requested, rowid",
                (self._now().isoformat(), notebook, notebook),
            ).fetchall()
        return [Pending(r[0], r[1], r[2], datetime.fromisoformat(r[3]), Facts.from_json(r[4])) for r in rows]

    def keep_card(self, digest: str, card: str) -> None:
        """Keep what the person was shown with a request, until it is decided or replaced."""
        with self._write() as db:
            db.execute("UPDATE decision SET card = ? WHERE digest = ? AND state = 'waiting'", (card, digest))

    def cards(self, notebook: str) -> list[tuple[Pending, str]]:
        """What waits in a notebook now, each with what the person was shown."""
        waiting = self.pending(notebook)
        with closing(self.connect()) as db:
            kept = dict(db.execute("SELECT digest, card FROM decision WHERE state = 'waiting'").fetchall())
        return [(pending, kept[pending.digest]) for pending in waiting if kept.get(pending.digest)]

    def approve(self, name: str, code: str = "", person: str | None = None, *, notebook: str | None = None) -> Approval:
        """Approve what waits under this name. The code is needed unless every system is a practice system.

        Raises ApprovalRequired when nothing waits, the code is wrong, or it is too late; five wrong codes void it.
        """
        now = self._now()
        wrong = None
        with self._write() as db:
            row = self._waiting(db, name, notebook)
            facts = Facts.from_json(row["facts"])
            if not (facts.practice and not code) and not is_same(code, row["code"]):
                wrong = row["wrong"] + 1
                state = "void" if wrong >= _TRIES else "waiting"
                db.execute("UPDATE decision SET wrong = ?, state = ? WHERE digest = ?", (wrong, state, row["digest"]))
            else:
                db.execute(
                    "UPDATE decision SET state = 'approved', card = '', person = ?, decided = ? WHERE digest = ?",
                    (person or _user(), now.isoformat(), row["digest"]),
                )
        if wrong is not None:
            raise _wrong_code(name, code, _TRIES - wrong)
        return Approval(name, row["digest"], person or _user(), now, datetime.fromisoformat(row["expires"]), facts)

    def reject(self, name: str, person: str | None = None, reason: str = "", *, notebook: str | None = None) -> Pending:
        """Reject what waits under this name and return it."""
        with self._write() as db:
            row = self._waiting(db, name, notebook)
            db.execute(
                "UPDATE decision SET state = 'rejected', card = '', person = ?, decided = ?, reason = ?"
                " WHERE digest = ?",
                (person or _user(), self._now().isoformat(), reason, row["digest"]),
            )
        expires = datetime.fromisoformat(row["expires"])
        return Pending(name, row["code"], row["digest"], expires, Facts.from_json(row["facts"]))

    def use(self, what: str | Facts) -> Approval:
        """Take the approval for these facts (or their digest) so that nobody can take it again.

        Call it at the last moment before the run, with facts gathered anew. Raises ApprovalRequired that names what
        differs.
        """
        digest = what if isinstance(what, str) else what.digest
        now = self._now()
        with self._write() as db:
            row = db.execute("SELECT * FROM decision WHERE digest = ?", (digest,)).fetchone()
            if row and row["state"] == "approved" and row["expires"] > now.isoformat():
                db.execute("UPDATE decision SET state = 'used', used = ? WHERE digest = ?", (now.isoformat(), digest))
            else:
                raise self._not_usable(db, row, what)
        decided, expires = datetime.fromisoformat(row["decided"]), datetime.fromisoformat(row["expires"])
        return Approval(row["name"], digest, row["person"], decided, expires, Facts.from_json(row["facts"]))

    def used(self, notebook: str, name: str) -> list[Facts]:
        """What runs of a script were approved and made use of it, newest first."""
        with closing(self.connect()) as db:
            rows = db.execute(
                "SELECT facts FROM decision WHERE notebook = ? AND name = ? AND state = 'used' ORDER BY used DESC",
                (notebook, name),
            ).fetchall()
        return [Facts.from_json(row["facts"]) for row in rows]

    def remember_reader(
        self,
        script_sha256: str,
        *,
        notebook: str = "",
        systems: Iterable[Iterable[str]] = (),
        person: str | None = None,
    ) -> None:
        """A person said that the output of this script, which only reads, looks right: it may run by itself."""
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO reader VALUES (?, ?, ?, ?, ?)",
                (script_sha256, notebook, _canonical(systems), person or _user(), self._now().isoformat()),
            )

    def reader_known(self, script_sha256: str, *, notebook: str = "", systems: Iterable[Iterable[str]] = ()) -> bool:
        """Whether exactly this script, on these systems, was found right before."""
        with closing(self.connect()) as db:
            row = db.execute(
                "SELECT 1 FROM reader WHERE script_sha256 = ? AND notebook = ? AND systems = ?",
                (script_sha256, notebook, _canonical(systems)),
            ).fetchone()
        return row is not None

    def _waiting(self, db: sqlite3.Connection, name: str, notebook: str | None) -> sqlite3.Row:
        rows = db.execute(
            "SELECT * FROM decision WHERE name = ? AND state = 'waiting' AND (? IS NULL OR notebook = ?)"
            " ORDER BY requested DESC, rowid DESC",
            (name, notebook, notebook),
        ).fetchall()
        if not rows:
            raise ApprovalRequired(
                f'Nothing waits for approval under the name "{name}".', f"Run the cell {name} for a preview."
            )
        if len({row["notebook"] for row in rows}) > 1:
            raise ApprovalRequired(
                f"{len(rows)} notebooks wait for approval of {name}.", "Approve it in its own notebook."
            )
        row: sqlite3.Row = rows[0]
        if row["expires"] <= self._now().isoformat():
            raise ApprovalRequired(f"The preview of {name} is too old to approve.", "Run the cell again for a new one.")
        return row

    def _not_usable(self, db: sqlite3.Connection, row: sqlite3.Row | None, what: str | Facts) -> ApprovalRequired:
        again = "Run the cell again for a new preview. Nothing was written."
        if row is None:
            if isinstance(what, Facts):
                near = db.execute(
                    "SELECT facts FROM decision WHERE notebook = ? AND name = ? AND state = 'approved'"
                    " ORDER BY rowid DESC",
                    (what.notebook, what.name),
                ).fetchone()
                changed = differences(Facts.from_json(near["facts"]), what) if near else []
                if changed:
                    named = ", ".join(_WORDS.get(entry, entry) for entry in changed)
                    return ApprovalRequired(f"This is not what was approved: {named} changed.", again)
            return ApprovalRequired("Nobody approved this run.", again)
        said = {
            "waiting": f"{row['name']} waits for approval.",
            "used": f"This approval of {row['name']} was used already; each one counts once.",
            "rejected": f"{row['name']} was rejected by {row['person']}"
            + (f": {row['reason']}." if row["reason"] else "."),
            "replaced": f"This approval of {row['name']} was replaced by a newer preview.",
            "void": f"The preview of {row['name']} is void after {_TRIES} wrong codes.",
        }.get(row["state"], f"The approval of {row['name']} is too old.")
        return ApprovalRequired(said, again)

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)

    def connect(self) -> sqlite3.Connection:
        """The file, made at the first use. Raises ConfigError when it can't be opened."""
        try:
            if not self.path.exists():
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            db.row_factory = sqlite3.Row
            db.executescript(_SCHEMA)
            if not any(row["name"] == "card" for row in db.execute("PRAGMA table_info(decision)")):
                db.execute("ALTER TABLE decision ADD COLUMN card TEXT NOT NULL DEFAULT ''")
        except (OSError, sqlite3.Error) as exc:
            raise ConfigError(f"The approvals in {self.path} can't be opened ({exc}).", "Check that file.") from exc
        return db

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with closing(self.connect()) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.Error as exc:
                raise ConfigError(
                    f"The decision can't be kept in {self.path} ({exc}).", "Nothing was changed."
                ) from exc
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")


_WORDS = {
    "script_sha256": "the script",
    "notebook": "the notebook",
    "systems": "a system or its account",
    "hosts": "a host",
    "sandbox": "the sandbox",
    "targets": "a target",
    "counts": "the row counts",
    "max_rows": "the row ceiling",
    "window_end": "the time window",
}


def _wrong_code(name: str, code: str, left: int) -> ApprovalRequired:
    if left <= 0:
        return ApprovalRequired(f"The preview of {name} is void after {_TRIES} wrong codes.", "Run the cell again.")
    said = "That is not the code shown with" if code else "A code is needed for"
    return ApprovalRequired(
        f"{said} this preview of {name}.", f"Type `%approve {name} CODE` with the four characters shown."
    )


def is_same(given: str, code: str) -> bool:
    """Is this the code? Letters may be small."""
    return hmac.compare_digest(given.strip().upper().encode(), code.encode())


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in this container
        return f"uid {os.getuid()}"


def _canonical(systems: Iterable[Iterable[str]]) -> str:
    return json.dumps(sorted([list(system) for system in systems]), separators=(",", ":"))

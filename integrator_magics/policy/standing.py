"""Standing approvals: one exported script may write by schedule, until a day, up to a ceiling."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..errors import ApprovalRequired, ConfigError, IntegratorError
from .approvals import ALPHABET, is_same

__all__ = ["Standing", "StandingApprovals"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS standing (
    id TEXT PRIMARY KEY, facts TEXT NOT NULL, code TEXT NOT NULL, wrong INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'active', 'revoked', 'replaced')),
    requested TEXT NOT NULL, person TEXT NOT NULL DEFAULT '', decided TEXT NOT NULL DEFAULT ''
);
"""
_VALID = timedelta(minutes=15)  # for the decision itself
_TRIES = 5


@dataclass(frozen=True)
class Standing:
    """What may happen unattended.

    `systems` are (name, account, environment, user), `targets` (system, object, columns).
    """

    name: str
    notebook: str
    path: str
    script_sha256: str
    schedule: str
    systems: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, str, tuple[str, ...]], ...]
    max_rows: int  # a run
    until: str  # ISO time
    practice: bool = False
    id: str = ""
    state: str = ""
    person: str = ""
    decided: str = ""

    def __post_init__(self) -> None:
        for name in ("systems", "targets"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    @property
    def ended(self) -> bool:
        """Is its last day over?"""
        return datetime.now(UTC) > datetime.fromisoformat(self.until)

    def receipt(self) -> dict[str, Any]:
        """What lies beside the file, so that the script can check it anywhere."""
        keys = ("id", "script_sha256", "schedule", "systems", "targets", "max_rows", "until", "person", "decided")
        return {key: value for key, value in asdict(self).items() if key in keys} | {"revoked": self.state == "revoked"}


class StandingApprovals:
    """Requests and decisions, in the file of all approvals."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._clock = clock

    def request(self, standing: Standing) -> tuple[Standing, str]:
        """Ask for a decision; what is asked with its id, and the code that approves it within a quarter of an hour."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(4))
        standing = _with(standing, id=secrets.token_hex(4), state="waiting")
        with self._write() as db:
            db.execute(
                "UPDATE standing SET state = 'replaced' WHERE state = 'waiting' AND facts ->> 'path' = ?",
                (standing.path,),
            )
            db.execute(
                "INSERT INTO standing (id, facts, code, state, requested) VALUES (?, ?, ?, 'waiting', ?)",
                (standing.id, json.dumps(asdict(standing)), code, self._now().isoformat()),
            )
        return standing, code

    def waiting(self, name: str, notebook: str) -> Standing:
        """What waits for a decision under this name. Raises ApprovalRequired when nothing does."""
        since = (self._now() - _VALID).isoformat()
        with self._write() as db:
            row = db.execute(
                "SELECT * FROM standing WHERE state = 'waiting' AND requested > ? AND facts ->> 'name' = ?"
                " AND facts ->> 'notebook' = ? ORDER BY requested DESC",
                (since, name, notebook),
            ).fetchone()
        if row is None:
            raise ApprovalRequired(
                f"No standing approval of {name} is waiting.",
                f'`%export {name} {name}.py --schedule "0 2 * * *" --unattended` asks for one.',
            )
        return _standing(row)

    def approve(self, id: str, code: str, person: str) -> Standing:
        """A person decides. The code is needed unless every system is a practice system; five wrong ones void it."""
        with self._write() as db:
            row = db.execute("SELECT * FROM standing WHERE id = ? AND state = 'waiting'", (id,)).fetchone()
            if row is None:
                raise ApprovalRequired("That request is not waiting any more.", "Export the script again.")
            right = is_same(code, row["code"]) or (not code and _standing(row).practice)
            if right:
                path = _standing(row).path
                db.execute(
                    "UPDATE standing SET state = 'replaced' WHERE state = 'active' AND facts ->> 'path' = ?", (path,)
                )
                db.execute(
                    "UPDATE standing SET state = 'active', person = ?, decided = ? WHERE id = ?",
                    (person, self._now().isoformat(timespec="seconds"), id),
                )
            else:
                state = "replaced" if row["wrong"] + 1 >= _TRIES else "waiting"
                db.execute("UPDATE standing SET wrong = wrong + 1, state = ? WHERE id = ?", (state, id))
            row = db.execute("SELECT * FROM standing WHERE id = ?", (id,)).fetchone()
        if not right:
            raise ApprovalRequired("That is not the code shown with this request.", "Type the four characters shown.")
        return _standing(row)

    def revoke(self, id: str) -> Standing:
        """End one now."""
        with self._write() as db:
            done = db.execute("UPDATE standing SET state = 'revoked' WHERE id = ? AND state = 'active'", (id,))
            row = db.execute("SELECT * FROM standing WHERE id = ?", (id,)).fetchone()
        if not done.rowcount:
            raise IntegratorError(f'There is no standing approval "{id}".', "`%integrator approvals` lists them.")
        return _standing(row)

    def all(self) -> list[Standing]:
        """Every decision, newest first, also those that ended or were revoked."""
        with self._write() as db:
            rows = db.execute(
                "SELECT * FROM standing WHERE state IN ('active', 'revoked') ORDER BY decided DESC, rowid DESC"
            ).fetchall()
        return [_standing(row) for row in rows]

    def of_script(self, script_sha256: str) -> Standing:
        """The one for exactly these bytes. Raises ApprovalRequired that says why there is none."""
        found = [entry for entry in self.all() if entry.script_sha256 == script_sha256]
        good = [entry for entry in found if entry.state == "active" and not entry.ended]
        if good:
            return good[0]
        why = "nobody approved that"
        if found:
            why = "its standing approval was revoked" if found[0].state == "revoked" else "its standing approval ended"
        raise ApprovalRequired(
            f"This script would write, and {why}, so nothing was written.",
            "Run it at a terminal and type the row count shown, approve it in its notebook, or export it with "
            "--unattended and approve that.",
        )

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        from .approvals import Approvals

        with closing(Approvals(self._path).connect()) as db:
            try:
                db.executescript(_SCHEMA)
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.Error as exc:
                raise ConfigError(
                    f"The decision can't be kept in {self._path} ({exc}).", "Nothing was changed."
                ) from exc
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")


def _standing(row: sqlite3.Row) -> Standing:
    facts = json.loads(row["facts"])
    told = {"id": row["id"], "state": row["state"], "person": row["person"], "decided": row["decided"]}
    return Standing(**{**facts, **told})


def _with(standing: Standing, **changes: Any) -> Standing:
    return Standing(**{**asdict(standing), **changes})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(entry) for entry in value) if isinstance(value, (list, tuple)) else value

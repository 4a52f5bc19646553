"""What to do where a target's record was changed by somebody else since this sync wrote it.

To know that, a digest of what the target held after each write is kept by key: in the table `integrator_state` beside
a target that keeps its own resume points, else in a file beside the script. It is saved at the end of a run, and only
where another answer than "source" is asked for. What was never written by this sync is no conflict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args

from . import mode
from .errors import ValidationError
from .incremental import account_of
from .protocols import Record, StateKeeper, WriteResult
from .statefile import StateFile

__all__ = ["Conflict", "Ledger", "check_policy"]

SHOWN = 20
Conflict = Literal["source", "target", "newest", "ask"]


def check_policy(policy: str, *, has_times: bool) -> None:
    """Raises ValidationError for a word that is none, or where "newest" has no times to compare."""
    if policy not in get_args(Conflict):
        raise ValidationError(f'conflict is one of {", ".join(get_args(Conflict))}, not "{policy}".')
    if policy == "newest" and not has_times:
        raise ValidationError(
            'conflict="newest" compares times: give sync newest= or cursor= for the source, and each Target changed=, '
            "its field with the time of the last change."
        )


@dataclass
class Ledger:
    """What one target held after the last write, and which rows may be written over it now."""

    policy: Conflict
    client: Any
    object: str
    key: str
    columns: Sequence[str]
    changed: str  # the target's field with the time of the last change; "" where it is not needed
    identity: str
    found: list[dict[str, Any]] = field(default_factory=list)  # the first 20 conflicts: key, column, old, new
    kept: int = 0
    _digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        place = [] if isinstance(self.client, StateKeeper) else account_of(self.client)
        self.identity = " ".join([self.identity, *place, "written"])
        state = self._load()
        self._digests = dict((state or {}).get("written") or {})

    def sift(self, rows: list[Record], moments: Mapping[Any, Any]) -> list[Record]:
        """The rows to write; `moments` are the source's times of change, by key."""
        asked = [row[self.key] for row in rows if str(row[self.key]) in self._digests]
        if not asked:
            return rows
        held = self._lookup(asked)
        touched = [
            row
            for row in rows
            if row[self.key] in held and self._digests.get(str(row[self.key])) != self._digest(held[row[self.key]])
        ]
        losing = [row for row in self._differing(touched) if self._loses(row, held[row[self.key]], moments)]
        for row in losing:
            self._tell(row, held[row[self.key]])
        self.kept += len(losing)
        out = {id(row) for row in losing}
        return [row for row in rows if id(row) not in out]

    def note(self, rows: Sequence[Record]) -> None:
        """Remember what the target holds of these rows now."""
        if mode.current_mode() is mode.Mode.APPLY and rows:
            for value, record in self._lookup([row[self.key] for row in rows]).items():
                self._digests[str(value)] = self._digest(record)

    def save(self) -> None:
        """At the end of a run."""
        if mode.current_mode() is not mode.Mode.APPLY:
            return
        state = {"watermark": None, "written": self._digests}
        if isinstance(self.client, StateKeeper):
            self.client.save_state(self.object, self.identity, state)
        else:
            StateFile(self.identity).save(state)

    def prepare(self) -> list[str]:
        """Make the place for it; the DDL."""
        return self.client.prepare_state(self.object) if isinstance(self.client, StateKeeper) else []

    def _load(self) -> dict[str, Any] | None:
        if isinstance(self.client, StateKeeper):
            return self.client.load_state(self.object, self.identity)
        return StateFile(self.identity).load()

    def _lookup(self, values: Sequence[Any]) -> dict[Any, Record]:
        names = list(dict.fromkeys([*self.columns, *([self.changed] if self.changed else [])]))
        found: dict[Any, Record] = self.client.lookup(self.object, self.key, values, names)
        return found

    def _digest(self, record: Record) -> str:
        parts = [_plain(record.get(name)) for name in self.columns]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]

    def _differing(self, rows: list[Record]) -> list[Record]:
        """Rows that would change the target; where it holds the source's values already there is no conflict."""
        compare = getattr(self.client, "compare", None)
        if compare is None or not rows:
            return rows
        whole: WriteResult = compare(self.object, rows, key=self.key)
        if not whole.unchanged:
            return rows
        return [row for row in rows if not compare(self.object, [row], key=self.key).unchanged]

    def _loses(self, row: Record, held: Record, moments: Mapping[Any, Any]) -> bool:
        if self.policy == "newest":
            mine, theirs = _plain(moments.get(row[self.key])), _plain(held.get(self.changed))
            return theirs is not None and (mine is None or mine <= theirs)
        return self.policy in ("target", "ask")

    def _tell(self, row: Record, held: Record) -> None:
        for name in self.columns:
            if (
                len(self.found) < 20
                and name in row
                and name != self.key
                and _plain(row[name]) != _plain(held.get(name))
            ):
                self.found.append({"key": row[self.key], "column": name, "old": held.get(name), "new": row[name]})


def _plain(value: Any) -> str | None:
    """Equal for values that mean the same in any system."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return format(Decimal(str(value)).normalize(), "f")
    if isinstance(value, datetime):
        from .incremental import moment

        return f"{moment(value):%Y-%m-%dT%H:%M:%S.%f}"
    return value.isoformat() if isinstance(value, date) else str(value)

"""Reading only what changed: the window of a run, its resume point, and what makes a resume point invalid.

A run reads the rows whose cursor lies in [watermark - OVERLAP, the moment the run stands for). The overlap catches
rows that became visible late; they come again and are found unchanged. The watermark is the largest cursor seen, but
never beyond a row that was rejected, so that no row is lost: it comes again until it is taken.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from . import mode
from .errors import FieldNotFoundError, ValidationError, near_matches
from .protocols import Condition, Field
from .records import Records, chained

__all__ = ["CURSOR", "DELETED", "FLAG", "OVERLAP", "Asked", "Window", "account_of", "moment"]

logger = logging.getLogger("integrator")

OVERLAP = timedelta(minutes=10)
CURSOR, DELETED = "#cursor", "#deleted"  # what these columns are called where the target does not get them
FLAG = "IsDeleted"  # the field by which a source marks records that it has deleted


class Asked(Protocol):
    """The parts of a `Source` that matter here."""

    client: Any
    object: str
    fields: Mapping[str, str] | Sequence[str] | None
    where: Any
    since: datetime | None
    until: datetime | None


@dataclass
class Window:
    """One incremental run: what it reads, and how far it has come."""

    cursor: str  # field of the source
    columns: dict[str, str]  # field -> column, the cursor and the flag of deletion among them
    found: dict[str, Field]  # the source's fields as they are now
    identity: str
    times: dict[str, str]  # moments in the conditions, which may move on from run to run
    until: datetime
    is_ordered: bool = False
    watermark: datetime | None = None  # where this run began
    largest: datetime | None = None
    held: datetime | None = None  # the smallest cursor of a row that was rejected
    reads_deleted: bool = False
    read: int = 0
    _conditions: list[Condition] = field(default_factory=list)
    _parts: list[Records] = field(default_factory=list)

    @classmethod
    def of(cls, source: Asked, target: str, key: str, cursor: str, *, takes_deleted: bool) -> Window:
        """Raises FieldNotFoundError or ValidationError where the cursor is no moment of the source."""
        client = source.client
        found: dict[str, Field] = dict(client.get_fields(source.object))
        if cursor not in found:
            raise FieldNotFoundError(
                f'{source.object} has no field "{cursor}" to tell what changed.', near_matches(cursor, found)
            )
        if found[cursor]["type"] != "datetime":
            raise ValidationError(
                f"{cursor} is no date with a time, so it can't tell what changed. Choose the time of the last change."
            )
        columns = _columns(source, found)
        for wanted in columns:
            if wanted not in found:
                raise FieldNotFoundError(
                    f"{source.object} no longer has the field {wanted}, which this script reads. Nothing was written. "
                    "Take it out of the script, or name the field that replaced it.",
                    near_matches(wanted, found),
                )
        conditions = list(source.where or ())
        shapes, times = _shapes(conditions, source.since, source.until)
        parts = [source.object, target, key, cursor, columns, shapes, account_of(client)]
        digest = hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:12]
        takes = inspect.signature(client.read).parameters
        reads_deleted = takes_deleted and "deleted" in takes and FLAG in found
        columns.setdefault(cursor, CURSOR)
        if reads_deleted:
            columns.setdefault(FLAG, DELETED)
        return cls(
            cursor=cursor,
            columns=columns,
            found=found,
            identity=f"{source.object} -> {target} by {key} ({digest})",
            times=times,
            until=mode.now().replace(microsecond=0),
            is_ordered="order_by" in takes,
            reads_deleted=reads_deleted,
            _conditions=conditions,
        )

    def begin(self, state: Mapping[str, Any] | None) -> None:
        """Go on from a saved state. Raises ValidationError where a field changed its type since it was saved."""
        if state is None:
            return
        for name, kind in state.get("fields", {}).items():
            now = self.found[name]["type"] if name in self.found else kind
            if name in self.columns and now != kind:
                raise ValidationError(
                    f"{name} was {kind} in the source when this last ran, and is {now} now. Nothing was written. If "
                    "that is meant, write it to a new column; its rows are then read afresh."
                )
        if not _covers(state.get("times", {}), self.times):
            logger.info("The conditions now reach further back than last time, so everything is read once more.")
            return
        text = state.get("watermark")
        self.watermark = self.largest = datetime.fromisoformat(text) if text else None
        if state.get("unfinished"):
            logger.info("The last run stopped before its end; going on from its last commit.")

    def records(self, source: Asked) -> Records:
        """The rows of the window under their target columns, with the cursor and the flag of deletion."""
        parts = [self._read(source, [(self.cursor, "is null", None)])] if self.found[self.cursor]["nullable"] else []
        bounds: list[Condition] = [(self.cursor, "<", self.until)]
        if self.watermark is not None:
            bounds.insert(0, (self.cursor, ">=", self.watermark - OVERLAP))
        parts.append(self._read(source, bounds, ordered=self.is_ordered))
        return parts[0] if len(parts) == 1 else chained(parts)

    @property
    def source_count(self) -> int | None:
        """The source's own count of the rows of the window; None where it does not say."""
        counts = [part.source_count for part in self._parts]
        return None if None in counts else sum(count or 0 for count in counts)

    def see(self, row: Mapping[str, Any]) -> datetime | None:
        """The cursor of a row that was read."""
        value = moment(row.get(self.columns[self.cursor]))
        self.saw(1, value)
        return value

    def saw(self, rows: int, largest: datetime | None) -> None:
        """Rows were read whose largest cursor is this one."""
        self.read += rows
        if largest is not None and (self.largest is None or largest > self.largest):
            self.largest = largest

    def hold(self, value: datetime | None) -> None:
        """A row with this cursor was rejected."""
        if value is not None and (self.held is None or value < self.held):
            self.held = value

    @property
    def reached(self) -> datetime | None:
        """Up to here the target has all that the source had, once every row seen is written."""
        known = [value for value in (self.largest, self.held) if value is not None]
        return min(known) if known else None

    def state(self, *, finished: bool) -> dict[str, Any]:
        """What to save with a batch, or at the end."""
        reached = self.reached if finished or self.is_ordered else self.watermark
        return {
            "watermark": reached and reached.isoformat(),
            "unfinished": not finished,
            "read": self.read,
            "until": self.until.isoformat(),
            "fields": {name: self.found[name]["type"] for name in self.columns},
            "times": self.times,
        }

    def _read(self, source: Asked, bounds: list[Condition], *, ordered: bool = False) -> Records:
        extra: dict[str, Any] = {"deleted": True} if self.reads_deleted else {}
        if ordered:
            extra["order_by"] = self.cursor
        found: Records = source.client.read(
            source.object,
            fields=list(self.columns),
            where=[*self._conditions, *bounds],
            since=source.since,
            until=source.until,
            **extra,
        )
        self._parts.append(found)
        return found.renamed(self.columns)


def moment(value: Any) -> datetime | None:
    """A cursor's value as an aware datetime; ISO text where the source gives that."""
    if value is None:
        return None
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _columns(source: Asked, found: Mapping[str, Field]) -> dict[str, str]:
    if isinstance(source.fields, Mapping):
        return dict(source.fields)
    if source.fields is not None:
        return {name: name for name in source.fields}
    return {name: name for name in source.client.read(source.object).fields if name in found}


def _shapes(
    conditions: list[Condition], since: datetime | None, until: datetime | None
) -> tuple[list[Any], dict[str, str]]:
    """The conditions without their lower bounds in time, and those bounds by their place."""
    shapes: list[Any] = [until]
    times: dict[str, str] = {}
    every: list[Condition] = [*conditions, *([("since", ">=", since)] if since else [])]
    for number, (name, op, value) in enumerate(every):
        if op in (">", ">=") and isinstance(value, date):
            times[str(number)] = value.isoformat()
            shapes.append([name, op])
        else:
            shapes.append([name, op, value])
    return shapes, times


def _covers(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Does the last run's question include this one's; lower bounds may only have moved on."""
    return set(old) == set(new) and all(new[name] >= old[name] for name in new)


def account_of(client: Any) -> list[str]:
    """Which account the client speaks to, so that practice data never counts as read for the real system."""
    if not hasattr(client, "check"):
        return []
    identity = client.check()
    return [identity.account, identity.environment]

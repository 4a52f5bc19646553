"""The audit log as a DataFrame."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from ..audit import AuditLog

__all__ = ["audit_frame"]

_FIRST = ["n", "at", "person", "actor", "event"]
_HIDDEN = ["previous", "hash", "monotonic", "session"]


def audit_frame(log: AuditLog, count: int, wanted: argparse.Namespace) -> pd.DataFrame:
    """The last `count` records that fit event, system, name, person, actor and since."""
    import pandas as pd

    since = _moment(wanted.since) if wanted.since else None
    filters = {key: getattr(wanted, key) for key in ("event", "name", "person", "actor") if getattr(wanted, key)}
    if filters or since or wanted.system:
        fitting = deque((r for r in log.records() if _fits(r, filters, wanted.system, since)), maxlen=max(count, 0))
    else:
        fitting = deque(log.tail(count))
    rows = [{key: record[key] for key in (*_FIRST, *sorted(record)) if key in record} for record in fitting]
    return pd.DataFrame(rows).drop(columns=_HIDDEN, errors="ignore").fillna("")


def _fits(record: Mapping[str, Any], filters: Mapping[str, str], system: str | None, since: datetime | None) -> bool:
    if any(record.get(key) != value for key, value in filters.items()):
        return False
    if system and system not in (record.get("system"), *_systems(record)):
        return False
    return since is None or datetime.fromisoformat(record["at"]) >= since


def _systems(record: Mapping[str, Any]) -> list[object]:
    """Every system that a record names."""
    named = list(record.get("systems") or ())
    for key in ("counts", "target", "read", "call"):
        if isinstance(entries := record.get(key), list):
            named += [entry.get("system") for entry in entries if isinstance(entry, dict)]
    return [entry[0] if isinstance(entry, list) and entry else entry for entry in named]


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f'"{text}" is no date.', "Write it like 2026-11-28, or 2026-11-28T14:00.") from exc
    return found.astimezone() if found.tzinfo is None else found

"""Of several records with one key only one may count: the newest, or else the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from .protocols import Record

__all__ = ["Once", "latest"]


class Once:
    """Lets each key pass once. `same` gives equal values for keys that the target takes for one.

    `latest` has the newest moment of each key that comes several times; where it is empty the first record counts.
    """

    def __init__(self, same: Callable[[Any], Any] = lambda value: value, *, is_unique: bool = False) -> None:
        self.same = same
        self.is_unique = is_unique  # the source can't repeat one, so none need be remembered
        self.latest: Mapping[Any, Any] = {}
        self._seen: set[Any] = set()

    def takes(self, value: Any, moment: Any = None) -> bool:
        """Is this the record that counts."""
        if self.is_unique:
            return True
        key = self.same(value)
        if key in self._seen or self._is_older(key, moment):
            return False
        self._seen.add(key)
        return True

    def awaits(self, value: Any, moment: Any) -> bool:
        """Is the record that counts for this key still to come."""
        if value is None or not self.latest:
            return False
        key = self.same(value)
        return key not in self._seen and self._is_older(key, moment)

    def counts(self, value: Any, moment: Any) -> bool:
        """Is this one of the records that a repeated key waits for."""
        return value is not None and self.same(value) in self.latest and not self._is_older(self.same(value), moment)

    def _is_older(self, key: Any, moment: Any) -> bool:
        return key in self.latest and _comparable(moment) < self.latest[key]


def latest(
    batches: Iterable[Sequence[tuple[Record, Any, bool]]],
    keys: Mapping[str, Callable[[Any], Any]],
) -> dict[str, dict[Any, Any]]:
    """The newest moment of each key that several records have, by the field that holds the key."""
    newest: dict[str, dict[Any, Any]] = {name: {} for name in keys}
    several: dict[str, set[Any]] = {name: set() for name in keys}
    for rows in batches:
        for row, moment, _ in rows:
            for name, same in keys.items():
                value = row.get(name)
                if value is None or value == "":
                    continue
                key, found = same(value), _comparable(moment)
                if key not in newest[name]:
                    newest[name][key] = found
                    continue
                several[name].add(key)
                newest[name][key] = max(newest[name][key], found)
    return {name: {key: found[key] for key in several[name]} for name, found in newest.items()}


def _comparable(moment: Any) -> str:
    """Times and days in order as text; no moment comes before all."""
    if moment is None:
        return ""
    return moment.isoformat() if isinstance(moment, date) else str(moment)

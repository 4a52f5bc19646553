"""What a client wrote without `sync`, counted by object, for the report of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .protocols import Rejected, WriteResult
from .report import report_target

__all__ = ["Tallies"]

SHOWN = 20  # differences and rejects that are reported


@dataclass
class _Tally:
    counts: Counter[str] = field(default_factory=Counter)  # add, update, unchanged, reject
    columns: dict[str, None] = field(default_factory=dict)
    differences: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)


class Tallies:
    """Counts of one client. Call `report` when it closes; a sync has reported its own part, which is taken off."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._tallies: dict[tuple[str, str, str], _Tally] = {}  # (object, operation, key)

    def count(self, obj: str, operation: str, key: str, result: WriteResult, columns: Iterable[str] = ()) -> None:
        """Add what one call did, or in a preview would do."""
        tally = self._tallies.setdefault((obj, operation, key), _Tally())
        tally.columns.update(dict.fromkeys(columns))
        tally.counts["add"] += result.inserted
        tally.counts["update"] += result.updated
        tally.counts["unchanged"] += result.unchanged
        tally.counts["reject"] += len(result.rejected)
        tally.differences += result.differences[: SHOWN - len(tally.differences)]
        tally.rejects += result.rejected[: SHOWN - len(tally.rejects)]

    def report(self) -> None:
        """Report everything counted, and begin anew."""
        for (obj, operation, key), tally in self._tallies.items():
            report_target(
                self._system,
                obj,
                operation,
                key,
                tally.counts,
                columns=list(tally.columns),
                differences=tally.differences,
                rejects=[{"record": entry.record, "reason": entry.reason} for entry in tally.rejects],
            )
        self._tallies.clear()

"""`Receipt`: what a sync did, told to the script, the log and the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .protocols import Rejected, WriteResult
from .report import report

__all__ = ["Receipt"]

KEPT_REJECTS = 100
KEPT_REASONS = 20


@dataclass
class Receipt:
    """What a sync did, or in a preview would do: read = inserted + updated + unchanged + rejected +
    duplicates + kept.

    With a cursor, the source's changes up to `watermark_after` are in the target; `watermark_before` is where it began
    (None: at the beginning).
    """

    system: str
    object: str
    key: str
    columns: list[str]
    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    duplicates: int = 0  # rows whose key another row of the run has: the newest counts, or the first
    repeated: list[Any] = field(default_factory=list)  # the first 20 of those keys
    deleted: int = 0  # of the updated: rows that got deleted_at because the source has deleted them
    source_count: int | None = None
    changes: list[str] = field(default_factory=list)  # DDL
    differences: list[dict[str, Any]] = field(default_factory=list)  # the first 20, in a preview
    rejects: list[Rejected] = field(default_factory=list)  # the first 100
    reasons: dict[str, int] = field(default_factory=dict)  # rejected rows by reason, the first 20 reasons
    newest: str = ""  # the field by which one of several rows with the same key was chosen; "" means the first
    cursor: str | None = None
    watermark_before: datetime | None = None
    watermark_after: datetime | None = None
    conflict: str = "source"  # what counts where the target's record was changed since the last run
    kept: int = 0  # rows that were not written because of that
    conflicts: list[dict[str, Any]] = field(default_factory=list)  # the first 20: key, column, old, new
    failed: str = ""  # why this target, one of several, was not finished

    @property
    def written(self) -> int:
        """Rows added or changed."""
        return self.inserted + self.updated

    def add(self, result: WriteResult) -> None:
        """Count one more batch."""
        self.inserted += result.inserted
        self.updated += result.updated
        self.unchanged += result.unchanged
        self.rejected += len(result.rejected)
        self.differences = (self.differences + result.differences)[:20]
        self.rejects += result.rejected[: KEPT_REJECTS - len(self.rejects)]
        for reject in result.rejected:
            if reject.reason in self.reasons or len(self.reasons) < KEPT_REASONS:
                self.reasons[reject.reason] = self.reasons.get(reject.reason, 0) + 1

    def reject(self, rejected: Rejected) -> None:
        """Count one row that can't be written."""
        self.add(WriteResult(rejected=[rejected]))

    def repeat(self, key: Any) -> None:
        """Count one row that another one with its key stands for."""
        self.duplicates += 1
        if len(self.repeated) < 20 and key not in self.repeated:
            self.repeated.append(key)

    def tell(self, *, stopped: bool) -> None:
        """Report it as `target`."""
        incremental = {
            "cursor": self.cursor,
            "deleted": self.deleted,
            "watermark_before": self.watermark_before and self.watermark_before.isoformat(),
            "watermark_after": self.watermark_after and self.watermark_after.isoformat(),
        }
        report(
            "target",
            system=self.system,
            object=self.object,
            operation="upsert",
            columns=self.columns,
            key=self.key,
            add=self.inserted,
            update=self.updated,
            unchanged=self.unchanged,
            reject=self.rejected,
            duplicates=self.duplicates,
            read=self.read,
            source_count=self.source_count,
            changes=self.changes,
            differences=self.differences,
            rejects=[{"record": entry.record, "reason": entry.reason} for entry in self.rejects[:20]],
            reasons=self.reasons,
            repeated=self.repeated,
            newest=self.newest,
            conflict=self.conflict,
            kept=self.kept,
            conflicts=self.conflicts,
            failed=self.failed,
            stopped=stopped,
            **(incremental if self.cursor else {}),
        )

    def __str__(self) -> str:
        text = (
            f"{self.read:,} read = {self.inserted:,} added + {self.updated:,} updated + {self.unchanged:,} unchanged"
            f" + {self.rejected:,} rejected"
        )
        if self.duplicates:
            text += f" + {self.duplicates:,} with a repeated key"
        if self.kept:
            text += f" + {self.kept:,} kept as the target has them"
        if self.deleted:
            text += f"; {self.deleted:,} of the updated are deleted in the source"
        if not self.written:
            text += "; nothing to write"
        if self.cursor:
            text += f"; {self.cursor} before {_moment(self.watermark_before)}, now {_moment(self.watermark_after)}"
        return text


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if value else "nothing"

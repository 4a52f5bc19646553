"""The words of standing approvals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import words
from .wording import system_label

if TYPE_CHECKING:
    from ..policy import Standing

__all__ = ["STANDING_COLUMNS", "standing_lines", "standing_row"]

STANDING_COLUMNS = ("id", "script", "runs", "writes to", "rows a run", "until", "approved by", "state")


def standing_lines(standing: Standing) -> list[str]:
    """What a standing approval would allow, a line each."""
    from integrator_drivers.schedule import describe

    file = Path(standing.path).name
    systems = [
        f"{system_label(name)}: {account} ({where}) as {user}" for name, account, where, user in standing.systems
    ]
    return [
        f"Standing approval of {words.clean(file)} (sha256 {words.short(standing.script_sha256)}), every byte of it",
        f"  runs {describe(standing.schedule)}, without a person",
        f"  with the rights of {words.join_words([words.clean(entry) for entry in systems])}",
        *(f"  writes {words.clean(line)}" for line in _targets(standing)),
        f"  at most {words.count(standing.max_rows, 'row')} a run, never a delete",
        f"  until {words.moment(standing.until)}; it can be revoked before",
    ]


def standing_row(standing: Standing) -> dict[str, Any]:
    """One line of the list, under STANDING_COLUMNS."""
    from integrator_drivers.schedule import describe

    state = standing.state if standing.state == "revoked" or not standing.ended else "ended"
    values = (
        standing.id,
        standing.path,
        describe(standing.schedule),
        words.join_words([f"{system_label(system)} {obj}" for system, obj, _ in standing.targets]),
        standing.max_rows,
        words.moment(standing.until),
        f"{standing.person}, {words.moment(standing.decided)}",
        state,
    )
    return dict(zip(STANDING_COLUMNS, values, strict=True))


def _targets(standing: Standing) -> list[str]:
    return [f"{system_label(system)} {obj}: {', '.join(columns)}" for system, obj, columns in standing.targets]

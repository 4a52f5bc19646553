"""A plan: everything a script needs, in technical names, with the words to explain it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .conditions import Filter
from .request import FileWish

__all__ = ["Column", "JoinStep", "Plan", "System"]


@dataclass(frozen=True)
class System:
    """A driver in a script."""

    name: str
    label: str
    module: str
    client: str
    kind: str = "saas"


@dataclass(frozen=True)
class Column:
    """A field that is read, and the column it goes to."""

    field: str
    column: str
    label: str


@dataclass(frozen=True)
class JoinStep:
    """Another object joined to what was read so far; `start` is the column on the left, `key` the one on its right."""

    object: str
    start: str
    key: str
    fields: tuple[str, ...]
    keep: str
    prefix: str
    label: str
    inner_of: int = -1  # joined to the right side of that step first


@dataclass(frozen=True)
class Plan:
    """What a script does."""

    name: str
    source: System
    object: str
    noun: str  # "leads"
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...] = ()
    window_words: str = ""
    window_filters: tuple[Filter, ...] = ()
    target: System | None = None
    table: str = ""
    key: str = ""
    key_words: str = ""
    new_table: bool = False
    added_columns: tuple[str, ...] = ()
    joins: tuple[JoinStep, ...] = ()
    files: tuple[FileWish, ...] = ()
    limit: int = 0
    cron: str | None = None
    verified: bool = True
    count: int | None = None
    measure: str = ""
    of: str = ""
    group: tuple[str, ...] = ()
    ascending: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def where(self) -> tuple[Filter, ...]:
        """All conditions, the window first."""
        return (*self.window_filters, *self.filters)

"""A plan: everything a script needs, in technical names, with the words to explain it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .conditions import Filter
from .request import FileWish

__all__ = ["Column", "JoinStep", "Plan", "Presence", "Rate", "System"]


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
    """Another object joined to what was read so far: column `start` there is `key` here."""

    object: str
    start: str
    key: str
    fields: tuple[str, ...]  # read
    keep: str
    prefix: str
    label: str
    many: bool = False  # one record can have several of these
    shown: tuple[str, ...] = ()  # wanted, of `fields`
    labels: tuple[str, ...] = ()
    through: bool = False  # joined to the step before, not to the object asked for


@dataclass(frozen=True)
class Presence:
    """Records are kept when another object has one with their value (`wanted`), or when it has none."""

    object: str
    start: str
    key: str
    wanted: bool
    label: str
    filters: tuple[Filter, ...] = ()  # only of those there


@dataclass(frozen=True)
class Rate:
    """Of a rate: when a record counts as a good one, and which groups may be ranked.

    `hit` is a Python expression over `row`; `fields` are what it needs of the object.
    """

    word: str  # "converted"
    hit: str
    words: str  # "Converted is true"
    fields: tuple[str, ...] = ()
    joins: tuple[JoinStep, ...] = ()
    minimum: int = 0
    credit: str = "each"  # where a record is in several groups: each, first, last
    touched: str = ""  # when it got into the group: a column after the joins
    happened: str = ""  # when it became a good one: a field
    happened_is_time: bool = False


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
    support: tuple[str, ...] = ()  # fields read only because joins start there
    joined: tuple[Column, ...] = ()  # what joins add
    key: str = ""
    key_words: str = ""
    new_table: bool = False
    added_columns: tuple[str, ...] = ()
    joins: tuple[JoinStep, ...] = ()
    presences: tuple[Presence, ...] = ()
    files: tuple[FileWish, ...] = ()
    limit: int = 0
    order: str = ""  # the field whose highest, or lowest, values come first
    order_is_time: bool = False
    cron: str | None = None
    verified: bool = True
    count: int | None = None
    counted: bool = False  # the count was made with the conditions; else it is the system's own, about
    measure: str = ""
    of: str = ""
    group: str = ""
    group_join: tuple[JoinStep, ...] = ()  # the group is the last one's first shown field
    group_label: str = ""
    group_unit: str = ""  # day, week, month, quarter, year: the group is the period that the date `group` falls into
    group_zoned: bool = False  # the date has a time: periods start at midnight UTC
    group_key: str = ""  # what tells groups of the same name apart, a column after the joins
    bands: bool = False  # the group is a number, taken in bands: 10 to 99
    rate: Rate | None = None
    factors: tuple[str, ...] = ()  # what is summed is their product: quantity and price
    per_join: tuple[JoinStep, ...] = ()
    per: str = ""  # divided by how many different values this column has
    per_label: str = ""
    shares: bool = False
    compare_filters: tuple[Filter, ...] = ()
    compare_words: tuple[str, ...] = ()  # the two periods
    best: bool = False
    ascending: bool = False
    notes: tuple[str, ...] = field(default=())
    more: tuple[Plan, ...] = ()  # the same records to further targets, each with its own columns and key
    id_as: str = ""  # what the id that this target gives is called in targets further down
    newest: str = ""  # of records with one key the one counts that has the newest of this field
    cursor: str = ""  # reads only what changed since the last run, by this field
    marks_deleted: bool = False  # then what the source has deleted is marked in tables

    @property
    def everywhere(self) -> tuple[Plan, ...]:
        """A plan for each target, in order; none for a script that only reads."""
        return (self, *self.more) if self.target else ()

    @property
    def plain(self) -> bool:
        """True when records go to the target just as they are read."""
        return not (self.joins or self.presences or self.limit)

    @property
    def where(self) -> tuple[Filter, ...]:
        """All conditions, the window first."""
        return (*self.window_filters, *self.filters)

"""What a SOQL query is made of, after parsing. Positions are offsets into the query text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

__all__ = [
    "And",
    "Comparison",
    "Condition",
    "DateRange",
    "Expression",
    "Fields",
    "Function",
    "Literal_",
    "Membership",
    "Not",
    "Or",
    "Order",
    "Path",
    "Query",
    "Selected",
    "SubSelect",
    "TypeOf",
]


@dataclass(frozen=True)
class Path:
    """A field, or a field of a parent: Campaign.Name."""

    names: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True)
class Function:
    """COUNT(Id), CALENDAR_MONTH(CreatedDate), toLabel(Status). COUNT() has no argument."""

    name: str  # upper case
    argument: Path | None
    position: int
    in_user_zone: bool = False  # the argument stands in convertTimezone()


Expression = Path | Function


@dataclass(frozen=True)
class Fields:
    """FIELDS(ALL), FIELDS(STANDARD), FIELDS(CUSTOM)."""

    group: Literal["ALL", "STANDARD", "CUSTOM"]
    position: int


@dataclass(frozen=True)
class Selected:
    """One item of the SELECT list."""

    what: Expression
    alias: str | None = None


@dataclass(frozen=True)
class SubSelect:
    """(SELECT ... FROM CampaignMembers) in the SELECT list."""

    query: Query


@dataclass(frozen=True)
class TypeOf:
    """TYPEOF Owner WHEN User THEN Name, Email ELSE Id END in the SELECT list."""

    path: Path
    cases: tuple[tuple[str, int, tuple[Path, ...]], ...]  # object, its position, fields
    otherwise: tuple[Path, ...]


@dataclass(frozen=True)
class DateRange:
    """A relative date such as LAST_N_DAYS:30."""

    name: str  # upper case
    n: int | None


@dataclass(frozen=True)
class Literal_:
    """A value in a condition."""

    value: str | int | float | bool | date | datetime | DateRange | None
    kind: Literal["string", "number", "boolean", "date", "datetime", "range", "null"]
    position: int
    raw: str = ""  # a string as it was written, without its quotes: LIKE needs to know what was escaped


@dataclass(frozen=True)
class Comparison:
    left: Expression
    op: str  # = != < <= > >= LIKE
    right: Literal_
    position: int  # of the operator


@dataclass(frozen=True)
class Membership:
    """IN, NOT IN, INCLUDES, EXCLUDES; of a list or of a query."""

    left: Expression
    op: str
    values: tuple[Literal_, ...] | Query
    position: int


@dataclass(frozen=True)
class Not:
    inner: Condition


@dataclass(frozen=True)
class And:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Not | And | Or


@dataclass(frozen=True)
class Order:
    by: Expression
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Query:
    """A whole SELECT."""

    text: str
    selected: tuple[Selected | SubSelect | Fields | TypeOf, ...]
    source: str  # object, or child relationship in a sub-select
    source_position: int
    alias: str | None = None
    where: Condition | None = None
    group_by: tuple[Expression, ...] = ()
    subtotals: Literal["", "ROLLUP", "CUBE"] = ""
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0

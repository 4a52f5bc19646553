"""What a request asks for, as far as its sentence says: systems, object, fields, filters, files, schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .conditions import Filter
from .schedules import Schedule
from .windows import Window

__all__ = ["FileWish", "Goal", "Kind", "Request"]

Kind = Literal["copy", "show", "question", "delete", "help", "unknown"]


@dataclass(frozen=True)
class FileWish:
    """A file to write. `format` is csv, json, jsonl, parquet, excel or "" when it was not said."""

    format: str
    name: str = ""


@dataclass(frozen=True)
class Goal:
    """A further place to write to; empty where nothing was said."""

    system: str
    table: str = ""
    subject: str = ""  # "contacts" in "to HubSpot contacts"
    key: str = ""


@dataclass(frozen=True)
class Request:
    """One wish in the words of the user; empty where nothing was said."""

    text: str = ""
    kind: Kind = "unknown"
    source: str = ""  # a driver's name, or lexicon.ANY_SQL
    target: str = ""
    unknown_system: str = ""  # a name after from/to/into that no driver answers to
    unknown_role: str = ""
    files: tuple[FileWish, ...] = ()
    subject: str = ""  # "leads"
    others: tuple[str, ...] = ()  # further objects named beside it
    target_subject: str = ""  # "contacts" in "customers to HubSpot contacts"
    adjectives: tuple[str, ...] = ()  # words before it: "open", "converted"
    fields: tuple[str, ...] = ()  # phrases: "how they got to us"
    withs: tuple[str, ...] = ()  # phrases after "with": fields, joins or conditions
    everything: bool = False
    exact: bool = False  # `fields` and `renames` are technical names, taken from a script
    filters: tuple[Filter, ...] = ()  # conditions taken from a script
    window: Window | None = None
    conditions: tuple[str, ...] = ()  # phrases: "status is Open"
    limit: int = 0
    order: str = ""  # top 10 by: "amount"
    ascending: bool = False
    table: str = ""
    source_table: str = ""
    key: str = ""
    schedule: Schedule | None = None
    measure: str = ""  # of a question: count, sum, average, highest, lowest
    of: str = ""  # what is summed: "amount"
    group: str = ""  # per what: "source"
    outcome: str = ""  # of a rate: what the counted ones did, "converted"; "good" where only quality was said
    decided: bool = False  # of a rate: only of those where it is settled: won of closed ones
    per: str = ""  # revenue per "customer": divided by how many different ones there are
    shares: bool = False  # counts also in percent of all
    compare: Window | None = None  # a second period to hold the first against
    lacks_window: bool = False  # "without orders since March": the time is said of what is absent
    best: bool = False  # which group has the most: ranked by the result even where groups are times
    name: str = ""  # of the script
    added: tuple[str, ...] = ()  # field phrases asked for later
    rest: tuple[str, ...] = ()  # words that no part above took
    unanswered: str = ""  # a second question in the same sentence
    drops: tuple[str, ...] = ()  # field phrases left out
    goals: tuple[Goal, ...] = ()  # the second and further targets
    changes_only: bool = False  # each run reads only what changed since the one before
    renames: tuple[tuple[str, str], ...] = field(default=())  # field or column phrase -> column

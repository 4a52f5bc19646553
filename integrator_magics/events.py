"""What happens in a dialog, as typed values: the session emits them, the user interface shows them.

Plain data only: each can be turned into JSON and back (`to_json`, `from_json`), so that a dialog survives a kernel
restart and a saved notebook reads as a report. Text from outside systems is text; whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

__all__ = [
    "Answered",
    "Asked",
    "Decided",
    "Ended",
    "Event",
    "Explained",
    "Failed",
    "Mapped",
    "MappedField",
    "Opened",
    "Option",
    "Previewed",
    "Progress",
    "Ran",
    "Said",
    "Step",
    "Table",
    "TargetCounts",
    "Usage",
    "Wrote",
    "from_json",
    "to_json",
]


@dataclass(frozen=True)
class Table:
    """Rows to show as a DataFrame. `count` is the whole number of rows, of which `rows` may be the first."""

    name: str  # "salesforce.Lead"
    columns: list[str]
    rows: list[dict[str, Any]]
    count: int
    chart: str = ""  # the column of numbers to draw as bars, labelled by the first column


@dataclass(frozen=True)
class Option:
    """One answer offered as a button."""

    label: str
    hint: str = ""


@dataclass(frozen=True)
class TargetCounts:
    """What a script would do, or did, to one object of one system."""

    system: str
    object: str
    columns: list[str] = field(default_factory=list)
    key: str = ""
    operation: str = "upsert"
    add: int = 0
    update: int = 0
    unchanged: int = 0
    reject: int = 0
    read: int = 0
    source_count: int | None = None
    changes: list[str] = field(default_factory=list)  # DDL
    differences: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0  # rows whose key another row has; the newest counts, or the first
    repeated: list[Any] = field(default_factory=list)  # the first of those keys
    newest: str = ""  # the field that tells the newest
    reasons: dict[str, int] = field(default_factory=dict)  # rejected rows by reason
    deleted: int = 0  # of the updated: marked, since the source has deleted them
    cursor: str = ""  # with a resume point: the field it is in, and where the run began and ended
    watermark_before: str | None = None
    watermark_after: str | None = None
    conflict: str = "source"  # what counts where the target's record was changed since the last run
    kept: int = 0  # rows that are not written because of that
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    failed: str = ""  # why this target was not finished
    environment: str = ""  # which database or organisation, as the system calls it


@dataclass(frozen=True)
class MappedField:
    """One line of a mapping: a field of the source, and the column of the target that gets it."""

    field: str
    column: str
    label: str = ""
    type: str = ""
    is_key: bool = False


@dataclass(frozen=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True)
class Opened(Event):
    """A dialog started or went on. `mode` is the model's name or "guided mode, no model key"."""

    prompt: str
    mode: str
    sandbox: str


@dataclass(frozen=True)
class Said(Event):
    """Words of the agent; `partial` while it is still streaming (each partial replaces the one before)."""

    text: str
    partial: bool = False


@dataclass(frozen=True)
class Step(Event):
    """One thing done or under way: `v Salesforce  practice system, connected  0.2 s`. Same `id` = same card."""

    id: str
    title: str
    detail: str = ""
    state: str = "done"  # running, done, failed
    seconds: float | None = None
    tables: list[Table] = field(default_factory=list)
    code: str = ""


@dataclass(frozen=True)
class Asked(Event):
    """A question waits for the user."""

    question: str
    options: list[Option] = field(default_factory=list)
    free_text: bool = True


@dataclass(frozen=True)
class Answered(Event):
    """What the user answered. `unasked`: a wish of theirs, no answer to a question."""

    text: str
    unasked: bool = False


@dataclass(frozen=True)
class Wrote(Event):
    """A script version. `diff` is a unified diff against the version before, "" for the first."""

    name: str
    code: str
    sha256: str
    version: int
    explanation: str = ""
    diff: str = ""


@dataclass(frozen=True)
class Mapped(Event):
    """What goes where in one sync of a script: a table that can be edited, which changes the script."""

    name: str  # of the script
    source: str  # "Salesforce Lead"
    target: str  # "PostgreSQL leads"
    fields: list[MappedField]
    more: list[str] = field(default_factory=list)  # fields of the source that are not taken


@dataclass(frozen=True)
class Explained(Event):
    """The plan in business words: what the script will do, a line each; next run times when it has a schedule."""

    name: str
    lines: list[str]
    next_runs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Previewed(Event):
    """A read-only run ended. `code` is what `%approve NAME CODE` needs; "" when no approval is needed."""

    name: str
    sha256: str
    targets: list[TargetCounts]
    tables: list[Table]
    files: list[dict[str, Any]]  # path, rows, bytes
    seconds: float
    sandbox: str
    writes: bool  # False: a script that only reads; the question is "Does this look right?"
    needs_decision: bool
    code: str = ""
    practice: bool = False
    expires: str = ""  # ISO time
    systems: list[str] = field(default_factory=list)  # with whose rights: "PostgreSQL: demo (local) as integrator"
    script: str = ""  # the text that would run
    first: int = 0  # so many rows can be written before the rest; 0: all or nothing
    rest: bool = False  # the first rows are written already; this is about the others
    answers: list[str] = field(default_factory=list)  # sentences and single values that the script showed


@dataclass(frozen=True)
class Decided(Event):
    """A person approved or rejected."""

    name: str
    approved: bool
    person: str
    at: str
    reason: str = ""
    first: int = 0  # approved are so many rows, to look at


@dataclass(frozen=True)
class Progress(Event):
    """Long work under way. `total` None = not known."""

    label: str
    done: int
    total: int | None
    rate: float | None = None  # rows per second


@dataclass(frozen=True)
class Ran(Event):
    """The receipt of an apply run."""

    name: str
    targets: list[TargetCounts]
    tables: list[Table]
    files: list[dict[str, Any]]
    seconds: float
    approved_by: str
    approved_at: str
    audit_record: int
    audit_whole: bool
    notes: list[str] = field(default_factory=list)  # what could not be kept: output cut, a file not saved
    answers: list[str] = field(default_factory=list)  # sentences and single values that the script showed


@dataclass(frozen=True)
class Failed(Event):
    """What happened, what it means for the data, what to do next."""

    what: str
    meaning: str = ""
    next: str = ""
    options: list[Option] = field(default_factory=list)
    detail: str = ""


@dataclass(frozen=True)
class Usage(Event):
    """Tokens and money of this dialog so far; `usd` is None where the price is not known."""

    input_tokens: int
    output_tokens: int
    usd: float | None
    ceiling: float


@dataclass(frozen=True)
class Ended(Event):
    """The dialog is done for now, or was cancelled."""

    state: str = "done"  # done, cancelled, failed
    text: str = ""


_EVENTS = {cls.__name__: cls for cls in Event.__subclasses__()}
_NESTED: Mapping[str, type] = {"tables": Table, "targets": TargetCounts, "options": Option, "fields": MappedField}


def to_json(event: Event) -> dict[str, Any]:
    """The event as JSON-ready data, with its name under "event"."""
    return {"event": type(event).__name__, **asdict(event)}


def from_json(data: Mapping[str, Any]) -> Event:
    """The event that `to_json` wrote; keys a newer version added are ignored."""
    cls = _EVENTS[data["event"]]
    known = {entry.name for entry in fields(cls)}
    values = {key: value for key, value in data.items() if key in known}
    for key, kind in _NESTED.items():
        if key in values:
            values[key] = [kind(**entry) for entry in values[key]]
    event: Event = cls(**values)
    return event

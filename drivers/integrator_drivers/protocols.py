"""The contract between a driver and everything that uses one. Implementers need not inherit."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, Required, TypedDict, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from .records import Records

__all__ = [
    "BulkWriter",
    "Condition",
    "Driver",
    "Field",
    "FieldType",
    "Identity",
    "Load",
    "Marks",
    "Messenger",
    "ObjectInfo",
    "Reader",
    "Record",
    "Rejected",
    "StateKeeper",
    "TableWriter",
    "WriteResult",
    "Writer",
]

Record = dict[str, Any]
FieldType = Literal["text", "integer", "number", "boolean", "date", "datetime", "json", "reference", "binary"]
# op is one of = != < <= > >= in "not in" "is null" "not null" contains; the value is ignored for the null tests
Condition = tuple[str, str, Any]


class Field(TypedDict, total=False):
    """One field of an object, in the words every driver shares."""

    type: Required[FieldType]
    native_type: Required[str]
    nullable: Required[bool]
    label: str
    help: str
    primary_key: bool
    references: list[str]  # objects this field points to
    choices: list[str]
    writable: bool
    personal: bool  # holds data about a person: masked towards the model
    length: int  # characters, for text
    default: str
    compound: str  # name of the compound field this is a part of, or its own name when it is the compound


class Identity(NamedTuple):
    """Who we are at the system, after a live check."""

    account: str
    environment: str  # "production", "sandbox", "practice", a database name ...
    user: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ObjectInfo:
    """One line of `%discover SYSTEM`. Counts are None where the system does not give them cheaply."""

    name: str
    label: str
    purpose: str = ""
    records: int | None = None
    fields: int | None = None


@dataclass(frozen=True)
class Rejected:
    """A record the target did not take, and why."""

    record: Record
    reason: str


@dataclass
class WriteResult:
    """What a write did; in preview mode, what it would do."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)  # the first 20: key, column, old, new; in a preview

    def __iadd__(self, other: WriteResult) -> WriteResult:
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        self.differences = (self.differences + other.differences)[:20]
        return self


@runtime_checkable
class Driver(Protocol):
    """Every driver: what is there, and who am I. Usable as a context manager. Has no delete method."""

    def list_objects(self) -> list[str]: ...
    def get_fields(self, obj: str) -> dict[str, Field]:
        """Fields by name, in the system's order. Raises ObjectNotFoundError with near matches."""

    def check(self) -> Identity:
        """A live login. Raises AuthError or ConnectionError in one sentence."""

    def close(self) -> None: ...


@runtime_checkable
class Reader(Protocol):
    """Reads records lazily."""

    def read(
        self,
        obj: str,
        fields: Sequence[str] | None = None,
        where: Iterable[Condition] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Records:
        """Records of one object. `since` is inclusive, `until` exclusive, both on the driver's cursor field.

        Optional keywords, which `sync` uses where the signature has them: `order_by` (a field, ascending) lets an
        incremental sync go on where it stopped, `deleted` (bool) adds records that the source has deleted, marked by
        its field IsDeleted.

        Raises ValidationError naming the driver's native query where the question can't be asked this way.
        """


@runtime_checkable
class Writer(Protocol):
    """Writes records. Each call obeys the run mode: refused in discovery, compared and counted in preview."""

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult: ...
    def update(self, obj: str, records: Iterable[Record], key: str) -> WriteResult: ...
    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult: ...
    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        """Records whose `key` is one of `values`, by key value; what a preview compares with."""


@runtime_checkable
class TableWriter(Writer, Protocol):
    """A writer whose objects are tables it may create or widen."""

    def table_changes(self, obj: str, fields: Mapping[str, Field], key: str) -> list[str]:
        """The DDL that would make `obj` able to hold these fields; empty when it already is. Never drops."""

    def change_table(self, obj: str, fields: Mapping[str, Field], key: str) -> list[str]:
        """Run that DDL in one transaction and return it."""


@runtime_checkable
class StateKeeper(Protocol):
    """A table writer that keeps the resume point of a sync itself, in the transaction of the rows."""

    def prepare_state(self, obj: str) -> list[str]:
        """Make the place for it beside `obj`; the DDL, empty where it is there. In a preview only told."""

    def load_state(self, obj: str, sync_id: str) -> dict[str, Any] | None:
        """What was saved last (JSON); None before the first time."""

    def save_state(self, obj: str, sync_id: str, state: Mapping[str, Any]) -> None:
        """Replace it. Does nothing in a preview."""

    def together(self) -> AbstractContextManager[None]:
        """What is written inside is one transaction: all of it or, after an error, none."""


@dataclass(frozen=True)
class Marks:
    """Columns of a batch that say more about a row than its values, where a sync has a cursor."""

    cursor: str | None = None  # the moment of the row's last change
    flag: str | None = None  # true: the source has deleted it, so nothing of the row is written
    unwritten: tuple[str, ...] = ()  # those of the two that are no columns of the target
    cleared: str | None = None  # a column of the target, not of the batch, that gets no value


class Load(Protocol):
    """One batch in a transaction that is open. Everything the client does before `commit` belongs to it."""

    chunk: Any  # as it was given
    result: WriteResult | None  # None: refused as a whole, nothing of it is written, look at each row
    gone: list[Record]  # rows with the flag: their key and cursor
    largest: datetime | None  # the largest cursor

    def commit(self) -> None: ...


@runtime_checkable
class BulkWriter(StateKeeper, Protocol):
    """A target that takes batches as they come, without a look at each row, and works at several at a time."""

    def takes(self, obj: str, fields: Mapping[str, Field], key: str, marks: Marks, *, csv: bool) -> bool:
        """Can batches of these fields be loaded, as CSV or as rows."""

    def load(
        self, obj: str, fields: Mapping[str, Field], key: str, marks: Marks, chunks: Iterable[Any]
    ) -> Generator[Load, None, None]:
        """Upsert batches in their order (see `paging.Chunk`). Each load is committed before the next is asked for.

        None among the chunks: the next one is not there yet, and one that is written can be handed out.
        """


@runtime_checkable
class Messenger(Protocol):
    """Sends messages to people."""

    def send(self, to: str, message: Mapping[str, Any], *, idempotency_key: str) -> WriteResult: ...

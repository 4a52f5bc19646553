"""One source, several targets: each batch goes to one after the other, so that the ids one gives reach the next.

What one target refuses, or its failure, keeps nothing from the others. An id that is not known yet is left out of the
row, so that it never replaces a known one; it comes with the run in which the giving target takes the record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from . import mode, transfer
from .conflicts import Conflict, Ledger, check_policy
from .errors import DriverError, FieldNotFoundError, ReadOnlyError, RowLimitError, ValidationError, near_matches
from .incremental import CURSOR, DELETED, FLAG, Window
from .newest import Once, latest
from .parts import DELETED_AT, Part
from .places import Source, Target, label_of, system_of
from .progress import Progress
from .protocols import Field, Record, Rejected, TableWriter
from .receipt import Receipt
from .records import Records
from .resuming import Resume

__all__ = ["spread"]

logger = logging.getLogger("integrator")

BATCH = 2_000  # rows; most targets here take some hundred a call


_Row = tuple[Record, Any, bool]  # under the source's names; its moment; has the source deleted it


@dataclass
class _Leg:
    """One target of the run."""

    target: Target
    columns: dict[str, str]  # source field, or id of an earlier target -> column
    receipt: Receipt
    once: Once
    resume: Resume | None = None
    ledger: Ledger | None = None
    reads_deleted: bool = False
    id_field: str = ""  # "" where nobody needs its ids
    stands_in: Callable[[int], Any] = "(new {})".format  # for an id that a preview can't know yet
    _stand_ins: dict[Any, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{label_of(self.receipt.system)} {self.target.object}"

    @property
    def key_name(self) -> str:
        """What the source calls the key."""
        return next(name for name, column in self.columns.items() if column == self.target.key)

    def take(self, batch: Sequence[_Row], *, is_whole: bool) -> None:
        """Write one batch, in a preview compare it, and note the target's ids in its rows.

        `is_whole` says that no row read before waits for a later batch, so the resume point may move.
        """
        rows: list[Record] = []
        moments: dict[Any, Any] = {}
        givers: list[tuple[Any, Record]] = []  # key and row, of those that may get an id
        for raw, moment, is_gone in batch:
            self.receipt.read += 1
            if is_gone and not self.reads_deleted:  # nothing is ever deleted, and there is no place to mark it
                self._pass(raw)
                self.receipt.unchanged += 1
                continue
            value = raw.get(self.key_name)
            row = {column: raw[name] for name, column in self.columns.items() if name in raw}
            if value is None or value == "":
                self._pass(raw)  # it gets a key only by a change, and then it is read again
                self.receipt.reject(Rejected(row, f"no value in the key {self.target.key}"))
                continue
            givers.append((value, raw))
            if self.once.takes(value, moment):
                moments[value] = moment
                rows.append(row | self._marks(raw))
            else:
                self._pass(raw)
                self.receipt.repeat(value)
        refused = self._write(rows, moments, is_whole=is_whole) if rows else set()
        if self.id_field and givers:
            self._note_ids([entry for entry in givers if self.once.same(entry[0]) not in refused])

    def _marks(self, raw: Record) -> Record:
        """The cursor and the flag of deletion, under the names that the window knows them by."""
        if self.resume is None:
            return {}
        columns = self.resume.window.columns
        return {column: raw[name] for name, column in columns.items() if column in (CURSOR, DELETED)}

    def _pass(self, raw: Record) -> None:
        """A row that is not written has been seen all the same."""
        if self.resume is not None:
            window = self.resume.window
            window.see({column: raw[name] for name, column in window.columns.items()})

    def _write(self, rows: list[Record], moments: Mapping[Any, Any], *, is_whole: bool) -> set[Any]:
        """The keys of the rows that were refused."""
        client, obj, key = self.target.client, self.target.object, self.target.key
        window = self.resume.window if self.resume else None
        part = Part.of(rows, key, None, window)
        part.forget_unknown(client, obj, key)
        kept = len(part.fresh)
        if self.ledger is not None:
            part.fresh = self.ledger.sift(part.fresh, moments)
        kept -= len(part.fresh)
        if part.size:
            transfer.require_room(self.target, part, key)
            with nullcontext() if self.resume is None else self.resume.together():
                done = part.write(client, obj, key)
                if self.resume is not None:
                    part.hold(self.resume.window, done.rejected, key)
                    if is_whole:
                        self.resume.save(finished=False)
            transfer.count_written(done)
            part.result += done
        self.receipt.add(part.result)
        self.receipt.deleted += part.deleted
        self.receipt.kept += kept
        counted = part.result.inserted + part.result.updated + part.result.unchanged + len(part.result.rejected) + kept
        if counted != len(rows):
            raise DriverError(
                f"{self.name} accounted for {counted:,} of {len(rows):,} rows; the rest is in an unknown state. "
                "Run again: known rows are recognised by their key."
            )
        if self.ledger is not None:
            self.receipt.conflicts = self.ledger.found
            self.ledger.note(part.fresh)
        return {self.once.same(reject.record.get(key)) for reject in part.result.rejected}

    def _note_ids(self, givers: list[tuple[Any, Record]]) -> None:
        """Look the records up by key; what a preview can't find will be there after the run, under a stand-in."""
        client, obj = self.target.client, self.target.object
        values = list(dict.fromkeys(value for value, _ in givers))
        known: Mapping[Any, Record] = client.lookup(obj, self.target.key, values, [self.id_field]) if values else {}
        for value, raw in givers:
            if value in known:
                raw[self.target.id_as] = known[value][self.id_field]
            elif mode.current_mode() is mode.Mode.PREVIEW:
                same = self.once.same(value)
                number = len(self._stand_ins) + 1
                raw[self.target.id_as] = self._stand_ins.setdefault(same, self.stands_in(number))

    def finish(self) -> None:
        """After the last batch."""
        if self.ledger is not None:
            self.ledger.save()
        if self.resume is not None:
            self.resume.save(finished=True)
            self.receipt.watermark_after = self.resume.window.reached


@dataclass
class _Reading:
    """The rows of the source under its own field names."""

    records: Records
    found: Records | Window  # knows the source's own count
    moment: str = ""  # the field that tells which of two records is newer
    flag: str = ""

    def batches(self) -> Iterator[list[_Row]]:
        for batch in self.records.batches(BATCH):
            yield [(row, row.get(self.moment), bool(row.get(self.flag))) for row in batch]


def spread(
    source: Source | Records,
    targets: Sequence[Target],
    cursor: str | None = None,
    newest: str | None = None,
    conflict: Conflict = "source",
) -> list[Receipt]:
    """As `sync`, for several targets; a receipt for each. Raises DriverError at the end where one was not finished."""
    for target in targets:
        mode.require_writable(system_of(target.client), target.object)
    newest = newest or cursor
    check_policy(conflict, has_times=bool(newest) and all(target.changed for target in targets))
    ids = _ids(targets)
    names = _fields_needed(source, targets, ids)
    resumes = [_resume(source, target, ids, cursor) for target in targets]
    reading = _read(source, names, resumes, cursor, newest)
    legs = _legs(source, targets, ids, reading, resumes, cursor, newest)
    if conflict != "source":
        _keep_ledgers(source, legs, conflict)
    if newest:
        _find_latest(source, legs, resumes, cursor, newest)
    try:
        _travel(reading, legs)
    except BaseException:
        for leg in legs:
            leg.receipt.tell(stopped=True)
        raise
    for leg in legs:
        leg.receipt.tell(stopped=bool(leg.receipt.failed))
        logger.info("%s: %s", leg.receipt.object, leg.receipt)
    _say_failures(legs)
    return [leg.receipt for leg in legs]


def _travel(reading: _Reading, legs: Sequence[_Leg]) -> None:
    label = ", ".join(f"{leg.receipt.system}.{leg.target.object}" for leg in legs)
    done, progress = 0, Progress(label)
    waiting: list[_Row] = []  # records whose id comes with a newer one of the same key
    for read in reading.batches():
        batch, waiting = _apart([*waiting, *read], [leg for leg in legs if leg.id_field])
        for leg in legs:
            leg.receipt.source_count = reading.found.source_count
        _give(batch, legs, is_whole=not waiting)
        if all(leg.receipt.failed for leg in legs):
            break
        done += len(read)
        progress.at(done, reading.found.source_count)
    if waiting:  # the record they waited for is gone meanwhile
        _give(waiting, legs, is_whole=True)
    progress.at(done, done, last=True)
    for leg in legs:
        leg.receipt.source_count = reading.found.source_count
        if not leg.receipt.failed:
            leg.finish()


def _give(batch: Sequence[_Row], legs: Sequence[_Leg], *, is_whole: bool) -> None:
    """One batch to all targets that did not fail."""
    for leg in legs:
        if leg.receipt.failed:
            continue
        try:
            leg.take(batch, is_whole=is_whole)
        except (RowLimitError, ReadOnlyError):
            raise
        except DriverError as exc:
            if mode.current_mode() is not mode.Mode.APPLY or len(legs) == 1:
                raise
            leg.receipt.failed = str(exc)


def _apart(rows: list[_Row], givers: Sequence[_Leg]) -> tuple[list[_Row], list[_Row]]:
    """Rows to write now, and those that wait for the record that counts for their key."""
    late = [leg for leg in givers if leg.once.latest]
    if not late:
        return rows, []
    coming = [
        {leg.once.same(row[leg.key_name]) for row, moment, _ in rows if leg.once.counts(row[leg.key_name], moment)}
        for leg in late
    ]

    def waits(row: Record, moment: Any) -> bool:
        return any(
            leg.once.awaits(row[leg.key_name], moment) and leg.once.same(row[leg.key_name]) not in here
            for leg, here in zip(late, coming, strict=True)
        )

    waiting = [entry for entry in rows if waits(entry[0], entry[1])]
    left = {id(entry) for entry in waiting}
    return [entry for entry in rows if id(entry) not in left], waiting


def _say_failures(legs: Sequence[_Leg]) -> None:
    failed = [leg for leg in legs if leg.receipt.failed]
    if not failed:
        return
    said = " ".join(f"{leg.name} was not finished: {leg.receipt.failed}" for leg in failed)
    kept = [f"{leg.name} is up to date ({leg.receipt.written:,} rows written)." for leg in legs if leg not in failed]
    raise DriverError(f"{said} {' '.join(kept)} Run again: it goes on with what is missing.".replace("  ", " "))


def _ids(targets: Sequence[Target]) -> dict[str, Target]:
    """The targets that give ids, by the name these have."""
    found: dict[str, Target] = {}
    for target in targets:
        if not target.key or target.fields is None:
            raise ValidationError(
                f'With several targets each one says its own: Target(client, "{target.object}", {{"Email": "email"}}, '
                'key="email").'
            )
        if target.id_as in found:
            raise ValidationError(f'Two targets give their ids as "{target.id_as}"; name them apart.')
        if target.id_as:
            found[target.id_as] = target
    return found


def _columns(target: Target) -> dict[str, str]:
    fields = target.fields or ()
    return dict(fields) if isinstance(fields, Mapping) else {name: name for name in fields}


def _fields_needed(source: Source | Records, targets: Sequence[Target], ids: Mapping[str, Target]) -> list[str]:
    """What the targets take of the source, once each."""
    if isinstance(source, Source) and isinstance(source.fields, Mapping):
        raise ValidationError("With several targets the columns are named in each Target, not in the Source.")
    given: dict[str, None] = {}
    for place, target in enumerate(targets):
        columns = _columns(target)
        for name in columns:
            if name not in ids:
                given.setdefault(name)
            elif ids[name] not in targets[:place]:
                raise ValidationError(f"{name} is the id that {ids[name].object} gives; name that target before.")
        if target.key not in columns.values():
            raise FieldNotFoundError(
                f'The key "{target.key}" is not among the columns {", ".join(columns.values())} of {target.object}.',
                near_matches(target.key, columns.values()),
            )
        key_name = next(name for name, column in columns.items() if column == target.key)
        if key_name in ids:
            raise ValidationError(f"{target.key} of {target.object} is an id that is given on the way: no key yet.")
    return list(given)


def _resume(source: Source | Records, target: Target, ids: Mapping[str, Target], cursor: str | None) -> Resume | None:
    if cursor is None:
        return None
    if isinstance(source, Records):
        raise ValidationError("Records, such as a join gives, have no cursor. Give sync a Source, or leave cursor out.")
    own = {name: column for name, column in _columns(target).items() if name not in ids}
    asked = replace(source, fields=own)
    return Resume.of(asked, target.client, target.object, system_of(target.client), target.key, cursor)


def _read(
    source: Source | Records,
    names: Sequence[str],
    resumes: Sequence[Resume | None],
    cursor: str | None,
    newest: str | None,
) -> _Reading:
    if isinstance(source, Records):
        kept = {name: name for name in [*names, *([newest] if newest else [])]}
        return _Reading(source.renamed(kept), source, newest or "")
    wanted = list(dict.fromkeys([*names, *([newest] if newest else [])]))
    asked = replace(source, fields=wanted)
    if cursor is None:
        found = asked.read()
        return _Reading(found, found, newest or "")
    with_deleted = any(resume.window.reads_deleted for resume in resumes if resume is not None)
    if with_deleted and FLAG not in wanted:
        asked = replace(asked, fields=[*wanted, FLAG])
    window = _window(asked, resumes, cursor, with_deleted=with_deleted)
    return _Reading(window.records(asked), window, newest or "", FLAG if with_deleted else "")


def _window(asked: Source, resumes: Sequence[Resume | None], cursor: str, *, with_deleted: bool) -> Window:
    """What has to be read so that every target gets what it lacks: from the earliest of their watermarks."""
    windows = [resume.window for resume in resumes if resume is not None]
    window = Window.of(asked, "", "", cursor, takes_deleted=with_deleted)
    reached = [entry.watermark for entry in windows]
    window.watermark = None if None in reached else min(entry for entry in reached if entry is not None)
    return window


def _find_latest(
    source: Source | Records, legs: Sequence[_Leg], resumes: Sequence[Resume | None], cursor: str | None, newest: str
) -> None:
    """Go through the keys once beforehand, so that of several records with one key the newest is known."""
    keyed = [leg for leg in legs if not leg.once.is_unique]
    if not keyed:
        return
    names = list(dict.fromkeys(leg.key_name for leg in keyed))
    reading = _read(source, names, resumes, cursor, newest)
    found = latest(reading.batches(), {leg.key_name: leg.once.same for leg in keyed})
    for leg in keyed:
        leg.once.latest = found[leg.key_name]


def _legs(
    source: Source | Records,
    targets: Sequence[Target],
    ids: Mapping[str, Target],
    reading: _Reading,
    resumes: Sequence[Resume | None],
    cursor: str | None,
    newest: str | None,
) -> list[_Leg]:
    known: dict[str, Field] = dict(reading.records.fields)
    used = {name for target in targets for name in _columns(target) if name in ids}
    legs: list[_Leg] = []
    for target, resume in zip(targets, resumes, strict=True):
        columns = _columns(target)
        fields = {column: known[name] for name, column in columns.items()}
        if fields[target.key]["type"] == "json":
            raise ValidationError(f"{target.key} holds JSON, which can't be the key.")
        leg = _Leg(target, columns, Receipt(system_of(target.client), target.object, target.key, list(fields)), Once())
        leg.resume, leg.receipt.newest = resume, newest or ""
        if resume is not None:
            leg.reads_deleted = resume.window.reads_deleted
            leg.receipt.cursor = cursor
            leg.receipt.watermark_before = leg.receipt.watermark_after = resume.window.watermark
        if leg.reads_deleted:
            fields.setdefault(DELETED_AT, {"type": "datetime", "native_type": "datetime", "nullable": True})
        if any(name in ids for name in columns):
            _choose_stand_ins(target, columns, legs)
        if isinstance(target.client, TableWriter):
            leg.receipt.changes = target.client.change_table(target.object, fields, target.key)
        if resume is not None:
            leg.receipt.changes += [change for change in resume.prepare() if change not in leg.receipt.changes]
        leg.once = Once(_sameness(target), is_unique=_is_unique(source, leg, known))
        if target.id_as in used:
            leg.id_field, known[target.id_as] = _id_of(target)
        legs.append(leg)
    return legs


def _keep_ledgers(source: Source | Records, legs: Sequence[_Leg], conflict: Conflict) -> None:
    for leg in legs:
        target, start = leg.target, source.object if isinstance(source, Source) else source.obj or "records"
        identity = f"{start} -> {leg.receipt.system}.{target.object} by {target.key}"
        leg.receipt.conflict = conflict
        columns = [column for column in leg.columns.values() if column != target.key]
        leg.ledger = Ledger(conflict, target.client, target.object, target.key, columns, target.changed, identity)
        leg.receipt.changes += [change for change in leg.ledger.prepare() if change not in leg.receipt.changes]


def _sameness(target: Target) -> Callable[[Any], Any]:
    """What the target takes for the same key: addresses without regard to case, for example."""
    if hasattr(target.client, "same_key"):
        found: Callable[[Any], Any] = target.client.same_key(target.object, target.key)
        return found
    return lambda value: value


def _is_unique(source: Source | Records, leg: _Leg, known: Mapping[str, Field]) -> bool:
    """Is the key all of the source's primary key, so that no value comes twice."""
    if isinstance(source, Records) or not known[leg.key_name].get("primary_key"):
        return False
    every = source.client.get_fields(source.object) if hasattr(source.client, "get_fields") else known
    return sum(bool(entry.get("primary_key")) for entry in every.values()) == 1


def _id_of(target: Target) -> tuple[str, Field]:
    """The field with the id that a target gives, and how another one may hold it."""
    fields: Mapping[str, Field] = target.client.get_fields(target.object)
    primary = [name for name, entry in fields.items() if entry.get("primary_key")]
    if len(primary) != 1:
        raise ValidationError(f"{target.object} gives no id of its own, so there is nothing to keep as {target.id_as}.")
    entry = fields[primary[0]]
    kept: Field = {"type": entry["type"], "native_type": entry["native_type"], "nullable": True}
    if kept["type"] == "reference":
        kept["type"] = "text"
    return primary[0], kept


def _choose_stand_ins(target: Target, columns: Mapping[str, str], legs: Sequence[_Leg]) -> None:
    """Stand-ins that the columns for ids can hold where a preview compares them."""
    if not hasattr(target.client, "get_fields"):
        return
    try:
        fields: Mapping[str, Field] = target.client.get_fields(target.object)
    except DriverError:
        return  # a table that is not there yet
    for leg in legs:
        column = columns.get(leg.target.id_as, "") if leg.target.id_as else ""
        if column in fields and fields[column]["type"] in ("integer", "number"):
            leg.stands_in = lambda number: -number

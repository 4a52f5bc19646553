"""`sync`: bring a target up to date with a source, by key, in batches, without ever deleting."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import overload

from . import mode
from .beginning import first_changed, show_written
from .conflicts import Conflict
from .errors import FieldNotFoundError, ObjectNotFoundError, ValidationError, near_matches
from .incremental import CURSOR, DELETED
from .parts import DELETED_AT
from .places import Source, Target, system_of
from .protocols import Field, TableWriter
from .receipt import Receipt
from .records import Records
from .resuming import Resume
from .spreading import spread
from .transfer import Transfer

__all__ = ["Receipt", "Source", "Target", "sync"]

logger = logging.getLogger("integrator")


@overload
def sync(
    source: Source | Records,
    target: Target,
    key: str = ...,
    cursor: str | None = ...,
    newest: str | None = ...,
    conflict: Conflict = ...,
    extend: bool = ...,
) -> Receipt: ...


@overload
def sync(
    source: Source | Records,
    target: Sequence[Target],
    *,
    cursor: str | None = ...,
    newest: str | None = ...,
    conflict: Conflict = ...,
) -> list[Receipt]: ...


def sync(
    source: Source | Records,
    target: Target | Sequence[Target],
    key: str = "",
    cursor: str | None = None,
    newest: str | None = None,
    conflict: Conflict = "source",
    extend: bool = False,
) -> Receipt | list[Receipt]:
    """Add the source's records to the target, or update those with the same `key` (a target column).

    Records, such as a join gives, go to the target under the names they have.
    Makes or widens the target where it is a table. Writes in batches, each one transaction where the target has
    those; a row the target can't take is rejected with a reason and the rest goes on. Nothing is ever deleted, and a
    second run over the same data writes nothing. In a preview it reads and compares for real and sends nothing.
    Raises RowLimitError before the batch that would exceed the approved rows.

    Of rows with the same key the first counts; with `newest`, a date or time of the source, the one that has the
    newest, for which the keys are read once beforehand.

    `conflict` says what counts where the target's record was changed by somebody else since the last run: "source"
    (the default) writes over it and needs to remember nothing; "target" keeps it; "newest" keeps the later one; "ask"
    keeps it and lists both values, until a person says "source" or "target" here (see `conflicts`).

    `cursor` names the source's field with the time of the last change: then a run reads only what changed since the
    last one, up to the moment it started (see `incremental`). How far it came is kept in the table `integrator_state`
    beside a target table, saved with each batch, else in a file beside the script. What the source says it has deleted
    gets `deleted_at` in a table. A source field that is gone or changed its type stops the run before it writes.

    A Source without `fields` copies all there are. Where it has got more since the table was made, the run stops and
    names them; with `extend` the table gets columns for them. Fields that the script names are always made room for.

    Several targets, each with its own `fields` and `key`, get each batch in turn (see `spreading`): the ids that one
    gives can be a column of the next, what one refuses still reaches the others, and where one fails the others are
    finished before DriverError says so.
    """
    first = mode.first_rows()
    if first is not None and (newest is not None or conflict != "source" or not isinstance(target, Target)):
        raise ValidationError("The first rows alone can't be written by this sync. Approve all of them, or none.")
    if not isinstance(target, Target):
        return spread(source, target, cursor, newest, conflict)
    if newest is not None or conflict != "source":
        if isinstance(source, Source) and source.fields is None and not extend:
            _require_known(source, target, source.read().fields, key)
        return spread(*_as_several(source, target, key), cursor, newest, conflict)[0]
    system = system_of(target.client)
    current = mode.require_writable(system, target.object)
    resume = _resume(source, target, key, cursor)
    if resume is not None:
        assert isinstance(source, Source)
        found = records = resume.window.records(source)
    else:
        found = records = source if isinstance(source, Records) else source.read()
        if isinstance(source, Source) and isinstance(source.fields, Mapping):
            records = found.renamed(source.fields)
    fields = {name: entry for name, entry in records.fields.items() if name not in (CURSOR, DELETED)}
    if key not in fields:
        raise FieldNotFoundError(
            f'The key "{key}" is not among the target columns {", ".join(fields)}.',
            near_matches(key, fields),
        )
    if fields[key]["type"] == "json":
        raise ValidationError(f"{key} holds JSON, which can't be the key.")
    if isinstance(source, Source) and source.fields is None and not extend:
        _require_known(source, target, fields, key)
    if resume is not None and resume.window.reads_deleted:
        fields.setdefault(DELETED_AT, {"type": "datetime", "native_type": "datetime", "nullable": True})
    receipt = Receipt(system, target.object, key, list(fields))
    if isinstance(target.client, TableWriter):
        receipt.changes = target.client.change_table(target.object, fields, key)
    if first is not None:
        records = found = first_changed(records, target, key, first, resume.window if resume else None)
        resume = None  # where the rest begins is for the run that writes it to say
    if resume is not None:
        receipt.changes += [change for change in resume.prepare() if change not in receipt.changes]
        receipt.cursor = cursor
        receipt.watermark_before = receipt.watermark_after = resume.window.watermark
    is_unique = _is_unique(source, found, fields, key)
    try:
        Transfer(records, found, target, key, current, receipt, resume, is_unique).run()
    except BaseException:
        receipt.tell(stopped=True)
        raise
    receipt.tell(stopped=False)
    if first is not None:
        show_written(records, target)
    logger.info("%s: %s", receipt.object, receipt)
    return receipt


def _require_known(source: Source, target: Target, fields: Mapping[str, Field], key: str) -> None:
    """Raises ValidationError where a table that is there has no columns for some of the source's fields."""
    if not isinstance(target.client, TableWriter) or not hasattr(target.client, "get_fields"):
        return
    try:
        columns = target.client.get_fields(target.object)
    except ObjectNotFoundError:
        return  # it is made with all of them
    new = [name for name in fields if name not in columns]
    if new and key not in new:
        raise ValidationError(
            f"{source.object} has fields that {target.object} has no column for: {', '.join(new)}. Nothing was "
            "written. Name the fields to copy in the Source, or let the table grow: sync(..., extend=True)."
        )


def _as_several(source: Source | Records, target: Target, key: str) -> tuple[Source | Records, list[Target]]:
    """The same, said as one target of several: with the fields there."""
    if isinstance(source, Records):
        return source, [replace(target, fields=list(source.fields), key=key)]
    fields = source.fields if source.fields is not None else list(source.read().fields)
    return replace(source, fields=None), [replace(target, fields=fields, key=key)]


def _resume(source: Source | Records, target: Target, key: str, cursor: str | None) -> Resume | None:
    if cursor is None:
        return None
    if isinstance(source, Records):
        raise ValidationError("Records, such as a join gives, have no cursor. Give sync a Source, or leave cursor out.")
    return Resume.of(source, target.client, target.object, system_of(target.client), key, cursor)


def _is_unique(source: Source | Records, found: Records, fields: Mapping[str, Field], key: str) -> bool:
    """Is the key all of the source's primary key, so that no value comes twice and none need be remembered."""
    if isinstance(source, Records) or not fields[key].get("primary_key"):
        return False
    every = source.client.get_fields(source.object) if hasattr(source.client, "get_fields") else found.fields
    return sum(bool(entry.get("primary_key")) for entry in every.values()) == 1

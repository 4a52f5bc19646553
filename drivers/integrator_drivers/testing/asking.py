"""Checks of the client: what it offers, what it answers, how it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from .. import registry
from ..errors import FieldNotFoundError, ObjectNotFoundError, ReadOnlyError
from ..protocols import Driver, Messenger, ObjectInfo, Reader, Writer
from .shapes import field_problems
from .subject import Skipped, Subject

__all__ = [
    "discovery_refuses_writes",
    "fields_have_the_shape",
    "has_no_delete",
    "lists_objects",
    "reads_what_was_asked",
    "speaks_the_protocols",
    "unknown_field",
    "unknown_object",
]

DELETING = re.compile(r"delete|remove|drop|truncate|purge|erase|archive|void|destroy|empty|wipe|merge", re.IGNORECASE)
LOOKED_AT = 12  # objects whose fields are looked at


def speaks_the_protocols(subject: Subject) -> Iterator[str]:
    """Every client is a Driver; one that reads is a Reader, one that writes is a whole Writer."""
    with subject.client() as client:
        wanted: list[tuple[type, bool]] = [
            (Driver, True),
            (Reader, subject.manifest.kind in ("saas", "sql")),
            (Writer, any(hasattr(client, name) for name in ("insert", "update", "upsert"))),
            (Messenger, subject.manifest.kind == "messenger"),
        ]
        for protocol, needed in wanted:
            if needed and not isinstance(client, protocol):
                lacking = [name for name in _members(protocol) if not hasattr(client, name)]
                yield f"the client is no {protocol.__name__}: it has no {', '.join(lacking)}"
        if (found := client.check()) and not (found.account or found.user):
            yield "check() says neither account nor user"


def has_no_delete(subject: Subject) -> Iterator[str]:
    """No public name that deletes, whatever it is called."""
    for name in dir(registry.client(subject.manifest.name)):
        if not name.startswith("_") and DELETING.search(name):
            yield f"the client has {name}"


def lists_objects(subject: Subject) -> Iterator[str]:
    """list_objects gives names; describe_objects, where there is one, the same names with labels."""
    with subject.client() as client:
        names = client.list_objects()
        if not names or not all(isinstance(name, str) for name in names):
            yield "list_objects gives no names"
        if len(set(names)) != len(names):
            yield "list_objects names an object twice"
        if hasattr(client, "describe_objects"):
            described = client.describe_objects()
            if not all(isinstance(entry, ObjectInfo) and entry.label for entry in described):
                yield "describe_objects gives something that is no ObjectInfo with a label"
            if {entry.name for entry in described} != set(names):
                yield "describe_objects and list_objects name different objects"


def fields_have_the_shape(subject: Subject) -> Iterator[str]:
    """get_fields gives the contract's Field dicts."""
    with subject.client() as client:
        for obj in client.list_objects()[:LOOKED_AT]:
            yield from field_problems(obj, client.get_fields(obj))


def reads_what_was_asked(subject: Subject) -> Iterator[str]:
    """read gives rows with exactly the columns asked for, in order, no more than `limit`, and the same again."""
    with subject.client() as client:
        obj = _object_with_rows(client)
        names = [name for name, field in client.get_fields(obj).items() if field["type"] != "binary"][:3]
        records = client.read(obj, fields=names, limit=2)
        rows = list(records.rows())
        if list(records.fields) != names:
            yield f"asked for {names} of {obj}, the records say {list(records.fields)}"
        if not 1 <= len(rows) <= 2:
            yield f"asked for 2 rows of {obj}, got {len(rows)}"
        if any(list(row) != names for row in rows):
            yield f"a row of {obj} has other columns than asked for"
        if len(list(records.rows())) != len(rows):
            yield "going through the records a second time gives other rows"


def unknown_object(subject: Subject) -> Iterator[str]:
    """ObjectNotFoundError, and the name that was meant is among the near matches."""
    with subject.client() as client:
        obj = client.list_objects()[0]
        wrong = f"{obj}x"
        questions: dict[str, Callable[[], object]] = {"get_fields": lambda: client.get_fields(wrong)}
        if _is(client, Reader):
            questions["read"] = lambda: list(client.read(wrong, limit=1).rows())
        for what, ask in questions.items():
            try:
                ask()
            except ObjectNotFoundError as exc:
                yield from _near_problems(exc, wrong, obj)
            else:
                yield f"{what} of the unknown object {wrong} is not refused"


def unknown_field(subject: Subject) -> Iterator[str]:
    """FieldNotFoundError, and the name that was meant is among the near matches."""
    with subject.client() as client:
        if not _is(client, Reader):
            raise Skipped("it does not read")
        obj = client.list_objects()[0]
        name = max(client.get_fields(obj), key=len)
        wrong = f"{name[:-1]}{'x' if name[-1] != 'x' else 'y'}"
        questions: dict[str, Callable[[], object]] = {
            "fields": lambda: list(client.read(obj, fields=[wrong], limit=1).rows()),
            "where": lambda: list(client.read(obj, where=[(wrong, "=", "1")], limit=1).rows()),
        }
        for what, ask in questions.items():
            try:
                ask()
            except FieldNotFoundError as exc:
                yield from _near_problems(exc, wrong, name)
            else:
                yield f"the unknown field {wrong} of {obj} in {what} is not refused"


def discovery_refuses_writes(subject: Subject) -> Iterator[str]:
    """ReadOnlyError from every way to write, before anything is sent."""
    with subject.client("discovery") as client:
        if not _is(client, Writer):
            raise Skipped("it does not write")
        obj = client.list_objects()[0]
        field = next(iter(client.get_fields(obj)))
        calls: dict[str, Callable[[], object]] = {
            "insert": lambda: client.insert(obj, [{field: "1"}]),
            "update": lambda: client.update(obj, [{field: "1"}], key=field),
            "upsert": lambda: client.upsert(obj, [{field: "1"}], key=field),
        }
        for name, call in calls.items():
            try:
                call()
            except ReadOnlyError:
                continue
            yield f"{name} is not refused in discovery"


def _near_problems(exc: ObjectNotFoundError | FieldNotFoundError, wrong: str, meant: str) -> Iterator[str]:
    if meant not in exc.near:
        yield f"{type(exc).__name__} for {wrong} does not offer {meant}, but {exc.near}"
    if wrong not in str(exc) or "\n" in str(exc):
        yield f"{type(exc).__name__} is no sentence that names {wrong}: {exc}"


def _object_with_rows(client: Any) -> str:
    for obj in client.list_objects():
        if list(client.read(obj, limit=1).rows()):
            return str(obj)
    raise Skipped("no object of the practice system has rows")


def _is(client: object, protocol: type) -> bool:
    return isinstance(client, protocol)


def _members(protocol: type) -> list[str]:
    return sorted(name for name in vars(protocol) if not name.startswith("_"))

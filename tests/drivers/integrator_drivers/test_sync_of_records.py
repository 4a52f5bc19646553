"""`sync` with records as its source, such as a join or a query gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import pytest

from integrator_drivers import FieldNotFoundError, Record, Records, Target, ValidationError, WriteResult, join, sync

SYNC = import_module("integrator_drivers.transfer")
KINDS: Any = {name: {"type": "text", "native_type": "text", "nullable": True} for name in ("id", "v")}


class Bin:
    """Takes everything."""

    system = "bin"

    def __init__(self) -> None:
        self.held: dict[Any, Record] = {}
        self.sizes: list[int] = []

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        rows = list(records)
        self.sizes.append(len(rows))
        new = sum(row[key] not in self.held for row in rows)
        same = sum(self.held.get(row[key]) == row for row in rows)
        self.held |= {row[key]: row for row in rows}
        return WriteResult(inserted=new, updated=len(rows) - new - same, unchanged=same)

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        return {}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SYNC, "_written", 0)
    monkeypatch.setattr(SYNC, "BATCH", 4)
    for name in ("INTEGRATOR_MODE", "INTEGRATOR_MAX_ROWS", "INTEGRATOR_REPORT"):
        monkeypatch.delenv(name, raising=False)


def test_records_go_in_under_the_names_they_have() -> None:
    target = Bin()
    records = Records(KINDS, [{"id": str(n), "v": "x"} for n in range(10)])
    done = sync(records, Target(target, "t"), key="id")
    assert (done.read, done.inserted, done.columns, target.sizes) == (10, 10, ["id", "v"], [4, 4, 2])
    again = sync(records, Target(target, "t"), key="id")
    assert (again.written, again.unchanged) == (0, 10)
    assert str(again).endswith("nothing to write")


def test_a_primary_key_in_records_is_not_trusted_to_be_unique() -> None:
    kinds: Any = {**KINDS, "id": {**KINDS["id"], "primary_key": True}}
    done = sync(Records(kinds, [{"id": "1", "v": str(n)} for n in range(9)]), Target(Bin(), "t"), key="id")
    assert (done.inserted, done.duplicates) == (1, 8)


def test_a_join_is_synced_and_rows_it_repeats_count_once() -> None:
    left = Records(KINDS, [{"id": "1", "v": "a"}, {"id": "2", "v": "b"}])
    right = Records(KINDS, [{"id": "1", "v": "x"}, {"id": "1", "v": "y"}])
    target = Bin()
    done = sync(join(left, right, "id", "id", prefix="r_"), Target(target, "t"), key="id")
    assert (done.read, done.inserted, done.duplicates) == (3, 2, 1)
    assert target.held["2"] == {"id": "2", "v": "b", "r_id": None, "r_v": None}


def test_records_that_can_be_read_once_are_refused_the_second_time() -> None:
    once = Records(KINDS, iter([{"id": "1", "v": "a"}]))
    assert sync(once, Target(Bin(), "t"), key="id").inserted == 1
    with pytest.raises(ValidationError, match="only once"):
        sync(once, Target(Bin(), "t"), key="id")


def test_a_key_that_records_do_not_have_is_named() -> None:
    with pytest.raises(FieldNotFoundError, match='"ID" is not among the target columns id, v'):
        sync(Records(KINDS, []), Target(Bin(), "t"), key="ID")
    kinds: Any = {**KINDS, "id": {**KINDS["id"], "type": "json"}}
    with pytest.raises(ValidationError, match="can't be the key"):
        sync(Records(kinds, []), Target(Bin(), "t"), key="id")


def test_nothing_read_is_nothing_written() -> None:
    done = sync(Records(KINDS, []), Target(Bin(), "t"), key="id")
    assert str(done) == "0 read = 0 added + 0 updated + 0 unchanged + 0 rejected; nothing to write"

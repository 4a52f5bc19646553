"""`sync` over writers of every kind, one that can compare and one that only writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from integrator_drivers import (
    DriverError,
    FieldNotFoundError,
    ReadOnlyError,
    Receipt,
    Record,
    Records,
    Rejected,
    RowLimitError,
    Source,
    Target,
    ValidationError,
    WriteResult,
    current_mode,
    sync,
)

SYNC = import_module("integrator_drivers.transfer")


class Shelf:
    """A system that keeps records in a dict: reads and writes, has no tables."""

    system = "shelf"

    def __init__(self, records: Iterable[Record] = (), refuses: Sequence[Any] = ()) -> None:
        self.held: dict[Any, Record] = {record["id"]: record for record in records}
        self.refuses = refuses
        self.writes: list[int] = []

    def read(self, obj: str, fields: Sequence[str] | None = None, **_: Any) -> Records:
        names = list(fields or ["id", "v"])
        kinds: Any = {name: {"type": "text", "native_type": "any", "nullable": True} for name in names}
        rows = list(self.held.values())
        return Records(kinds, lambda: ({name: row.get(name) for name in names} for row in rows), source_count=len(rows))

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        rows = list(records)
        if current_mode() == "apply":
            self.writes.append(len(rows))
        result = WriteResult()
        for row in rows:
            if row[key] in self.refuses:
                result.rejected.append(Rejected(row, "refused"))
            elif row[key] not in self.held:
                result.inserted += 1
            elif self.held[row[key]] == row:
                result.unchanged += 1
            else:
                result.updated += 1
            if current_mode() == "apply" and row[key] not in self.refuses:
                self.held[row[key]] = row
        return result

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult:
        raise NotImplementedError

    def update(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        raise NotImplementedError

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        return {value: self.held[value] for value in values if value in self.held}


class Comparing(Shelf):
    """The same, and able to say beforehand what a write would do."""

    def compare(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        given = list(records)
        unchanged = sum(self.held.get(row[key]) == row for row in given)
        return WriteResult(inserted=len(given) - unchanged, unchanged=unchanged)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INTEGRATOR_MODE", "INTEGRATOR_MAX_ROWS", "INTEGRATOR_REPORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SYNC, "BATCH", 4)
    monkeypatch.setattr(SYNC, "_written", 0)


def rows(*ids: Any, v: str = "x") -> list[Record]:
    return [{"id": key, "v": v} for key in ids]


def counts(receipt: Receipt) -> tuple[int, ...]:
    return (
        receipt.read,
        receipt.inserted,
        receipt.updated,
        receipt.unchanged,
        receipt.rejected,
        receipt.duplicates,
    )


def test_everything_read_is_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Shelf(rows(1, 2, 3, 4, 5, 6, None))
    target = Shelf([*rows(1), *rows(2, v="old")], refuses=[3])
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    foreseen = sync(Source(source, "Things"), Target(target, "things"), key="id")
    assert target.writes == []
    monkeypatch.delenv("INTEGRATOR_MODE")
    done = sync(Source(source, "Things", ["id", "v"]), Target(target, "things"), key="id")
    assert counts(done) == counts(foreseen) == (7, 3, 1, 1, 2, 0)
    assert target.writes == [4, 2]
    assert str(done) == "7 read = 3 added + 1 updated + 1 unchanged + 2 rejected"
    assert [reject.reason for reject in done.rejects] == ["refused", "no value in the key id"]
    again = sync(Source(source, "Things"), Target(target, "things"), key="id")
    assert (again.written, again.unchanged) == (0, 5)


def test_fields_are_renamed_on_the_way() -> None:
    target = Shelf()
    source = Shelf(rows("a"))
    sync(Source(source, "Things", {"v": "value", "id": "id"}), Target(target, "t"), key="id")
    assert target.held == {"a": {"value": "x", "id": "a"}}


def test_of_rows_with_the_same_key_the_first_counts() -> None:
    class Repeating(Shelf):
        def read(self, obj: str, fields: Sequence[str] | None = None, **_: Any) -> Records:
            kinds: Any = {name: {"type": "text", "native_type": "any", "nullable": True} for name in ("id", "v")}
            return Records(kinds, [{"id": n % 3, "v": str(n)} for n in range(10)])

    target = Shelf()
    done = sync(Source(Repeating(), "Things"), Target(target, "t"), key="id")
    assert counts(done) == (10, 3, 0, 0, 0, 7)
    assert [record["v"] for record in target.held.values()] == ["0", "1", "2"]
    assert str(done).endswith(" + 7 with a repeated key")


@pytest.mark.parametrize(("kind", "written"), [(Shelf, 4), (Comparing, 6)])
def test_the_ceiling_is_checked_before_a_batch_as_exactly_as_the_target_allows(
    kind: type[Shelf], written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "6")
    source = Shelf(rows(*range(12)))
    target = kind(rows(4, 5))
    with pytest.raises(RowLimitError, match="more than the 6 that were approved"):
        sync(Source(source, "Things"), Target(target, "t"), key="id")
    assert len(target.held) == 2 + written


def test_the_ceiling_holds_for_all_syncs_of_a_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "5")
    first, second = Shelf(), Shelf()
    sync(Source(Shelf(rows(1, 2, 3)), "Things"), Target(first, "t"), key="id")
    with pytest.raises(RowLimitError, match="6 rows are more than the 5"):
        sync(Source(Shelf(rows(1, 2, 3)), "Things"), Target(second, "t"), key="id")
    assert second.held == {}


def test_discovery_is_refused_before_the_source_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Untouchable(Shelf):
        def read(self, obj: str, fields: Sequence[str] | None = None, **_: Any) -> Records:
            raise AssertionError("it was asked")

    monkeypatch.setenv("INTEGRATOR_MODE", "discovery")
    with pytest.raises(ReadOnlyError):
        sync(Source(Untouchable(), "Things"), Target(Shelf(), "t"), key="id")


def test_a_key_that_is_not_mapped_is_named() -> None:
    with pytest.raises(FieldNotFoundError, match='"ids" is not among the target columns id, v') as caught:
        sync(Source(Shelf(rows(1)), "Things"), Target(Shelf(), "t"), key="ids")
    assert caught.value.near == ["id"]
    with pytest.raises(ValidationError, match="same name"):
        sync(Source(Shelf(rows(1)), "Things", {"id": "a", "v": "a"}), Target(Shelf(), "t"), key="a")


def test_a_target_that_loses_rows_is_not_believed() -> None:
    class Losing(Shelf):
        def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
            return WriteResult(inserted=len(list(records)) - 1)

    with pytest.raises(DriverError, match="accounted for 2 of 3 rows"):
        sync(Source(Shelf(rows(1, 2, 3)), "Things"), Target(Losing(), "t"), key="id")


def test_what_was_written_before_a_failure_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Shelf):
        def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
            if self.writes:
                raise DriverError("The shelf broke.")
            return super().upsert(obj, records, key)

    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    with pytest.raises(DriverError, match="The shelf broke"):
        sync(Source(Shelf(rows(*range(10))), "Things"), Target(Failing(), "t"), key="id")
    lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    (target,) = [line for line in lines if line["kind"] == "target"]
    assert (target["system"], target["object"], target["add"], target["stopped"]) == ("shelf", "t", 4, True)


def test_thousands_of_rejects_are_counted_and_the_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Shelf(rows(*range(500)))
    done = sync(Source(source, "Things"), Target(Shelf(refuses=range(500)), "t"), key="id")
    assert (done.rejected, len(done.rejects)) == (500, 100)

"""`sync` with several targets: ids of one become a column of the next; what one refuses reaches the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from integrator_drivers import (
    DriverError,
    FieldNotFoundError,
    Identity,
    Record,
    Records,
    Rejected,
    RowLimitError,
    Source,
    Target,
    ValidationError,
    WriteResult,
    current_mode,
    spreading,
    sync,
    transfer,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def text(**facts: Any) -> Any:
    return {"type": "text", "native_type": "text", "nullable": True, **facts}


class People:
    """A source with ids, addresses and the time of the last change."""

    system = "people"

    def __init__(self, *rows: tuple[str, str | None, str]) -> None:
        self.rows: list[Record] = []
        for number, (key, mail, name) in enumerate(rows):
            self.rows.append({"Id": key, "Mail": mail, "Name": name, "Changed": START + timedelta(hours=number)})
        self.asked: list[Any] = []

    def check(self) -> Identity:
        return Identity("people", "test", "me")

    def get_fields(self, obj: str) -> dict[str, Any]:
        moment = {"type": "datetime", "native_type": "datetime", "nullable": False}
        return {"Id": text(primary_key=True), "Mail": text(), "Name": text(), "Changed": moment}

    def read(
        self,
        obj: str,
        fields: Sequence[str] | None = None,
        where: Iterable[Any] | None = None,
        since: Any = None,
        until: Any = None,
        limit: int | None = None,
        order_by: str | None = None,
    ) -> Records:
        names = list(fields or self.get_fields(obj))
        conditions = list(where or ())
        self.asked.append(conditions)
        tests: dict[str, Callable[[Any, Any], bool]] = {"<": lambda a, b: a < b, ">=": lambda a, b: a >= b}
        found = [row for row in self.rows if all(tests[op](row[name], value) for name, op, value in conditions)]
        every = self.get_fields(obj)
        rows = [{name: row[name] for name in names} for row in found]
        return Records({name: every[name] for name in names}, lambda: iter(rows), source_count=len(rows))


class Club:
    """A target that gives ids of its own and knows members by address, without regard to case."""

    system = "club"

    def __init__(self, refuses: Iterable[str] = ()) -> None:
        self.held: dict[str, Record] = {}
        self.refuses = set(refuses)
        self.breaks = False
        self.looked_up: list[int] = []
        self._numbers = count(501)

    def same_key(self, obj: str, key: str) -> Callable[[Any], str]:
        return lambda value: str(value).strip().lower()

    def get_fields(self, obj: str) -> dict[str, Any]:
        return {"id": text(primary_key=True), "email": text(), "name": text(), "sheet": text()}

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        self.looked_up.append(len(values))
        same = self.same_key(obj, key)
        return {value: self.held[same(value)] for value in values if same(value) in self.held}

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        if self.breaks:
            raise DriverError("The club is closed.")
        result = WriteResult()
        for row in records:
            mail = self.same_key(obj, key)(row[key])
            if mail in self.refuses:
                result.rejected.append(Rejected(row, "the club knows better"))
                continue
            before = self.held.get(mail)
            if before is None:
                result.inserted += 1
                new = {"id": str(next(self._numbers)), **row, "email": mail}
            else:
                new = {**before, **row, "email": mail}
                result.updated += new != before
                result.unchanged += new == before
            if current_mode() == "apply":
                self.held[mail] = new
        return result


class Sheet:
    """A target that keeps rows by the source's id."""

    system = "sheet"

    def __init__(self) -> None:
        self.held: dict[str, Record] = {}

    def lookup(self, obj: str, key: str, values: Sequence[Any], fields: Sequence[str]) -> dict[Any, Record]:
        return {value: self.held[value] for value in values if value in self.held}

    def upsert(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        result = WriteResult()
        for row in records:
            before = self.held.get(row[key])
            new = {**(before or {}), **row}
            result.inserted += before is None
            result.updated += before is not None and new != before
            result.unchanged += new == before
            if current_mode() == "apply":
                self.held[row[key]] = new
        return result


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("INTEGRATOR_MODE", "INTEGRATOR_MAX_ROWS", "INTEGRATOR_REPORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(spreading, "BATCH", 2)
    monkeypatch.setattr(transfer, "_written", 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("integrator_drivers.statefile._beside", Path)


def targets(club: Club, sheet: Sheet) -> list[Target]:
    return [
        Target(club, "members", {"Mail": "email", "Name": "name"}, key="email", id_as="club_id"),
        Target(
            sheet, "rows", {"Id": "id", "Mail": "mail", "Name": "name", "club_id": "club_id"}, key="id"
        ),
    ]  # fmt: skip


def test_ids_of_one_target_are_a_column_of_the_next_and_a_second_run_changes_nothing() -> None:
    source = People(("a", "Ann@x.example", "Ann"), ("b", "bob@x.example", "Bob"), ("c", "cy@x.example", "Cy"))
    club, sheet = Club(), Sheet()
    first = sync(Source(source, "People"), targets(club, sheet))
    assert [receipt.inserted for receipt in first] == [3, 3]
    assert [sheet.held[key]["club_id"] for key in "abc"] == ["501", "502", "503"]
    assert sheet.held["a"]["mail"] == "Ann@x.example"
    second = sync(Source(source, "People"), targets(club, sheet))
    assert [(receipt.written, receipt.unchanged) for receipt in second] == [(0, 3), (0, 3)]
    assert max(club.looked_up) <= 2  # a batch, however many records there are


def test_what_one_target_refuses_reaches_the_next_and_gets_its_id_later() -> None:
    source = People(("a", "ann@x.example", "Ann"), ("b", "bob@x.example", "Bob"), ("c", None, "Cy"))
    club, sheet = Club(refuses=["bob@x.example"]), Sheet()
    first, kept = sync(Source(source, "People"), targets(club, sheet))
    assert (first.inserted, first.rejected) == (1, 2)
    assert [reject.reason for reject in first.rejects] == ["the club knows better", "no value in the key email"]
    assert kept.inserted == 3
    assert "club_id" not in sheet.held["b"] and "club_id" not in sheet.held["c"]
    club.refuses.clear()
    second, kept = sync(Source(source, "People"), targets(club, sheet))
    assert (second.inserted, kept.updated, kept.unchanged) == (1, 1, 2)
    assert sheet.held["b"]["club_id"] == "502"


def test_an_id_that_is_known_is_not_lost_when_the_record_is_refused_later() -> None:
    source = People(("a", "ann@x.example", "Ann"))
    club, sheet = Club(), Sheet()
    sync(Source(source, "People"), targets(club, sheet))
    club.refuses.add("ann@x.example")
    del club.held["ann@x.example"]
    source.rows[0]["Name"] = "Anna"
    sync(Source(source, "People"), targets(club, sheet))
    assert sheet.held["a"] == {"id": "a", "mail": "ann@x.example", "name": "Anna", "club_id": "501"}


def test_of_two_records_with_one_address_the_newest_counts() -> None:
    source = People(("a", "Ann@x.example", "old"), ("b", "bob@x.example", "Bob"), ("c", " ann@x.example", "new"))
    club, sheet = Club(), Sheet()
    first, kept = sync(Source(source, "People"), targets(club, sheet), newest="Changed")
    assert club.held["ann@x.example"]["name"] == "new"
    assert (first.inserted, first.duplicates, first.repeated) == (2, 1, ["Ann@x.example"])
    assert kept.inserted == 3
    assert sheet.held["a"]["club_id"] == sheet.held["c"]["club_id"]
    again = sync(Source(source, "People"), targets(club, sheet), newest="Changed")
    assert [receipt.written for receipt in again] == [0, 0]


def test_without_a_time_the_first_counts() -> None:
    source = People(("a", "ann@x.example", "first"), ("b", "ANN@x.example", "second"))
    club = Club()
    (done,) = sync(Source(source, "People"), targets(club, Sheet())[:1])
    assert (club.held["ann@x.example"]["name"], done.duplicates) == ("first", 1)


def test_the_newest_counts_with_one_target_too() -> None:
    source = People(("a", "ann@x.example", "old"), ("b", "ann@x.example", "new"))
    club = Club()
    done = sync(
        Source(source, "People", {"Mail": "email", "Name": "name"}), Target(club, "m"), key="email", newest="Changed"
    )
    assert (club.held["ann@x.example"]["name"], done.inserted, done.duplicates) == ("new", 1, 1)
    assert "1 with a repeated key" in str(done)


def test_a_preview_sends_nothing_and_foresees_the_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    source = People(("a", "ann@x.example", "Ann"), ("b", "bob@x.example", "Bob"), ("c", None, "Cy"))
    club, sheet = Club(), Sheet()
    sheet.held = {row["Id"]: {"id": row["Id"], "mail": row["Mail"], "name": row["Name"]} for row in source.rows}
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    foreseen = sync(Source(source, "People"), targets(club, sheet))
    assert not club.held and all("club_id" not in row for row in sheet.held.values())
    monkeypatch.delenv("INTEGRATOR_MODE")
    done = sync(Source(source, "People"), targets(club, sheet))
    counts = [[(entry.inserted, entry.updated, entry.unchanged) for entry in run] for run in (foreseen, done)]
    assert counts[0] == counts[1] == [(2, 0, 0), (0, 2, 1)]


def test_one_target_that_fails_does_not_stop_the_others() -> None:
    source = People(*((str(number), f"p{number}@x.example", "P") for number in range(5)))
    club, sheet = Club(), Sheet()
    club.breaks = True
    with pytest.raises(DriverError, match=r"^club members was not finished: The club is closed\. sheet rows is up to"):
        sync(Source(source, "People"), targets(club, sheet))
    assert len(sheet.held) == 5
    club.breaks = False
    sync(Source(source, "People"), targets(club, sheet))
    assert {row["club_id"] for row in sheet.held.values()} == {"501", "502", "503", "504", "505"}


def test_in_a_preview_a_target_that_fails_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    club = Club()
    club.breaks = True
    with pytest.raises(DriverError, match=r"^The club is closed\.$"):
        sync(Source(People(("a", "a@x.example", "A")), "People"), targets(club, Sheet()))


def test_with_a_cursor_a_refused_record_is_read_again_for_all_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrator_drivers.incremental.OVERLAP", timedelta())
    source = People(
        ("a", "ann@x.example", "Ann"),
        ("b", None, "Bo"),
        ("c", "cy@x.example", "Cy"),
        ("d", "di@x.example", "Di"),
    )
    club, sheet = Club(refuses=["cy@x.example"]), Sheet()
    first, kept = sync(Source(source, "People"), targets(club, sheet), cursor="Changed")
    assert (first.inserted, first.rejected, kept.inserted) == (2, 2, 4)
    assert first.watermark_after == START + timedelta(hours=2)  # the refused one; not the one without an address
    assert kept.watermark_after == START + timedelta(hours=3)
    club.refuses.clear()
    again, kept = sync(Source(source, "People"), targets(club, sheet), cursor="Changed")
    assert (again.read, again.inserted, kept.read, kept.updated) == (2, 1, 2, 1)
    assert sheet.held["c"]["club_id"] == "503"
    third, kept = sync(Source(source, "People"), targets(club, sheet), cursor="Changed")
    assert (third.read, third.written, kept.written) == (1, 0, 0)


def test_the_ceiling_holds_for_all_targets_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "3")
    club, sheet = Club(), Sheet()
    with pytest.raises(RowLimitError):
        sync(Source(People(("a", "a@x.example", "A"), ("b", "b@x.example", "B")), "People"), targets(club, sheet))
    assert (len(club.held), len(sheet.held)) == (2, 0)


def test_three_targets_hand_ids_on() -> None:
    first, second, sheet = Club(), Club(), Sheet()
    done = sync(
        Source(People(("a", "a@x.example", "A")), "People"),
        [
            Target(first, "members", {"Mail": "email", "Name": "name"}, key="email", id_as="first_id"),
            Target(second, "guests", {"Mail": "email", "first_id": "sheet"}, key="email", id_as="second_id"),
            Target(sheet, "rows", {"Id": "id", "first_id": "one", "second_id": "two"}, key="id"),
        ],
    )
    assert [receipt.inserted for receipt in done] == [1, 1, 1]
    assert second.held["a@x.example"]["sheet"] == "501"
    assert sheet.held["a"] == {"id": "a", "one": "501", "two": "501"}


def test_joined_records_go_to_several_targets() -> None:
    source = People(("a", "a@x.example", "A"), ("b", "A@x.example", "B"))
    club, sheet = Club(), Sheet()
    done = sync(source.read("People"), targets(club, sheet))
    assert [receipt.inserted for receipt in done] == [1, 2]
    assert sheet.held["b"]["club_id"] == "501"


def test_what_makes_no_sense_is_said_before_anything_is_read() -> None:
    source, club, sheet = People(), Club(), Sheet()
    good = targets(club, sheet)
    with pytest.raises(ValidationError, match="each one says its own"):
        sync(Source(source, "People"), [good[0], Target(sheet, "rows")])
    with pytest.raises(ValidationError, match="name that target before"):
        sync(Source(source, "People"), good[::-1])
    with pytest.raises(ValidationError, match="in each Target, not in the Source"):
        sync(Source(source, "People", {"Id": "id"}), good)
    with pytest.raises(FieldNotFoundError, match='"mail" is not among the columns email'):
        sync(Source(source, "People"), [Target(club, "members", {"Mail": "email"}, key="mail"), good[1]])
    with pytest.raises(ValidationError, match="no key yet"):
        sync(Source(source, "People"), [good[0], Target(sheet, "rows", {"club_id": "id"}, key="id")])
    assert source.asked == []


class Bin(People):
    """The same with a recycle bin."""

    def get_fields(self, obj: str) -> dict[str, Any]:
        return {**super().get_fields(obj), "IsDeleted": {"type": "boolean", "native_type": "bool", "nullable": False}}

    def read(self, obj: str, *args: Any, deleted: bool = False, order_by: Any = None, **more: Any) -> Records:
        for row in self.rows:
            row.setdefault("IsDeleted", False)
        every = self.rows
        try:
            self.rows = [row for row in every if deleted or not row["IsDeleted"]]
            return super().read(obj, *args, **more)
        finally:
            self.rows = every


class Table(Sheet):
    """A sheet with columns of its own, which can hold the time of a deletion."""

    def insert(self, obj: str, records: Iterable[Record]) -> WriteResult:
        raise NotImplementedError

    def update(self, obj: str, records: Iterable[Record], key: str) -> WriteResult:
        return self.upsert(obj, records, key)

    def table_changes(self, obj: str, fields: Any, key: str) -> list[str]:
        return []

    def change_table(self, obj: str, fields: Any, key: str) -> list[str]:
        return []


def test_what_the_source_has_deleted_is_marked_where_it_can_be_and_counted_everywhere() -> None:
    source = Bin(("a", "ann@x.example", "Ann"), ("b", "bob@x.example", "Bob"))
    club, sheet = Club(), Table()
    sync(Source(source, "People"), targets(club, sheet), cursor="Changed")
    source.rows[0] |= {"IsDeleted": True, "Changed": START + timedelta(hours=5)}
    first, kept = sync(Source(source, "People"), targets(club, sheet), cursor="Changed")
    assert (first.read, first.unchanged, first.written, first.source_count) == (2, 2, 0, 2)
    assert (kept.read, kept.updated, kept.deleted, kept.unchanged) == (2, 1, 1, 1)
    assert sheet.held["a"]["deleted_at"] == START + timedelta(hours=5)
    assert sheet.held["a"]["club_id"] == "501" and "ann@x.example" in club.held

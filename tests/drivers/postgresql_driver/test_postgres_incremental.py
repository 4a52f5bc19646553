"""A sync with a cursor into PostgreSQL: what it reads, what it commits together, and what it stops at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrator_drivers import (
    DriverError,
    FieldNotFoundError,
    Receipt,
    Records,
    Source,
    Target,
    ValidationError,
    sync,
)
from postgresql_driver import PostgresClient

Admin = psycopg.Connection[Any]
Schema = Callable[[str], str]
Mode = Callable[[str], None]
SYNC = import_module("integrator_drivers.transfer")
START = datetime(2026, 11, 1, tzinfo=UTC)


class Org:
    """A source with a cursor that is not sorted, and a recycle bin."""

    system = "org"

    def __init__(self, rows: Iterable[dict[str, Any]], **types: str) -> None:
        self.rows = list(rows)
        self.account = "first"
        self.types = {"id": "text", "v": "text", "changed": "datetime", "IsDeleted": "boolean", **types}
        self.asked: list[list[Any]] = []
        self.breaks_at: int | None = None

    def get_fields(self, obj: str) -> Any:
        fields = {name: {"type": kind, "native_type": kind, "nullable": False} for name, kind in self.types.items()}
        fields["id"]["primary_key"] = True
        return fields

    def check(self) -> Any:
        from integrator_drivers import Identity

        return Identity(self.account, "test", "someone")

    def read(
        self,
        obj: str,
        fields: Any = None,
        where: Any = None,
        since: Any = None,
        until: Any = None,
        deleted: bool = False,
    ) -> Records:
        names = list(fields or self.types)
        self.asked.append(list(where or ()))

        def rows() -> Iterator[dict[str, Any]]:
            for number, row in enumerate(self.rows):
                if number == self.breaks_at:
                    raise DriverError("The source broke.")
                whole = {"IsDeleted": False, **row}
                if whole["IsDeleted"] and not deleted:
                    continue
                if all(fits(whole.get(name), op, value) for name, op, value in where or ()):
                    yield {name: whole.get(name) for name in names}

        return Records({name: self.get_fields(obj)[name] for name in names}, rows)


def fits(have: Any, op: str, value: Any) -> bool:
    if op == "is null":
        return have is None
    return have is not None and {"<": have < value, ">=": have >= value, "=": have == value}[op]


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def row(number: int, v: str = "a", minutes: int | None = None, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:03}", "v": v, "changed": at(number if minutes is None else minutes), **more}


def run(org: Any, target: str, **more: Any) -> Receipt:
    source = Source(org, "Thing", more.pop("fields", ["id", "v"]), where=more.pop("where", None))
    with PostgresClient() as client:
        return sync(source, Target(client, target), key="id", cursor=more.pop("cursor", "changed"))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def move(minutes: int) -> None:
        monkeypatch.setenv("INTEGRATOR_NOW", at(minutes).isoformat())

    move(1000)
    return move


def test_the_second_run_reads_only_what_changed_and_writes_nothing_where_nothing_did(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None]
) -> None:
    place = schema("SELECT 1")
    org = Org([row(n) for n in range(100)])
    mode("preview")
    foreseen = run(org, f"{place}.t")
    assert foreseen.changes[-1].startswith(f"CREATE TABLE {place}.integrator_state (sync_id text PRIMARY KEY")
    assert admin.execute("SELECT to_regclass(%s)", [f"{place}.integrator_state"]).fetchone() == (None,)
    mode("apply")
    first = run(org, f"{place}.t")
    assert (foreseen.inserted, first.inserted) == (100, 100)
    assert (
        (first.watermark_before, first.watermark_after)
        == (None, at(99))
        == (
            foreseen.watermark_before,
            foreseen.watermark_after,
        )
    )
    assert admin.execute(f"SELECT id, v FROM {place}.t ORDER BY id LIMIT 1").fetchone() == ("000", "a")
    again = run(org, f"{place}.t")
    assert (again.read, again.written, again.changes) == (11, 0, [])  # the overlap
    assert "nothing to write" in str(again)
    assert (again.watermark_before, again.watermark_after) == (at(99), at(99))
    org.rows[5] = row(5, "b", 200)
    org.rows.append(row(100, "new", 201))
    now(1001)
    third = run(org, f"{place}.t")
    assert (third.inserted, third.updated) == (1, 1)
    assert third.watermark_after == at(201)
    assert org.asked[-1] == [("changed", ">=", at(99) - timedelta(minutes=10)), ("changed", "<", at(1001))]


def test_what_changes_while_a_run_reads_belongs_to_the_next_one(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None]
) -> None:
    place = schema("SELECT 1")
    now(50)
    org = Org([row(n) for n in range(100)])
    assert run(org, f"{place}.t").read == 50
    now(200)
    assert run(org, f"{place}.t").inserted == 50


def test_a_batch_and_its_resume_point_are_committed_together(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 10)
    place = schema("SELECT 1")
    org = Org([row(n) for n in range(40)])
    org.breaks_at = 25
    with pytest.raises(DriverError, match="The source broke"):
        run(org, f"{place}.t")
    (state,) = admin.execute(f"SELECT state FROM {place}.integrator_state").fetchone() or ()
    assert (state["read"], state["unfinished"], state["watermark"]) == (20, True, None)  # not sorted: all is read again
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (20,)
    org.breaks_at = None
    done = run(org, f"{place}.t")
    assert (done.read, done.inserted, done.unchanged) == (40, 20, 20)

    def no_save(*_: Any) -> None:
        raise DriverError("No.")

    monkeypatch.setattr("postgresql_driver.src.state.save", no_save)
    org.rows.append(row(41, "late", 41))
    with pytest.raises(DriverError, match="No"):
        run(org, f"{place}.t")
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (40,)


def test_a_source_that_sorts_goes_on_where_it_stopped(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 10)
    place = schema(
        "CREATE TABLE source (id int PRIMARY KEY, v text, changed timestamptz);"
        "INSERT INTO source SELECT n, 'a', '2026-11-01'::timestamptz + (100 - n) * interval '1 hour'"
        " FROM generate_series(1, 100) n; INSERT INTO source VALUES (0, 'no time', NULL);"
        "CREATE TABLE t (id int PRIMARY KEY, v text)"
    )
    now(10_000)
    read: list[int] = []

    class Breaking(PostgresClient):
        def read(self, obj: str, *args: Any, order_by: str | None = None, **more: Any) -> Records:
            found = super().read(obj, *args, order_by=order_by, **more)
            rows = found.rows

            def counted() -> Iterator[dict[str, Any]]:
                for entry in rows():
                    read.append(entry["id"])
                    if len(read) == 46:
                        raise DriverError("It broke.")
                    yield entry

            return Records(found.fields, counted)

    with Breaking() as client, PostgresClient() as target:
        source = Source(client, f"{place}.source", ["id", "v"])
        with pytest.raises(DriverError, match="broke"):
            sync(source, Target(target, f"{place}.t"), key="id", cursor="changed")
        assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (40,)
        assert read[:3] == [0, 100, 99]
        (saved,) = admin.execute(f"SELECT watermark FROM {place}.integrator_state").fetchone() or ()
        assert saved == START + timedelta(hours=38)
        read.clear()
        read.extend(range(-1000, 0))
        done = sync(source, Target(target, f"{place}.t"), key="id", cursor="changed")
    assert (done.inserted, done.unchanged, done.read) == (61, 2, 63)  # the row without a time, and one of the overlap
    assert done.watermark_before == saved
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (101,)


def test_a_rejected_row_comes_again_until_it_is_taken(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None]
) -> None:
    place = schema("CREATE TABLE t (id text PRIMARY KEY, v varchar(3))")
    org = Org([row(n, "too long" if n == 30 else "a") for n in range(100)])
    first = run(org, f"{place}.t")
    assert (first.rejected, first.watermark_after) == (1, at(30))
    admin.execute(f"ALTER TABLE {place}.t ALTER v TYPE text")
    second = run(org, f"{place}.t")
    assert (second.inserted, second.rejected, second.watermark_after) == (1, 0, at(99))
    assert run(org, f"{place}.t").read == 11


def test_what_the_source_has_deleted_gets_deleted_at_and_stays(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None]
) -> None:
    place = schema("CREATE TABLE t (id text PRIMARY KEY, v text); INSERT INTO t VALUES ('001', 'a')")
    org = Org([row(n) for n in range(5)])
    mode("preview")
    assert run(org, f"{place}.t").changes[0] == f"ALTER TABLE {place}.t ADD COLUMN deleted_at timestamp with time zone"
    mode("apply")
    first = run(org, f"{place}.t")
    assert (first.inserted, first.unchanged, first.deleted) == (4, 1, 0)
    org.rows[2] = row(2, "gone", 300, IsDeleted=True)
    org.rows.append(row(9, "never seen", 300, IsDeleted=True))
    for name in ("preview", "apply"):
        mode(name)
        second = run(org, f"{place}.t")
        assert (second.updated, second.deleted, second.inserted, second.rejected) == (1, 1, 0, 0)
    assert "1 of the updated are deleted in the source" in str(second)
    found = admin.execute(f"SELECT id, v, deleted_at FROM {place}.t WHERE deleted_at IS NOT NULL").fetchall()
    assert found == [("002", "a", at(300))]
    assert run(org, f"{place}.t").written == 0
    org.rows[2] = row(2, "back", 400)
    assert run(org, f"{place}.t").updated == 1
    assert admin.execute(f"SELECT v, deleted_at FROM {place}.t WHERE id = '002'").fetchone() == ("back", None)


def test_a_source_that_changed_its_shape_stops_the_run_before_it_writes(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None]
) -> None:
    place = schema("SELECT 1")
    org = Org([row(n) for n in range(5)])
    run(org, f"{place}.t")
    org.rows = [row(n, "other", 500) for n in range(5)]
    org.types["extra"] = "text"
    org.types["v"] = "number"
    with pytest.raises(ValidationError, match=r"v was text in the source when this last ran, and is number now"):
        run(org, f"{place}.t")
    del org.types["v"]
    org.types["V2"] = "text"
    with pytest.raises(FieldNotFoundError, match="no longer has the field v") as caught:
        run(org, f"{place}.t")
    assert caught.value.near == ["V2"]
    assert admin.execute(f"SELECT DISTINCT v FROM {place}.t").fetchall() == [("a",)]
    org.types["v"] = "text"
    assert run(org, f"{place}.t").updated == 5


@pytest.mark.parametrize("what", ["account", "columns", "where"])
def test_another_question_is_read_from_the_beginning(
    admin: Admin, mode: Mode, schema: Schema, now: Callable[[int], None], what: str
) -> None:
    place = schema("SELECT 1")
    org = Org([row(n, country="de") for n in range(30)], country="text")
    asked: dict[str, Any] = {"where": [("changed", ">=", at(5))]}
    assert run(org, f"{place}.t", **asked).read == 25
    assert run(org, f"{place}.t", where=[("changed", ">=", at(6))]).read == 11  # the window only moved on
    if what == "account":
        org.account = "second"
    elif what == "columns":
        asked["fields"] = ["id", "v", "country"]
    else:
        asked["where"] = [("changed", ">=", at(1))]
    assert run(org, f"{place}.t", **asked).read == (29 if what == "where" else 25)


def test_a_cursor_must_be_a_moment_of_the_source(mode: Mode, schema: Schema, now: Callable[[int], None]) -> None:
    place = schema("SELECT 1")
    with pytest.raises(FieldNotFoundError, match='no field "chnged"') as caught:
        run(Org([]), f"{place}.t", cursor="chnged")
    assert caught.value.near == ["changed"]
    with pytest.raises(ValidationError, match="v is no date with a time"):
        run(Org([]), f"{place}.t", cursor="v")
    with PostgresClient() as client, pytest.raises(ValidationError, match="have no cursor"):
        sync(Records(Org([]).get_fields(""), []), Target(client, f"{place}.t"), key="id", cursor="changed")


def test_the_watermark_is_reported(
    mode: Mode, schema: Schema, now: Callable[[int], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = schema("SELECT 1")
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    run(Org([row(7)]), f"{place}.t")
    lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    (target,) = [line for line in lines if line["kind"] == "target"]
    assert (target["cursor"], target["watermark_before"]) == ("changed", None)
    assert target["watermark_after"] == at(7).isoformat()

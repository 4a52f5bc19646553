"""Preview, apply and run again, on data and tables as awkward as people make them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrator_drivers import (
    FieldNotFoundError,
    ForbiddenError,
    ReadOnlyError,
    Receipt,
    Records,
    RowLimitError,
    Source,
    Target,
    ValidationError,
    sync,
)
from postgresql_driver import PostgresClient

Admin = psycopg.Connection[Any]
SYNC = import_module("integrator_drivers.transfer")
Mode = Callable[[str], None]

TEXT = {"type": "text", "native_type": "string", "nullable": True}


class Memory:
    """A Reader over rows in memory."""

    def __init__(self, fields: dict[str, Any], rows: list[dict[str, Any]]) -> None:
        self.fields, self.data = fields, rows

    def read(self, obj: str, fields: list[str] | None = None, **_: Any) -> Records:
        names = fields or list(self.fields)
        return Records(
            {name: self.fields[name] for name in names},
            lambda: ({name: row.get(name) for name in names} for row in self.data),
            source_count=len(self.data),
        )


def kinds(**types: str) -> dict[str, Any]:
    return {name: {"type": kind, "native_type": kind, "nullable": True} for name, kind in types.items()}


def run(rows: list[dict[str, Any]], fields: dict[str, Any], target: str, key: str = "id") -> Receipt:
    with PostgresClient() as client:
        return sync(Source(Memory(fields, rows), "Things", list(fields)), Target(client, target), key=key)


def counts(receipt: Receipt) -> tuple[int, ...]:
    return (receipt.inserted, receipt.updated, receipt.unchanged, receipt.rejected, receipt.duplicates)


def preview_then_apply(
    mode: Mode, rows: list[dict[str, Any]], fields: dict[str, Any], target: str, key: str
) -> Receipt:
    """Both must count the same, and a second run must write nothing."""
    mode("preview")
    foreseen = run(rows, fields, target, key)
    mode("apply")
    done = run(rows, fields, target, key)
    assert counts(foreseen) == counts(done)
    assert [r.reason for r in foreseen.rejects] == [r.reason for r in done.rejects]
    assert done.read == sum(counts(done)) == len(rows)
    again = run(rows, fields, target, key)
    assert (again.inserted, again.updated) == (0, 0)
    return done


def test_a_new_table_is_made_with_a_type_for_each_field(admin: Admin, mode: Mode, schema: Callable[[str], str]) -> None:
    place = schema("SELECT 1")
    fields = kinds(
        id="reference", name="text", n="integer", x="number", ok="boolean", d="date", t="datetime", doc="json"
    )
    rows = [
        {
            "id": "a1",
            "name": "Zoë \N{SPARKLES} \"q\" 'q' \\ \t\n",
            "n": 2**60,
            "x": 0.1,
            "ok": True,
            "d": "2024-02-29",
            "t": "2026-10-22T00:00:00.000+0000",
            "doc": {"a": [1, None, "ü"]},
        },
        {"id": "a2", "name": "", "n": None, "x": None, "ok": None, "d": None, "t": None, "doc": None},
    ]
    done = preview_then_apply(mode, rows, fields, f"{place}.things", "id")
    assert counts(done) == (2, 0, 0, 0, 0)
    found = admin.execute(f"SELECT * FROM {place}.things ORDER BY id").fetchall()
    assert found[0] == (
        "a1",
        "Zoë \N{SPARKLES} \"q\" 'q' \\ \t\n",
        2**60,
        Decimal("0.1"),
        True,
        date(2024, 2, 29),
        datetime(2026, 10, 22, tzinfo=UTC),
        {"a": [1, None, "ü"]},
    )
    assert found[1] == ("a2", "", None, None, None, None, None, None)


def test_the_preview_counts_what_the_run_then_counts(admin: Admin, mode: Mode, schema: Callable[[str], str]) -> None:
    place = schema(
        """
        CREATE TABLE countries (code char(2) PRIMARY KEY);
        INSERT INTO countries VALUES ('de'), ('fr');
        CREATE DOMAIN percent AS int CHECK (value BETWEEN 0 AND 100);
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE TABLE t (
            id text PRIMARY KEY, name varchar(10) NOT NULL, email text UNIQUE, age smallint, score numeric(5,2),
            ratio real, ok boolean, born date, seen timestamptz, local timestamp, doc jsonb, raw json, tags text[],
            country char(2) REFERENCES countries, share percent, feeling mood, price int CHECK (price > 0) DEFAULT 1
        );
        INSERT INTO t (id, name, email, score, ratio, ok, born, seen, local, doc, raw, tags, country, share)
        VALUES ('same', 'Ann', 'ann@x.example', 1.5, 0.1, true, '2024-02-29', '2026-01-01 00:00+00',
                '2026-01-01 01:00', '{"b": 1, "a": 2}', '{"a":1}', '{a,"b,c",NULL}', 'de', 5),
               ('old', 'Bob', 'bob@x.example', 1.5, 0.1, true, '2024-02-29', '2026-01-01 00:00+00',
                '2026-01-01 01:00', '{}', '{}', '{}', 'de', 5)
        """
    )
    same = {
        "id": "same",
        "name": "Ann",
        "email": "ann@x.example",
        "age": None,
        "score": "1.50",
        "ratio": 0.1,
        "ok": "true",
        "born": "2024-02-29T00:00:00.000+0000",
        "seen": "2026-01-01T01:00:00.000+0100",
        "local": "2026-01-01T01:00:00Z",
        "doc": {"a": 2, "b": 1},
        "raw": '{ "a": 1 }',
        "tags": ["a", "b,c", None],
        "country": "de",
        "share": 5,
        "feeling": None,
        "price": 1,
    }
    rows = [
        same,
        {**same, "id": "old", "email": "bob@x.example", "score": 1.504},
        {**same, "id": "new", "email": None},
        {**same, "id": None},
        {**same, "id": "new", "email": "again@x.example"},
        {**same, "id": "long", "email": "l@x.example", "name": "x" * 11},
        {**same, "id": "padded", "email": None, "name": "x" * 10 + "  "},
        {**same, "id": "none", "email": None, "name": None},
        {**same, "id": "nul", "email": "a\0b"},
        {**same, "id": "half", "email": "\ud83d"},
        {**same, "id": "big", "email": None, "age": 40_000},
        {**same, "id": "over", "email": None, "score": 999.995},
        {**same, "id": "word", "email": None, "age": "many"},
        {**same, "id": "third", "email": None, "age": 12.5},
        {**same, "id": "never", "email": None, "born": "2023-02-29"},
        {**same, "id": "taken", "email": "ann@x.example"},
        {**same, "id": "twin1", "email": "twin@x.example"},
        {**same, "id": "twin2", "email": "twin@x.example"},
        {**same, "id": "nowhere", "email": None, "country": "xx"},
        {**same, "id": "domain", "email": None, "share": 101},
        {**same, "id": "enum", "email": None, "feeling": "odd"},
        {**same, "id": "check", "email": None, "price": 0},
        {**same, "id": "json", "email": None, "doc": {"a": "\0"}},
        {**same, "id": "maybe", "email": None, "ok": "perhaps"},
    ]
    done = preview_then_apply(mode, rows, kinds(**dict.fromkeys(same, "text")), f"{place}.t", "id")
    assert counts(done) == (3, 1, 1, 18, 1)
    assert admin.execute(f"SELECT id FROM {place}.t ORDER BY 1").fetchall() == [
        ("new",),
        ("old",),
        ("padded",),
        ("same",),
        ("twin1",),
    ]
    reasons = {reject.record["id"]: reject.reason for reject in done.rejects}
    assert reasons["long"] == "name longer than 10 characters"
    assert reasons["nowhere"] == "refers to a row that is not there (t_country_fkey)"
    assert reasons["taken"] == "another row already has this value (t_email_key)"
    assert reasons["check"] == "breaks the rule t_price_check"
    assert reasons[None] == "no value in the key id"


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE t (id int, v text)",
        "CREATE TABLE t (id int UNIQUE DEFERRABLE, v text)",
        "CREATE TABLE t (id int, v text); CREATE UNIQUE INDEX ON t (id) WHERE v <> 'x'",
        "CREATE TABLE t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (0) TO (2); CREATE TABLE p2 PARTITION OF t DEFAULT",
        "CREATE TABLE base (id int PRIMARY KEY, v text, w int DEFAULT 5); CREATE VIEW t AS SELECT id, v FROM base",
        "CREATE TABLE t (id int PRIMARY KEY, v text) WITH (fillfactor = 50); CREATE INDEX ON t (v)",
    ],
)
def test_rows_are_recognised_whatever_kind_of_table_it_is(
    admin: Admin, mode: Mode, schema: Callable[[str], str], ddl: str
) -> None:
    place = schema(ddl)
    fields = kinds(id="integer", v="text")
    first = preview_then_apply(mode, [{"id": n, "v": "a"} for n in range(4)], fields, f"{place}.t", "id")
    assert counts(first) == (4, 0, 0, 0, 0)
    rows = [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 3, "v": None}, {"id": 9, "v": "new"}]
    second = preview_then_apply(mode, rows, fields, f"{place}.t", "id")
    assert counts(second) == (1, 2, 1, 0, 0)
    found = admin.execute(f"SELECT id, v FROM {place}.t ORDER BY id").fetchall()
    assert found == [(0, "a"), (1, "a"), (2, "b"), (3, None), (9, "new")]


def test_several_rows_of_one_key_in_the_table_are_all_updated_and_counted_once(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'a'), (1, 'b'), (2, 'c')")
    done = preview_then_apply(mode, [{"id": 1, "v": "b"}], kinds(id="integer", v="text"), f"{place}.t", "id")
    assert counts(done) == (0, 1, 0, 0, 0)
    assert admin.execute(f"SELECT v FROM {place}.t ORDER BY 1").fetchall() == [("b",), ("b",), ("c",)]


def test_missing_columns_are_added_and_old_rows_keep_their_values(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema("CREATE TABLE t (id text PRIMARY KEY, kept text); INSERT INTO t VALUES ('a', 'k'), ('b', 'k')")
    fields = kinds(id="text", born="date", size="number")
    rows = [
        {"id": "a", "born": "2020-01-01", "size": 1.25},
        {"id": "b", "born": None, "size": None},
        {"id": "c", "born": None, "size": None},
    ]
    mode("preview")
    foreseen = run(rows, fields, f"{place}.t")
    assert foreseen.changes == [
        f"ALTER TABLE {place}.t ADD COLUMN born date",
        f"ALTER TABLE {place}.t ADD COLUMN size numeric",
    ]
    assert foreseen.differences == [
        {"key": "a", "column": "born", "old": None, "new": "2020-01-01"},
        {"key": "a", "column": "size", "old": None, "new": "1.25"},
    ]
    assert admin.execute(f"SELECT * FROM {place}.t ORDER BY 1").fetchall() == [("a", "k"), ("b", "k")]
    mode("apply")
    done = run(rows, fields, f"{place}.t")
    assert counts(done) == counts(foreseen) == (1, 1, 1, 0, 0)
    assert admin.execute(f"SELECT * FROM {place}.t ORDER BY 1").fetchone() == (
        "a",
        "k",
        date(2020, 1, 1),
        Decimal("1.25"),
    )


def test_a_schema_is_made_with_the_table(admin: Admin, mode: Mode, postgres: dict[str, str]) -> None:
    admin.execute("GRANT CREATE ON DATABASE demo TO integrator")
    try:
        done = preview_then_apply(mode, [{"id": "1"}], kinds(id="text"), "Größe 1.order", "id")
        assert done.changes[0] == 'CREATE SCHEMA "Größe 1"'
        assert admin.execute('SELECT * FROM "Größe 1"."order"').fetchall() == [("1",)]
    finally:
        admin.execute('DROP SCHEMA IF EXISTS "Größe 1" CASCADE')
        admin.execute("REVOKE CREATE ON DATABASE demo FROM integrator")


def test_any_name_a_column_or_table_can_have_works(admin: Admin, mode: Mode, schema: Callable[[str], str]) -> None:
    place = schema(
        'CREATE TABLE "Sales ""2026"" 100%" ("Id" int PRIMARY KEY, "select" text, "a%s" text, "%(x)s" text, "#" int,'
        ' "c0" text, "n" int, "s" text, "t" text, "key" text CHECK ("key" NOT LIKE \'%bad%\'), "{}" text UNIQUE)'
    )
    names = ["Id", "select", "a%s", "%(x)s", "#", "c0", "n", "s", "t", "key", "{}"]
    fields = kinds(**dict.fromkeys(names, "text"))
    row = {name: str(place_) for place_, name in enumerate(names)}
    target = f'{place}.Sales "2026" 100%'
    rows = [row, {**row, "Id": "7", "key": "so bad", "{}": "x"}]
    assert counts(preview_then_apply(mode, rows, fields, target, "Id")) == (1, 0, 0, 1, 0)
    with PostgresClient() as client:
        assert target in client.list_objects()
        assert client.read(target, ["a%s", "{}"], where=[("%(x)s", "=", "3"), ("#", "in", [4])]).first(5) == [
            {"a%s": "2", "{}": "10"}
        ]
        assert client.lookup(target, "Id", ["0", 5], ["%(x)s"]) == {"0": {"%(x)s": "3"}}
        mode("apply")
        assert client.update(target, [{"Id": 0, "a%s": "new"}, {"Id": 99, "a%s": "?"}], key="Id").updated == 1


def test_discovery_refuses_before_anything_is_read(mode: Mode, postgres: dict[str, str]) -> None:
    mode("discovery")
    with pytest.raises(ReadOnlyError, match="belongs in the script, after your approval"):
        run([{"id": "1"}], kinds(id="text"), "public.leads")


def test_a_preview_changes_nothing(admin: Admin, mode: Mode, schema: Callable[[str], str]) -> None:
    place = schema("CREATE TABLE t (id text PRIMARY KEY, v text); INSERT INTO t VALUES ('a', '1')")
    mode("preview")
    with PostgresClient() as client:
        assert client.insert(f"{place}.t", [{"id": "a", "v": "2"}, {"id": "b", "v": "2"}]).inserted == 1
        assert client.update(f"{place}.t", [{"id": "a", "v": "2"}], key="id").updated == 1
        assert client.upsert(f"{place}.t", [{"id": "c", "v": "2"}], key="id").inserted == 1
        assert client.change_table(f"{place}.more", kinds(id="text"), key="id")
    assert admin.execute(f"SELECT * FROM {place}.t").fetchall() == [("a", "1")]
    assert admin.execute("SELECT to_regclass(%s)", [f"{place}.more"]).fetchone() == (None,)


def test_the_run_stops_before_the_batch_that_exceeds_the_approved_rows(
    admin: Admin, mode: Mode, schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 10)
    place = schema("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(0, 14)")
    rows = [{"id": n} for n in range(40)]
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "15")
    with pytest.raises(RowLimitError, match="25 rows are more than the 15 that were approved"):
        run(rows, kinds(id="integer"), f"{place}.t")
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (30,)
    with PostgresClient() as client, pytest.raises(RowLimitError):
        client.insert(f"{place}.t", [{"id": n} for n in range(100, 116)])
    assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (30,)


def test_unchanged_rows_do_not_count_towards_the_ceiling(
    mode: Mode, schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 10)
    place = schema("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(0, 39)")
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "1")
    done = run([{"id": n} for n in range(41)], kinds(id="integer"), f"{place}.t")
    assert counts(done) == (1, 0, 40, 0, 0)


def test_a_repeated_key_counts_once_also_across_batches(
    admin: Admin, mode: Mode, schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 3)
    place = schema("SELECT 1")
    rows = [{"id": str(n % 4), "v": n} for n in range(10)]
    done = preview_then_apply(mode, rows, kinds(id="text", v="integer"), f"{place}.t", "id")
    assert counts(done) == (4, 0, 0, 0, 6)
    assert admin.execute(f"SELECT v FROM {place}.t ORDER BY id").fetchall() == [(0,), (1,), (2,), (3,)]


def test_a_role_without_the_right_hears_it_in_the_preview(mode: Mode, admin: Admin, postgres: dict[str, str]) -> None:
    admin.execute("CREATE TABLE public.closed (id text PRIMARY KEY); ALTER TABLE public.closed OWNER TO owner")
    admin.execute("REVOKE ALL ON public.closed FROM integrator; GRANT SELECT ON public.closed TO integrator, reader")
    try:
        for name in ("preview", "apply"):
            mode(name)
            with pytest.raises(ForbiddenError, match="closed"):
                run([{"id": "1"}], kinds(id="text"), "public.closed")
            with pytest.raises(ForbiddenError, match="customers"):
                run(
                    [{"customer_id": 1, "nickname": "x"}],
                    kinds(customer_id="integer", nickname="text"),
                    "customers",
                    "customer_id",
                )
    finally:
        admin.execute("DROP TABLE public.closed")


def test_columns_that_every_row_needs_are_named_before_anything_is_written(
    mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema("CREATE TABLE t (id text PRIMARY KEY, company text NOT NULL, made date NOT NULL DEFAULT now())")
    for name in ("preview", "apply"):
        mode(name)
        with pytest.raises(
            ValidationError, match=r"needs company, and the records don't have it\. Nothing was written"
        ):
            run([{"id": "1"}], kinds(id="text"), f"{place}.t")


def test_a_computed_column_can_not_be_written(mode: Mode, schema: Callable[[str], str]) -> None:
    place = schema("CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)")
    with PostgresClient() as client:
        assert client.get_fields(f"{place}.t")["twice"]["writable"] is False
    with pytest.raises(ValidationError, match="twice is computed by PostgreSQL"):
        run([{"id": 1, "twice": 2}], kinds(id="integer", twice="integer"), f"{place}.t")


def test_the_key_must_be_a_column_of_the_target(mode: Mode, schema: Callable[[str], str]) -> None:
    place = schema("CREATE TABLE t (name text)")
    with pytest.raises(FieldNotFoundError, match='key "ids" is not among'):
        run([{"id": 1}], kinds(id="integer"), f"{place}.t", key="ids")
    with pytest.raises(ValidationError, match='has no column "id" to recognise known rows by'):
        run([{"id": 1}], kinds(id="integer"), f"{place}.t")


def test_a_trigger_that_refuses_a_row_makes_a_reject_with_its_words(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema(
        """
        CREATE TABLE t (id int PRIMARY KEY);
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF new.id % 5 = 3 THEN RAISE EXCEPTION 'not on my watch'; END IF; RETURN new; END $$;
        CREATE TRIGGER no BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION no()
        """
    )
    done = run([{"id": n} for n in range(20)], kinds(id="integer"), f"{place}.t")
    assert counts(done) == (16, 0, 0, 4, 0)
    assert {reject.reason for reject in done.rejects} == {"not on my watch"}


def test_a_lost_connection_undoes_the_batch_and_says_so(
    admin: Admin, mode: Mode, schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 5)
    place = schema("CREATE TABLE t (id int PRIMARY KEY)")

    class Cutting(Memory):
        def read(self, obj: str, fields: list[str] | None = None, **_: Any) -> Records:
            def rows() -> Any:
                for n in range(20):
                    if n == 12:
                        admin.execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'integrator'"
                        )
                    yield {"id": n}

            return Records(kinds(id="integer"), rows)

    with PostgresClient() as client:
        with pytest.raises(ConnectionError, match="was lost while working on"):
            sync(Source(Cutting({}, []), "x"), Target(client, f"{place}.t"), key="id")
        assert admin.execute(f"SELECT count(*) FROM {place}.t").fetchone() == (10,)
        done = sync(
            Source(Memory(kinds(id="integer"), [{"id": n} for n in range(20)]), "x"),
            Target(client, f"{place}.t"),
            key="id",
        )
    assert counts(done) == (10, 0, 10, 0, 0)


def test_a_table_is_copied_inside_the_same_database_with_its_types(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema("SELECT 1")
    with PostgresClient() as client:
        receipt = sync(Source(client, "orders"), Target(client, f"{place}.orders_copy"), key="order_id")
        kinds_ = {name: field["native_type"] for name, field in client.get_fields(f"{place}.orders_copy").items()}
    assert (receipt.inserted, receipt.source_count) == (400, 400)
    assert kinds_["total"] == "numeric(12,2)"
    assert kinds_["status"] == "text"
    differing = admin.execute(
        f"SELECT count(*) FROM (SELECT order_id, customer_id, status::text, ordered_at, shipped_on, total, note FROM"
        f" public.orders EXCEPT SELECT * FROM {place}.orders_copy) x"
    ).fetchone()
    assert differing == (0,)


def test_what_a_run_did_is_reported(
    mode: Mode, schema: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = schema("SELECT 1")
    report = tmp_path / "report.jsonl"
    monkeypatch.setenv("INTEGRATOR_REPORT", str(report))
    run([{"id": "1"}, {"id": None}], kinds(id="text"), f"{place}.t")
    with PostgresClient() as client:
        client.insert(f"{place}.t", [{"id": "2"}, {"id": "3"}])
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    targets = [line for line in lines if line["kind"] == "target"]
    assert [(t["operation"], t["add"], t["reject"], t["read"]) for t in targets] == [
        ("upsert", 1, 1, 2),
        ("insert", 2, 0, 2),
    ]
    assert targets[0]["changes"] == [f"CREATE TABLE {place}.t (id text PRIMARY KEY)"]
    assert targets[0]["rejects"] == [{"record": {"id": None}, "reason": "no value in the key id"}]
    assert lines[-1]["kind"] == "target"
    assert [line["done"] for line in lines if line["kind"] == "progress"][-1] == 2
    calls = [line for line in lines if line["kind"] == "call"]
    assert all("'" not in call["template"] for call in calls)


def test_a_table_that_the_reader_may_not_see_is_not_taken_for_missing(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema("CREATE TABLE hidden (id text PRIMARY KEY)")
    admin.execute(f"REVOKE ALL ON {place}.hidden FROM reader")
    mode("preview")
    with pytest.raises(ForbiddenError, match=f"GRANT SELECT ON {place}.hidden TO reader"):
        run([{"id": "1"}], kinds(id="text"), f"{place}.hidden")


def test_thousands_of_refused_rows_are_found_without_trying_each(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema(
        "CREATE TABLE c (id int PRIMARY KEY); INSERT INTO c SELECT generate_series(0, 4999, 2);"
        "CREATE TABLE t (id int PRIMARY KEY, c int REFERENCES c)"
    )
    rows = [{"id": n, "c": n} for n in range(5000)]
    done = preview_then_apply(mode, rows, kinds(id="integer", c="integer"), f"{place}.t", "id")
    assert counts(done) == (2500, 0, 0, 2500, 0)


def test_personal_columns_are_those_of_tables_about_people(schema: Callable[[str], str]) -> None:
    place = schema(
        "CREATE TABLE people (id int, name text, email text, phone_number text, born date, city text, plan text);"
        "CREATE TABLE goods (id int, name text, title text, city text)"
    )
    with PostgresClient() as client:
        people, goods = client.get_fields(f"{place}.people"), client.get_fields(f"{place}.goods")
        read = client.read(f"{place}.people", ["name", "plan"]).fields
    assert [name for name, field in people.items() if field.get("personal")] == [
        "name",
        "email",
        "phone_number",
        "born",
        "city",
    ]
    assert not [name for name, field in goods.items() if field.get("personal")]
    assert read["name"]["personal"] is True


def test_a_part_of_a_primary_key_is_not_taken_for_unique(
    admin: Admin, mode: Mode, schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SYNC, "BATCH", 50)
    place = schema("SELECT 1")
    for _ in range(2):
        with PostgresClient() as client:
            items = Source(client, "order_items", {"order_id": "id", "product_id": "product"})
            receipt = sync(items, Target(client, f"{place}.t"), key="id")
    assert (receipt.unchanged, receipt.written, receipt.rejected) == (400, 0, 0)
    assert receipt.duplicates == receipt.read - 400 > 0


def test_a_table_that_somebody_else_holds_is_waited_for_and_then_given_up(
    admin: Admin, mode: Mode, schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("postgresql_driver.src.connection.LOCK_TIMEOUT", 1)
    place = schema("CREATE TABLE t (id text PRIMARY KEY)")
    with admin.transaction():
        admin.execute(f"LOCK TABLE {place}.t")
        with pytest.raises(ConnectionError, match="Somebody else was changing"):
            run([{"id": "1"}], kinds(id="text"), f"{place}.t")


def test_a_run_that_is_killed_leaves_whole_batches_and_the_next_one_goes_on(
    admin: Admin, postgres: dict[str, str], schema: Callable[[str], str]
) -> None:
    place = schema("SELECT 1")
    code = f"""
import sys
from importlib import import_module
from integrator_drivers import Records, Target, sync
from postgresql_driver import PostgresClient

import_module("integrator_drivers.transfer").BATCH = 10

def rows():
    for n in range(50):
        if n == 25 and sys.argv[1] == "stop":
            print("reached", flush=True)
            sys.stdin.read()
        yield {{"id": n, "v": "x"}}

kinds = {{"id": {{"type": "integer", "native_type": "int", "nullable": False}},
         "v": {{"type": "text", "native_type": "text", "nullable": True}}}}
with PostgresClient() as client:
    print(sync(Records(kinds, rows), Target(client, "{place}.t"), key="id"))
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen([*command, "stop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "reached\n"
        first.kill()
    assert admin.execute(f"SELECT count(*), min(id), max(id) FROM {place}.t").fetchone() == (20, 0, 19)
    second = subprocess.run([*command, "go"], capture_output=True, text=True, check=True)
    assert second.stdout.strip() == "50 read = 30 added + 0 updated + 20 unchanged + 0 rejected"
    left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'integrator_stage%'"
    assert admin.execute(left).fetchone() == (0,)


def test_columns_of_every_type_are_written_and_recognised(
    admin: Admin, mode: Mode, schema: Callable[[str], str]
) -> None:
    place = schema(
        """
        CREATE TYPE pair AS (a int, b text);
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE TABLE t (
            id uuid PRIMARY KEY, a json[], b mood[], c text[][], d int4range, e inet, f cidr, g macaddr, h time,
            i timetz, j interval, k point, l bytea, m money, n bit(4), o tsvector, q pair, r name, s char,
            t int2[], u numeric, v timestamp(0), w varchar(3)[], x "char", y circle
        )
        """
    )
    row = {
        "id": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "a": ['{"x": 1}', None],
        "b": ["good", "bad"],
        "c": [["a", 'b"\\'], [",", None]],
        "d": "[1,5]",
        "e": "::1",
        "f": "10.0.0.0/8",
        "g": "08:00:2b:01:02:03",
        "h": "10:00",
        "i": "10:00+02",
        "j": "36 hours",
        "k": "(1,2)",
        "l": b"\x00\xff",
        "m": "12.50",
        "n": "0101",
        "o": "fat cat",
        "q": "(1,two)",
        "r": "name",
        "s": "x",
        "t": [1, 2],
        "u": Decimal("1e30"),
        "v": "2026-01-01T00:00:00.6",
        "w": ["abc"],
        "x": "y",
        "y": "<(0,0),1>",
    }
    fields = kinds(**dict.fromkeys(row, "text"))
    assert counts(preview_then_apply(mode, [row], fields, f"{place}.t", "id")) == (1, 0, 0, 0, 0)
    changed = {**row, "a": ['{"x": 2}'], "c": None, "k": "(2,2)"}
    mode("preview")
    assert [d["column"] for d in run([changed], fields, f"{place}.t").differences] == ["a", "c", "k"]
    assert counts(preview_then_apply(mode, [changed], fields, f"{place}.t", "id")) == (0, 1, 0, 0, 0)
    with PostgresClient() as client:
        (back,) = client.read(f"{place}.t").rows()
        assert back["l"] == b"\x00\xff"
        receipt = sync(Source(client, f"{place}.t"), Target(client, f"{place}.copy"), key="id")
        assert receipt.rejects == []
        assert (receipt.inserted, receipt.rejected) == (1, 0)
        again = sync(Source(client, f"{place}.t"), Target(client, f"{place}.copy"), key="id")
        assert again.unchanged == 1

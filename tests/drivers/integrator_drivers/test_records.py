"""Records: a stream of rows, its files, DataFrames and joins."""

from __future__ import annotations

import csv
import json
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrator_drivers
from integrator_drivers import DriverError, FieldNotFoundError, Records, ValidationError, join, show


def fields(**types: str) -> dict[str, Any]:
    return {name: {"type": kind, "native_type": kind, "nullable": True} for name, kind in types.items()}


def test_the_public_face_is_what_all_says() -> None:
    names = integrator_drivers.__all__
    assert sorted(names) == sorted(set(names))
    public = {
        name
        for name, value in vars(integrator_drivers).items()
        if not name.startswith("_") and type(value).__name__ != "module"
    }
    assert public == set(names)


def test_records_of_a_function_are_read_afresh_each_time() -> None:
    reads: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        reads.append(1)
        yield {"a": 1}
        yield {"a": 2}

    records = Records(fields(a="integer"), rows)
    assert records.count is None
    assert [row["a"] for row in records.rows()] == [1, 2]
    assert [row["a"] for row in records] == [1, 2]
    assert len(reads) == 2
    assert records.count == 2


def test_records_of_an_iterator_are_read_once() -> None:
    records = Records(fields(a="integer"), iter([{"a": 1}]))
    assert records.first(5) == [{"a": 1}]
    with pytest.raises(ValidationError, match="only once"):
        records.first(5)


def test_a_list_knows_its_count_and_a_source_may_tell_it() -> None:
    assert Records(fields(a="integer"), [{"a": 1}]).count == 1
    assert Records(fields(a="integer"), lambda: iter(()), source_count=7).count == 7


def test_the_first_rows_stop_the_read() -> None:
    closed: list[bool] = []

    def rows() -> Iterator[dict[str, Any]]:
        try:
            for n in range(1_000_000):
                yield {"a": n}
        finally:
            closed.append(True)

    records = Records(fields(a="integer"), rows)
    assert records.first(3) == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert closed == [True]
    assert records.count is None


def test_batches_are_full_but_the_last() -> None:
    records = Records(fields(a="integer"), [{"a": n} for n in range(7)])
    assert [len(batch) for batch in records.batches(3)] == [3, 3, 1]
    with pytest.raises(ValidationError):
        next(records.batches(0))


def test_memory_stays_flat_however_many_rows_there_are(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for n in range(60_000):
            yield {"a": n, "b": "x" * 100}

    records = Records(fields(a="integer", b="text"), rows)
    tracemalloc.start()
    try:
        records.to_csv(tmp_path / "big.csv")
        records.to_jsonl(tmp_path / "big.jsonl")
        show(records)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "big.csv").stat().st_size > 6_000_000
    assert peak < 1_000_000


def test_renamed_fields_keep_their_order_and_follow_the_source_count() -> None:
    records = Records(fields(a="integer", b="text"), [{"a": 1, "b": "x"}])
    renamed = records.renamed({"b": "text", "a": "number"})
    assert list(renamed.fields) == ["text", "number"]
    assert renamed.first(1) == [{"text": "x", "number": 1}]
    with pytest.raises(FieldNotFoundError, match='no field "c"'):
        records.renamed({"c": "d"})
    with pytest.raises(ValidationError, match="same name: x"):
        records.renamed({"a": "x", "b": "x"})


AWKWARD = [
    {"t": "", "n": 0, "x": Decimal("1.10"), "b": False, "d": date(2024, 2, 29), "m": datetime(2026, 1, 1, tzinfo=UTC)},
    {"t": None, "n": None, "x": None, "b": None, "d": None, "m": None},
    {
        "t": ' "q", \n\r\t\\ é \N{ROCKET} ',
        "n": -(2**62),
        "x": 1e-7,
        "b": True,
        "d": "2024-02-29",
        "m": "2026-01-01T00:00:00.000+0000",
    },
    {"t": "=1+1", "n": 10**25, "x": float("nan"), "b": True, "d": None, "m": None},
]
KINDS = fields(t="text", n="integer", x="number", b="boolean", d="date", m="datetime")


def test_a_csv_tells_empty_text_from_no_value(tmp_path: Path) -> None:
    Records(KINDS, AWKWARD).to_csv(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_bytes().decode()
    lines = text.split("\n")
    assert lines[0] == "t,n,x,b,d,m"
    assert lines[1] == '"",0,1.10,false,2024-02-29,2026-01-01T00:00:00+00:00'
    assert lines[2] == ",,,,,"
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["t"] for row in rows] == [row["t"] or "" for row in AWKWARD]
    assert rows[2]["x"] == "1e-07"
    assert rows[3]["n"] == str(10**25)


def test_json_keeps_types_and_all_digits(tmp_path: Path) -> None:
    kinds = fields(t="text", x="number", j="json", b="binary", w="text")
    rows = [
        {"t": "ä\0", "x": Decimal("12345678901234567890.10"), "j": {"a": [1, None]}, "b": b"\0\xff", "w": time(1, 2)},
        {"t": "\ud800", "x": Decimal("NaN"), "j": {1, 2}, "b": None, "w": None},
    ]
    records = Records(kinds, rows)
    records.to_json(tmp_path / "a.json")
    records.to_jsonl(tmp_path / "a.jsonl")
    found = json.loads((tmp_path / "a.json").read_bytes(), parse_float=str)
    assert found[0] == {"t": "ä\0", "x": "12345678901234567890.10", "j": {"a": [1, None]}, "b": "AP8=", "w": "01:02:00"}
    assert found[1]["x"] is None
    assert found == [json.loads(line, parse_float=str) for line in (tmp_path / "a.jsonl").read_bytes().splitlines()]
    Records(kinds, []).to_json(tmp_path / "none.json")
    assert json.loads((tmp_path / "none.json").read_bytes()) == []


def test_parquet_has_a_type_for_each_column(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    kinds = {**KINDS, "p": {"type": "number", "native_type": "numeric(12,2)", "nullable": True}}
    rows = [{**row, "n": 1 if row["n"] else None, "p": "1.5", "x": 1} for row in AWKWARD]
    Records(kinds, rows).to_parquet(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "t": "string",
        "n": "int64",
        "x": "double",
        "b": "bool",
        "d": "date32[day]",
        "m": "timestamp[us, tz=UTC]",
        "p": "decimal128(12, 2)",
    }
    assert table["p"].to_pylist() == [Decimal("1.50")] * 4
    assert table["m"].to_pylist()[2] == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_dataframe_has_column_types_that_allow_no_value() -> None:
    frame = Records(KINDS, AWKWARD[:3]).to_dataframe()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "t": "str",
        "n": "Int64",
        "x": "float64",
        "b": "boolean",
        "d": str(frame["d"].dtype),
        "m": str(frame["m"].dtype),
    }
    assert str(frame["d"].dtype).startswith("datetime64")
    assert str(frame["m"].dtype).endswith("UTC]")
    assert frame.shape == (3, 6)
    assert frame["n"].isna().tolist() == [False, True, False]
    assert Records(KINDS, AWKWARD).to_dataframe(limit=1).shape == (1, 6)
    assert list(Records(KINDS, []).to_dataframe().columns) == list(KINDS)


def test_a_column_that_does_not_fit_its_type_stays_as_it_is() -> None:
    frame = Records(
        fields(n="integer", d="date"), [{"n": 10**25, "d": "infinity"}, {"n": 1.5, "d": None}]
    ).to_dataframe()
    assert frame["n"].tolist() == [10**25, 1.5]
    assert frame["d"].tolist()[0] == "infinity"


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield {"a": 1}
        raise integrator_drivers.ConnectionError("The line went dead.")

    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(integrator_drivers.ConnectionError, match="The line went dead"):
        Records(fields(a="integer"), rows).to_csv(target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_that_can_not_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(DriverError, match=r"taken could not be written"):
        Records(fields(a="integer"), [{"a": 1}]).to_csv(tmp_path / "taken")
    with pytest.raises(DriverError, match="could not be written"):
        Records(fields(a="integer"), [{"a": 1}]).to_csv("/dev/null/x.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    import resource

    target = tmp_path / "a.jsonl"
    target.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DriverError, match=r"a\.jsonl could not be written .*The file of that name is as it was"):
            Records(fields(a="text"), [{"a": "x" * 1000}] * 200).to_jsonl(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_relative_files_go_to_the_working_folder_and_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    records = Records(fields(a="integer"), lambda: iter([{"a": 1}, {"a": 2}]), system="x", obj="Things")
    records.to_csv("out/a.csv")
    records.to_csv("b.csv")
    lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert lines == [
        {"kind": "read", "system": "x", "object": "Things", "rows": 2, "fields": ["a"]},
        {"kind": "file", "path": "out/a.csv", "rows": 2, "bytes": 6, "columns": ["a"], "first": [{"a": 1}, {"a": 2}]},
        {"kind": "file", "path": "b.csv", "rows": 2, "bytes": 6, "columns": ["a"], "first": [{"a": 1}, {"a": 2}]},
    ]


values = st.one_of(st.none(), st.text(st.characters(codec="utf-8")), st.text(alphabet=' ,"\n\r\t\\a', max_size=6))


@given(st.lists(st.tuples(values, values), max_size=20))
def test_what_a_csv_holds_can_be_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    data = [{"a": a, "b": b} for a, b in rows]
    Records(fields(a="text", b="text"), data).to_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    assert found[1:] == [[row["a"] or "", row["b"] or ""] for row in data]


keys = st.one_of(st.none(), st.integers(0, 3))


@given(st.lists(keys, max_size=12), st.lists(keys, max_size=12), st.sampled_from(["left", "inner"]))
def test_a_join_has_each_left_row_as_often_as_it_has_matches(left: list[Any], right: list[Any], keep: Any) -> None:
    joined = join(
        Records(fields(id="integer", n="integer"), [{"id": key, "n": n} for n, key in enumerate(left)]),
        Records(fields(id="integer", m="integer"), [{"id": key, "m": m} for m, key in enumerate(right)], obj="Right"),
        "id",
        "id",
        keep=keep,
    )
    expected = []
    for n, key in enumerate(left):
        matches = [m for m, other in enumerate(right) if key is not None and key == other]
        expected += [(key, n, key, m) for m in matches]
        if not matches and keep == "left":
            expected.append((key, n, None, None))
    assert list(joined.fields) == ["id", "n", "Right.id", "m"]
    assert [tuple(row.values()) for row in joined.rows()] == expected


def test_a_join_names_clashing_columns_and_can_prefix_them() -> None:
    one = Records(fields(id="integer"), [{"id": 1}])
    two = Records(fields(id="integer", name="text"), [{"id": 1, "name": "x"}], obj="Lead")
    assert join(one, two, "id", "id").first(1) == [{"id": 1, "Lead.id": 1, "name": "x"}]
    assert join(one, two, "id", "id", prefix="lead_").first(1) == [{"id": 1, "lead_id": 1, "lead_name": "x"}]
    thrice = join(join(one, two, "id", "id"), two, "id", "id")
    assert len(set(thrice.fields)) == len(thrice.first(1)[0]) == 5
    with pytest.raises(FieldNotFoundError, match="right side of the join has no field"):
        join(one, two, "id", "ids")
    with pytest.raises(ValidationError, match='not "right"'):
        join(one, two, "id", "id", keep="right")  # type: ignore[arg-type]


def test_keys_of_different_kinds_match_by_their_text() -> None:
    number = "12345678-1234-5678-1234-567812345678"
    texts = Records(fields(id="text"), [{"id": "5"}, {"id": number}, {"id": None}])
    others = Records(fields(n="integer"), [{"n": 5}, {"n": UUID(number)}], obj="o")
    assert [row["n"] for row in join(texts, others, "id", "n").rows()] == [5, UUID(number), None]
    with pytest.raises(ValidationError, match="holds JSON"):
        join(Records(fields(j="json"), []), others, "j", "n")


def test_joined_columns_may_be_empty_and_are_no_key_any_more() -> None:
    kinds = fields(id="integer")
    kinds["id"] |= {"primary_key": True, "nullable": False}
    joined = join(Records(kinds, []), Records(kinds, [], obj="r"), "id", "id")
    assert "primary_key" not in joined.fields["id"]
    assert joined.fields["r.id"] == {"type": "integer", "native_type": "integer", "nullable": True}
    assert kinds["id"]["primary_key"] is True


def test_show_reports_tables_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    show(Records(fields(a="integer"), [{"a": n} for n in range(30)]), name="many")
    show(pd.DataFrame({"a": [1, None], "t": pd.to_datetime(["2026-01-01", None])}), name="frame")
    show([{"a": 1}, {"b": date(2026, 1, 1)}], name="list")
    show({"Id": {"type": "text"}, "Name": {"type": "text", "nullable": True}}, name="fields")
    show({"answer": 42}, name="value")
    show([], name="nothing")
    lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert [(line["kind"], line["name"], line.get("columns"), line.get("count")) for line in lines] == [
        ("table", "many", ["a"], 30),
        ("table", "frame", ["a", "t"], 2),
        ("table", "list", ["a", "b"], 2),
        ("table", "fields", ["name", "type", "nullable"], 2),
        ("value", "value", None, None),
        ("value", "nothing", None, None),
    ]
    assert len(lines[0]["rows"]) == 20
    assert lines[1]["rows"] == [{"a": 1.0, "t": "2026-01-01 00:00:00"}, {"a": None, "t": None}]
    assert lines[4]["value"] == {"answer": 42}


def test_show_prints_a_short_table_where_nobody_listens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INTEGRATOR_REPORT", raising=False)
    show([{"name": f"n{n}", "long": "x" * 90} for n in range(25)], name="things")
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "things: 25 rows"
    assert text.splitlines()[-1] == "... 5 more"
    assert max(map(len, text.splitlines())) < 60

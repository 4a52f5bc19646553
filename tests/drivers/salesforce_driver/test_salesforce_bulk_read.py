from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_drivers import ConnectionError, FieldNotFoundError, ValidationError
from salesforce_driver import SalesforceClient
from salesforce_driver.src import bulk_query, jobs
from salesforce_driver.src.csv_page import Page

AWKWARD = [
    {"LastName": 'Quote "x"', "Company": 'a,",b', "Description": 'Two\nlines, ",", and\n",\n', "Title": "😀 é"},
    {"LastName": '"', "Company": '""', "Description": "\r\nWindows\r\n", "Title": None, "AnnualRevenue": 12.5},
    {"LastName": "#N/A", "Company": "null", "Description": "'; --", "NumberOfEmployees": 0, "AnnualRevenue": 1e15},
    {"LastName": " ".join(["long"] * 15), "Company": "NaN", "Street": 'Line "1"\nLine 2', "City": "Žďár", "Email": ""},
]
EVERYTHING = [
    *("Id", "Name", "Company", "Title", "Description", "Email", "IsConverted", "AnnualRevenue", "NumberOfEmployees"),
    *("CreatedDate", "SystemModstamp", "ConvertedDate", "Owner.Name", "OwnerId", "ConvertedOpportunity.Amount"),
]


@pytest.fixture(scope="module", autouse=True)
def awkward_leads(served_org: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in served_org.env.items():
            patch.setenv(name, value)
        with SalesforceClient() as salesforce:
            assert salesforce.insert("Lead", AWKWARD).inserted == len(AWKWARD)


@pytest.fixture
def salesforce(org: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SalesforceClient]:
    """A client for which 100 rows are many; pages of REST have 200, those of Bulk 150."""
    monkeypatch.setattr(bulk_query, "BULK_FROM", 100)
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 150)
    monkeypatch.setattr(jobs, "FIRST_PAUSE", 0.001)
    with SalesforceClient() as client:
        client._connection._open().headers["Sforce-Query-Options"] = "batchSize=200"
        client._connection._transport._sleep = lambda seconds: None
        yield client


@pytest.fixture
def by_rest(org: Any, salesforce: SalesforceClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads without Bulk."""

    def read(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bulk_query, "BULK_FROM", 10**9)
            return list(salesforce.read(*args, **kwargs).rows())

    return read


def asked(org: Any, path: str) -> list[dict[str, Any]]:
    return [request for request in org.requests() if path in request["path"]]


def by_id(rows: Any) -> dict[str, Any]:
    return {row["Id"]: row for row in rows}


def test_a_large_answer_comes_by_bulk_in_pages_and_gives_the_same_rows_and_types(
    org: Any, salesforce: SalesforceClient, by_rest: Any
) -> None:
    expected = by_id(by_rest("Lead", fields=EVERYTHING))
    records = salesforce.read("Lead", fields=EVERYTHING)
    found = list(records.rows())
    assert len(asked(org, "/results")) == 4
    assert len(found) == records.source_count == records.count == 454
    assert by_id(found) == expected
    kinds = {name: {type(row[name]) for row in found} for name in EVERYTHING}
    assert kinds == {name: {type(row[name]) for row in expected.values()} for name in EVERYTHING}
    assert [list(row) for row in found[:1]] == [EVERYTHING]
    assert by_id(records.rows()) == expected


def test_awkward_values_arrive_as_they_were_written(salesforce: SalesforceClient) -> None:
    rows = {row["LastName"]: row for row in salesforce.read("Lead").rows()}
    first = rows['Quote "x"']
    assert (first["Company"], first["Description"], first["Title"]) == (
        'a,",b',
        'Two\nlines, ",", and\n",\n',
        "😀 é",
    )
    assert (rows['"']["Company"], rows['"']["AnnualRevenue"]) == ('""', 12.5)
    assert rows["#N/A"]["NumberOfEmployees"] == 0
    assert rows[" ".join(["long"] * 15)]["Email"] is None


def test_a_small_answer_costs_no_job(org: Any, salesforce: SalesforceClient) -> None:
    assert len(list(salesforce.read("Lead", fields=["Id"], where=[("IsConverted", "=", True)], limit=50).rows())) == 50
    assert len(salesforce.read("Lead", fields=["Id"]).first(5)) == 5
    assert len(salesforce.read("Lead", fields=["Id"]).to_dataframe(limit=5)) == 5
    assert not asked(org, "/jobs/")


def test_discovery_never_waits_for_a_job(
    org: Any, salesforce: SalesforceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MODE", "discovery")
    assert len(list(salesforce.read("Lead", fields=["Id"]).rows())) == 454
    assert not asked(org, "/jobs/")


def test_compound_fields_are_asked_for_by_their_parts(org: Any, salesforce: SalesforceClient, by_rest: Any) -> None:
    records = salesforce.read("Lead", fields=["Id", "Address"])
    assert not records.sends_csv
    assert by_id(records.rows()) == by_id(by_rest("Lead", fields=["Id", "Address"]))
    assert len(asked(org, "/results")) == 4


def test_what_bulk_can_not_answer_is_read_by_rest(org: Any, salesforce: SalesforceClient) -> None:
    with_children = salesforce.query("SELECT Id, (SELECT Id FROM CampaignMembers) FROM Lead")
    assert len(list(with_children.rows())) == 454
    assert len(list(salesforce.query("SELECT Id FROM Lead ORDER BY Id LIMIT 400 OFFSET 10").rows())) == 400
    assert len(list(salesforce.query("SELECT toLabel(Status), Id FROM Lead").rows())) == 454
    assert not asked(org, "/jobs/")


def test_a_free_query_of_plain_columns_comes_by_bulk_too(org: Any, salesforce: SalesforceClient) -> None:
    records = salesforce.query("SELECT Id, Owner.Name, CreatedDate FROM Lead ORDER BY Id")
    rows = list(records.rows())
    assert [row["Id"] for row in rows] == sorted(row["Id"] for row in rows)
    assert len(rows) == 454 and list(rows[0]) == ["Id", "Owner.Name", "CreatedDate"]
    assert len(asked(org, "/results")) == 4


def test_deleted_records_are_read_on_request_by_rest_and_by_bulk(
    org: Any, salesforce: SalesforceClient, by_rest: Any
) -> None:
    rest = by_id(by_rest("Lead", fields=["Id", "IsDeleted"], deleted=True))
    bulk = by_id(salesforce.read("Lead", fields=["Id", "IsDeleted"], deleted=True).rows())
    assert rest == bulk
    assert sum(row["IsDeleted"] for row in bulk.values()) == 6
    assert len(asked(org, "/results")) == 4
    found = salesforce.query("SELECT Id FROM Lead WHERE IsDeleted = true", deleted=True)
    assert len(list(found.rows())) == 6


def test_pages_of_csv_flow_on_with_one_header_and_no_value_unquoted(
    org: Any, salesforce: SalesforceClient, by_rest: Any
) -> None:
    fields = ["Id", "LastName", "Company", "Description", "AnnualRevenue", "Email", "ConvertedDate"]
    records = salesforce.read("Lead", fields=fields)
    assert records.sends_csv
    renamed = records.renamed({name: name.lower() for name in fields})
    pages = list(renamed.csv_pages())
    assert pages[0] == b"id,lastname,company,description,annualrevenue,email,converteddate\n"
    assert all(page.endswith(b"\n") for page in pages)
    text = b"".join(pages).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    expected = by_id(by_rest("Lead", fields=fields))
    assert len(rows) == renamed.count == len(expected)
    for row in rows:
        known = expected[row[0]]
        assert row[1:4] == [known[name] or "" for name in fields[1:4]]
    # An empty cell in quotes would be an empty text for COPY; Salesforce has none.
    assert '""' not in re.findall(r'"(?:[^"]|"")*"', text)


def test_pages_of_csv_of_a_small_answer_are_made_of_its_rows(org: Any, salesforce: SalesforceClient) -> None:
    records = salesforce.read("Lead", fields=["Id", "Email"], where=[("LastName", "in", ['Quote "x"', '"'])])
    assert b"".join(records.csv_pages()).count(b"\n") == 3
    assert records.count == 2
    assert not asked(org, "/jobs/")


def test_a_slow_job_is_waited_for(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("slow_job", polls=4)
    assert len(list(salesforce.read("Lead", fields=["Id"]).rows())) == 454
    statuses = [request for request in asked(org, "/jobs/query/") if not request["path"].endswith("/results")]
    assert len(statuses) == 5


def test_a_job_that_takes_too_long_is_stopped_and_said(
    org: Any, salesforce: SalesforceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", -1.0)
    org.fault("slow_job", polls=4)
    with pytest.raises(Exception, match=r"has not finished a bulk job .*Nothing was read\. Run again later"):
        list(salesforce.read("Lead", fields=["Id"]).rows())
    assert asked(org, "/jobs/query/")[-1]["method"] == "PATCH"


def test_where_bulk_fails_or_is_not_allowed_rest_goes_on(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("fail_job")
    assert len(list(salesforce.read("Lead", fields=["Id"]).rows())) == 454
    assert not asked(org, "/results")
    org.calm()
    org.fault("next_status", status=404, path="/jobs/query")
    assert len(list(salesforce.read("Lead", fields=["Id"]).rows())) == 454
    assert not asked(org, "/results")


def test_half_a_page_is_asked_for_again_and_no_row_comes_twice(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("cut_csv")
    org.fault("truncate", path="/results")
    org.fault("next_status", status=503, path="/results")
    rows = list(salesforce.read("Lead", fields=EVERYTHING).rows())
    assert len(rows) == len({row["Id"] for row in rows}) == 454
    assert len(asked(org, "/results")) == 6


def test_half_a_page_again_and_again_stops_with_a_sentence(org: Any, salesforce: SalesforceClient) -> None:
    org.fault("cut_csv", times=9)
    with pytest.raises(ConnectionError, match=r"only a part of a page of a bulk result\. Nothing was read\. Run again"):
        list(salesforce.read("Lead", fields=["Id"]).rows())


@pytest.mark.parametrize("path", ["/jobs/query$", "/jobs/query/[^/]+$", "/results"])
def test_a_session_that_ends_is_renewed_at_every_step(org: Any, salesforce: SalesforceClient, path: str) -> None:
    org.fault("next_status", status=401, path=path)
    assert len(list(salesforce.read("Lead", fields=["Id"]).rows())) == 454
    assert len(asked(org, "/oauth2/token")) == 2


def test_a_question_too_long_for_an_address_is_asked_by_bulk(
    org: Any, salesforce: SalesforceClient, by_rest: Any
) -> None:
    names = [f"No such name {n}" for n in range(2_500)]
    records = salesforce.read("Lead", fields=["Id"], where=[("LastName", "not in", names)])
    assert len(list(records.rows())) == records.source_count == 454
    assert not asked(org, "/query?")
    org.fault("fail_job")
    with pytest.raises(ValidationError, match="refused to answer it by its Bulk API"):
        list(salesforce.read("Lead", fields=["Id"], where=[("LastName", "not in", names)]).rows())


def test_an_ordered_read_is_ordered_as_a_whole(org: Any, salesforce: SalesforceClient) -> None:
    ids = [row["Id"] for row in salesforce.read("Lead", fields=["Id"]).rows()]
    org.calm()
    unknown = [f"00Q5g0000{n:06}" for n in range(1_500)]
    wanted = [("Id", "in", [*ids, *unknown])]
    rows = list(salesforce.read("Lead", fields=["Id", "CreatedDate"], where=wanted, order_by="createddate").rows())
    assert [row["CreatedDate"] for row in rows] == sorted(row["CreatedDate"] for row in rows)
    assert len(rows) == 454
    assert asked(org, "/results") and not [one for one in asked(org, "/query") if "jobs" not in one["path"]]
    small = list(salesforce.read("Lead", fields=["Id"], limit=10, order_by="Id").rows())
    assert [row["Id"] for row in small] == sorted(ids)[:10]
    with pytest.raises(ValidationError, match="more values than fit into one question"):
        many = [f"00Q5g1{n:09}" for n in range(6_000)]
        salesforce.read("Lead", fields=["Id"], where=[("Id", "in", many)], order_by="Id")
    with pytest.raises(FieldNotFoundError):
        salesforce.read("Lead", order_by="Createt")


def test_the_report_names_the_job_without_values(
    org: Any, salesforce: SalesforceClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_REPORT", str(tmp_path / "report"))
    list(salesforce.read("Lead", fields=["Id"], where=[("LastName", "!=", "O'Hara")]).rows())
    lines = [json.loads(line) for line in (tmp_path / "report").read_text(encoding="utf-8").splitlines()]
    calls = [line["template"] for line in lines if line["kind"] == "call"]
    assert "jobs/query: SELECT Id FROM Lead WHERE LastName != ?" in calls
    assert "jobs/query/{id}/results" in calls
    assert lines[-1] == {"kind": "read", "system": "salesforce", "object": "Lead", "rows": 454, "fields": ["Id"]}


def page_of(text: str, size: int = 7) -> Page:
    page = Page()
    data = text.encode()
    for start in range(0, len(data), size):
        page.feed(data[start : start + size])
    assert page.finish()
    return page


@pytest.mark.parametrize(
    ("text", "header", "expected"),
    [
        ('"A","B"\n"1",""\n"","2"\n', True, [["1", ""], ["", "2"]]),
        ('"A","B"\n"1","a\n""\nb"\n"","2"', True, [["1", 'a\n"\nb'], ["", "2"]]),
        ('"","a,"",b"\n"""","",\n', False, [["", 'a,",b'], ['"', "", ""]]),
        ("A,B\r\n1,2\r\n", True, [["1", "2"]]),
        ('"A","B"\n', True, []),
        ("", False, []),
    ],
)
def test_pages_are_cut_into_whole_rows(
    text: str, header: bool, expected: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 8, 10_000):
        monkeypatch.setattr("salesforce_driver.src.csv_page.BLOCK", size)
        page = page_of(text)
        assert page.rows == len(expected) + header
        blocks = list(page.blocks(header=header))
        assert sum(block.rows for block in blocks) == len(expected)
        joined = b"".join(block.data for block in blocks).decode()
        assert list(csv.reader(io.StringIO(joined, newline=""))) == expected
        assert ',""' not in joined.replace(',"",b', "") and not joined.startswith('"",')
        page.close()


CELLS = st.text(st.sampled_from(['"', ",", "\n", "\r", "a", "é"]), max_size=5)


@settings(max_examples=400, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6),
    always=st.booleans(),
    block=st.integers(1, 60),
    piece=st.integers(1, 40),
)
def test_whatever_the_cells_hold_rows_are_counted_and_only_empty_cells_lose_their_quotes(
    rows: list[list[str]], always: bool, block: int, piece: int
) -> None:
    def written(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if always or set(cell) & set('",\n\r') else cell

    text = "".join(",".join(map(written, row)) + "\n" for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("salesforce_driver.src.csv_page.BLOCK", block)
        page = page_of(text, piece)
        assert page.rows == len(rows)
        joined = b"".join(one.data for one in page.blocks(header=False)).decode()
    assert list(csv.reader(io.StringIO(joined, newline=""))) == rows
    assert '""' not in re.findall(r'"(?:[^"]|"")*"', joined)
    page.close()


@pytest.mark.parametrize("from_rows", [100, 10**9], ids=["Bulk", "REST"])
def test_rows_as_tuples_are_the_same_rows_with_times_as_text(
    org: Any, salesforce: SalesforceClient, by_rest: Any, monkeypatch: pytest.MonkeyPatch, from_rows: int
) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.strftime("%Y-%m-%dT%H:%M:%S")
        return value.isoformat() if isinstance(value, date) else value

    def cut(name: str, value: Any) -> Any:
        return value[:19] if name in ("CreatedDate", "SystemModstamp") else value

    for fields in (EVERYTHING, EVERYTHING[:-3], ["Name", "Id"]):
        expected = by_id(by_rest("Lead", fields=fields))
        monkeypatch.setattr(bulk_query, "BULK_FROM", from_rows)
        records = salesforce.read("Lead", fields=fields)
        pages = records.tuples(10)
        assert pages is not None
        found = [dict(zip(fields, row, strict=True)) for page in pages for row in page]
        assert records.count == len(found) == len(expected)
        assert [{name: cut(name, plain(value)) for name, value in row.items()} for row in by_id(found).values()] == [
            {name: plain(expected[key][name]) for name in fields} for key in by_id(found)
        ]

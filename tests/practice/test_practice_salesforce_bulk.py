"""Bulk API 2.0 of the practice Salesforce, in plain HTTP."""

from __future__ import annotations

import csv
import gzip
import io
from http.client import HTTPConnection
from typing import Any

import pytest

JOBS = "/services/data/v59.0/jobs"


def raw(small: Any, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", small.served.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {small.token}", **headers})
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def query_job(small: Any, soql: str, operation: str = "query", **more: str) -> str:
    status, job = small.rest("POST", "/jobs/query", {"operation": operation, "query": soql, **more})
    assert (status, job["state"]) == (200, "UploadComplete"), job
    return str(job["id"])


def pages(small: Any, job: str, size: int) -> list[tuple[list[list[str]], dict[str, str]]]:
    """(rows with header, headers) of every page."""
    found = []
    locator = ""
    while True:
        status, body, headers = raw(small, f"{JOBS}/query/{job}/results?maxRecords={size}{locator}")
        assert status == 200
        found.append((list(csv.reader(io.StringIO(body.decode(), newline=""))), headers))
        if headers["Sforce-Locator"] == "null":
            return found
        locator = f"&locator={headers['Sforce-Locator']}"


def finished(small: Any, job: str, kind: str = "query") -> dict[str, Any]:
    status, answer = small.rest("GET", f"/jobs/{kind}/{job}")
    assert status == 200
    return dict(answer)


def test_a_query_job_gives_its_rows_page_by_page(small: Any) -> None:
    job = query_job(small, "SELECT Id, Name, Owner.Name, IsConverted, CreatedDate FROM Lead ORDER BY Id")
    done = finished(small, job)
    assert (done["state"], done["numberRecordsProcessed"], done["jobType"]) == ("JobComplete", 60, "V2Query")
    found = pages(small, job, 25)
    assert [len(rows) for rows, _ in found] == [26, 26, 11]
    assert [headers["Sforce-NumberOfRecords"] for _, headers in found] == ["25", "25", "10"]
    assert {tuple(rows[0]) for rows, _ in found} == {("Id", "Name", "Owner.Name", "IsConverted", "CreatedDate")}
    by_rest = small.rows("SELECT Id, Name, Owner.Name, IsConverted, CreatedDate FROM Lead ORDER BY Id")
    assert [row for rows, _ in found for row in rows[1:]] == [
        [
            row["Id"],
            row["Name"],
            row["Owner"]["Name"],
            str(row["IsConverted"]).lower(),
            row["CreatedDate"].replace("+0000", "Z"),
        ]
        for row in by_rest
    ]


def test_a_page_is_large_unless_a_smaller_one_is_asked_for(small: Any) -> None:
    job = query_job(small, "SELECT Id FROM Lead")
    finished(small, job)
    _, _, headers = raw(small, f"{JOBS}/query/{job}/results")
    assert (headers["Sforce-NumberOfRecords"], headers["Sforce-Locator"]) == ("60", "null")


def test_every_cell_is_quoted_and_no_value_is_empty(small: Any) -> None:
    job = query_job(small, "SELECT Id, ConvertedDate, Description FROM Lead WHERE IsConverted = false LIMIT 1")
    finished(small, job)
    _, body, _ = raw(small, f"{JOBS}/query/{job}/results")
    header, row = body.decode().splitlines()[:2]
    assert header == '"Id","ConvertedDate","Description"'
    assert '","",' in row


def test_deleted_records_come_with_query_all(small: Any) -> None:
    jobs = {
        operation: query_job(small, "SELECT Id, IsDeleted FROM Lead", operation) for operation in ("query", "queryAll")
    }
    counts = {operation: finished(small, job)["numberRecordsProcessed"] for operation, job in jobs.items()}
    assert counts == {"query": 60, "queryAll": 66}


def test_lines_end_as_asked_and_a_page_is_packed_for_who_takes_it(small: Any) -> None:
    job = query_job(small, "SELECT Id FROM Lead", lineEnding="CRLF")
    finished(small, job)
    _, plain, headers = raw(small, f"{JOBS}/query/{job}/results")
    assert plain.count(b"\r\n") == 61 and "Content-Encoding" not in headers
    _, packed, headers = raw(small, f"{JOBS}/query/{job}/results", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELECT Id, Address FROM Lead", "Selecting compound data not supported in Bulk Query"),
        ("SELECT FIELDS(ALL) FROM Lead LIMIT 10", "Selecting compound data not supported in Bulk Query"),
        ("SELECT Id, (SELECT Id FROM CampaignMembers) FROM Lead", "Aggregate Relationships not supported in Bulk V2"),
        ("SELECT COUNT() FROM Lead", "not supported in Bulk Query"),
        ("SELECT LeadSource, COUNT(Id) FROM Lead GROUP BY LeadSource", "not supported in Bulk Query"),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 5", "OFFSET is not supported"),
        ("SELECT Emial FROM Lead", "No such column 'Emial'"),
        ("", "A query string has to be specified"),
    ],
)
def test_what_bulk_does_not_do_is_refused(small: Any, soql: str, message: str) -> None:
    status, errors = small.rest("POST", "/jobs/query", {"operation": "query", "query": soql})
    assert status == 400
    assert message in errors[0]["message"]


@pytest.mark.parametrize("body", [{"columnDelimiter": "TAB"}, {"contentType": "JSON"}, {"operation": "delete"}, []])
def test_a_job_of_another_shape_is_refused(small: Any, body: Any) -> None:
    job = {"operation": "query", "query": "SELECT Id FROM Lead", **body} if isinstance(body, dict) else body
    assert small.rest("POST", "/jobs/query", job)[0] == 400


def test_results_wait_for_the_end_of_the_job_and_a_job_can_be_stopped(small: Any) -> None:
    small.fault(fault="slow_job", polls=2)
    job = query_job(small, "SELECT Id FROM Lead")
    assert raw(small, f"{JOBS}/query/{job}/results")[0] == 409
    assert [finished(small, job)["state"] for _ in range(3)] == ["InProgress", "InProgress", "JobComplete"]
    small.fault(fault="slow_job", polls=2)
    job = query_job(small, "SELECT Id FROM Lead")
    assert small.rest("PATCH", f"/jobs/query/{job}", {"state": "Aborted"})[1]["state"] == "Aborted"
    assert raw(small, f"{JOBS}/query/{job}/results")[0] == 409
    assert small.asked()["mutations"] == 0


def test_a_locator_or_a_job_that_is_not_there_is_refused(small: Any) -> None:
    job = query_job(small, "SELECT Id FROM Lead")
    finished(small, job)
    assert raw(small, f"{JOBS}/query/{job}/results?locator=nonsense")[0] == 400
    assert raw(small, f"{JOBS}/query/7505g0000000099AAA/results")[0] == 404
    assert raw(small, f"/services/data/v62.0/jobs/query/{job}/results")[0] == 409
    assert [one["id"] for one in small.rest("GET", "/jobs/query")[1]["records"]] == [job]


def test_a_job_may_fail_and_a_page_may_be_cut(small: Any) -> None:
    small.fault(fault="fail_job", message="InternalServerError : out of luck")
    job = query_job(small, "SELECT Id FROM Lead")
    done = finished(small, job)
    assert (done["state"], done["errorMessage"]) == ("Failed", "InternalServerError : out of luck")
    small.fault(fault="cut_csv")
    job = query_job(small, "SELECT Id FROM Lead")
    finished(small, job)
    sizes = [len(raw(small, f"{JOBS}/query/{job}/results")[1]) for _ in range(2)]
    assert sizes[0] == sizes[1] // 2


def ingest(small: Any, operation: str, text: str, **more: str) -> dict[str, Any]:
    """The finished job, with its three tables."""
    job = {"object": "Lead", "operation": operation, "contentType": "CSV", **more}
    status, made = small.rest("POST", "/jobs/ingest", job)
    assert (status, made["state"]) == (200, "Open"), made
    path = f"{JOBS}/ingest/{made['id']}"
    assert made["contentUrl"] == f"{path[1:]}/batches"
    assert small.send("PUT", f"{path}/batches", text, {"Content-Type": "text/csv"})[0] == 201
    assert small.send("PATCH", path, {"state": "UploadComplete"})[1]["state"] == "UploadComplete"
    done = finished(small, made["id"], "ingest")
    for table in ("successfulResults", "failedResults", "unprocessedrecords"):
        body = raw(small, f"{path}/{table}")[1].decode()
        done[table] = list(csv.DictReader(io.StringIO(body, newline="")))
    return done


def test_rows_are_inserted_updated_and_upserted_and_each_is_answered(small: Any) -> None:
    done = ingest(small, "insert", 'LastName,Company,Title,External_Id__c\n"A ""1""",B,"x\ny",B-1\nNo company,,,B-2\n')
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    made = done["successfulResults"][0]
    assert (made["sf__Created"], made["LastName"]) == ("true", 'A "1"')
    refused = done["failedResults"][0]
    assert refused["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"
    assert (refused["sf__Id"], refused["External_Id__c"]) == ("", "B-2")
    done = ingest(small, "update", f"Id,Title,Company\n{made['sf__Id']},#N/A,\n00Q5g0000000000AAA,x,y\n")
    assert [row["sf__Created"] for row in done["successfulResults"]] == ["false"]
    assert "INVALID_CROSS_REFERENCE_KEY" in done["failedResults"][0]["sf__Error"]
    row = small.rows("SELECT LastName, Company, Title FROM Lead WHERE External_Id__c = 'B-1'")[0]
    assert (row["Title"], row["Company"]) == (None, "B")
    text = "External_Id__c,LastName,Company\nB-1,C,D\nB-3,E,F\nB-3,G,H\n"
    done = ingest(small, "upsert", text, externalIdFieldName="External_Id__c")
    assert [row["sf__Created"] for row in done["successfulResults"]] == ["false", "true"]
    assert done["failedResults"][0]["LastName"] == "G"
    assert small.asked()["changed"] == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LastName,Nonsense\nA,B\n", "Field name not found : Nonsense"),
        ("LastName,Company\r\nA,B\r\n", "Current LineEnding setting is LF"),
        ("LastName,LastName\nA,B\n", "Duplicate field name"),
        ('LastName,Company\n"A,B\n', "Failed to parse CSV"),
        ("\n", "The file is empty"),
    ],
)
def test_a_file_that_does_not_fit_fails_the_job(small: Any, text: str, message: str) -> None:
    done = ingest(small, "insert", text)
    assert done["state"] == "Failed"
    assert message in done["errorMessage"]
    assert small.asked()["changed"] == 0


def test_a_column_can_name_a_parent_by_its_external_id(small: Any) -> None:
    small.rest("PATCH", "/sobjects/Lead/External_Id__c/f-1", {"LastName": "A", "Company": "B"})
    campaign = small.rest("POST", "/sobjects/Campaign", {"Name": "New"})[1]["id"]
    text = f"CampaignId,lead.External_Id__c\n{campaign},f-1\n{campaign},nobody\n"
    done = ingest(small, "insert", text, object="CampaignMember")
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    assert small.total(f"SELECT COUNT() FROM CampaignMember WHERE CampaignId = '{campaign}'") == 1


def test_rows_can_go_to_the_recycle_bin(small: Any) -> None:
    gone = small.rows("SELECT Id FROM Lead LIMIT 2")
    done = ingest(small, "delete", "Id\n" + "".join(f"{row['Id']}\n" for row in gone) + "00Q000000000001\n")
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (3, 1)
    assert small.total("SELECT COUNT() FROM Lead") == 58
    assert "only the Id column" in ingest(small, "delete", "Id,Title\na,b\n")["errorMessage"]


def test_deleting_for_good_is_refused_and_counts_as_an_attempt_to_change(small: Any) -> None:
    status, errors = small.rest("POST", "/jobs/ingest", {"object": "Lead", "operation": "hardDelete"})
    assert (status, errors[0]["errorCode"]) == (400, "FEATURENOTENABLED")
    assert small.asked()["mutations"] == 1
    assert small.total("SELECT COUNT() FROM Lead") == 60


@pytest.mark.parametrize(
    ("job", "code"),
    [
        ({"object": "Leed", "operation": "insert"}, "INVALIDENTITY"),
        ({"object": "Lead", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Lead", "operation": "upsert", "externalIdFieldName": "Company"}, "INVALIDJOB"),
        ({"object": "Lead", "operation": "insert", "externalIdFieldName": "External_Id__c"}, "INVALIDJOB"),
        ({"object": "Lead", "operation": "insert", "columnDelimiter": "PIPE"}, "INVALIDJOB"),
        ({"object": "Lead", "operation": "insert", "lineEnding": "CR"}, "INVALIDJOB"),
    ],
)
def test_an_ingest_job_of_another_shape_is_refused(small: Any, job: dict[str, str], code: str) -> None:
    status, errors = small.rest("POST", "/jobs/ingest", job)
    assert (status, errors[0]["errorCode"]) == (400, code)


def test_a_file_is_taken_once_while_the_job_is_open_and_an_aborted_job_writes_nothing(small: Any) -> None:
    job = small.rest("POST", "/jobs/ingest", {"object": "Lead", "operation": "insert"})[1]["id"]
    path = f"{JOBS}/ingest/{job}"
    assert small.send("PUT", f"{path}/batches", "x", {"Content-Type": "application/json"})[0] == 415
    assert small.send("GET", f"{path}/successfulResults")[0] == 409
    assert small.send("PUT", f"{path}/batches", "LastName,Company\nA,B\n", {"Content-Type": "text/csv"})[0] == 201
    assert small.send("PUT", f"{path}/batches", "LastName,Company\nA,B\n", {"Content-Type": "text/csv"})[0] == 409
    assert small.send("PATCH", path, {"state": "Aborted"})[1]["state"] == "Aborted"
    assert small.send("PATCH", path, {"state": "UploadComplete"})[0] == 409
    assert small.send("GET", f"{path}/nonsense")[0] == 404
    assert small.total("SELECT COUNT() FROM Lead") == 60

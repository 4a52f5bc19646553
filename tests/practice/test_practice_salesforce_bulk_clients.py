"""simple-salesforce's own Bulk API 2.0 client, as it is, over its `session=`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, exceptions


class ToPractice(HTTPAdapter):
    """Sends every https request to the practice system instead."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.netloc = urlsplit(base_url).netloc

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        request.url = urlunsplit(("http", self.netloc, parts.path, parts.query, ""))
        return super().send(request, *args, **kwargs)


@pytest.fixture
def client(small: Any) -> Iterator[Salesforce]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", ToPractice(small.served.base_url))
        yield Salesforce(session=session, instance_url="https://acme.my.salesforce.com", session_id=small.token)


def test_it_reads_page_after_page(client: Salesforce) -> None:
    found = list(client.bulk2.Lead.query("SELECT Id, Name FROM Lead", max_records=25, wait=0))
    rows = [row for page in found for row in csv.DictReader(io.StringIO(page, newline=""))]
    assert len(found) == 3
    assert len({row["Id"] for row in rows}) == 60
    everything = list(client.bulk2.Lead.query_all("SELECT Id FROM Lead", wait=0))
    assert len(list(csv.DictReader(io.StringIO(everything[0])))) == 66


def test_it_downloads_to_files(client: Salesforce, tmp_path: Path) -> None:
    done = client.bulk2.Lead.download("SELECT Id FROM Lead", path=str(tmp_path), max_records=40, wait=0)
    assert [one["number_of_records"] for one in done] == [40, 20]
    assert sum(len(Path(one["file"]).read_text(encoding="utf-8").splitlines()) - 1 for one in done) == 60


def test_it_inserts_updates_and_upserts(client: Salesforce) -> None:
    lead = client.bulk2.Lead
    rows = [{"LastName": f"Row {n}", "Company": "Bulk, Inc.", "External_Id__c": f"B-{n}"} for n in range(3)]
    done = lead.insert(records=[*rows, {"LastName": "No company", "Company": "", "External_Id__c": "B-9"}], wait=0)
    counts = done[0]["numberRecordsProcessed"], done[0]["numberRecordsFailed"], done[0]["numberRecordsTotal"]
    assert counts == (4, 1, 4)
    every = lead.get_all_ingest_records(done[0]["job_id"])
    assert (len(every["successfulRecords"]), len(every["unprocessedRecords"])) == (3, 0)
    assert "REQUIRED_FIELD_MISSING" in every["failedRecords"][0]["sf__Error"]
    ids = [row["sf__Id"] for row in every["successfulRecords"]]
    assert lead.update(records=[{"Id": ids[0], "Title": "Boss"}], wait=0)[0]["numberRecordsFailed"] == 0
    done = lead.upsert(records=[{**row, "Title": "Chief"} for row in rows], external_id_field="External_Id__c", wait=0)
    assert done[0]["numberRecordsProcessed"] == 3
    assert client.query("SELECT COUNT() FROM Lead WHERE Title = 'Chief'")["totalSize"] == 3


def test_it_deletes_into_the_recycle_bin_only(client: Salesforce, small: Any) -> None:
    record = client.query("SELECT Id FROM Lead LIMIT 1")["records"][0]["Id"]
    with pytest.raises(exceptions.SalesforceMalformedRequest, match="FEATURENOTENABLED"):
        client.bulk2.Lead.hard_delete(records=[{"Id": record}], wait=0)
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 60
    assert client.bulk2.Lead.delete(records=[{"Id": record}], wait=0)[0]["numberRecordsFailed"] == 0
    assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 59
    assert client.query_all("SELECT Id FROM Lead", include_deleted=True)["totalSize"] == 66


def test_the_older_bulk_api_reads_and_writes_too(client: Salesforce, small: Any) -> None:
    lead = client.bulk.Lead
    rows = lead.query("SELECT Id, Name, CreatedDate, Owner.Name FROM Lead", wait=0)
    assert len({row["Id"] for row in rows}) == 60
    assert isinstance(rows[0]["CreatedDate"], int) and rows[0]["Owner"]["Name"]
    assert len(lead.query_all("SELECT Id FROM Lead", wait=0)) == 66
    with pytest.raises(exceptions.SalesforceGeneralError, match="No such column 'Nonsense'"):
        lead.query("SELECT Nonsense FROM Lead", wait=0)
    people = [{"LastName": f"Row {n}", "Company": "Old, Inc.", "External_Id__c": f"O-{n}"} for n in range(3)]
    done = lead.insert([*people, {"LastName": "None", "Company": None, "External_Id__c": "O-9"}])
    assert [one["success"] for one in done] == [True, True, True, False]
    assert done[3]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert lead.update([{"Id": done[0]["id"], "Title": "Boss"}])[0]["success"]
    changed = lead.upsert([{**one, "Title": "Chief"} for one in people], "External_Id__c")
    assert [one["created"] for one in changed] == [False] * 3
    assert client.query("SELECT COUNT() FROM Lead WHERE Title = 'Chief'")["totalSize"] == 3
    assert lead.delete([{"Id": done[0]["id"]}])[0]["success"]
    small.fault(fault="expire_sessions")
    with pytest.raises(exceptions.SalesforceMalformedRequest, match="InvalidSessionId"):
        lead.query("SELECT Id FROM Lead", wait=0)


def test_what_bulk_refuses_reaches_the_client(client: Salesforce, small: Any) -> None:
    with pytest.raises(exceptions.SalesforceMalformedRequest, match="compound data not supported"):
        list(client.bulk2.Lead.query("SELECT Id, Address FROM Lead", wait=0))
    small.fault(fault="fail_job", message="InternalServerError : out of luck")
    with pytest.raises(exceptions.SalesforceOperationError, match="out of luck"):
        list(client.bulk2.Lead.query("SELECT Id FROM Lead", wait=0))

"""Bulk API 2.0 queries: /jobs/query."""

from __future__ import annotations

import base64
import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrator_practice.http import Response, json_response

from . import soql
from .calls import Call, Route
from .errors import SalesforceError
from .jobs import Job, not_now
from .soql.groups import is_aggregate
from .soql.nodes import Fields, Query, Selected, SubSelect, TypeOf
from .soql.operands import Scope

__all__ = ["ROUTES", "Table", "csv_cell", "csv_response", "given_job", "table_of"]

PAGE = 50_000  # rows a page where maxRecords does not say less; one that is small breaks clients others wrote
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


def create(call: Call) -> Response:
    """POST /jobs/query: checked and started at once."""
    given = given_job(call, ("query", "queryAll"))
    text = str(given.get("query") or "")
    if not text.strip():
        raise SalesforceError(400, "API_ERROR", "A query string has to be specified")
    found = table_of(call, text, include_deleted=given["operation"] == "queryAll")
    job = call.jobs.add(
        "query",
        operation=given["operation"],
        object=found.object,
        user=call.user,
        version=call.version,
        created=call.clock.now,
        line_ending=given["lineEnding"],
        query=text,
    )
    job.answer["results"] = (found.header, found.cells)
    job.processed = len(found.cells)
    return json_response(job.as_data(call.base))


@dataclass(frozen=True)
class Table:
    """What a query found, as cells and as nested records."""

    object: str
    header: Sequence[str]
    cells: Sequence[Sequence[str]]
    result: soql.Result
    moments: Sequence[tuple[str, ...]]  # paths of dates and times

    def records(self, base: str) -> Iterator[dict[str, Any]]:
        """The rows as nested JSON; dates and times in milliseconds, as Bulk API 1.0 writes them."""
        for row in self.result.found:
            shown = self.result.render(row, base)
            for *parents, name in self.moments:
                place: Any = shown
                for parent in parents:
                    place = place and place[parent]
                if place and place[name] is not None:
                    moment = datetime.fromisoformat(place[name])
                    place[name] = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
            yield shown


def table_of(call: Call, text: str, include_deleted: bool) -> Table:
    """The answer to a query as Bulk gives it; raises what Bulk does not do."""
    query = soql.parse(text)
    _refuse(query)
    result = soql.run(text, call.org, call.clock, include_deleted=include_deleted, children=_no_children)
    described = call.org.schema.object(query.source)
    assert described is not None
    scope = Scope(text, described, query.alias, call.org, call.clock)
    header: list[str] = []
    readers: list[Callable[[Any], Any]] = []
    moments: list[tuple[str, ...]] = []
    for item in query.selected:
        assert isinstance(item, Selected)
        operand = scope.resolve(item.what)
        if operand.kind == "compound":
            raise SalesforceError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
        if operand.field and operand.field.type == "base64":
            raise SalesforceError(400, "API_ERROR", "Blob field not supported in Bulk V2 Query with CSV content type")
        header.append(operand.shown_as)
        readers.append(operand.get)
        if operand.kind in ("date", "datetime"):
            moments.append(tuple(operand.shown_as.split(".")))
    return Table(described.name, header, _Rendered(result.found, readers), result, moments)


def status(call: Call, job_id: str) -> Response:
    """GET /jobs/query/ID."""
    job = call.jobs.find("query", job_id)
    call.jobs.advance(job)
    return json_response(job.as_data(call.base))


def every(call: Call) -> Response:
    """GET /jobs/query."""
    shown = [job.as_data(call.base) for job in call.jobs.all("query")]
    return json_response({"done": True, "records": shown, "nextRecordsUrl": None})


def change(call: Call, job_id: str) -> Response:
    """PATCH /jobs/query/ID with the state Aborted."""
    job = call.jobs.find("query", job_id)
    body = call.json()
    if not isinstance(body, dict) or body.get("state") != "Aborted":
        raise SalesforceError(400, "INVALIDJOB", "A query job can only be changed to the state Aborted")
    if job.state not in ("UploadComplete", "InProgress"):
        raise not_now(job)
    job.state, job.answer = "Aborted", {}
    return json_response(job.as_data(call.base))


def drop(call: Call, job_id: str) -> Response:
    """DELETE /jobs/query/ID: the job and its results; no record."""
    call.jobs.drop(call.jobs.find("query", job_id))
    return Response(204)


def results(call: Call, job_id: str) -> Response:
    """GET /jobs/query/ID/results?locator=&maxRecords="""
    job = call.jobs.find("query", job_id)
    if job.state != "JobComplete":
        raise not_now(job)
    if job.version != call.version:
        raise SalesforceError(409, "INVALIDJOB", "The version must be the one that the job was made with")
    header, rows = job.answer["results"]
    asked = call.request.query.get("maxRecords", "")
    size = int(asked) if asked.isdigit() and int(asked) > 0 else PAGE
    start = _start(call.request.query.get("locator", ""), len(rows))
    end = min(start + size, len(rows))
    headers = {
        "Sforce-NumberOfRecords": str(end - start),
        "Sforce-Locator": base64.b64encode(str(end).encode()).decode().rstrip("=") if end < len(rows) else "null",
    }
    return csv_response(call, job, header, rows[start:end], headers)


def csv_response(
    call: Call, job: Job, header: Sequence[str], rows: Iterable[Sequence[str]], headers: dict[str, str]
) -> Response:
    """A table as CSV, every cell in quotes; packed with gzip for who takes it."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=LINE_ENDINGS[job.line_ending])
    writer.writerow(header)
    writer.writerows(rows)
    body = out.getvalue().encode()
    if call.jobs.cut():
        body = body[: len(body) // 2]
    if "gzip" in call.request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 1)
        headers = {**headers, "Content-Encoding": "gzip"}
    return Response(200, body, "text/csv", headers)


def csv_cell(value: Any) -> str:
    """A stored value as a Bulk cell: no value is empty, a time ends with Z."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return str(value)


def given_job(call: Call, operations: Sequence[str]) -> dict[str, Any]:
    """The body of a request for a job, with what it leaves out filled in. Raises what does not fit."""
    body = call.json()
    if not isinstance(body, dict):
        raise SalesforceError(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
    given = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF", **body}
    if given.get("operation") not in operations:
        raise SalesforceError(400, "INVALIDJOB", f"Unable to parse job: operation {given.get('operation')!r}")
    if given["contentType"] != "CSV":
        raise SalesforceError(400, "INVALIDJOB", f"Invalid contentType: {given['contentType']}")
    if given["columnDelimiter"] != "COMMA":
        raise SalesforceError(400, "INVALIDJOB", f"Invalid columnDelimiter here: {given['columnDelimiter']}")
    if given["lineEnding"] not in LINE_ENDINGS:
        raise SalesforceError(400, "INVALIDJOB", f"Invalid lineEnding: {given['lineEnding']}")
    return given


class _Rendered(Sequence[Sequence[str]]):
    """Rows that become cells only when somebody takes them."""

    def __init__(self, found: Sequence[Any], readers: Sequence[Callable[[Any], Any]]) -> None:
        self._found = found
        self._readers = readers

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return _Rendered(self._found[index], self._readers)
        return [csv_cell(read(self._found[index])) for read in self._readers]


def _refuse(query: Query) -> None:
    if any(isinstance(item, SubSelect) for item in query.selected):
        raise SalesforceError(
            400, "API_ERROR", "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
        )
    if any(isinstance(item, TypeOf) for item in query.selected):
        raise SalesforceError(400, "API_ERROR", "TYPEOF is not supported in Bulk Query with CSV content type")
    if any(isinstance(item, Fields) for item in query.selected):
        raise SalesforceError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
    if is_aggregate(query):
        raise SalesforceError(400, "API_ERROR", "Aggregate functions and GROUP BY are not supported in Bulk Query")
    if query.offset:
        raise SalesforceError(400, "API_ERROR", "OFFSET is not supported in Bulk Query")


def _start(locator: str, total: int) -> int:
    if not locator:
        return 0
    try:
        start = int(base64.b64decode(locator + "=" * (-len(locator) % 4), validate=True))
    except ValueError:
        start = -1
    if not 0 < start < total:
        raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return start


def _no_children(rows: Sequence[Any], render: Any, base: str) -> dict[str, Any]:
    raise AssertionError("sub-selects were refused before")


ROUTES: list[Route] = [
    ("POST", "/jobs/query", create),
    ("GET", "/jobs/query", every),
    ("GET", "/jobs/query/{job_id}", status),
    ("PATCH", "/jobs/query/{job_id}", change),
    ("DELETE", "/jobs/query/{job_id}", drop),
    ("GET", "/jobs/query/{job_id}/results", results),
]

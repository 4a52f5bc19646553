"""Bulk API 1.0: /services/async. Jobs of batches, in CSV or JSON; what older clients and Singer taps speak."""

from __future__ import annotations

import csv
import io
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from integrator_practice.http import Request, Response, json_response

from .bulk_ingest import BatchError, columns_of, error_cell, given_cells, parsed_csv, write_row
from .bulk_query import Table, table_of
from .calls import Call
from .errors import SalesforceError
from .records import Records
from .soql.shape import json_value

__all__ = ["BulkError", "BulkV1", "refusal"]

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
OPERATIONS = ("query", "queryAll", "insert", "update", "upsert", "delete")
CONTENT_TYPES = ("CSV", "JSON")
MAX_ROWS = 10_000  # of a batch
RESULT_HEADER = ("Id", "Success", "Created", "Error")
Cells = Sequence[Sequence[str]]


class BulkError(Exception):
    """A refusal: exceptionCode and exceptionMessage."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class Batch:
    """A part of a job: a query, or up to 10,000 rows. `results` is by row that was written, `found` what was read."""

    id: str
    job: str
    created: datetime
    request: bytes = b""
    state: str = "Completed"
    message: str = ""
    polls_left: int = 0
    found: Table | None = None
    results: list[dict[str, Any]] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """What is answered about it."""
        return {
            "id": self.id,
            "jobId": self.job,
            "state": "InProgress" if self.polls_left else self.state,
            "stateMessage": self.message or None,
            "createdDate": json_value(self.created),
            "systemModstamp": json_value(self.created),
            "numberRecordsProcessed": len(self.found.cells) if self.found else len(self.results),
            "numberRecordsFailed": sum(not result["success"] for result in self.results),
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }


@dataclass
class Job:
    """One job."""

    id: str
    operation: str
    object: str
    content_type: str
    external_id: str
    mode: str
    user: str
    version: int
    created: datetime
    state: str = "Open"
    batches: list[Batch] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """What is answered about it."""
        batches = [batch.as_data() for batch in self.batches]
        done = [batch["state"] for batch in batches]
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.user,
            "createdDate": json_value(self.created),
            "systemModstamp": json_value(self.created),
            "state": self.state,
            "concurrencyMode": self.mode,
            "contentType": self.content_type,
            "numberBatchesQueued": 0,
            "numberBatchesInProgress": done.count("InProgress"),
            "numberBatchesCompleted": done.count("Completed"),
            "numberBatchesFailed": done.count("Failed"),
            "numberBatchesTotal": len(done),
            "numberRecordsProcessed": sum(batch["numberRecordsProcessed"] for batch in batches),
            "numberRetries": 0,
            "apiVersion": float(self.version),
            "numberRecordsFailed": sum(batch["numberRecordsFailed"] for batch in batches),
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }
        if self.external_id:
            shown["externalIdFieldName"] = self.external_id
        return shown


class BulkV1:
    """The jobs of one org. `routes` are below /services/async/NN.0."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._made = 0
        self._lock = threading.Lock()
        self.routes: list[tuple[str, str, Callable[..., Response]]] = [
            ("POST", "/job", self.create),
            ("GET", "/job/{job_id}", self.status),
            ("POST", "/job/{job_id}", self.change),
            ("POST", "/job/{job_id}/batch", self.add),
            ("GET", "/job/{job_id}/batch", self.batches),
            ("GET", "/job/{job_id}/batch/{batch_id}", self.batch),
            ("GET", "/job/{job_id}/batch/{batch_id}/request", self.request),
            ("GET", "/job/{job_id}/batch/{batch_id}/result", self.results),
            ("GET", "/job/{job_id}/batch/{batch_id}/result/{result_id}", self.result),
        ]

    def reads(self, request: Request) -> bool:
        """Is this POST about a query?"""
        job_id = request.path.partition("/job/")[2].partition("/")[0]
        job = next((known for key, known in self._jobs.items() if key[:15] == job_id[:15]), None)
        try:
            operation = job.operation if job else _given(request).get("operation")
        except BulkError:
            return False
        return operation in ("query", "queryAll")

    def create(self, call: Call) -> Response:
        """A new job."""
        given = _given(call.request)
        operation, content_type = str(given.get("operation")), str(given.get("contentType") or "XML")
        described = call.org.schema.object(str(given.get("object")))
        if operation not in OPERATIONS:
            raise BulkError("InvalidJob", f"Operation not supported here: {operation}")
        if content_type not in CONTENT_TYPES:
            raise BulkError("InvalidJob", f"Content type not supported here: {content_type}")
        if described is None:
            raise BulkError("InvalidEntity", f"Entity '{given.get('object')}' not found.")
        external = str(given.get("externalIdFieldName") or "")
        if operation == "upsert":
            key = described.field(external) if external else None
            if key is None or not (key.facts["externalId"] or key.facts["idLookup"]):
                raise BulkError("InvalidJob", "External ID was blank or is no external ID, an upsert needs one")
            external = key.name
        mode = "Serial" if given.get("concurrencyMode") in ("Serial", "1", 1) else "Parallel"
        with self._lock:
            job = Job(
                self._id("750"),
                operation,
                described.name,
                content_type,
                external,
                mode,
                call.user,
                call.version,
                call.clock.now,
            )
            self._jobs[job.id] = job
        return _info(call.request, "jobInfo", job.as_data(), 201)

    def status(self, call: Call, job_id: str) -> Response:
        """A job."""
        return _info(call.request, "jobInfo", self._job(job_id).as_data())

    def change(self, call: Call, job_id: str) -> Response:
        """Close or abort."""
        job, state = self._job(job_id), _given(call.request).get("state")
        if state not in ("Closed", "Aborted"):
            raise BulkError("InvalidJob", f"Unable to change the job to the state {state}")
        job.state = str(state)
        return _info(call.request, "jobInfo", job.as_data())

    def add(self, call: Call, job_id: str) -> Response:
        """A batch: its work is done at once, and seen from the first look at it on."""
        job = self._job(job_id)
        if job.state != "Open":
            raise BulkError("InvalidJobState", f"Job state is {job.state}, it must be Open")
        with self._lock:
            batch = Batch(self._id("751"), job.id, call.clock.now, call.request.body)
            job.batches.append(batch)
        with call.jobs.lock:
            batch.polls_left, call.jobs.slow_polls = call.jobs.slow_polls, 0
            failure, call.jobs.next_failure = call.jobs.next_failure, ""
        changed = 0
        try:
            if failure:
                raise BatchError(failure)
            if job.operation in ("query", "queryAll"):
                self._query(call, job, batch)
            else:
                changed = self._write(call, job, batch)
        except BatchError as exc:
            batch.state, batch.message = "Failed", str(exc)
        shown = {**batch.as_data(), "state": "Queued", "stateMessage": None}
        return _info(call.request, "batchInfo", shown, 201, as_json=job.content_type == "JSON", changed=changed)

    def batches(self, call: Call, job_id: str) -> Response:
        """All batches of a job."""
        job = self._job(job_id)
        if job.content_type == "JSON":
            return json_response({"batchInfo": [batch.as_data() for batch in job.batches]})
        inner = "".join(_xml("batchInfo", batch.as_data()) for batch in job.batches)
        return _xml_response(f'<batchInfoList xmlns="{NAMESPACE}">{inner}</batchInfoList>')

    def batch(self, call: Call, job_id: str, batch_id: str) -> Response:
        """One batch."""
        job = self._job(job_id)
        batch = self._batch(job, batch_id)
        answer = _info(call.request, "batchInfo", batch.as_data(), as_json=job.content_type == "JSON")
        batch.polls_left = max(0, batch.polls_left - 1)
        return answer

    def request(self, call: Call, job_id: str, batch_id: str) -> Response:
        """What was sent."""
        job = self._job(job_id)
        kind = "application/json" if job.content_type == "JSON" else "text/csv"
        return Response(200, self._batch(job, batch_id).request, kind)

    def results(self, call: Call, job_id: str, batch_id: str) -> Response:
        """Of a query the list of its results, of a write one result for each row."""
        job = self._job(job_id)
        batch = self._finished(job, batch_id)
        if job.operation in ("query", "queryAll"):
            number = f"752{batch.id[3:]}"
            if job.content_type == "JSON":
                return json_response([number])
            return _xml_response(f'<result-list xmlns="{NAMESPACE}"><result>{number}</result></result-list>')
        if job.content_type == "JSON":
            return json_response(batch.results)
        lines = [(r["id"] or "", _flag(r["success"]), _flag(r["created"]), r["error"]) for r in batch.results]
        return Response(200, _csv(RESULT_HEADER, lines), "text/csv")

    def result(self, call: Call, job_id: str, batch_id: str, result_id: str) -> Response:
        """The rows of a query."""
        job = self._job(job_id)
        batch = self._finished(job, batch_id)
        if batch.found is None or result_id != f"752{batch.id[3:]}":
            raise BulkError("InvalidResult", f"Unable to find a result of that id: {result_id}")
        if job.content_type == "JSON":
            return json_response(list(batch.found.records(call.base)))
        return Response(200, _csv(batch.found.header, batch.found.cells), "text/csv")

    def _query(self, call: Call, job: Job, batch: Batch) -> None:
        text = batch.request.decode("utf-8", "replace")
        try:
            found = table_of(call, text, include_deleted=job.operation == "queryAll")
        except SalesforceError as exc:
            raise BatchError(f"InvalidBatch : Failed to process query: {exc.code}: {exc.message}") from exc
        if found.object != job.object:
            raise BatchError(f"InvalidBatch : The query is of {found.object}, the job of {job.object}")
        batch.found = found

    def _write(self, call: Call, job: Job, batch: Batch) -> int:
        described = call.org.schema.objects[job.object]
        rows = _json_rows(batch.request) if job.content_type == "JSON" else _csv_rows(batch.request)
        if len(rows) > MAX_ROWS:
            raise BatchError(f"InvalidBatch : Records limit of {MAX_ROWS} exceeded")
        records, seen = Records(call.org, job.user), set[str]()
        for header, values in rows:
            columns = columns_of(described, job.operation, job.external_id, header)
            given = dict(zip(columns, values, strict=True))
            answer: dict[str, Any] = {"success": False, "created": False, "id": None, "errors": [], "error": ""}
            try:
                if job.content_type == "CSV":
                    given = given_cells(given)
                record_id, created = write_row(records, described, job.operation, job.external_id, given, seen)
                answer |= {"success": True, "created": created, "id": record_id}
            except SalesforceError as exc:
                answer["errors"] = [*exc.as_item()["errors"]]
                answer["error"] = error_cell(exc)
            batch.results.append(answer)
        return sum(answer["success"] for answer in batch.results)

    def _job(self, job_id: str) -> Job:
        job = next((known for key, known in self._jobs.items() if key[:15] == job_id[:15]), None)
        if job is None:
            raise BulkError("InvalidJob", f"Unable to find a job of that id: {job_id}")
        return job

    def _batch(self, job: Job, batch_id: str) -> Batch:
        batch = next((known for known in job.batches if known.id[:15] == batch_id[:15]), None)
        if batch is None:
            raise BulkError("InvalidBatch", f"Unable to find a batch of that id: {batch_id}")
        return batch

    def _finished(self, job: Job, batch_id: str) -> Batch:
        batch = self._batch(job, batch_id)
        if batch.polls_left or batch.state != "Completed":
            raise BulkError("InvalidBatch", "Batch not completed")
        return batch

    def _id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}5g{self._made:010}AAA"


def refusal(request: Request, exc: BulkError) -> Response:
    """A refusal in the words of this API."""
    data = {"exceptionCode": exc.code, "exceptionMessage": exc.message}
    return _info(request, "error", data, 400)


def _given(request: Request) -> dict[str, Any]:
    """The body, in JSON or XML."""
    try:
        if _is_json(request):
            body = request.json()
            return body if isinstance(body, dict) else {}
        root = ET.fromstring(request.body)
    except (ValueError, ET.ParseError) as exc:
        raise BulkError("InvalidJob", f"Unable to parse the job: {exc}") from exc
    return {element.tag.rpartition("}")[2]: element.text for element in root}


def _is_json(request: Request) -> bool:
    return "json" in request.headers.get("Content-Type", "") or "json" in request.headers.get("Accept", "")


def _info(
    request: Request,
    name: str,
    data: dict[str, Any],
    status: int = 200,
    as_json: bool | None = None,
    changed: int = 0,
) -> Response:
    if _is_json(request) if as_json is None else as_json:
        return json_response(data, status, changed=changed)
    answer = _xml_response(_xml(name, data, f' xmlns="{NAMESPACE}"'), status)
    answer.changed = changed
    return answer


def _xml(name: str, data: dict[str, Any], attributes: str = "") -> str:
    inner = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in data.items() if value is not None)
    return f"<{name}{attributes}>{inner}</{name}>"


def _xml_response(text: str, status: int = 200) -> Response:
    return Response(status, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), "application/xml")


def _csv(header: Sequence[str], rows: Cells) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _csv_rows(data: bytes) -> list[tuple[Sequence[str], Sequence[Any]]]:
    try:
        header, rows = parsed_csv(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise BatchError("InvalidBatch : The file is not valid UTF-8") from exc
    if any(len(cells) != len(header) for cells in rows):
        raise BatchError("InvalidBatch : A row has another number of columns than the header")
    return [(header, cells) for cells in rows]


def _json_rows(data: bytes) -> list[tuple[Sequence[str], Sequence[Any]]]:
    try:
        body = json.loads(data)
    except ValueError as exc:
        raise BatchError(f"InvalidBatch : Failed to parse JSON: {exc}") from exc
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise BatchError("InvalidBatch : A batch is a list of records")
    rows = [{key: value for key, value in row.items() if key != "attributes"} for row in body]
    return [(list(row), list(row.values())) for row in rows]

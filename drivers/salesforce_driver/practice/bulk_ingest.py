"""Bulk API 2.0 writes: /jobs/ingest. A delete goes to the recycle bin; hardDelete needs a right nobody has here."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from integrator_practice.http import Response, json_response

from .bulk_query import LINE_ENDINGS, csv_response, given_job
from .calls import Call, Route
from .errors import SalesforceError
from .jobs import Job, not_now
from .records import Records
from .schema import Object

__all__ = ["ROUTES", "BatchError", "columns_of", "error_cell", "given_cells", "parsed_csv", "write_row"]

MAX_BYTES = 150_000_000
TABLES = {  # last part of the path, in any letter case
    "successfulresults": "successful",
    "failedresults": "failed",
    "unprocessedrecords": "unprocessed",
}
LEADING = {"successful": ("sf__Id", "sf__Created"), "failed": ("sf__Id", "sf__Error"), "unprocessed": ()}


class BatchError(Exception):
    """The file as a whole can't be taken; the job fails with this message."""


def create(call: Call) -> Response:
    """POST /jobs/ingest."""
    body = call.json()
    if isinstance(body, dict) and body.get("operation") == "hardDelete":
        raise SalesforceError(
            400,
            "FEATURENOTENABLED",
            "hardDelete operation requires special user profile permission, please contact your system administrator",
        )
    given = given_job(call, ("insert", "update", "upsert", "delete"))
    described = call.org.schema.object(str(given.get("object")))
    if described is None:
        raise SalesforceError(400, "INVALIDENTITY", f"{given.get('object')} is not a valid object")
    external = str(given.get("externalIdFieldName") or "")
    if given["operation"] == "upsert":
        if not external:
            raise SalesforceError(400, "INVALIDJOB", "External ID was blank for upsert")
        key = described.field(external)
        if key is None or not (key.facts["externalId"] or key.facts["idLookup"]):
            raise SalesforceError(400, "INVALIDJOB", f"{external} is not an external ID of {described.name}")
        external = key.name
    elif external:
        raise SalesforceError(400, "INVALIDJOB", "externalIdFieldName is only for upsert")
    job = call.jobs.add(
        "ingest",
        operation=given["operation"],
        object=described.name,
        user=call.user,
        version=call.version,
        created=call.clock.now,
        line_ending=given["lineEnding"],
        state="Open",
        external_id=external,
    )
    return json_response(job.as_data(call.base))


def status(call: Call, job_id: str) -> Response:
    """GET /jobs/ingest/ID."""
    job = call.jobs.find("ingest", job_id)
    call.jobs.advance(job)
    return json_response(job.as_data(call.base))


def every(call: Call) -> Response:
    """GET /jobs/ingest."""
    shown = [job.as_data(call.base) for job in call.jobs.all("ingest")]
    return json_response({"done": True, "records": shown, "nextRecordsUrl": None})


def upload(call: Call, job_id: str) -> Response:
    """PUT /jobs/ingest/ID/batches: the whole file, once."""
    job = call.jobs.find("ingest", job_id)
    if job.state != "Open" or job.data:
        raise not_now(job)
    if not call.request.headers.get("Content-Type", "").startswith("text/csv"):
        raise SalesforceError(415, "UNSUPPORTED_MEDIA_TYPE", "The request entity's media type must be text/csv")
    if len(call.request.body) > MAX_BYTES:
        raise SalesforceError(400, "INVALIDJOB", "The file is larger than 150 MB")
    job.data = call.request.body
    return Response(201)


def change(call: Call, job_id: str) -> Response:
    """PATCH /jobs/ingest/ID with the state UploadComplete, which does the work, or Aborted."""
    job = call.jobs.find("ingest", job_id)
    body = call.json()
    wanted = body.get("state") if isinstance(body, dict) else None
    if wanted == "Aborted":
        if job.state not in ("Open", "UploadComplete", "InProgress"):
            raise not_now(job)
        job.state = "Aborted"
        return json_response(job.as_data(call.base))
    if wanted != "UploadComplete":
        raise SalesforceError(400, "INVALIDJOB", f"Unable to change the job to the state {wanted!r}")
    if job.state != "Open":
        raise not_now(job)
    job.state = "UploadComplete"
    written = _work(call, job)
    return json_response(job.as_data(call.base), changed=written)


def drop(call: Call, job_id: str) -> Response:
    """DELETE /jobs/ingest/ID: the job and its results; no record."""
    call.jobs.drop(call.jobs.find("ingest", job_id))
    return Response(204)


def results(call: Call, job_id: str, table: str) -> Response:
    """GET /jobs/ingest/ID/successfulResults, /failedResults, /unprocessedrecords."""
    job = call.jobs.find("ingest", job_id)
    name = TABLES.get(table.lower())
    if name is None:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    if job.state not in ("JobComplete", "Failed", "Aborted"):
        raise not_now(job)
    header, rows = job.answer.get(name) or ([], [])
    return csv_response(call, job, header, rows, {"Sforce-NumberOfRecords": str(len(rows))})


def _work(call: Call, job: Job) -> int:
    """Write what the file says; how many records were written."""
    described = call.org.schema.objects[job.object]
    try:
        header, rows = _parsed(job)
        columns = columns_of(described, job.operation, job.external_id, header)
    except BatchError as exc:
        job.message = str(exc)
        return 0
    records = Records(call.org, call.user)
    done: dict[str, list[Sequence[str]]] = {name: [] for name in LEADING}
    seen: set[str] = set()
    for cells in rows:
        try:
            if len(cells) != len(header):
                raise SalesforceError(400, "INVALIDBATCH", f"found {len(cells)} columns, expected {len(header)}")
            given = given_cells(dict(zip(columns, cells, strict=True)))
            record_id, created = write_row(records, described, job.operation, job.external_id, given, seen)
        except SalesforceError as exc:
            done["failed"].append(["", error_cell(exc), *cells])
        else:
            done["successful"].append([record_id, "true" if created else "false", *cells])
    for name, leading in LEADING.items():
        job.answer[name] = ([*leading, *header], done[name])
    job.processed, job.failed = len(rows), len(done["failed"])
    return len(done["successful"])


def _parsed(job: Job) -> tuple[list[str], list[list[str]]]:
    text = _text(job.data)
    first, _, _ = text.partition("\n")
    ending = "\r\n" if first.endswith("\r") else "\n"
    if "\n" in text and ending != LINE_ENDINGS[job.line_ending]:
        raise BatchError(
            f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {job.line_ending}"
        )
    return parsed_csv(text)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise BatchError("ClientInputError : Failed to read query. The file is not valid UTF-8") from exc


def parsed_csv(text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows. Raises BatchError."""
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as exc:
        raise BatchError(f"InvalidBatch : Failed to parse CSV: {exc}") from exc
    if not table:
        raise BatchError("InvalidBatch : Failed to parse CSV header. The file is empty")
    return table[0], table[1:]


def columns_of(described: Object, operation: str, external_id: str, header: Sequence[str]) -> list[str]:
    """The columns as the schema spells them. Raises BatchError for those that don't fit the operation."""
    columns: list[str] = []
    for name in header:
        parent, _, key = name.partition(".")
        field = described.parent(parent) if key else described.field(name)  # Lead.External_Id__c: a parent by its key
        if field is None:
            raise BatchError(f"InvalidBatch : Field name not found : {name}")
        column = f"{field.relationship}.{key}" if key else field.name
        if column in columns:
            raise BatchError(f"InvalidBatch : Duplicate field name : {name}")
        columns.append(column)
    needed = {"update": "Id", "delete": "Id", "upsert": external_id}.get(operation)
    if needed and needed not in columns:
        raise BatchError(f"InvalidBatch : Field name not found : {needed}")
    if operation == "delete" and len(columns) > 1:
        raise BatchError("InvalidBatch : Invalid delete, only the Id column is allowed")
    return columns


def error_cell(exc: SalesforceError) -> str:
    """Why a row was refused, as Bulk words it."""
    return f"{exc.code}:{exc.message}:{','.join(exc.fields or ())} --"


def given_cells(cells: dict[str, str]) -> dict[str, Any]:
    """What the cells of a row say: an empty cell leaves the field alone, #N/A empties it."""
    given: dict[str, Any] = {}
    for name, text in cells.items():
        parent, _, key = name.partition(".")
        if text == "#N/A":
            given[parent] = None
        elif text != "":
            given[parent] = {key: text} if key else text
    return given


def write_row(
    records: Records, described: Object, operation: str, external_id: str, values: Mapping[str, Any], seen: set[str]
) -> tuple[str, bool]:
    """(id, was it made) of one row. `seen` holds the external ids of the rows before it."""
    given = dict(values)
    if operation == "insert":
        return records.insert(described, given), True
    key_name = external_id if operation == "upsert" else "Id"
    key = given.pop(key_name, None)
    if operation in ("update", "delete"):
        if key is None:
            raise SalesforceError(400, "MISSING_ARGUMENT", f"Id not specified in an {operation} call", ["Id"])
        try:
            row = records.find(described, str(key))
        except SalesforceError as exc:
            if exc.code == "NOT_FOUND":
                raise SalesforceError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []) from exc
            raise
        if operation == "delete":
            records.delete(described, row["Id"])
        else:
            records.update(described, row["Id"], given)
        return str(row["Id"]), False
    if key is not None and str(key).casefold() in seen:
        raise SalesforceError(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {key}", [key_name])
    seen.add(str(key).casefold())
    return records.upsert(described, described.fields[key_name], key, given)


ROUTES: list[Route] = [
    ("POST", "/jobs/ingest", create),
    ("GET", "/jobs/ingest", every),
    ("GET", "/jobs/ingest/{job_id}", status),
    ("PATCH", "/jobs/ingest/{job_id}", change),
    ("DELETE", "/jobs/ingest/{job_id}", drop),
    ("PUT", "/jobs/ingest/{job_id}/batches", upload),
    ("GET", "/jobs/ingest/{job_id}/{table}", results),
]

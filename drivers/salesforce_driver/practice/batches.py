"""Up to 200 records in one call: /composite/sobjects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import SalesforceError
from .ids import canonical_id
from .org import Org
from .records import Records
from .schema import Field, Object

__all__ = ["MAX_RECORDS", "Written", "delete_many", "insert_many", "update_many", "upsert_many"]

MAX_RECORDS = 200
Written = tuple[list[dict[str, Any]], int]  # one answer per record, and how many were written


def insert_many(org: Org, records: Records, body: Any) -> Written:
    """POST /composite/sobjects."""

    def one(record: dict[str, Any]) -> dict[str, Any]:
        return {"id": records.insert(_object(org, record), record), "success": True, "errors": []}

    return _each(org, body, one)


def update_many(org: Org, records: Records, body: Any) -> Written:
    """PATCH /composite/sobjects."""

    def one(record: dict[str, Any]) -> dict[str, Any]:
        described = _object(org, record)
        record_id = next((str(value) for name, value in record.items() if name.lower() == "id"), "")
        if not record_id:
            raise SalesforceError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        try:
            row = records.find(described, record_id)
        except SalesforceError as exc:
            if exc.code == "NOT_FOUND":
                raise SalesforceError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []) from exc
            raise
        records.update(described, row["Id"], record)
        return {"id": row["Id"], "success": True, "errors": []}

    return _each(org, body, one)


def delete_many(org: Org, records: Records, ids: list[str], whole: bool) -> Written:
    """DELETE /composite/sobjects?ids=...; the records may be of several objects."""

    def one(record: dict[str, Any]) -> dict[str, Any]:
        record_id = record["Id"]
        described = org.schema.by_prefix(record_id)
        if described is None or canonical_id(record_id) is None:
            raise SalesforceError(400, "MALFORMED_ID", f"malformed id {record_id}", [])
        records.delete(described, record_id)
        return {"id": canonical_id(record_id), "success": True, "errors": []}

    return _each(org, {"allOrNone": whole, "records": [{"Id": record_id} for record_id in ids]}, one)


def upsert_many(org: Org, records: Records, described: Object, field: Field, body: Any) -> Written:
    """PATCH /composite/sobjects/OBJECT/FIELD."""
    seen: set[str] = set()

    def one(record: dict[str, Any]) -> dict[str, Any]:
        if _object(org, record) is not described:
            raise SalesforceError(400, "INVALID_TYPE", f"Record type does not match {described.name}", [])
        given = {name: value for name, value in record.items() if name.casefold() != field.name.casefold()}
        key = next((value for name, value in record.items() if name.casefold() == field.name.casefold()), None)
        if key is not None and str(key).casefold() in seen:
            raise SalesforceError(400, "DUPLICATE_VALUE", f"Duplicate external id specified: {key}", [field.name])
        seen.add(str(key).casefold())
        record_id, created = records.upsert(described, field, key, given)
        return {"id": record_id, "success": True, "errors": [], "created": created}

    return _each(org, body, one)


def _each(org: Org, body: Any, write: Callable[[dict[str, Any]], dict[str, Any]]) -> Written:
    given = body.get("records") if isinstance(body, dict) else None
    if not isinstance(given, list) or not all(isinstance(record, dict) for record in given):
        raise SalesforceError(400, "JSON_PARSER_ERROR", "The request needs a list of records")
    if len(given) > MAX_RECORDS:
        refusal = SalesforceError(
            400,
            "EXCEEDED_ID_LIMIT",
            f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call",
        )
        return [refusal.as_item() for _ in given], 0
    whole = body.get("allOrNone") is True
    with org.lock, org.transaction() as transaction:
        answers = []
        for record in given:
            try:
                answers.append(write(record))
            except SalesforceError as exc:
                answers.append(exc.as_item())
        written = sum(answer["success"] for answer in answers)
        if whole and written < len(answers):
            transaction.roll_back()
            undone = SalesforceError(
                400,
                "ALL_OR_NONE_OPERATION_ROLLED_BACK",
                "Record rolled back because not all records were valid and the request was using AllOrNone header",
            )
            answers = [undone.as_item() if answer["success"] else answer for answer in answers]
            written = 0
    return answers, written


def _object(org: Org, record: dict[str, Any]) -> Object:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise SalesforceError(400, "INVALID_INPUT", "type attribute is missing or unexpected value", [])
    described = org.schema.object(name)
    if described is None:
        raise SalesforceError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.", [])
    return described

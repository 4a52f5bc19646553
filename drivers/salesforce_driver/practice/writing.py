"""REST calls that write. What is deleted goes to the recycle bin, where queryAll still finds it."""

from __future__ import annotations

from typing import Any

from integrator_practice.http import Response, json_response

from . import batches
from .calls import Call, Route
from .errors import SalesforceError, not_found
from .records import Records, SeveralMatchesError

__all__ = ["ROUTES"]

UPSERT_TELLS = 46  # from this version on an upsert that updated answers 200 and a body


def insert(call: Call, name: str) -> Response:
    record_id = Records(call.org, call.user).insert(call.described(name), _fields(call))
    return json_response({"id": record_id, "success": True, "errors": []}, 201, changed=1)


def update(call: Call, name: str, record_id: str) -> Response:
    given = _fields(call)
    if "Id" in given:
        raise SalesforceError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])
    Records(call.org, call.user).update(call.described(name), record_id, given)
    return Response(204, changed=1)


def upsert(call: Call, name: str, field: str, value: str) -> Response:
    described, records = call.described(name), Records(call.org, call.user)
    key, given = records.key_field(described, field), _fields(call)
    if any(given_name.casefold() == key.name.casefold() for given_name in given):
        raise SalesforceError(
            400,
            "INVALID_FIELD",
            f"The {key.name} field should not be specified in the sobject data.",
            [key.name],
        )
    try:
        record_id, created = records.upsert(described, key, value, given)
    except SeveralMatchesError as exc:
        return json_response([f"{call.base}/sobjects/{exc.object}/{one}" for one in exc.ids], 300)
    if not created and call.version < UPSERT_TELLS:
        return Response(204, changed=1)
    answer = {"id": record_id, "success": True, "errors": [], "created": created}
    return json_response(answer, 201 if created else 200, changed=1)


def delete(call: Call, name: str, record_id: str) -> Response:
    Records(call.org, call.user).delete(call.described(name), record_id)
    return Response(204, changed=1)


def delete_by_key(call: Call, name: str, field: str, value: str) -> Response:
    described, records = call.described(name), Records(call.org, call.user)
    found = call.org.find(described.name, records.key_field(described, field).name, value)
    if not found:
        raise not_found()
    if len(found) > 1:
        return json_response([f"{call.base}/sobjects/{described.name}/{one}" for one in found], 300)
    records.delete(described, found[0])
    return Response(204, changed=1)


def delete_many(call: Call) -> Response:
    ids = [one.strip() for one in call.request.query.get("ids", "").split(",") if one.strip()]
    if not ids:
        raise SalesforceError(400, "MISSING_ARGUMENT", "The ids parameter must be specified")
    whole = call.request.query.get("allOrNone", "").lower() == "true"
    answers, written = batches.delete_many(call.org, Records(call.org, call.user), ids, whole)
    return json_response(answers, changed=written)


def insert_many(call: Call) -> Response:
    answers, written = batches.insert_many(call.org, Records(call.org, call.user), call.json())
    return json_response(answers, changed=written)


def update_many(call: Call) -> Response:
    answers, written = batches.update_many(call.org, Records(call.org, call.user), call.json())
    return json_response(answers, changed=written)


def upsert_many(call: Call, name: str, field: str) -> Response:
    described, records = call.described(name), Records(call.org, call.user)
    key = records.key_field(described, field)
    answers, written = batches.upsert_many(call.org, records, described, key, call.json())
    return json_response(answers, changed=written)


def _fields(call: Call) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise SalesforceError(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
    return body


ROUTES: list[Route] = [
    ("POST", "/sobjects/{name}", insert),
    ("PATCH", "/sobjects/{name}/{record_id}", update),
    ("PATCH", "/sobjects/{name}/{field}/{value}", upsert),
    ("DELETE", "/sobjects/{name}/{record_id}", delete),
    ("DELETE", "/sobjects/{name}/{field}/{value}", delete_by_key),
    ("DELETE", "/composite/sobjects", delete_many),
    ("POST", "/composite/sobjects", insert_many),
    ("PATCH", "/composite/sobjects", update_many),
    ("PATCH", "/composite/sobjects/{name}/{field}", upsert_many),
]

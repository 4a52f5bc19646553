"""Batch requests: at most 100 inputs, each judged on its own where HubSpot does so, whole where it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from integrator_practice.http import Response, json_response

from .account import Account, Kind, Stored, stamp
from .errors import HubSpotError, invalid, item
from .values import checked

__all__ = ["create", "read", "update", "upsert"]

MOST_INPUTS = 100
MEMBERS = {
    "read": {"id"},
    "create": {"properties", "associations", "objectWriteTraceId"},
    "update": {"id", "properties", "idProperty", "objectWriteTraceId"},
    "upsert": {"id", "properties", "idProperty", "objectWriteTraceId"},
}


def read(account: Account, kind: Kind, body: Mapping[str, Any]) -> Response:
    """Records by id or unique property. Those not there are one error of an answer of status 207."""
    unknown = set(body) - {"inputs", "properties", "propertiesWithHistory", "idProperty"}
    if unknown:
        raise invalid(f'Invalid input JSON on line 1, column 1: unknown field "{sorted(unknown)[0]}"')
    inputs = _inputs(body, "read")
    key = str(body.get("idProperty") or "")
    if key:
        _unique(kind, key)
    names = [name for name in body.get("properties") or kind.defaults if name in kind.definitions]
    names += [name for name in (kind.created, kind.modified, "hs_object_id") if name not in names]
    found: dict[str, dict[str, Any]] = {}
    missing = []
    for entry in inputs:
        stored = account.find(kind, key, str(entry["id"])) if key else kind.rows.get(str(entry["id"]))
        if stored is None:
            missing.append(str(entry["id"]))
        else:
            found[stored.id] = stored.view(names)
    errors = []
    if missing:
        message = (
            f"Could not get some {kind.singular} objects, they may be deleted or not exist. Check that ids are valid."
        )
        errors.append(item(HubSpotError(404, "OBJECT_NOT_FOUND", message, {"ids": missing})))
    return _answer(account, list(found.values()), errors)


def create(account: Account, kind: Kind, body: Mapping[str, Any]) -> Response:
    """New records, all or none: one known e-mail is a 409 for the whole batch, and only the first is named."""
    inputs = _inputs(body, "create")
    ready = []
    seen: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(inputs):
        values = checked(account, kind, _properties(entry), None)
        for key in kind.unique:
            value = (values.get(key) or "").strip()
            if not value:
                continue
            known = account.find(kind, key, value)
            if known and kind.name == "contacts" and key == "email":
                raise HubSpotError(409, "CONFLICT", f"Contact already exists. Existing ID: {known.id}")
            if known:
                raise _taken(key, value, known)
            if (key, value.lower()) in seen:
                raise invalid(f"Duplicate {key}s found in batch: [{value}]")
            seen[key, value.lower()] = number
        ready.append((values, entry))
    made = [(account.make(kind, values), entry) for values, entry in ready]
    results = [
        _traced(stored.view(_written(kind, values)), entry)
        for (stored, entry), (values, _) in zip(made, ready, strict=True)
    ]
    return _answer(account, results, [], 201, changed=len(results))


def update(account: Account, kind: Kind, body: Mapping[str, Any]) -> Response:
    """Known records by id, or by a unique property. An e-mail as `id` finds nothing and nothing is said."""
    inputs = _inputs(body, "update")
    _no_repeats(inputs)
    results, errors = [], []
    changed = 0
    for entry in inputs:
        key = str(entry.get("idProperty") or "")
        if key:
            if key == "email" or key not in kind.unique:
                raise invalid(f"Unable to perform update/upsert by non-unique {kind.singular} property {key}")
            stored = account.find(kind, key, str(entry["id"]))
        else:
            stored = kind.rows.get(str(entry["id"]))
        if stored is None:
            if str(entry["id"]).isdigit():
                message = f"Could not update {kind.singular} {entry['id']}: it may be deleted or not exist."
                missing = HubSpotError(404, "OBJECT_NOT_FOUND", message, {"ids": [str(entry["id"])]})
                errors.append(item(missing, entry.get("objectWriteTraceId")))
            continue
        try:
            values = checked(account, kind, _properties(entry), stored)
            _no_conflict(account, kind, values, stored)
        except HubSpotError as exc:
            errors.append(item(exc, entry.get("objectWriteTraceId")))
            continue
        changed += 1
        results.append(_traced(account.change(kind, stored, values).view(_written(kind, values)), entry))
    return _answer(account, results, errors, changed=changed)


def upsert(account: Account, kind: Kind, body: Mapping[str, Any]) -> Response:
    """New or known records by one unique property. By e-mail the batch succeeds or fails as a whole."""
    inputs = _inputs(body, "upsert")
    keys = {str(entry.get("idProperty") or "") for entry in inputs}
    if len(keys) != 1 or "" in keys:
        raise invalid("All inputs of an upsert must have the same idProperty.")
    key = keys.pop()
    _unique(kind, key)
    _no_repeats(inputs)
    results, errors = [], []
    changed = 0
    ready: list[tuple[Stored | None, dict[str, str], dict[str, Any]]] = []
    for entry in inputs:
        stored = account.find(kind, key, str(entry["id"]))
        try:
            given = {key: str(entry["id"]), **_properties(entry)}
            values = checked(account, kind, given, stored)
            if stored and key == "email" and stored.properties.get("email") != values["email"]:
                del values["email"]  # known by another address of the same contact
            _no_conflict(account, kind, values, stored)
        except HubSpotError as exc:
            if key == "email":
                raise
            errors.append(item(exc, entry.get("objectWriteTraceId")))
            continue
        ready.append((stored, values, entry))
    for known, values, entry in ready:
        after = account.change(kind, known, values) if known else account.make(kind, values)
        changed += 1
        results.append({**_traced(after.view(_written(kind, values)), entry), "new": known is None})
    return _answer(account, results, errors, changed=changed)


def _inputs(body: Mapping[str, Any], operation: str) -> list[dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(entry, dict) for entry in inputs):
        raise invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [inputs]")
    if len(inputs) > MOST_INPUTS:
        raise invalid(f"The number of inputs in a batch must not exceed {MOST_INPUTS}; there are {len(inputs)}.")
    for entry in inputs:
        unknown = sorted(set(entry) - MEMBERS[operation])
        if unknown:
            raise invalid(f'Invalid input JSON on line 1, column 1: unknown field "{unknown[0]}"')
        needed = {"id", "properties"} & MEMBERS[operation]
        if lacking := sorted(name for name in needed if name not in entry):
            raise invalid(f"Invalid input JSON on line 1, column 1: Some required fields were not set: {lacking}")
    return inputs


def _properties(entry: Mapping[str, Any]) -> dict[str, Any]:
    given = entry.get("properties")
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON on line 1, column 1: properties is an object")
    return given


def _unique(kind: Kind, key: str) -> None:
    if key not in kind.definitions:
        raise invalid(f"Property {key} does not exist on {kind.singular}.")
    if key not in kind.unique:
        raise invalid(f"Unable to perform update/upsert by non-unique {kind.singular} property {key}")


def _no_repeats(inputs: list[dict[str, Any]]) -> None:
    repeated = [
        one for one, times in Counter(str(entry["id"]).strip().lower() for entry in inputs).items() if times > 1
    ]
    if repeated:
        raise invalid(f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique.")


def _no_conflict(account: Account, kind: Kind, values: Mapping[str, str], stored: Stored | None) -> None:
    for key in kind.unique:
        value = values.get(key)
        known = account.find(kind, key, value) if value else None
        if known and (stored is None or known.id != stored.id):
            raise _taken(key, str(value), known)


def _taken(key: str, value: str, known: Stored) -> HubSpotError:
    message = f"Cannot set property {key} to {value}. {known.id} already has that value."
    return HubSpotError(400, "VALIDATION_ERROR", message)


def _traced(view: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    trace = entry.get("objectWriteTraceId")
    return view if trace is None else {**view, "objectWriteTraceId": str(trace)}


def _written(kind: Kind, values: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys([*values, *kind.defaults]))


def _answer(
    account: Account, results: list[dict[str, Any]], errors: list[dict[str, Any]], status: int = 200, changed: int = 0
) -> Response:
    for result in results:
        result["properties"] = {name: value for name, value in result["properties"].items() if value is not None}
    now = stamp(account.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
        status = 207
    return json_response(body, status, changed=changed)

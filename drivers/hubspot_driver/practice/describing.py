"""What an account says about itself: properties, schemas, owners, pipelines, who belongs to whom."""

from __future__ import annotations

from typing import Any

from integrator_practice.http import Request, Response, json_response

from .account import ASSOCIATION_TYPES, PORTAL_ID, TYPE_IDS, Account, Kind, stamp
from .definitions import CUSTOM, CUSTOM_TYPE, STAGES
from .errors import HubSpotError, invalid, item, not_found

__all__ = [
    "associated",
    "associations",
    "details",
    "one_property",
    "owner",
    "owners",
    "pipelines",
    "properties",
    "schemas",
]

MOST_INPUTS = 1_000
SINCE = "2024-01-15T08:00:00.000Z"


def properties(account: Account, kind: Kind, request: Request) -> Response:
    return json_response({"results": list(kind.definitions.values())})


def one_property(account: Account, kind: Kind, request: Request, name: str) -> Response:
    if name not in kind.definitions:
        raise not_found(f"Property {name} does not exist on {kind.singular}.")
    return json_response(kind.definitions[name])


def schemas(account: Account, request: Request) -> Response:
    if "schemas" in account.hidden_scopes:
        needed = {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.schemas.custom.read"]},
        }
        message = "This app hasn't been granted all required scopes to make this call."
        raise HubSpotError(403, "MISSING_SCOPES", message, None, [needed])
    custom = {
        "id": CUSTOM_TYPE.partition("-")[2],
        "objectTypeId": CUSTOM_TYPE,
        "name": CUSTOM,
        "fullyQualifiedName": f"p{PORTAL_ID}_{CUSTOM}",
        "labels": {"singular": "Subscription", "plural": "Subscriptions"},
        "description": "Running subscriptions of customers",
        "requiredProperties": ["subscription_number"],
        "searchableProperties": ["subscription_number"],
        "secondaryDisplayProperties": [],
        "primaryDisplayProperty": "subscription_number",
        "properties": list(account.kinds[CUSTOM].definitions.values()),
        "associations": [],
        "archived": False,
        "createdAt": SINCE,
        "updatedAt": SINCE,
    }
    return json_response({"results": [custom]})


def owners(account: Account, request: Request) -> Response:
    query = request.query
    archived = query.get("archived") == "true"
    found = [one for one in account.owners if one["archived"] == archived]
    if email := query.get("email"):
        found = [one for one in found if one["email"] == email]
    limit, after = query.get("limit", "100"), query.get("after", "0")
    if not limit.isdigit() or not 1 <= int(limit) <= 500 or not after.isdigit():
        raise invalid("limit must be between 1 and 500, after an integer")
    start, end = int(after), int(after) + int(limit)
    body: dict[str, Any] = {"results": found[start:end]}
    if end < len(found):
        body["paging"] = {"next": {"after": str(end)}}
    return json_response(body)


def owner(account: Account, request: Request, number: str) -> Response:
    for one in account.owners:
        if one["id"] == number:
            return json_response(one)
    raise not_found()


def pipelines(account: Account, kind: Kind, request: Request) -> Response:
    if kind.name not in STAGES:
        return json_response({"results": []})
    number, label, stages = STAGES[kind.name]
    stamps = {"createdAt": SINCE, "updatedAt": SINCE, "archived": False}
    shown = [
        {
            "id": stage,
            "label": name,
            "displayOrder": order,
            "metadata": dict(facts),
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            **stamps,
        }
        for order, (stage, name, facts) in enumerate(stages)
    ]
    return json_response({"results": [{"id": number, "label": label, "displayOrder": 0, "stages": shown, **stamps}]})


def associations(account: Account, kind: Kind, request: Request, to: str) -> Response:
    """Of several records at once; those without any are one error each of an answer of status 207."""
    other = _other(account, kind, to)
    try:
        inputs = request.json()["inputs"]
        ids = [str(entry["id"]) for entry in inputs]
    except (ValueError, KeyError, TypeError) as exc:
        raise invalid("Invalid input JSON on line 1, column 1: Some required fields were not set: [inputs]") from exc
    if len(ids) > MOST_INPUTS:
        raise invalid(f"The number of inputs in a batch must not exceed {MOST_INPUTS}.")
    results, errors = [], []
    for one in dict.fromkeys(ids):
        found = _linked(account, kind, one, other)
        if found:
            results.append({"from": {"id": one}, "to": found})
        else:
            message = f"No {other.name} is associated with {kind.name} {one}."
            context = {"fromObjectId": [one], "fromObjectType": [TYPE_IDS[kind.name]]}
            errors.append(item(HubSpotError(404, "OBJECT_NOT_FOUND", message, context)))
    now = stamp(account.now())
    body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return json_response(body, 207 if errors else 200)


def associated(account: Account, kind: Kind, request: Request, number: str, to: str) -> Response:
    if number not in kind.rows:
        raise not_found()
    return json_response({"results": _linked(account, kind, number, _other(account, kind, to))})


def details(account: Account, request: Request) -> Response:
    return json_response(
        {
            "portalId": PORTAL_ID,
            "portalName": "Practice account",
            "accountType": "DEVELOPER_TEST",
            "timeZone": "UTC",
            "companyCurrency": "EUR",
            "additionalCurrencies": [],
            "utcOffset": "+00:00",
            "utcOffsetMilliseconds": 0,
            "uiDomain": "app.practice.example",
            "dataHostingLocation": "eu1",
        }
    )


def _other(account: Account, kind: Kind, to: str) -> Kind:
    other = account.kind(to)
    if other is None:
        raise invalid(f"Unable to infer object type from: {to}")
    return other


def _linked(account: Account, kind: Kind, number: str, other: Kind) -> list[dict[str, Any]]:
    pair = ASSOCIATION_TYPES.get((kind.name, other.name), (0, None))
    found = []
    for to_id, types in sorted(account.linked(kind.name, number, other.name).items()):
        shown = [
            {
                "category": "HUBSPOT_DEFINED",
                "typeId": one,
                **({"label": "Primary"} if one == pair[1] else {}),
            }
            for one in types
        ]
        found.append({"toObjectId": to_id, "associationTypes": shown})
    return found

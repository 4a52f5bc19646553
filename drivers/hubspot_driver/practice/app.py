"""The practice HubSpot over HTTP: tokens, limits, faults, and who answers which path."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from integrator_practice.http import Request, Response, Router, json_response

from . import batches, describing, search
from .account import PORTAL_ID, Account, Kind, Stored, stamp
from .errors import HubSpotError, invalid, not_found
from .values import checked

__all__ = ["TEN_SECONDLY", "VERSIONS", "HubSpotApp"]

VERSIONS = ("2026-03", "2026-09")
TEN_SECONDLY = 100_000  # requests in ten seconds: so high that no client slows down, unless a fault lowers it
INTERVAL = 10.0
_WORDED = {
    401: ("INVALID_AUTHENTICATION", "Authentication credentials not found."),
    403: ("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call."),
    404: ("OBJECT_NOT_FOUND", "resource not found"),
    409: ("CONFLICT", "The request conflicts with the state of the account."),
    429: ("RATE_LIMITS", "You have reached your ten_secondly_rolling limit."),
}
_READING_POST = re.compile(r".*/(search|batch/read)/?")
Handler = Callable[..., Response]


class HubSpotApp:
    """Routes requests to the account."""

    def __init__(self, account: Account, token: str) -> None:
        self.account = account
        self.token = token
        self._limit = TEN_SECONDLY
        self._daily = False
        self._seen: dict[str, dict[str, Stored]] = {}
        self._requests = 0
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()
        self._router = self._routes()

    def handle(self, request: Request) -> Response:
        """The answer; what is not understood is refused as HubSpot words it."""
        try:
            self._admit(request)
            response = self._answer(request)
        except HubSpotError as exc:
            response = exc.response()
            if exc.status == 429 and exc.category == "RATE_LIMITS" and not self._daily:
                response.headers = {"Retry-After": "1"}
        if not request.path.rstrip("/").endswith("/search"):  # searches have a limit of their own and tell nothing
            response.headers = {**response.headers, **self._allowance()}
        return response

    def is_mutation(self, request: Request) -> bool:
        """POST, PATCH, PUT and DELETE, except searches and batch reads. Archiving is a POST and counts."""
        if request.method == "POST":
            return not _READING_POST.fullmatch(request.path)
        return request.method in ("PATCH", "PUT", "DELETE")

    def fault_response(self, status: int) -> Response:
        """Errors as HubSpot words them."""
        category, message = _WORDED.get(status, ("INTERNAL_ERROR", "internal error"))
        if status == 429:
            return json_response(_limited("TEN_SECONDLY_ROLLING"), 429, headers={"Retry-After": "1"})
        return HubSpotError(status, category, message).response()

    def fault(self, name: str, options: Mapping[str, Any]) -> bool:
        """revoke_token; hide_object (object); hide_schemas; daily_limit; rate_limit (calls); search_lag."""
        match name:
            case "revoke_token":
                self.token = ""
            case "hide_object":
                kind = self.account.kind(str(options.get("object")))
                if kind is None:
                    raise ValueError("hide_object needs an object")
                self.account.hidden_scopes.add(kind.name)
            case "hide_schemas":
                self.account.hidden_scopes.add("schemas")
            case "daily_limit":
                self._daily = True
            case "search_lag":  # searches go on seeing what is there now
                self._seen = {kind.name: dict(kind.rows) for kind in self.account.kinds.values()}
            case "rate_limit":
                self._limit = int(options.get("calls", 1))
            case _:
                return False
        return True

    def clear_faults(self) -> None:
        """All scopes and no limits again. A withdrawn token stays withdrawn."""
        self.account.hidden_scopes.clear()
        self._seen.clear()
        self._daily = False
        self._limit = TEN_SECONDLY

    def _admit(self, request: Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not self.token or scheme.lower() != "bearer" or given.strip() != self.token:
            message = (
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
                "more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
            )
            raise HubSpotError(401, "INVALID_AUTHENTICATION", message)
        if self._daily:
            raise _Limited("DAILY")
        now = time.monotonic()
        with self._lock:
            self._requests += 1
            while self._taken and self._taken[0] <= now - INTERVAL:
                self._taken.popleft()
            if len(self._taken) >= self._limit:
                raise _Limited("TEN_SECONDLY_ROLLING")
            self._taken.append(now)

    def _allowance(self) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(self._limit),
            "X-HubSpot-RateLimit-Remaining": str(max(0, self._limit - len(self._taken))),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(INTERVAL * 1000)),
        }

    def _answer(self, request: Request) -> Response:
        found = self._router.find(request.method, request.path)
        if found:
            handler, names = found
            return handler(request, **names)
        if allowed := self._router.methods(request.path):
            raise HubSpotError(405, "METHOD_NOT_ALLOWED", f"HTTP 405 Method Not Allowed; allowed: {', '.join(allowed)}")
        raise not_found()

    def _routes(self) -> Router:
        router = Router()
        objects = "/crm/objects/{version}/{kind}"
        for operation, run in (
            ("read", batches.read),
            ("create", batches.create),
            ("update", batches.update),
            ("upsert", batches.upsert),
        ):
            router.route("POST", f"{objects}/batch/{operation}")(self._batch(run))
        router.route("POST", f"{objects}/batch/archive")(self._refused)
        router.route("POST", f"{objects}/search")(self._of_kind(self._search))
        router.route("GET", objects)(self._of_kind(self._list))
        router.route("POST", objects)(self._of_kind(self._create))
        router.route("GET", objects + "/{number}")(self._of_kind(self._get))
        router.route("PATCH", objects + "/{number}")(self._of_kind(self._patch))
        router.route("DELETE", objects + "/{number}")(self._refused)
        router.route("GET", objects + "/{number}/associations/{to}")(self._of_kind(describing.associated))
        router.route("POST", "/crm/associations/{version}/{kind}/{to}/batch/read")(
            self._of_kind(describing.associations)
        )
        router.route("GET", "/crm/properties/{version}/{kind}")(self._of_kind(describing.properties))
        router.route("GET", "/crm/properties/{version}/{kind}/{name}")(self._of_kind(describing.one_property))
        router.route("GET", "/crm/pipelines/{version}/{kind}")(self._of_kind(describing.pipelines))
        router.route("GET", "/crm/owners/{version}")(self._plain(describing.owners))
        router.route("GET", "/crm/owners/{version}/{number}")(self._plain(describing.owner))
        router.route("GET", "/crm-object-schemas/{version}/schemas")(self._plain(describing.schemas))
        router.route("GET", "/account-info/{version}/details")(self._plain(describing.details))
        router.route("GET", "/account-info/{version}/api-usage/daily/private-apps")(self._plain(self._usage))
        return router

    def _plain(self, handler: Handler) -> Handler:
        def admitted(request: Request, version: str, **names: str) -> Response:
            if version not in VERSIONS:
                raise not_found()
            return handler(self.account, request, **names)

        return admitted

    def _of_kind(self, handler: Handler) -> Handler:
        """The handler with the object that the path names, for tokens that may see it."""

        def admitted(request: Request, version: str, kind: str, **names: str) -> Response:
            if version not in VERSIONS:
                raise not_found()
            found = self.account.kind(kind)
            if found is None:
                message = f"Unable to infer object type from: {kind}"
                raise HubSpotError(400 if "/objects/" in request.path else 404, "VALIDATION_ERROR", message)
            if found.name in self.account.hidden_scopes:
                scope = "tickets" if found.name == "tickets" else f"crm.objects.{found.name}.read"
                message = "This app hasn't been granted all required scopes to make this call."
                needed = {
                    "message": "One or more of the following scopes are required.",
                    "context": {"requiredGranularScopes": [scope]},
                }
                raise HubSpotError(403, "MISSING_SCOPES", message, None, [needed])
            with self.account.lock:
                return handler(self.account, found, request, **names)

        return admitted

    def _batch(self, run: Callable[[Account, Kind, Mapping[str, Any]], Response]) -> Handler:
        return self._of_kind(lambda account, kind, request: run(account, kind, _json(request)))

    def _refused(self, request: Request, **names: str) -> Response:
        """Practice accounts keep their records; what archives is answered as if the token might not."""
        message = "This app hasn't been granted all required scopes to make this call."
        raise HubSpotError(403, "MISSING_SCOPES", message)

    def _search(self, account: Account, kind: Kind, request: Request) -> Response:
        if len(request.body) > search.LONGEST_BODY:
            raise invalid(f"The request body is longer than {search.LONGEST_BODY} characters.")
        seen = replace(kind, rows=self._seen.get(kind.name, kind.rows))
        return json_response(search.run(seen, _json(request)))

    def _list(self, account: Account, kind: Kind, request: Request) -> Response:
        query = request.query
        limit = _whole(query.get("limit", "10"), "limit")
        if not 1 <= limit <= 100:
            raise invalid("limit must be between 1 and 100")
        after = _whole(query.get("after", "0"), "after")
        numbers = sorted(int(number) for number in kind.rows if int(number) >= after)
        if query.get("archived") == "true":
            numbers = []
        names = _asked(kind, query)
        body: dict[str, Any] = {"results": [kind.rows[str(one)].view(names) for one in numbers[:limit]]}
        if len(numbers) > limit:
            link = f"https://api.hubapi.com{request.path}?after={numbers[limit]}"
            body["paging"] = {"next": {"after": str(numbers[limit]), "link": link}}
        return json_response(body)

    def _get(self, account: Account, kind: Kind, request: Request, number: str) -> Response:
        key = request.query.get("idProperty", "")
        if key and key not in kind.unique:
            raise invalid(f"{key} is not a unique property of {kind.singular}")
        stored = account.find(kind, key, number) if key else kind.rows.get(number)
        if stored is None:
            raise not_found()
        return json_response(stored.view(_asked(kind, request.query)))

    def _create(self, account: Account, kind: Kind, request: Request) -> Response:
        body = _json(request)
        made = batches.create(account, kind, {"inputs": [body]})
        return json_response(json.loads(made.body)["results"][0], 201, changed=1)

    def _patch(self, account: Account, kind: Kind, request: Request, number: str) -> Response:
        key = request.query.get("idProperty", "")
        stored = account.find(kind, key, number) if key in kind.unique else kind.rows.get(number)
        if stored is None:
            raise not_found()
        given = _json(request).get("properties") or {}
        if not given:
            raise invalid("No properties found to update, please provide at least one.", properties=["{}"])
        values = checked(account, kind, given, stored)
        return json_response(account.change(kind, stored, values).view([*values, *kind.defaults]), changed=1)

    def _usage(self, account: Account, request: Request) -> Response:
        now = account.now()
        entry = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": 1_000_000,
            "currentUsage": self._requests,
            "collectedAt": stamp(now),
            "fetchStatus": "SUCCESS",
            "resetsAt": stamp(now.replace(hour=23, minute=59, second=59)),
        }
        return json_response({"results": [entry]})


class _Limited(HubSpotError):
    def __init__(self, policy: str) -> None:
        super().__init__(429, "RATE_LIMITS", str(_limited(policy)["message"]))
        self._policy = policy

    def as_data(self) -> dict[str, Any]:
        return _limited(self._policy)


def _limited(policy: str) -> dict[str, Any]:
    return {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "c0ffee00-0000-4000-8000-000000000429",
        "policyName": policy,
        "groupName": f"privateapp:{PORTAL_ID}",
    }


def _json(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError as exc:
        raise invalid(f"Invalid input JSON on line 1, column 1: {exc}") from exc
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON on line 1, column 1: an object is needed")
    return body


def _whole(text: str, name: str) -> int:
    if not text.isdigit():
        raise invalid(f"{name} must be an integer")
    return int(text)


def _asked(kind: Kind, query: Mapping[str, str]) -> list[str]:
    """Properties of a query string; those that are not there are left out without a word, as HubSpot does."""
    given = [name for name in query.get("properties", "").split(",") if name in kind.definitions]
    return list(dict.fromkeys([*(given or kind.defaults), kind.created, kind.modified, "hs_object_id"]))

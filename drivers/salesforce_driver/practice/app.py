"""The practice Salesforce over HTTP: versions, sessions, limits, faults, and who handles which path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from integrator_practice.http import Request, Response, Router, json_response

from . import bulk_ingest, bulk_query, composite, reading, search, writing
from .auth import Accounts
from .bulk_v1 import BulkError, BulkV1, refusal
from .calls import Call, Handler
from .cursors import Cursors
from .errors import SalesforceError, not_found
from .jobs import Jobs
from .org import Org
from .soql import Clock

__all__ = ["VERSIONS", "SalesforceApp"]

VERSIONS = range(31, 69)
LONGEST_ADDRESS = 16_384  # bytes of path and query string
DAILY_REQUESTS = 5_000_000  # so high that no client stops for fear of it
DAILY_BATCHES = 15_000
_WORDED: dict[int, tuple[str, str]] = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    429: ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    503: ("SERVER_UNAVAILABLE", "Server is temporarily unavailable"),
}
_READING = {
    "POST": re.compile(r"/services/(oauth2/.*|Soap/.*|data/[^/]+/(composite/sobjects/\w+|jobs/query)/?)"),
    "PATCH": re.compile(r"/services/data/[^/]+/jobs/query/\w+/?"),
}


class SalesforceApp:
    """Routes requests to the org. `base_url` is set once the port is known."""

    def __init__(self, org: Org, accounts: Accounts) -> None:
        self.org = org
        self.accounts = accounts
        self.base_url = ""
        self._cursors = Cursors()
        self._jobs = Jobs()
        self._bulk_v1 = BulkV1()
        self._requests = 0
        self._router = self._routes()

    def handle(self, request: Request) -> Response:
        """The answer; what is not understood is refused as Salesforce words it."""
        self._requests += 1
        if request.method == "POST" and (method := request.query.get("_HttpMethod")):
            request = replace(request, method=method.upper())  # for clients that can't send PATCH
        if len(request.path) + len(request.query_string) > LONGEST_ADDRESS:
            return Response(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", "text/html")
        response = self._answered(request)
        if request.path.startswith("/services/data/"):
            used = f"api-usage={self._requests}/{DAILY_REQUESTS}"
            response.headers = {**response.headers, "Sforce-Limit-Info": used}
        return response

    def is_mutation(self, request: Request) -> bool:
        """POST, PATCH, PUT and DELETE, except logins, reads by POST and what becomes of a query job."""
        reading = _READING.get(request.method)
        if request.path.startswith("/services/async/"):
            return request.method != "GET" and not self._bulk_v1.reads(request)
        if reading and reading.fullmatch(request.path):
            return False
        return request.method in ("POST", "PATCH", "PUT", "DELETE")

    def fault_response(self, status: int) -> Response:
        """REST errors as Salesforce words them."""
        code, message = _WORDED.get(status, ("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
        return json_response([{"message": message, "errorCode": code}], status)

    def fault(self, name: str, options: Mapping[str, Any]) -> bool:
        """expire_sessions; lock (times: records); hide_field (object, field: by field-level security).

        Of Bulk jobs: slow_job (polls), fail_job (message), cut_csv (times: pages).
        """
        match name:
            case "expire_sessions":
                self.accounts.expire_sessions()
            case "lock":
                self.org.locked_writes = int(options.get("times", 1))
            case "slow_job":
                self._jobs.slow_polls = int(options.get("polls", 3))
            case "fail_job":
                self._jobs.next_failure = str(options.get("message", "InternalServerError : something went wrong"))
            case "cut_csv":
                self._jobs.cuts = int(options.get("times", 1))
            case "hide_field":
                described = self.org.schema.object(str(options.get("object")))
                field = described and described.field(str(options.get("field")))
                if not described or not field:
                    raise ValueError("hide_field needs an object and a field of it")
                described.hidden.add(field.name)
            case _:
                return False
        return True

    def clear_faults(self) -> None:
        """Nothing is locked or hidden any more."""
        self.org.locked_writes = 0
        self._jobs.calm()
        for described in self.org.schema.objects.values():
            described.hidden.clear()

    def _answered(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except SalesforceError as exc:
            return json_response(exc.as_data(), exc.status)

    def _answer(self, request: Request) -> Response:
        found = self._router.find(request.method, request.path)
        if found:
            handler, names = found
            return handler(request, **names)
        allowed = self._router.methods(request.path)
        if not allowed:
            raise not_found()
        raise SalesforceError(
            405,
            "METHOD_NOT_ALLOWED",
            f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(allowed)}",
        )

    def _routes(self) -> Router:
        router = Router()
        router.route("POST", "/services/oauth2/token")(lambda request: self.accounts.token(request, self.base_url))
        router.route("POST", "/services/oauth2/revoke")(self.accounts.revoke)
        router.route("GET", "/services/oauth2/revoke")(self.accounts.revoke)
        router.route("GET", "/services/oauth2/userinfo")(self._userinfo)
        router.route("GET", "/id/{org}/{user}")(
            lambda request, org, user: json_response(self.accounts.identity(self._user(request), self.base_url))
        )
        router.route("POST", "/services/Soap/u/{version}")(
            lambda request, version: self.accounts.soap(request, version, self.base_url)
        )
        router.route("POST", "/services/Soap/u/{version}/{org}")(
            lambda request, version, org: self.accounts.soap(request, version, self.base_url)
        )
        router.route("GET", "/services/data")(lambda request: json_response(_versions()))
        routes = (
            *reading.ROUTES,
            *search.ROUTES,
            *writing.ROUTES,
            *composite.ROUTES,
            *bulk_query.ROUTES,
            *bulk_ingest.ROUTES,
        )
        for method, path, handler in (*routes, ("GET", "/limits", self._limits)):
            router.route(method, "/services/data/{version}" + path)(self._behind_login(handler))
        for method, path, handler in self._bulk_v1.routes:
            router.route(method, "/services/async/{version}" + path)(self._bulk_v1_answers(handler))
        return router

    def _bulk_v1_answers(self, handler: Handler) -> Handler:
        """The handler with that API's own words for what is refused; its versions come without a v."""
        checked = self._behind_login(handler)

        def answer(request: Request, version: str, **names: str) -> Response:
            try:
                return checked(request, f"v{version}", **names)
            except BulkError as exc:
                return refusal(request, exc)
            except SalesforceError as exc:
                code = "InvalidSessionId" if exc.code == "INVALID_SESSION_ID" else "InvalidVersion"
                return refusal(request, BulkError(code, exc.message))

        return answer

    def _behind_login(self, handler: Handler) -> Handler:
        """The handler for known versions and live sessions."""

        def checked(request: Request, version: str, **names: str) -> Response:
            match = re.fullmatch(r"v(\d+)\.0", version)
            if not match or int(match[1]) not in VERSIONS:
                raise not_found()
            user = self._user(request)
            clock = Clock(self.org.clock(), ZoneInfo(user["TimeZoneSidKey"]))
            base = f"/services/data/{version}"
            call = Call(
                request, base, int(match[1]), user["Id"], clock, self.org, self._cursors, self._jobs, self._answered
            )
            return handler(call, **names)

        return checked

    def _limits(self, call: Call) -> Response:
        daily = {"Max": DAILY_REQUESTS, "Remaining": DAILY_REQUESTS - self._requests}
        batches = {"Max": DAILY_BATCHES, "Remaining": DAILY_BATCHES}
        limits = {"DailyApiRequests": daily, "DailyBulkApiBatches": batches, "DailyBulkV2QueryJobs": batches}
        return json_response(limits)

    def _userinfo(self, request: Request) -> Response:
        return json_response(self.accounts.userinfo(self._user(request), self.base_url))

    def _user(self, request: Request) -> dict[str, Any]:
        user = self.org.row(self.accounts.user_of(request))
        assert user is not None
        return user


def _versions() -> list[dict[str, str]]:
    """Every version with its release: 59.0 is Winter '24, and three follow each year."""
    return [
        {
            "label": f"{('Winter', 'Spring', 'Summer')[(number - 59) % 3]} '{24 + (number - 59) // 3}",
            "url": f"/services/data/v{number}.0",
            "version": f"{number}.0",
        }
        for number in VERSIONS
    ]

"""The practice Salesforce over HTTP: which path does what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from integrator_practice.http import Request, Response, Router, json_response

from . import soql
from .auth import Accounts
from .cursors import Cursors, page_size
from .errors import SalesforceError, not_found
from .org import Org
from .schema import Object

__all__ = ["NEWEST_VERSION", "OLDEST_VERSION", "SalesforceApp"]

OLDEST_VERSION, NEWEST_VERSION = 31, 68
DAILY_REQUESTS = 5_000_000
VERSIONS = range(OLDEST_VERSION, NEWEST_VERSION + 1)
_FAULTS: dict[int, tuple[str, str]] = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    429: ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 0"),
    503: ("SERVER_UNAVAILABLE", "Server is temporarily unavailable"),
}
_READING_POSTS = re.compile(r"/services/(oauth2/|Soap/)|/composite/sobjects/\w+/?$")


@dataclass(frozen=True)
class Call:
    """A request of a known version with a live session."""

    request: Request
    base: str  # /services/data/vNN.0
    clock: soql.Clock


class SalesforceApp:
    """Routes requests to the org. `base_url` is set once the port is known."""

    def __init__(self, org: Org, accounts: Accounts) -> None:
        self.org = org
        self.accounts = accounts
        self.base_url = ""
        self.cursors = Cursors()
        self.requests = 0
        self.router = Router()
        self._routes()

    def handle(self, request: Request) -> Response:
        """The answer; what is not understood is refused as Salesforce words it."""
        try:
            return self._with_limits(self._dispatch(request))
        except SalesforceError as exc:
            return self._with_limits(json_response(exc.as_data(), exc.status))

    def is_mutation(self, request: Request) -> bool:
        """POST, PATCH, PUT and DELETE, except logins and reads by POST."""
        if request.method == "POST":
            return not _READING_POSTS.search(request.path)
        return request.method in ("PATCH", "PUT", "DELETE")

    def fault_response(self, status: int) -> Response:
        code, message = _FAULTS.get(status, ("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
        return json_response([{"message": message, "errorCode": code}], status)

    def fault(self, name: str, options: Mapping[str, Any]) -> bool:
        """expire_sessions; hide_field (object, field)."""
        match name:
            case "expire_sessions":
                self.accounts.expire_sessions()
            case "hide_field":
                described = self.org.schema.object(str(options.get("object")))
                field = described and described.field(str(options.get("field")))
                if described is None or field is None:
                    raise ValueError("hide_field needs an object and a field of it")
                described.hidden.add(field.name)
            case _:
                return False
        return True

    def clear_faults(self) -> None:
        for described in self.org.schema.objects.values():
            described.hidden.clear()

    def _dispatch(self, request: Request) -> Response:
        self.requests += 1
        found = self.router.find(request.method, request.path)
        if found is None:
            allowed = self.router.methods(request.path)
            if allowed:
                raise SalesforceError(
                    405,
                    "METHOD_NOT_ALLOWED",
                    f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(allowed)}",
                )
            if request.path.startswith("/services/data/v"):
                self.accounts.user_of(request)
            raise not_found()
        handler, names = found
        return handler(request, **names)

    def _with_limits(self, response: Response) -> Response:
        used = f"api-usage={self.requests}/{DAILY_REQUESTS}"
        response.headers = {**response.headers, "Sforce-Limit-Info": used}
        return response

    def _routes(self) -> None:
        route = self.router.route
        route("POST", "/services/oauth2/token")(lambda request: self.accounts.token(request, self.base_url))
        route("POST", "/services/Soap/u/{version}")(
            lambda request, version: self.accounts.soap_login(request, version, self.base_url)
        )
        route("GET", "/services/data")(lambda request: json_response(_versions()))
        for method, path, handler in (
            ("GET", "", self._resources),
            ("GET", "/limits", self._limits),
            ("GET", "/query", self._query),
            ("GET", "/queryAll", self._query_all),
            ("GET", "/query/{locator}", self._more),
            ("GET", "/queryAll/{locator}", self._more),
            ("GET", "/sobjects", self._global),
            ("GET", "/sobjects/{name}/describe", self._describe),
        ):
            route(method, "/services/data/{version}" + path)(self._checked(handler))
        route("GET", "/services/oauth2/userinfo")(self._userinfo)

    def _checked(self, handler: Callable[..., Response]) -> Callable[..., Response]:
        """The handler behind a known version and a live session; gets the base path and the user's clock."""

        def checked(request: Request, version: str, **names: str) -> Response:
            match = re.fullmatch(r"v(\d+)\.0", version)
            if not match or int(match[1]) not in VERSIONS:
                raise not_found()
            user = self.org.row(self.accounts.user_of(request))
            zone = ZoneInfo(user["TimeZoneSidKey"]) if user else ZoneInfo("GMT")
            call = Call(request, f"/services/data/{version}", soql.Clock(self.org.clock(), zone))
            return handler(call, **names)

        return checked

    def _resources(self, call: Call) -> Response:
        names = ("sobjects", "query", "queryAll", "limits", "composite")
        return json_response({name: f"{call.base}/{name}" for name in names})

    def _limits(self, call: Call) -> Response:
        daily = {"Max": DAILY_REQUESTS, "Remaining": DAILY_REQUESTS - self.requests}
        return json_response({"DailyApiRequests": daily})

    def _userinfo(self, request: Request) -> Response:
        user = self.org.row(self.accounts.user_of(request))
        assert user is not None
        return json_response(self.accounts.identity(user, self.base_url))

    def _query(self, call: Call) -> Response:
        return self._run(call, include_deleted=False)

    def _query_all(self, call: Call) -> Response:
        return self._run(call, include_deleted=True)

    def _run(self, call: Call, include_deleted: bool) -> Response:
        text = call.request.query.get("q", "")
        if not text.strip():
            raise SalesforceError(400, "MALFORMED_QUERY", "A query string has to be specified")
        size = page_size(call.request.headers.get("Sforce-Query-Options", ""))

        def children(rows: Sequence[Any], render: Callable[[Any, str], dict[str, Any]], base: str) -> dict[str, Any]:
            return self.cursors.first(rows, render, base, size, len(rows))

        result = soql.run(text, self.org, call.clock, include_deleted=include_deleted, children=children)
        return json_response(self.cursors.first(result.found, result.render, call.base, size, result.total))

    def _more(self, call: Call, locator: str) -> Response:
        return json_response(self.cursors.next(locator, call.base))

    def _global(self, call: Call) -> Response:
        shown = [o.summary(call.base) for o in self.org.schema.objects.values() if o.facts["queryable"]]
        return json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})

    def _describe(self, call: Call, name: str) -> Response:
        return json_response(self._object(name).describe(call.base))

    def _object(self, name: str) -> Object:
        described = self.org.schema.object(name)
        if described is None:
            raise not_found()
        return described


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

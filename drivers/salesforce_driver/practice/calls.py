"""One REST call of a user with a live session, and what its handler may use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrator_practice.http import Request, Response

from .cursors import Cursors
from .errors import SalesforceError, not_found
from .jobs import Jobs
from .org import Org
from .schema import Object
from .soql import Clock

__all__ = ["Call", "Handler", "Route"]


@dataclass(frozen=True)
class Call:
    """`base` is /services/data/vNN.0."""

    request: Request
    base: str
    version: int
    user: str  # id of the user of the session
    clock: Clock
    org: Org
    cursors: Cursors
    jobs: Jobs
    send: Callable[[Request], Response]  # another call by the same user, whose errors are answers too

    def described(self, name: str) -> Object:
        """The object of that name. Raises NOT_FOUND."""
        described = self.org.schema.object(name)
        if described is None:
            raise not_found()
        return described

    def json(self) -> Any:
        """The body. Raises JSON_PARSER_ERROR."""
        try:
            return self.request.json()
        except ValueError as exc:
            raise SalesforceError(400, "JSON_PARSER_ERROR", f"The HTTP entity body is not valid JSON: {exc}") from exc


Handler = Callable[..., Response]
Route = tuple[str, str, Handler]  # method, path below /services/data/vNN.0, handler(call, **names in the path)

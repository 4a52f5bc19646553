"""A request, a response and a router: what a practice system written over HTTP is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

__all__ = ["App", "Request", "Response", "Router", "json_response"]


@dataclass
class Request:
    """One HTTP request with its whole body, chunked transfer already undone."""

    method: str
    path: str  # still percent-encoded, without the query string
    query_string: str
    headers: Message
    body: bytes

    @cached_property
    def query(self) -> dict[str, str]:
        """Parameters of the query string; the last of a repeated name counts."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """Fields of an application/x-www-form-urlencoded body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """The body as JSON. Raises ValueError (JSONDecodeError, UnicodeDecodeError) when it is none."""
        return json.loads(self.body)


@dataclass
class Response:
    """What goes back. `changed` counts the records this answer says were written."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    changed: int = 0


def json_response(data: Any, status: int = 200, *, changed: int = 0, headers: Mapping[str, str] = {}) -> Response:
    """`data` as compact JSON."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, headers=headers, changed=changed)


class App(Protocol):
    """One vendor's API. Everything a vendor words itself is decided here; the server only carries."""

    def handle(self, request: Request) -> Response:
        """The answer to one request; also the vendor's own words for what does not exist."""

    def is_mutation(self, request: Request) -> bool:
        """Does this request ask for a change of data, successful or not? A login does not."""

    def fault_response(self, status: int) -> Response:
        """How this vendor words an error of this status: 401, 403, 429, 503 ..."""

    def fault(self, name: str, options: Mapping[str, Any]) -> bool:
        """Switch on a fault of this vendor's own. False when it has none of that name."""

    def clear_faults(self) -> None:
        """Switch off what `fault` switched on."""


Handler = Callable[..., Response]


class Router:
    """Handlers by method and path pattern. `{name}` is one path segment, `{name*}` the rest of the path."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def route(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        """Register a handler; it gets the request and the pattern's names, percent-decoded."""
        parts = re.split(r"\{(\w+\*?)\}", pattern)
        expression = "".join(
            re.escape(part) if i % 2 == 0 else (f"(?P<{part[:-1]}>.+)" if part.endswith("*") else f"(?P<{part}>[^/]+)")
            for i, part in enumerate(parts)
        )
        compiled = re.compile(expression + "/?")

        def register(handler: Handler) -> Handler:
            self._routes.append((method, compiled, handler))
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """The first handler registered for this method and path, and what the path names."""
        for known, pattern, handler in self._routes:
            if known == method and (match := pattern.fullmatch(path)):
                return handler, {name: unquote(text) for name, text in match.groupdict().items()}
        return None

    def methods(self, path: str) -> list[str]:
        """Methods that some handler takes at this path, sorted."""
        return sorted({known for known, pattern, _ in self._routes if pattern.fullmatch(path)})

"""One HTTP request: judged, given the real credential, sent on; and its answer.

Both sides are parsed and written anew (h11), so that what the system reads is what was judged.
"""

from __future__ import annotations

import hmac
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from integrator_drivers.access import Access, NoAnswerError

from .answer import Answer
from .line import Line
from .paths import template as without_ids
from .refusal import Refused
from .rules import BODY
from .system import Destination
from .upstream import is_loopback

if TYPE_CHECKING:
    from .passage import Passage

__all__ = ["Exchange"]

_ONCE = frozenset({"host", "content-type", "authorization"})
_NEVER = frozenset(
    {
        *("x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"),
        *("x-original-method", "x-sfdc-session", "x-api-key", "api-key", "content-encoding"),
    }
)
_TYPES = frozenset({"application/json", "text/csv"})


class Exchange:
    """One request and its answer."""

    def __init__(
        self,
        passage: Passage,
        line: Line,
        request: h11.Request,
        destination: Destination | None,
        *,
        tls: bool,
        is_direct: bool,
    ) -> None:
        self.passage = passage
        self.line = line
        self.method = request.method.decode("ascii")
        self.target = request.target.decode("ascii")
        self.headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        names = [name for name, _ in request.headers]
        self._repeated = {name.decode("ascii") for name in names if names.count(name) > 1}
        self.tls = tls
        self._is_direct = is_direct
        if destination is None:
            destination = self._absolute()
        self.destination = destination
        self.system = passage.system_at(destination)

    def run(self) -> bool:
        """Judge, send, answer; may the connection go on. Raises Refused before anything was answered."""
        passage, system = self.passage, self.system
        shown = self.target.partition("?")[0]
        body = b""
        try:
            self._judge_head()
            asked = passage.rules(system).ask(self.method, self._own_target())
            shown = asked.path
            length = self.headers.get("content-length")
            is_whole = asked.needs_body or (length is not None and int(length) <= BODY) or not self._has_body
            if is_whole:
                body = self._whole_body()
            template = asked.check(body, self.headers.get("content-type", ""))
        except Refused as exc:
            passage.calls.add(system.name, self.method, without_ids(shown)[:500], f"refused {exc.kind}")
            raise
        return self._pass_on(body if is_whole else None, template)

    @property
    def _has_body(self) -> bool:
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"

    def _absolute(self) -> Destination:
        parts = urlsplit(self.target)
        if parts.scheme != "http" or not parts.hostname or "@" in parts.netloc:
            raise Refused("This is not a request for a proxy.", status=400)
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return self.passage.allowed(parts.hostname, parts.port or 80)

    def _own_target(self) -> str:
        prefix = self.system.prefix
        if prefix and not self.target.startswith(f"{prefix}/"):
            raise Refused(f"That address is not below {prefix}, so it was not sent.")
        return self.target[len(prefix) :]

    def _judge_head(self) -> None:
        host, port = self.destination
        if not self.tls and not is_loopback(host):
            raise Refused(f"{self.system.label} is asked over https only, so nothing was sent.")
        named, shown = self.headers.get("host", "").lower(), f"[{host}]" if ":" in host else host.lower()
        if not self._is_direct and named not in (shown, f"{shown}:{port}"):
            raise Refused("The request names another host than the one it goes to.", status=400)
        if self._repeated & _ONCE:
            raise Refused("The request says something twice.", status=400)
        for name in self.headers:
            if name in _NEVER:
                raise Refused(f"The header {name} is not for scripts.")
        if self.system.authorize:
            given = self.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self.passage.token}".encode()):
                raise Refused(f"Scripts have no credentials of their own for {self.system.label}.", "AuthError")
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._has_body and kind not in _TYPES:
            raise Refused(f'A body of type "{kind[:60]}" is not for scripts, so it was not sent.', status=415)

    def _whole_body(self) -> bytes:
        parts, size = [], 0
        for part in self.line.body():
            size += len(part)
            if size > BODY:
                raise Refused("The body of a request of this kind is too long, so it was not sent.", status=413)
            parts.append(part)
        return b"".join(parts)

    def _pass_on(self, body: bytes | None, template: str) -> bool:
        passage, system = self.passage, self.system
        access, number, is_new = self._login(0)
        if is_new:
            passage.calls.add(system.name, "LOGIN", "", "ok")
        for attempt in (1, 2):
            destination = (access.host, 443) if access.host and self.tls else self.destination
            answer = Answer(self, destination, access)
            try:
                head = self._answered(answer, body, template)
                if head.status_code != 401 or not system.authorize or attempt == 2:
                    return answer.relay(head, template)
                access, number, _ = self._login(number)
                passage.calls.add(system.name, "LOGIN", "", "ok")
                if body is None:  # what was streamed can't be sent again; the driver asks anew
                    return answer.relay(head, template)
                passage.calls.add(system.name, self.method, template, 401)
            finally:
                answer.drop()
        raise AssertionError("the second attempt returns")

    def _answered(self, answer: Answer, body: bytes | None, template: str) -> h11.Response:
        try:
            return answer.ask(body)
        except OSError as exc:
            self.passage.calls.add(self.system.name, self.method, template, "no answer")
            if self.line.parser.their_state is not h11.DONE:
                raise  # half a body is on its way: the connection ends, and that says it
            raise Refused(_cause(exc), NoAnswerError.__name__, 502) from exc

    def _login(self, ended: int) -> tuple[Access, int, bool]:
        try:
            return self.passage.logins.get(self.system, ended)
        except Refused as exc:
            self.passage.calls.add(self.system.name, "LOGIN", "", exc.kind)
            raise


def _cause(exc: OSError) -> str:
    """Why the system was not reached, in words that drivers look for."""
    if isinstance(exc, TimeoutError):
        return "timed out"
    if isinstance(exc, socket.gaierror):
        return "getaddrinfo failed"
    if isinstance(exc, ConnectionRefusedError):
        return "connection refused"
    return "certificate verify failed" if isinstance(exc, ssl.SSLCertVerificationError) else "connection lost"

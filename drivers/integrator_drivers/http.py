"""The one way out for drivers that speak JSON over HTTP: timeouts, retries, pace, report and errors in one place.

Needs httpx, and is therefore not imported by `integrator_drivers` itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from .access import MARK, NoAnswerError, raise_refusal
from .errors import ConnectionError, DriverError
from .mode import Mode, current_mode
from .pacing import Pace, backoff, retry_after
from .report import report

__all__ = ["Api", "Service"]

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 60.0
DISCOVERY_BUDGET = 10.0  # seconds for one question in discovery, waiting and retries included
ATTEMPTS = 5
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is the caller's to know about
RETRIED = frozenset({429, 500, 502, 503, 504})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Service:
    """What an `Api` has to know about the system behind it.

    `refused` makes the contract's error of an answer of status 400 or more. `template` turns a path into one without
    ids, for the report. `hold` reads from an answer's headers how many seconds the next request should wait.
    """

    system: str  # "hubspot"
    label: str  # "HubSpot"
    address_variable: str  # the variable to check when nobody answers
    refused: Callable[[httpx.Response], DriverError]
    template: Callable[[str], str] = str
    hold: Callable[[Mapping[str, str]], float] = lambda headers: 0.0
    retried: Callable[[httpx.Response], bool] = lambda response: True  # False: asking again would not help


class Api:
    """JSON over HTTP with one system. Repeats what may be repeated: reads, and writes that carry a key."""

    def __init__(
        self,
        service: Service,
        base_url: str,
        headers: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._sleep = sleep
        self._clock = clock
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Accept": "application/json", **headers},
            follow_redirects=False,
            mounts={"all://127.0.0.1": None, "all://localhost": None},  # never through a proxy
        )
        self.host = urlsplit(base_url).hostname or base_url
        self._pause = Pace(1_000_000, 1.0)  # only ever held, by what answers say

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        repeatable: bool | None = None,
        pace: Pace | None = None,
        done: str = "Nothing was read.",
        rows: Callable[[Any], int | None] = lambda answer: None,
    ) -> Any:
        """The JSON of one answer, None where it is empty.

        `repeatable` says that asking twice does no harm (default: for GET); `done` what a lost connection means for
        the data; `rows` how many records an answer holds. Raises the contract's errors only.
        """
        again = method in IDEMPOTENT if repeatable is None else repeatable
        content = None if body is None else msgspec.json.encode(body)
        discovery = current_mode() is Mode.DISCOVERY
        end = self._clock() + DISCOVERY_BUDGET if discovery else float("inf")
        for attempt in range(1, ATTEMPTS + 1):
            self._wait_turn(pace, end)
            failure: httpx.TransportError | None = None
            response: httpx.Response | None = None
            try:
                response = self._send(method, path, params, content, end)
            except httpx.TransportError as exc:
                failure = exc
            last = attempt == ATTEMPTS or not again
            if response is not None and response.is_success:
                answer = self._answer(method, path, response, done)
                self._report(method, path, response.status_code, rows(answer))
                return answer
            self._report(method, path, response.status_code if response is not None else 0, None)
            wait = self._wait(response, failure, attempt)
            if last or wait is None or self._clock() + wait > end:
                if response is not None:
                    raise self._service.refused(response)
                assert failure is not None
                raise self._no_answer(failure, done) from failure
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, content: bytes | None, end: float
    ) -> httpx.Response:
        left = max(0.5, end - self._clock())
        timeout = httpx.Timeout(min(READ_TIMEOUT, left), connect=min(CONNECT_TIMEOUT, left))
        headers = {} if content is None else {"Content-Type": "application/json"}
        response = self._client.request(method, path, params=params, content=content, headers=headers, timeout=timeout)
        try:
            raise_refusal(response.headers, response.text if MARK in response.headers else "")
        except NoAnswerError as exc:
            kinds = {"timed out": httpx.ConnectTimeout, "connection lost": httpx.ReadError}
            raise kinds.get(str(exc), httpx.ConnectError)(str(exc)) from exc
        if held := self._service.hold(response.headers):
            self._pause.hold(self._clock() + held)
        return response

    def _wait_turn(self, pace: Pace | None, end: float) -> None:
        wait = max(self._pause.take(self._clock()), pace.take(self._clock()) if pace else 0.0)
        if wait > 0:
            self._sleep(min(wait, max(0.0, end - self._clock())))

    def _wait(self, response: httpx.Response | None, failure: Exception | None, attempt: int) -> float | None:
        """Seconds until the next attempt; None where there should be none."""
        if response is None:
            never = isinstance(failure, httpx.ConnectError | httpx.UnsupportedProtocol | httpx.ProxyError)
            return None if never else backoff(attempt)  # nobody is there: asking again only takes the user's time
        if response.status_code not in RETRIED or not self._service.retried(response):
            return None
        asked = retry_after(response.headers)
        if asked is None:  # a limit takes some seconds to pass, a hiccup does not
            return backoff(attempt + 2 if response.status_code == 429 else attempt)
        return None if asked > LONGEST_WAIT else asked

    def _answer(self, method: str, path: str, response: httpx.Response, done: str) -> Any:
        if not response.content:
            return None
        try:
            return msgspec.json.decode(response.content)
        except msgspec.DecodeError as exc:
            self._report(method, path, response.status_code, None)
            raise ConnectionError(
                f"{self._service.label} answered with something that is no JSON. {done} "
                f"Check {self._service.address_variable}."
            ) from exc

    def _report(self, method: str, path: str, status: int, rows: int | None) -> None:
        template = self._service.template(path)
        report("call", system=self._service.system, method=method, template=template, status=status, rows=rows)

    def _no_answer(self, exc: httpx.TransportError, done: str) -> ConnectionError:
        """Nobody answered, or the line broke. `done` says what that means for the data."""
        text = str(exc).lower()
        if isinstance(exc, httpx.TimeoutException):
            seconds = DISCOVERY_BUDGET if current_mode() is Mode.DISCOVERY else READ_TIMEOUT
            connecting = isinstance(exc, httpx.ConnectTimeout)
            what = f"it did not answer within {CONNECT_TIMEOUT if connecting else seconds:.0f} s"
        elif "certificate" in text or "ssl" in text:
            what = "its certificate can't be trusted"
        elif "name or service" in text or "getaddrinfo" in text or "name resolution" in text or "nodename" in text:
            what = f"there is no host {self.host}"
        elif isinstance(exc, httpx.ProxyError):
            what = f"the way to {self.host} is closed here"
        elif isinstance(exc, httpx.UnsupportedProtocol):
            what = "its address does not start with https://"
        elif isinstance(exc, httpx.ConnectError):
            what = "it refused the connection"
        else:
            what = "the connection was lost"
        label, variable = self._service.label, self._service.address_variable
        return ConnectionError(f"I couldn't connect to {label}: {what}. {done} Try again, or check {variable}.")

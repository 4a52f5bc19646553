"""The one way out to Salesforce: a requests session with timeouts, retries of reads, and an address that can move."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from integrator_drivers import Mode, current_mode, report
from integrator_drivers.access import MARK, USER, NoAnswerError, raise_refusal

__all__ = ["DISCOVERY_BUDGET", "Transport", "open_session", "retry_after"]

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 130.0  # seconds; Salesforce itself gives up on a query after 120
DISCOVERY_BUDGET = 10.0  # seconds for one question in discovery, retries included
ATTEMPTS = 5
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is the caller's to know about
RETRIED = frozenset({429, 502, 503, 504})


class Transport(HTTPAdapter):
    """Sends requests, those to `https://anything` to `base_url` where one is given.

    Reads (GET, and the start of a Bulk query) are repeated after 429, 502, 503, 504, a concurrent-request limit and
    lost connections, with backoff, jitter and Retry-After; in discovery for at most 10 s.
    Writes are never repeated here: they may have happened.
    """

    def __init__(self, base_url: str = "", sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self.base_url = base_url
        self._sleep = sleep
        self.user = ""  # whom we run as, where the broker tells
        self.asked_to_wait: float | None = None  # Retry-After of the last answer, in seconds

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if self.base_url:
            request.url = _moved(str(request.url), self.base_url)
            proxies = get_environ_proxies(request.url)  # the first look was at the other address
        discovery = current_mode() is Mode.DISCOVERY
        end = time.monotonic() + DISCOVERY_BUDGET if discovery else float("inf")
        timeout = timeout or (CONNECT_TIMEOUT, DISCOVERY_BUDGET if discovery else READ_TIMEOUT)
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not _reads(request)
            try:
                response = super().send(request, stream, timeout, verify, cert, proxies)
                if not stream:
                    _ = response.content  # half an answer is a lost connection, and shows only here
                self._hear(response)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as exc:
                wait = _backoff(attempt)
                # A name or port that is not there is an answer; asking again only takes the user's time.
                if last or _never_connected(exc) or time.monotonic() + wait > end:
                    raise
                status = 0
            else:
                wait = retry_after(response.headers) or _backoff(attempt)
                self.asked_to_wait = retry_after(response.headers)
                if last or not _retried(response) or wait > LONGEST_WAIT or time.monotonic() + wait > end:
                    return response
                status = response.status_code
            report(
                "call", system="salesforce", method=request.method, template=_path(request), status=status, rows=None
            )
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _hear(self, response: requests.Response) -> None:
        """What the broker says, where there is one."""
        self.user = response.headers.get(USER, self.user)
        if MARK in response.headers:
            try:
                raise_refusal({MARK: response.headers[MARK]}, response.text)
            except NoAnswerError as exc:
                raise _as_lost(str(exc)) from exc

    def pause(self, seconds: float) -> None:
        """Wait, as between two tries."""
        self._sleep(seconds)


def open_session(transport: Transport) -> requests.Session:
    """A session whose every request goes through `transport`."""
    session = requests.Session()
    session.mount("https://", transport)
    session.mount("http://", transport)
    session.auth = _keep  # without this a ~/.netrc entry would replace our Authorization header
    return session


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait; None where it does not say or says a date."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _as_lost(cause: str) -> requests.RequestException:
    """The error that would have come without a broker between."""
    if cause == "timed out":
        return requests.ConnectTimeout(cause)
    if cause == "certificate verify failed":
        return requests.exceptions.SSLError(cause)
    known = {"getaddrinfo failed": "NameResolutionError", "connection refused": "NewConnectionError"}
    return requests.ConnectionError(known.get(cause, cause))


def _keep(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _reads(request: requests.PreparedRequest) -> bool:
    return request.method == "GET" or (request.method == "POST" and _path(request).endswith("/jobs/query"))


def _retried(response: requests.Response) -> bool:
    concurrent = response.status_code == 403 and b"ConcurrentRequests" in response.content
    return concurrent or response.status_code in RETRIED


def _backoff(attempt: int) -> float:
    return min(30.0, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def _never_connected(exc: Exception) -> bool:
    text = str(exc)
    return isinstance(exc, requests.ConnectTimeout) or "NewConnectionError" in text or "NameResolutionError" in text


def _moved(url: str, base_url: str) -> str:
    base, path = urlsplit(base_url), urlsplit(url)
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + path.path, path.query, ""))


def _path(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).path

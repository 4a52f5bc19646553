"""One open line to one org: every request of the driver passes `call`, is reported, renewed and translated there."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import requests

from integrator_drivers import report

from . import faults
from .login import Ticket, log_in
from .settings import API_VERSION, Settings
from .transport import Transport, open_session

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

__all__ = ["Connection"]

PIECE = 64 * 1024  # bytes of a file that are taken at a time
STRING = re.compile(r"'(?:\\.|[^'\\])*'")
RECORD_ID = re.compile(r"(?<=/)(?:[a-zA-Z0-9]{5}0[a-zA-Z0-9]{9}(?:[A-Z0-5]{3})?|01g[a-zA-Z0-9]+-\d+)(?=/|$)")


class Connection:
    """Logs in at the first question, and once more when the session has ended. Never logs out: sessions are shared.

    May be used by several threads: pages are fetched ahead in one of their own.
    """

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self.settings = settings
        self._transport = transport or Transport(settings.base_url)
        self._session = open_session(self._transport)
        self._ticket: Ticket | None = None
        self._salesforce: Salesforce | None = None
        self._login = threading.Lock()

    @property
    def user_id(self) -> str:
        """The user we run as, where the login tells."""
        self._open()
        return (self._ticket.user_id if self._ticket else "") or self._transport.user

    @property
    def api_usage(self) -> tuple[int, int] | None:
        """API requests used and allowed in 24 hours, from the last answer."""
        usage = self._salesforce.api_usage.get("api-usage") if self._salesforce else None
        return (usage.used, usage.total) if usage else None

    def call(
        self,
        method: str,
        path: str,
        *,
        done: str = "Nothing was read.",
        params: dict[str, str] | None = None,
        json: Any = None,
    ) -> Any:
        """One REST request below /services/data/vNN.N/; its JSON. `done` says what a lost connection means.

        Raises the contract's errors only.
        """
        return self._send(
            lambda salesforce: salesforce.restful(path, params, method, json=json), method, path, params, done
        )

    def query(self, soql: str, *, all_rows: bool = False) -> dict[str, Any]:
        """The first page of a query: {totalSize, done, records, nextRecordsUrl}."""
        page: dict[str, Any] = self.call("GET", "queryAll" if all_rows else "query", params={"q": soql})
        return page

    def pages(self, soql: str, *, all_rows: bool = False) -> Iterator[dict[str, Any]]:
        """All pages of a query, one after the other."""
        return self.pages_from(self.query(soql, all_rows=all_rows))

    def pages_from(
        self, page: dict[str, Any], decode: Callable[[bytes], dict[str, Any]] | None = None
    ) -> Iterator[dict[str, Any]]:
        """A first page that is there already, and those behind it, read by `decode` where given."""
        read = 0
        while True:
            yield page
            read += len(page["records"])
            if page.get("done", True) or not page.get("nextRecordsUrl"):
                return
            done = f"{read:,} of {page['totalSize']:,} rows were read."
            page = self._next(page["nextRecordsUrl"], done, decode or msgspec.json.decode)

    def _next(self, url: str, done: str, decode: Callable[[bytes], Any]) -> dict[str, Any]:
        def ask(salesforce: Salesforce) -> Any:
            data = self._raw(salesforce, "GET", url).content
            try:
                return decode(data)
            except msgspec.MsgspecError as exc:
                raise requests.exceptions.InvalidJSONError(str(exc)) from exc

        page: dict[str, Any] = self._send(ask, "GET", url, None, done)
        return page

    def query_job(self, soql: str, *, all_rows: bool = False) -> dict[str, Any]:
        """Start a Bulk query; the job."""
        body = {
            "operation": "queryAll" if all_rows else "query",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        job: dict[str, Any] = self._send(
            lambda salesforce: salesforce.restful("jobs/query", None, "POST", json=body),
            "POST",
            "jobs/query",
            {"q": soql},
            "Nothing was read.",
        )
        return job

    def download(
        self, path: str, params: dict[str, str], take: Callable[[bytes], None], done: str
    ) -> Mapping[str, str]:
        """GET a CSV file, piece by piece, unpacked; the headers of the answer. Half an answer is a ConnectionError."""

        def ask(salesforce: Salesforce) -> Mapping[str, str]:
            with self._raw(salesforce, "GET", path, params=params, stream=True) as answer:
                for piece in answer.iter_content(PIECE):
                    take(piece)
                return answer.headers

        headers: Mapping[str, str] = self._send(ask, "GET", path, None, done)
        return headers

    def upload(self, path: str, data: bytes, done: str) -> None:
        """PUT a CSV file. Never repeated here."""

        def ask(salesforce: Salesforce) -> None:
            self._raw(salesforce, "PUT", path, data=data, headers={"Content-Type": "text/csv; charset=UTF-8"})

        self._send(ask, "PUT", path, None, done)

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._transport.pause(seconds)

    def _raw(
        self, salesforce: Salesforce, method: str, path: str, headers: Mapping[str, str] = {}, **more: Any
    ) -> requests.Response:
        from simple_salesforce.util import call_salesforce

        answer = call_salesforce(
            url=f"https://{salesforce.sf_instance}{path}" if path.startswith("/") else salesforce.base_url + path,
            method=method,
            session=self._session,
            headers={**salesforce.headers, **headers},
            **more,
        )
        if "Sforce-Limit-Info" in answer.headers:
            salesforce.api_usage = salesforce.parse_api_usage(answer.headers["Sforce-Limit-Info"])
        return answer

    def close(self) -> None:
        """Close the sockets. The session at Salesforce stays: others may share it."""
        self._session.close()

    def _send(self, ask: Any, method: str, path: str, params: dict[str, str] | None, done: str) -> Any:
        from simple_salesforce.exceptions import SalesforceError

        renewed = False
        while True:
            salesforce = self._open()
            try:
                answer = ask(salesforce)
            except SalesforceError as exc:
                self._report(method, path, params, exc.status, None)
                if faults.session_ended(exc):
                    with self._login:
                        if self._salesforce is salesforce:
                            self._salesforce = None
                    if not renewed:
                        renewed = True
                        continue
                raise faults.translate(exc, self._transport.asked_to_wait) from exc
            except requests.RequestException as exc:
                self._report(method, path, params, 0, None)
                raise faults.no_answer(exc, self.settings, done) from exc
            self._report(method, path, params, 200, _rows(answer))
            return answer

    def _open(self) -> Salesforce:
        with self._login:
            if self._salesforce is None:
                from simple_salesforce.api import Salesforce

                self._ticket = log_in(self.settings, self._session)
                self._salesforce = Salesforce(
                    session_id=self._ticket.token,
                    instance=self._ticket.instance,
                    session=self._session,
                    version=API_VERSION,
                    object_pairs_hook=None,
                )
                self._salesforce.headers.pop("X-PrettyPrint", None)
            return self._salesforce

    def _report(self, method: str, path: str, params: dict[str, str] | None, status: int, rows: int | None) -> None:
        template = RECORD_ID.sub("{id}", path)
        if params and "q" in params:
            template = f"{template}: {STRING.sub('?', params['q'])}"
        report("call", system="salesforce", method=method, template=template, status=status, rows=rows)


def _rows(answer: Any) -> int | None:
    if isinstance(answer, dict):
        answer = answer.get("records")
    return len(answer) if isinstance(answer, list) else None

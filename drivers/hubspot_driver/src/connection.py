"""One open line to one account: every request of the driver passes here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from integrator_drivers.http import Api, Service
from integrator_drivers.pacing import Pace

from . import faults
from .settings import API_VERSION, Settings

__all__ = ["BATCH", "Connection", "object_path"]

BATCH = 100  # records in one batch request, HubSpot's limit
LIST_PAGE = 100
SEARCH_PACE = 5  # searches a second, for the whole account
IDS = re.compile(r"(?<=/)\d{2,}(?=/|$)")
LONGEST_SEARCH = 3_000  # bytes of the body of one search
LONGEST_ADDRESS = 6_000  # characters of property names in a URL; more go by search


def object_path(kind: str) -> str:
    """/crm/objects/2026-09/contacts"""
    return f"/crm/objects/{API_VERSION}/{quote(kind, safe='')}"


class Connection:
    """What the driver asks HubSpot, one method for each kind of question. Raises the contract's errors only."""

    def __init__(
        self,
        settings: Settings,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        service = Service(
            "hubspot",
            "HubSpot",
            "HUBSPOT_BASE_URL",
            faults.translate,
            template=lambda path: IDS.sub("{id}", path),
            hold=faults.hold,
            retried=faults.retried,
        )
        headers = {"Authorization": f"Bearer {settings.token}"}
        self._api = Api(service, settings.base_url, headers, sleep=sleep, clock=clock)
        self._searching = Pace(SEARCH_PACE, 1.0)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """One GET; its JSON."""
        return self._api.call("GET", path, params=params, rows=_rows)

    def pages(
        self, path: str, params: Mapping[str, str] | None = None, size: int = LIST_PAGE
    ) -> Iterator[list[dict[str, Any]]]:
        """All pages of a list endpoint, each one read when it is needed."""
        asked = {**(params or {}), "limit": str(size)}
        while True:
            page = self.get(path, asked)
            yield page["results"]
            after = ((page.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return
            asked["after"] = str(after)

    def search(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One page of a search: {total, results, paging}."""
        page: dict[str, Any] = self._api.call(
            "POST", f"{object_path(kind)}/search", body=body, repeatable=True, pace=self._searching, rows=_rows
        )
        return page

    def batch_read(
        self, kind: str, ids: Sequence[str], properties: Sequence[str], id_property: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Records by id, or by a unique property; those that are not there are left out."""
        for group in _groups(ids, BATCH):
            body: dict[str, Any] = {
                "inputs": [{"id": value} for value in group],
                "properties": list(properties),
                "propertiesWithHistory": [],
            }
            if id_property:
                body["idProperty"] = id_property
            path = f"{object_path(kind)}/batch/read"
            answer = self._api.call("POST", path, body=body, repeatable=True, rows=_rows)
            _only_missing(answer, f"HubSpot could not read {kind}")
            yield from answer["results"]

    def associated(self, start: str, to: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Which records of `to` belong to these of `start`: {from: {id}, to: [{toObjectId, associationTypes}]}."""
        path = f"/crm/associations/{API_VERSION}/{quote(start, safe='')}/{quote(to, safe='')}/batch/read"
        for group in _groups(ids, BATCH):
            waiting: list[dict[str, str]] = [{"id": value} for value in group]
            while waiting:
                answer = self._api.call("POST", path, body={"inputs": waiting}, repeatable=True, rows=_rows)
                _only_missing(answer, f"HubSpot could not read which {to} belong to {start}")
                yield from answer["results"]
                waiting = [
                    {"id": str(entry["from"]["id"]), "after": str(after)}
                    for entry in answer["results"]
                    if (after := ((entry.get("paging") or {}).get("next") or {}).get("after"))
                ]

    def write(
        self, kind: str, operation: str, inputs: Sequence[Mapping[str, Any]], keyed: bool, done: str
    ) -> dict[str, Any]:
        """One batch/create, batch/update or batch/upsert. Repeated only where it carries a key."""
        path = f"{object_path(kind)}/batch/{operation}"
        answer: dict[str, Any] = self._api.call(
            "POST", path, body={"inputs": list(inputs)}, repeatable=keyed, done=done, rows=_rows
        )
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _only_missing(answer: Mapping[str, Any], what: str) -> None:
    """In a partly refused read, records that are not there are no error; everything else is."""
    for error in answer.get("errors") or ():
        if error.get("category") != "OBJECT_NOT_FOUND":
            raise faults.BatchRefusedError(f"{what}: {faults.reason_of(error)}")


def _rows(answer: Any) -> int | None:
    found = answer.get("results") if isinstance(answer, dict) else None
    return len(found) if isinstance(found, list) else None


def _groups(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    source = iter(items)
    while group := list(islice(source, size)):
        yield group

"""Query results that are handed out a page at a time."""

from __future__ import annotations

import secrets
import string
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import SalesforceError

__all__ = ["DEFAULT_PAGE", "Cursors", "page_size"]

DEFAULT_PAGE = 2_000
SMALLEST_PAGE = 200
KEPT = 200  # results kept at a time; the oldest goes first
Render = Callable[[Any, str], dict[str, Any]]


@dataclass(frozen=True)
class _Open:
    found: Sequence[Any]
    render: Render
    size: int
    total: int


class Cursors:
    """Results by locator. A locator names its result and the first record of the next page: 01g...-2000."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, found: Sequence[Any], render: Render, base: str, size: int, total: int) -> dict[str, Any]:
        """The first page: {totalSize, done, records} and, where there is more, nextRecordsUrl."""
        held = _Open(found, render, size, total)
        locator = ""
        if len(found) > size:
            letters = string.ascii_letters + string.digits
            locator = "01g5g0" + "".join(secrets.choice(letters) for _ in range(12))
            with self._lock:
                self._open[locator] = held
                while len(self._open) > KEPT:
                    self._open.popitem(last=False)
        return _page(held, locator, 0, base)

    def next(self, text: str, base: str) -> dict[str, Any]:
        """The page that a nextRecordsUrl names. Raises INVALID_QUERY_LOCATOR."""
        locator, _, start = text.partition("-")
        with self._lock:
            held = self._open.get(locator)
        if held is None or not start.isdigit() or int(start) > len(held.found):
            raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return _page(held, locator, int(start), base)


def page_size(options: str) -> int:
    """The batch size of a Sforce-Query-Options header, between 200 and 2,000."""
    for part in options.split(","):
        name, _, value = part.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            return max(SMALLEST_PAGE, min(DEFAULT_PAGE, int(value)))
    return DEFAULT_PAGE


def _page(held: _Open, locator: str, start: int, base: str) -> dict[str, Any]:
    end = start + held.size
    done = end >= len(held.found)
    answer: dict[str, Any] = {"totalSize": held.total, "done": done}
    if not done:
        answer["nextRecordsUrl"] = f"{base}/query/{locator}-{end}"
    answer["records"] = [held.render(row, base) for row in held.found[start:end]]
    return answer

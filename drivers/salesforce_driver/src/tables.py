"""Fetching a CSV result whole: again where a part of it is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from integrator_drivers.errors import ConnectionError

from .connection import Connection
from .csv_page import Page

__all__ = ["fetched"]

ATTEMPTS = 3


def fetched(
    connection: Connection,
    path: str,
    params: dict[str, str],
    done: str,
    expected: Callable[[Mapping[str, str]], int | None],
) -> tuple[Page, Mapping[str, str]]:
    """The page and the headers of its answer. `expected` says how many rows beside a header it has; None is an error.

    Raises ConnectionError when it is still not whole after some tries; `done` says what that means.
    """
    for attempt in range(1, ATTEMPTS + 1):
        page = Page()
        try:
            headers = connection.download(path, params, page.feed, done)
            rows = expected(headers)
            if not page.finish() or rows is None or page.rows - rows not in (0, 1):
                raise ConnectionError(f"Salesforce sent only a part of a page of a bulk result. {done} Run again.")
        except BaseException as exc:
            page.close()
            if not isinstance(exc, ConnectionError) or attempt == ATTEMPTS:
                raise
            connection.pause(attempt)
        else:
            return page, headers
    raise AssertionError("the last attempt returns or raises")

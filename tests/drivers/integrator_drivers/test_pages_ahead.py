"""The next page is fetched while the current one is used, and nothing gets lost by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from integrator_drivers.ahead import ahead


def test_the_next_page_is_asked_for_before_the_current_one_is_used_up() -> None:
    asked = threading.Semaphore(0)

    def pages() -> Iterator[int]:
        for number in range(3):
            asked.release()
            yield number

    found = ahead(pages())
    assert next(found) == 0
    assert asked.acquire(timeout=10) and asked.acquire(timeout=10)  # page 0, and page 1 while 0 is in use
    assert not asked.acquire(blocking=False)  # never more than one ahead
    assert list(found) == [1, 2]


def test_an_error_comes_after_the_pages_before_it() -> None:
    def pages() -> Iterator[int]:
        yield 1
        raise ConnectionError("lost")

    found = ahead(pages())
    assert next(found) == 1
    with pytest.raises(ConnectionError, match="lost"):
        next(found)


def test_pages_that_nobody_takes_are_given_back() -> None:
    given_back: list[int] = []
    closed = threading.Event()
    go_on = threading.Event()

    def pages() -> Iterator[int]:
        try:
            yield 0
            go_on.wait(10)
            yield 1
        finally:
            closed.set()

    found = ahead(pages(), given_back.append)
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]  # while page 1 is still under way
    go_on.set()
    assert closed.wait(10)
    assert given_back == [1]


def test_no_pages_are_none() -> None:
    assert list(ahead(iter(()))) == []

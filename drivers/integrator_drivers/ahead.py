"""Pages in time: the next one is fetched while the current one is used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["ahead"]

T = TypeVar("T")
_END: Any = object()


def ahead(pages: Iterator[T], discard: Callable[[T], None] | None = None) -> Iterator[T]:
    """The same pages, one fetched ahead in a thread, so that a slow source and a slow target work side by side.

    An error comes in its place, after the pages before it. Where nobody takes the rest, `discard` gets the page that
    was fetched in vain. `pages` runs in one thread at a time, though not always in the same.
    """
    coming = _fetch(pages)
    try:
        while (page := coming.result()) is not _END:
            coming = _fetch(pages)
            yield page
    finally:
        coming.add_done_callback(lambda done: _leave(done, pages, discard))


def _fetch(pages: Iterator[T]) -> Future[T]:
    """Ask for the next page in a thread that keeps no program from ending."""
    coming: Future[T] = Future()

    def fetch() -> None:
        try:
            page = next(pages, _END)
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that waits for the page
            coming.set_exception(exc)
        else:
            coming.set_result(page)

    threading.Thread(target=fetch, name="next page", daemon=True).start()
    return coming


def _leave(done: Future[T], pages: Iterator[T], discard: Callable[[T], None] | None) -> None:
    if discard and done.exception() is None and (page := done.result()) is not _END:
        discard(page)
    if close := getattr(pages, "close", None):
        close()

"""Sources that send CSV, into targets that take it: bytes in batches, no loop over rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Protocol

from .errors import DriverError
from .protocols import StateKeeper
from .records import Records

__all__ = ["Place", "page_batches", "takes_pages"]

BATCH_BYTES = 8 * 1024 * 1024


class Place(Protocol):
    """The parts of a `Target` that matter here."""

    client: Any
    object: str


def takes_pages(records: Records, target: Place, key: str) -> bool:
    """Does the source send CSV that the target can take as it is."""
    if not records.sends_csv or not isinstance(target.client, StateKeeper):
        return False
    fields: Mapping[str, Any] = records.fields
    return hasattr(target.client, "takes_csv") and bool(target.client.takes_csv(target.object, fields, key))


def page_batches(records: Records) -> Iterator[list[bytes]]:
    """Blocks of whole lines without the header. Raises DriverError where the header is not that of the records."""
    with closing(records.csv_pages()) as pages:  # type: ignore[type-var]  # a generator in fact
        header = next(csv.reader(io.StringIO(next(pages).decode(), newline="")))
        if header != list(records.fields):
            raise DriverError(
                f"The source sent the columns {', '.join(header)} instead of {', '.join(records.fields)}. "
                "Nothing of it was written."
            )
        waiting: list[bytes] = []
        size = 0
        for page in pages:
            waiting.append(page)
            size += len(page)
            if size >= BATCH_BYTES:
                yield waiting
                waiting, size = [], 0
        if waiting:
            yield waiting

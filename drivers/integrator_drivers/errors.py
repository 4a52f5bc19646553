"""What can go wrong with an external system; the branches follow what the caller can do.

DriverError
|- AuthError            credentials missing, refused or expired: fix .env
|- ConnectionError      the system did not answer: try later
|- RateLimitError       asked to slow down: wait `retry_after` seconds
|- NotFoundError        no such name; `near` holds close matches
|  |- DriverNotFoundError   no driver of that name
|  |- ObjectNotFoundError   no object of that name: pick one of list_objects()
|  `- FieldNotFoundError    no such field that this user can see
|- ForbiddenError       the account may not do this: ask its administrator
|- ReadOnlyError        a write in discovery
|- RowLimitError        more rows than were approved
`- ValidationError      the values or the question don't fit
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "AuthError",
    "ConnectionError",
    "DriverError",
    "DriverNotFoundError",
    "FieldNotFoundError",
    "ForbiddenError",
    "NotFoundError",
    "ObjectNotFoundError",
    "RateLimitError",
    "ReadOnlyError",
    "RowLimitError",
    "ValidationError",
    "near_matches",
]


class DriverError(Exception):
    """Base of every error a driver raises on purpose. Its text is one sentence a business user can act on."""


class AuthError(DriverError):
    """Credentials are missing, refused or expired. Names the variable, never its value."""


class ConnectionError(DriverError, builtins.ConnectionError):
    """The system did not answer. Also caught by a plain `except ConnectionError`."""


class RateLimitError(DriverError):
    """The system asks to slow down."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds; None when the system did not say


class NotFoundError(DriverError, LookupError):
    """No such name."""

    def __init__(self, message: str, near: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.near = list(near)


class DriverNotFoundError(NotFoundError):
    """There is no driver of that name."""


class ObjectNotFoundError(NotFoundError):
    """The system has no object of that name."""


class FieldNotFoundError(NotFoundError):
    """The object has no such field that this user can see."""


class ForbiddenError(DriverError):
    """The account may not do this."""


class ReadOnlyError(DriverError):
    """A write was tried where only reading is allowed."""


class RowLimitError(DriverError):
    """The run would write more rows than were approved; it stopped before that batch."""


class ValidationError(DriverError, ValueError):
    """The values or the question don't fit the system."""


def near_matches(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Names in `known` that look like `name`, best first: by spelling, without regard to case, or contained."""
    by_key = {candidate.casefold(): candidate for candidate in known}
    key = name.casefold()
    close = get_close_matches(key, by_key, n=count, cutoff=0.6)
    contained = [k for k in by_key if k not in close and len(key) > 2 and (key in k or k in key) and len(k) > 2]
    return [by_key[k] for k in [*close, *sorted(contained, key=len)][:count]]

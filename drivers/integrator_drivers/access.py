"""What a driver and the broker agree on: who logs in, and how the broker says no.

The broker is a process between scripts and systems that holds the credentials. A script behind it has INTEGRATOR_BROKER
in its environment: a placeholder that stands wherever a credential would, means nothing outside, and that the broker
replaces. A driver there sends `Authorization: Bearer <placeholder>` and does not log in. For a system that is logged in
to over HTTP, `authorize` in driver.toml names the function that the broker calls for the real headers:
`authorize(environ) -> Access`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from . import errors

__all__ = [
    "BROKER",
    "DATABASE",
    "MARK",
    "REFUSED_STATE",
    "USER",
    "Access",
    "NoAnswerError",
    "database",
    "placeholder",
    "raise_refusal",
]

BROKER = "INTEGRATOR_BROKER"
DATABASE = "INTEGRATOR_DATABASE"  # address:port that leads to the database of the PG* variables, without TLS
REFUSED_STATE = "IB001"  # SQLSTATE of a statement that the broker did not pass on in a run
MARK = "integrator-broker"  # a header of answers that the broker gave itself: the name of the error
USER = "integrator-user"  # a header of answers that came through: the user the login named


class Access(NamedTuple):
    """An open session at a system: headers of every request, and what the login told."""

    headers: Mapping[str, str]
    host: str = ""  # where requests go from here on; "" = where they were sent
    user: str = ""  # id of the user


class NoAnswerError(Exception):
    """The broker did not reach the system: timed out, getaddrinfo failed, connection refused, connection lost,
    certificate verify failed.
    """


def placeholder(environ: Mapping[str, str] = os.environ) -> str:
    """What stands for a credential behind the broker; "" where there is no broker and the driver logs in itself."""
    return environ.get(BROKER, "")


def database(environ: Mapping[str, str] = os.environ) -> tuple[str, int] | None:
    """Address and port by which a database is reached behind the broker; None without one."""
    address, _, port = environ.get(DATABASE, "").rpartition(":")
    return (address, int(port)) if address else None


def raise_refusal(headers: Mapping[str, str], text: str) -> None:
    """Raise what the broker says about a request that it did not pass on; do nothing for answers of the system.

    NoAnswerError where the system was not reached, else the contract's error.
    """
    name = headers.get(MARK)
    if not name or not placeholder():
        return
    if name == NoAnswerError.__name__:
        raise NoAnswerError(text)
    kind = getattr(errors, name, None)
    raise (kind if isinstance(kind, type) and issubclass(kind, errors.DriverError) else errors.DriverError)(text)

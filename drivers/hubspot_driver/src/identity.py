"""Who we are at HubSpot, and what this token will not be able to do."""

from __future__ import annotations

import re
from typing import Any

from integrator_drivers import Identity
from integrator_drivers.errors import DriverError, ForbiddenError

from .connection import Connection, object_path
from .settings import API_VERSION
from .shapes import STANDARD

__all__ = ["check"]

ENVIRONMENTS = {"STANDARD": "production", "SANDBOX": "sandbox"}
BUSY = 0.8  # share of the daily requests from which on it is worth a warning
ENDS = re.compile(r"\.example$")  # where practice accounts say their pages are


def check(connection: Connection) -> Identity:
    """Ask for the account, then for one record of each standard object: HubSpot has no list of a token's scopes."""
    account: dict[str, Any] = connection.get(f"/account-info/{API_VERSION}/details")
    kind = str(account.get("accountType") or "")
    practice = bool(ENDS.search(str(account.get("uiDomain") or "")))
    environment = "practice" if practice else ENVIRONMENTS.get(kind, "developer")
    warnings = [*_missing(connection), *_usage(connection)]
    name = str(account.get("portalName") or "HubSpot account")
    return Identity(f"{name} ({account['portalId']})", environment, "private app", tuple(warnings))


def _missing(connection: Connection) -> list[str]:
    found = []
    for kind in STANDARD:
        try:
            connection.get(object_path(kind), {"limit": "1"})
        except ForbiddenError:
            found.append(f"{kind} can't be read: the token lacks the scope crm.objects.{kind}.read.")
    return [text.replace("crm.objects.tickets.read", "tickets") for text in found]


def _usage(connection: Connection) -> list[str]:
    try:
        usage = connection.get(f"/account-info/{API_VERSION}/api-usage/daily/private-apps")["results"]
    except DriverError:
        return []  # only private apps are told
    return [
        f"{entry['currentUsage']:,} of {entry['usageLimit']:,} API requests of today are used."
        for entry in usage
        if entry.get("usageLimit") and entry["currentUsage"] / entry["usageLimit"] > BUSY
    ]

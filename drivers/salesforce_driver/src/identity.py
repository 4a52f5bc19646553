"""Who we are at Salesforce, and what should be known before building on it."""

from __future__ import annotations

from integrator_drivers import Identity
from integrator_drivers.errors import DriverError

from .connection import Connection

__all__ = ["check"]

ORGANIZATION = "SELECT Name, IsSandbox, OrganizationType, InstanceName FROM Organization LIMIT 1"
PRACTICE = "PRACT"  # the instance that practice systems say they are
BUSY = 0.8  # share of the daily API requests from which on it is worth a warning


def check(connection: Connection) -> Identity:
    """Log in and ask for org and user. What this user may not see stays empty."""
    found = connection.query(ORGANIZATION)["records"]
    org = found[0] if found else {}
    warnings = []
    if connection.settings.login == "password":
        warnings.append(
            "This is the SOAP login with user name and password; Salesforce ends it with Summer '27. "
            "Change to client credentials: SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET."
        )
    usage = connection.api_usage
    if usage and usage[1] and usage[0] / usage[1] > BUSY:
        warnings.append(f"{usage[0]:,} of {usage[1]:,} API requests of the last 24 hours are used.")
    user = connection.settings.username or _user(connection)
    return Identity(str(org.get("Name", "")), _environment(org), user, tuple(warnings))


def _environment(org: dict[str, object]) -> str:
    if org.get("InstanceName") == PRACTICE:
        return "practice"
    if org.get("IsSandbox"):
        return "sandbox"
    return "developer" if org.get("OrganizationType") == "Developer Edition" else "production"


def _user(connection: Connection) -> str:
    """The name of the user we run as; "" where it can't be told."""
    user_id = connection.user_id
    if not user_id.isalnum():
        return ""
    try:
        found = connection.query(f"SELECT Username FROM User WHERE Id = '{user_id}'")["records"]
    except DriverError:
        return user_id  # this user may not read users
    return str(found[0]["Username"]) if found else user_id

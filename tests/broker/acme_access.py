"""The login of a made-up system: counts how often it is asked, and gives another session each time."""

from __future__ import annotations

from collections.abc import Mapping

from integrator_drivers.access import Access
from integrator_drivers.errors import AuthError

logins: list[str] = []


def authorize(environ: Mapping[str, str]) -> Access:
    """A session named after the password."""
    if environ["ACME_PASSWORD"] == "wrong":
        raise AuthError("Acme refused the login. Nothing was read. Check ACME_PASSWORD in .env.")
    logins.append(environ["ACME_PASSWORD"])
    return Access({"Authorization": f"Bearer {environ['ACME_PASSWORD']}-{len(logins)}"}, user="u1")

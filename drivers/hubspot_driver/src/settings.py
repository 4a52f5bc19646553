"""What the environment says about one HubSpot account: where it is and how to get in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from integrator_drivers.errors import AuthError, ValidationError

__all__ = ["API_VERSION", "Settings"]

# HubSpot has dates in its paths since 2026: /crm/objects/2026-09/contacts. Releases come in March and September and
# live for 18 months; the older v3 and v4 paths end with September 2027.
API_VERSION = "2026-09"
ADDRESS = "https://api.hubapi.com"


@dataclass(frozen=True)
class Settings:
    """One account. `token` is that of a private app or a service key."""

    token: str = field(repr=False)
    base_url: str = ADDRESS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Raises AuthError naming what lacks, ValidationError for an address that is none."""
        token = environ.get("HUBSPOT_ACCESS_TOKEN", "").strip()
        if not token:
            raise AuthError(
                "HubSpot needs HUBSPOT_ACCESS_TOKEN in .env. "
                "Run `%connect hubspot` to fill it in, or `%integrator demo` to try with practice data."
            )
        base_url = environ.get("HUBSPOT_BASE_URL", "").strip().rstrip("/") or ADDRESS
        parts = urlsplit(base_url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValidationError(f'HUBSPOT_BASE_URL is an address such as {ADDRESS}, not "{base_url}".')
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValidationError(
                "HUBSPOT_BASE_URL must start with https://, or anybody on the way could read the token; "
                "http is for this machine only."
            )
        return cls(token, base_url)

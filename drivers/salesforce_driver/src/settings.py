"""What the environment says about one Salesforce org: where it is and how to log in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from integrator_drivers.errors import AuthError

__all__ = ["API_VERSION", "Settings"]

# Pinned: a field that is newer than this version does not exist for us. SOAP login ends with 64.0.
API_VERSION = "62.0"

CLIENT = ("SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")
PASSWORD = ("SALESFORCE_USERNAME", "SALESFORCE_PASSWORD", "SALESFORCE_SECURITY_TOKEN")


@dataclass(frozen=True)
class Settings:
    """One org and one way to log in. `domain` is a My Domain name, or "login" / "test" for the password login."""

    login: Literal["client_credentials", "password"]
    domain: str
    base_url: str  # "" when Salesforce's own address is used
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The host to log in at: acme.my.salesforce.com, login.salesforce.com."""
        common = self.domain in ("login", "test")
        return f"{self.domain}.salesforce.com" if common else f"{self.domain}.my.salesforce.com"

    @property
    def address_variable(self) -> str:
        """The variable to check when nobody answers."""
        return "SALESFORCE_BASE_URL" if self.base_url else "SALESFORCE_DOMAIN"

    @property
    def login_variables(self) -> str:
        """The variables to check when the login is refused, as words."""
        names = CLIENT if self.login == "client_credentials" else PASSWORD
        return f"{', '.join(names[:-1])} and {names[-1]}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Client credentials where they are complete, else user name and password. AuthError names what lacks."""

        def value(name: str) -> str:
            return environ.get(name, "").strip()

        domain = _domain(value("SALESFORCE_DOMAIN"))
        base_url = value("SALESFORCE_BASE_URL").rstrip("/")
        if all(value(name) for name in CLIENT) and (domain or base_url):
            if domain in ("login", "test"):
                raise AuthError(
                    "The client-credentials login needs your My Domain name in SALESFORCE_DOMAIN "
                    f'("acme" for acme.my.salesforce.com), not "{domain}".'
                )
            return cls("client_credentials", domain or "practice", base_url, *(value(name) for name in CLIENT))
        if all(value(name) for name in PASSWORD):
            username, password, token = (value(name) for name in PASSWORD)
            return cls(
                "password", domain or "login", base_url, username=username, password=password, security_token=token
            )
        started = PASSWORD if any(value(name) for name in PASSWORD) else ("SALESFORCE_DOMAIN", *CLIENT)
        missing = [name for name in started if not value(name)]
        raise AuthError(
            f"Salesforce needs {' and '.join(missing)} in .env. "
            "Run `%connect salesforce` to fill them in, or `%integrator demo` to try with practice data."
        )


def _domain(text: str) -> str:
    """`acme`, however it was typed: https://acme.my.salesforce.com/, acme.my.salesforce.com, ACME."""
    text = text.lower().removeprefix("https://").removeprefix("http://").split("/")[0]
    return text.removesuffix(".salesforce.com").removesuffix(".my")

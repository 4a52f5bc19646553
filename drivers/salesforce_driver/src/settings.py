"""What the environment says about one Salesforce org: where it is and how to log in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from integrator_drivers.access import placeholder
from integrator_drivers.errors import AuthError

__all__ = ["API_VERSION", "Settings"]

# Pinned: a field that is newer than this version does not exist for us. SOAP login ends with 64.0.
API_VERSION = "62.0"

CLIENT = ("SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET")
JWT = ("SALESFORCE_CLIENT_ID", "SALESFORCE_USERNAME", "SALESFORCE_PRIVATE_KEY")
REFRESH = (*CLIENT, "SALESFORCE_REFRESH_TOKEN")
PASSWORD = ("SALESFORCE_USERNAME", "SALESFORCE_PASSWORD", "SALESFORCE_SECURITY_TOKEN")
NAMES = {"client_credentials": CLIENT, "jwt": JWT, "refresh_token": REFRESH, "password": PASSWORD}


@dataclass(frozen=True)
class Settings:
    """One org and one way to log in. `domain` is a My Domain name, or "login" / "test" for the password login."""

    login: Literal["client_credentials", "jwt", "refresh_token", "password", "broker"]
    domain: str
    base_url: str  # "" when Salesforce's own address is used
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)  # PEM
    refresh_token: str = field(default="", repr=False)
    placeholder: str = ""  # behind the broker, which logs in itself

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
        names = NAMES.get(self.login, CLIENT)
        return f"{', '.join(names[:-1])} and {names[-1]}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """The first login that is complete: refresh token, client credentials, JWT, user name and password.

        Raises AuthError naming what lacks.
        """

        def value(name: str) -> str:
            return environ.get(name, "").strip()

        def given(names: tuple[str, ...]) -> bool:
            return all(value(name) for name in names)

        domain = _domain(value("SALESFORCE_DOMAIN"))
        base_url = value("SALESFORCE_BASE_URL").rstrip("/")
        if token := placeholder(environ):
            return cls("broker", domain or ("practice" if base_url else "login"), base_url, placeholder=token)
        client_id, client_secret = (value(name) for name in CLIENT)
        if given(REFRESH):
            return cls(
                "refresh_token",
                domain or "login",
                base_url,
                client_id,
                client_secret,
                refresh_token=value("SALESFORCE_REFRESH_TOKEN"),
            )
        if given(CLIENT) and (domain or base_url):
            if domain in ("login", "test"):
                raise AuthError(
                    "The client-credentials login needs your My Domain name in SALESFORCE_DOMAIN "
                    f'("acme" for acme.my.salesforce.com), not "{domain}".'
                )
            return cls("client_credentials", domain or "practice", base_url, client_id, client_secret)
        if given(JWT):
            key = value("SALESFORCE_PRIVATE_KEY").replace("\\n", "\n")
            user = value("SALESFORCE_USERNAME")
            return cls("jwt", domain or "login", base_url, client_id, username=user, private_key=key)
        if given(PASSWORD):
            username, password, token = (value(name) for name in PASSWORD)
            return cls(
                "password", domain or "login", base_url, username=username, password=password, security_token=token
            )
        started: tuple[str, ...] = ("SALESFORCE_DOMAIN", *CLIENT)
        if value("SALESFORCE_PRIVATE_KEY"):
            started = JWT
        elif any(value(name) for name in PASSWORD):
            started = PASSWORD
        missing = [name for name in started if not value(name)]
        raise AuthError(
            f"Salesforce needs {' and '.join(missing)} in .env. "
            "Run `%connect salesforce` to fill them in, or `%integrator demo` to try with practice data."
        )


def _domain(text: str) -> str:
    """`acme`, however it was typed: https://acme.my.salesforce.com/, acme.my.salesforce.com, ACME."""
    text = text.lower().removeprefix("https://").removeprefix("http://").split("/")[0]
    return text.removesuffix(".salesforce.com").removesuffix(".my")

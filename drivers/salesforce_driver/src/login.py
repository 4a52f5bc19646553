"""Getting a session: three ways over OAuth, and user name and password where those are what there is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from integrator_drivers import report
from integrator_drivers.access import Access
from integrator_drivers.errors import AuthError

from . import faults
from .settings import API_VERSION, Settings
from .transport import Transport, open_session

__all__ = ["Ticket", "authorize", "log_in"]

VENDOR = (".salesforce.com", ".force.com", ".salesforce.mil", ".cloudforce.com")

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Ticket(NamedTuple):
    """An open session. `user_id` is "" where the login does not tell."""

    token: str
    instance: str  # host, with port where it is not 443
    user_id: str


def authorize(environ: Mapping[str, str]) -> Access:
    """Log in for the broker. Raises AuthError when refused, ConnectionError when nobody answers."""
    settings = Settings.from_environment(environ)
    session = open_session(Transport(settings.base_url))
    try:
        ticket = log_in(settings, session)
    finally:
        session.close()
    moved = not settings.base_url and ticket.instance != settings.host and ticket.instance.endswith(VENDOR)
    return Access(
        {"Authorization": f"Bearer {ticket.token}"}, host=ticket.instance if moved else "", user=ticket.user_id
    )


def log_in(settings: Settings, session: requests.Session) -> Ticket:
    """Log in. Raises AuthError when refused, ConnectionError when nobody answers. Nothing of it is ever logged."""
    if settings.login == "broker":
        return Ticket(settings.placeholder, settings.host, "")
    try:
        if settings.login == "password":
            return _password(settings, session)
        return _oauth(settings, session)
    except requests.RequestException as exc:
        raise faults.no_answer(exc, settings) from exc


def _oauth(settings: Settings, session: requests.Session) -> Ticket:
    path = "/services/oauth2/token"
    client = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    if settings.login == "jwt":
        form = {"grant_type": JWT_GRANT, "assertion": _assertion(settings)}
    elif settings.login == "refresh_token":
        form = {"grant_type": "refresh_token", "refresh_token": settings.refresh_token, **client}
    else:
        form = {"grant_type": "client_credentials", **client}
    response = session.post(f"https://{settings.host}{path}", data=form)
    report("call", system="salesforce", method="POST", template=path, status=response.status_code, rows=None)
    try:
        reply = response.json()
    except requests.JSONDecodeError:
        reply = {}
    if response.status_code != 200 or "access_token" not in reply:
        raise faults.login_refused(
            settings,
            str(reply.get("error", "")),
            str(reply.get("error_description") or f"status {response.status_code}"),
        )
    return Ticket(
        reply["access_token"],
        urlsplit(reply.get("instance_url", "")).netloc or settings.host,
        str(reply.get("id", "")).rpartition("/")[2],
    )


def _assertion(settings: Settings) -> str:
    """What we sign instead of sending a password: app, user, audience, and an end in three minutes at most."""
    import jwt

    is_test = settings.domain == "test" or "--" in settings.domain or settings.domain.endswith(".sandbox")
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        "aud": f"https://{'test' if is_test else 'login'}.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    try:
        return jwt.encode(claims, settings.private_key, algorithm="RS256")
    except (ValueError, jwt.PyJWTError) as exc:
        raise AuthError(
            "SALESFORCE_PRIVATE_KEY is no RSA private key in PEM form (-----BEGIN PRIVATE KEY-----). Nothing was read."
        ) from exc


def _password(settings: Settings, session: requests.Session) -> Ticket:
    from simple_salesforce.exceptions import SalesforceAuthenticationFailed
    from simple_salesforce.login import SalesforceLogin

    path = f"/services/Soap/u/{API_VERSION}"
    status = 200
    try:
        token, instance = SalesforceLogin(
            username=settings.username,
            password=settings.password,
            security_token=settings.security_token,
            domain=settings.host.removesuffix(".salesforce.com"),
            session=session,
            sf_version=API_VERSION,
        )
    except SalesforceAuthenticationFailed as exc:
        status = 500
        raise faults.login_refused(settings, str(exc.code), str(exc.auth_message)) from exc
    finally:
        report("call", system="salesforce", method="POST", template=path, status=status, rows=None)
    return Ticket(token, instance, "")

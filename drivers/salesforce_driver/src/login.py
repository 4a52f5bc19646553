"""Getting a session: client credentials first, user name and password where those are what there is."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from integrator_drivers import report

from . import faults
from .settings import API_VERSION, Settings

__all__ = ["Ticket", "log_in"]


class Ticket(NamedTuple):
    """An open session. `user_id` is "" where the login does not tell."""

    token: str
    instance: str  # host, with port where it is not 443
    user_id: str


def log_in(settings: Settings, session: requests.Session) -> Ticket:
    """Log in. Raises AuthError when refused, ConnectionError when nobody answers. Nothing of it is ever logged."""
    try:
        if settings.login == "client_credentials":
            return _client_credentials(settings, session)
        return _password(settings, session)
    except requests.RequestException as exc:
        raise faults.no_answer(exc, settings) from exc


def _client_credentials(settings: Settings, session: requests.Session) -> Ticket:
    path = "/services/oauth2/token"
    response = session.post(
        f"https://{settings.host}{path}",
        data={
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        },
    )
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

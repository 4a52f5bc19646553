"""Who may come in: OAuth token requests, the SOAP login, sessions."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from integrator_practice.http import Request, Response, json_response
from integrator_practice.seeds import USERS, user_id

from .errors import SalesforceError
from .ids import canonical_id
from .keys import claims_of, key
from .org import ORG_ID

__all__ = ["Accounts", "Login"]

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION = 300  # seconds
LIFETIME = 2 * 3600  # seconds a session lives without use
SOAP_LAST_VERSION = 64  # the SOAP login is not there from 65.0 on


@dataclass(frozen=True)
class Login:
    """A user of the org who can log in."""

    user_id: str
    username: str
    password: str
    security_token: str


class Accounts:
    """The app and the users of one org, and their sessions. Secrets follow from the seed and are obviously fake."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

        def made(what: str) -> str:
            return hashlib.sha256(f"{seed}:{what}".encode()).hexdigest()

        self.client_id = f"practice-app-{made('client_id')[:16]}"
        self.client_secret = f"practice-secret-{made('client_secret')[:32]}"
        self.refresh_token = f"practice-refresh-{made('refresh_token')[:32]}"
        # The app runs as the integration user; Jana Novak, in New York time, is the one for the password login.
        self.runs_as = Login(user_id(seed, len(USERS) - 1), "integration.user@practice.example", "", "")
        self.person = Login(
            user_id(seed, 0),
            "jana.novak@practice.example",
            f"practice-password-{made('password')[:12]}",
            f"practicetoken{made('token')[:12]}",
        )
        self._sessions: dict[str, tuple[str, float]] = {}  # token -> user, time of last use
        self._lock = threading.Lock()

    def user_of(self, request: Request) -> str:
        """The user of the request's session. Raises INVALID_SESSION_ID."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind not in ("Bearer", "OAuth"):
            token = request.headers.get("X-SFDC-Session", "") if request.path.startswith("/services/async/") else ""
        with self._lock:
            known = self._sessions.get(token.strip())
            if known is None or time.monotonic() - known[1] > LIFETIME:
                raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")
            self._sessions[token.strip()] = (known[0], time.monotonic())
            return known[0]

    def expire_sessions(self) -> None:
        """End every session; logins work as before."""
        with self._lock:
            self._sessions.clear()

    def token(self, request: Request, base_url: str) -> Response:
        """POST /services/oauth2/token."""
        form = request.form
        given_id, given_secret = form.get("client_id", ""), form.get("client_secret", "")
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                given_id, _, given_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except ValueError:
                return _refused("invalid_client", "invalid client credentials")
        grant = form.get("grant_type", "")
        if grant == JWT_GRANT:
            return self._jwt(form.get("assertion", ""), base_url)
        if grant not in ("client_credentials", "password", "refresh_token"):
            return _refused("unsupported_grant_type", "grant type not supported")
        if given_id != self.client_id:
            return _refused("invalid_client_id", "client identifier invalid")
        if given_secret != self.client_secret:
            return _refused("invalid_client", "invalid client credentials")
        match grant:
            case "client_credentials":
                login = self.runs_as
            case "password":
                if not self._is_person(form.get("username", ""), form.get("password", "")):
                    return _refused("invalid_grant", "authentication failure")
                login = self.person
            case _:
                if form.get("refresh_token") != self.refresh_token:
                    return _refused("invalid_grant", "expired access/refresh token")
                login = self.person
        return self._ticket(login, base_url)

    def _jwt(self, assertion: str, base_url: str) -> Response:
        """A token that the app signed for a user; the app's certificate is that of the seed's key."""
        claims = claims_of(assertion, key(self._seed))
        if claims is None:
            return _refused("invalid_grant", "invalid assertion")
        if claims.get("iss") != self.client_id:
            return _refused("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in AUDIENCES:
            return _refused("invalid_grant", "audience is invalid")
        end = str(claims.get("exp"))  # some clients sign a text
        if not end.isdigit() or not 0 < int(end) - time.time() <= LONGEST_ASSERTION:
            return _refused("invalid_grant", "assertion expired")
        for login in (self.runs_as, self.person):
            if str(claims.get("sub")).casefold() == login.username:
                return self._ticket(login, base_url)
        return _refused("invalid_grant", "user hasn't approved this consumer")

    def _ticket(self, login: Login, base_url: str) -> Response:
        issued_at = str(int(time.time() * 1000))
        identity = f"{base_url}/id/{ORG_ID}/{login.user_id}"
        return json_response(
            {
                "access_token": self._open(login.user_id),
                "signature": base64.b64encode(
                    hashlib.sha256(f"{identity}{issued_at}{self.client_secret}".encode()).digest()
                ).decode(),
                "scope": "api",
                "instance_url": base_url,
                "id": identity,
                "token_type": "Bearer",
                "issued_at": issued_at,
            }
        )

    def revoke(self, request: Request) -> Response:
        """/services/oauth2/revoke: the end of a session."""
        token = request.form.get("token") or request.query.get("token", "")
        return Response(200) if self._close(token) else _refused("invalid_token", f"invalid token: {token[:6]}...")

    def soap(self, request: Request, version: str, base_url: str) -> Response:
        """POST /services/Soap/u/VERSION with an envelope: login or logout."""
        number = version.partition(".")[0]
        try:
            root = ET.fromstring(request.body)
        except ET.ParseError:
            return _fault("INVALID_REQUEST", "The request is not valid XML")
        values = {element.tag.rpartition("}")[2]: element.text or "" for element in root.iter()}
        if "logout" in values:
            if not self._close(values.get("sessionId", "").strip()):
                return _fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader", "UnexpectedErrorFault")
            return Response(200, _envelope("<logoutResponse/>"), "text/xml;charset=UTF-8")
        if not number.isdigit() or int(number) > SOAP_LAST_VERSION:
            return _fault("UNSUPPORTED_API_VERSION", "login() is not available in this version of the API")
        if "login" not in values:
            return _fault("INVALID_OPERATION", "No operation available for request")
        if not self._is_person(values.get("username", ""), values.get("password", "")):
            return _fault(
                "INVALID_LOGIN",
                "Invalid username, password, security token; or user locked out.",
            )
        session = escape(self._open(self.person.user_id))
        server = escape(f"{base_url}/services/Soap/u/{version}/{ORG_ID[:15]}")
        body = (
            f"<loginResponse><result><passwordExpired>false</passwordExpired><sandbox>false</sandbox>"
            f"<serverUrl>{server}</serverUrl><sessionId>{session}</sessionId><userId>{self.person.user_id}</userId>"
            f"<userInfo><organizationId>{ORG_ID}</organizationId><sessionSecondsValid>{LIFETIME}</sessionSecondsValid>"
            f"<userName>{escape(self.person.username)}</userName></userInfo></result></loginResponse>"
        )
        return Response(200, _envelope(body), "text/xml;charset=UTF-8")

    def identity(self, user: dict[str, Any], base_url: str) -> dict[str, Any]:
        """The body of /id/ORG/USER."""
        return {
            "id": f"{base_url}/id/{ORG_ID}/{user['Id']}",
            "asserted_user": True,
            "user_id": user["Id"],
            "organization_id": ORG_ID,
            "username": user["Username"],
            "nick_name": user["Alias"],
            "display_name": user["Name"],
            "email": user["Email"],
            "first_name": user["FirstName"],
            "last_name": user["LastName"],
            "timezone": user["TimeZoneSidKey"],
            "urls": {
                "rest": f"{base_url}/services/data/v{{version}}/",
                "query": f"{base_url}/services/data/v{{version}}/query/",
                "sobjects": f"{base_url}/services/data/v{{version}}/sobjects/",
                "partner": f"{base_url}/services/Soap/u/{{version}}/{ORG_ID[:15]}",
            },
            "active": True,
            "user_type": "STANDARD",
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
        }

    def userinfo(self, user: dict[str, Any], base_url: str) -> dict[str, Any]:
        """The body of /services/oauth2/userinfo."""
        return {
            "sub": f"{base_url}/id/{ORG_ID}/{user['Id']}",
            "user_id": user["Id"],
            "organization_id": canonical_id(ORG_ID),
            "preferred_username": user["Username"],
            "name": user["Name"],
            "email": user["Email"],
            "zoneinfo": user["TimeZoneSidKey"],
        }

    def _is_person(self, username: str, password: str) -> bool:
        whole = self.person.password + self.person.security_token
        return username.casefold() == self.person.username and secrets.compare_digest(password.encode(), whole.encode())

    def _close(self, token: str) -> bool:
        with self._lock:
            return self._sessions.pop(token, None) is not None

    def _open(self, user: str) -> str:
        token = f"{ORG_ID[:15]}!AQ{secrets.token_hex(40)}"
        with self._lock:
            self._sessions[token] = (user, time.monotonic())
        return token


def _refused(error: str, description: str) -> Response:
    return json_response({"error": error, "error_description": description}, 400)


def _fault(code: str, message: str, kind: str = "LoginFault") -> Response:
    body = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring>"
        f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:{kind}></detail></soapenv:Fault>"
    )
    return Response(500, _envelope(body), "text/xml;charset=UTF-8")


def _envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ).encode()

"""Salesforce's error answers, translated into the contract's errors. The only place that reads vendor error codes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import requests

from integrator_drivers.errors import (
    AuthError,
    ConnectionError,
    DriverError,
    FieldNotFoundError,
    ForbiddenError,
    ObjectNotFoundError,
    RateLimitError,
    ValidationError,
    near_matches,
)

from .settings import Settings
from .transport import DISCOVERY_BUDGET

__all__ = [
    "UnknownFieldError",
    "UnknownObjectError",
    "field_not_found",
    "login_refused",
    "no_answer",
    "object_not_found",
    "reason_of",
    "session_ended",
    "translate",
]

NO_COLUMN = re.compile(r"No such column '([^']+)' on (?:entity|sobject of type) '?(\w+)'?", re.IGNORECASE)
NO_RELATION = re.compile(r"Didn't understand relationship '([^']+)'", re.IGNORECASE)
NO_TYPE = re.compile(r"[sS][oO]bject type '([^']+)' is not supported")
ENDED_SESSION = {"INVALID_SESSION_ID", "InvalidSessionId"}  # REST and Bulk 2.0; Bulk 1.0 and SOAP
RESTRICTED = re.compile(r"implementation restriction|does not support query|requires a filter", re.IGNORECASE)
LIMIT_CODES = {"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG"}
MISSING = {"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"}


class UnknownFieldError(FieldNotFoundError):
    """As Salesforce reports it, with the names apart, so that close matches can be looked up."""

    def __init__(self, obj: str, name: str) -> None:
        super().__init__(str(field_not_found(obj, name)))
        self.obj = obj
        self.name = name


class UnknownObjectError(ObjectNotFoundError):
    """As Salesforce reports it, with the name apart, so that close matches can be looked up."""

    def __init__(self, name: str) -> None:
        super().__init__(str(object_not_found(name)))
        self.name = name


def translate(exc: Any, wait: float | None = None) -> DriverError:
    """The contract's error for a SalesforceError, without near matches (the caller knows the names)."""
    code, message = _first(exc.content)
    if code in LIMIT_CODES or exc.status in (429, 502, 503, 504):
        return _limit(code, message, exc.status, wait)
    if column := NO_COLUMN.search(message):
        return UnknownFieldError(column[2], column[1].split(".")[-1])
    if relation := NO_RELATION.search(message):
        return FieldNotFoundError(f'Salesforce knows no relationship "{relation[1]}" here. {_hidden()}')
    if code == "INVALID_TYPE" or NO_TYPE.search(message):
        named = NO_TYPE.search(message)
        return UnknownObjectError(named[1] if named else "")
    if session_ended(exc):
        return AuthError("Salesforce ended the session and refused a new one. Nothing more was read or written.")
    if exc.status == 403 or code.startswith("INSUFFICIENT_ACCESS") or code == "API_DISABLED_FOR_ORG":
        return ForbiddenError(f"Salesforce does not allow this user to do that: {reason_of(message)}")
    if exc.status == 404 or code in MISSING:
        return ObjectNotFoundError(f"Salesforce has nothing there: {reason_of(message)}")
    if exc.status in (414, 431):
        return ValidationError("The question is too long for Salesforce (16,384 bytes). Name fewer fields or values.")
    if RESTRICTED.search(message):
        return ValidationError(
            f"Salesforce restricts what can be asked of this object: {reason_of(message).rstrip('.')}. "
            "Other objects are not affected."
        )
    if code == "MALFORMED_QUERY":
        return ValidationError(f"Salesforce did not understand the query: {reason_of(message)}")
    return ValidationError(f"Salesforce refused the request: {reason_of(message) or f'status {exc.status}'}")


def session_ended(exc: Any) -> bool:
    """Is the session over, in whatever words that API has for it?"""
    return exc.status == 401 or _first(exc.content)[0] in ENDED_SESSION


def field_not_found(obj: str, name: str, known: Iterable[str] = ()) -> FieldNotFoundError:
    """No such field: says that it may be hidden, and names close matches."""
    near = _near(name, known)
    close = f" Close matches: {', '.join(near)}." if near else ""
    return FieldNotFoundError(f'{obj} has no field "{name}" that this user can see. {_hidden()}{close}', near)


def object_not_found(name: str, known: Iterable[str] = ()) -> ObjectNotFoundError:
    """No such object, with close matches."""
    near = _near(name, known)
    close = f" Close matches: {', '.join(near)}." if near else ""
    custom = "" if name.endswith("__c") or near else " The names of custom objects end in __c."
    return ObjectNotFoundError(f'Salesforce has no object "{name}" that this user can see.{close}{custom}', near)


def login_refused(settings: Settings, code: str, message: str) -> AuthError:
    """The login was answered with a no."""
    reasons = {
        "invalid_client": "invalid client credentials",
        "invalid_client_id": "invalid client credentials",
        "invalid_grant": reason_of(message) or "invalid grant",
        "INVALID_LOGIN": "invalid user name, password, security token or locked user",
    }
    reason = reasons.get(code, reason_of(message) or code or "no reason given").rstrip(".")
    hint = {
        "client_credentials": "; in Salesforce the app must allow the client-credentials flow",
        "jwt": "; in Salesforce the app must know the certificate of the key and allow this user",
        "refresh_token": "; a refresh token ends when it is revoked or not used for long, then a new one is needed",
        "password": "; the SOAP login may be switched off in this org, then use client credentials",
    }[settings.login]
    return AuthError(
        f"Salesforce refused the login ({reason}). Nothing was read. Check {settings.login_variables} in .env{hint}."
    )


def no_answer(exc: requests.RequestException, settings: Settings, done: str = "Nothing was read.") -> ConnectionError:
    """Nobody answered, or the line broke. `done` says what that means for the data."""
    text = str(exc)
    if isinstance(exc, requests.Timeout):
        what = f"it did not answer within {DISCOVERY_BUDGET:.0f} s"
        if isinstance(exc, requests.ReadTimeout) and (found := re.search(r"read timeout=(\d+)", text)):
            what = f"it did not answer within {found[1]} s"
    elif "NameResolutionError" in text:
        what = f"there is no host {settings.host}"
    elif "NewConnectionError" in text:
        what = "it refused the connection"
    elif isinstance(exc, requests.exceptions.ProxyError):
        what = f"the way to {settings.host} is closed here"
    elif isinstance(exc, requests.exceptions.SSLError):
        what = "its certificate can't be trusted"
    else:
        what = "the connection was lost"
    return ConnectionError(
        f"I couldn't connect to Salesforce: {what}. {done} Try again, or check {settings.address_variable}."
    )


def reason_of(message: str) -> str:
    """The vendor's reason as one line: without the query, the caret and the position frame around it."""
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    for position, line in enumerate(lines):
        if line.startswith("ERROR at Row"):
            where = line.removeprefix("ERROR at ").replace(":", " ").lower()
            return f"{' '.join(lines[position + 1 :])} ({where})"
    return " ".join(line for line in lines if line != "^")


def _near(name: str, known: Iterable[str]) -> list[str]:
    """Close matches by spelling, where Lead_Origin__c and LeadOrigin count as the same spelling."""
    by_sound: dict[str, str] = {}
    for candidate in known:
        by_sound.setdefault(candidate.removesuffix("__c").replace("_", ""), candidate)
    return [by_sound[match] for match in near_matches(name.removesuffix("__c").replace("_", ""), by_sound)]


def _limit(code: str, message: str, status: int, wait: float | None) -> RateLimitError:
    if "TotalRequests" in message:
        return RateLimitError(
            "Salesforce's daily API limit is used up. What was written before is kept; "
            "go on tomorrow, or raise the limit in Salesforce (Setup > Company Information).",
            wait,
        )
    if "Concurrent" in message:
        return RateLimitError(
            "Salesforce has too many long requests from this org at once. Try again in a minute.",
            wait,
        )
    when = f" Try again in {wait:.0f} s." if wait else " Try again in a minute."
    return RateLimitError(f"Salesforce is busy ({reason_of(message) or code or status}).{when}", wait)


def _hidden() -> str:
    return "It may be hidden by field-level security."


def _first(content: Any) -> tuple[str, str]:
    """(errorCode, message) of an error body: a list of errors, an OAuth object, or text."""
    entry = content[0] if isinstance(content, list) and content else content
    if isinstance(entry, dict):
        code = entry.get("errorCode") or entry.get("exceptionCode") or entry.get("error") or ""
        message = entry.get("message") or entry.get("exceptionMessage") or entry.get("error_description") or ""
        return str(code), str(message)
    return "", str(entry)[:300]

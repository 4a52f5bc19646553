"""HubSpot's error answers, translated into the contract's errors. The only place that reads its error bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import msgspec

from integrator_drivers.errors import (
    AuthError,
    DriverError,
    FieldNotFoundError,
    ForbiddenError,
    ObjectNotFoundError,
    RateLimitError,
    ValidationError,
    near_matches,
)
from integrator_drivers.pacing import retry_after

__all__ = [
    "BatchRefusedError",
    "field_not_found",
    "hold",
    "missing_scopes",
    "object_not_found",
    "reason_of",
    "retried",
    "translate",
]

SCOPE = re.compile(r"[a-z]+(?:[.-][a-z_]+)+")


class BatchRefusedError(ValidationError):
    """HubSpot refused a whole request because of something in it; nothing of it was done."""


def translate(response: httpx.Response) -> DriverError:
    """The contract's error for an answer of status 400 or more."""
    status, body = response.status_code, _body(response)
    reason = reason_of(body)
    if status == 401:
        return AuthError(
            "HubSpot refused the token (wrong, expired or withdrawn). Nothing was read. "
            "Check HUBSPOT_ACCESS_TOKEN in .env; HubSpot shows it under Settings > Integrations > Private apps."
        )
    if status == 403:
        scopes = missing_scopes(body)
        if scopes:
            return ForbiddenError(
                f"HubSpot does not allow this token to do that: it lacks the scope {' or '.join(scopes)}. "
                "Tick it in the settings of the private app."
            )
        return ForbiddenError(f"HubSpot does not allow this token to do that: {reason or 'no reason given'}")
    if status == 429:
        return _limit(body, retry_after(response.headers))
    if status in (500, 502, 503, 504) or status == 423:
        return RateLimitError(f"HubSpot is busy ({reason or status}). Try again in a minute.", 60.0)
    if status == 404:
        return ObjectNotFoundError(f"HubSpot has nothing there: {reason or response.url.path}")
    if status in (414, 431):
        return ValidationError("The question is too long for HubSpot. Name fewer fields or values.")
    if status in (400, 409, 422):
        return BatchRefusedError(f"HubSpot refused the request: {reason or f'status {status}'}")
    return ValidationError(f"HubSpot refused the request: {reason or f'status {status}'}")


def retried(response: httpx.Response) -> bool:
    """Would it help to ask again soon? Not when the requests of the day are used up."""
    return _body(response).get("policyName") != "DAILY"


def hold(headers: Mapping[str, str]) -> float:
    """Seconds to wait before the next request, from what is left of HubSpot's ten-secondly allowance."""
    left, most = _whole(headers, "x-hubspot-ratelimit-remaining"), _whole(headers, "x-hubspot-ratelimit-max")
    interval = _whole(headers, "x-hubspot-ratelimit-interval-milliseconds")
    if left is None or not most or not interval or left > most // 10:
        return 0.0
    return interval / 1000 if left == 0 else interval / 1000 / most * 2


def field_not_found(obj: str, name: str, known: Iterable[str] = ()) -> FieldNotFoundError:
    """No such property, with close matches."""
    near = near_matches(name, known)
    close = f" Close matches: {', '.join(near)}." if near else ""
    return FieldNotFoundError(
        f'{obj} has no field "{name}" that this token can see. Fields go by their internal name, '
        f"not by the label that people see.{close}",
        near,
    )


def object_not_found(name: str, known: Iterable[str] = ()) -> ObjectNotFoundError:
    """No such object, with close matches."""
    near = near_matches(name, known)
    close = f" Close matches: {', '.join(near)}." if near else ""
    return ObjectNotFoundError(f'HubSpot has no object "{name}" that this token can see.{close}', near)


def missing_scopes(body: Mapping[str, Any]) -> list[str]:
    """The scopes that a 403 asks for."""
    found: list[str] = []
    for entry in [body, *(body.get("errors") or ())]:
        context = entry.get("context") if isinstance(entry, Mapping) else None
        for key, value in (context or {}).items() if isinstance(context, Mapping) else ():
            if "scope" in str(key).lower():
                found += SCOPE.findall(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    return list(dict.fromkeys(found))


def reason_of(body: Mapping[str, Any]) -> str:
    """The vendor's reason as one line, the details instead of the general sentence where there are some."""
    message = " ".join(str(body.get("message") or "").split())
    details = [
        " ".join(str(entry.get("message")).split())
        for entry in body.get("errors") or ()
        if isinstance(entry, Mapping) and entry.get("message")
    ]
    if details:
        message = "; ".join(dict.fromkeys(details))
    if found := re.match(r"Property values were not valid: (\[.*\])$", message):
        try:
            entries = msgspec.json.decode(found[1])
            message = "; ".join(dict.fromkeys(str(entry["message"]) for entry in entries))
        except (msgspec.DecodeError, KeyError, TypeError):
            return message[:300]
    return message[:300]


def _limit(body: Mapping[str, Any], wait: float | None) -> RateLimitError:
    if body.get("policyName") == "DAILY":
        return RateLimitError(
            "HubSpot's daily API limit is used up. What was written before is kept; "
            "go on tomorrow (HubSpot counts by the account's own time zone), or raise the limit at HubSpot.",
            wait,
        )
    when = f" Try again in {wait:.0f} s." if wait else " Try again in a minute."
    return RateLimitError(f"HubSpot is busy ({reason_of(body) or 'too many requests'}).{when}", wait)


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return {"message": response.text.strip()[:200]} if "html" not in response.text[:200].lower() else {}
    return body if isinstance(body, dict) else {}


def _whole(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdigit() else None

"""What a property takes: HubSpot's checks of values that are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .account import Account, Kind, Stored, stamp
from .errors import HubSpotError, invalid_values

__all__ = ["as_instant", "checked"]

EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]{2,}")
Problem = tuple[str, str, str]  # code, message, property


def checked(account: Account, kind: Kind, given: Mapping[str, Any], before: Stored | None) -> dict[str, str]:
    """The values as they are kept. Raises HubSpotError with every problem in one message."""
    problems: list[Problem] = []
    values: dict[str, str] = {}
    for name, value in given.items():
        definition = kind.definitions.get(name)
        if definition is None:
            message = f'Property "{name}" does not exist'
            problems.append(("PROPERTY_DOESNT_EXIST", message, name))
            continue
        if definition["modificationMetadata"]["readOnlyValue"] or definition["calculated"]:
            message = f'"{name}" is a read only property; its value cannot be set.'
            problems.append(("READ_ONLY_VALUE", message, name))
            continue
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        try:
            values[name] = _fitting(account, definition, text) if text else ""
        except ValueError as exc:
            code, message = exc.args
            problems.append((code, message, name))
    if problems:
        raise invalid_values(problems)
    if values.get("lifecyclestage") and before:
        order = [one["value"] for one in kind.definitions["lifecyclestage"]["options"]]
        old = before.properties.get("lifecyclestage")
        if old in order and order.index(values["lifecyclestage"]) < order.index(old):
            del values["lifecyclestage"]  # it does not move backwards, and HubSpot says nothing
    if (
        before is None
        and kind.name == "contacts"
        and not any(values.get(n) for n in ("email", "firstname", "lastname"))
    ):
        raise HubSpotError(400, "VALIDATION_ERROR", "A contact needs an email, a first name or a last name.")
    return values


def as_instant(text: str) -> datetime:
    """An aware time from milliseconds or ISO 8601. Raises ValueError."""
    if re.fullmatch(r"-?\d+", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _fitting(account: Account, definition: Mapping[str, Any], text: str) -> str:
    name, kind = definition["name"], definition["type"]
    if name == "email":
        if not EMAIL.fullmatch(text.strip()):
            raise ValueError("INVALID_EMAIL", f"Email address {text} is invalid")
        return text.strip().lower()
    if kind == "number":
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError("INVALID_LONG", f"{text} was not a valid number.") from None
        if not number.is_finite():
            raise ValueError("INVALID_LONG", f"{text} was not a valid number.")
        return format(number, "f")
    if kind in ("date", "datetime"):
        try:
            moment = as_instant(text)
        except (ValueError, OverflowError):
            raise ValueError("INVALID_DATE", f"{text} was not a valid {kind}.") from None
        if kind == "date" and moment.time() != moment.time().min:
            at = int(moment.timestamp() * 1000)
            raise ValueError("INVALID_DATE", f"{at} is at {moment:%H:%M:%S} UTC, not midnight!")
        return f"{moment:%Y-%m-%d}" if kind == "date" else stamp(moment)
    if kind in ("enumeration", "bool"):
        return _options(account, definition, text)
    if len(text) > 65_536:
        raise ValueError("PROPERTY_VALUE_TOO_LONG", f"{name} can be at most 65536 characters long.")
    return text


def _options(account: Account, definition: Mapping[str, Any], text: str) -> str:
    name = definition["name"]
    if name == "hubspot_owner_id":
        known = [owner["id"] for owner in account.owners]
    else:
        known = [option["value"] for option in definition["options"]]
    parts = [part for part in text.split(";") if part] if definition["fieldType"] == "checkbox" else [text]
    for part in parts:
        if known and part not in known:
            raise ValueError(
                "INVALID_OPTION", f"{part} was not one of the allowed options: [{', '.join(map(str, known))}]"
            )
    return ";".join(parts)

"""Values on their way into Salesforce: encoded as its JSON wants them, checked before they are sent, compared."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = ["UnfitValueError", "encoded", "is_id", "matching_key", "same"]

ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-5]{3})?")
CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class UnfitValueError(ValueError):
    """A value that the field can't hold; the text is the reason a person reads."""


def encoded(value: Any, raw: Mapping[str, Any]) -> Any:
    """The JSON value for the described field `raw`. Empty text and NaN become null. Raises UnfitValueError."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    name, native = raw["name"], raw["type"]
    if native == "boolean":
        return _boolean(value, name)
    if native in ("int", "long", "double", "currency", "percent"):
        return _number(value, name, whole=native in ("int", "long"))
    if native in ("date", "datetime"):
        return _moment(value, name, native)
    if isinstance(value, datetime | date):
        raise UnfitValueError(f"{name} is text in Salesforce and got a time")
    if native == "multipicklist" and isinstance(value, list | tuple | set):
        value = ";".join(str(one) for one in value)
    text = str(value)
    if native in ("id", "reference") and not is_id(text):
        raise UnfitValueError(f'{name} "{text[:40]}" is no Salesforce id')
    if (length := raw.get("length")) and len(text) > length:
        raise UnfitValueError(f"{name} is longer than {length:,} characters")
    if raw.get("restrictedPicklist") and native == "picklist":
        choices = [entry["value"] for entry in raw.get("picklistValues") or () if entry.get("active", True)]
        if choices and text not in choices:
            raise UnfitValueError(f'{name} can\'t be "{text}"; it can be {", ".join(choices[:8])}')
    return text


def is_id(text: str) -> bool:
    """Could this be a record id? Salesforce refuses a whole query for one that can't.

    The last 3 of 18 characters say which of the first 15 are capitals, five at a time.
    """
    if not ID.fullmatch(text):
        return False
    blocks = (text[start : start + 5] for start in (0, 5, 10))
    suffix = "".join(CHECK[sum(1 << n for n, char in enumerate(block) if char.isupper())] for block in blocks)
    return len(text) == 15 or text[15:].upper() == suffix


def same(old: Any, new: Any, raw: Mapping[str, Any]) -> bool:
    """Does the field hold the value already? Both as `encoded`; Salesforce drops blanks around text."""
    if raw["type"] in ("id", "reference"):
        return str(old or "")[:15] == str(new or "")[:15]
    if isinstance(old, str) and isinstance(new, str):
        return old.strip() == new.strip()
    if raw["type"] == "boolean":
        return bool(old) == bool(new)
    if new is not None and old is not None and isinstance(new, int | float):
        return Decimal(str(old)) == Decimal(str(new))
    return bool((None if isinstance(old, str) and not old.strip() else old) == new)


def matching_key(value: Any, raw: Mapping[str, Any]) -> Any:
    """Equal for values that Salesforce takes for the same key: text without case, ids by their 15 letters."""
    if raw["type"] in ("id", "reference"):
        return str(value).strip()[:15]
    if isinstance(value, str):
        return value.strip() if raw.get("caseSensitive") else value.strip().casefold()
    return value


def _boolean(value: Any, name: str) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    if str(value).strip().lower() in ("true", "false"):
        return str(value).strip().lower() == "true"
    raise UnfitValueError(f'{name} is yes or no, not "{value}"')


def _number(value: Any, name: str, whole: bool) -> int | float:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as exc:
        raise UnfitValueError(f'{name} is a number, not "{value}"') from exc
    if not number.is_finite() or (whole and number != number.to_integral_value()):
        raise UnfitValueError(f"{name} is a {'whole ' if whole else ''}number, not {value}")
    return int(number) if number == number.to_integral_value() else float(number)


def _moment(value: Any, name: str, native: str) -> str:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError as exc:
            raise UnfitValueError(f'{name} is a date, not "{value}"') from exc
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UnfitValueError(f"{name} needs a time with a time zone")
        utc = value.astimezone(UTC)
        return f"{utc:%Y-%m-%d}" if native == "date" else f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat() if native == "date" else f"{value.isoformat()}T00:00:00.000Z"
    raise UnfitValueError(f"{name} is a {native}, not {value!r}")

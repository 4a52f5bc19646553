"""Values on their way in and out: HubSpot keeps everything as text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from integrator_drivers import Field

from .fields import is_boolean

__all__ = ["UnfitValueError", "decoder", "encoded", "instant", "matching_key", "moment_text", "same"]

EMAIL = re.compile(r"[^@\s,;<>\"()\[\]]+@[^@\s,;<>\"()\[\]]+\.[^@\s,;<>\"()\[\]]{2,}")
LONGEST = 65_536  # characters of one value


class UnfitValueError(ValueError):
    """A value that the property can't hold; the text is the reason a person reads."""


def decoder(field: Field) -> Callable[[str], Any]:
    """How HubSpot's text of one field becomes a value. Text that does not fit its type stays text."""
    convert: Callable[[str], Any] = {
        "number": _number,
        "boolean": lambda text: text.lower() == "true",
        "date": lambda text: instant(text).date(),
        "datetime": instant,
    }.get(field["type"], str)

    def safely(text: str) -> Any:
        try:
            return convert(text)
        except (ValueError, OverflowError):
            return text

    return safely


def encoded(value: Any, raw: Mapping[str, Any]) -> str:
    """The text HubSpot takes for the property `raw`; "" for no value, which clears it. Raises UnfitValueError."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return ""
    name, kind = raw["name"], raw["type"]
    if is_boolean(raw):
        return _boolean(value, name)
    if kind == "number":
        return _number_text(value, name)
    if kind in ("date", "datetime"):
        return _time_text(value, name, kind)
    if isinstance(value, datetime | date):
        raise UnfitValueError(f"{name} is text in HubSpot and got a time")
    if kind == "enumeration":
        return _choice(value, raw)
    text = str(value)
    if name == "email":
        text = text.strip().lower()
        if not EMAIL.fullmatch(text):
            raise UnfitValueError(f'email "{text[:60]}" is no e-mail address')
    if len(text) > LONGEST:
        raise UnfitValueError(f"{name} is longer than {LONGEST:,} characters")
    return text


def same(old: str | None, new: str, raw: Mapping[str, Any]) -> bool:
    """Does the property hold the value already? `old` as HubSpot gives it, `new` as `encoded`."""
    before, after = (old or "").strip(), new.strip()
    if before == after:
        return True
    if not before or not after:
        return False
    kind = raw["type"]
    try:
        if kind == "number":
            return Decimal(before) == Decimal(after)
        if kind == "datetime":
            return instant(before) == instant(after)
        if kind == "date":
            return instant(before).date() == instant(after).date()
    except (InvalidOperation, ValueError, OverflowError):
        return False
    if raw["name"] == "email" or is_boolean(raw):
        return before.lower() == after.lower()
    if kind == "enumeration" and raw.get("fieldType") == "checkbox":
        return {part for part in before.split(";") if part} == {part for part in after.split(";") if part}
    return False


def matching_key(value: Any, name: str) -> str:
    """Equal for values that HubSpot takes for the same key: e-mails trimmed and without case."""
    text = str(value).strip()
    return text.lower() if name == "email" else text


def instant(text: str) -> datetime:
    """An aware time from milliseconds since 1970 or ISO 8601; a day is its midnight in UTC."""
    if re.fullmatch(r"-?\d{9,}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def moment_text(moment: datetime) -> str:
    """2026-11-21T03:00:00.000Z"""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _number(text: str) -> int | float:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else float(number)


def _boolean(value: Any, name: str) -> str:
    if isinstance(value, bool) or value in (0, 1):
        return "true" if value else "false"
    if str(value).strip().lower() in ("true", "false"):
        return str(value).strip().lower()
    raise UnfitValueError(f'{name} is yes or no, not "{value}"')


def _number_text(value: Any, name: str) -> str:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as exc:
        raise UnfitValueError(f'{name} is a number, not "{value}"') from exc
    if isinstance(value, bool) or not number.is_finite():
        raise UnfitValueError(f"{name} is a number, not {value}")
    return format(number, "f")


def _time_text(value: Any, name: str, kind: str) -> str:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError as exc:
            raise UnfitValueError(f'{name} is a date, not "{value}"') from exc
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise UnfitValueError(f"{name} needs a time with a time zone")
        return f"{value.astimezone(UTC):%Y-%m-%d}" if kind == "date" else moment_text(value)
    if isinstance(value, date):
        return value.isoformat() if kind == "date" else f"{value.isoformat()}T00:00:00.000Z"
    raise UnfitValueError(f"{name} is a {kind}, not {value!r}")


def _choice(value: Any, raw: Mapping[str, Any]) -> str:
    """One of the options, by its internal value or its label; several, joined by semicolons, for checkboxes."""
    options = raw.get("options") or ()
    several = raw.get("fieldType") == "checkbox"
    parts = value if isinstance(value, list | tuple | set) else str(value).split(";") if several else [value]
    if not options or raw.get("externalOptions"):
        return ";".join(str(part).strip() for part in parts)
    by_name = {option["value"]: option["value"] for option in options}
    by_label = {str(option["label"]).strip().casefold(): option["value"] for option in options}
    found = []
    for part in parts:
        text = str(part).strip()
        choice = by_name.get(text) or by_label.get(text.casefold())
        if choice is None:
            known = ", ".join(option["value"] for option in options[:8])
            raise UnfitValueError(f'{raw["name"]} can\'t be "{text[:60]}"; it can be {known}')
        found.append(choice)
    return ";".join(found)

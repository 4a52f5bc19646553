"""A JSON value of a write as the value a field keeps, or why it does not fit."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any

from .errors import SalesforceError
from .ids import canonical_id
from .schema import Field

__all__ = ["stored_value"]

_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"]+@[^@\s,;<>()\[\]\"]+\.[^@\s,;<>()\[\]\"\.]{2,}")
_BOOLEANS = {"true": True, "false": False}
_TYPE_NAMES = {"int": "int", "currency": "currency", "percent": "percent", "double": "double", "datetime": "datetime"}


def stored_value(field: Field, value: Any) -> Any:
    """Raises SalesforceError naming the field. An empty text is null."""
    if value is None or value == "":
        if field.kind == "boolean":
            raise SalesforceError(
                400, "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: ", [field.name]
            )
        return None
    if isinstance(value, dict | list):
        raise _unreadable(field, value)
    match field.kind:
        case "boolean":
            return _boolean(field, value)
        case "number":
            return _number(field, value)
        case "date" | "datetime":
            return _moment(field, value)
        case "id":
            return _reference(field, value)
    return _text(field, value)


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    raise _unreadable(field, value)


def _number(field: Field, value: Any) -> int | float:
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or (field.type == "int" and number != int(number)):
            raise ValueError
    except ValueError:
        raise _unreadable(field, value) from None
    digits = field.facts["digits"] or field.facts["precision"] - field.facts["scale"]
    if abs(number) >= 10**digits:
        raise SalesforceError(
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            [field.name],
        )
    return int(number) if field.type == "int" else number


def _moment(field: Field, value: Any) -> date | datetime:
    try:
        if not isinstance(value, str):
            raise ValueError
        if field.kind == "date":
            return date.fromisoformat(value[:10]) if re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", value) else _no()
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).replace(microsecond=0) if moment.tzinfo else _no()
    except (ValueError, OverflowError):
        raise _unreadable(field, value) from None


def _no() -> date:
    raise ValueError


def _reference(field: Field, value: Any) -> str:
    found = canonical_id(value) if isinstance(value, str) else None
    if found is None:
        raise SalesforceError(400, "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
    return found


def _text(field: Field, value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    length = field.facts["length"]
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise SalesforceError(
            400, "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", [field.name]
        )
    if length and len(text) > length:
        raise SalesforceError(
            400, "STRING_TOO_LONG", f"{field.label}: data value too large: {text} (max length={length})", [field.name]
        )
    if field.facts["restrictedPicklist"] and text not in (value for value, _ in field.choices):
        raise SalesforceError(
            400,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            [field.name],
        )
    return text


def _unreadable(field: Field, value: Any) -> SalesforceError:
    kind = {bool: "TRUE" if value else "FALSE", str: "STRING", dict: "OBJECT", list: "ARRAY"}.get(type(value), "NUMBER")
    found = "VALUE_" + kind if kind not in ("OBJECT", "ARRAY") else f"START_{kind}"
    name = _TYPE_NAMES.get(field.type, field.kind)
    return SalesforceError(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {name} from {found} value {value} or request may be missing a required field",
    )

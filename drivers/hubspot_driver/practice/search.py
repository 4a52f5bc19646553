"""HubSpot's search: filters over text values, alternatives, one sort, 10,000 results at most."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from fnmatch import translate
from typing import Any

from .account import Kind, Stored
from .errors import HubSpotError, invalid
from .values import as_instant

__all__ = ["MOST_FOUND", "run"]

MOST_FOUND = 10_000
MOST_GROUPS, MOST_FILTERS, MOST_TOGETHER, MOST_VALUES = 5, 6, 18, 100
LONGEST_BODY = 3_000
PAGE, LARGEST_PAGE = 10, 200
MEMBERS = {"query", "limit", "after", "sorts", "properties", "filterGroups"}
FILTER_MEMBERS = {"propertyName", "operator", "value", "values", "highValue"}
ONE_VALUE = {"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}
OPERATORS = ONE_VALUE | {"BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"}
SEARCHED = {
    "contacts": ("firstname", "lastname", "email", "phone", "company", "hs_additional_emails"),
    "companies": ("website", "phone", "name", "domain"),
    "deals": ("dealname", "pipeline", "dealstage", "description", "dealtype"),
    "tickets": ("subject", "content", "hs_pipeline_stage", "hs_ticket_priority"),
}
Test = Callable[[Stored], bool]


def run(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """{total, results, paging?}. Raises HubSpotError for what HubSpot does not understand."""
    unknown = sorted(set(body) - MEMBERS)
    if unknown:
        raise invalid(f'Invalid input JSON on line 1, column 1: unknown field "{unknown[0]}"')
    limit, after = _page(body)
    names = _names(body.get("properties"), kind)
    groups = _groups(body.get("filterGroups"), kind)
    rows = list(kind.rows.values())
    if groups:
        rows = [row for row in rows if any(all(test(row) for test in group) for group in groups)]
    if text := str(body.get("query") or ""):
        words = text.lower().split()
        fields = SEARCHED.get(kind.name, ())
        rows = [row for row in rows if _mentions(row, fields, words)]
    rows = _sorted(rows, body.get("sorts"), kind)
    found: dict[str, Any] = {"total": len(rows), "results": [row.view(names) for row in rows[after : after + limit]]}
    if after + limit < len(rows):
        found["paging"] = {"next": {"after": str(after + limit)}}
    return found


def _page(body: Mapping[str, Any]) -> tuple[int, int]:
    limit, after = body.get("limit", PAGE), body.get("after") or "0"
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0 or limit > LARGEST_PAGE:
        raise invalid(f"Invalid limit {limit}: a search gives at most {LARGEST_PAGE} results a page.")
    if not str(after).isdigit():
        raise invalid(f"Invalid after {after}: it must be an integer.")
    if int(after) + limit > MOST_FOUND:
        raise invalid(f"The requested page is beyond the limit of {MOST_FOUND} results of one search.")
    return limit, int(after)


def _names(given: Any, kind: Kind) -> list[str]:
    if given is None or given == []:
        return list(kind.defaults)
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise invalid("Invalid input JSON: properties is a list of names")
    shown = dict.fromkeys([*given, kind.created, kind.modified, "hs_object_id"])
    return [name for name in shown if name in kind.definitions]


def _groups(given: Any, kind: Kind) -> list[list[Test]]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(
        isinstance(group, dict) and isinstance(group.get("filters"), list) for group in given
    ):
        raise invalid("Invalid input JSON: filterGroups is a list of objects with filters")
    together = sum(len(group["filters"]) for group in given)
    if len(given) > MOST_GROUPS:
        raise invalid(f"The maximum number of filter groups is {MOST_GROUPS}.")
    if any(len(group["filters"]) > MOST_FILTERS for group in given) or together > MOST_TOGETHER:
        raise invalid(f"The maximum number of filters is {MOST_FILTERS} per group and {MOST_TOGETHER} together.")
    return [[_test(entry, kind) for entry in group["filters"]] for group in given if group["filters"]]


def _test(entry: Any, kind: Kind) -> Test:
    if not isinstance(entry, dict) or set(entry) - FILTER_MEMBERS:
        raise invalid("Invalid input JSON: a filter has propertyName, operator and value, values or highValue")
    name, operator = str(entry.get("propertyName")), entry.get("operator")
    definition = kind.definitions.get(name)
    if operator not in OPERATORS:
        raise invalid(f"Invalid input JSON: unknown operator {operator!r}; allowed are {', '.join(sorted(OPERATORS))}")
    if definition is None:
        raise HubSpotError(
            400,
            "VALIDATION_ERROR",
            f"There was a problem with the request. Property {name} does not exist on {kind.singular}.",
            {"propertyName": [name]},
        )
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return lambda row: bool(row.properties.get(name)) == (operator == "HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        return _listed(name, definition, entry, operator)
    needed = ("value", "highValue") if operator == "BETWEEN" else ("value",)
    if any(not isinstance(entry.get(key), str) or not entry[key] for key in needed):
        raise invalid(f"operator {operator} requires {' and '.join(needed)} for property {name}")
    if operator.endswith("CONTAINS_TOKEN"):
        return _token(name, entry["value"], operator == "CONTAINS_TOKEN")
    return _compared(name, definition, operator, entry)


def _listed(name: str, definition: Mapping[str, Any], entry: Mapping[str, Any], operator: str) -> Test:
    values = entry.get("values")
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise invalid(f"operator {operator} requires values for property {name}")
    if len(values) > MOST_VALUES:
        raise invalid(f"operator {operator} takes at most {MOST_VALUES} values")
    # Plain text is kept in small letters for lists, and the values given are compared as they are.
    lower = definition["type"] == "string"
    wanted = set(values)

    def test(row: Stored) -> bool:
        held = row.properties.get(name)
        if not held:
            return False
        parts = held.split(";") if definition["fieldType"] == "checkbox" else [held]
        return any((part.lower() if lower else part) in wanted for part in parts) == (operator == "IN")

    return test


def _token(name: str, pattern: str, wanted: bool) -> Test:
    """Whole words without regard to case; * stands for any letters. E-mail addresses count as one word."""
    compiled = re.compile(translate(pattern.lower().replace("[", "[[]").replace("?", "[?]")))

    def test(row: Stored) -> bool:
        held = (row.properties.get(name) or "").lower()
        if not held:
            return False
        return any(compiled.fullmatch(word) for word in [held, *held.split()]) == wanted

    return test


def _compared(name: str, definition: Mapping[str, Any], operator: str, entry: Mapping[str, Any]) -> Test:
    convert = _converter(definition)
    ordered = definition["type"] in ("number", "date", "datetime", "string")
    if operator in ("LT", "LTE", "GT", "GTE", "BETWEEN") and not ordered:
        raise invalid(f"operator {operator} is not supported for property {name} of type {definition['type']}")
    try:
        low = convert(entry["value"])
        high = convert(entry["highValue"]) if operator == "BETWEEN" else None
    except (ValueError, InvalidOperation, OverflowError) as exc:
        raise invalid(f"There was a problem with the request: {entry['value']} is no value for {name}") from exc
    compare: Callable[[Any], bool] = {
        "EQ": lambda held: held == low,
        "NEQ": lambda held: held != low,
        "LT": lambda held: held < low,
        "LTE": lambda held: held <= low,
        "GT": lambda held: held > low,
        "GTE": lambda held: held >= low,
        "BETWEEN": lambda held: low <= held <= high,
    }[operator]
    return lambda row: bool(row.properties.get(name)) and compare(convert(row.properties[name]))


def _converter(definition: Mapping[str, Any]) -> Callable[[str], Any]:
    if definition["type"] == "number":
        return Decimal
    if definition["type"] in ("date", "datetime"):
        return as_instant
    if definition["type"] == "string":
        return str.lower
    return str


def _mentions(row: Stored, fields: tuple[str, ...], words: list[str]) -> bool:
    held = " ".join(row.properties.get(name) or "" for name in fields).lower()
    return all(word in held for word in words)


def _sorted(rows: list[Stored], sorts: Any, kind: Kind) -> list[Stored]:
    """By the one sort asked for, else by when they were made."""
    if not sorts:
        return sorted(rows, key=lambda row: (row.created, int(row.id)))
    if not isinstance(sorts, list) or len(sorts) > 1:
        raise invalid("Only one sort is allowed.")
    entry = sorts[0]
    if isinstance(entry, str):
        name, descending = entry.removeprefix("-"), entry.startswith("-")
    elif isinstance(entry, dict) and entry.get("direction", "ASCENDING") in ("ASCENDING", "DESCENDING"):
        name, descending = str(entry.get("propertyName")), entry.get("direction") == "DESCENDING"
    else:
        raise invalid("Invalid input JSON: a sort has propertyName and direction")
    definition = kind.definitions.get(name)
    if definition is None:
        raise invalid(f"Property {name} does not exist on {kind.singular}.")
    convert = _converter(definition)
    held = [row for row in rows if row.properties.get(name)]
    held.sort(key=lambda row: (convert(row.properties[name]), int(row.id)), reverse=descending)
    return held + [row for row in rows if not row.properties.get(name)]

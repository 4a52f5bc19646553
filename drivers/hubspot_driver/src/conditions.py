"""`where` in HubSpot's words: search filters, and tests for rows that have no search."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any

from integrator_drivers import Condition, Field, Record
from integrator_drivers.errors import ValidationError

from .fields import RECORD_ID

__all__ = ["LISTED", "Filter", "Filters", "checked", "filters_of", "milliseconds", "span", "test_of"]

Filter = dict[str, Any]
LISTED = 100  # values in one IN or NOT_IN
LIST_LENGTH = 2_000  # characters of them; a whole search is at most 3,000
DAY = timedelta(days=1)
COMPARISONS = {"=": "EQ", "!=": "NEQ", "<": "LT", "<=": "LTE", ">": "GT", ">=": "GTE"}
KNOWN = "=, !=, <, <=, >, >=, in, not in, is null, not null and contains"


@dataclass
class Filters:
    """Filters that must all hold; `lists` are alternatives, one of each; `tests` are done on the rows that come."""

    always: list[Filter] = field(default_factory=list)
    lists: list[list[Filter]] = field(default_factory=list)
    tests: list[Callable[[Record], bool]] = field(default_factory=list)
    nothing: bool = False  # no record can meet this


def checked(where: Iterable[Condition]) -> list[Condition]:
    """The conditions, each of three parts."""
    found = []
    for entry in [where] if isinstance(where, str) else where:
        if isinstance(entry, str) or len(entry) != 3:
            raise ValidationError(
                f"where is a list of conditions of three parts, (field, op, value); this one is {entry!r}."
            )
        found.append((str(entry[0]), str(entry[1]).strip().lower(), entry[2]))
    return found


def filters_of(conditions: Iterable[tuple[str, Field, str, Any]]) -> Filters:
    """Search filters for (name, field, op, value)."""
    found = Filters()
    moments = set()
    for name, entry, op, value in conditions:
        if entry["type"] == "datetime":
            moments.add(name)
        _add(found, RECORD_ID if name == "id" else name, entry, op, value)
    found.always = _spans(found.always, moments)
    return found


def _spans(filters: list[Filter], moments: set[str]) -> list[Filter]:
    """The same filters; from and to of one moment are one, since a search takes few. Times are whole milliseconds."""
    kept = list(filters)
    for start in [one for one in filters if one["operator"] == "GTE" and one["propertyName"] in moments]:
        ends = [one for one in kept if one["operator"] == "LT" and one["propertyName"] == start["propertyName"]]
        if len(ends) == 1 and int(start["value"]) < int(ends[0]["value"]):
            last = str(int(ends[0]["value"]) - 1)
            kept[kept.index(start)] = {**start, "operator": "BETWEEN", "highValue": last}
            kept.remove(ends[0])
    return kept


def span(name: str, since: datetime | None, until: datetime | None) -> Filter:
    """One filter for `since` (inclusive) and `until` (exclusive), in whole milliseconds."""
    if since is not None and until is not None:
        last = int(milliseconds(until, name)) - 1
        return {"propertyName": name, "operator": "BETWEEN", "value": milliseconds(since, name), "highValue": str(last)}
    if since is not None:
        return {"propertyName": name, "operator": "GTE", "value": milliseconds(since, name)}
    assert until is not None
    return {"propertyName": name, "operator": "LT", "value": milliseconds(until, name)}


def milliseconds(moment: datetime, name: str) -> str:
    """Milliseconds since 1970. Raises ValidationError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValidationError(f"The time for {name} has no time zone. Use days_ago(30), or datetime(..., tzinfo=UTC).")
    return str(int(moment.timestamp() * 1000))


def _add(found: Filters, name: str, entry: Field, op: str, value: Any) -> None:
    if op in ("=", "!=") and value is None:
        op = "is null" if op == "=" else "not null"
    if op in ("is null", "not null"):
        found.always.append(
            {"propertyName": name, "operator": "HAS_PROPERTY" if op == "not null" else "NOT_HAS_PROPERTY"}
        )
    elif op in ("in", "not in"):
        _add_list(found, name, entry, op, value)
    elif op == "contains":
        _add_contains(found, name, entry, value)
    elif op not in COMPARISONS:
        raise ValidationError(
            f'HubSpot can\'t compare with "{op}" here. Known are {KNOWN}; '
            "for anything else use search(object, filter_groups=[...])."
        )
    elif entry["type"] == "datetime" and (day := _day(value)):
        found.always.append(_whole_day(name, op, day))
    else:
        text = _text(value, entry, name)
        ordered = entry["type"] in ("number", "integer", "date", "datetime") or name == RECORD_ID
        if op in ("<", "<=", ">", ">=") and not ordered:
            raise ValidationError(
                f"{name} is {entry['native_type']} in HubSpot, which has no order; compare with =, in or contains."
            )
        found.always.append({"propertyName": name, "operator": COMPARISONS[op], "value": text})


def _add_list(found: Filters, name: str, entry: Field, op: str, value: Any) -> None:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValidationError(f"{name}: {op} needs a list of values.")
    if entry["type"] == "datetime":
        raise ValidationError(f"{name} is a time; ask for a span with >= and <.")
    plain = "choices" not in entry and entry["type"] == "text" and name != RECORD_ID
    # HubSpot keeps plain text in small letters for lists and compares them as they are.
    texts = dict.fromkeys(
        text.lower() if plain else text for text in (_text(one, entry, name) for one in value if one is not None)
    )
    operator = "IN" if op == "in" else "NOT_IN"
    groups = [{"propertyName": name, "operator": operator, "values": part} for part in _parts(list(texts))]
    if op == "not in":
        found.always += groups
    elif groups:
        found.lists.append(groups)
    else:
        found.nothing = True


def _parts(texts: list[str]) -> list[list[str]]:
    parts: list[list[str]] = []
    length = LIST_LENGTH
    for text in texts:
        if not parts or len(parts[-1]) == LISTED or length + len(text) + 3 > LIST_LENGTH:
            parts.append([])
            length = 0
        parts[-1].append(text)
        length += len(text) + 3
    return parts


def _add_contains(found: Filters, name: str, entry: Field, value: Any) -> None:
    """HubSpot looks for whole words, with * for any letters; what comes is tested for the text itself."""
    text = str(value if value is not None else "").strip()
    if entry["type"] not in ("text", "reference") or not text or name == RECORD_ID:
        raise ValidationError(f"{name}: contains looks for a piece of text in a text field.")
    words = text.split()
    for position, word in enumerate(words):
        start = "*" if position == 0 else ""
        end = "*" if position == len(words) - 1 else ""
        found.always.append({"propertyName": name, "operator": "CONTAINS_TOKEN", "value": f"{start}{word}{end}"})
    found.tests.append(lambda row: " ".join(words).casefold() in " ".join(str(row[name] or "").split()).casefold())


def _text(value: Any, entry: Field, name: str) -> str:
    kind = entry["type"]
    if kind == "boolean":
        if isinstance(value, bool) or str(value).lower() in ("true", "false"):
            return str(value).lower()
        raise ValidationError(f"{name} is yes or no in HubSpot; compare it with True or False, not {value!r}.")
    if kind in ("date", "datetime"):
        moment = _moment(value, name)
        if kind == "date":
            moment = datetime.combine(moment.astimezone(UTC).date(), clock.min, UTC)
        return milliseconds(moment, name)
    if isinstance(value, datetime | date):
        raise ValidationError(f"{name} is {entry['native_type']} in HubSpot and can't be compared with a time.")
    if kind in ("number", "integer"):
        try:
            float(value)
        except (TypeError, ValueError) as exc:
            raise ValidationError(f"{name} is a number in HubSpot and can't be compared with {value!r}.") from exc
    return str(value).strip().lower() if name == "email" else str(value)


def _moment(value: Any, name: str) -> datetime:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError as exc:
            raise ValidationError(f'"{value}" is no date for {name}; write it as 2026-11-21.') from exc
    if isinstance(value, datetime):
        milliseconds(value, name)
        return value
    if isinstance(value, date):
        return datetime.combine(value, clock.min, UTC)
    raise ValidationError(f"{name} is a time in HubSpot; compare it with a date, not {value!r}.")


def _day(value: Any) -> date | None:
    """The day, where the value is one without a time."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _whole_day(name: str, op: str, day: date) -> Filter:
    """A day compared with a time: the day is from its midnight (UTC) until the next."""
    start = datetime.combine(day, clock.min, UTC)
    if op == "=":
        return span(name, start, start + DAY)
    if op == "!=":
        raise ValidationError(f"{name} is a time; ask for what is before the day with <, or after it with >.")
    edge, operator = {
        "<": (start, "LT"),
        "<=": (start + DAY, "LT"),
        ">": (start + DAY, "GTE"),
        ">=": (start, "GTE"),
    }[op]
    return {"propertyName": name, "operator": operator, "value": milliseconds(edge, name)}


def test_of(name: str, entry: Field, op: str, value: Any) -> Callable[[Record], bool]:
    """One condition as a test of a row; like SQL, no value is neither equal nor different."""
    if op in ("=", "!=") and value is None:
        op = "is null" if op == "=" else "not null"
    if op == "is null":
        return lambda row: row[name] is None
    if op == "not null":
        return lambda row: row[name] is not None
    if op in ("in", "not in"):
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise ValidationError(f"{name}: {op} needs a list of values.")
        wanted = {_plain(one, entry, name) for one in value if one is not None}
        return lambda row: row[name] is not None and (_plain(row[name], entry, name) in wanted) == (op == "in")
    if op == "contains":
        piece = str(value).casefold()
        return lambda row: row[name] is not None and piece in str(row[name]).casefold()
    if op not in COMPARISONS:
        raise ValidationError(f'HubSpot can\'t compare with "{op}" here. Known are {KNOWN}.')
    right = _plain(value, entry, name)
    compare: Callable[[Any, Any], bool] = {
        "=": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }[op]
    return lambda row: row[name] is not None and bool(compare(_plain(row[name], entry, name), right))


def _plain(value: Any, entry: Field, name: str) -> Any:
    kind = entry["type"]
    if kind in ("date", "datetime"):
        return _moment(value, name)
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind in ("number", "integer"):
        return float(_text(value, entry, name))
    return str(value).casefold()

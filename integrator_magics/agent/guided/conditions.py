"""Phrases that choose among the records -> conditions on fields, or the possibilities to ask about."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .fields import Fields, match_field, readable
from .spoken import COUNTRIES
from .words import likeness, name_tokens, singular, tokens, word_set

__all__ = ["Filter", "Reading", "flags_called", "read_condition", "value_code"]


@dataclass(frozen=True)
class Filter:
    """One condition: `code` is the Python expression of the value, `words` say it to a person."""

    field: str
    op: str
    code: str
    words: str

    def line(self) -> str:
        """The tuple as Python."""
        return f"({json.dumps(self.field, ensure_ascii=False)}, {json.dumps(self.op)}, {self.code})"


@dataclass(frozen=True)
class Reading:
    """What a phrase can mean: one reading is sure, several must be asked, none was not understood.

    `without` names what must be absent (a field or an object beside it), `has` what must be there.
    """

    filters: tuple[tuple[Filter, ...], ...] = ()
    near: tuple[str, ...] = ()
    rest: str = ""
    notes: tuple[str, ...] = field(default=())

    ask: bool = False  # to be asked about even where there is one

    @property
    def sure(self) -> bool:
        """Exactly one way to read it."""
        return len(self.filters) == 1 and not self.ask


_OPS = (
    (
        r"(?:is |are |be )?(?:not|no longer) (?:equal to |equals )?|(?:is |are )?(?:other than|different from) |isn't |"
        r"aren't |!= ?|<> ?",
        "!=",
    ),
    (r"(?:is |are )?(?:at least|>=|no less than|not less than|of at least|from|minimum|min) ?", ">="),
    (r"(?:is |are )?(?:at most|<=|no more than|not more than|up to|maximum|max) ?", "<="),
    (
        r"(?:is |are )?(?:over|above|greater than|more than|larger than|bigger than|higher than|exceeding|exceeds|of "
        r"more than|more expensive than|> ?)",
        ">",
    ),
    (r"(?:is |are )?(?:under|below|less than|smaller than|lower than|fewer than|cheaper than|< ?)", "<"),
    (r"(?:contains?|containing|includes?|including|like|has) ", "contains"),
    (r"(?:is |are )?(?:one of|any of|either|in) ", "in"),
    (r"(?:is |are |was |were |equals? |equal to |= ?|== ?|: ?|set to |being )+", "="),
)
_EMPTY = re.compile(
    r"^(?P<field>.+?) (?:is|are|was) (?P<no>not )?(?:empty|null|missing|blank|unknown|not set|unset|not known|set|"
    r"filled(?: in)?|known|there|present|given|available)$",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"^(?:with|have|has|having) (?:an?|at least one|some|any|a valid|the|their|a known)? ?(?P<field>.+)$", re.IGNORECASE
)
_WITHOUT = re.compile(
    r"^(?:without|with no|lacking|missing|no|(?:do|does) not have|don't have|have no|has no) (?:an?|any|the|their)? "
    r"?(?P<field>.+)$",
    re.IGNORECASE,
)
_PLACE = re.compile(r"^(?:from|in|based in|located in|living in) (?:the )?(?P<value>.+)$", re.IGNORECASE)
_COUNTED = re.compile(r"^(?P<n>\d[\d.,]*[km]?) (?P<said>[A-Za-z].*)$")  # at least 10 visits
_BETWEEN = re.compile(
    r"^(?:with |an? |the )*(?P<said>.*?)\s*(?:is |are )?between (?P<low>\S+) and (?P<high>\S+)$", re.IGNORECASE
)
_NUMBER = re.compile(
    r"^[$€£]?\s?(?P<n>-?\d[\d,]*(?:\.\d+)?)\s?(?P<k>k|m|thousand|million)?(?:\s?(?:€|\$|£|%|eur|usd|gbp|euros?|"
    r"dollars?|pounds?))?$",
    re.IGNORECASE,
)
_TRUE = word_set("true yes on checked active set 1")
_FALSE = word_set("false no off unchecked inactive 0 not")
_NO_VALUE = word_set("starts start begins begin ends end with is are not contains like than before after matching")
_NEGATED = re.compile(r"^(?:not|non|un)[ -]?", re.IGNORECASE)


def read_condition(phrase: str, fields: Fields, obj: str = "") -> Reading:
    """The possible readings of one phrase, such as "status is Open", "without an email", "only converted"."""
    usable = readable(fields)
    text = re.sub(
        r"^(?:(?:in|of|with) the|the|their|its|but|and|that|which|who)\s+",
        "",
        phrase.strip(" .,;!?"),
        flags=re.IGNORECASE,
    )
    for reader in (_empty, _absent, _compared, _adjective, _present, _placed, _field_value):
        reading = reader(text, usable, obj)
        if reading and reading.filters:
            return reading
    near = match_field(re.sub(r"\b(?:is|are|not|only|with|without|an?|the)\b", " ", text), usable, obj)
    return Reading(near=near.names[:4], rest=text)


def _one(phrase: str, fields: Fields, obj: str) -> tuple[str, ...]:
    match = match_field(phrase, fields, obj)
    return match.names if match.sure or match.several else ()


def _empty(text: str, fields: Fields, obj: str) -> Reading | None:
    match = _EMPTY.match(text)
    if not match:
        return None
    word = text.rsplit(" ", 1)[-1].casefold()
    filled = word in ("set", "known", "there", "present", "given", "available", "filled", "in")
    if match["no"]:
        filled = not filled
    names = _one(match["field"], fields, obj)
    return _null_filters(names, fields, filled)


def _null_filters(names: tuple[str, ...], fields: Fields, filled: bool) -> Reading:
    op = "not null" if filled else "is null"
    said = "is filled in" if filled else "is empty"
    found = []
    for name in names:
        if fields[name].get("type") == "boolean":
            found.append((_boolean(name, fields, filled),))
        else:
            found.append((Filter(name, op, "None", f"{_label(name, fields)} {said}"),))
    return Reading(tuple(found))


def _absent(text: str, fields: Fields, obj: str) -> Reading | None:
    match = _WITHOUT.match(text)
    return _null_filters(_one(match["field"], fields, obj), fields, False) if match else None


def _present(text: str, fields: Fields, obj: str) -> Reading | None:
    match = _WITH.match(text)
    if not match:
        return None
    valued = _field_value(match["field"], fields, obj) or _compared(match["field"], fields, obj)
    if valued and valued.filters:
        return valued
    return _null_filters(_one(match["field"], fields, obj), fields, True)


def _compared(text: str, fields: Fields, obj: str) -> Reading | None:
    """ "amount over 10000", "status is not Closed", "country in Germany, France"."""
    found: list[tuple[Filter, ...]] = []
    if span := _BETWEEN.match(text):
        names = _one(span["said"], fields, obj) if span["said"] else _numbers(fields)
        for name in names:
            low, high = (_condition(name, op, span[part], fields) for op, part in ((">=", "low"), ("<=", "high")))
            if low and high:
                found.append((*low, *high))
        return Reading(tuple(found))
    for pattern, op in _OPS:
        for match in re.finditer(rf"(?:^|(?<=\s)|(?<=\w))(?:{pattern})\s*(?=\S)", text, re.IGNORECASE):
            if match.start() and text[match.start() - 1].isalnum() and match[0][0].isalpha():
                continue
            said, value = text[: match.start()].strip(), text[match.end() :].strip(" \"'“”")
            said = re.sub(r"^(?:with|whose|where|only|an?|the|their|have|has)\s+", "", said, flags=re.IGNORECASE)
            if not value:
                continue
            if not said and (counted := _COUNTED.match(value)):
                said, value = counted["said"], counted["n"]
            names = _one(said, fields, obj) if said else ()
            if not names and not said and op in (">", ">=", "<", "<=") and _NUMBER.match(value):
                names = _numbers(fields)
            for name in names:
                if op in ("=", "!=") and _unknown_choice(value, fields[name]):
                    found += [(_chosen(name, [str(choice)], fields),) for choice in fields[name]["choices"][:5]]
                    return Reading(tuple(found), ask=True)
                condition = _condition(name, op, value, fields)
                if condition and condition not in found:
                    found.append(condition)
            if found:
                return Reading(tuple(found))
    return Reading(tuple(found)) if found else None


def _numbers(fields: Fields) -> tuple[str, ...]:
    """Fields that hold amounts, where a comparison names none."""
    money = [
        name
        for name, field in fields.items()
        if field.get("type") in ("number", "integer")
        and not field.get("primary_key")
        and not field.get("references")
        and name_tokens(name)[-1] not in ("id", "latitude", "longitude", "year", "month", "quarter", "version")
    ]
    named = [name for name in money if likeness("amount", name, str(fields[name].get("label") or "")) >= 0.9]
    totals = [name for name in money if {"amount", "total", "price", "revenue"} & set(name_tokens(name))]
    return tuple(named[:1] or totals[:4] or money[:4])


def _condition(name: str, op: str, value: str, fields: Fields) -> tuple[Filter, ...] | None:
    entry = fields[name]
    label = _label(name, fields)
    kind = entry.get("type")
    if op == "in" or (op == "=" and kind not in ("number", "integer") and re.search(r",| or ", value)):
        parts = [
            part.strip(" \"'")
            for part in re.split(r",|\bor\b|\band\b", re.sub(r"[\[\]()]", "", value))
            if part.strip(" \"'")
        ]
        codes = [value_code(part, entry) for part in parts]
        if len(codes) > 1 and all(codes):
            return (Filter(name, "in", f"[{', '.join(map(str, codes))}]", f"{label} is {' or '.join(parts)}"),)
        op = "="
    if op == "contains":
        return (
            (Filter(name, "contains", _text(value), f"{label} contains {value}"),)
            if kind in ("text", "reference")
            else None
        )
    if kind == "boolean":
        said = _truth(value)
        return None if said is None else (_boolean(name, fields, said if op == "=" else not said),)
    several = _choices(value, entry) if op in ("=", "!=") else []
    if several and not _choice(value, entry):
        if op == "=":
            return (_chosen(name, several, fields),)
        if len(several) > 1:
            listed = f"[{', '.join(map(_text, several))}]"
            return (Filter(name, "not in", listed, f"{label} is not {' or '.join(several)}"),)
        value = several[0]
    code = value_code(value, entry)
    if code is None:
        return None
    words = {"=": "is", "!=": "is not", ">": "is over", ">=": "is at least", "<": "is under", "<=": "is at most"}[op]
    return (Filter(name, op, code, f"{label} {words} {json.loads(code) if code[:1] == chr(34) else value}"),)


def value_code(value: str, entry: Mapping[str, Any]) -> str | None:
    """A value as Python for a field of this type; the spelling of a choice wins. None where it does not fit."""
    value = value.strip(" \"'")
    kind = entry.get("type")
    if kind in ("number", "integer"):
        match = _NUMBER.match(value)
        if not match:
            return None
        number = float(match["n"].replace(",", "")) * {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6}.get(
            (match["k"] or "").casefold(), 1
        )
        return str(int(number)) if number == int(number) else repr(number)
    if kind == "boolean":
        said = _truth(value)
        return None if said is None else str(said)
    if kind in ("date", "datetime"):
        match = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", value)
        if not match:
            return None
        year, month, day = map(int, match.groups())
        return f"date({year}, {month}, {day})" if kind == "date" else f"datetime({year}, {month}, {day}, tzinfo=UTC)"
    choice = _choice(value, entry)
    return _text(choice or value)


def _text(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"'{value}'" if '"' in value and "'" not in value and "\\" not in value and value.isprintable() else text


def _choice(value: str, entry: Mapping[str, Any]) -> str:
    """The choice that a value names, in its own spelling."""
    wanted = [singular(word) for word in tokens(value)]
    for choice in entry.get("choices") or ():
        if [singular(word) for word in tokens(str(choice))] == wanted:
            return str(choice)
    return ""


def _unknown_choice(value: str, entry: Mapping[str, Any]) -> bool:
    """A value that is none of the choices there are; a list of values is looked at one by one."""
    parts = re.split(r",|\bor\b", value)
    return bool(entry.get("choices")) and not any(_choices(part, entry) for part in parts if part.strip())


def _choices(value: str, entry: Mapping[str, Any]) -> list[str]:
    """The choices that a value names, or that start with it: open -> Open - Not Contacted."""
    if exact := _choice(value, entry):
        return [exact]
    wanted = tokens(value)
    known = [str(choice) for choice in entry.get("choices") or ()]
    starting = [choice for choice in known if wanted and tokens(choice)[: len(wanted)] == wanted]
    return starting or [choice for choice in known if wanted and tokens(choice)[-len(wanted) :] == wanted]


def _truth(value: str) -> bool | None:
    words = set(tokens(value))
    if words & _FALSE:
        return False
    return True if words & _TRUE else None


def _boolean(name: str, fields: Fields, value: bool) -> Filter:
    label = _label(name, fields)
    return Filter(name, "=", str(value), f"{label} is {'true' if value else 'false'}")


def _label(name: str, fields: Fields) -> str:
    return str(fields[name].get("label") or " ".join(name_tokens(name)))


def _adjective(text: str, fields: Fields, obj: str) -> Reading | None:
    """ "converted", "not converted", "open": a yes/no field of that name, or a choice."""
    word = re.sub(r"^(?:only|just|all|the|that are|who are)\s+", "", text, flags=re.IGNORECASE).strip()
    words = tokens(word)
    if not words or len(words) > 4:
        return None
    value = True
    bare = word
    if words[0] in ("not", "non") or (words[0].startswith("un") and len(words[0]) > 5):
        bare = _NEGATED.sub("", word)
        value = False
    flags = flags_called(bare, fields, obj)
    if flags:
        return Reading(tuple((_boolean(name, fields, value),) for name in flags))
    found: list[tuple[Filter, ...]] = []
    for said, op in ((word, "="), (bare, "!=")) if not value else ((word, "="),):
        for name, entry in fields.items():
            if choice := _choice(said, entry):
                verb = "is" if op == "=" else "is not"
                found.append((Filter(name, op, _text(choice), f"{_label(name, fields)} {verb} {choice}"),))
        if found:
            return Reading(tuple(found))
    opposite = {
        "open": "closed",
        "inactive": "active",
        "unpaid": "paid",
        "incomplete": "complete",
        "disabled": "enabled",
        "lost": "won",
    }
    other = opposite.get(word.casefold())
    if other:
        flags = flags_called(other, fields, obj)
        if flags:
            closed = flags_called("closed", fields, obj) if word.casefold() == "lost" else []
            extra = tuple(_boolean(name, fields, True) for name in closed)
            return Reading(tuple((_boolean(name, fields, False), *extra) for name in flags))
        if dates := _dated(other, fields, obj):
            return _null_filters(dates, fields, False)
    if not any(_choices(word, entry) for entry in fields.values()) and (dates := _dated(bare, fields, obj)):
        return _null_filters(dates, fields, value)
    by_field = {name: _choices(word, entry) for name, entry in fields.items() if entry.get("choices")}
    return Reading(tuple((_chosen(name, choices, fields),) for name, choices in by_field.items() if choices))


def _dated(word: str, fields: Fields, obj: str) -> tuple[str, ...]:
    """The date that tells when something got so: closed_date for "closed"."""
    around = {singular(part) for part in name_tokens(obj)} | {"date", "at", "on", "time"}
    found = [
        name
        for name, entry in fields.items()
        if entry.get("type") in ("date", "datetime")
        and word.endswith("ed")
        and [part for part in name_tokens(name) if part not in around] == tokens(word)
    ]
    return tuple(found) if len(found) == 1 else ()


def flags_called(word: str, fields: Fields, obj: str = "") -> list[str]:
    """Yes/no fields of that name or label; else the one whose last word it is: won -> Is Closed Won."""
    wanted = [singular(part) for part in tokens(word)]
    around = {singular(part) for part in name_tokens(obj)}
    said = {
        name: (_flag_words(name_tokens(name), around), _flag_words(tokens(str(entry.get("label") or "")), around))
        for name, entry in fields.items()
        if entry.get("type") == "boolean"
    }
    exact = [name for name, ways in said.items() if wanted in ways]
    ending = [name for name, ways in said.items() if any(way[-len(wanted) :] == wanted for way in ways)]
    return exact or (ending if len(ending) == 1 else [])


def _chosen(name: str, choices: list[str], fields: Fields) -> Filter:
    if len(choices) == 1:
        return Filter(name, "=", _text(choices[0]), f"{_label(name, fields)} is {choices[0]}")
    return Filter(
        name, "in", f"[{', '.join(map(_text, choices))}]", f"{_label(name, fields)} is {' or '.join(choices)}"
    )


def _flag_words(words: list[str], around: set[str]) -> list[str]:
    """Without "is" and "has" and the name of the object."""
    ones = [singular(word) for word in words]
    slim = [word for word in ones if word not in around and word not in ("is", "has", "was", "ha", "wa", "hs")]
    return slim or ones


def _placed(text: str, fields: Fields, obj: str) -> Reading | None:
    """ "in Germany": a place, where the object has fields for places."""
    match = _PLACE.match(text)
    if not match:
        return None
    value = re.sub(r"\b(?:from|in) ", "", match["value"].strip())
    places = [part for part in re.split(r",\s*|\s*\b(?:and|or)\b\s*", value) if part]
    chosen = [(name, _choice(value, entry)) for name, entry in fields.items() if _choice(value, entry)]
    if chosen:
        return Reading(
            tuple((Filter(name, "=", _text(choice), f"{_label(name, fields)} is {choice}"),) for name, choice in chosen)
        )
    listed = {name: [_choice(place, entry) for place in places] for name, entry in fields.items()}
    if several := [name for name, found in listed.items() if places and all(found)]:
        return Reading(tuple((_chosen(name, listed[name], fields),) for name in several))
    names: list[str] = []
    for word in ("country", "city", "state", "region"):
        names += [
            name
            for name, entry in fields.items()
            if entry.get("type") == "text"
            and word in (said := {*name_tokens(name), *tokens(str(entry.get("label") or ""))})
            and "code" not in said
            and not entry.get("choices")
            and name not in names
        ]
        if names and word == "country" and all(place.casefold() in COUNTRIES for place in places):
            break
    names.sort(key=lambda name: "other" in name_tokens(name))
    return Reading(tuple((_chosen(name, places, fields),) for name in names[:4]))


def _field_value(text: str, fields: Fields, obj: str) -> Reading | None:
    """ "status Open", "country Germany", "Open status": a field and a value side by side."""
    words = text.split()
    if len(words) < 2:
        return None
    for cut in range(len(words) - 1, 0, -1):
        for said, value in (
            (" ".join(words[:cut]), " ".join(words[cut:])),
            (" ".join(words[cut:]), " ".join(words[:cut])),
        ):
            match = match_field(said, fields, obj)
            if not match.sure or len(match.names) != 1 or set(tokens(value)) & _NO_VALUE:
                continue
            entry = fields[match.names[0]]
            if entry.get("choices") and not _choices(value, entry):
                continue
            if likeness(text, match.names[0], str(entry.get("label") or ""), obj) >= 0.94:
                continue
            condition = _condition(match.names[0], "=", value, fields)
            is_value = entry.get("choices") or value[:1].isupper() or value[:1].isdigit() or value[:1] in "\"'"
            if condition and (is_value or (cut == 1 and said == words[0])):
                return Reading((condition,), ask=not is_value)
    return None

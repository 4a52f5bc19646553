"""English words as data: tokens, singular and plural, names of fields as words, likeness of two phrases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import lru_cache

__all__ = [
    "best",
    "holds",
    "likeness",
    "name_tokens",
    "plural",
    "singular",
    "slug",
    "snake",
    "split_list",
    "tokens",
    "word_set",
]


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables of words."""
    return frozenset(text.split())


_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "indices": "index",
    "statuses": "status",
    "addresses": "address",
    "businesses": "business",
    "opportunities": "opportunity",
    "data": "data",
    "news": "news",
    "series": "series",
    "status": "status",
    "address": "address",
    "business": "business",
    "process": "process",
    "canvas": "canvas",
    "bus": "bus",
    "campus": "campus",
    "bonus": "bonus",
    "sales": "sales",
    "dishes": "dish",
    "lens": "lens",
    "basis": "basis",
    "analysis": "analysis",
}

# Words that mean the same in business systems; each word stands for the first of its group.
_GROUPS = (
    ("phone", "telephone", "tel", "telefone", "fon"),
    ("mobile", "cell", "cellphone", "cellular", "handy"),
    ("email", "mail", "emailaddress", "emails"),
    ("company", "organisation", "organization", "organisations", "firm", "employer"),
    ("postalcode", "zip", "zipcode", "postcode", "plz"),
    ("state", "province"),
    ("city", "town"),
    ("website", "url", "homepage", "webpage", "web"),
    ("description", "notes", "note", "comment", "remarks", "remark", "comments"),
    ("created", "creation", "added", "inserted", "entered", "registered", "create"),
    ("updated", "modified", "changed", "edited", "update", "modification", "touched"),
    ("amount", "value", "sum", "worth"),
    ("revenue", "turnover"),
    ("number", "no", "nr", "num", "count"),
    ("quantity", "qty"),
    ("birthday", "birthdate", "dob"),
    ("first", "given", "forename"),
    ("last", "family", "surname"),
    ("status", "stage"),
    ("source", "origin"),
    ("owner", "responsible", "assignee", "rep"),
    ("employees", "headcount", "staff"),
    ("fax", "telefax"),
    ("closed", "close", "closing"),
    ("ordered", "order", "placed"),
    ("starts", "start", "started", "begin", "begins", "began", "beginning"),
    ("ends", "end", "ended", "finish", "finished"),
    ("due", "deadline"),
    ("position", "role"),
    ("category", "type", "kind"),
    ("price", "cost"),
    ("currency", "currencyiso"),
    ("sku", "article"),
)
_CANON = {word: group[0] for group in _GROUPS for word in group}
# Words that carry no meaning inside the name of a field.
_FILLER = word_set(
    "the a an of their its his her our your my all each every any some them they it is are was s please too also "
    "field fields column columns c"
)
_WHEN = word_set("at on date time datetime timestamp ts dt day")  # created_at, createdOn, Created Date
_WEAK = word_set("name date time id code at on by number address is has flag")


# Pairs of words for which systems have one.
_PHRASES = {
    "job title": "title",
    "date of birth": "birthday",
    "birth date": "birthday",
    "zip code": "zip",
    "postal code": "zip",
    "post code": "zip",
    "cell phone": "mobile phone",
    "web site": "website",
    "web page": "website",
    "e mail": "email",
    "mail address": "email",
    "email address": "email",
}


def _spoken(words: list[str]) -> list[str]:
    text = " ".join(words)
    for phrase, word in _PHRASES.items():
        text = re.sub(rf"\b{phrase}s?\b", word, text)
    return text.split()


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers of a phrase; "e-mail" is one word."""
    text = text.replace("’", "'").casefold()
    text = re.sub(r"\be[- ]mails?\b", "email", text)
    text = re.sub(r"'s\b", "", text)
    return re.findall(r"[^\W_]+", text)


def name_tokens(name: str) -> list[str]:
    """Words of a technical name: LeadSource, lead_source, Lead_Source__c -> lead, source."""
    name = re.sub(r"__(c|r|pc|x)$", "", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", name)
    return tokens(name.replace("_", " ").replace(".", " "))


def singular(word: str) -> str:
    """One of it: leads -> lead, companies -> company."""
    lower = word.casefold()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if len(lower) < 4 or not lower.endswith("s") or lower.endswith(("ss", "us", "is")):
        return lower
    if lower.endswith("ies") and len(lower) > 4:
        return lower[:-3] + "y"
    if lower.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return lower[:-2]
    return lower[:-1]


def plural(word: str) -> str:
    """Several of it, keeping the case of the rest: Lead -> Leads, Opportunity -> Opportunities."""
    lower = word.casefold()
    for many, one in _IRREGULAR.items():
        if one == lower and many != one:
            return many if word.islower() else many.capitalize()
    if singular(lower) != lower:
        return word
    if lower in ("data", "news", "series", "staff", "inventory", "stock", "sales"):
        return word if lower != "inventory" else word[:-1] + "ies"
    if lower.endswith("y") and len(lower) > 1 and lower[-2] not in "aeiou":
        return word[:-1] + "ies"
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def snake(name: str) -> str:
    """A column or file name: LeadSource -> lead_source; never empty, never starting with a digit."""
    text = "_".join(name_tokens(name)) or "value"
    text = re.sub(r"[^a-z0-9_]", "", _ascii(text)) or "value"
    return f"n_{text}" if text[0].isdigit() else text


def slug(text: str, length: int = 40) -> str:
    """A short key made of letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", _ascii(text.casefold())).strip("_")[:length].strip("_") or "x"


def _ascii(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def split_list(text: str) -> list[str]:
    """The entries of "name, email and phone"; commas in brackets do not split."""
    parts = re.split(r"\s*(?:,|;|\n|•|&|\+|\bas well as\b|\band also\b|\balong with\b|\bplus\b|\band\b|\s/\s)\s*", text)
    cleaned = (re.sub(r"^(?:[-*]|\d+[.)])\s+", "", part.strip(' .!?\t"“”')) for part in parts)
    return [part for part in cleaned if part]


def _canon(words: Iterable[str]) -> list[str]:
    found = []
    for word in _spoken(list(words)):
        if word in _FILLER:
            continue
        one = singular(word)
        found.append(_CANON.get(word, _CANON.get(one, one)))
    if len(found) > 1 and found[-1] in _WHEN:
        found[-1] = "date"
    return found


def _weight(word: str) -> float:
    return 0.45 if word in _WEAK else 1.0


@lru_cache(maxsize=50_000)
def likeness(said: str, name: str, label: str = "", obj: str = "") -> float:
    """How well a phrase fits a field or an object, 0 to 1; 1 is the very name or label.

    `obj` is the object the field belongs to: "lead source" and "source" mean the same field of Lead.
    """
    wanted = _canon(tokens(said))
    if not wanted:
        return 0.0
    around = set(_canon(name_tokens(obj))) if obj else set()
    scores = []
    for candidate, penalty in ((name_tokens(name), 0.0), (tokens(label), 0.0)):
        offered = _canon(candidate)
        if offered:
            scores.append(_score(wanted, offered, around) - penalty)
    raw = "".join(tokens(said))
    if raw and raw in ("".join(name_tokens(name)), "".join(tokens(label))):
        scores.append(1.0)
    return max(scores, default=0.0)


def _score(wanted: list[str], offered: list[str], around: set[str]) -> float:
    if wanted == offered or "".join(wanted) == "".join(offered):
        return 1.0
    slim = [word for word in wanted if word not in around] or wanted
    lean = [word for word in offered if word not in around] or offered
    if slim == lean or "".join(slim) == "".join(lean):
        return 0.95
    matched_wanted = sum(_weight(word) * _closest(word, lean) for word in slim)
    matched_offered = sum(_weight(word) * _closest(word, slim) for word in lean)
    recall = matched_wanted / sum(map(_weight, slim))
    precision = matched_offered / sum(map(_weight, lean))
    if recall + precision == 0:
        return 0.0
    return 0.93 * (2 * recall * precision / (recall + precision))


def _closest(word: str, others: list[str]) -> float:
    best_ratio = 0.0
    for other in others:
        if word == other:
            return 1.0
        if min(len(word), len(other)) >= 4:
            ratio = SequenceMatcher(None, word, other).ratio()
            if word[0] == other[0] and (word.startswith(other) or other.startswith(word)):
                ratio = max(ratio, 0.85)
            best_ratio = max(best_ratio, ratio)
    return best_ratio if best_ratio >= 0.8 else 0.0


@lru_cache(maxsize=50_000)
def holds(said: str, name: str, label: str = "") -> bool:
    """Whether all words of a phrase are among those of a name or its label."""
    wanted = set(_canon(tokens(said)))
    return bool(wanted) and (wanted <= set(_canon(name_tokens(name))) or wanted <= set(_canon(tokens(label))))


def best(said: str, candidates: Mapping[str, str], *, obj: str = "", cutoff: float = 0.0) -> list[tuple[float, str]]:
    """Names by how well they fit, best first. `candidates` is name -> label."""
    scored = [(likeness(said, name, label, obj), name) for name, label in candidates.items()]
    order = {name: place for place, name in enumerate(candidates)}
    return sorted([entry for entry in scored if entry[0] > cutoff], key=lambda entry: (-entry[0], order[entry[1]]))

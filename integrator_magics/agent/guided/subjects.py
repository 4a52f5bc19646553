"""The object a sentence is about, the words around it, and what is left over."""

from __future__ import annotations

import re
from difflib import get_close_matches

from .lexicon import Lexicon
from .outputs import CUT
from .spoken import DETERMINERS, NOT_SUBJECTS, POLITE, SMALL, VERBS
from .words import singular, split_list, tokens, word_set

__all__ = ["clean", "find_others", "find_subject", "is_phrase", "is_typo", "leftover", "object_in", "until_mark"]

_KNOWN = frozenset(re.split(r"[| ]", f"{VERBS}|{POLITE}")) | DETERMINERS | NOT_SUBJECTS | SMALL
_JOBS = word_set(
    "sync synchronization synchronisation copy export import dump backup list report feed extract replication transfer "
    "load job pipeline snapshot mirror overview integration update refresh script"
)
_STRIP = re.compile(rf"^(?:\W*\b(?:{POLITE}|(?:{VERBS})(?:e?s)?)\b(?!_))+\W*", re.IGNORECASE)
_LIST_OF = re.compile(
    r"^(?P<list>.+?)\s+(?:of|for|from)\s+(?:(?:all|each|every|the|our|my|these|those|any|of)\s+)*(?P<subject>[^,]+)$",
    re.IGNORECASE,
)


def is_phrase(phrase: str) -> bool:
    words = tokens(phrase)
    return bool(words) and len(words) <= 8 and not set(words) <= (DETERMINERS | NOT_SUBJECTS)


def clean(phrase: str) -> str:
    phrase = re.sub(rf"{CUT}", " ", phrase)
    phrase = re.sub(
        r"^(?:(?:the|their|its|his|her|a|an|also|and|only|just|please|my|our|i want|i need|it|as|fields?|"
        r"columns?)\s+)+", "", phrase.strip(" .,;:!?\"'`"),
        flags=re.IGNORECASE,
    )  # fmt: skip
    return re.sub(r"\s+(?:please|too|as well|only|fields?|columns?)$", "", phrase, flags=re.IGNORECASE).strip()


def object_in(phrase: str, lexicon: Lexicon) -> str:
    """The words of the first object that a phrase names; of "company contacts" the contacts."""
    words = tokens(phrase)
    ones = [singular(word) for word in words]
    found: dict[int, int] = {}
    for wanted in lexicon.object_words():
        for place in range(len(ones) - len(wanted) + 1):
            if tuple(ones[place : place + len(wanted)]) == wanted:
                found.setdefault(place, place + len(wanted))
    if not found:
        return ""
    start = min(found)
    while found[start] in found:
        start = found[start]
    return " ".join(words[start : found[start]])


def is_typo(word: str, lexicon: Lexicon) -> bool:
    """Whether a word nearly is what people call an object."""
    one = singular(word.casefold())
    if len(one) < 5 or one in _KNOWN:
        return False
    ones = sorted({words[0] for words in lexicon.object_words() if len(words) == 1 and len(words[0]) >= 5})
    return bool(get_close_matches(one, ones, 1, 0.85))


def find_others(head: str, subject: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Further objects in a list with the first: "leads, contacts and accounts"."""
    if not subject:
        return ()
    match = re.search(
        rf"\b{re.escape(subject)}\b(?P<list>(?:(?:,| and|, and| as well as| &| plus) [\w ]+)+)", head, re.IGNORECASE
    )
    found = [object_in(part, lexicon) for part in split_list(match["list"])] if match else []
    return tuple(dict.fromkeys(said for said in found if said and said != subject))


def find_subject(head: str, lexicon: Lexicon) -> tuple[str, list[str], list[str]]:
    """The object's words, adjectives before it, and fields listed before an "of"."""
    text = _STRIP.sub("", re.sub(r"\s+", " ", head).strip(f" {CUT}"))
    if match := _LIST_OF.match(until_mark(text)[0].strip()):
        listed = [clean(entry) for entry in split_list(match["list"]) if is_phrase(entry) and not _is_job(entry)]
        if not listed and _is_job(match["list"]):
            return find_subject(match["subject"], lexicon)
        if listed and not object_in(match["list"], lexicon):
            subject, adjectives, _ = find_subject(match["subject"], lexicon)
            return subject, adjectives, listed
        if listed and object_in(match["subject"], lexicon) and ("," in match["list"] or " and " in match["list"]):
            subject, adjectives, _ = find_subject(match["subject"], lexicon)
            return subject, adjectives, listed
    for piece in re.split(rf"[{CUT},.;!?\n]", text):
        piece = _STRIP.sub("", piece.strip())
        said = object_in(piece, lexicon)
        if said:
            before = tokens(piece)
            first = tokens(said)[0]
            adjectives = [word for word in before[: before.index(first)] if not word.isdigit()]
            return said, [word for word in adjectives if word not in _KNOWN and singular(word) not in _KNOWN], []
    for word in re.findall(r"[A-Za-z]{5,}", text):
        if is_typo(word, lexicon):
            return word, [], []
    for piece in re.split(rf"[{CUT},.;!?\n]", text):
        piece = _STRIP.sub("", piece.strip())
        piece = re.split(r"\s(?:with|where|that|who|which|in|for|by|on|as|from|so|because|into|to|and)\s", f"{piece} ")[
            0
        ]
        words = [word for word in re.findall(r"[\w.]+", piece) if word.casefold() not in DETERMINERS]
        if words and not all(word.casefold() in NOT_SUBJECTS or word.isdigit() for word in words):
            return " ".join(words), [], []
    return "", [], []


def _is_job(phrase: str) -> bool:
    """ "weekly sync", "full export": what is to be done, no field."""
    words = tokens(phrase)
    return bool(words) and words[-1] in _JOBS


def until_mark(text: str) -> tuple[str, str]:
    """What stands before the next mark or the end of the sentence, and the rest; a list may go on after a mark."""
    match = re.search(rf"{CUT}|[.!?](?:\s|$)|;", text)
    if not match:
        return text, ""
    return text[: match.start()], text[match.end() :]


_PREPOSITION = re.compile(
    r"(?:\b(?:in|from|of|for|by|on|with|at|as|about)\s+(?:(?:the|a|an|our|their)\s+)*)$", re.IGNORECASE
)


def leftover(head: str, used: list[str]) -> tuple[str, ...]:
    """Words that nothing took, as phrases with the preposition before them: "in the banking industry"."""
    taken = {singular(word) for phrase in used for word in tokens(phrase)}
    found = []
    for piece in re.split(rf"[{CUT},.;:!?\n()]", head):
        spans = [
            match.span()
            for match in re.finditer(r"[\w'-]+", piece)
            if any(word not in _KNOWN and singular(word) not in _KNOWN | taken for word in tokens(match[0]))
        ]
        if spans:
            begin, end = spans[0][0], spans[-1][1]
            lead = _PREPOSITION.search(piece[:begin])
            found.append(piece[lead.start() if lead else begin : end].strip())
    return tuple(found)

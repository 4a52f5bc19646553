"""A sentence -> a Request. Knows English and what the lexicon says about systems and objects, nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from ...policy import asks_for_delete
from .lexicon import ANY_SQL, Lexicon, Mention
from .outputs import CUT, Text, take_files, take_key, take_limit, take_table
from .questions import read_question
from .request import Kind, Request
from .schedules import find_schedule
from .spoken import COUNTRIES, DETERMINERS, NOT_SUBJECTS, POLITE, VERBS
from .windows import find_window
from .words import singular, split_list, tokens, word_set

__all__ = ["condition_phrases", "contents_of", "is_delete", "is_help", "parse"]

_DELETE = re.compile(
    r"^(?:\W*(?:please|can you|could you|now|and|then|i want to|i need to|we need to|i want you to|let's|just|go "
    r"and)\W+)*"
    r"(?P<verb>delete|remove|erase|purge|truncate|drop|wipe|clean out|clear out|get rid of|destroy|archive|void)\b"
    r"(?P<what>.*)",
    re.IGNORECASE | re.DOTALL,
)
_PARTS = re.compile(
    r"\b(?:columns?|fields?|schedules?|filters?|conditions?|limits?|scripts?|from (?:it|the script|the list|the "
    r"sync))\b",
    re.IGNORECASE,
)
_RECORDS = re.compile(
    r"\b(?:records?|rows?|entries|data|everything|all|every|each|old|duplicates|tables?)\b", re.IGNORECASE
)
_HELP = re.compile(
    r"^\W*(?:help|hi|hello|hey|good (?:morning|afternoon|evening)|what (?:can|could) (?:you|i|we) do.*|who are you.*|"
    r"how does this work.*|"
    r"what is this.*|what do you (?:do|know|understand).*|which systems.*|what systems.*|thanks?.*|thank you.*|"
    r"test)\W*$",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"(?:\bfrom|\bout of|\boff|\bin our|\bin my|\bwithin|\binside|\bof our|\bof|\bsource(?: is|:)|\bexisting in|\bread)"
    r"(?: our| the| my)?\s*$",
    re.IGNORECASE,
)
_TARGET = re.compile(
    r"(?:\bin ?to|\bonto|\bto|\btowards?|->|→|=>|-->|\btarget(?: is|:)|\bupdate|\bfeed|\bfill|\bpopulate|\benrich|"
    r"\bover to)"
    r"(?: our| the| my)?\s*$",
    re.IGNORECASE,
)
_IN = re.compile(r"\b(?:in|on|with|and|&|by)(?: our| the| my)?\s*$", re.IGNORECASE)
_ARROW = re.compile(r"^\s*(?:->|→|=>|-->)")
_PUT = re.compile(
    r"\b(?:put|store|save|write|load|land|insert|keep|create|upsert|update|have|dump|make|mirror|replicate)\b[^.]*$",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?P<prep>from|in ?to|to|in) (?:our |the |my )?(?P<name>[A-Z][A-Za-z0-9]{2,}(?:[ -][A-Z][A-Za-z0-9]+)?)(?!\w)"
)
_WITH = re.compile(
    r"(?:,?\s*\b(?:with|including|include|includes|incl\.?|containing|together with|along with|showing|plus|having)\b"
    r"(?: (?:the|their|its|all|these|following))*(?: (?:columns?|fields?|attributes?|properties))?(?: of)?:?\s+)",
    re.IGNORECASE,
)
_FIELDS = re.compile(
    r"(?:,|;|\.|\band\b|-|–)?\s*\b(?:i (?:only |just )?(?:want|need)|we (?:only |just )?(?:want|need)|only|just|"
    r"fields?|columns?|attributes|"
    r"properties|with only|with just|namely|i\.e\.|take|keep|use)\b(?: (?:the|their|its|these|following|only|just))*"
    r"(?: (?:columns?|fields?|attributes?|properties))?(?: are)?:?\s+",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r",?\s*\b(?:where|whose|when|if|provided that|as long as|(?:that|which|who) (?:have|has|are|is|do|does)|having|but "
    r"only|but only those|only those|only the ones|limited to those)\b\s+",
    re.IGNORECASE,
)
_WITHOUT = re.compile(
    r",?\s*\b(?P<whole>(?:without|with no|lacking|missing) (?:an? |any |the |their )?[^,.;§]+?)(?=[,.;§]|$|\s(?:and|"
    r"from|to|into|in)\s)",
    re.IGNORECASE,
)
_HAS = re.compile(
    r",?\s*\b(?P<whole>with (?:an?|at least one|a valid|a known|some) [^,.;§]+?)(?=[,.;§]|$|\s(?:and|from|to|into|"
    r"in)\s)",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"(?:,|;|\.|-|–|\bbut\b|\band\b)*\s*\b(?:only|just)(?: the| those| our)?\s+(?P<what>[^,.;§:]+?)\s+"
    r"(?P<noun>ones|one|records|rows|entries|people|{nouns})\b(?=\s*(?:[,.;§]|$|please))",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r",?\s*\b(?P<whole>(?:from|in|based in|located in) (?:the )?[A-Z][\w]*(?: [A-Z][\w]*)*)(?=[\s,.;§]|$)"
)
_COMPARE = re.compile(
    r"\b(?P<op>over|above|under|below|greater than|more than|less than|at least|at most|of at least|of more than|"
    r"larger than|bigger than|smaller than|higher than|lower than|exceeding)\s+"
    r"[$€£]?\d[\d.,]*\d?(?:k|m)?(?:\s?(?:€|\$|£|eur|usd|euros?|dollars?))?(?![\w%])"
    r"|\bbetween\s+[$€£]?\d[\d.,]*(?:k|m)?\s+and\s+[$€£]?\d[\d.,]*\d?(?:k|m)?(?![\w%])"
    r"|(?:>=|<=|!=|>|<|=)\s?[$€£]?\d[\d.,]*(?:k|m)?(?!\w)",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(
    r",?\s*(?:\bwith )?\b(?:everything(?: (?:you (?:can )?(?:find|have|get)|there is))?|(?:all|every|any) (?:of "
    r")?(?:the |their |its )?(?:available |possible |other )?"
    r"(?:fields?|columns?|attributes?|propert(?:y|ies)|data fields|details|information|data)|complete records|full "
    r"records|whole records)\b"
    r"(?: (?:of|about|on)\b)?",
    re.IGNORECASE,
)


_SHOW = re.compile(
    r"^\W*(?:(?:please|can you|could you|i want to|i'd like to|let me|hi|hello|now|ok)\W+)*"
    r"(?:show|display|list|see|look at|look up|find|print|preview|what are|which are|who are|tell me)\b",
    re.IGNORECASE,
)
_STOPS = word_set("with whose where having and or of for from to into that which who are is in the a an only all")


def is_delete(text: str, lexicon: Lexicon | None = None, *, has_script: bool = False) -> bool:
    """True when a sentence asks to delete records, not to leave out a column, a condition or a schedule.

    With a script at hand, "drop the email" speaks of its columns.
    """
    match = _DELETE.match(text.strip())
    if match and _PARTS.search(match["what"]):
        return False
    if asks_for_delete(text) or (match and not has_script):
        return True
    if not match:
        return False
    speaks_of_records = _RECORDS.search(match["what"]) or (lexicon and _object_in(match["what"], lexicon))
    return bool(speaks_of_records) or match["verb"].casefold() in ("erase", "purge", "truncate", "wipe", "destroy")


def is_help(text: str) -> bool:
    """True when a sentence asks what this can do, or only greets."""
    return bool(_HELP.match(text.strip()))


def parse(text: str, lexicon: Lexicon, today: date) -> Request:
    """What a sentence asks for. `today` is the day it was written."""
    request = Request(text=text)
    if is_help(text):
        return replace(request, kind="help")
    kind: Kind = "delete" if is_delete(text) else "copy"
    work = Text(re.sub(r"[ \t]+", " ", text.strip().replace("’", "'")))
    schedule = find_schedule(work.rest)
    if schedule:
        work.cut(*schedule.span)
    window = find_window(work.rest, today)
    if window:
        work.cut(*window.span)
    key = take_key(work)
    files = take_files(work)
    table, source_table = take_table(work)
    target_subject = _target_subject(work, lexicon)
    source, target = _systems(work, lexicon)
    limit, order, ascending = take_limit(work)
    unknown, role = _unknown(work, lexicon, source, target)
    if table and not target and not unknown:
        target = ANY_SQL
    request = replace(
        request,
        kind=kind,
        schedule=schedule,
        window=window,
        key=key,
        table=table,
        target_subject=target_subject,
        source_table=source_table,
        files=files,
        source=source,
        target=target,
        unknown_system=unknown,
        unknown_role=role,
        limit=limit,
        order=order,
        ascending=ascending,
    )
    if kind == "copy":
        asked = read_question(work.rest, request, lexicon)
        if asked:
            return asked
    found = _contents(work, request, lexicon)
    if kind == "copy" and not found.target and not found.files and (_SHOW.search(text) or (limit and order)):
        return replace(found, kind="show")
    return found


def _systems(work: Text, lexicon: Lexicon) -> tuple[str, str]:
    """Source and target, by the words around each system; mentions are cut out of the text."""
    text = work.rest
    mentions = lexicon.mentions(text)
    roles: dict[int, str] = {}
    between = re.search(r"\bbetween\s*$", text[: mentions[0].start], re.IGNORECASE) if len(mentions) > 1 else None
    for place, mention in enumerate(mentions):
        before, after = text[: mention.start], text[mention.end :]
        if between and place < 2:
            roles[place] = "target" if place else "source"
        elif _TARGET.search(before):
            roles[place] = "target"
        elif _SOURCE.search(before) or _ARROW.match(after):
            roles[place] = "source"
        elif _IN.search(before) and _PUT.search(before) and (place or _mentions_source(text, mentions)):
            roles[place] = "target"
    for wanted in ("source", "target"):
        if wanted not in roles.values():
            free = next((place for place in range(len(mentions)) if place not in roles), None)
            if free is not None:
                roles[free] = wanted
    found = {role: mentions[place].system for place, role in sorted(roles.items(), reverse=True)}
    for mention in reversed(mentions):
        begin = mention.start
        lead = re.search(
            r"(?:\b(?:from|out of|in ?to|onto|to|in|within|on|with|between|and|of|towards|over|our|the|my|via|"
            r"using)\s+|->\s*|→\s*|=>\s*)+$",
            work.rest[:begin],
            re.IGNORECASE,
        )
        work.cut(lead.start() if lead else begin, mention.end)
    return found.get("source", ""), found.get("target", "")


def _target_subject(work: Text, lexicon: Lexicon) -> str:
    """ "contacts" in "customers to HubSpot contacts": the object beside the target, where another one is read."""
    for mention in lexicon.mentions(work.rest):
        before, after = work.rest[: mention.start], work.rest[mention.end :]
        if not _TARGET.search(before) or (not _object_in(before, lexicon) and not re.search(r"\w+ from\b", before)):
            continue
        match = re.match(
            r"(?:'s)?\s+(?:as |in |into )?(?P<what>[\w ]+?)(?=\s*(?:[,.;:(§]|$|\b(?:with|where|and|every|by|from)\b))",
            after,
        )
        said = _object_in(match["what"], lexicon) if match else ""
        if match and said and len(tokens(match["what"])) == len(tokens(said)):
            work.cut(mention.end + match.start("what"), mention.end + match.end("what"))
            return said
    return ""


def _mentions_source(text: str, mentions: list[Mention]) -> bool:
    return any(_SOURCE.search(text[: mention.start]) for mention in mentions)


def _unknown(work: Text, lexicon: Lexicon, source: str, target: str) -> tuple[str, str]:
    """A capitalised name in the place of a system that no driver answers to."""
    objects = {word for words in lexicon.object_words() for word in words}
    for match in _UNKNOWN.finditer(work.rest):
        role = "source" if match["prep"].casefold() == "from" else "target"
        if singular(match["name"].casefold()) in objects or (source if role == "source" else target):
            continue
        if match["prep"].casefold() == "in" and (source or target):
            continue
        if match["name"].casefold() in COUNTRIES:
            continue
        work.cut(*match.span())
        return match["name"], role
    return "", ""


def condition_phrases(work: Text, lexicon: Lexicon) -> list[str]:
    """Phrases that choose among the records, cut out of the text."""
    conditions: list[str] = []
    nouns = "|".join(
        sorted(
            {re.escape(" ".join(words)) + "s?" for words in lexicon.object_words()} | {"of them"}, key=len, reverse=True
        )
    )
    for pattern in (_WITHOUT, _HAS):
        while match := work.take(pattern):
            conditions.append(match["whole"].strip())
    while match := _COMPARE.search(work.rest):
        conditions.append(_compared(work, match, lexicon))
    pattern = re.compile(_ONLY.pattern.replace("{nouns}", nouns), re.IGNORECASE)
    while match := pattern.search(work.rest):
        is_object = bool(_object_in(match["noun"], lexicon))
        work.cut(match.start(), match.start("noun") if is_object else match.end())
        conditions.append(f"only {match['what'].strip()}")
    while match := work.take(_PLACE, lambda match: not _object_in(match["whole"], lexicon)):
        conditions.append(match["whole"].strip())
    rest, more = _split_where(work.rest)
    work.rest = rest
    return list(dict.fromkeys([*conditions, *more]))


def _compared(work: Text, match: re.Match[str], lexicon: Lexicon) -> str:
    """Cut "amount over 10000" out: the comparison and the words before it that name a field."""
    begin = match.start()
    for word in reversed(list(re.finditer(r"\S+\s+", work.rest[: match.start()]))[-3:]):
        plain = word[0].strip().casefold()
        if not re.fullmatch(r"[\w-]+", plain) or _object_in(plain, lexicon) or plain in _STOPS:
            break
        begin = word.start()
    lead = re.search(r"(?:\b(?:with|whose|where|having|and|an?|the)\s+)+$", work.rest[:begin], re.IGNORECASE)
    said = work.cut(lead.start() if lead else begin, match.end()).strip(" ,")
    return re.sub(r"^(?:(?:with|whose|where|having|and|an?|the)\s+)+", "", said, flags=re.IGNORECASE)


def _contents(work: Text, request: Request, lexicon: Lexicon) -> Request:
    """Object, fields and conditions from what is left of the sentence."""
    if work.take(_EVERYTHING):
        request = replace(request, everything=True)
    conditions = condition_phrases(work, lexicon)
    head, fields = _split_fields(work.rest)
    withs: list[str] = []
    if found := _WITH.search(head):
        tail, head = head[found.end() :], head[: found.start()]
        tail, rest = _until_mark(tail)
        head += f" {CUT} {rest}"
        withs = split_list(tail)
    phrases = [phrase for phrase in split_list(fields.replace(CUT, ",")) if _is_phrase(phrase)]
    found = next((hit for hit in _FIELDS.finditer(head) if _object_in(head[: hit.start()], lexicon)), None)
    if not phrases and found:
        candidates = [phrase for phrase in split_list(_until_mark(head[found.end() :])[0]) if _is_phrase(phrase)]
        if candidates and not _object_in(candidates[0], lexicon):
            phrases, head = candidates, head[: found.start()]
    subject, adjectives, listed = _subject(head, lexicon)
    others = _others(head, subject, lexicon)
    phrases = [*listed, *phrases]
    return replace(
        request,
        subject=subject,
        others=others,
        adjectives=tuple(adjectives),
        fields=tuple(_clean(phrase) for phrase in phrases if _clean(phrase)),
        withs=tuple(_clean(phrase) for phrase in withs if _clean(phrase)),
        conditions=tuple(dict.fromkeys(conditions)),
    )


def contents_of(text: str, request: Request, lexicon: Lexicon) -> Request:
    """Object, fields and conditions of a part of a sentence, the rest taken from `request`."""
    return _contents(Text(text), request, lexicon)


def _split_fields(text: str) -> tuple[str, str]:
    """The part before and the list after a colon, or in brackets, or as bullets."""
    if match := re.search(r"\(([^()]+)\)", text):
        return text[: match.start()] + f" {CUT} " + text[match.end() :], match[1]
    if match := re.search(r":\s*|\n\s*(?=[-*•]\s)", text):
        head, tail = text[: match.start()], text[match.end() :]
        if head.strip(f" {CUT}\n"):
            sentence = re.split(r"(?<=[^\d\s])\.\s+(?=[A-Z§])", tail, maxsplit=1)
            return head + (f" {CUT} {sentence[1]}" if len(sentence) > 1 else ""), sentence[0]
        return tail, ""
    return text, ""


def _split_where(text: str) -> tuple[str, list[str]]:
    conditions = []
    if match := _WHERE.search(text):
        tail, rest = _until_mark(text[match.end() :], commas=False)
        word = match[0].strip(" ,").casefold()
        for part in re.split(r"\s+and\s+(?!\d)", tail):
            part = part.strip(" .,;!")
            if part:
                prefix = "with " if word.endswith((" have", " has")) or word == "having" else ""
                prefix = "only " if word.endswith((" are", " is")) else prefix
                conditions.append(prefix + part)
        text = f"{text[: match.start()]} {CUT} {rest}"
    return text, conditions


def _until_mark(text: str, commas: bool = True) -> tuple[str, str]:
    """What stands before the next mark or the end of the sentence, and the rest; a list may go on after a mark."""
    match = re.search(rf"{CUT}|[.!?](?:\s|$)|;", text)
    if not match:
        return text, ""
    return text[: match.start()], text[match.end() :]


def _is_phrase(phrase: str) -> bool:
    words = tokens(phrase)
    return bool(words) and len(words) <= 8 and not set(words) <= (DETERMINERS | NOT_SUBJECTS)


def _clean(phrase: str) -> str:
    phrase = re.sub(rf"{CUT}", " ", phrase)
    phrase = re.sub(
        r"^(?:(?:the|their|its|his|her|a|an|also|and|only|just|please|my|our|i want|i need|it|as|fields?|"
        r"columns?)\s+)+", "", phrase.strip(" .,;:!?\"'`"),
        flags=re.IGNORECASE,
    )  # fmt: skip
    return re.sub(r"\s+(?:please|too|as well|only|fields?|columns?)$", "", phrase, flags=re.IGNORECASE).strip()


def _object_in(phrase: str, lexicon: Lexicon) -> str:
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


def _others(head: str, subject: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Further objects in a list with the first: "leads, contacts and accounts"."""
    if not subject:
        return ()
    match = re.search(
        rf"\b{re.escape(subject)}\b(?P<list>(?:(?:,| and|, and| as well as| &| plus) [\w ]+)+)", head, re.IGNORECASE
    )
    found = [_object_in(part, lexicon) for part in split_list(match["list"])] if match else []
    return tuple(dict.fromkeys(said for said in found if said and said != subject))


_STRIP = re.compile(rf"^(?:\W*\b(?:{POLITE}|{VERBS})\b(?!_))+\W*", re.IGNORECASE)
_LIST_OF = re.compile(
    r"^(?P<list>.+?)\s+(?:of|for|from)\s+(?:(?:all|each|every|the|our|my|these|those|any|of)\s+)*(?P<subject>[^,]+)$",
    re.IGNORECASE,
)


def _subject(head: str, lexicon: Lexicon) -> tuple[str, list[str], list[str]]:
    """The object's words, adjectives before it, and fields listed before an "of"."""
    text = _STRIP.sub("", re.sub(r"\s+", " ", head).strip(f" {CUT}"))
    if match := _LIST_OF.match(_until_mark(text)[0].strip()):
        listed = [_clean(entry) for entry in split_list(match["list"]) if _is_phrase(entry)]
        if listed and not _object_in(match["list"], lexicon):
            subject, adjectives, _ = _subject(match["subject"], lexicon)
            return subject, adjectives, listed
        if listed and _object_in(match["subject"], lexicon) and ("," in match["list"] or " and " in match["list"]):
            subject, adjectives, _ = _subject(match["subject"], lexicon)
            return subject, adjectives, listed
    for piece in re.split(rf"[{CUT},.;!?\n]", text):
        piece = _STRIP.sub("", piece.strip())
        said = _object_in(piece, lexicon)
        if said:
            before = tokens(piece)
            first = tokens(said)[0]
            adjectives = [word for word in before[: before.index(first)] if word not in DETERMINERS | NOT_SUBJECTS]
            verbs = set(re.split(r"[| ]", VERBS + "|" + POLITE))
            return said, [word for word in adjectives if word not in verbs and not word.isdigit()], []
    for piece in re.split(rf"[{CUT},.;!?\n]", text):
        piece = _STRIP.sub("", piece.strip())
        piece = re.split(r"\s(?:with|where|that|who|which|in|for|by|on|as|from|so|because|into|to|and)\s", f"{piece} ")[
            0
        ]
        words = [word for word in re.findall(r"[\w.]+", piece) if word.casefold() not in DETERMINERS]
        if words and not all(word.casefold() in NOT_SUBJECTS or word.isdigit() for word in words):
            return " ".join(words), [], []
    return "", [], []

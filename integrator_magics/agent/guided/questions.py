"""Questions that a table answers: how many, per what, which has the most, the average of what."""

from __future__ import annotations

import re
from dataclasses import replace

from .lexicon import Lexicon
from .outputs import CUT
from .periods import read_period, verb_before
from .request import Request
from .spoken import SMALL, VERBS
from .standings import DONE, Standing, read_standing
from .subjects import object_in
from .words import tokens

__all__ = ["read_question"]

_PER = re.compile(
    r"\b(?:per|by|for each|for every|grouped by|group by|in each|in every|broken down by|split by)\s+(?:the |their |"
    r"each )?(?P<group>[^,.;?§]+)",
    re.IGNORECASE,
)
_HOLE = re.compile(
    rf"\b(how many|number of|count of|count|average|mean|total|sum of|median|highest|lowest)\s*{CUT}\s*", re.IGNORECASE
)
_HOW_MANY = re.compile(
    r"\b(?:how many|number of|count of|count(?: up)?)\s+(?:the |our |all |of the )?(?P<what>[^,.;?§]+?)"
    r"(?=\s+(?:do|are|is|did|were|have|has|there|came|come|per|by|for each|for every|grouped|in each|in every|with|"
    r"without|where|whose|that|broken|split)\b|[,.;?§]|$)",
    re.IGNORECASE,
)
_AGGREGATE = re.compile(
    r"\b(?P<how>average|mean|total|sum(?: of)?|overall|highest|maximum|lowest|minimum|median)\s+(?:of )?(?:the "
    r")?(?P<of>[\w ]+?)\s+"
    r"(?:of|for|from|in)\s+(?:all |the |our |each |every )*(?P<what>[^,.;?§]+?)(?=\s+(?:per|by|for each|for every|"
    r"grouped|with|where)\b|[,.;?§]|$)",
    re.IGNORECASE,
)
_BARE = re.compile(  # average order total
    r"\b(?P<how>average|mean|total|sum(?: of)?|overall|highest|maximum|lowest|minimum|median)\s+(?:of )?(?:the )?"
    r"(?P<of>\w+(?: \w+){0,3}?)(?=\s+(?:per|by|for each|for every|grouped|with|where|of|in|from)\b|[,.;?§]|$)",
    re.IGNORECASE,
)
_PLAIN = re.compile(  # opportunity amount per quarter, orders per month
    rf"^\W*(?:(?:show me|show|give me|list|what is|what's|the|our|please|i need|we need)\s+)*"
    rf"(?P<of>\w+(?: \w+){{0,3}}?)\s*{CUT}?\s+(?:per|by|for each|for every)\b",
    re.IGNORECASE,
)
_STATE = re.compile(
    r"\s*(?:are|is|were|was|got|have been|has been|did (?:we|they)|do (?:we|they)|have (?:we|they))\s+"
    r"(?:currently |still "
    r"|now |already |actually )*(?P<no>not )?(?P<word>[a-z]+)\b",
    re.IGNORECASE,
)
_TOO = re.compile(
    r"\s+(?:and|but)\s+(?:also\s+)?(?:(?:are|is|were|was)\s+)?(?P<more>[^,.;?§]+?)"
    r"(?=\s+(?:per|by|for each|in each)\b|\s*(?:[,.;?§]|$))"
)
_EACH_DID = re.compile(
    r"\b(?:did|does|do|has|have)\s+(?:each|every)(?: of our| of the)?\s+(?P<group>[\w ]+?)\s+(?P<verb>[a-z]+)\b",
    re.IGNORECASE,
)
_SECOND = re.compile(r"\band (?:what|how|which|who)\b.*$", re.IGNORECASE)
_MEASURES = {
    "average": "average", "mean": "average", "total": "sum", "sum": "sum", "sum of": "sum", "overall": "sum",
    "highest": "highest", "maximum": "highest", "lowest": "lowest", "minimum": "lowest", "median": "median",
}  # fmt: skip


def read_question(text: str, request: Request, lexicon: Lexicon) -> Request | None:
    """The request as a question when the sentence asks one; None when it asks for a copy."""
    if request.target or request.files:
        return None
    text = re.sub(r"\s+", " ", text)
    text = _HOLE.sub(r"\1 ", text)
    if each := _EACH_DID.search(text):
        text = f"{text[: each.start()]} did we {each['verb']} {text[each.end() :].rstrip(' ?')} per {each['group']}"
    if second := _SECOND.search(text):
        text = text[: second.start()]
        request = replace(request, unanswered=second[0].removeprefix("and ").strip(" ?.,;" + CUT))
    per = _PER.search(text)
    group = _tidy(per["group"]) if per else ""
    if per and (second_per := _PER.search(text, per.end() - 1)):
        group = f"{group} {second_per[0]}"
    if per and (period := read_period(group)):
        verb, begin = verb_before(text[: per.start()])
        if verb and not period[1]:
            group = f"{period[0]} {verb}"
            text = f"{text[:begin]} {text[per.start() :]}"
            if request.window and not request.window.verb:
                request = replace(request, window=replace(request.window, verb=verb))
    if standing := read_standing(text):
        return _standing(request, standing, text, lexicon)
    if match := _AGGREGATE.search(text):
        how = _MEASURES[match["how"].casefold()]
        return _filled(
            request, match["what"], measure=how, of=_tidy(match["of"]), group=group, text=text, lexicon=lexicon
        )
    bare = _BARE.search(text)
    if bare and (per or not text[: bare.start()].strip(f" {CUT}")):
        said, of = _apart(bare["of"], lexicon)
        how = bare["how"].casefold()
        if said:
            return _filled(request, said, measure=_MEASURES[how], of=of or how, group=group, text=text, lexicon=lexicon)
    if match := _HOW_MANY.search(text):
        made = _filled(request, match["what"], measure="count", group=group, text=text, lexicon=lexicon)
        return _with_state(made, text[match.end() :])
    plain = _PLAIN.match(text)
    if request.compare and not per and (said := object_in(text, lexicon)):
        return _filled(request, said, measure="count", text=text, lexicon=lexicon)
    if per and plain:
        said, of = _apart(plain["of"], lexicon)
        of = of if read_period(group) else ""
        if said:
            measure = "sum" if of else "count"
            return _filled(request, said, measure=measure, of=of, group=group, text=text, lexicon=lexicon)
    return None


def _standing(request: Request, found: Standing, text: str, lexicon: Lexicon) -> Request:
    """Who is ahead, a rate, a share: what it is of comes from its own words, then from the object it is per."""
    subject = found.subject
    if found.of and found.of not in ("revenue", "quantity"):
        said, of = _apart(found.subject, lexicon)
        subject, found = said or subject, replace(found, of=of or found.of)
    made = _filled(
        request,
        subject or found.group,
        measure=found.measure,
        of=found.of,
        outcome=found.outcome,
        group=found.group,
        per=found.per,
        best=found.best,
        ascending=found.ascending,
        shares=found.shares,
        decided=found.decided,
        lexicon=lexicon,
        text="" if found.best else text,
    )
    adjectives = [word for word in made.adjectives if subject or word not in tokens(found.group)]
    conditions = (*made.conditions, *((f"only {found.condition}",) if found.condition else ()))
    used = set(tokens(f"{found.group} {subject} {found.outcome}"))
    rest = tuple(phrase for phrase in made.rest if not set(tokens(phrase)) <= used)
    return replace(made, adjectives=tuple(adjectives), conditions=conditions, rest=rest)


def _with_state(request: Request, tail: str) -> Request:
    """ "... are open", "... did we win": what those counted are, or what was done with them."""
    state = _STATE.match(tail)
    word = DONE.get(state["word"].casefold(), state["word"].casefold()) if state else ""
    if (
        not word
        or word in SMALL
        or word in VERBS.split("|")
        or any(word in tokens(said) for said in request.conditions)
    ):
        return request
    if request.window and request.window.verb:
        return request
    unused = tuple(phrase for phrase in request.rest if tokens(phrase)[-1:] != tokens(state["word"] if state else ""))
    said = f"only {'not ' if state and state['no'] else ''}{word}"
    window = replace(request.window, verb=word) if request.window else None
    more = _TOO.match(tail, state.end()) if state else None
    conditions = (*request.conditions, said, *((more["more"],) if more else ()))
    unused = tuple(phrase for phrase in unused if not more or not set(tokens(phrase)) <= set(tokens(more["more"])))
    return replace(request, conditions=conditions, rest=unused, window=window)


def _apart(phrase: str, lexicon: Lexicon) -> tuple[str, str]:
    """The object and what of it: "order total" -> order, total."""
    said = object_in(phrase, lexicon)
    return said, " ".join(word for word in tokens(phrase) if word not in tokens(said) and word != "of")


def _filled(request: Request, what: str, *, lexicon: Lexicon, text: str = "", **values: object) -> Request:
    from .parse import contents_of

    inner = contents_of(what, request, lexicon)
    conditions = inner.conditions
    if text:
        rest = _PER.sub(f" {CUT} ", text)
        around = contents_of(rest.replace(what, what, 1), request, lexicon)
        conditions = tuple(dict.fromkeys((*conditions, *around.conditions)))
        if not inner.subject:
            inner = around
    return replace(
        inner,
        kind="question",
        conditions=conditions,
        fields=(),
        withs=inner.withs,
        **values,  # type: ignore[arg-type]
    )


def _tidy(text: str) -> str:
    return re.sub(r"^(?:the|their|a|an|our|each|every)\s+", "", text.strip(), flags=re.IGNORECASE).strip()

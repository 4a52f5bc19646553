"""Questions of who is ahead: rates ("which campaign converts best"), most and least, revenue per what, shares."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .words import singular, tokens, word_set

__all__ = ["DONE", "MONEY", "Standing", "read_standing"]

MONEY = word_set("revenue sales turnover income earnings proceeds spending spend money")
_SOLD = re.compile(r"\b(?:units|items|pieces|quantity|quantities)\b", re.IGNORECASE)
DONE = {
    "win": "won", "wins": "won", "winning": "won", "won": "won", "conversion": "converted", "converting": "converted",
    "converts": "converted", "convert": "converted", "converted": "converted", "close": "won", "closing": "won",
    "loss": "lost", "loses": "lost", "lose": "lost", "lost": "lost", "cancellation": "cancelled", "cancels":
    "cancelled", "success": "good", "response": "responded", "reply": "replied", "payment": "paid", "return":
    "returned", "churn": "churned", "acceptance": "accepted", "completion": "completed",
}  # fmt: skip
# What such a rate is usually said of, where no object is named.
_USUAL = {"converted": "leads", "won": "deals", "lost": "deals", "cancelled": "orders", "returned": "orders"}
_VERB = (
    r"has|have|had|brings?(?: in)?|brought(?: in)?|gets?|got|generates?|generated|gives?|gave|makes?|made|sells?|sold|"
    r"is|are|was|were|contains?|wins?|won|loses?|lost|lose|closes?|closed|converts?|converted|places?|placed|orders?|"
    r"ordered|buys?|bought|spends?|spent|delivers?|delivered|produces?|produced|creates?|created|yields?|achieves?|"
    r"shows?|receives?|received|handles?|handled|cancels?|cancelled|earns?|earned|books?|booked|pays?|paid|owns?|does"
)
_MOST = re.compile(
    rf"\b(?:(?:which|what)\s+(?P<group>[\w' -]+?)|(?P<who>who))\s+(?P<verb>{_VERB})\s+(?:in |us )?(?:the |our )?"
    r"(?P<dir>most|fewest|least|highest|lowest|biggest|largest|smallest|best|worst|greatest)\b(?:\s+(?:number|amount) "
    r"of)?\s*(?P<what>[^,.;?§(]*)",
    re.IGNORECASE,
)
_CONVERTS_BEST = re.compile(
    r"\bwhich\s+(?P<group>[\w' -]+?)\s+(?P<verb>converts?|converted|wins?|closes?)\s+(?:the )?(?P<dir>best|most "
    r"often|worst|least often)\b",
    re.IGNORECASE,
)
_ONES = re.compile(
    r"\((?:i\.?e\.?,? |meaning |the |only )*(?:ones|those|leads|deals)?\s*(?:(?:that|which|who) )?(?:were |are |have |"
    r"has |got |really |actually )*(?P<word>[a-z]+)[^)]*\)",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"^(?:quality|qualified|performing|converting)\s+(?P<subject>[\w ]+)$|^(?P<plain>[\w ]+)$", re.IGNORECASE
)
_RATE_WORD = r"(?:rate|ratio|percentage|share)"
_RATE = re.compile(
    rf"\b(?P<what>[a-z]+)[ -]{_RATE_WORD}s?\b(?:\s+(?:of|for|from|among|on)\s+(?:all |the |our )*"
    r"(?P<subject>[\w ]+?))?(?=\s+(?:per|by|for each|for every|in each|broken)\b|\s*(?:[,.;?§(]|$))",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"\b(?:what (?:percentage|share|proportion|percent|part)|(?:the )?(?:percentage|share|proportion)|how many percent)"
    r"\s+of\s+(?:all |the |our )*(?P<subject>[^,.;?§]+?)(?:\s+(?:is|are|was|were|has|have|had|did|do|get|got|have been|"
    r"has been)(?: been)?\s+(?P<state>[a-z]+)|\s+(?P<verb>[a-z]{3,}ed|won|lost|paid|sold))?(?=\s+(?:per|by|for each|"
    r"for every|in each|comes?|came|in percent|in %)\b|\s*(?:[,.;?§(]|$))",
    re.IGNORECASE,
)
_PER = re.compile(r"\b(?:per|by|for each|for every|in each|from each|from every)\s+(?:the |their |our )?(?P<group>.+)$")
_IN_PERCENT = re.compile(r"\b(?:in|as)(?: an?)? (?:percent|percentages?|shares?)\b|\bin\s?%", re.IGNORECASE)
_SELLING = re.compile(
    r"\b(?:the )?(?P<dir>best|worst|top|most)[ -]sell(?:ing|ers?)\s+(?P<group>[\w ]+?)(?:\s+(?:by|in) (?P<of>[\w ]+?))?"
    r"(?=\s*(?:[,.;?§(]|$))",
    re.IGNORECASE,
)
_REVENUE = re.compile(
    rf"^\W*(?:(?:show me|show|give me|list|what is|what's|what was|the|our|total|overall|please|i need|we need|sum "
    rf"of)\s+)*(?P<of>{'|'.join(sorted(MONEY))})\b(?P<rest>.*)$",
    re.IGNORECASE,
)
_DOWN = ("fewest", "least", "lowest", "smallest", "worst", "least often")


@dataclass(frozen=True)
class Standing:
    """What such a question says: a measure of a subject per group, perhaps which group is ahead."""

    measure: str
    subject: str = ""
    of: str = ""
    outcome: str = ""
    condition: str = ""
    group: str = ""
    per: str = ""
    best: bool = False
    ascending: bool = False
    shares: bool = False
    decided: bool = False


def read_standing(text: str) -> Standing | None:
    """The standing a sentence asks for, None when it asks something else."""
    if match := _CONVERTS_BEST.search(text):
        outcome = DONE.get(match["verb"].casefold(), "won")
        return _best(match["group"], match["dir"], Standing("rate", _USUAL.get(outcome, ""), outcome=outcome))
    if match := _MOST.search(text):
        found = _of_most(match, text)
        return _best("owner" if match["who"] else match["group"], match["dir"], found) if found else None
    if match := _SELLING.search(text):
        of = (match["of"] or "").casefold()
        of = of if of and not _SOLD.search(of) else "quantity"
        return Standing("sum", of=of, group=match["group"].strip(), best=True, ascending=match["dir"] == "worst")
    group = _group(text)
    if match := _SHARE.search(text):
        state = (match["state"] or match["verb"] or "").casefold()
        subject = match["subject"].strip()
        words = subject.split()
        if not state and len(words) > 1 and (words[0].endswith("ed") or words[0] in ("won", "lost", "open", "paid")):
            state, subject = words[0], " ".join(words[1:])
        if state:
            return Standing("rate", subject, outcome=state, group=group)
        return Standing("count", subject, group=group, shares=True) if group else None
    if (match := _RATE.search(text)) and match["what"].casefold() in DONE:
        outcome = DONE[match["what"].casefold()]
        subject = (match["subject"] or "").strip() or _USUAL.get(outcome, "")
        return Standing("rate", subject, outcome=outcome, group=group, decided=outcome in ("won", "lost"))
    if (match := _REVENUE.match(text)) and group:
        return Standing("sum", of="revenue", group=group)
    if _IN_PERCENT.search(text) and group:
        return Standing("count", "", group=group, shares=True)
    return None


def _best(group: str, direction: str, found: Standing) -> Standing:
    return replace(found, group=_tidy(group), best=True, ascending=direction.casefold() in _DOWN)


def _of_most(match: re.Match[str], text: str) -> Standing | None:
    """What there is most of."""
    direction, what = match["dir"].casefold(), match["what"].strip()
    done = DONE.get(match["verb"].casefold(), "")
    ones = _ONES.search(text[match.start("what") :])
    quality = _QUALITY.match(what)
    if (rate := _RATE.search(what)) and rate.start() == 0:
        outcome = DONE.get(rate["what"].casefold(), rate["what"].casefold())
        subject = (rate["subject"] or "").strip() or _USUAL.get(outcome, "")
        return Standing("rate", subject, outcome=outcome, decided=outcome in ("won", "lost"))
    words = [singular(word) for word in tokens(what)]
    if not words:
        spends = match["verb"].casefold() in ("spends", "spend", "spent", "earns", "earned", "pays", "paid")
        return Standing("sum", of="revenue") if spends else None
    if _says_quality(what, direction) and quality:
        outcome = ones["word"].casefold() if ones else "good"
        return Standing("rate", (quality["subject"] or quality["plain"]).strip(), outcome=DONE.get(outcome, outcome))
    head, _, per = what.partition(" per ")
    money = set(tokens(head)) & MONEY
    if money:
        return Standing("sum", of="revenue", per=_tidy(per))
    if match["verb"].casefold() in ("sells", "sell", "sold") and _SOLD.search(what):
        return Standing("sum", of="quantity")
    if re.match(r"(?:average|mean|median|total)\b", what, re.IGNORECASE):
        how, _, of = what.partition(" ")
        measure = {"average": "average", "mean": "average", "median": "median", "total": "sum"}[how.casefold()]
        return Standing(measure, of, of=of)
    if direction in ("most", "fewest", "least") or re.search(r"\bnumber of\b", match[0], re.IGNORECASE):
        found = re.match(r"(?P<noun>.+?)\s+(?P<state>[a-z]{3,}ed|won|lost|paid|sold)$", what, re.IGNORECASE)
        condition = found["state"].casefold() if found else done
        return Standing("count", found["noun"] if found else what, condition=condition)
    return None


def _says_quality(what: str, direction: str) -> bool:
    first = tokens(what)[0]
    return first in ("quality", "performing", "converting") or direction in ("best", "worst")


def _group(text: str) -> str:
    match = _PER.search(_IN_PERCENT.sub("", text))
    return _tidy(re.split(r"[,.;?§(]", match["group"])[0]) if match else ""


def _tidy(text: str) -> str:
    return re.sub(r"^(?:the|their|a|an|our|each|every|of our|of the)\s+", "", text.strip(" ?.,"), flags=re.IGNORECASE)

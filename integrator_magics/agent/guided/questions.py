"""Questions that a table answers: how many, per what, which has the most, the average of what."""

from __future__ import annotations

import re
from dataclasses import replace

from .lexicon import Lexicon
from .outputs import CUT
from .request import Request

__all__ = ["read_question"]

_PER = re.compile(
    r"\b(?:per|by|for each|for every|grouped by|group by|in each|in every|broken down by|split by)\s+(?:the |their |"
    r"each )?(?P<group>[^,.;?§]+)",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"\b(?:how many|number of|count of|count(?: up)?)\s+(?:the |our |all |of the )?(?P<what>[^,.;?§]+?)"
    r"(?=\s+(?:do|are|is|did|were|have|has|there|came|come|per|by|for each|for every|grouped|in each|in every|with|"
    r"without|where|whose|that|broken|split)\b|[,.;?§]|$)",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"\b(?:which|what)\s+(?P<group>[\w ]+?)\s+(?:has|have|had|brings?|brought|gets?|got|generates?|generated|gives?|"
    r"makes?|made|sells?|sold|"
    r"is|are|contains?)\s+(?:in |us )?(?:the )?(?P<dir>most|fewest|least|highest|lowest|biggest|largest)\s+(?:number "
    r"of )?(?P<what>[^,.;?§]+)",
    re.IGNORECASE,
)
_AGGREGATE = re.compile(
    r"\b(?P<how>average|mean|total|sum(?: of)?|overall|highest|maximum|lowest|minimum|median)\s+(?:of )?(?:the "
    r")?(?P<of>[\w ]+?)\s+"
    r"(?:of|for|from|in)\s+(?:all |the |our |each |every )*(?P<what>[^,.;?§]+?)(?=\s+(?:per|by|for each|for every|"
    r"grouped|with|where)\b|[,.;?§]|$)",
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
    if second := _SECOND.search(text):
        text = text[: second.start()]
        request = replace(request, unanswered=second[0].removeprefix("and ").strip(" ?.,;" + CUT))
    per = _PER.search(text)
    group = _tidy(per["group"]) if per else ""
    if match := _MOST.search(text):
        up = match["dir"].casefold() in ("most", "highest", "biggest", "largest")
        return _filled(
            request,
            match["what"],
            measure="count",
            group=_tidy(match["group"]),
            limit=0,
            ascending=not up,
            lexicon=lexicon,
        )
    if match := _AGGREGATE.search(text):
        how = _MEASURES[match["how"].casefold()]
        return _filled(
            request, match["what"], measure=how, of=_tidy(match["of"]), group=group, text=text, lexicon=lexicon
        )
    if match := _HOW_MANY.search(text):
        return _filled(request, match["what"], measure="count", group=group, text=text, lexicon=lexicon)
    return None


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

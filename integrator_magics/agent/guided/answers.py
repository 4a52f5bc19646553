"""What the user answered: one of the options, free text, more wishes in the same breath, or stop."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .words import likeness, tokens, word_set

__all__ = ["Answer", "read_answer"]

_STOP = re.compile(
    r"^\W*(?:please )?(?:stop|cancel|abort|quit|exit|forget (?:it|about it)|never ?mind|leave it)(?: (?:it|this|that|"
    r"please|here|now))?\W*$",
    re.IGNORECASE,
)
_ORDINALS = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4,
    "last": -1, "former": 0, "latter": -1,
}  # fmt: skip
_ORDINAL = re.compile(
    rf"^\W*(?:i(?:'d| would)? (?:take|mean|like|want|choose|prefer) |take |use |choose |make it )?(?:the |option |"
    rf"number |no\.? |nr\.? |#)*"
    rf"(?:(?P<word>{'|'.join(_ORDINALS)})|(?P<n>\d))(?: (?:one|option|of them|choice))?\s*(?P<rest>$|[,.;:!–-].*|"
    rf"\b(?:and|but|please)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_SPLIT = re.compile(
    r"\s+[-–—]+\s+|\s*[;\n]\s*|\.\s+|,\s*(?:but|and)\s+(?!the\b)|,\s*(?=(?:only|also|just|please|without|with|since|"
    r"for|from|into|every|last|no)\b)|"
    r"\s+(?:and|but)\s+(?=(?:only|also|just|please|then|run|without|call|name|add|drop|leave|make|write|put|save|every|"
    r"with|use)\b)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^\W*(?:(?:i|we)(?: would|'d)? (?:mean|meant|want|need|like|prefer|take|choose)(?: to use)?|use|take|choose|it is|"
    r"it's|that is|that's|by|"
    r"the field|field|please|yes|ok|okay|let's (?:use|take)|go with|the|a|an|my|our)\b\s*",
    re.IGNORECASE,
)
_YES = word_set("yes y yeah yep sure ok okay correct right exactly agreed please")


@dataclass(frozen=True)
class Answer:
    """`index` of the chosen option, or the free `text`; `extra` holds further wishes."""

    index: int | None
    text: str
    extra: str = ""
    stop: bool = False


def read_answer(text: str, options: Sequence[str]) -> Answer:
    """Match an answer with the labels of the options that were offered."""
    text = text.strip()
    if _STOP.match(text) and not any(option.casefold() == text.casefold() for option in options):
        return Answer(None, text, stop=True)
    whole = _option(text, options)
    if whole is not None and len(tokens(text)) <= len(tokens(options[whole])) + 3:
        return _chosen(whole, text, options)
    if (match := _ORDINAL.match(text)) and options:
        index = int(match["n"]) - 1 if match["n"] else _ORDINALS[match["word"].casefold()]
        if -len(options) <= index < len(options):
            return _chosen(index % len(options), text, options, _SPLIT.sub(" ", match["rest"], count=1).strip(" ,.;-–"))
    pieces = _SPLIT.split(text, maxsplit=1)
    first, extra = pieces[0], pieces[1] if len(pieces) > 1 else ""
    index_of_first = _option(first, options)
    if index_of_first is not None:
        return _chosen(index_of_first, text, options, extra)
    if extra and (later := _option(_SPLIT.split(extra)[-1], options)) is not None and len(tokens(extra)) <= 4:
        return _chosen(later, text, options, first)
    if whole is not None:
        return _chosen(whole, text, options)
    return Answer(None, _bare(first), extra)


def _chosen(index: int, text: str, options: Sequence[str], extra: str = "") -> Answer:
    stop = options[index].casefold() == "stop"
    return Answer(index, options[index], extra.strip(), stop=stop)


def _bare(text: str) -> str:
    before = None
    while before != text:
        before, text = text, _LEAD.sub("", text, count=1).strip(" .,!?\"'")
    return text


def _option(text: str, options: Sequence[str]) -> int | None:
    """The option that a text names, None when none or several fit."""
    said = tokens(_bare(text))
    joined = "".join(said)
    if not said:
        return 0 if options and set(tokens(text)) & _YES and options[0].casefold().startswith("yes") else None
    for index, option in enumerate(options):
        if joined == "".join(tokens(option)):
            return index
    if options and set(tokens(text)) <= _YES and options[0].casefold().startswith("yes"):
        return 0
    contained = [
        index
        for index, option in enumerate(options)
        if _contains(said, tokens(option)) or (len(joined) >= 3 and _contains(tokens(option), said))
    ]
    if len(contained) == 1:
        return contained[0]
    scores = sorted(
        ((likeness(_bare(text), option, option), -index) for index, option in enumerate(options)), reverse=True
    )
    if scores and scores[0][0] >= 0.8 and (len(scores) == 1 or scores[0][0] - scores[1][0] > 0.1):
        return -scores[0][1]
    return None


def _contains(outer: list[str], inner: list[str]) -> bool:
    if not inner:
        return False
    if any(outer[place : place + len(inner)] == inner for place in range(len(outer) - len(inner) + 1)):
        return True
    return len("".join(inner)) >= 5 and "".join(inner) in outer

"""Fields of a request: which are read, and the columns they go to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .explain import and_list
from .fields import Fields, Match, default_fields, key_field, match_field, readable
from .joins import Wish, join_for, join_through
from .knowledge import Knowledge
from .plan import Column
from .relations import path_to
from .request import Request
from .steps import Ask, Choice, ToolCall
from .words import likeness, slug, snake, split_list, tokens

__all__ = ["Chosen", "choose_fields", "label_of", "name_columns", "question_for"]

_PREPOSITION = re.compile(r"(?:in|from|of|for|by|on|with|at|as|about)\b", re.IGNORECASE)
LEAVE_OUT = "Leave it out"
SAMPLED = 50  # records looked at for how full a field is


@dataclass(frozen=True)
class Chosen:
    """Fields to read, objects to join, and what to tell the user."""

    names: tuple[str, ...]
    joins: tuple[Wish, ...] = ()
    notes: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()  # phrases that are neither: conditions, perhaps
    unused: tuple[str, ...] = ()  # words of the request that are no field either


def label_of(name: str, fields: Fields) -> str:
    """What to call a field towards people."""
    return str(fields[name].get("label") or name) if name in fields else name


def choose_fields(request: Request, fields: Fields, obj: str, driver: Mapping[str, Any], known: Knowledge) -> Chosen:
    """The fields that the phrases of a request mean. Raises Ask where one is not clear."""
    usable = readable(fields)
    key = key_field(usable, obj)
    names: list[str] = list(usable) if request.everything else []
    wishes: list[Wish] = []
    notes: list[str] = []
    left: list[str] = []
    names += [name for name in request.fields if request.exact and name in usable]
    listed_phrases = [part for phrase in request.fields for part in _parted(phrase, usable, obj, driver)]
    for phrase in (*(() if request.exact else listed_phrases), *request.added):
        found, joined = _one(phrase, usable, obj, driver, known)
        names += found
        wishes += joined
    listed = bool(request.fields) or request.everything
    beside: list[str] = []  # the one field named by "with", beside the usual ones
    for phrase in request.withs:
        found, joined, is_rest = _soft(phrase, usable, obj, driver, known)
        if len(request.withs) == 1 and not listed:
            beside = found
        listed = listed or bool(found and not beside)
        names += found
        wishes += joined
        left += [phrase] if is_rest else []
    unused: list[str] = []
    free = not listed and not beside
    for phrase in request.rest:
        found = _all_fields(phrase, usable, obj) if free and not _PREPOSITION.match(phrase) else []
        names += found
        listed = listed or bool(found)
        unused += [] if found else [phrase]
    if not listed:
        defaults = default_fields(usable, obj, driver.get("created"))
        names = [*defaults, *names]
        if len(defaults) < len(usable):
            said = and_list([label_of(name, usable) for name in dict.fromkeys((*defaults, *beside))])
            named = f"only {and_list([label_of(name, usable) for name in beside])}" if beside else "no fields"
            notes.append(f"You named {named}, so I took {said}; say what to add or drop.")
        if beside:
            phrase = request.withs[0]
            notes.append(f'Those without {phrase} are kept; say "only those with a {phrase}" to leave them out.')
    if key and key not in names:
        names.insert(0, key)
    names, dropped = _dropped(request, names, key, usable, obj)
    return Chosen(tuple(dict.fromkeys(names)), tuple(wishes), (*notes, *dropped), tuple(left), tuple(unused))


def _all_fields(phrase: str, fields: Fields, obj: str) -> list[str]:
    """The fields of "name and email"; none unless each entry surely is one."""
    matches = [match_field(entry, fields, obj) for part in split_list(phrase) for entry in _apart(part, fields, obj)]
    return [name for match in matches for name in match.names] if all(match.sure for match in matches) else []


def _apart(phrase: str, fields: Fields, obj: str) -> list[str]:
    """ "name email" without a comma: each word when it names a field of its own and the whole names none."""
    words = phrase.split()
    whole = match_field(phrase, fields, obj)
    near = max((likeness(phrase, name, label_of(name, fields), obj) for name in whole.names), default=0.0)
    if len(words) < 2 or near >= 0.94:
        return [phrase]
    each = [match_field(word, fields, obj) for word in words]
    found = {name for match in each for name in match.names if likeness_of(match, fields, obj, words) >= 0.94}
    return words if all(match.sure for match in each) and len(found) >= len(words) else [phrase]


def _parted(phrase: str, fields: Fields, obj: str, driver: Mapping[str, Any]) -> list[str]:
    """The same, unless a question or a join knows the phrase."""
    if question_for(phrase, obj, driver) or join_for(phrase, obj, driver.get("joins") or ()):
        return [phrase]
    return _apart(phrase, fields, obj)


def likeness_of(match: Match, fields: Fields, obj: str, words: Sequence[str]) -> float:
    """How well the best of some words names the fields of a match."""
    return max(likeness(word, name, label_of(name, fields), obj) for name in match.names for word in words)


def _dropped(request: Request, names: list[str], key: str, fields: Fields, obj: str) -> tuple[list[str], list[str]]:
    notes = []
    for phrase in request.drops:
        match = match_field(phrase, {name: fields[name] for name in dict.fromkeys(names)}, obj)
        gone = match.names[:1] if match.several else match.names if match.sure else ()
        if key in gone and request.target:
            notes.append(f"{label_of(key, fields)} stays, because known records are recognised by it.")
        names = [name for name in names if name not in gone or (name == key and request.target)]
        if not gone:
            notes.append(f'There is no "{phrase}" among the columns, so nothing was dropped for it.')
    return names, notes


def _soft(
    phrase: str, fields: Fields, obj: str, driver: Mapping[str, Any], known: Knowledge
) -> tuple[list[str], list[Wish], bool]:
    """A phrase after "with": a field, an object beside, or (True) something else, such as a condition."""
    joins = driver.get("joins") or ()
    match = match_field(phrase, fields, obj)
    exact = match.sure and likeness(phrase, match.names[0], label_of(match.names[0], fields), obj) >= 0.94
    if exact or question_for(phrase, obj, driver):
        found, wishes = _one(phrase, fields, obj, driver, known)
        return found, wishes, False
    if wish := join_for(phrase, obj, joins) or path_to(phrase, obj, joins, driver.get("tables") or {}):
        return [], [wish], False
    if match.sure:
        found, wishes = _one(phrase, fields, obj, driver, known)
        return found, wishes, False
    return [], [], True


def question_for(phrase: str, obj: str, driver: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The manifest's question that a phrase raises."""
    said = tokens(phrase)
    for question in driver.get("questions") or ():
        if question["object"] != obj:
            continue
        for words in question["words"]:
            wanted = tokens(words)
            if wanted == said or (
                len(wanted) > 2 and (_inside(wanted, said) or likeness(phrase, words, words) >= 0.85)
            ):
                return dict(question)
    return None


def _inside(inner: list[str], outer: list[str]) -> bool:
    return any(outer[place : place + len(inner)] == inner for place in range(len(outer) - len(inner) + 1))


def _one(
    phrase: str, fields: Fields, obj: str, driver: Mapping[str, Any], known: Knowledge
) -> tuple[list[str], list[Wish]]:
    joins = driver.get("joins") or ()
    exact = match_field(phrase, fields, obj)
    question = question_for(phrase, obj, driver)
    named = exact.sure and likeness(phrase, exact.names[0], label_of(exact.names[0], fields)) == 1.0
    if question and not named:
        return _ask(phrase, question, fields, obj, driver, known)
    if exact.sure:
        through = join_through(exact.names[0], obj, joins) if not _says_id(phrase) and not named else None
        return ([], [through]) if through else (list(exact.names), [])
    if wish := join_for(phrase, obj, joins) or path_to(phrase, obj, joins, driver.get("tables") or {}):
        return [], [wish]
    return _ask(phrase, None, fields, obj, driver, known, exact.names, exact.several)


def _says_id(phrase: str) -> bool:
    return bool({"id", "ids", "key", "identifier"} & set(tokens(phrase)))


def _ask(
    phrase: str,
    question: Mapping[str, Any] | None,
    fields: Fields,
    obj: str,
    driver: Mapping[str, Any],
    known: Knowledge,
    near: Sequence[str] = (),
    several: bool = False,
) -> tuple[list[str], list[Wish]]:
    choices: list[Choice] = []
    if question:
        for entry in question["choices"]:
            head = str(entry.get("field") or "").split(".")[0]
            if "field" in entry and "." not in str(entry["field"]) and head not in fields:
                continue
            choices.append(Choice(str(entry["label"]), str(entry.get("hint") or ""), dict(entry)))
        if known.answer(slug(f"field {phrase}")) is None and len(choices) > 1:
            choices = _filled(choices, obj, str(driver["name"]), known)
    else:
        for name in near:
            label = label_of(name, fields)
            same = [other for other in near if label_of(other, fields) == label]
            shown = label if len(same) == 1 else f"{label} ({name})"
            choices.append(Choice(shown, _hint(name, fields), {"field": name}))
    choices = [choice for choice in choices if choice.value]
    slot = slug(f"field {phrase}")
    if len(choices) == 1 and question and "field" in choices[0].value:
        return [choices[0].value["field"]], []
    reply = known.answer(slot)
    if reply is None:
        raise Ask(
            slot,
            _question_text(phrase, obj, bool(question), several, len(choices)),
            [*choices, *([] if question else [Choice(LEAVE_OUT)])],
        )
    answer, options = reply
    if answer.index is not None:
        label = options[answer.index]["label"]
        if label == LEAVE_OUT:
            return [], []
        value = next((choice.value for choice in choices if choice.label == label), None)
        if value:
            return _meant([value], obj, driver)
    if choices and set(tokens(answer.text)) & {"both", "all"} and len(tokens(answer.text)) <= 3:
        return _meant([choice.value for choice in choices], obj, driver)
    pieces = [piece for piece in answer.text.replace(" and ", ",").split(",") if piece.strip()]
    each = [_free(piece, choices, fields, obj) for piece in pieces]
    if each and all(each):
        return _meant([value for value in each if value], obj, driver)
    again = slug(f"field {answer.text}")
    if again == slot or known.asked(slot) > 3 or not answer.text:
        return [], []
    if wish := join_for(answer.text, obj, driver.get("joins") or ()):
        return [], [wish]
    match = match_field(answer.text, fields, obj)
    if match.sure:
        return list(match.names), []
    return _ask(answer.text, None, fields, obj, driver, known, match.names, match.several)


def _filled(choices: Sequence[Choice], obj: str, system: str, known: Knowledge) -> list[Choice]:
    """The choices with how many of the first records have a value there; unchanged where that can't be seen."""
    if not any(choice.value.get("field") for choice in choices):
        return list(choices)
    call = ToolCall("sample", {"system": system, "object": obj, "n": SAMPLED})
    seen = known.need(f"I am looking how full those fields of {obj} are.", call)[0]
    fill, count = seen.get("fill") or {}, len(seen.get("rows") or ())
    found = []
    for choice in choices:
        share = fill.get(str(choice.value.get("field") or ""))
        said = f"filled in for {share:.0%} of {count:,} looked at".replace("%", " %", 1) if share is not None else ""
        found.append(replace(choice, hint="; ".join(part for part in (choice.hint, said) if part)))
    return found


def _meant(values: Sequence[Mapping[str, str]], obj: str, driver: Mapping[str, Any]) -> tuple[list[str], list[Wish]]:
    """Fields and joins of chosen options: {field}, {field: "Campaign.Name"} through a join, {join, show}."""
    joins = driver.get("joins") or ()
    names: list[str] = []
    wishes: list[Wish] = []
    for value in values:
        field = str(value.get("field") or "")
        if field and "." not in field:
            names.append(field)
            continue
        other = str(value.get("join") or field.split(".")[0])
        found = [
            join
            for join in joins
            if str(join["start"]).rpartition(".")[0] == obj and str(join["to"]).rpartition(".")[0] == other
        ]
        if found:
            wishes.append(Wish(found[0], show=str(value.get("show") or field)))
        elif wish := join_for(other, obj, joins):
            wishes.append(wish)
    return names, wishes


def _free(piece: str, choices: Sequence[Choice], fields: Fields, obj: str) -> dict[str, str] | None:
    for choice in choices:
        if likeness(piece, str(choice.value.get("field") or choice.label), choice.label) >= 0.9:
            return dict(choice.value)
    match = match_field(piece, fields, obj)
    return {"field": match.names[0]} if match.sure and len(match.names) == 1 else None


def _question_text(phrase: str, obj: str, question: bool, several: bool, count: int) -> str:
    if question or several:
        number = {2: "two", 3: "three", 4: "four", 5: "five"}.get(count, "several")
        return f'{obj} has {number} things that could mean "{phrase}". Which one do you mean?'
    if count:
        return f'{obj} has no field called "{phrase}" that this user can see. Did you mean one of these?'
    return f'{obj} has no field called "{phrase}" that this user can see. Which field do you mean?'


def _hint(name: str, fields: Fields) -> str:
    entry = fields[name]
    parts = [name, str(entry.get("type") or "")]
    choices = [str(choice) for choice in entry.get("choices") or ()]
    if choices:
        parts.append(", ".join(choices[:3]) + (", ..." if len(choices) > 3 else ""))
    return "; ".join(part for part in parts if part)


def name_columns(
    names: Sequence[str],
    fields: Fields,
    obj: str,
    request: Request,
    system: str,
    target: Fields | None,
    to_sql: bool,
    key: str,
) -> tuple[Column, ...]:
    """Columns for fields: those of an existing table that fit, else snake case; the key carries the system's name."""
    columns: list[Column] = []
    taken: set[str] = set()
    for name in names:
        column = name if not to_sql else _column(name, fields, obj, system, target, taken, is_key=name == key)
        column = _asked(name, column, fields, request, to_sql)
        while column in taken:
            column += "_"
        taken.add(column)
        columns.append(Column(name, column, label_of(name, fields)))
    return tuple(columns)


def _asked(name: str, column: str, fields: Fields, request: Request, to_sql: bool) -> str:
    for said, wish in request.renames:
        if said == name or (
            said not in fields and max(likeness(said, name, label_of(name, fields)), likeness(said, column)) >= 0.9
        ):
            column = snake(wish) if to_sql and not wish.isidentifier() else wish
    return column


def _column(
    name: str, fields: Fields, obj: str, system: str, target: Fields | None, taken: set[str], *, is_key: bool
) -> str:
    plain = snake(name)
    if is_key and system:
        plain = f"{system}_id"
    if not target:
        return plain
    free = [column for column in target if column not in taken]
    candidates = [plain, snake(name), snake(label_of(name, fields))]
    if is_key and system:
        candidates += [
            f"{system}_{snake(obj)}_id",
            f"{snake(obj)}_id",
            "external_id",
            "source_id",
            f"{system}id",
            "sf_id" if system == "" else plain,
        ]
    for candidate in candidates:
        if candidate in free and not (is_key and system and candidate == "id"):
            return candidate
    if is_key:
        return plain
    scored = [
        (max(likeness(name, column), likeness(label_of(name, fields), column, "", obj)), column) for column in free
    ]
    ranked = sorted((entry for entry in scored if entry[0] >= 0.72), key=lambda entry: -entry[0])
    if ranked and (len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= 0.1):
        return ranked[0][1]
    return plain

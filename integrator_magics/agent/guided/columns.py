"""Fields of a request: which are read, and the columns they go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .explain import and_list
from .fields import Fields, default_fields, key_field, match_field, readable
from .knowledge import Knowledge
from .plan import Column
from .request import Request
from .steps import Ask, Choice
from .words import likeness, slug, snake, tokens

__all__ = ["Chosen", "choose_fields", "label_of", "name_columns", "question_for"]

LEAVE_OUT = "Leave it out"


@dataclass(frozen=True)
class Chosen:
    """Fields to read, joins that an answer asked for ({join, show, label}), and what to tell the user."""

    names: tuple[str, ...]
    joins: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    withs: tuple[str, ...] = ()  # phrases that are no field: joins or conditions, perhaps


def label_of(name: str, fields: Fields) -> str:
    """What to call a field towards people."""
    return str(fields[name].get("label") or name) if name in fields else name


def choose_fields(
    request: Request,
    fields: Fields,
    obj: str,
    driver: Mapping[str, Any],
    known: Knowledge,
    fill: Mapping[str, float] | None = None,
) -> Chosen:
    """The fields that the phrases of a request mean. Raises Ask where one is not clear."""
    usable = readable(fields)
    key = key_field(usable, obj)
    names: list[str] = []
    joins: list[Mapping[str, str]] = []
    notes: list[str] = []
    left: list[str] = []
    wanted = [*request.fields]
    soft = [*request.withs]
    if request.everything:
        names += usable
    for phrase in [*wanted, *request.added]:
        found, join = _one(phrase, usable, obj, driver, known)
        names += found
        joins += join
    for phrase in soft:
        match = match_field(phrase, usable, obj)
        if match.sure and not _is_join(phrase, obj, driver):
            names += match.names
        elif (question := question_for(phrase, obj, driver)) and not _is_join(phrase, obj, driver):
            found, join = _ask(phrase, question, usable, obj, known)
            names += found
            joins += join
        else:
            left.append(phrase)
    if not wanted and not request.everything and (not names or not (set(soft) - set(left))):
        defaults = default_fields(usable, obj, driver.get("created"))
        names = [*defaults, *names]
        if len(defaults) < len(usable):
            said = and_list([label_of(name, usable) for name in defaults])
            notes.append(f"You named no fields, so I took {said}; say what to add or drop.")
    if key and key not in names:
        names.insert(0, key)
    for phrase in request.drops:
        match = match_field(phrase, {name: usable[name] for name in dict.fromkeys(names)}, obj)
        for name in match.names[:1] if match.several else match.names if match.sure else ():
            if name == key and request.target:
                notes.append(f"{label_of(name, usable)} stays, because known records are recognised by it.")
            elif name in names:
                names = [entry for entry in names if entry != name]
        if not match.names:
            notes.append(f'There is no "{phrase}" among the columns, so nothing was dropped for it.')
    return Chosen(tuple(dict.fromkeys(names)), tuple(joins), tuple(notes), tuple(left))


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


def _is_join(phrase: str, obj: str, driver: Mapping[str, Any]) -> bool:
    return any(
        str(join["start"]).split(".")[0] == obj and tokens(phrase) in [tokens(word) for word in join["words"]]
        for join in driver.get("joins") or ()
    )


def _one(
    phrase: str, fields: Fields, obj: str, driver: Mapping[str, Any], known: Knowledge
) -> tuple[list[str], list[Mapping[str, str]]]:
    exact = match_field(phrase, fields, obj)
    question = question_for(phrase, obj, driver)
    if question and not (exact.sure and likeness(phrase, exact.names[0], label_of(exact.names[0], fields)) == 1.0):
        return _ask(phrase, question, fields, obj, known)
    if exact.sure:
        return list(exact.names), []
    if any(_is_join(phrase, obj, driver) for _ in (0,)):
        return [], [{"join": phrase}]
    return _ask(phrase, None, fields, obj, known, exact.names, exact.several)


def _ask(
    phrase: str,
    question: Mapping[str, Any] | None,
    fields: Fields,
    obj: str,
    known: Knowledge,
    near: Sequence[str] = (),
    several: bool = False,
) -> tuple[list[str], list[Mapping[str, str]]]:
    choices: list[Choice] = []
    if question:
        for entry in question["choices"]:
            head = str(entry.get("field") or "").split(".")[0]
            if "field" in entry and "." not in str(entry["field"]) and head not in fields:
                continue
            choices.append(Choice(str(entry["label"]), str(entry.get("hint") or ""), dict(entry)))
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
            return ([value["field"]], []) if "field" in value and "." not in value["field"] else ([], [value])
    for choice in choices:
        field = str(choice.value.get("field") or "")
        if field and likeness(answer.text, field, choice.label) >= 0.9:
            return [field], []
    pieces = [piece for piece in answer.text.replace(" and ", ",").split(",") if piece.strip()]
    both = [_free(piece, choices, fields, obj) for piece in pieces]
    if both and all(both):
        names = [str(value["field"]) for value in both if value and "." not in str(value.get("field", "."))]
        return names, [value for value in both if value and "." in str(value.get("field", "."))]
    again = slug(f"field {answer.text}")
    if again == slot or known.asked(slot) > 3:
        return [], []
    match = match_field(answer.text, fields, obj)
    if match.sure:
        return list(match.names), []
    return _ask(answer.text, None, fields, obj, known, match.names, match.several)


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
        if max(likeness(said, name, label_of(name, fields)), likeness(said, column)) >= 0.9:
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
    ranked = sorted(
        ((max(likeness(name, column), likeness(label_of(name, fields), column, "", obj)), column) for column in free),
        key=lambda entry: -entry[0],
    )
    if ranked and ranked[0][0] >= 0.94 and (len(ranked) == 1 or ranked[1][0] < ranked[0][0]):
        return ranked[0][1]
    return plain


def with_fields(request: Request, phrases: Sequence[str]) -> Request:
    """The request with these field phrases added."""
    return replace(request, added=(*request.added, *phrases))

"""What counts as a good one, and where it counts: the definitions behind a rate, asked for in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from .answers import Answer
from .conditions import Filter, flags_called, read_condition
from .fields import Fields, readable, time_fields
from .joins import Join, Wish, field_of, object_of, steps_for
from .knowledge import Knowledge
from .plan import JoinStep, Plan, Rate
from .pretty import quoted
from .steps import Ask, Choice, Say, ToolCall
from .windows import Window, find_window
from .words import plural, singular, tokens

__all__ = ["asked_window", "rate_of"]

# Words by which systems say that something went well.
_GOOD = (
    "converted",
    "won",
    "paid",
    "qualified",
    "completed",
    "accepted",
    "signed",
    "approved",
    "responded",
    "delivered",
)
_SMALL = 5  # a group of fewer is not ranked where nobody was asked


@dataclass(frozen=True)
class _Outcome:
    """One way to tell a good one."""

    label: str
    hint: str
    hit: str
    words: str
    fields: tuple[str, ...] = ()
    way: tuple[Join, str] | None = None  # joined to, and the field read there


def rate_of(plan: Plan, word: str, minimum: bool, fields: Fields, driver: Mapping[str, Any], known: Knowledge) -> Rate:
    """The rate of a question: asks what counts, who gets the credit and from how many on a group is ranked."""
    usable = readable(fields)
    outcome = _outcome(plan, word, usable, driver, known)
    said = word if word != "good" else (tokens(outcome.words) or ["good"])[0]
    joins: tuple[JoinStep, ...] = ()
    if outcome.way:
        joins = steps_for([Wish(outcome.way[0], outcome.way[1])], plan.object, fields, driver, known)
    happened = _happened(word, usable, plan, driver)
    rate = Rate(said, outcome.hit, outcome.words, outcome.fields, joins, happened=happened)
    rate = replace(rate, happened_is_time=bool(happened) and usable[happened].get("type") == "datetime")
    if plan.group_join and plan.group_join[0].many:
        rate = _credited(rate, plan, driver, known)
    return replace(rate, minimum=_minimum(plan, known) if minimum else (_SMALL if plan.group else 0))


def _outcome(plan: Plan, word: str, fields: Fields, driver: Mapping[str, Any], known: Knowledge) -> _Outcome:
    found = _outcomes(plan, word, fields, driver, known)
    if len(found) == 1:
        return found[0]
    slot = "outcome"
    reply = known.answer(slot)
    one = singular(plan.noun.split()[-1])
    asked = f'When does a {one} count as "{word}"?' if word != "good" else f"What makes a {one} a good one?"
    if not found:
        asked = f'{plan.object} has no field that says whether a {one} is "{word}". Which field and value tell it?'
    if reply is None:
        raise Ask(slot, asked, [Choice(entry.label, entry.hint, entry) for entry in found])
    answer, _ = reply
    if answer.index is not None and answer.index < len(found):
        return found[answer.index]
    reading = read_condition(answer.text, fields, plan.object)
    if not reading.filters:
        raise Say(
            f'{plan.object} has no field that fits "{answer.text}", so I can\'t work out that rate. '
            f"`%discover {plan.source.name} {plan.object}` shows what it has."
        )
    return _by_filters(reading.filters[0], plan)


def _outcomes(plan: Plan, word: str, fields: Fields, driver: Mapping[str, Any], known: Knowledge) -> list[_Outcome]:
    words = _GOOD if word == "good" else (word,)
    found = [
        _by_filters(filters, plan)
        for entry in words
        for filters in read_condition(f"only {entry}", fields, plan.object).filters
    ]
    for join in driver.get("joins") or ():
        called = {part for entry in join["words"] for part in tokens(entry)}
        start = field_of(join["start"])
        if object_of(join["start"]) == plan.object and "one" not in join and start in fields and called & set(words):
            found += _behind(join, start, plan, known)
    return list({entry.hit: entry for entry in found}.values())


def _by_filters(filters: Sequence[Filter], plan: Plan) -> _Outcome:
    words = " and ".join(entry.words for entry in filters)
    label = words.removesuffix(" is true")
    hint = f"the {singular(plan.noun.split()[-1])} itself says so: {words}"
    code = " and ".join(_code(entry) for entry in filters)
    return _Outcome(label, hint, code, words, tuple(dict.fromkeys(entry.field for entry in filters)))


def _code(test: Filter) -> str:
    """A condition on the row at hand."""
    value = f"row[{quoted(test.field)}]"
    if test.code in ("True", "False") and test.op == "=":
        return value if test.code == "True" else f"{value} is False"
    if test.op in ("is null", "not null"):
        return f"{value} is {'not ' if test.op == 'not null' else ''}None"
    if test.op == "contains":
        return f"{test.code} in ({value} or '')"
    if test.op in ("in", "not in", "=", "!="):
        return f"{value} {'==' if test.op == '=' else test.op} {test.code}"
    return f"({value} is not None and {value} {test.op} {test.code})"


def _behind(join: Join, start: str, plan: Plan, known: Knowledge) -> list[_Outcome]:
    """That it led to a record of another object, and that this one went well."""
    other = object_of(join["to"])
    call = ToolCall("get_fields", {"system": plan.source.name, "object": other})
    there = readable(known.need(f"I am looking at the fields of {other}, reading only.", call)[0].get("fields") or {})
    name = str(join["words"][0])
    found = [
        _Outcome(
            f"It has an {name}" if name[0] in "aeiou" else f"It has a {name}",
            f"{'an' if name[0] in 'aeiou' else 'a'} {name} was made from it",
            f"row[{quoted(start)}] is not None",
            f"has a{'n' if name[0] in 'aeiou' else ''} {name}",
            (start,),
        )
    ]
    for word in _GOOD:
        for flag in flags_called(word, there, other):
            column = f"{other.rpartition('.')[2]}.{flag}"
            found.append(
                _Outcome(
                    f"Its {name} was {word}",
                    "the strictest; those still open do not count",
                    f"row[{quoted(column)}]",
                    f"{name} was {word}",
                    (start,),
                    (join, flag),
                )
            )
    return found


def _happened(word: str, fields: Fields, plan: Plan, driver: Mapping[str, Any]) -> str:
    """The date that tells when it became one."""
    found = time_fields(fields, word, plan.object, driver.get("created"), driver.get("cursor"))
    return found[0] if len(found) == 1 and found[0] not in (driver.get("created"), driver.get("cursor")) else ""


def _credited(rate: Rate, plan: Plan, driver: Mapping[str, Any], known: Knowledge) -> Rate:
    """A record can be in several groups: which of them gets the credit."""
    link = plan.group_join[0]
    call = ToolCall("get_fields", {"system": plan.source.name, "object": link.object})
    there = readable(known.need("", call)[0].get("fields") or {})
    times = time_fields(there, "created", link.object, driver.get("created"))
    touched = f"{link.prefix}{times[0]}" if len(times) == 1 else ""
    one, group = singular(plan.noun.split()[-1]), plan.group_label
    choices = [
        Choice(f"Every {group} it was in", "counts once in each, so the columns do not add up", ("each", None)),
    ]
    if touched:
        before = f", before it {rate.word}" if rate.happened and rate.word.endswith("ed") else ""
        choices += [
            Choice(f"The first {group}", f"what brought the {one} in first", ("first", None)),
            Choice(f"The last {group}", f"the latest one it was in{before}", ("last", None)),
        ]
    direct = _named_by(plan, driver)
    if direct:
        through = str(direct[0]["words"][0])
        hint = f"a success counts only for the {group} that the {through} names; {plural(one)} count in each"
        choices.append(Choice(f"The {group} its {through} names", hint, ("named", direct)))
    credit, way = "each", None
    if len(choices) > 1:
        reply = known.answer("credit")
        if reply is None:
            question = f"A {one} can be in several {plural(group)}. Which one gets the credit?"
            raise Ask("credit", question, choices)
        credit, way = choices[_index(reply[0], choices)].value
    if way:
        return _by_name(rate, plan, way, driver, known)
    return replace(rate, credit=credit, touched=touched)


def _named_by(plan: Plan, driver: Mapping[str, Any]) -> tuple[Join, Join] | None:
    """What came of the record, and its own reference to the group: an opportunity's campaign."""
    joins: Sequence[Join] = driver.get("joins") or ()
    goal = plan.group_join[-1].object
    for first in joins:
        if object_of(first["start"]) != plan.object or field_of(first["to"]).casefold() != "id":
            continue
        for second in joins:
            if object_of(second["start"]) == object_of(first["to"]) and object_of(second["to"]) == goal:
                return first, second
    return None


def _by_name(rate: Rate, plan: Plan, way: tuple[Join, Join], driver: Mapping[str, Any], known: Knowledge) -> Rate:
    first, second = way
    wishes = [Wish(first, field_of(second["start"]))]
    wishes += [Wish(first, field) for step in rate.joins for field in step.shown]
    call = ToolCall("get_fields", {"system": plan.source.name, "object": plan.object})
    fields: Fields = known.need("", call)[0].get("fields") or {}
    steps = steps_for(wishes, plan.object, fields, driver, known)
    column = f"{steps[0].prefix}{field_of(second['start'])}"
    hit = f"{rate.hit} and row[{quoted(column)}] == row[{quoted(plan.group_key)}]"
    start = field_of(first["start"])
    needed = tuple(dict.fromkeys((*rate.fields, start)))
    return replace(rate, hit=hit, fields=needed, joins=steps, credit="each", touched="")


def _index(answer: Answer, choices: Sequence[Choice]) -> int:
    """The chosen one; the first for words that fit none."""
    if answer.index is not None and answer.index < len(choices):
        return answer.index
    said = set(tokens(answer.text))
    fitting = [place for place, choice in enumerate(choices) if said & (set(tokens(choice.label)) - {"the", "it"})]
    return fitting[0] if fitting else 0


def asked_window(plan: Plan, fields: Fields, driver: Mapping[str, Any], today: date, known: Knowledge) -> Window | None:
    """From when on records count; None for all."""
    times = time_fields(readable(fields), "created", plan.object, driver.get("created"))
    if len(times) != 1:
        return None
    periods = ("the last 12 months", "this year", "last quarter", "the last 30 days")
    choices = [Choice(f"All {plan.noun}", "from the beginning")]
    choices += [Choice(f"Created {period if period.startswith('this') else 'in ' + period}") for period in periods]
    choices[3] = Choice("Created last quarter")
    reply = known.answer("period")
    if reply is None:
        raise Ask("period", f"{plan.noun[:1].upper()}{plan.noun[1:]} of which time?", choices)
    answer, _ = reply
    if answer.index == 0:
        return None
    text = choices[answer.index].label if answer.index is not None else answer.text
    window = find_window(text, today)
    if window is None and answer.index is None and not set(tokens(text)) & {"all", "everything", "any", "always"}:
        raise Say(f'I did not understand the time "{text}". Say it like "the last 6 months", "since March" or "2025".')
    return window


def _minimum(plan: Plan, known: Knowledge) -> int:
    """How many records a group needs to be ranked."""
    group = plan.group_label
    question = f"How many {plan.noun} does a {group} need to be ranked?"
    choices = [
        Choice("At least 20", "1 of 1 is 100 % too; smaller ones are shown, not ranked"),
        Choice("At least 50"),
        Choice("At least 100"),
        Choice("No minimum", "ranks every one, however small"),
    ]
    reply = known.answer("minimum")
    if reply is None:
        raise Ask("minimum", question, choices)
    answer, _ = reply
    if answer.index is not None:
        return (20, 50, 100, 0)[answer.index]
    numbers = [int(word) for word in tokens(answer.text) if word.isdigit()]
    if numbers:
        return numbers[0]
    if set(tokens(answer.text)) & {"no", "none", "all", "any"}:
        return 0
    raise Say(f'I need a number of {plan.noun}, such as 20, and did not find one in "{answer.text}".')

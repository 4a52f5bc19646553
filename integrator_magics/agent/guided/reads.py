"""Lines that read an object, keep some of its records and put others beside them."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from .plan import JoinStep, Plan, Presence
from .pretty import Node, call, listing, quoted
from .words import slug, snake, word_set

__all__ = ["beside", "kept", "read_of", "side", "variable", "where_of"]

_RESERVED = word_set(
    "band bands before best best_percent chance change count counter counts date datetime day days days_ago "
    "defaultdict did everyone extra fields found good groups hits join latest line lines main median members name "
    "names now period ranked rate result row rows run several share show size small source start_of sync table "
    "target text timedelta total totals touches value values"
)


def variable(name: str, taken: Iterable[str] = ()) -> str:
    """A variable of that name that hides nothing."""
    text = slug(name)
    text = f"n_{text}" if text[0].isdigit() else text
    used = {*taken, *_RESERVED, *dir(builtins)}
    while keyword.iskeyword(text) or keyword.issoftkeyword(text) or text in used:
        text += "_"
    return text


def where_of(plan: Plan) -> Node | None:
    """The conditions, None without any."""
    return listing([condition.line() for condition in plan.where]) if plan.where else None


def read_of(plan: Plan, client: str, fields: Iterable[str], *, spread: bool = False) -> Node:
    """The read of the object asked for."""
    return call(
        f"{client}.read",
        [quoted(plan.object)],
        fields=listing([quoted(name) for name in dict.fromkeys(fields)]),
        where=where_of(plan),
        limit=str(plan.limit) if plan.limit and not (plan.order or plan.presences or plan.measure) else None,
        spread=spread,
    )


def kept(presence: Presence, client: str, noun: str, taken: set[str]) -> list[str]:
    """Only records whose value another object has, or has not."""
    start, key = presence.start, presence.key
    there = variable(f"in_{snake(presence.object.rpartition('.')[2])}", taken)
    taken.add(there)
    where = listing([condition.line() for condition in presence.filters]) if presence.filters else None
    read = call(f"{client}.read", [quoted(presence.object)], fields=listing([quoted(key)]), where=where)
    whole = Node("{", [f"row[{quoted(key)}] for row in {read.flat()}"], "}")
    test = "in" if presence.wanted else "not in"
    lines = whole.lines(8, f"{there} = ")
    if len(lines) > 1:
        lines = [*read.lines(8, f"{there} = "), f"        {there} = {{row[{quoted(key)}] for row in {there}}}"]
    return [
        *lines,
        f"        {noun} = Records({noun}.fields, [row for row in {noun} if row[{quoted(start)}] {test} {there}])",
    ]


def side(step: JoinStep, client: str, taken: set[str]) -> tuple[str, list[str]]:
    """The variable of another object, and the lines that read it."""
    name = variable(snake(step.object.rpartition(".")[2]), taken)
    taken.add(name)
    read = call(f"{client}.read", [quoted(step.object)], fields=listing([quoted(field) for field in step.fields]))
    return name, read.lines(8, f"{name} = ")


def beside(step: JoinStep, client: str, noun: str, taken: set[str]) -> list[str]:
    """Another object is read and joined."""
    name, lines = side(step, client, taken)
    joined = call(
        "join",
        [noun, name, quoted(step.start), quoted(step.key)],
        keep=quoted(step.keep) if step.keep != "left" else None,
        prefix=quoted(step.prefix),
    )
    return [*lines, *joined.lines(8, f"{noun} = ")]

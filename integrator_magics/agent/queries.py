"""Objects and fields that a SOQL or SQL text names, as far as it is plain enough to be read safely."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Selected", "selected"]

_STRING = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_NO_FIELDS = re.compile(r"and|or|not|like|in|includes|excludes|null|true|false|then|else|when|end", re.IGNORECASE)


@dataclass(frozen=True)
class Selected:
    """An object and the fields of it that a query names."""

    object: str
    fields: list[str] = field(default_factory=list)


def selected(text: str, kind: str) -> Iterator[Selected]:
    """What a query reads; nothing where it can't be told. `kind` is the driver's: sql, or another with SOQL."""
    if kind == "sql":
        yield from _sql(text)
    elif re.match(r"\s*SELECT\b", text, re.IGNORECASE):
        yield from _soql(text)


def _soql(text: str) -> Iterator[Selected]:
    plain = _STRING.sub("''", text)
    plain = _without_children(plain)
    match = re.match(
        r"\s*SELECT\s+(?P<list>.+?)\s+FROM\s+(?P<object>\w+)(?:\s+(?:AS\s+)?(?P<alias>(?!WHERE|USING|WITH|GROUP|ORDER|"
        r"LIMIT|OFFSET|FOR|HAVING)\w+))?(?P<rest>.*)$",
        plain,
        re.IGNORECASE | re.DOTALL,
    )
    if not match:
        return
    names = [name for item in match["list"].split(",") for name in _list_fields(item)]
    conditions = re.split(r"\b(?:USING|LIMIT|OFFSET|FOR)\b", match["rest"], maxsplit=1, flags=re.IGNORECASE)[0]
    names += re.findall(r"([A-Za-z_][\w.]*)\s*(?:=|!=|<>|<=|>=|<|>|\bLIKE\b|\bIN\b|\bNOT\s+IN\b)", conditions, re.I)
    prefix = f"{match['alias'] or match['object']}."
    own = [name.removeprefix(prefix) for name in names]
    yield Selected(match["object"], list(dict.fromkeys(name for name in own if not _NO_FIELDS.fullmatch(name))))


def _without_children(text: str) -> str:
    """Without the parts in brackets that are queries of their own."""
    before = None
    while before != text:
        before = text
        text = re.sub(r"\(\s*SELECT\b[^()]*\)", "''", text, flags=re.IGNORECASE)
    return text


def _list_fields(item: str) -> list[str]:
    """The field of one entry of a field list; of a function the field inside it."""
    if re.match(r"\s*FIELDS\s*\(", item, re.IGNORECASE) or "''" in item:
        return []
    inner = re.match(r"\s*\w+\s*\(\s*([\w.]*)\s*\)", item)
    if inner:
        return [inner[1]] if inner[1] else []
    match = _NAME.match(item.strip())
    return [match[0]] if match else []


def _sql(text: str) -> Iterator[Selected]:
    import pglast
    from pglast import ast as sql
    from pglast.visitors import Visitor

    tables: list[str] = []
    own: set[str] = set()  # names that the query itself makes
    columns: list[str] = []

    class Names(Visitor):
        def visit_RangeVar(self, ancestors: Any, node: Any) -> None:
            tables.append(f"{node.schemaname}.{node.relname}" if node.schemaname else node.relname)

        def visit_CommonTableExpr(self, ancestors: Any, node: Any) -> None:
            own.add(node.ctename)

        def visit_ResTarget(self, ancestors: Any, node: Any) -> None:
            if node.name:
                own.add(node.name)

        def visit_ColumnRef(self, ancestors: Any, node: Any) -> None:
            last = node.fields[-1]
            if isinstance(last, sql.String):
                columns.append(str(last.sval))

    try:
        statements = pglast.parse_sql(re.sub(r"%%|%(?:\(\w+\))?[sbt]", "NULL", text))
    except pglast.parser.ParseError:
        return  # the preview says what is wrong with it
    Names()(statements)
    real = [name for name in dict.fromkeys(tables) if name not in own and not name.startswith(("pg_", "information_"))]
    for name in real:
        # Whose column it is can only be told where there is one table.
        yield Selected(
            name, [column for column in dict.fromkeys(columns) if column not in own] if len(real) == 1 else []
        )

"""Query texts inside a script: SQL and SOQL are judged like everything else it does."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from .folding import fold
from .model import Classification, Label, Reason, summed
from .soql import classify_soql
from .sql import classify_sql

__all__ = ["classify_query"]

_ORDER = list(Label)
_OF_FILTERS = (
    *(ast.Expression, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Name, ast.Constant, ast.List, ast.Tuple),
    *(ast.Load, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)
_PUT_TOGETHER = Reason(
    0, "would send a query that is put together at run time", "Write it as one text and pass values as parameters."
)
_NO_DRIVER = Reason(0, "would run query() on something that is no driver", "Select rows with df[df.column == value].")


def classify_query(
    call: ast.Call, dialects: Sequence[str], constants: Mapping[str, object], *, surely: bool
) -> Classification:
    """The verdict on the text of one `.query(...)` call.

    `dialects` holds sql, soql or both, and then the text must do for both; none = no driver is there. SOQL can't write,
    so parts of it may be filled in at run time; in SQL values go through parameters. Unless it is `surely` a driver's,
    a plain comparison of columns passes too: it is how pandas filters rows, and no query language.
    """
    argument = call.args[0] if call.args else _text_argument(call)
    if isinstance(argument, ast.Starred) or any(keyword.arg is None for keyword in call.keywords):
        return summed([_PUT_TOGETHER])
    text = fold(argument, constants)
    if isinstance(text, str) and not surely and _is_row_filter(text):
        return summed([])
    if not isinstance(text, str) and "sql" not in dialects:
        text = fold(argument, constants, hole="1")
        if not _is_soql(text):
            return summed([_PUT_TOGETHER])
    if not dialects:
        return summed([_NO_DRIVER])
    if not isinstance(text, str):
        return summed([_PUT_TOGETHER])
    parameters = len(call.args) > 1 or any(k.arg in ("params", "parameters", "values") for k in call.keywords)
    verdicts = []
    if "sql" in dialects:
        verdicts.append(classify_sql(_numbered(text) if parameters else text))
    if "soql" in dialects:
        verdicts.append(classify_soql(text))
    return max(verdicts, key=lambda verdict: _ORDER.index(verdict.label))


def _is_row_filter(text: str) -> bool:
    """`Amount > 100 and Stage == "Won"`, without a call or an attribute, which pandas would evaluate."""
    try:
        tree = ast.parse(re.sub(r"`([^`]*)`|@(?=[A-Za-z])", "x", text).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, _OF_FILTERS) for node in ast.walk(tree))


def _is_soql(text: object) -> bool:
    return isinstance(text, str) and re.match(r"\s*(?:SELECT|FIND)\b", text, re.I) is not None


def _text_argument(call: ast.Call) -> ast.expr | None:
    wanted = ("sql", "soql", "query", "statement", "text", "sosl")
    return next((keyword.value for keyword in call.keywords if keyword.arg in wanted), None)


def _numbered(sql: str) -> str:
    """psycopg's placeholders as PostgreSQL's."""
    count = 0

    def number(match: re.Match[str]) -> str:
        nonlocal count
        if match[0] == "%%":
            return "%"
        count += 1
        return f"${count}"

    return re.sub(r"%%|%(?:\(\w+\))?[sbt]", number, sql)

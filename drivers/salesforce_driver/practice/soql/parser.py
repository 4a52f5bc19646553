"""SOQL tokens to a tree. What is not understood is refused, never skipped."""

from __future__ import annotations

from typing import Literal, NoReturn

from ..errors import SalesforceError, at_position, unexpected_token
from .nodes import (
    And,
    Comparison,
    Condition,
    DateRange,
    Expression,
    Fields,
    Function,
    Literal_,
    Membership,
    Not,
    Or,
    Order,
    Path,
    Query,
    Selected,
    SubSelect,
    TypeOf,
)
from .ranges import COUNTED_RANGES, PLAIN_RANGES
from .tokens import Token, tokens

__all__ = ["AGGREGATES", "DATE_FUNCTIONS", "MAX_LENGTH", "parse"]

MAX_LENGTH = 100_000
MAX_OFFSET = 2_000
MAX_DEPTH = 50  # parentheses inside each other
MAX_SUBTOTALS = 3  # fields in ROLLUP or CUBE
AGGREGATES = frozenset(("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"))
DATE_FUNCTIONS = frozenset(
    (
        "CALENDAR_MONTH",
        "CALENDAR_QUARTER",
        "CALENDAR_YEAR",
        "DAY_IN_MONTH",
        "DAY_IN_WEEK",
        "DAY_IN_YEAR",
        "DAY_ONLY",
        "FISCAL_MONTH",
        "FISCAL_QUARTER",
        "FISCAL_YEAR",
        "HOUR_IN_DAY",
        "WEEK_IN_MONTH",
        "WEEK_IN_YEAR",
    )
)
_FUNCTIONS = AGGREGATES | DATE_FUNCTIONS | {"TOLABEL", "GROUPING"}
_CASE_WORDS = ("WHEN", "THEN", "ELSE", "END")
_RESERVED = frozenset(
    [
        "AND",
        "ASC",
        "DESC",
        "EXCLUDES",
        "FIRST",
        "FROM",
        "GROUP",
        "HAVING",
        "IN",
        "INCLUDES",
        "LAST",
        "LIKE",
        "LIMIT",
        "NOT",
        "NULL",
        "NULLS",
        "OR",
        "ORDER",
        "SELECT",
        "USING",
        "WHERE",
        "WITH",
    ]
)
_ENDS_ALIAS = _RESERVED | {"OFFSET", "FOR", "UPDATE", "ALL", "BY"}
_COMPARISONS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def parse(text: str) -> Query:
    """The query's tree. Raises SalesforceError (MALFORMED_QUERY) as Salesforce words it."""
    if len(text) > MAX_LENGTH:
        raise SalesforceError(400, "MALFORMED_QUERY", f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    parser = _Parser(text)
    query = parser.query(nested=False)
    parser.expect_end()
    return query


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def refuse(self, token: Token | None = None) -> NoReturn:
        token = token or self.next
        raise unexpected_token(self.text, token.position, token.text)

    def take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self.at += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "name" and self.next.upper in words

    def is_symbol(self, symbol: str) -> bool:
        return self.next.kind == "symbol" and self.next.text == symbol

    def accept_word(self, word: str) -> bool:
        found = self.is_word(word)
        self.at += found
        return found

    def accept_symbol(self, symbol: str) -> bool:
        found = self.is_symbol(symbol)
        self.at += found
        return found

    def expect_word(self, word: str) -> Token:
        if not self.is_word(word):
            self.refuse()
        return self.take()

    def expect_symbol(self, symbol: str) -> Token:
        if not self.is_symbol(symbol):
            self.refuse()
        return self.take()

    def expect_end(self) -> None:
        if self.next.kind != "end":
            self.refuse()

    def name(self) -> Token:
        if self.next.kind != "name" or self.next.upper in _RESERVED:
            self.refuse()
        return self.take()

    # SELECT ... FROM ... and its clauses, in their fixed order

    def query(self, nested: bool) -> Query:
        self.expect_word("SELECT")
        selected = [self.selected(nested)]
        while self.accept_symbol(","):
            selected.append(self.selected(nested))
        self.expect_word("FROM")
        source = self.object_name()
        source_text = source.text
        while nested and self.accept_symbol("."):
            source_text += "." + self.name().text
        alias = None
        self.accept_word("AS")
        if self.next.kind == "name" and self.next.upper not in _ENDS_ALIAS:
            alias = self.take().text
        where = self.condition() if self.accept_word("WHERE") else None
        group_by: tuple[Expression, ...] = ()
        subtotals: Literal["", "ROLLUP", "CUBE"] = ""
        having = None
        if self.is_word("GROUP"):
            self.take()
            self.expect_word("BY")
            if self.is_word("ROLLUP", "CUBE") and self.tokens[self.at + 1].text == "(":
                subtotals = "ROLLUP" if self.take().upper == "ROLLUP" else "CUBE"
                self.take()
                group_by = self.expressions()
                self.expect_symbol(")")
                if len(group_by) > MAX_SUBTOTALS:
                    self.refuse()
            else:
                group_by = self.expressions()
            having = self.condition() if self.accept_word("HAVING") else None
        order_by: tuple[Order, ...] = ()
        if self.is_word("ORDER"):
            self.take()
            self.expect_word("BY")
            order_by = self.orders()
        limit = self.whole_number() if self.accept_word("LIMIT") else None
        offset = 0
        if self.is_word("OFFSET"):
            self.take()
            offset = self.whole_number()
            if offset > MAX_OFFSET:
                raise SalesforceError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        return Query(
            self.text,
            tuple(selected),
            source_text,
            source.position,
            alias,
            where,
            group_by,
            subtotals,
            having,
            order_by,
            limit,
            offset,
        )

    def object_name(self) -> Token:
        """Group and Order are objects too."""
        return self.take() if self.is_word("GROUP", "ORDER") else self.name()

    def selected(self, nested: bool) -> Selected | SubSelect | Fields | TypeOf:
        if self.is_symbol("("):
            if nested:
                self.refuse()
            self.take()
            query = self.query(nested=True)
            self.expect_symbol(")")
            return SubSelect(query)
        if self.is_word("FIELDS") and self.tokens[self.at + 1].text == "(":
            return self.fields()
        if self.is_word("TYPEOF") and self.tokens[self.at + 1].kind == "name":
            self.take()
            return self.type_of()
        what = self.expression(any_function=True)
        alias = None
        if self.next.kind == "name" and self.next.upper not in _RESERVED:
            alias = self.take().text
        return Selected(what, alias)

    def fields(self) -> Fields:
        start = self.take()
        self.expect_symbol("(")
        group: Literal["ALL", "STANDARD", "CUSTOM"]
        match self.next.upper:
            case "ALL":
                group = "ALL"
            case "STANDARD":
                group = "STANDARD"
            case "CUSTOM":
                group = "CUSTOM"
            case _:
                self.refuse()
        self.take()
        self.expect_symbol(")")
        return Fields(group, start.position)

    def type_of(self) -> TypeOf:
        path = self.path(self.name())
        cases: list[tuple[str, int, tuple[Path, ...]]] = []
        while self.accept_word("WHEN"):
            name = self.object_name()
            self.expect_word("THEN")
            cases.append((name.text, name.position, self.case_fields()))
        if not cases:
            self.refuse()
        otherwise = self.case_fields() if self.accept_word("ELSE") else ()
        self.expect_word("END")
        return TypeOf(path, tuple(cases), otherwise)

    def case_fields(self) -> tuple[Path, ...]:
        found: list[Path] = []
        while not found or self.accept_symbol(","):
            if self.is_word(*_CASE_WORDS):
                self.refuse()
            found.append(self.path(self.name()))
        return tuple(found)

    def expression(self, any_function: bool = False) -> Expression:
        first = self.name()
        if self.is_symbol("("):
            if first.upper not in _FUNCTIONS:
                self.refuse()
            self.take()
            argument, in_user_zone = None, False
            if first.upper in DATE_FUNCTIONS and self.is_word("CONVERTTIMEZONE"):
                self.take()
                self.expect_symbol("(")
                argument, in_user_zone = self.path(self.name()), True
                self.expect_symbol(")")
            elif not self.is_symbol(")"):
                argument = self.path(self.name())
            self.expect_symbol(")")
            if argument is None and (first.upper != "COUNT" or not any_function):
                self.refuse(self.tokens[self.at - 1])
            return Function(first.upper, argument, first.position, in_user_zone)
        return self.path(first)

    def path(self, first: Token) -> Path:
        names = [first.text]
        while self.accept_symbol("."):
            if self.next.kind != "name":
                self.refuse()
            names.append(self.take().text)
        return Path(tuple(names), first.position)

    def expressions(self) -> tuple[Expression, ...]:
        found = [self.expression()]
        while self.accept_symbol(","):
            found.append(self.expression())
        return tuple(found)

    def orders(self) -> tuple[Order, ...]:
        found = [self.order()]
        while self.accept_symbol(","):
            found.append(self.order())
        return tuple(found)

    def order(self) -> Order:
        by = self.expression(any_function=True)
        descending = False
        if self.is_word("ASC", "DESC"):
            descending = self.take().upper == "DESC"
        nulls_last = False
        if self.accept_word("NULLS"):
            if not self.is_word("FIRST", "LAST"):
                self.refuse()
            nulls_last = self.take().upper == "LAST"
        return Order(by, descending, nulls_last)

    def whole_number(self) -> int:
        token = self.next
        if token.kind != "number" or not token.text.isdigit():
            self.refuse()
        self.take()
        return int(token.text)

    # conditions: AND and OR may not stand side by side without parentheses; NOT takes one condition

    def condition(self) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse()
        first = self.single()
        if not self.is_word("AND", "OR"):
            self.depth -= 1
            return first
        word = self.next.upper
        parts = [first]
        while self.accept_word(word):
            parts.append(self.single(allow_not=False))
        if self.is_word("AND", "OR"):
            self.refuse()
        self.depth -= 1
        return And(tuple(parts)) if word == "AND" else Or(tuple(parts))

    def single(self, allow_not: bool = True) -> Condition:
        if self.is_word("NOT") and allow_not:
            self.take()
            inner = self.single(allow_not=False)
            if self.is_word("AND", "OR"):
                self.refuse()
            return Not(inner)
        if self.accept_symbol("("):
            inner = self.condition()
            self.expect_symbol(")")
            return inner
        left = self.expression()
        operator = self.next
        if operator.kind == "symbol" and operator.text in _COMPARISONS:
            self.take()
            return Comparison(left, _COMPARISONS[operator.text], self.literal(), operator.position)
        if self.accept_word("LIKE"):
            return Comparison(left, "LIKE", self.literal(), operator.position)
        negated = self.accept_word("NOT")
        if not self.is_word("IN") and (negated or not self.is_word("INCLUDES", "EXCLUDES")):
            self.refuse()
        op = self.take().upper
        return Membership(left, "NOT IN" if negated else op, self.members(op), operator.position)

    def members(self, op: str) -> tuple[Literal_, ...] | Query:
        if self.is_symbol(":"):
            self.refuse()
        self.expect_symbol("(")
        values: tuple[Literal_, ...] | Query
        if op == "IN" and self.is_word("SELECT"):
            values = self.query(nested=True)
        else:
            found = [self.literal()]
            while self.accept_symbol(","):
                found.append(self.literal())
            values = tuple(found)
        self.expect_symbol(")")
        return values

    def literal(self) -> Literal_:
        token = self.take()
        match token.kind:
            case "string":
                return Literal_(token.value, token.kind, token.position, token.text[1:-1])
            case "number" | "date" | "datetime":
                return Literal_(token.value, token.kind, token.position)
            case "name":
                return self.word_literal(token)
            case _:
                return self.refuse(token)

    def word_literal(self, token: Token) -> Literal_:
        match token.upper:
            case "TRUE" | "FALSE":
                return Literal_(token.upper == "TRUE", "boolean", token.position)
            case "NULL":
                return Literal_(None, "null", token.position)
        if token.upper in PLAIN_RANGES:
            return Literal_(DateRange(token.upper, None), "range", token.position)
        if token.upper in COUNTED_RANGES:
            self.expect_symbol(":")
            n = self.whole_number()
            if n < 1 and "AGO" not in token.upper:
                raise at_position("MALFORMED_QUERY", self.text, token.position, "number must be greater than 0")
            return Literal_(DateRange(token.upper, n), "range", token.position)
        return self.refuse(token)

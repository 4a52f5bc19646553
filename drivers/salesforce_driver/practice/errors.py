"""How Salesforce words a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["SalesforceError", "at_position", "not_found", "unexpected_token"]

CONTEXT = 60  # characters shown on each side of the place of an error


class SalesforceError(Exception):
    """An answer of a status of 300 or more: [{message, errorCode, fields?}]."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def as_data(self) -> list[dict[str, Any]]:
        """The body of a REST answer."""
        item: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            item["fields"] = list(self.fields)
        return [item]

    def as_item(self) -> dict[str, Any]:
        """One failed record in the answer of a collection."""
        error = {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}
        return {"success": False, "errors": [error]}


def not_found(message: str = "The requested resource does not exist") -> SalesforceError:
    return SalesforceError(404, "NOT_FOUND", message)


def at_position(code: str, text: str, position: int, message: str) -> SalesforceError:
    """A query error with the place it happened: the line, a caret, row and column from 1."""
    row = text.count("\n", 0, position) + 1
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    column = position - start
    cut = max(0, column - CONTEXT)
    shown = line[cut : column + CONTEXT]
    caret = " " * (column - cut) + "^"
    return SalesforceError(400, code, f"\n{shown}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def unexpected_token(text: str, position: int, token: str) -> SalesforceError:
    return at_position("MALFORMED_QUERY", text, position, f"unexpected token: '{token or '<EOF>'}'")

"""How HubSpot words a refusal."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from integrator_practice.http import Response, json_response

__all__ = ["HubSpotError", "invalid", "invalid_values", "item", "not_found"]


class HubSpotError(Exception):
    """An answer of status 400 or more: {status, message, correlationId, category, context?, errors?}."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        context: Mapping[str, Sequence[str]] | None = None,
        errors: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.context = context
        self.errors = errors

    def as_data(self) -> dict[str, Any]:
        """The body of an answer."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
        }
        if self.context:
            body["context"] = {key: list(values) for key, values in self.context.items()}
        if self.errors:
            body["errors"] = [dict(entry) for entry in self.errors]
        return body

    def response(self) -> Response:
        return json_response(self.as_data(), self.status)


def item(error: HubSpotError, trace: str | None = None) -> dict[str, Any]:
    """One failed record in an answer of status 207."""
    context = {key: list(values) for key, values in (error.context or {}).items()}
    if trace is not None:
        context["objectWriteTraceId"] = [trace]
    return {
        "status": "error",
        "category": error.category,
        "message": error.message,
        "context": context,
        "links": {},
        "errors": [dict(entry) for entry in error.errors or ()],
    }


def invalid(message: str, **context: Sequence[str]) -> HubSpotError:
    return HubSpotError(400, "VALIDATION_ERROR", message, context)


def invalid_values(problems: Sequence[tuple[str, str, str]]) -> HubSpotError:
    """Property values that don't fit: (code, message, property), worded as HubSpot does."""
    told = [
        {"isValid": False, "message": message, "error": code, "name": name, "localizedErrorMessage": message}
        for code, message, name in problems
    ]
    errors = [
        {"message": message, "code": code, "context": {"propertyName": [name]}} for code, message, name in problems
    ]
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return HubSpotError(400, "VALIDATION_ERROR", f"Property values were not valid: {text}", None, errors)


def not_found(message: str = "resource not found") -> HubSpotError:
    return HubSpotError(404, "OBJECT_NOT_FOUND", message)

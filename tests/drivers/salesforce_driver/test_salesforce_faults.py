from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from simple_salesforce.exceptions import SalesforceGeneralError

from integrator_drivers.errors import (
    AuthError,
    DriverError,
    FieldNotFoundError,
    ForbiddenError,
    ObjectNotFoundError,
    RateLimitError,
    ValidationError,
)
from salesforce_driver.src.faults import reason_of, translate

RESPONSES = Path(__file__).parents[4] / "shared" / "salesforce-fixtures" / "responses"
FRAME = "\nSELECT Id, {0} FROM Lead\n           ^\nERROR at Row:1:Column:12\n{1}"


def error(status: int, content: Any) -> SalesforceGeneralError:
    return SalesforceGeneralError("https://acme.my.salesforce.com/x", status, "x", content)


def entry(code: str, message: str) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, "fields": []}]


CASES: list[tuple[int, Any, type[DriverError], str]] = [
    (
        400,
        entry("INVALID_FIELD", FRAME.format("Emial", "No such column 'Emial' on entity 'Lead'. If you are ...")),
        FieldNotFoundError,
        'Lead has no field "Emial" that this user can see. It may be hidden by field-level security.',
    ),
    (
        400,
        entry("INVALID_FIELD", "No such column 'foo' on sobject of type Bar"),
        FieldNotFoundError,
        'Bar has no field "foo" that this user can see. It may be hidden by field-level security.',
    ),
    (
        400,
        entry("INVALID_FIELD", FRAME.format("Campain.Name", "Didn't understand relationship 'Campain' in field path.")),
        FieldNotFoundError,
        'Salesforce knows no relationship "Campain" here. It may be hidden by field-level security.',
    ),
    (
        400,
        entry("INVALID_TYPE", FRAME.format("x", "sObject type 'XYZZY' is not supported. If you are attempting ...")),
        ObjectNotFoundError,
        'Salesforce has no object "XYZZY" that this user can see. The names of custom objects end in __c.',
    ),
    (
        400,
        entry("MALFORMED_QUERY", FRAME.format("x", "unexpected token: 'WHERE'")),
        ValidationError,
        "Salesforce did not understand the query: unexpected token: 'WHERE' (row 1 column 12)",
    ),
    (
        403,
        entry("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        RateLimitError,
        "Salesforce's daily API limit is used up. What was written before is kept; go on tomorrow, or raise the limit "
        "in Salesforce (Setup > Company Information).",
    ),
    (
        403,
        entry("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        RateLimitError,
        "Salesforce has too many long requests from this org at once. Try again in a minute.",
    ),
    (503, "<html>", RateLimitError, "Salesforce is busy (<html>). Try again in a minute."),
    (
        403,
        entry("INSUFFICIENT_ACCESS", "no rights"),
        ForbiddenError,
        "Salesforce does not allow this user to do that: no rights",
    ),
    (
        404,
        entry("NOT_FOUND", "The requested resource does not exist"),
        ObjectNotFoundError,
        "Salesforce has nothing there: The requested resource does not exist",
    ),
    (
        401,
        entry("INVALID_SESSION_ID", "Session expired or invalid"),
        AuthError,
        "Salesforce ended the session and refused a new one. Nothing more was read or written.",
    ),
    (
        414,
        "<h1>Bad Message 414</h1>",
        ValidationError,
        "The question is too long for Salesforce (16,384 bytes). Name fewer fields or values.",
    ),
    (
        500,
        entry("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
        ValidationError,
        "Salesforce refused the request: An unexpected error occurred.",
    ),
    (400, {}, ValidationError, "Salesforce refused the request: status 400"),
]


@pytest.mark.parametrize(
    ("status", "content", "kind", "sentence"), CASES, ids=[f"{c[0]}-{c[2].__name__}" for c in CASES]
)
def test_answers_become_errors_of_the_contract(
    status: int, content: Any, kind: type[DriverError], sentence: str
) -> None:
    found = translate(error(status, content))
    assert isinstance(found, kind)
    assert str(found) == sentence


def test_a_limit_says_when_to_come_back() -> None:
    found = translate(error(503, entry("SERVER_UNAVAILABLE", "busy")), 40.0)
    assert isinstance(found, RateLimitError)
    assert found.retry_after == 40
    assert str(found) == "Salesforce is busy (busy). Try again in 40 s."


def test_the_reason_leaves_out_the_query_with_its_values() -> None:
    message = (
        "\nSELECT Id FROM Lead WHERE Email = 'ann@old.example' AND\n     ^\nERROR at Row:1:Column:57\nunexpected end"
    )
    assert reason_of(message) == "unexpected end (row 1 column 57)"


def test_every_recorded_error_becomes_one_sentence() -> None:
    if not RESPONSES.exists():
        pytest.skip("the recorded responses are not beside this checkout")
    recorded = json.loads((RESPONSES / "cumulusci_interactions.json").read_text(encoding="utf-8"))
    seen = 0
    for status, body in _errors(recorded):
        said = str(translate(error(status, body)))
        assert said and "\n" not in said
        seen += 1
    assert seen


def _errors(recorded: Any) -> list[tuple[int, Any]]:
    """(status, body) of every recorded answer that is a list of errors."""
    found = []
    if isinstance(recorded, dict):
        if "errorCode" in recorded:
            found.append((400, [recorded]))
        for value in recorded.values():
            found += _errors(value)
    elif isinstance(recorded, list):
        for value in recorded:
            found += _errors(value)
    elif isinstance(recorded, str) and '"errorCode"' in recorded:
        found += _errors(json.loads(recorded))
    return found

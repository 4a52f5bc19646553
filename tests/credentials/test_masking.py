"""Personal values are shown so that their kind can be told and the person can't."""

from __future__ import annotations

from typing import Any

import pytest

from integrator_magics.credentials import mask


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("ann@example.com", "a**@e******.com"),
        ("b@x.org", "b*@x*.org"),
        ("first.last@mail.example.co.uk", "f*********@m**************.uk"),
        ("Ann Example", "A. E."),
        ("Ann", "A."),
        ("Ána Öztürk", "Á. Ö."),
        ("+49 30 1234567", "+** ** *****67"),
        ("(555) 010-9999", "(***) ***-**99"),
        ("12 Long Street, Springfield", "***"),
        ("one two three four five six", "***"),
        ("???", "***"),
        ("", ""),
        (None, None),
    ],
)
def test_text_is_masked(value: Any, shown: Any) -> None:
    assert mask(value, {"type": "text", "personal": True}) == shown


@pytest.mark.parametrize(
    ("value", "kind"), [("1980-02-03", "date"), (17, "integer"), (True, "boolean"), ({"a": 1}, "json")]
)
def test_other_personal_values_are_hidden(value: Any, kind: str) -> None:
    assert mask(value, {"type": kind, "personal": True}) == "***"


def test_a_personal_number_shows_two_digits_when_it_is_a_phone() -> None:
    assert mask("4915112345678", {"type": "text", "personal": True}) == "***********78"


@pytest.mark.parametrize("field", [{}, {"type": "text"}, {"type": "text", "personal": False}])
def test_what_is_not_personal_is_left(field: dict[str, Any]) -> None:
    assert mask("ann@example.com", field) == "ann@example.com"

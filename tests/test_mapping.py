from __future__ import annotations

from dataclasses import replace

import pytest

from integrator_magics.errors import IntegratorError
from integrator_magics.events import Mapped, MappedField
from integrator_magics.mapping import change_request

MAPPED = Mapped(
    "lead_sync",
    "Salesforce Lead",
    "PostgreSQL leads",
    [MappedField("Id", "sf_id", is_key=True), MappedField("Email", "email"), MappedField("Phone", "phone")],
    ["Title"],
)
ID, EMAIL, PHONE = MAPPED.fields


def test_an_untouched_table_asks_for_nothing() -> None:
    assert change_request(MAPPED, MAPPED.fields) == ""


def test_each_edit_becomes_a_wish() -> None:
    edited = [replace(ID, is_key=False), replace(EMAIL, column="mail", is_key=True), MappedField("Title", "title")]
    assert change_request(MAPPED, edited) == (
        "Rename the column email to mail. Add the field Title. Leave out the field Phone. Use mail as the key."
    )


@pytest.mark.parametrize(
    ("edited", "said"),
    [
        ([], "At least one"),
        ([replace(ID, column="")], "name of a column"),
        ([replace(ID, column="drop table x")], "name of a column"),
        ([ID, replace(EMAIL, column="phone"), PHONE], "Two fields would go into phone"),
        ([EMAIL, PHONE], "sf_id is the key"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_in_a_sentence(edited: list[MappedField], said: str) -> None:
    with pytest.raises(IntegratorError, match=said):
        change_request(MAPPED, edited)

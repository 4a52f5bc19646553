"""Phrases of people -> fields, conditions, columns."""

from __future__ import annotations

import pytest
from guided_worlds import BOOKING, GUEST, LEDGER_TABLES, field, real

from integrator_magics.agent.guided.conditions import read_condition
from integrator_magics.agent.guided.fields import default_fields, key_field, match_field, readable, time_fields
from integrator_magics.agent.guided.words import likeness, plural, singular, snake

LEAD = real()["salesforce"].objects["Lead"]["fields"]
INVOICE = LEDGER_TABLES["books.invoices"]["fields"]


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("email", ("Email",)),
        ("e-mail address", ("Email",)),
        ("mail", ("Email",)),
        ("name", ("Name",)),
        ("full name", ("Name",)),
        ("first name", ("FirstName",)),
        ("surname", ("LastName",)),
        ("phone number", ("Phone",)),
        ("telephone", ("Phone",)),
        ("mobile", ("MobilePhone",)),
        ("cell phone", ("MobilePhone",)),
        ("lead source", ("LeadSource",)),
        ("source", ("LeadSource",)),
        ("LeadSource", ("LeadSource",)),
        ("company", ("Company",)),
        ("organisation", ("Company",)),
        ("zip code", ("PostalCode",)),
        ("town", ("City",)),
        ("created date", ("CreatedDate",)),
        ("creation date", ("CreatedDate",)),
        ("job title", ("Title",)),
        ("annual revenue", ("AnnualRevenue",)),
        ("number of employees", ("NumberOfEmployees",)),
        ("industrie", ("Industry",)),
        ("adress", ("Street", "City", "State", "PostalCode", "Country")),
    ],
)
def test_a_phrase_names_a_field_of_a_lead(phrase: str, names: tuple[str, ...]) -> None:
    match = match_field(phrase, readable(LEAD) | {"Address": LEAD["Address"]} if "Address" in LEAD else LEAD, "Lead")
    assert match.sure, match
    assert match.names[: len(names)] == names or set(names) <= set(match.names)


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("name", "fullName"),
        ("email", "mail"),
        ("phone", "phoneNo"),
        ("status", "state"),
        ("total spent", "spent"),
        ("appetite", "appetiteLevel"),
        ("vip", "isVip"),
        ("date of birth", "birthday"),
    ],
)
def test_a_phrase_names_a_field_of_an_object_never_seen(phrase: str, name: str) -> None:
    match = match_field(phrase, GUEST, "Guest")
    assert match.names[0] == name
    assert match.sure


def test_a_phrase_that_fits_nothing_gives_near_names_only() -> None:
    match = match_field("shoe size", LEAD, "Lead")
    assert not match.sure


def test_first_and_last_name_stand_for_a_name_that_is_not_there() -> None:
    fields = {"first_name": field("text"), "last_name": field("text"), "email": field("text")}
    assert match_field("name", fields).names == ("first_name", "last_name")


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("status is active", [("state", "=", '"Active"')]),
        ("status is not Banned", [("state", "!=", '"Banned"')]),
        ("status Paused", [("state", "=", '"Paused"')]),
        ("only banned", [("state", "=", '"Banned"')]),
        ("only VIP", [("isVip", "=", "True")]),
        ("only not VIP", [("isVip", "=", "False")]),
        ("city is Berlin", [("city", "=", '"Berlin"')]),
        ("city = Berlin", [("city", "=", '"Berlin"')]),
        ("city in Berlin, Paris or Rome", [("city", "in", '["Berlin", "Paris", "Rome"]')]),
        ("city contains burg", [("city", "contains", '"burg"')]),
        ("with a phone", [("phoneNo", "not null", "None")]),
        ("without an email", [("mail", "is null", "None")]),
        ("phone is empty", [("phoneNo", "is null", "None")]),
        ("email is not empty", [("mail", "not null", "None")]),
        ("visits over 10", [("visits", ">", "10")]),
        ("at least 10 visits", [("visits", ">=", "10")]),
        ("total spent is more than 1,500.50", [("spent", ">", "1500.5")]),
        ("spent between 10 and 20", [("spent", ">=", "10"), ("spent", "<=", "20")]),
        ("visits >= 3", [("visits", ">=", "3")]),
    ],
)
def test_a_condition_on_guests_is_understood(phrase: str, wanted: list[tuple[str, str, str]]) -> None:
    reading = read_condition(phrase, GUEST, "Guest")
    assert reading.sure, reading
    assert [(entry.field, entry.op, entry.code) for entry in reading.filters[0]] == wanted


def test_a_country_is_looked_for_in_the_field_for_countries() -> None:
    reading = read_condition("from Germany", GUEST, "Guest")
    assert reading.sure
    assert [entry.field for entry in reading.filters[0]] == ["country"]


@pytest.mark.parametrize("phrase", ["in Springfield", "from Atlantis"])
def test_a_place_could_be_a_country_or_a_city(phrase: str) -> None:
    reading = read_condition(phrase, GUEST, "Guest")
    assert [entry[0].field for entry in reading.filters] == ["country", "city"]


@pytest.mark.parametrize("phrase", ["only purple", "shoe size is 42", "with a monocle"])
def test_a_condition_that_fits_no_field_has_no_reading(phrase: str) -> None:
    assert read_condition(phrase, GUEST, "Guest").filters == ()


def test_values_are_written_so_that_they_stay_values() -> None:
    reading = read_condition("city is O'Brien \"\\x", GUEST, "Guest")
    assert eval(reading.filters[0][0].code) == "O'Brien \"\\x".strip("\"'")  # a literal, made by the planner


@pytest.mark.parametrize(
    ("verb", "fields", "name"),
    [
        ("", BOOKING, "made_on"),
        ("created", BOOKING, "made_on"),
        ("served", BOOKING, "servedOn"),
        ("changed", BOOKING, "changed_on"),
        ("issued", INVOICE, "issued_on"),
        ("", INVOICE, "issued_on"),
    ],
)
def test_the_time_meant_is_found(verb: str, fields: dict[str, dict[str, object]], name: str) -> None:
    created, cursor = ("made_on", "changed_on") if fields is BOOKING else (None, None)
    assert time_fields(fields, verb, "Booking", created, cursor) == [name]


def test_defaults_are_key_name_email_and_when_it_was_made() -> None:
    chosen = default_fields(LEAD, "Lead", "CreatedDate")
    assert chosen[0] == "Id"
    assert {"Name", "Email", "CreatedDate"} <= set(chosen)
    assert key_field(INVOICE, "books.invoices") == "invoice_no"


@pytest.mark.parametrize(
    ("one", "many"),
    [("lead", "leads"), ("company", "companies"), ("address", "addresses"), ("status", "statuses"), ("box", "boxes"),
     ("person", "people"), ("day", "days"), ("news", "news"), ("match", "matches")],
)  # fmt: skip
def test_singular_and_plural_find_each_other(one: str, many: str) -> None:
    assert singular(many) == one
    assert plural(one) == many


@pytest.mark.parametrize(
    ("name", "column"),
    [("LeadSource", "lead_source"), ("Lead_Source__c", "lead_source"), ("e-mail", "email"), ("2nd Name", "n_2nd_name"),
     ("Größe", "grosse"), ("ID", "id"), ("HTTPStatusCode", "http_status_code"), ("日本", "value")],
)  # fmt: skip
def test_columns_are_plain_snake_case(name: str, column: str) -> None:
    assert snake(name) == column


def test_likeness_is_one_for_the_very_name() -> None:
    assert likeness("lead source", "LeadSource", "Lead Source") == 1.0
    assert likeness("shoe size", "LeadSource", "Lead Source") < 0.3

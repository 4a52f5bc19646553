"""Requests: systems, object, fields, conditions, files."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from guided_worlds import invented, real

from integrator_magics.agent.guided.lexicon import ANY_SQL, Lexicon
from integrator_magics.agent.guided.parse import is_delete, is_help, parse

TODAY = date(2026, 11, 21)
REAL = Lexicon.of(entry.facts() for entry in real().values())
INVENTED = Lexicon.of(entry.facts() for entry in invented().values())
SF, PG = "salesforce", "postgresql"

SENTENCES: list[tuple[str, dict[str, Any]]] = [
    (
        "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us",
        {"source": SF, "target": PG, "subject": "leads", "fields": ("name", "email", "how they got to us")},
    ),
    ("Copy all contacts from SFDC into Postgres", {"source": SF, "target": PG, "subject": "contacts"}),
    ("copy Salesforce leads to our database", {"source": SF, "target": ANY_SQL, "subject": "leads"}),
    ("Salesforce -> PostgreSQL: accounts", {"source": SF, "target": PG, "subject": "accounts"}),
    ("sync accounts between Salesforce and PostgreSQL", {"source": SF, "target": PG, "subject": "accounts"}),
    ("put the Salesforce contacts in our DB, only name and phone", {"target": ANY_SQL, "fields": ("name", "phone")}),
    ("Sync leads from salesfroce to PostgreSQL", {"source": SF, "target": PG}),
    ("store opportunities of Salesforce in PostgreSQL", {"source": SF, "target": PG, "subject": "opportunities"}),
    ("update Salesforce contacts from our database", {"source": ANY_SQL, "target": SF, "subject": "contacts"}),
    ("Sync leads from Mailchimp to PostgreSQL", {"unknown_system": "Mailchimp", "unknown_role": "source"}),
    ("Sync leads from Salesforce to Snowflake", {"unknown_system": "Snowflake", "unknown_role": "target"}),
    ("contacts from Germany to csv", {"unknown_system": "", "conditions": ("from Germany",)}),
    ("copy customers from postgres to postgres table customers_copy", {"source": PG, "table": "customers_copy"}),
    ("Copy the table customers from postgres to the table x_y", {"source_table": "customers", "table": "x_y"}),
    ("sync contacts from Salesforce to public.people", {"table": "public.people", "target": ANY_SQL}),
    ("sync contacts from Salesforce to PostgreSQL, into a table called crm_people", {"table": "crm_people"}),
    ("name and email of all leads", {"subject": "leads", "fields": ("name", "email")}),
    ("the names, emails and phone numbers of all contacts to csv", {"fields": ("names", "emails", "phone numbers")}),
    ("Export leads (name, email) to a file called hot.csv", {"fields": ("name", "email"), "formats": ("csv",)}),
    ("leads with campaign info", {"subject": "leads", "withs": ("campaign info",)}),
    ("leads with name, email and their campaign as json", {"withs": ("name", "email", "campaign")}),
    ("I need accounts, just the name and industry", {"subject": "accounts", "fields": ("name", "industry")}),
    ("all fields of accounts", {"subject": "accounts", "everything": True}),
    ("everything about contacts", {"subject": "contacts", "everything": True}),
    ("leads as CSV and JSON", {"formats": ("csv", "json")}),
    ("leads to json lines", {"formats": ("jsonl",)}),
    ("leads to leads.parquet", {"formats": ("parquet",)}),
    ("a spreadsheet of all leads", {"formats": ("excel",), "subject": "leads"}),
    ("export leads to a file", {"formats": ("",)}),
    ("leads where status is Open", {"conditions": ("status is Open",)}),
    ("leads whose country is Germany and city is Berlin", {"conditions": ("country is Germany", "city is Berlin")}),
    ("only converted leads", {"subject": "leads", "conditions": ("only converted",)}),
    ("leads, only the converted ones", {"conditions": ("only converted",)}),
    ("open opportunities over 10000", {"adjectives": ("open",), "conditions": ("over 10000",)}),
    ("opportunities with an amount over 10k", {"conditions": ("with an amount over 10k",)}),
    ("leads with an email", {"conditions": ("with an email",)}),
    ("leads without a campaign to csv", {"conditions": ("without a campaign",)}),
    ("accounts in Germany", {"conditions": ("in Germany",)}),
    ("opportunities with amount between 10 and 20", {"conditions": ("amount between 10 and 20",)}),
    ("first 100 accounts", {"limit": 100, "subject": "accounts"}),
    ("top 10 opportunities by amount", {"limit": 10, "order": "amount", "subject": "opportunities"}),
    ("the 5 accounts with the highest revenue", {"limit": 5, "order": "revenue", "subject": "accounts"}),
    ("sync contacts to our database, matched by email", {"key": "email"}),
    ("sync contacts to our database using email as the key", {"key": "email"}),
    ("customers from PostgreSQL to Salesforce contacts", {"subject": "customers", "target_subject": "contacts"}),
    ("leads, contacts and accounts to csv", {"subject": "leads", "others": ("contacts", "accounts")}),
    ("how many leads per source?", {"kind": "question", "measure": "count", "group": "source"}),
    ("count opportunities by stage", {"kind": "question", "group": "stage"}),
    ("which campaign has the most leads?", {"kind": "question", "group": "campaign", "subject": "leads"}),
    ("average amount of opportunities per stage", {"measure": "average", "of": "amount", "group": "stage"}),
    ("total amount of won opportunities", {"measure": "sum", "adjectives": ("won",)}),
    ("show me all campaigns", {"kind": "show", "subject": "campaigns"}),
    ("Sync leads from Salesforce to PostgreSQL every night at 3", {"cron": "0 3 * * *", "subject": "leads"}),
    ("leads of the last 30 days to csv", {"window": "days_ago(30)", "subject": "leads"}),
]


def _seen(text: str, lexicon: Lexicon) -> dict[str, Any]:
    request = parse(text, lexicon, TODAY)
    return {
        **vars(request),
        "formats": tuple(wish.format for wish in request.files),
        "window": request.window.short()[0] if request.window else None,
        "cron": request.schedule.cron if request.schedule else None,
    }


@pytest.mark.parametrize(("text", "wanted"), SENTENCES, ids=[entry[0] for entry in SENTENCES])
def test_a_request_is_understood(text: str, wanted: dict[str, Any]) -> None:
    seen = _seen(text, REAL)
    assert {key: seen[key] for key in wanted} == wanted


def test_words_of_a_driver_that_does_not_exist_are_understood_too() -> None:
    seen = _seen("Copy confirmed reservations of the last 2 weeks with truck info from FTC to the ledger db", INVENTED)
    assert seen["source"] == "foodtruck"
    assert seen["target"] == "ledger"
    assert seen["subject"] == "reservations"
    assert seen["adjectives"] == ("confirmed",)
    assert seen["withs"] == ("truck info",)


@pytest.mark.parametrize(
    ("text", "has_script", "wanted"),
    [
        ("delete all leads older than a year", False, True),
        ("please remove every customer without orders", False, True),
        ("erase duplicates", True, True),
        ("delete old leads", True, True),
        ("sync leads, then delete those that are gone", False, True),
        ("drop the email", True, False),
        ("delete the column email", True, False),
        ("remove the schedule", True, False),
        ("leave out the city", True, False),
        ("remove the filter", True, False),
        ("Sync leads from Salesforce to PostgreSQL", False, False),
    ],
)
def test_deletes_are_told_from_columns_that_are_dropped(text: str, has_script: bool, wanted: bool) -> None:
    assert is_delete(text, REAL, has_script=has_script) is wanted


@pytest.mark.parametrize("text", ["help", "hello", "What can you do?", "which systems do you know?"])
def test_greetings_and_questions_about_itself_are_help(text: str) -> None:
    assert is_help(text)
    assert not is_help(f"{text} Sync leads from Salesforce to PostgreSQL") or text.startswith(("What", "which"))

"""Requests with several targets: read from the sentence, asked about, and written as one script."""

from __future__ import annotations

import ast
from datetime import date
from typing import Any

import pytest
from guided_player import Player
from guided_worlds import invented, play, real

from integrator_drivers import registry
from integrator_magics.agent.guided.lexicon import ANY_SQL, Lexicon
from integrator_magics.agent.guided.parse import parse

TODAY = date(2026, 11, 21)
INVENTED = Lexicon.of(entry.facts() for entry in invented().values())
SHIPPED = Lexicon.of(
    {
        "name": entry.name,
        "label": entry.label,
        "kind": entry.kind,
        "aliases": list(entry.aliases),
        "words": {name: list(words) for name, words in entry.words.items()},
    }
    for entry in registry.manifests().values()
)
SF, PG, HS = "salesforce", "postgresql", "hubspot"

SENTENCES: list[tuple[str, str, str, list[tuple[str, str, str, str]]]] = [
    ("Sync leads from Salesforce to Hubspot, then to our DB", SF, HS, [(ANY_SQL, "", "", "")]),
    ("Sync contacts from HubSpot to Postgres and then to Salesforce", HS, PG, [(SF, "", "", "")]),
    ("Sync customers from our database to HubSpot and to a second table", ANY_SQL, HS, [(ANY_SQL, "", "", "")]),
    ("sync leads from Salesforce to HubSpot and PostgreSQL", SF, HS, [(PG, "", "", "")]),
    ("sync leads from Salesforce -> HubSpot -> PostgreSQL", SF, HS, [(PG, "", "", "")]),
    ("Sync accounts to HubSpot companies and our database from Salesforce", SF, HS, [(ANY_SQL, "", "", "")]),
    ("Take the leads from Salesforce, put them into HubSpot and afterwards store them in our DB", SF, HS,
     [(ANY_SQL, "", "", "")]),
    ("copy leads from Salesforce into HubSpot contacts and into the table public.leads2 in our DB every night", SF, HS,
     [(ANY_SQL, "public.leads2", "", "")]),
    ("Sync customers from our database to HubSpot contacts and Salesforce leads and to the table customers2", ANY_SQL,
     HS, [(SF, "", "leads", ""), (ANY_SQL, "customers2", "", "")]),
    ("Sync leads from Salesforce to HubSpot, then to our DB, then to a third table called leads_archive", SF, HS,
     [(ANY_SQL, "", "", ""), (ANY_SQL, "leads_archive", "", "")]),
]  # fmt: skip
ONE_TARGET = [
    "sync leads from Salesforce to PostgreSQL, in a table called x",
    "sync leads from Salesforce to the table x in our DB",
    "copy contacts from HubSpot and Salesforce to PostgreSQL",
    "Sync leads from Salesforce to PostgreSQL with the HubSpot id",
    "keep our leads table in sync with Salesforce",
    "update Salesforce contacts from our database",
]


@pytest.mark.parametrize(("text", "source", "target", "goals"), SENTENCES, ids=[entry[0] for entry in SENTENCES])
def test_every_target_is_read_in_order(text: str, source: str, target: str, goals: list[Any]) -> None:
    request = parse(text, SHIPPED, TODAY)
    assert (request.source, request.target) == (source, target)
    assert [(goal.system, goal.table, goal.subject, goal.key) for goal in request.goals] == goals


@pytest.mark.parametrize("text", ONE_TARGET)
def test_one_target_stays_one(text: str) -> None:
    assert parse(text, SHIPPED, TODAY).goals == ()


def test_the_first_target_can_have_a_key_and_a_list_of_fields_may_follow() -> None:
    request = parse("Push leads from Salesforce to HubSpot by email, then to our DB: name, email, city", SHIPPED, TODAY)
    assert (request.key, request.fields, len(request.goals)) == ("email", ("name", "email", "city"), 1)


def test_systems_nobody_has_seen_are_read_the_same_way() -> None:
    request = parse("Send Foodtruck guests to Pigeon Mail subscribers, then to the ledger db", INVENTED, TODAY)
    assert (request.source, request.target, request.target_subject) == ("foodtruck", "pigeon", "subscribers")
    assert [goal.system for goal in request.goals] == ["ledger"]


def targets(player: Player) -> list[dict[str, Any]]:
    """The targets of the newest script, as its text says them."""
    found = []
    for node in ast.walk(ast.parse(player.code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Target":
            entry = {keyword.arg: ast.literal_eval(keyword.value) for keyword in node.keywords}
            assert isinstance(node.args[0], ast.Name)
            found.append({"client": node.args[0].id, "object": ast.literal_eval(node.args[1]), **entry})
            if len(node.args) > 2:
                found[-1]["fields"] = ast.literal_eval(node.args[2])
    return found


def test_ids_of_a_system_are_kept_in_the_tables_behind_it() -> None:
    player = play("Send Foodtruck guests to Pigeon Mail subscribers, then to our database", systems=invented())
    assert "By which field do I recognise the subscribers that Pigeon Mail already has?" in player.question
    assert player.labels[0] == "E-mail address"
    assert "guests without one stay out of it" in player.options[0]["hint"]
    player.say("1")
    mail, table = targets(player)
    assert (mail["client"], mail["object"], mail["key"], mail["id_as"]) == (
        "pigeon", "subscribers", "address", "pigeon_id",
    )  # fmt: skip
    assert (table["client"], table["object"], table["key"]) == ("ledger", "books.guests", "foodtruck_id")
    assert table["fields"]["pigeon_id"] == "pigeon_id" and table["fields"]["key"] == "foodtruck_id"
    assert 'newest="changed_on"' in player.code
    assert len(player.scripts) == 1


def test_a_full_name_goes_apart_where_the_target_has_it_so() -> None:
    texts = ("Sync guests from Foodtruck to Pigeon Mail subscribers, then to our database: name, email", "1")
    mail, table = targets(play(*texts, systems=invented()))
    assert set(mail["fields"].values()) == {"address"}  # a guest has one name only
    assert "name" in table["fields"].values()


def test_a_second_table_in_the_source_is_asked_for_and_read_as_named() -> None:
    texts = ("Sync customers from our database to Salesforce contacts and to a second table", "customers_copy")
    player = play(*texts, systems=real())
    if player.question:
        player.say("email")
    first, second = targets(player)
    assert (first["client"], first["object"]) == ("salesforce", "Contact")
    assert second["object"] == "public.customers_copy"
    assert second["fields"]["salesforce_id"] == "salesforce_id"


def test_two_tables_in_one_database_need_two_names() -> None:
    text = "Sync leads from Salesforce to our database and then to a second table"
    player = play(text, systems=real())
    assert "is a target already" in player.question
    player.say("leads_archive")
    assert [entry["object"] for entry in targets(player)] == ["public.leads", "public.leads_archive"]


def test_the_plan_says_what_becomes_of_records_without_a_key() -> None:
    player = play("Send Foodtruck guests to Pigeon Mail subscribers, then to our database", "1", systems=invented())
    lines = " ".join(player.latest["explanation"])
    assert "leaves guests without an E-mail address out of Pigeon Mail (the other targets get them)" in lines
    assert "the newest counts" in lines
    assert "what one target refuses still reaches the others" in lines
    assert lines.endswith("never deletes anything.")


@pytest.mark.parametrize(
    "texts",
    [
        ("Sync leads from Salesforce to PostgreSQL every night: name, email",),
        ("Sync leads from Salesforce to PostgreSQL: name, email", "every night, and read only what changed"),
        ("Sync leads from Salesforce to PostgreSQL incrementally: name, email",),
    ],
)
def test_a_sync_that_runs_again_reads_only_what_changed(texts: tuple[str, ...]) -> None:
    player = play(*texts, systems=real())
    assert 'cursor="SystemModstamp"' in player.code
    lines = " ".join(player.latest["explanation"])
    assert "reads from the second run on only what changed since the last one (by SystemModstamp)" in lines
    assert "marks leads that are deleted in Salesforce with the time, in deleted_at" in lines


def test_a_schedule_alone_changes_one_line_and_says_what_else_there_is() -> None:
    player = play("Sync leads from Salesforce to PostgreSQL: name, email", "every night", systems=real())
    assert "cursor" not in player.code
    assert 'say "only what changed" to read just the changes' in player.final


def test_a_source_without_a_time_of_the_last_change_is_read_whole() -> None:
    player = play("Copy customers from postgres to Salesforce contacts every night: email", "1", systems=real())
    assert "cursor" not in player.code

"""Who is ahead: rates with their definitions asked for, credit, minimum; figures per something some joins away."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import pytest
from guided_player import Player, System
from guided_worlds import field, invented, manifest, play, real

from integrator_magics.agent.guided.standings import read_standing

QUESTION = "Which campaign brings the highest quality leads (ones that converted)?"

STANDINGS: list[tuple[str, dict[str, Any]]] = [
    (QUESTION, {"measure": "rate", "outcome": "converted", "group": "campaign", "subject": "leads"}),
    ("which truck brings the best guests?", {"measure": "rate", "outcome": "good", "group": "truck"}),
    ("Which lead source has the best conversion rate?", {"outcome": "converted", "subject": "leads"}),
    ("Which sales rep wins the most deals?", {"measure": "count", "condition": "won", "group": "sales rep"}),
    ("who lost the fewest deals", {"condition": "lost", "group": "owner", "ascending": True}),
    ("Which company size has most deals won?", {"measure": "count", "subject": "deals", "condition": "won"}),
    (
        "Which product category brings the most revenue per customer?",
        {"measure": "sum", "of": "revenue", "per": "customer", "group": "product category"},
    ),
    ("what percentage of leads converted?", {"measure": "rate", "outcome": "converted", "subject": "leads"}),
    ("win rate by industry", {"outcome": "won", "decided": True, "group": "industry"}),
    ("What is the share of cancelled orders per country?", {"outcome": "cancelled", "group": "country"}),
    ("share of orders per country", {"measure": "count", "shares": True, "group": "country"}),
    ("best selling products by quantity", {"measure": "sum", "of": "quantity", "group": "products"}),
    ("revenue per month", {"measure": "sum", "of": "revenue", "group": "month"}),
]


@pytest.mark.parametrize(("text", "wanted"), STANDINGS, ids=[entry[0] for entry in STANDINGS])
def test_a_question_of_who_is_ahead_is_read(text: str, wanted: Mapping[str, Any]) -> None:
    found = read_standing(text)
    assert found is not None
    assert {name: getattr(found, name) for name in wanted} == wanted


@pytest.mark.parametrize("text", ["copy all leads to our database", "leads of the last 30 days as csv"])
def test_other_sentences_are_no_such_question(text: str) -> None:
    assert read_standing(text) is None


def answered(player: Player, *texts: str) -> Player:
    for text in texts:
        assert player.question, player.final
        player.say(text)
    return player


def test_every_definition_behind_a_rate_is_asked_for_once() -> None:
    player = play(QUESTION)
    asked = [player.question]
    for text in ("Its opportunity was won", "The first campaign", "Created this year", "50"):
        player.say(text)
        asked.append(player.question)
    assert asked == [
        'When does a lead count as "converted"?',
        "A lead can be in several campaigns. Which one gets the credit?",
        "Leads of which time?",
        "How many leads does a campaign need to be ranked?",
        "",
    ]
    assert "MINIMUM = 50" in player.code
    assert 'if row["Opportunity.IsWon"]:' in player.code
    assert 'touches.setdefault(row["Id"], row)' in player.code
    assert '("CreatedDate", ">=", start_of("year"))' in player.code


def test_the_campaign_that_an_opportunity_names_gets_the_credit() -> None:
    player = answered(play(QUESTION), "Converted", "the one its opportunity names", "all", "no minimum")
    assert 'if row["IsConverted"] and row["Opportunity.CampaignId"] == row["Campaign.Id"]:' in player.code
    assert "MINIMUM" not in player.code


def test_what_came_after_the_success_does_not_count() -> None:
    player = answered(play(QUESTION), "1", "1", "1", "1")
    assert 'row["CampaignMember.CreatedDate"].date() > row["ConvertedDate"]' in player.code
    assert "the columns do not add up" in player.code
    assert "no clear lead" in player.code
    assert "does not count" in " ".join(player.latest["explanation"])


def test_an_answer_that_is_no_time_and_no_number_is_said_to_be_none() -> None:
    player = answered(play(QUESTION), "1", "1", "blue")
    assert "did not understand the time" in player.final
    player = answered(play(QUESTION), "1", "1", "1", "several")
    assert "need a number of leads" in player.final


def test_a_win_rate_is_of_closed_ones() -> None:
    player = play("win rate by lead source in Salesforce")
    assert '("IsClosed", "=", True)' in player.code
    assert "Open deals are not lost ones" in player.final


def test_a_rate_of_what_no_field_tells_is_asked_about() -> None:
    player = play("which city has the best cancellation rate of guests?", systems=invented())
    assert "no field that says whether" in player.question
    player.say("the moon is full")
    assert "no field that fits" in player.final
    assert not player.scripts


def test_labels_with_quotes_and_braces_stay_text() -> None:
    systems = invented()
    guest = systems["foodtruck"].objects["Guest"]["fields"]
    guest["tier"] = field("text", 'Tier "}{__import__}\n')
    player = play("which tier brings the best guests (ones that are VIP)?", systems=systems)
    while player.question:
        player.say("1")
    names = {node.id for node in ast.walk(ast.parse(player.code)) if isinstance(node, ast.Name)}
    assert "__import__" not in names


SHOP = """
name = "shop"
label = "Shop"
purpose = "Relational database of a shop"
kind = "sql"
client = "shop_driver:ShopClient"
[[env]]
name = "SHOP_DSN"
auth = "dsn"
"""


def shop() -> dict[str, System]:
    """Four tables that refer to each other."""
    tables: dict[str, dict[str, Any]] = {
        "regions": {"id": field("integer", primary_key=True), "name": field("text"), "continent": field("text")},
        "buyers": {
            "buyer_no": field("integer", primary_key=True),
            "name": field("text"),
            "region_id": field("integer", references=["regions"]),
        },
        "purchases": {
            "id": field("integer", primary_key=True),
            "buyer": field("integer", references=["buyers"]),
            "total": field("number"),
            "bought_at": field("datetime"),
        },
        "lines": {
            "purchase_id": field("integer", references=["purchases"]),
            "article": field("text"),
            "quantity": field("integer"),
            "unit_price": field("number"),
        },
    }
    objects = {name: {"records": 100, "fields": fields} for name, fields in tables.items()}
    return {"shop": System(manifest(SHOP), objects)}


def test_a_figure_is_found_where_it_leads_to_what_it_is_asked_per() -> None:
    player = play("revenue per continent in shop", systems=shop())
    assert '.read("purchases", fields=["total", "buyer"])' in player.code
    assert 'row["regions.continent"]' in player.code
    player = play("which article brings the most revenue per buyer in shop?", systems=shop())
    assert 'row["quantity"] * row["unit_price"]' in player.code
    assert 'members[group].add(row["buyers.buyer_no"])' in player.code


def test_references_between_tables_are_joins() -> None:
    player = play("export purchases with buyer name to csv from shop", systems=shop())
    assert 'join(purchases, buyers, "buyer", "buyer_no", prefix="buyers.")' in player.code


def test_records_without_others_of_a_time_are_looked_for_there() -> None:
    player = play("show buyers without purchases since March in shop", systems=shop())
    assert 'where=[("bought_at", ">=", datetime(2026, 3, 1, tzinfo=UTC))]' in player.code
    assert 'row["buyer_no"] not in in_purchases' in player.code


def test_two_periods_are_held_against_each_other() -> None:
    player = play("How many leads did we get in Salesforce last week compared with the week before?")
    assert '("CreatedDate", ">=", start_of("week", 1))' in player.code
    assert '("CreatedDate", ">=", start_of("week", 2))' in player.code
    player = play("compare the number of orders this month with last month", systems=real())
    assert 'start_of("month")' in player.code
    assert 'start_of("month", 1)' in player.code
    assert "This month is not over yet." in player.final
    player = play("orders per status this year compared with last year", systems=real())
    assert "not both in one script" in player.final


COUNTED: list[tuple[str, tuple[str, ...]]] = [
    (
        "How many opportunities did each owner win this year in Salesforce?",
        ('("IsWon", "=", True)', '("CloseDate", ">=", start_of("year").date())', 'row["User.Name"]'),
    ),
    ("how many contacts does each account have in Salesforce?", ('row["Account.Name"]',)),
    (
        "How many Salesforce cases are open and high priority?",
        ('("IsClosed", "=", False)', '("Priority", "=", "High")'),
    ),
    ("How many cases are closed per status in Salesforce?", ('("IsClosed", "=", True)', 'row["Status"]')),
    ("How many leads do we have in Salesforce?", ("sum(1 for _ in leads)",)),
]


@pytest.mark.parametrize(("text", "parts"), COUNTED, ids=[entry[0] for entry in COUNTED])
def test_what_those_counted_are_or_did_is_not_lost(text: str, parts: tuple[str, ...]) -> None:
    player = play(text)
    missing = [part for part in parts if part not in player.code]
    assert not missing, player.code

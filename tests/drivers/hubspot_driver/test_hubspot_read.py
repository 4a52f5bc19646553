from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hubspot_driver import HubSpotClient
from hubspot_driver.practice.account import Stored
from integrator_drivers import days_ago
from integrator_drivers.errors import FieldNotFoundError, ObjectNotFoundError, ValidationError

FIELDS = ["id", "email", "firstname", "country", "annualrevenue", "hs_email_optout", "lifecyclestage", "createdate"]


def ids(records: Any) -> list[str]:
    return [row["id"] for row in records.rows()]


def test_a_read_without_a_condition_goes_through_the_list(portal: Any, hubspot: HubSpotClient) -> None:
    rows = ids(hubspot.read("contacts", ["id"]))
    assert rows == sorted(portal.account.kinds["contacts"].rows)
    assert not [path for path in portal.paths() if path.endswith("/search")]


def test_rows_have_values_of_their_types(hubspot: HubSpotClient) -> None:
    row = next(row for row in hubspot.read("contacts", FIELDS).rows() if row["annualrevenue"])
    assert isinstance(row["id"], str) and isinstance(row["annualrevenue"], int | float)
    assert isinstance(row["hs_email_optout"], bool) and row["createdate"].tzinfo is UTC
    (paused,) = hubspot.read("subscriptions", ["starts_on", "monthly_fee", "is_paused"], limit=1).rows()
    assert isinstance(paused["starts_on"], date) and paused["monthly_fee"] == 19.9 and paused["is_paused"] is True


Q1 = datetime(2026, 1, 1, tzinfo=UTC)
CASES: list[tuple[list[tuple[str, str, Any]], Callable[[dict[str, Any]], bool]]] = [
    ([("country", "=", "Germany")], lambda row: row["country"] == "Germany"),
    ([("country", "!=", "Germany")], lambda row: row["country"] not in (None, "Germany")),
    ([("country", "in", ["Germany", "France"])], lambda row: row["country"] in ("Germany", "France")),
    ([("country", "not in", ["Germany"])], lambda row: row["country"] not in (None, "Germany")),
    ([("country", "contains", "king")], lambda row: "king" in (row["country"] or "").lower()),
    ([("country", "contains", "ed ki")], lambda row: "ed ki" in (row["country"] or "").lower()),
    ([("email", "contains", "@NORTHWIND")], lambda row: "@northwind" in (row["email"] or "")),
    ([("lifecyclestage", "is null", None)], lambda row: row["lifecyclestage"] is None),
    ([("lifecyclestage", "not null", None)], lambda row: row["lifecyclestage"] is not None),
    ([("lifecyclestage", "=", None)], lambda row: row["lifecyclestage"] is None),
    ([("lifecyclestage", "in", ["lead", "customer"])], lambda row: row["lifecyclestage"] in ("lead", "customer")),
    ([("hs_email_optout", "=", True)], lambda row: row["hs_email_optout"] is True),
    ([("annualrevenue", ">", 100_000)], lambda row: (row["annualrevenue"] or 0) > 100_000),
    (
        [("annualrevenue", "<=", "125000")],
        lambda row: row["annualrevenue"] is not None and row["annualrevenue"] <= 125e3,
    ),
    ([("createdate", ">=", Q1)], lambda row: row["createdate"] >= Q1),
    ([("createdate", "<", "2026-01-01")], lambda row: row["createdate"] < Q1),
    ([("createdate", "<=", date(2025, 12, 31))], lambda row: row["createdate"] < Q1),
    ([("createdate", ">", "2025-12-31")], lambda row: row["createdate"] >= Q1),
    (
        [("createdate", ">=", days_ago(30)), ("country", "=", "Germany"), ("email", "not null", None)],
        lambda row: row["createdate"] >= days_ago(30) and row["country"] == "Germany",
    ),
]


@pytest.mark.parametrize(("where", "test"), CASES, ids=[str(case[0][0][:2]) + str(n) for n, case in enumerate(CASES)])
def test_conditions_find_what_a_look_at_all_rows_finds(
    hubspot: HubSpotClient, where: list[tuple[str, str, Any]], test: Callable[[dict[str, Any]], bool]
) -> None:
    expected = [row["id"] for row in hubspot.read("contacts", FIELDS).rows() if test(row)]
    assert expected, "the case is about nothing"
    assert ids(hubspot.read("contacts", ["id"], where)) == expected


def test_a_day_means_the_whole_day(hubspot: HubSpotClient) -> None:
    rows = list(hubspot.read("contacts", ["id", "createdate"]).rows())
    day = rows[0]["createdate"].date()
    expected = [row["id"] for row in rows if row["createdate"].date() == day]
    assert ids(hubspot.read("contacts", ["id"], [("createdate", "=", day)])) == expected


def test_since_is_inclusive_and_until_exclusive_on_the_modification(hubspot: HubSpotClient) -> None:
    rows = sorted(
        hubspot.read("companies", ["id", "hs_lastmodifieddate"]).rows(), key=lambda r: r["hs_lastmodifieddate"]
    )
    since, until = rows[3]["hs_lastmodifieddate"], rows[-4]["hs_lastmodifieddate"]
    found = ids(hubspot.read("companies", ["id"], since=since, until=until))
    assert sorted(found) == sorted(row["id"] for row in rows if since <= row["hs_lastmodifieddate"] < until)
    with pytest.raises(ValidationError, match="no time zone"):
        hubspot.read("contacts", since=datetime(2026, 1, 1))


def test_a_long_list_is_split_and_loses_nothing(portal: Any, hubspot: HubSpotClient) -> None:
    emails = [row["email"].title() for row in hubspot.read("contacts", ["email"]).rows() if row["email"]]
    found = ids(
        hubspot.read("contacts", ["id"], [("email", "in", [*emails, *(f"no{n}@x.example" for n in range(150))])])
    )
    assert len(found) == len(emails) == len(set(found))
    assert len([path for path in portal.paths() if path.endswith("/search")]) > 2


def test_more_than_ten_thousand_results_come_whole(own_portal: Any) -> None:
    kind = own_portal.account.kinds["contacts"]
    made = datetime(2026, 1, 1, tzinfo=UTC)
    kind.rows.clear()
    for n in range(10_450):
        facts = {"hs_object_id": str(500 + n), "city": "Huge", "createdate": "2026-01-01T00:00:00.000Z"}
        kind.rows[str(500 + n)] = Stored(str(500 + n), facts, made, made + timedelta(seconds=n))
    with HubSpotClient() as hubspot:
        records = hubspot.read("contacts", ["id"], [("city", "=", "Huge")])
        assert ids(records) == [str(500 + n) for n in range(10_450)]
        assert records.source_count == 10_450
        assert len(list(hubspot.read("contacts", ["id"], [("city", "=", "Huge")], limit=201).rows())) == 201
        six: list[Any] = [("city", "=", "Huge")] * 6
        with pytest.raises(ValidationError, match="10,450 contacts and gives out 10,000"):
            list(hubspot.read("contacts", ["id"], six).rows())
        with pytest.raises(ValidationError, match="10,450"):
            hubspot.search("contacts", filter_groups=[{"filters": [_city()]}])
        assert len(list(hubspot.search("contacts", filter_groups=[[_city()]], limit=10_000).rows())) == 10_000  # type: ignore[list-item]


def test_hundreds_of_properties_are_read_though_no_search_can_name_them(own_portal: Any) -> None:
    kind = own_portal.account.kinds["contacts"]
    for n in range(400):
        name = f"a_property_of_this_account_{n}"
        kind.definitions[name] = {**kind.definitions["city"], "name": name}
    for row in kind.rows.values():
        row.properties["a_property_of_this_account_7"] = row.id
    with HubSpotClient() as hubspot:
        expected = list(hubspot.read("contacts", ["id", "email"], [("country", "not null", None)]).rows())
        rows = list(hubspot.read("contacts", where=[("country", "not null", None)]).rows())
        assert [(row["id"], row["email"]) for row in rows] == [(row["id"], row["email"]) for row in expected]
        assert all(row["a_property_of_this_account_7"] == row["id"] for row in rows)
        assert len(list(hubspot.read("contacts").rows())) == len(kind.rows)
        assert hubspot.search("contacts", sorts=["-createdate"]).first(1)[0]["a_property_of_this_account_7"]
        with pytest.raises(ValidationError, match="longer than HubSpot takes"):
            list(hubspot.read("contacts", where=[("city", "=", "x" * 3_000)]).rows())


def _city() -> dict[str, str]:
    return {"propertyName": "city", "operator": "EQ", "value": "Huge"}


def test_from_and_to_of_one_moment_are_one_condition(portal: Any, hubspot: HubSpotClient) -> None:
    rows = sorted(hubspot.read("contacts", ["id", "createdate"]).rows(), key=lambda row: row["createdate"])
    start, end = rows[2]["createdate"], rows[-3]["createdate"]
    where: list[Any] = [("createdate", ">=", start), ("createdate", "<", end), *[("email", "not null", None)] * 5]
    expected = {row["id"] for row in rows if start <= row["createdate"] < end}
    assert set(ids(hubspot.read("contacts", ["id"], where[:2]))) == expected
    assert set(ids(hubspot.read("contacts", ["id"], where))) == expected
    assert ids(hubspot.read("contacts", ["id"], [("createdate", ">=", end), ("createdate", "<", start)])) == []


def test_seven_conditions_are_refused_in_words(hubspot: HubSpotClient) -> None:
    with pytest.raises(ValidationError, match="at most 6 conditions"):
        hubspot.read("contacts", where=[("city", "=", "x")] * 7)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ([("city", "like", "x")], 'can\'t compare with "like"'),
        ([("city", ">", "x")], "has no order"),
        ([("createdate", "=", "yesterday")], "no date"),
        ([("annualrevenue", ">", "much")], "is a number"),
        ([("hs_email_optout", "=", "maybe")], "yes or no"),
        ([("city", "in", "Berlin")], "needs a list"),
        (["city"], "three parts"),
        ([("city", "contains", "")], "piece of text"),
    ],
)
def test_a_question_of_the_wrong_shape_is_refused_in_words(hubspot: HubSpotClient, where: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        hubspot.read("contacts", where=where)


def test_near_names_are_offered(hubspot: HubSpotClient) -> None:
    with pytest.raises(FieldNotFoundError, match='no field "first_name"') as field:
        hubspot.read("contacts", ["first_name"])
    assert "firstname" in field.value.near
    with pytest.raises(ObjectNotFoundError, match='no object "contact"') as obj:
        hubspot.get_fields("contact")
    assert "contacts" in obj.value.near


def test_limit_and_an_empty_list_ask_for_no_more(portal: Any, hubspot: HubSpotClient) -> None:
    assert len(ids(hubspot.read("contacts", ["id"], limit=3))) == 3
    assert ids(hubspot.read("contacts", ["id"], [("email", "in", [])])) == []
    assert ids(hubspot.read("contacts", ["id"], limit=0)) == []


def test_owners_pipelines_and_stages_are_read_and_filtered_here(hubspot: HubSpotClient) -> None:
    owners = {row["name"]: row["archived"] for row in hubspot.read("owners").rows()}
    assert owners["Luc Moreau"] is True and owners["Jana Novak"] is False
    won = list(
        hubspot.read("pipeline_stages", ["id", "label"], [("probability", "=", 1), ("isClosed", "=", True)]).rows()
    )
    assert won == [{"id": "closedwon", "label": "Closed Won"}]
    assert [row["id"] for row in hubspot.read("pipelines", ["id"], [("objectType", "in", ["deals"])]).rows()] == [
        "default"
    ]
    with pytest.raises(ValidationError, match="no field that tells when"):
        hubspot.read("deal_to_contact", since=days_ago(1))


def test_associations_come_one_row_for_two_records(portal: Any, hubspot: HubSpotClient) -> None:
    pairs = list(hubspot.read("contact_to_company", ["contact_id", "company_id", "label"]).rows())
    primary = [(row["contact_id"], row["company_id"]) for row in pairs if row["label"] == "Primary"]
    kept = hubspot.read("contacts", ["id", "associatedcompanyid"], [("associatedcompanyid", "not null", None)])
    assert primary == [(row["id"], row["associatedcompanyid"]) for row in kept.rows()]
    assert len(pairs) > len(primary) and len({(a, b) for a, b in primary}) == len(primary)
    one = primary[0][0]
    portal.calm()
    only = list(hubspot.read("contact_to_company", where=[("contact_id", "=", one)]).rows())
    assert {row["contact_id"] for row in only} == {one}
    assert len(portal.paths()) == 1
    found = list(hubspot.associations("contacts", "companies", [one]).rows())
    assert [row["to_id"] for row in found] == [row["company_id"] for row in only]


def test_search_takes_text_alternatives_and_a_sort(hubspot: HubSpotClient) -> None:
    assert {row["firstname"] for row in hubspot.search("contacts", "grace", fields=["firstname", "email"]).rows()}
    groups = [
        {"filters": [{"propertyName": "amount", "operator": "GTE", "value": 1_000_000}]},
        {"filters": [{"propertyName": "hs_is_closed_won", "operator": "EQ", "value": True}]},
    ]
    rows = list(hubspot.search("deals", filter_groups=groups, fields=["amount", "dealstage"], sorts=["-amount"]).rows())
    assert all((row["amount"] or 0) >= 1_000_000 or row["dealstage"] == "closedwon" for row in rows)
    amounts = [row["amount"] for row in rows if row["amount"] is not None]
    assert amounts == sorted(amounts, reverse=True) and len(rows) > len([a for a in amounts if a >= 1_000_000])
    with pytest.raises(FieldNotFoundError):
        hubspot.search("deals", sorts=["amout"])


def test_lookup_finds_by_id_by_email_in_any_letters_by_a_further_address_and_by_anything(
    hubspot: HubSpotClient,
) -> None:
    rows = list(hubspot.read("contacts", ["id", "email", "city", "hs_additional_emails"]).rows())
    one = rows[0]
    assert hubspot.lookup("contacts", "id", [one["id"], "1", "x"], ["email"])[one["id"]]["email"] == one["email"]
    said = one["email"].upper()
    assert hubspot.lookup("contacts", "email", [said, "no@x.example", None], ["id"]) == {
        said: {"id": one["id"], "email": one["email"]}
    }
    other = next(row for row in rows if row["hs_additional_emails"])
    assert (
        hubspot.lookup("contacts", "email", [other["hs_additional_emails"]], ["id"])[other["hs_additional_emails"]][
            "id"
        ]
        == other["id"]
    )
    company = next(iter(hubspot.read("companies", ["id", "domain"]).rows()))
    assert company["domain"] in hubspot.lookup("companies", "domain", [company["domain"]], ["name"])


def test_objects_are_described_with_counts(portal: Any, hubspot: HubSpotClient) -> None:
    described = {entry.name: entry for entry in hubspot.describe_objects()}
    assert described["contacts"].records == len(portal.account.kinds["contacts"].rows)
    assert described["subscriptions"].label == "Subscriptions"
    assert described["contacts"].fields == len(hubspot.get_fields("contacts"))


def test_fields_say_type_choices_who_may_write_and_what_is_personal(hubspot: HubSpotClient) -> None:
    fields = hubspot.get_fields("contacts")
    assert fields["id"]["primary_key"] and not fields["id"]["nullable"] and "hs_object_id" not in fields
    assert fields["hs_lead_status"]["choices"][:2] == ["NEW", "OPEN"]
    assert fields["hs_email_optout"]["type"] == "boolean" and not fields["hs_email_optout"]["writable"]
    assert fields["lastmodifieddate"]["writable"] is False and fields["createdate"]["type"] == "datetime"
    assert fields["associatedcompanyid"]["type"] == "reference"
    assert fields["associatedcompanyid"]["references"] == ["companies"]
    personal = {name for name, field in fields.items() if field["personal"]}
    assert {"email", "phone", "mobilephone", "firstname", "lastname", "address", "zip"} <= personal
    assert not {"company", "lifecyclestage", "country", "createdate"} & personal
    assert (
        not hubspot.get_fields("companies")["name"]["personal"] and hubspot.get_fields("companies")["phone"]["personal"]
    )

"""The seeded org: the same for a seed, and awkward in the ways that real orgs are."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrator_practice import seeds
from salesforce_driver.practice.org import Org
from salesforce_driver.practice.seeded import seeded_org

NOW = datetime(2026, 11, 21, 14, 30, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def org() -> Org:
    return seeded_org(1, None, lambda: NOW)


@pytest.fixture(scope="module")
def leads(org: Org) -> list[dict[str, Any]]:
    return org.rows("Lead", include_deleted=False)


def test_the_same_seed_and_time_give_the_same_org(org: Org) -> None:
    again, other = seeded_org(1, None, lambda: NOW), seeded_org(2, None, lambda: NOW)
    for name in org.schema.objects:
        assert again.rows(name, True) == org.rows(name, True)
    assert other.rows("Lead", True)[20] != org.rows("Lead", True)[20]


def test_there_are_1240_leads_and_about_a_third_is_new(org: Org, leads: list[dict[str, Any]]) -> None:
    assert len(leads) == 1_240
    assert 390 < sum(row["CreatedDate"] >= NOW - timedelta(days=30) for row in leads) < 450
    sizes = {name: len(org.rows(name, False)) for name in ("Account", "Contact", "Opportunity", "Campaign")}
    assert sizes == {"Account": 311, "Contact": 622, "Opportunity": 466, "Campaign": 12}


def test_every_reference_leads_to_a_record(org: Org) -> None:
    for name, described in org.schema.objects.items():
        references = [field for field in described.fields.values() if field.type == "reference"]
        for row in org.rows(name, include_deleted=True):
            for field in references:
                if row.get(field.name):
                    target = org.schema.by_prefix(row[field.name])
                    assert target is not None
                    assert target.name in field.targets
                    assert org.row(row[field.name]), (name, field.name)


def test_every_value_fits_its_field(org: Org) -> None:
    kinds = {"number": (int, float), "boolean": (bool,), "datetime": (datetime,)}
    for name, described in org.schema.objects.items():
        for row in org.rows(name, include_deleted=True):
            assert set(row) <= set(described.fields), name
            for key, value in row.items():
                field = described.fields[key]
                assert value != ""
                if value is None:
                    continue
                assert isinstance(value, kinds.get(field.kind, (object,))), (name, key, value)
                if isinstance(value, str):
                    assert len(value) <= (field.facts["length"] or 10**6), (name, key, value)
            missing = [f.name for f in described.fields.values() if f.kind == "boolean" and row.get(f.name) is None]
            assert not missing, (name, missing)


def test_emails_are_missing_and_repeated_in_other_letters(leads: list[dict[str, Any]]) -> None:
    emails = [row["Email"] for row in leads]
    assert 60 < emails.count(None) < 130
    spellings = Counter(email.casefold() for email in emails if email)
    repeated = [email for email, count in spellings.items() if count > 1]
    assert len(repeated) > 50
    assert any(len({one for one in emails if one and one.casefold() == email}) > 1 for email in repeated)


def test_names_hold_quotes_emoji_newlines_and_other_scripts(leads: list[dict[str, Any]]) -> None:
    text = "".join(f"{row['FirstName']}{row['LastName']}{row['Company']}{row['Description']}" for row in leads)
    assert all(sign in text for sign in ("'", '"', "\n", "\t", "\\", "Ł", "علي", "\N{ROCKET}", "\U00020bb7"))


def test_leads_have_none_one_or_three_campaigns(org: Org, leads: list[dict[str, Any]]) -> None:
    members = Counter(row["LeadId"] for row in org.rows("CampaignMember", False) if row["LeadId"])
    counts = Counter(members[row["Id"]] for row in leads)
    assert all(counts[n] > 200 for n in (0, 1, 3))
    assert set(counts) <= {0, 1, 2, 3, 4}
    pairs = [(row["LeadId"] or row["ContactId"], row["CampaignId"]) for row in org.rows("CampaignMember", False)]
    assert len(pairs) == len(set(pairs))


def test_conversions_with_without_and_with_a_shared_opportunity(leads: list[dict[str, Any]]) -> None:
    converted = [row for row in leads if row["IsConverted"]]
    deals = Counter(row["ConvertedOpportunityId"] for row in converted)
    assert deals[None] > 30
    assert max(count for deal, count in deals.items() if deal) == 2
    assert not any(row["ConvertedOpportunityId"] for row in leads if not row["IsConverted"])


def test_some_touches_come_after_the_conversion(org: Org, leads: list[dict[str, Any]]) -> None:
    converted = {row["Id"]: row["ConvertedDate"] for row in leads if row["IsConverted"]}
    late = [
        row
        for row in org.rows("CampaignMember", False)
        if row["LeadId"] in converted and row["CreatedDate"].date() > converted[row["LeadId"]]
    ]
    assert late


def test_some_leads_stand_on_the_edge_of_30_days(leads: list[dict[str, Any]]) -> None:
    edge = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=30)
    created = {row["CreatedDate"] for row in leads}
    assert {edge, edge - timedelta(seconds=1)} <= created


def test_campaigns_count_their_members(org: Org) -> None:
    members = org.rows("CampaignMember", False)
    for row in org.rows("Campaign", False):
        mine = [member for member in members if member["CampaignId"] == row["Id"]]
        assert row["NumberOfLeads"] == sum(bool(member["LeadId"]) for member in mine)
        assert row["NumberOfResponses"] == sum(member["HasResponded"] for member in mine)


def test_known_leads_of_other_systems_are_leads_here(org: Org) -> None:
    known = seeds.known_leads(1, NOW, 1_240)
    assert len(known) == 32
    assert all(org.row(seeds.lead_id(1, n)) for n in known)


def test_a_tiny_org_is_whole_too() -> None:
    org = seeded_org(1, 1, lambda: NOW)
    assert len(org.rows("Lead", False)) == 1
    assert len(seeded_org(1, 0, lambda: NOW).rows("Lead", False)) == 0

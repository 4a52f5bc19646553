"""The nine golden queries give right answers: counted again here, by hand, from the records that were seeded."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from salesforce_driver.practice import soql
from salesforce_driver.practice.org import Org
from salesforce_driver.practice.seeded import seeded_org

NOW = datetime(2026, 11, 21, 14, 30, 5, tzinfo=UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0)
Row = dict[str, Any]


@pytest.fixture(scope="module", params=[(1, 1_240), (23, 300)], ids=["seed 1", "seed 23"])
def org(request: pytest.FixtureRequest) -> Org:
    seed, leads = request.param
    return seeded_org(seed, leads, lambda: NOW)


def ask(org: Org, text: str, *, deleted: bool = False) -> list[Row]:
    """All records of the answer."""

    def children(rows: Any, render: Any, base: str) -> Row:
        return {"totalSize": len(rows), "done": True, "records": [render(row, base) for row in rows]}

    found = soql.run(text, org, soql.Clock(NOW, ZoneInfo("GMT")), include_deleted=deleted, children=children)
    return [found.render(row, "/services/data/v62.0") for row in found.found]


def live(org: Org, name: str) -> list[Row]:
    return [dict(row) for row in org.rows(name, include_deleted=False)]


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["Id"]: row for row in rows}


def stamp(moment: datetime | None) -> str | None:
    return moment and f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def test_leads_of_30_days_with_their_campaigns_and_those_without_any(org: Org) -> None:
    rows = ask(
        org,
        "SELECT Id, FirstName, LastName, Email, Company, LeadSource, Status, IsConverted, CreatedDate, (SELECT "
        "CampaignId, Campaign.Name, Campaign.Type, Status, HasResponded, FirstRespondedDate, CreatedDate FROM "
        "CampaignMembers ORDER BY CreatedDate) FROM Lead WHERE CreatedDate = LAST_N_DAYS:30 ORDER BY CreatedDate, Id",
    )
    start = TODAY - timedelta(days=30)
    leads = [row for row in live(org, "Lead") if start <= row["CreatedDate"] < TODAY + timedelta(days=1)]
    leads.sort(key=lambda row: (row["CreatedDate"], row["Id"]))
    assert [row["Id"] for row in rows] == [row["Id"] for row in leads]
    assert [row["Email"] for row in rows] == [row["Email"] for row in leads]
    members, campaigns = live(org, "CampaignMember"), by_id(live(org, "Campaign"))
    for row in rows:
        mine = sorted((m for m in members if m["LeadId"] == row["Id"]), key=lambda m: m["CreatedDate"])
        shown = (row["CampaignMembers"] or {"records": []})["records"]
        assert [m["Campaign"]["Name"] for m in shown] == [campaigns[m["CampaignId"]]["Name"] for m in mine]
    assert any(row["CampaignMembers"] is None for row in rows)


def test_members_of_leads_of_a_span_are_the_other_half_of_a_join(org: Org) -> None:
    start, end = TODAY - timedelta(days=42), TODAY - timedelta(days=12)
    rows = ask(
        org,
        "SELECT Id, LeadId, CampaignId, Campaign.Name, Campaign.Type, Status, HasResponded, FirstRespondedDate, "
        "CreatedDate FROM CampaignMember WHERE LeadId != null AND "
        f"Lead.CreatedDate >= {start:%Y-%m-%dT%H:%M:%SZ} AND Lead.CreatedDate < {end:%Y-%m-%dT%H:%M:%SZ}",
    )
    leads = {row["Id"] for row in live(org, "Lead") if start <= row["CreatedDate"] < end}
    members = [row for row in live(org, "CampaignMember") if row["LeadId"] in leads]
    assert {row["Id"] for row in rows} == {row["Id"] for row in members}
    flat = ask(
        org,
        f"SELECT Id FROM Lead WHERE CreatedDate >= {start:%Y-%m-%dT%H:%M:%SZ} "
        f"AND CreatedDate < {end:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert {row["Id"] for row in flat} == leads


def test_leads_without_a_campaign(org: Org) -> None:
    rows = ask(
        org,
        "SELECT Id, FirstName, LastName, Email, LeadSource, CreatedDate FROM Lead WHERE CreatedDate = LAST_N_DAYS:30 "
        "AND Id NOT IN (SELECT LeadId FROM CampaignMember WHERE LeadId != null)",
    )
    reached = {row["LeadId"] for row in live(org, "CampaignMember")}
    new = [row for row in live(org, "Lead") if row["CreatedDate"] >= TODAY - timedelta(days=30)]
    assert {row["Id"] for row in rows} == {row["Id"] for row in new} - reached


def test_leads_and_converted_leads_of_each_campaign(org: Org) -> None:
    reached = ask(
        org,
        "SELECT CampaignId, Campaign.Name cname, COUNT_DISTINCT(LeadId) leads FROM CampaignMember "
        "WHERE LeadId != null GROUP BY CampaignId, Campaign.Name LIMIT 2000",
    )
    converted = ask(
        org,
        "SELECT CampaignId, COUNT_DISTINCT(LeadId) converted FROM CampaignMember "
        "WHERE LeadId != null AND Lead.IsConverted = true GROUP BY CampaignId LIMIT 2000",
    )
    leads, campaigns = by_id(live(org, "Lead")), by_id(live(org, "Campaign"))
    expected: dict[str, set[str]] = defaultdict(set)
    for member in live(org, "CampaignMember"):
        if member["LeadId"]:
            expected[member["CampaignId"]].add(member["LeadId"])
    assert {row["CampaignId"]: (row["cname"], row["leads"]) for row in reached} == {
        campaign: (campaigns[campaign]["Name"], len(found)) for campaign, found in expected.items()
    }
    assert {row["CampaignId"]: row["converted"] for row in converted} == {
        campaign: count
        for campaign, found in expected.items()
        if (count := sum(leads[one]["IsConverted"] for one in found))
    }


def test_every_touch_with_what_became_of_its_lead(org: Org) -> None:
    rows = ask(
        org,
        "SELECT Id, LeadId, CampaignId, Campaign.Name, HasResponded, CreatedDate, Lead.IsConverted, "
        "Lead.ConvertedDate, Lead.ConvertedOpportunityId FROM CampaignMember WHERE LeadId != null",
    )
    leads = by_id(live(org, "Lead"))
    members = by_id([row for row in live(org, "CampaignMember") if row["LeadId"]])
    assert len(rows) == len(members)
    for row in rows:
        lead = leads[members[row["Id"]]["LeadId"]]
        day = lead["ConvertedDate"]
        assert row["Lead"]["IsConverted"] == lead["IsConverted"]
        assert row["Lead"]["ConvertedDate"] == (day and day.isoformat())
        assert row["Lead"]["ConvertedOpportunityId"] == lead["ConvertedOpportunityId"]


def test_converted_leads_with_their_opportunity_or_none(org: Org) -> None:
    rows = ask(
        org,
        "SELECT Id, LeadSource, ConvertedDate, ConvertedOpportunityId, ConvertedOpportunity.CampaignId, "
        "ConvertedOpportunity.Amount, ConvertedOpportunity.IsClosed, ConvertedOpportunity.IsWon "
        "FROM Lead WHERE IsConverted = true",
    )
    deals = by_id(live(org, "Opportunity"))
    converted = by_id([row for row in live(org, "Lead") if row["IsConverted"]])
    assert {row["Id"] for row in rows} == set(converted)
    for row in rows:
        deal = deals.get(converted[row["Id"]]["ConvertedOpportunityId"] or "")
        shown = row["ConvertedOpportunity"]
        assert (shown is None) == (deal is None)
        if deal:
            assert (shown["Amount"], shown["IsWon"], shown["CampaignId"]) == (
                deal["Amount"],
                deal["IsWon"],
                deal["CampaignId"],
            )
    assert any(row["ConvertedOpportunity"] is None for row in rows)


def test_won_deals_and_their_amount_by_primary_campaign(org: Org) -> None:
    rows = ask(
        org,
        "SELECT CampaignId, Campaign.Name cname, COUNT(Id) opps, SUM(Amount) amount FROM Opportunity "
        "WHERE CampaignId != null AND IsWon = true GROUP BY CampaignId, Campaign.Name LIMIT 2000",
    )
    won: dict[str, list[Row]] = defaultdict(list)
    for deal in live(org, "Opportunity"):
        if deal["CampaignId"] and deal["IsWon"]:
            won[deal["CampaignId"]].append(deal)
    assert {row["CampaignId"]: row["opps"] for row in rows} == {key: len(deals) for key, deals in won.items()}
    for row in rows:
        amounts = [deal["Amount"] for deal in won[row["CampaignId"]] if deal["Amount"] is not None]
        assert row["amount"] == (pytest.approx(sum(amounts)) if amounts else None)


def test_changed_and_deleted_leads_of_a_window_in_order(org: Org) -> None:
    start, end = NOW - timedelta(days=60), NOW - timedelta(days=10)
    rows = ask(
        org,
        "SELECT Id, FirstName, LastName, Email, Phone, Company, LeadSource, Status, IsConverted, IsDeleted, "
        f"CreatedDate, SystemModstamp FROM Lead WHERE SystemModstamp >= {start:%Y-%m-%dT%H:%M:%SZ} "
        f"AND SystemModstamp < {end:%Y-%m-%dT%H:%M:%SZ} ORDER BY SystemModstamp, Id",
        deleted=True,
    )
    leads = [row for row in org.rows("Lead", include_deleted=True) if start <= row["SystemModstamp"] < end]
    leads.sort(key=lambda row: (row["SystemModstamp"], row["Id"]))
    assert [(row["Id"], row["SystemModstamp"], row["IsDeleted"]) for row in rows] == [
        (row["Id"], stamp(row["SystemModstamp"]), row["IsDeleted"]) for row in leads
    ]

"""An org with people in it: the shared seeds, with what Salesforce adds to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from integrator_practice import seeds

from .org import ORG_ID, Org

__all__ = ["DEFAULT_LEADS", "DELETED_LEADS", "seeded_org"]

DEFAULT_LEADS = 1_240
DELETED_LEADS = 6  # in the recycle bin, on top: only queryAll shows them
ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Europe/Paris", "GMT")


def seeded_org(seed: int, leads: int | None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Org:
    """An org of so many leads and what belongs to them. The same seed gives the same people."""
    org = Org(seed, clock)
    now = clock()
    counts = seeds.counts(DEFAULT_LEADS if leads is None else leads)
    stamps = seeds.user(seed, 0, now)
    org.fill("User", (_user(seed, n, now) for n in range(len(seeds.USERS))))
    org.fill("Organization", [_organization(stamps)])
    org.fill("Account", (seeds.account(seed, n, now) for n in range(counts.accounts)))
    org.fill("Contact", (seeds.contact(seed, n, now) for n in range(counts.contacts)))
    opportunities = {row["Id"]: row for row in (_opportunity(seed, n, now) for n in range(counts.opportunities))}
    org.fill("Opportunity", opportunities.values())
    people = [_lead(seed, n, now) for n in range(counts.leads)]
    by_id = {row["Id"]: row for row in people}
    org.fill("Lead", people)
    org.fill("Lead", (_lead(seed, counts.leads + n, now) | {"IsDeleted": True} for n in range(DELETED_LEADS)))
    members = [seeds.campaign_member(seed, n, now) for n in range(counts.campaign_members)]
    members += _late_touches(seed, now, people, members, counts.campaign_members)
    org.fill("CampaignMember", members)
    org.fill("Campaign", _campaigns(seed, now, members, by_id, opportunities))
    return org


def _user(seed: int, n: int, now: datetime) -> dict[str, Any]:
    row = seeds.user(seed, n, now)
    alias = (row["FirstName"][:1] + row["LastName"][:4]).lower()
    return row | {
        "Alias": alias,
        "TimeZoneSidKey": ZONES[n % len(ZONES)],
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "UserType": "Standard",
    }


def _organization(stamps: dict[str, Any]) -> dict[str, Any]:
    kept = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
    return {
        "Id": ORG_ID,
        "Name": "Practice Org",
        "Country": "US",
        "TimeZoneSidKey": "GMT",
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_US",
        "FiscalYearStartMonth": 1,
        "OrganizationType": "Developer Edition",
        "InstanceName": "PRACT",
        "IsSandbox": False,
        **{key: stamps[key] for key in kept},
    }


def _lead(seed: int, n: int, now: datetime) -> dict[str, Any]:
    row = _without_empty_text(seeds.lead(seed, n, now))
    row["External_Id__c"] = f"CRM-{n:06}" if n % 3 == 0 else None
    row["CleanStatus"] = "Pending"
    if row["ConvertedOpportunityId"] and n % 21 == 17:
        # Two leads of one deal: this one was converted into the opportunity of the converted lead before it.
        row["ConvertedOpportunityId"] = seeds.lead(seed, n - 7, now)["ConvertedOpportunityId"]
    return row


def _opportunity(seed: int, n: int, now: datetime) -> dict[str, Any]:
    row = seeds.opportunity(seed, n, now)
    closes = row["CloseDate"]
    quarter = (closes.month + 2) // 3
    return row | {
        "ForecastCategory": row["ForecastCategoryName"],
        "FiscalYear": closes.year,
        "FiscalQuarter": quarter,
        "Fiscal": f"{closes.year} {quarter}",
        "HasOpportunityLineItem": False,
        "HasOpenActivity": False,
        "HasOverdueTask": False,
    }


def _late_touches(
    seed: int, now: datetime, leads: list[dict[str, Any]], members: list[dict[str, Any]], first: int
) -> list[dict[str, Any]]:
    """Some converted leads joined one more campaign after they were converted."""
    taken: defaultdict[str, set[str]] = defaultdict(set)
    latest = {row["LeadId"]: row for row in members if row["LeadId"]}
    for row in members:
        taken[row["LeadId"]].add(row["CampaignId"])
    late: list[dict[str, Any]] = []
    for n, lead in enumerate(leads):
        template = latest.get(lead["Id"])
        joined = lead["ConvertedDate"] and lead["CreatedDate"] + timedelta(days=9)
        if n % 35 != 3 or template is None or joined > now:
            continue
        free = next(i for i in range(len(seeds.CAMPAIGNS)) if seeds.campaign_id(seed, i) not in taken[lead["Id"]])
        late.append(
            template
            | {
                "Id": seeds.campaign_member_id(seed, first + len(late)),
                "CampaignId": seeds.campaign_id(seed, free),
                "FirstRespondedDate": joined.date() if template["HasResponded"] else None,
                "CreatedDate": joined,
                "LastModifiedDate": joined,
                "SystemModstamp": joined,
            }
        )
    return late


def _campaigns(
    seed: int,
    now: datetime,
    members: list[dict[str, Any]],
    leads: dict[str, dict[str, Any]],
    opportunities: dict[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """The campaigns with their counts, which Salesforce keeps up itself."""
    count: Counter[tuple[str, str]] = Counter()
    amount: Counter[tuple[str, str]] = Counter()
    for member in members:
        campaign = member["CampaignId"]
        count[campaign, "NumberOfLeads" if member["LeadId"] else "NumberOfContacts"] += 1
        count[campaign, "NumberOfResponses"] += member["HasResponded"]
        count[campaign, "NumberOfConvertedLeads"] += leads.get(member["LeadId"], {}).get("IsConverted", False)
    for deal in opportunities.values():
        campaign = deal["CampaignId"]
        for suffix in ("Opportunities", "WonOpportunities")[: 1 + deal["IsWon"]]:
            count[campaign, f"NumberOf{suffix}"] += 1
            amount[campaign, "AmountAllOpportunities" if suffix == "Opportunities" else "AmountWonOpportunities"] += (
                deal["Amount"] or 0
            )
    rows = []
    for n in range(len(seeds.CAMPAIGNS)):
        row = _without_empty_text(seeds.campaign(seed, n, now))
        for kind in ("Leads", "Contacts", "Responses", "ConvertedLeads", "Opportunities", "WonOpportunities"):
            row[f"NumberOf{kind}"] = count[row["Id"], f"NumberOf{kind}"]
        for kind in ("AmountAllOpportunities", "AmountWonOpportunities"):
            row[kind] = float(amount[row["Id"], kind])
        rows.append(row)
    return rows


def _without_empty_text(row: dict[str, Any]) -> dict[str, Any]:
    """Salesforce keeps an empty text as null."""
    return {key: None if value == "" else value for key, value in row.items()}

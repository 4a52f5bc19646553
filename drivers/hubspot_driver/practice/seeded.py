"""An account with people in it: the shared seeds, as somebody would have put them into HubSpot."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from integrator_practice import seeds

from .account import Account, Stored, stamp
from .definitions import CUSTOM, INDUSTRIES, LEAD_STATUS, SOURCES, STAGES

__all__ = ["DEFAULT_ROWS", "record_number", "seeded_account"]

DEFAULT_ROWS = 1_240  # leads of the practice Salesforce with the same seed
KINDS = {"contacts": 1, "companies": 2, "deals": 3, "tickets": 5, CUSTOM: 7}
STAGE_OF = {
    "Prospecting": "appointmentscheduled",
    "Qualification": "qualifiedtobuy",
    "Proposal/Price Quote": "presentationscheduled",
    "Negotiation/Review": "contractsent",
    "Closed Won": "closedwon",
    "Closed Lost": "closedlost",
}


def record_number(kind: str, seed: int, n: int) -> str:
    """The id of the n-th seeded record, ten digits or more."""
    return str(KINDS[kind] * 10_000_000_000 + zlib.crc32(str(seed).encode()) % 10_000 * 1_000_000 + n)


def seeded_account(seed: int, rows: int | None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Account:
    """An account that knows half as many people as there are leads in the practice Salesforce of that seed.

    Every second lead with an address of its own is a contact here: most are out of date in one thing (no phone, an
    old title), and some wrote their address in other letters. So many leads are new to HubSpot, so many known.
    """
    account = Account(clock)
    now = account.now()
    leads = DEFAULT_ROWS if rows is None else rows
    account.owners = [_owner(seed, n, now) for n in range(len(seeds.USERS))]
    counts = seeds.counts(leads)
    for k in range(counts.accounts):
        _company(account, seed, k, now)
    known: set[str] = set()
    for n in range(0, leads, 2):
        _contact(account, seed, n, now, known)
    for n in range(counts.opportunities):
        _deal(account, seed, n, now)
    for n in range(leads // 10):
        _ticket(account, seed, n, now)
    for n in range(leads // 20):
        _subscription(account, seed, n, now)
    return account


def _owner(seed: int, n: int, now: datetime) -> dict[str, Any]:
    user = seeds.user(seed, n, now)
    made = stamp(user["CreatedDate"])
    archived = n == 3  # left the company; records keep the owner
    return {
        "id": str(70_000_001 + n),
        "email": user["Email"],
        "type": "PERSON",
        "firstName": user["FirstName"],
        "lastName": user["LastName"],
        "userId": 7_000_001 + n,
        "userIdIncludingInactive": 7_000_001 + n,
        "createdAt": made,
        "updatedAt": made,
        "archived": archived,
        "teams": [{"id": "1", "name": "Sales", "primary": True}] if n < 3 else [],
    }


def _store(account: Account, kind: str, number: str, values: dict[str, Any], made: datetime, changed: datetime) -> None:
    described = account.kinds[kind]
    texts = {name: str(value) for name, value in values.items() if value not in (None, "")}
    stored = Stored(number, texts, made, changed)
    stored.properties |= {
        "hs_object_id": number,
        described.created: stamp(made),
        described.modified: stamp(changed),
    }
    account.put(described, stored)


def _company(account: Account, seed: int, k: int, now: datetime) -> None:
    row = seeds.account(seed, k, now)
    firm = seeds.company(seed, 7 * k + 3)
    industry = seeds.INDUSTRIES.index(firm["industry"]) if firm["industry"] else None
    values = {
        "name": row["Name"],
        "domain": firm["domain"],
        "phone": row["Phone"],
        "website": row["Website"],
        "address": row["BillingStreet"],
        "city": row["BillingCity"],
        "state": row["BillingState"],
        "zip": row["BillingPostalCode"],
        "country": row["BillingCountry"],
        "industry": None if industry is None else INDUSTRIES[industry],
        "type": ("PROSPECT", "PARTNER", "RESELLER", None)[k % 4],
        "lifecyclestage": "customer" if k % 3 else "opportunity",
        "numberofemployees": firm["employees"],
        "annualrevenue": firm["revenue"],
        "hubspot_owner_id": account.owners[k % len(account.owners)]["id"],
    }
    _store(account, "companies", record_number("companies", seed, k), values, row["CreatedDate"], row["SystemModstamp"])


def _contact(account: Account, seed: int, n: int, now: datetime, known: set[str]) -> None:
    lead = seeds.lead(seed, n, now)
    email = lead["Email"]
    if email is None or email.lower() in known:
        return
    known.add(email.lower())
    is_old = n % 8 != 0  # out of date in one thing
    made, changed = lead["CreatedDate"], lead["SystemModstamp"]
    values = {
        "email": email.lower(),
        "firstname": lead["FirstName"],
        "lastname": lead["LastName"],
        "phone": None if is_old and n % 3 == 0 else lead["Phone"],
        "company": lead["Company"],
        "jobtitle": "Trainee" if is_old and n % 3 == 1 else lead["Title"],
        "city": lead["City"],
        "country": lead["Country"],
        "zip": lead["PostalCode"],
        "website": lead["Website"],
        "lifecyclestage": "customer" if lead["IsConverted"] else ("lead", "marketingqualifiedlead", None)[n % 3],
        "hs_lead_status": LEAD_STATUS[n % len(LEAD_STATUS)][0] if n % 5 else None,
        "hs_analytics_source": SOURCES[n % len(SOURCES)][0] if n % 7 else None,
        "hs_buying_role": ("CHAMPION", "CHAMPION;DECISION_MAKER", None)[n % 3],
        "hs_email_optout": "true" if n % 11 == 0 else "false",
        "annualrevenue": lead["AnnualRevenue"],
        "hubspot_owner_id": account.owners[n % len(account.owners)]["id"],
    }
    if is_old and n % 3 == 2:
        values["firstname"] = f"{lead['FirstName'] or ''} (old)".strip()
    if n % 26 == 2:
        values["hs_additional_emails"] = f"old.{email.lower()}"
    number = record_number("contacts", seed, n)
    k = (n - 3) // 7
    if n >= 3 and record_number("companies", seed, k) in account.kinds["companies"].rows and n % 5:
        values["associatedcompanyid"] = record_number("companies", seed, k)
        account.link("contacts", number, "companies", record_number("companies", seed, k), primary=True)
        if n % 4 == 0 and k:
            account.link("contacts", number, "companies", record_number("companies", seed, k - 1))
    _store(account, "contacts", number, values, made, changed)


def _deal(account: Account, seed: int, n: int, now: datetime) -> None:
    row = seeds.opportunity(seed, n, now)
    k = 2 * n // 3
    company = record_number("companies", seed, k)
    number = record_number("deals", seed, n)
    stage = STAGE_OF[row["StageName"]]
    facts = {name: metadata for name, _, metadata in STAGES["deals"][2]}[stage]
    values = {
        "dealname": row["Name"],
        "amount": row["Amount"],
        "dealstage": stage,
        "pipeline": "default",
        "closedate": stamp(datetime.combine(row["CloseDate"], datetime.min.time(), UTC)),
        "dealtype": "newbusiness" if row["Type"] == "New Customer" else "existingbusiness",
        "hs_deal_stage_probability": facts["probability"],
        "hs_is_closed": facts["isClosed"],
        "hs_is_closed_won": str(stage == "closedwon").lower(),
        "hubspot_owner_id": account.owners[n % len(account.owners)]["id"],
    }
    if n % 6:
        values["hs_primary_associated_company"] = company
        account.link("deals", number, "companies", company, primary=True)
    for person in (7 * k + 3, 7 * k + 4):
        contact = record_number("contacts", seed, person)
        if contact in account.kinds["contacts"].rows:
            account.link("deals", number, "contacts", contact)
    _store(account, "deals", number, values, row["CreatedDate"], row["SystemModstamp"])


def _ticket(account: Account, seed: int, n: int, now: datetime) -> None:
    made = now - timedelta(days=n % 90, hours=n % 24)
    number = record_number("tickets", seed, n)
    stage = str(n % 4 + 1)
    values = {
        "subject": ("Login does not work", "Invoice is wrong", "How do I export?", 'The "report" is empty')[n % 4],
        "content": "First line\nSecond line, with a comma" if n % 3 else None,
        "hs_pipeline": "0",
        "hs_pipeline_stage": stage,
        "hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", None)[n % 4],
        "source_type": ("EMAIL", "CHAT", "FORM", "PHONE")[n % 4],
        "hubspot_owner_id": account.owners[n % 3]["id"],
        "closed_date": stamp(made + timedelta(hours=5)) if stage == "4" else None,
    }
    contact = record_number("contacts", seed, 2 * n)
    if contact in account.kinds["contacts"].rows:
        account.link("tickets", number, "contacts", contact)
    company = record_number("companies", seed, n)
    if n % 3 and company in account.kinds["companies"].rows:
        values["hs_primary_associated_company"] = company
        account.link("tickets", number, "companies", company, primary=True)
    _store(account, "tickets", number, values, made, min(now, made + timedelta(hours=6)))


def _subscription(account: Account, seed: int, n: int, now: datetime) -> None:
    made = now - timedelta(days=30 + n)
    values = {
        "subscription_number": f"SUB-{n:05}",
        "plan": ("Basic", "Team", "Enterprise")[n % 3],
        "monthly_fee": ("19.90", "99", "1499.5")[n % 3],
        "starts_on": f"{made:%Y-%m-%d}",
        "is_paused": "true" if n % 4 == 0 else "false",
    }
    _store(account, CUSTOM, record_number(CUSTOM, seed, n), values, made, made)

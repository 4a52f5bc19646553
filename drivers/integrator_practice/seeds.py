"""The people, companies and deals that practice systems are filled with: pure functions of (seed, n).

Two systems with the same seed hold the same people, so that a lead in one can be known in another. Dates are relative
to `now`. The data is awkward on purpose: missing and repeated e-mail addresses in mixed case, quotes, emoji, very long
names, records exactly on the edge of a month or a window. Nobody here exists: domains end in .example, phone numbers
are from the range kept for fiction.

How records belong together (no function needs to know how many there are):
    account k      company of lead 7k+3, when that lead exists
    contact n      works at account n // 2; contact 2k is the person of lead 7k+3
    lead 7k+3      converted to account k, contact 2k and, unless k % 3 == 0, opportunity (3k + 1) // 2
    opportunity n  belongs to account 2n // 3
    members        five leads share six campaign members: 0, 1, 1, 3 and 0 campaigns, and one contact
"""

from __future__ import annotations

import random
import unicodedata
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

__all__ = [
    "CAMPAIGNS",
    "LEAD_SOURCES",
    "LEAD_STATUSES",
    "STAGES",
    "USERS",
    "Counts",
    "account",
    "account_id",
    "campaign",
    "campaign_id",
    "campaign_member",
    "campaign_member_id",
    "company",
    "contact",
    "contact_id",
    "counts",
    "known_leads",
    "lead",
    "lead_id",
    "opportunity",
    "opportunity_id",
    "person",
    "record_id",
    "user",
    "user_id",
]

LEAD_SOURCES = ("Web", "Event", "Partner Referral", "Phone Inquiry", "Purchased List", "Other")
LEAD_STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
INDUSTRIES = ("Banking", "Construction", "Education", "Energy", "Healthcare", "Machinery", "Retail", "Technology")
RATINGS = ("Hot", "Warm", "Cold")
STAGES = (  # name, probability, closed, won
    ("Prospecting", 10, False, False),
    ("Qualification", 25, False, False),
    ("Proposal/Price Quote", 60, False, False),
    ("Negotiation/Review", 80, False, False),
    ("Closed Won", 100, True, True),
    ("Closed Lost", 0, True, False),
)
CAMPAIGNS = (  # name, type
    ("Spring Newsletter", "Email"),
    ("Summer Newsletter", "Email"),
    ("Autumn Newsletter \N{FALLEN LEAF}", "Email"),
    ("Trade Fair Hanover", "Trade Show"),
    ("Trade Fair Lyon", "Trade Show"),
    ('Webinar "Data without tears"', "Webinar"),
    ("Webinar: Forecasting", "Webinar"),
    ("Partner Days", "Conference"),
    ("Search Ads, Q1", "Advertisement"),
    ("Search Ads, Q3", "Advertisement"),
    ("Refer a colleague", "Referral Program"),
    ("Winback O'Hare", "Direct Mail"),
)
USERS = (("Jana", "Novak"), ("Tom", "Berger"), ("Aisha", "Rahman"), ("Luc", "Moreau"), ("Integration", "User"))


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Ann Bruno Carla Dmitri Elif François Grace Hiroshi Ingrid João Katarzyna Liam Mei Nadia Oscar Priya Quentin Rosa "
    "Søren Tomasz Uma Viktor Wanjiru Ximena Yusuf Zoë"
)
_LAST = _words(
    "Abbott Baker O'Brien Castillo D'Angelo Eriksson Fischer García Hoffmann Ivanova Jensen Kowalski Łukasz Müller "
    "Nakamura Okafor Petrov Quinn Rossi Smith-Jones Tanaka Ünal Vásquez Weiß Xu Yamada Žižek"
)
_COMPANY = _words(
    "Northwind Contoso Fabrikam Tailspin Adventure Litware Proseware Wingtip Alpine Lucerne Coho Humongous Trey "
    "Bluefin Granite Harbor Juniper Kestrel Lantern Maple"
)
_FORM = ("Ltd", "GmbH", "Inc.", "S.A.", "& Sons", "Group", "AG", "Oy", "Cooperative", "Works")
_PLACES = (  # city, state, postal code, country
    ("Chicago", "IL", "60601", "United States"),
    ("Austin", "TX", "78701", "United States"),
    ("Berlin", None, "10115", "Germany"),
    ("München", None, "80331", "Germany"),
    ("Lyon", None, "69001", "France"),
    ("London", None, "EC1A 1BB", "United Kingdom"),
    ("Kraków", None, "30-001", "Poland"),
    ("São Paulo", "SP", "01000-000", "Brazil"),
    ("東京", None, "100-0001", "Japan"),
)
_TITLES = ("CEO", "Head of Sales", "Buyer", "IT Manager", "Data Engineer", "Assistant to the Board", None)
_SPECIAL = {  # leads that are awkward in a certain way
    11: ("Robert", "'); DROP TABLE leads;--"),
    12: ("Zoë \N{SPARKLES}", "von der \N{LATIN CAPITAL LETTER O WITH STROKE}stergård"),
    13: ('Jim "Jimbo"', "O'Neil, Jr."),
    14: (None, "Singh"),
    16: ("=HYPERLINK(1)", "+Formula"),
    18: ("Line\nBreak", "Tab\there"),
    19: ("\u202eRtl", "علي"),
    20: ("\N{FAMILY}\N{RAINBOW}", "\U00020bb7野"),
}
# Two leads of the last month whose whole name (115 characters) is longer than most tables allow.
_LONG_NAMES = {7: ("Maria Pilar de los Dolores", "Fernández de Córdoba "), 8: ("Friederike Wilhelmine", "zu Sayn ")}


@dataclass(frozen=True)
class Counts:
    """How many of each there are in an org with so many leads."""

    leads: int
    accounts: int
    contacts: int
    opportunities: int
    campaigns: int
    campaign_members: int


def counts(leads: int) -> Counts:
    """The sizes that keep every reference inside the org."""
    accounts = leads // 4 + 1
    return Counts(leads, accounts, accounts * 2, accounts * 3 // 2, len(CAMPAIGNS), leads // 5 * 6)


@lru_cache(maxsize=4096)  # users and campaigns are asked for again and again
def record_id(prefix: str, seed: int, n: int) -> str:
    """An 18-character id as Salesforce makes them: 3 for the kind, 12 case-sensitive, 3 that make case not matter."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    value, body = zlib.crc32(str(seed).encode()) * 62**3 + n * 13, ""
    for _ in range(9):
        value, digit = divmod(value, 62)
        body = digits[digit] + body
    short = f"{prefix}5g0{body}"
    check = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, char in enumerate(short[start : start + 5]) if char.isupper())
        check += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return short + check


def lead_id(seed: int, n: int) -> str:
    return record_id("00Q", seed, n)


def contact_id(seed: int, n: int) -> str:
    return record_id("003", seed, n)


def account_id(seed: int, n: int) -> str:
    return record_id("001", seed, n)


def opportunity_id(seed: int, n: int) -> str:
    return record_id("006", seed, n)


def campaign_id(seed: int, n: int) -> str:
    return record_id("701", seed, n)


def campaign_member_id(seed: int, n: int) -> str:
    return record_id("00v", seed, n)


def user_id(seed: int, n: int) -> str:
    return record_id("005", seed, n)


def person(seed: int, n: int) -> dict[str, Any]:
    """{first_name, last_name, title, email, phone, street, city, state, postal_code, country}; some may be None."""
    rng = _rng(seed, "person", n)
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    number, has_email, has_phone = rng.randrange(100), rng.random() >= 0.07, rng.random() >= 0.15
    city, state, postal_code, country = rng.choice(_PLACES)
    email = f"{_ascii(first)}.{_ascii(last)}{n}@{company(seed, n)['domain']}" if has_email else None
    if n % 17 == 5:  # the address of the one before, in other letters
        before = person(seed, n - 1)["email"]
        email = before and before.title()
    first_name, last_name = _SPECIAL.get(n, (first, last))
    if n in _LONG_NAMES:
        first_name, start = _LONG_NAMES[n]
        last_name = (start * 6)[: 114 - len(first_name)][:80].rstrip().ljust(80, "a")
    return {
        "first_name": first_name,
        "last_name": last_name,
        "title": rng.choice(_TITLES),
        "email": email,
        "phone": f"+1 555 01{number:02}" if has_phone else None,
        "street": f"{rng.randrange(1, 200)} {rng.choice(_LAST)} Street",
        "city": city,
        "state": state,
        "postal_code": postal_code,
        "country": country,
    }


def company(seed: int, n: int) -> dict[str, Any]:
    """{name, domain, industry, employees, revenue}"""
    rng = _rng(seed, "company", n)
    word, form = rng.choice(_COMPANY), rng.choice(_FORM)
    name = f"{word} {form}" if n % 23 else f'"{word}" {form}, Überland \N{ROCKET}'
    return {
        "name": name,
        "domain": f"{word.lower()}{n % 50}.example",
        "industry": rng.choice((*INDUSTRIES, None)),
        "employees": rng.choice((None, 1, 12, 80, 450, 12_000)),
        "revenue": rng.choice((None, 0.0, 125_000.0, 1_999_999.99, 48_000_000.5)),
    }


def lead(seed: int, n: int, now: datetime) -> dict[str, Any]:
    """One lead with Salesforce's field names; dates are `date`, times aware UTC datetimes without fractions."""
    rng = _rng(seed, "lead", n)
    who, firm = person(seed, n), company(seed, n)
    created = _created(seed, n, now)
    k, is_converted = n // 7, n % 7 == 3
    deal = opportunity_id(seed, (3 * k + 1) // 2) if is_converted and k % 3 else None
    status = "Closed - Converted" if is_converted else rng.choice([s for s in LEAD_STATUSES if "- Converted" not in s])
    modified = created + (_second(now) - created) * rng.choice((0.0, 0.0, 0.1, 0.5, 0.9))
    return {
        "Id": lead_id(seed, n),
        "IsDeleted": False,
        "LastName": who["last_name"],
        "FirstName": who["first_name"],
        "Salutation": rng.choice(("Ms.", "Mr.", None)),
        "Name": " ".join(part for part in (who["first_name"], who["last_name"]) if part),
        "Title": who["title"],
        "Company": firm["name"],
        "Street": who["street"],
        "City": who["city"],
        "State": who["state"],
        "PostalCode": who["postal_code"],
        "Country": who["country"],
        "Phone": who["phone"],
        "MobilePhone": None,
        "Email": who["email"],
        "Website": f"https://www.{firm['domain']}",
        "Description": rng.choice(
            (None, "", "Asked for a call back.\nPrefers mornings.", "Budget < 10 000 €; \\ see mail")
        ),
        "LeadSource": rng.choice(LEAD_SOURCES) if rng.random() >= 0.07 else None,
        "Status": status,
        "Industry": firm["industry"],
        "Rating": rng.choice((*RATINGS, None)),
        "AnnualRevenue": firm["revenue"],
        "NumberOfEmployees": firm["employees"],
        "OwnerId": user_id(seed, n % len(USERS)),
        "IsConverted": is_converted,
        "ConvertedDate": min(created + timedelta(days=5), now).date() if is_converted else None,
        "ConvertedAccountId": account_id(seed, k) if is_converted else None,
        "ConvertedContactId": contact_id(seed, 2 * k) if is_converted else None,
        "ConvertedOpportunityId": deal,
        "IsUnreadByOwner": status == "Open - Not Contacted",
        **_stamps(seed, created, _second(modified)),
        "LastActivityDate": _second(modified).date() if rng.random() < 0.4 else None,
    }


def account(seed: int, k: int, now: datetime) -> dict[str, Any]:
    """One account; the company of lead 7k+3."""
    rng, n = _rng(seed, "account", k), 7 * k + 3
    firm, who, created = company(seed, n), person(seed, n), _created(seed, n, now)
    return {
        "Id": account_id(seed, k),
        "IsDeleted": False,
        "Name": firm["name"],
        "Type": rng.choice(("Prospect", "Customer - Direct", "Channel Partner / Reseller", None)),
        "ParentId": account_id(seed, k // 2) if k and k % 10 == 0 else None,
        "BillingStreet": who["street"],
        "BillingCity": who["city"],
        "BillingState": who["state"],
        "BillingPostalCode": who["postal_code"],
        "BillingCountry": who["country"],
        "Phone": who["phone"],
        "Website": f"https://www.{firm['domain']}",
        "Industry": firm["industry"],
        "AnnualRevenue": firm["revenue"],
        "NumberOfEmployees": firm["employees"],
        "Description": None,
        "Rating": rng.choice((*RATINGS, None)),
        "AccountSource": rng.choice((*LEAD_SOURCES, None)),
        "OwnerId": user_id(seed, k % len(USERS)),
        **_stamps(seed, created, created),
        "LastActivityDate": None,
    }


def contact(seed: int, n: int, now: datetime) -> dict[str, Any]:
    """One contact; an even one (2k) is the person of lead 7k+3."""
    rng, k = _rng(seed, "contact", n), n // 2
    who = person(seed, 7 * k + 3) if n % 2 == 0 else person(seed, 1_000_000 + n)
    created = _created(seed, 7 * k + 3, now)
    return {
        "Id": contact_id(seed, n),
        "IsDeleted": False,
        "AccountId": account_id(seed, k) if n % 19 != 1 else None,
        "LastName": who["last_name"],
        "FirstName": who["first_name"],
        "Salutation": rng.choice(("Ms.", "Mr.", None)),
        "Name": " ".join(part for part in (who["first_name"], who["last_name"]) if part),
        "MailingStreet": who["street"],
        "MailingCity": who["city"],
        "MailingState": who["state"],
        "MailingPostalCode": who["postal_code"],
        "MailingCountry": who["country"],
        "Phone": who["phone"],
        "MobilePhone": None,
        "ReportsToId": contact_id(seed, n - 1) if n % 2 and n % 3 == 0 else None,
        "Email": who["email"],
        "Title": who["title"],
        "Department": rng.choice(("Sales", "IT", "Purchasing", None)),
        "LeadSource": rng.choice((*LEAD_SOURCES, None)),
        "Birthdate": date(1950 + rng.randrange(50), 1 + rng.randrange(12), 1 + rng.randrange(28))
        if rng.random() < 0.3
        else None,
        "Description": None,
        "OwnerId": user_id(seed, n % len(USERS)),
        **_stamps(seed, created, created),
        "LastActivityDate": None,
    }


def opportunity(seed: int, n: int, now: datetime) -> dict[str, Any]:
    """One opportunity of account 2n // 3."""
    rng, k = _rng(seed, "opportunity", n), 2 * n // 3
    created = _created(seed, 7 * k + 3, now)
    stage, probability, is_closed, is_won = rng.choice(STAGES)
    amount = rng.choice((None, 0.0, 990.0, 12_500.5, 48_000.0, 1_250_000.0))
    close = (created + timedelta(days=rng.randrange(10, 120))).date()
    return {
        "Id": opportunity_id(seed, n),
        "IsDeleted": False,
        "AccountId": account_id(seed, k),
        "IsPrivate": False,
        "Name": f"{company(seed, 7 * k + 3)['name']} - {rng.choice(('Licences', 'Renewal', 'Pilot', 'Upgrade'))}",
        "Description": None,
        "StageName": stage,
        "Amount": amount,
        "Probability": float(probability),
        "ExpectedRevenue": None if amount is None else amount * probability / 100,
        "CloseDate": min(close, now.date()) if is_closed else close,
        "Type": rng.choice(("New Customer", "Existing Customer - Upgrade", None)),
        "NextStep": rng.choice((None, "Send the quote")),
        "LeadSource": rng.choice((*LEAD_SOURCES, None)),
        "IsClosed": is_closed,
        "IsWon": is_won,
        "ForecastCategoryName": "Closed" if is_won else "Omitted" if is_closed else "Pipeline",
        "CampaignId": campaign_id(seed, rng.randrange(len(CAMPAIGNS))) if rng.random() < 0.4 else None,
        "ContactId": contact_id(seed, 2 * k),
        "OwnerId": user_id(seed, n % len(USERS)),
        **_stamps(seed, created, created),
        "LastActivityDate": None,
    }


def campaign(seed: int, n: int, now: datetime) -> dict[str, Any]:
    """One of the twelve campaigns, the oldest first."""
    rng = _rng(seed, "campaign", n)
    name, kind = CAMPAIGNS[n]
    start = (now - timedelta(days=60 * (len(CAMPAIGNS) - n))).date()
    created = datetime.combine(start, time(8), UTC) - timedelta(days=14)
    return {
        "Id": campaign_id(seed, n),
        "IsDeleted": False,
        "Name": name,
        "ParentId": campaign_id(seed, 0) if n in (1, 2) else None,
        "Type": kind,
        "Status": "Completed" if n < 9 else "In Progress",
        "StartDate": start,
        "EndDate": start + timedelta(days=30),
        "ExpectedRevenue": rng.choice((None, 10_000.0, 75_000.0)),
        "BudgetedCost": float(rng.randrange(0, 20) * 500),
        "ActualCost": None,
        "IsActive": n >= 6,
        "Description": None,
        "OwnerId": user_id(seed, n % len(USERS)),
        **_stamps(seed, created, created),
    }


def campaign_member(seed: int, m: int, now: datetime) -> dict[str, Any]:
    """One membership: five of six are of leads (1, 1 and 3 campaigns for the 2nd, 3rd and 4th of each five leads)."""
    rng = _rng(seed, "member", m)
    block, place = divmod(m, 6)
    step = max(0, place - 2) if place < 5 else 0
    n = 5 * block + min(place + 1, 3)
    is_lead = place < 5
    joined = _created(seed, n if is_lead else 7 * block + 3, now)
    status, responded = rng.choice((("Sent", False), ("Responded", True), ("Registered", True)))
    return {
        "Id": campaign_member_id(seed, m),
        "IsDeleted": False,
        "CampaignId": campaign_id(seed, (block + 5 * step) % len(CAMPAIGNS)),
        "LeadId": lead_id(seed, n) if is_lead else None,
        "ContactId": None if is_lead else contact_id(seed, 2 * block),
        "Status": status,
        "HasResponded": responded,
        "FirstRespondedDate": joined.date() if responded else None,
        **_stamps(seed, joined, joined),
    }


def user(seed: int, n: int, now: datetime) -> dict[str, Any]:
    """One of the five users who own records; the last is the integration's own."""
    first, last = USERS[n]
    created = _second(now) - timedelta(days=900)
    return {
        "Id": user_id(seed, n),
        "Username": f"{_ascii(first)}.{_ascii(last)}@practice.example",
        "LastName": last,
        "FirstName": first,
        "Name": f"{first} {last}",
        "Email": f"{_ascii(first)}.{_ascii(last)}@practice.example",
        "IsActive": True,
        **_stamps(seed, created, created),
    }


def known_leads(seed: int, now: datetime, leads: int, wanted: int = 32) -> list[int]:
    """Numbers of up to `wanted` leads of the last 25 days that other practice systems already know."""
    recent = (n for n in range(leads) if n not in _LONG_NAMES and _created(seed, n, now) > now - timedelta(days=25))
    return [n for _, n in zip(range(wanted), recent, strict=False)]


def _created(seed: int, n: int, now: datetime) -> datetime:
    """Two years, a third of it within the last 30 days; the first few on the edges where windows go wrong."""
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    edges = {
        0: today - timedelta(days=30),  # the first moment of a window of 30 days
        1: today - timedelta(days=30, seconds=1),
        2: today,
        3: today.replace(month=1, day=1),
        4: today.replace(month=1, day=1) - timedelta(seconds=1),
        5: today.replace(day=1),
        6: today.replace(day=1) - timedelta(seconds=1),
        7: today - timedelta(days=3),
        8: today - timedelta(days=12),
        9: _second(now),
    }
    if n in edges:
        return edges[n]
    rng = _rng(seed, "created", n)
    days = rng.uniform(0, 30) if rng.random() < 1 / 3 else rng.uniform(30, 730)
    return _second(now - timedelta(days=days))


def _stamps(seed: int, created: datetime, modified: datetime) -> dict[str, Any]:
    return {
        "CreatedDate": created,
        "CreatedById": user_id(seed, len(USERS) - 1),
        "LastModifiedDate": modified,
        "LastModifiedById": user_id(seed, 0),
        "SystemModstamp": modified,
    }


def _rng(seed: int, what: str, n: int) -> random.Random:
    return random.Random(f"{seed}:{what}:{n}")


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isascii() and char.isalnum())

"""Sentences written before the parser and never tuned on: how it does on what it has not seen.

"our database" is "@sql" until the dialog settles which one. Each expectation is a plain value; `None` in a request
means "not looked at". Today is Saturday, 21 November 2026.
"""

from __future__ import annotations

WINDOWS = [
    # text, start, end
    ("opportunities closed during the past fortnight", "days_ago(14)", None),
    ("tickets opened in the previous 10 days", "days_ago(10)", None),
    ("orders placed since the beginning of the year", 'start_of("year")', None),
    ("contacts from the current quarter", 'start_of("quarter")', None),
    ("everything that changed in the last 36 hours", "now() - timedelta(hours=36)", None),
    ("invoices dated 2025", "2025-01-01", "2026-01-01"),
    ("leads created after 15/03/2026", "2026-03-16", None),
    ("sign-ups between Jan 5 and Feb 10 2026", "2026-01-05", "2026-02-11"),
    ("customers who joined before July 2024", None, "2024-07-01"),
    ("cases not older than six months", "days_ago(180)", None),
    ("deals from Q1", "2026-01-01", "2026-04-01"),
    ("orders from the week before", None, None),
    ("the past 90 days of invoices", "days_ago(90)", None),
    ("members who joined last quarter", 'start_of("quarter", 1)', 'start_of("quarter")'),
    ("leads from October onwards", "2026-10-01", None),
]

SCHEDULES = [
    ("please do that each morning", "0 7 * * *"),
    ("run it Mon-Fri at 18:15", "15 18 * * 1-5"),
    ("once a week on Friday evening", "0 18 * * 5"),
    ("every 30 min", "*/30 * * * *"),
    ("make it run at 4 am daily", "0 4 * * *"),
    ("run on the 1st and 15th of each month", "0 2 1,15 * *"),
    ("every six hours", "0 */6 * * *"),
    ("each Sunday at noon", "0 12 * * 0"),
    ("every night at half past eleven", "30 23 * * *"),
    ("could you schedule this for every weekday morning?", "0 7 * * 1-5"),
]

# The systems are those of conftest: Foodtruck CRM ("foodtruck", saas), Ledger ("ledger", sql), Pigeon ("pigeon", saas)
REQUESTS = [
    (
        "Please bring all customers from Foodtruck into our database, I want their name, phone and city",
        {"source": "foodtruck", "target": "@sql", "subject": "customers", "fields": ("name", "phone", "city")},
    ),
    (
        "I need a CSV of the bookings in Foodtruck CRM from the last 14 days",
        {"source": "foodtruck", "formats": ("csv",), "subject": "bookings", "window": "days_ago(14)"},
    ),
    (
        "ledger -> foodtruck: update customers, match by email",
        {"source": "ledger", "target": "foodtruck", "subject": "customers", "key": "email"},
    ),
    (
        "Export trucks with plate number and status as JSON",
        {"formats": ("json",), "subject": "trucks", "fields": ("plate number", "status")},
    ),
    (
        "Could you copy the first 50 bookings over to Ledger, table staging.bookings_raw?",
        {"target": "ledger", "subject": "bookings", "limit": 50, "table": "staging.bookings_raw"},
    ),
    (
        "Every Monday at 6am move new bookings from the foodtruck crm to ledger",
        {"source": "foodtruck", "target": "ledger", "subject": "bookings", "cron": "0 6 * * 1"},
    ),
    (
        "Load foodtruck customers (name, email) into ledger where city is Berlin",
        {
            "source": "foodtruck",
            "target": "ledger",
            "subject": "customers",
            "fields": ("name", "email"),
            "conditions": ("city is Berlin",),
        },
    ),
    ("How many bookings do we have per truck?", {"kind": "question", "subject": "bookings", "group": "truck"}),
    ("remove every customer older than two years", {"kind": "delete"}),
    ("what can you do?", {"kind": "help"}),
    (
        "Give me name and e-mail of every customer in Foodtruck as an Excel file",
        {"source": "foodtruck", "subject": "customer", "fields": ("name", "e-mail"), "formats": ("excel",)},
    ),
    (
        "sync customers from Mailkimp to ledger",
        {"target": "ledger", "subject": "customers", "unknown": "Mailkimp"},
    ),
]

CHANGES = [
    # text, operation, phrases
    ("Can you include the phone number too?", "add", ("phone number",)),
    ("leave out the city please", "drop", ("city",)),
    ("I don't need the status column any more", "drop", ("status",)),
    ("make it the last 3 weeks instead", "window", ("days_ago(21)",)),
    ("write it to the table crm.people", "table", ("crm.people",)),
    ("save it as JSON lines rather than CSV", "format", ("jsonl",)),
    ("the column email should be called mail_address", "rename", ("email", "mail_address")),
    ("please add notes and owner", "add", ("notes", "owner")),
    ("don't run it automatically any more", "schedule", (None,)),
    ("only those with a phone number", "filter", ("with a phone number",)),
]

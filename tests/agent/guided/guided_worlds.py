"""Systems to play with: the real manifests, and drivers that do not exist."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from guided_player import Player, System

from integrator_drivers import registry
from integrator_drivers.manifest import Manifest

FOODTRUCK = """
name = "foodtruck"
label = "Foodtruck CRM"
aliases = ["Foodtruck", "FTC"]
purpose = "Trucks, bookings and the people who book"
kind = "saas"
client = "foodtruck_driver:FoodtruckClient"
cursor = "changed_on"
created = "made_on"

[[env]]
name = "FOODTRUCK_TOKEN"
secret = true
auth = "token"

[[join]]
from = "Booking.truck"
to = "Truck.key"
keep = "left"
words = ["truck", "trucks", "vehicle"]

[[join]]
from = "Guest.key"
to = "Rating.guest"
keep = "left"
words = ["rating", "ratings", "review", "reviews"]

[[question]]
words = ["how hungry they are", "hunger", "appetite"]
object = "Guest"
choices = [
    { field = "appetiteLevel", label = "Appetite level", hint = "small, medium, large" },
    { join = "Rating", show = "Rating.stars", label = "Ratings", hint = "a guest can give many" },
]

[words]
Guest = ["guest", "guests", "customer", "customers", "diner", "diners"]
Booking = ["booking", "bookings", "reservation", "reservations"]
Truck = ["truck", "trucks", "food truck", "food trucks"]
Rating = ["rating", "ratings", "review", "reviews"]
"""

LEDGER = """
name = "ledger"
label = "Ledger"
aliases = ["ledger db"]
purpose = "Relational database for accounts"
kind = "sql"
client = "ledger_driver:LedgerClient"

[[env]]
name = "LEDGER_DSN"
secret = true
auth = "dsn"
"""

PIGEON = """
name = "pigeon"
label = "Pigeon Mail"
purpose = "Newsletters: subscribers and lists"
kind = "saas"
client = "pigeon_driver:PigeonClient"

[[env]]
name = "PIGEON_KEY"
secret = true
auth = "key"

[words]
subscribers = ["subscriber", "subscribers", "recipient", "recipients"]
lists = ["list", "mailing list"]
"""


def field(kind: str, label: str = "", **facts: Any) -> dict[str, Any]:
    """One field as get_fields gives it."""
    return {"type": kind, "native_type": kind, "nullable": True, **({"label": label} if label else {}), **facts}


GUEST = {
    "key": field("text", "Key", primary_key=True, nullable=False),
    "fullName": field("text", "Name", personal=True),
    "mail": field("text", "E-mail", personal=True),
    "phoneNo": field("text", "Phone", personal=True),
    "city": field("text", "City"),
    "country": field("text", "Country"),
    "appetiteLevel": field("text", "Appetite level", choices=["Small", "Medium", "Large"]),
    "state": field("text", "Status", choices=["Active", "Paused", "Banned"]),
    "isVip": field("boolean", "VIP"),
    "visits": field("integer", "Visits"),
    "spent": field("number", "Total spent"),
    "birthday": field("date", "Birthday"),
    "made_on": field("datetime", "Made on"),
    "changed_on": field("datetime", "Changed on"),
}
BOOKING = {
    "key": field("text", "Key", primary_key=True),
    "title": field("text", "Title"),
    "guest": field("reference", "Guest", references=["Guest"]),
    "truck": field("reference", "Truck", references=["Truck"]),
    "seats": field("integer", "Seats"),
    "price": field("number", "Price"),
    "state": field("text", "Status", choices=["Requested", "Confirmed", "Served", "Cancelled"]),
    "servedOn": field("date", "Served on"),
    "made_on": field("datetime", "Made on"),
    "changed_on": field("datetime", "Changed on"),
}
TRUCK = {
    "key": field("text", "Key", primary_key=True),
    "name": field("text", "Name"),
    "plateNumber": field("text", "Plate number"),
    "state": field("text", "Status", choices=["On the road", "In the garage"]),
    "photo": field("binary", "Photo"),
}
RATING = {
    "key": field("text", "Key", primary_key=True),
    "guest": field("reference", "Guest", references=["Guest"]),
    "stars": field("integer", "Stars"),
    "comment": field("text", "Comment"),
}
LEDGER_TABLES = {
    "books.guests": {
        "records": 12,
        "fields": {
            "foodtruck_id": field("text", primary_key=True),
            "name": field("text"),
            "email_address": field("text"),
        },
    },
    "books.invoices": {
        "records": 400,
        "fields": {
            "invoice_no": field("text", primary_key=True),
            "guest_id": field("text"),
            "gross": field("number"),
            "paid": field("boolean"),
            "issued_on": field("date"),
        },
    },
    "books.payments": {
        "records": 90,
        "fields": {"id": field("integer", primary_key=True), "amount": field("number"), "paid_at": field("datetime")},
    },
}
SUBSCRIBERS = {
    "uid": field("text", "UID", primary_key=True, writable=False),
    "address": field("text", "E-mail address"),
    "first": field("text", "First name"),
    "last": field("text", "Last name"),
    "city": field("text", "City"),
}


def manifest(text: str) -> Manifest:
    """A manifest from its text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "driver.toml"
        path.write_text(text, encoding="utf-8")
        return Manifest.load(path)


def invented() -> dict[str, System]:
    """Foodtruck CRM, Ledger and Pigeon Mail."""
    return {
        "foodtruck": System(
            manifest(FOODTRUCK),
            {
                "Guest": {"label": "Guest", "records": 800, "fields": GUEST},
                "Booking": {"label": "Booking", "records": 3000, "fields": BOOKING},
                "Truck": {"label": "Truck", "records": 12, "fields": TRUCK},
                "Rating": {"label": "Rating", "records": 5000, "fields": RATING},
            },
        ),
        "ledger": System(manifest(LEDGER), LEDGER_TABLES),
        "pigeon": System(
            manifest(PIGEON), {"subscribers": {"label": "Subscriber", "records": 5, "fields": SUBSCRIBERS}}
        ),
    }


def real() -> dict[str, System]:
    """The drivers of this repository: Salesforce's standard schema, a small database."""
    schema = registry.standard_schema("salesforce")
    tables = {
        "public.customers": {
            "records": 200,
            "fields": {
                "id": field("integer", primary_key=True),
                "name": field("text"),
                "email": field("text"),
                "city": field("text"),
                "created_at": field("datetime"),
            },
        },
        "public.orders": {
            "records": 900,
            "fields": {
                "id": field("integer", primary_key=True),
                "customer_id": field("integer", references=["public.customers"]),
                "total": field("number"),
                "status": field("text"),
                "ordered_at": field("datetime"),
            },
        },
        "public.leads": {
            "records": 32,
            "fields": {
                "salesforce_id": field("text", primary_key=True),
                "name": field("text"),
                "email": field("text"),
                "lead_source": field("text"),
            },
        },
    }
    objects = {
        name: {"label": entry.get("label", name), "records": 1240, "fields": entry["fields"]}
        for name, entry in schema.items()
    }
    return {
        "salesforce": System(registry.manifest("salesforce"), objects),
        "postgresql": System(registry.manifest("postgresql"), tables),
    }


def play(*texts: str, systems: dict[str, System] | None = None) -> Player:
    """A dialog of prompts and answers over these systems (the real ones when none are given)."""
    player = Player(systems or real())
    for text in texts:
        player.say(text)
    return player

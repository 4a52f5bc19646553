"""The records of one practice account, in memory. Every value is text, as HubSpot keeps them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .definitions import CUSTOM, CUSTOM_TYPE, SINGULAR, properties

__all__ = ["ASSOCIATION_TYPES", "PORTAL_ID", "Account", "Kind", "Stored", "stamp"]

PORTAL_ID = 45_454_545
FIRST_NEW = 90_000_000_000  # ids made by writes, far above those of the seeds
TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5", CUSTOM: CUSTOM_TYPE}
ASSOCIATION_TYPES = {  # (from, to) -> unlabelled, primary
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("deals", "contacts"): (3, None),
    ("contacts", "deals"): (4, None),
    ("tickets", "contacts"): (16, None),
    ("contacts", "tickets"): (15, None),
    ("tickets", "companies"): (339, 26),
    ("companies", "tickets"): (340, 25),
}


@dataclass
class Stored:
    """One record. Never changed in place but under the account's lock."""

    id: str
    properties: dict[str, str]
    created: datetime
    updated: datetime

    def view(self, names: Iterable[str]) -> dict[str, Any]:
        """The record as answers show it: the properties asked for, null where there is no value."""
        shown = {name: self.properties.get(name) or None for name in names}
        return {
            "id": self.id,
            "properties": shown,
            "createdAt": stamp(self.created),
            "updatedAt": stamp(self.updated),
            "archived": False,
            "url": f"https://app.practice.example/contacts/{PORTAL_ID}/record/{self.id}",
        }


@dataclass
class Kind:
    """One object: its definitions, its records by id, and indexes over unique properties."""

    name: str
    definitions: dict[str, dict[str, Any]]
    rows: dict[str, Stored] = field(default_factory=dict)
    unique: dict[str, dict[str, str]] = field(default_factory=dict)  # property -> value -> id

    @property
    def singular(self) -> str:
        """As messages call it: CONTACT."""
        return SINGULAR.get(self.name, self.name.upper())

    @property
    def modified(self) -> str:
        """The property that moves on every change."""
        return "lastmodifieddate" if self.name == "contacts" else "hs_lastmodifieddate"

    @property
    def created(self) -> str:
        """The property that holds when the record was made."""
        return "createdate" if "createdate" in self.definitions else "hs_createdate"

    @property
    def defaults(self) -> tuple[str, ...]:
        """Properties that answers show when none were asked for."""
        more = {
            "contacts": ("email", "firstname", "lastname"),
            "companies": ("name", "domain"),
            "deals": ("dealname", "amount", "closedate", "pipeline", "dealstage"),
            "tickets": ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority"),
        }.get(self.name, ())
        return (*more, self.created, self.modified, "hs_object_id")


class Account:
    """Everything that one token can see. Writers hold `lock`."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.kinds: dict[str, Kind] = {}
        self.owners: list[dict[str, Any]] = []
        self.hidden_scopes: set[str] = set()  # objects that the token may not see
        self._links: defaultdict[tuple[str, str, str], dict[str, list[int]]] = defaultdict(dict)
        self._made = 0
        for name in TYPE_IDS:
            definitions = {one["name"]: one for one in properties(name)}
            unique = [key for key, one in definitions.items() if one["hasUniqueValue"]]
            if name == "contacts":
                unique.append("email")
            self.kinds[name] = Kind(name, definitions, unique={key: {} for key in unique})

    def kind(self, name: str) -> Kind | None:
        """The object called so in a path: by name, type id, or full name."""
        by_type = {number: kind for kind, number in TYPE_IDS.items()}
        singulars = {"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets"}
        name = by_type.get(name, singulars.get(name, name))
        if name == f"p{PORTAL_ID}_{CUSTOM}":
            name = CUSTOM
        return self.kinds.get(name)

    def put(self, kind: Kind, stored: Stored) -> None:
        """Store a record as it is, and keep the indexes."""
        for key, index in kind.unique.items():
            before = kind.rows.get(stored.id)
            if before and (old := unique_value(key, before.properties.get(key))):
                index.pop(old, None)
            if value := unique_value(key, stored.properties.get(key)):
                index[value] = stored.id
        if kind.name == "contacts":
            for other in (stored.properties.get("hs_additional_emails") or "").split(";"):
                if other:
                    kind.unique["email"].setdefault(other.lower(), stored.id)
        kind.rows[stored.id] = stored

    def make(self, kind: Kind, values: Mapping[str, str]) -> Stored:
        """A new record."""
        self._made += 1
        now = self.now()
        stored = Stored(str(FIRST_NEW + self._made), {k: v for k, v in values.items() if v}, now, now)
        self._stamp(kind, stored)
        self.put(kind, stored)
        return stored

    def change(self, kind: Kind, stored: Stored, values: Mapping[str, str]) -> Stored:
        """A new version of a record; "" clears a property."""
        merged = {**stored.properties, **values}
        changed = Stored(stored.id, {k: v for k, v in merged.items() if v}, stored.created, self.now())
        self._stamp(kind, changed)
        self.put(kind, changed)
        return changed

    def find(self, kind: Kind, key: str, value: str) -> Stored | None:
        """The record with that unique value; e-mails without case, further addresses included."""
        found = kind.unique[key].get(unique_value(key, value) or "")
        return kind.rows.get(found) if found else None

    def link(self, start: str, from_id: str, to: str, to_id: str, primary: bool = False) -> None:
        """Associate two records, in both directions."""
        for one, one_id, other, other_id in ((start, from_id, to, to_id), (to, to_id, start, from_id)):
            plain, first = ASSOCIATION_TYPES[one, other]
            types = [first] if primary and first else []
            self._links[one, one_id, other][other_id] = [*types, plain]

    def linked(self, start: str, from_id: str, to: str) -> dict[str, list[int]]:
        """The records of `to` that belong to one record, each with its association types."""
        return self._links.get((start, from_id, to), {})

    def now(self) -> datetime:
        """The time of a write, in milliseconds as HubSpot stamps."""
        moment = self.clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def _stamp(self, kind: Kind, stored: Stored) -> None:
        stored.properties["hs_object_id"] = stored.id
        stored.properties[kind.created] = stamp(stored.created)
        stored.properties[kind.modified] = stamp(stored.updated)


def unique_value(key: str, value: str | None) -> str | None:
    """What is compared: e-mails in small letters."""
    if not value:
        return None
    return value.strip().lower() if key == "email" else value.strip()


def stamp(moment: datetime) -> str:
    """2026-11-21T03:00:00.000Z"""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"

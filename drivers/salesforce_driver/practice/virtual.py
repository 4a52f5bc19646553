"""Fields that Salesforce works out when they are read: what a campaign member shows of its person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["VIRTUAL"]

Row = Mapping[str, Any]
Find = Callable[[str], Row | None]  # a record by its id
Compute = Callable[[Find, Row], Any]


def _person(find: Find, row: Row) -> Row:
    person_id = row.get("LeadId") or row.get("ContactId")
    return (find(person_id) if person_id else None) or {}


def _mirrored(name: str) -> Compute:
    return lambda find, row: _person(find, row).get(name)


def _place(name: str) -> Compute:
    """An address part: City of a lead, MailingCity of a contact."""
    return lambda find, row: _person(find, row).get(name if row.get("LeadId") else f"Mailing{name}")


def _company(find: Find, row: Row) -> Any:
    person = _person(find, row)
    account = find(person["AccountId"]) if person.get("AccountId") else None
    return person.get("Company") or (account and account["Name"])


VIRTUAL: dict[str, dict[str, Compute]] = {
    "CampaignMember": {
        **{
            name: _mirrored(name)
            for name in [
                "Salutation",
                "Name",
                "FirstName",
                "LastName",
                "Title",
                "Email",
                "Phone",
                "MobilePhone",
                "LeadSource",
            ]
        },
        **{name: _place(name) for name in ["City", "State", "PostalCode", "Country"]},
        "CompanyOrAccount": _company,
        "Type": lambda find, row: "Lead" if row.get("LeadId") else "Contact",
        "LeadOrContactId": lambda find, row: row.get("LeadId") or row.get("ContactId"),
        "LeadOrContactOwnerId": _mirrored("OwnerId"),
        "DoNotCall": lambda find, row: False,
        "HasOptedOutOfEmail": lambda find, row: False,
    }
}

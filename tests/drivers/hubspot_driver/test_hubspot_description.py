"""What the driver sends and the practice account answers, against the vendor's own description."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hubspot_description import FOLDER, Description

from hubspot_driver import HubSpotClient
from integrator_drivers import days_ago

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the vendor's descriptions are not beside this checkout")

# Members that HubSpot sends and its SDK's types do not know (seen in its documentation of 2026-03 and later).
UNDESCRIBED = ("'url' was unexpected", "'dataSensitivity' was unexpected")


@pytest.fixture(scope="module")
def description() -> Description:
    return Description()


def everything(hubspot: HubSpotClient, portal: Any) -> None:
    """Every kind of request that the driver can send; in the last update somebody else was faster with one."""
    hubspot.check()
    for entry in hubspot.describe_objects():
        hubspot.get_fields(entry.name)
        list(hubspot.read(entry.name, limit=150).rows())
    where = [("createdate", ">=", days_ago(400)), ("country", "in", ["Germany", "France"]), ("city", "contains", "er")]
    list(hubspot.read("contacts", ["id", "email"], where, since=days_ago(500), until=days_ago(0)).rows())
    list(hubspot.read("contacts", ["id"], [("phone", "is null", None), ("zip", "not in", ["1"])]).rows())
    list(hubspot.search("deals", "renewal", sorts=["-amount"], limit=300).rows())
    list(hubspot.associations("companies", "contacts", ["24583000000", "1"]).rows())
    email = next(row["email"] for row in hubspot.read("contacts", ["email"]).rows() if row["email"])
    hubspot.lookup("contacts", "email", [email, "no@x.example"], ["id"])
    hubspot.insert("deals", [{"dealname": "New", "amount": 12.5, "closedate": days_ago(1), "dealstage": "Closed Won"}])
    people = [{"email": f"p{n}@x.example", "firstname": "P"} for n in range(101)]
    hubspot.upsert("contacts", people, key="email")
    rows = list(hubspot.read("contacts", ["id"], limit=3).rows())
    hubspot.upsert("subscriptions", [{"subscription_number": "S-1", "plan": "Team"}], key="subscription_number")
    kind = portal.account.kinds["contacts"]
    portal.app.before_write = lambda: portal.account.make(kind, {"email": "o@x.example", "salesforce_lead_id": "L1"})
    hubspot.update("contacts", [{"id": row["id"], "salesforce_lead_id": f"L{n}"} for n, row in enumerate(rows)])


def test_requests_and_answers_are_as_described(
    own_portal: Any, writable: HubSpotClient, description: Description
) -> None:
    everything(writable, own_portal)
    problems: dict[str, None] = {}
    seen = set()
    for request, response in own_portal.app.exchanges:
        sent = json.loads(request.body) if request.body else None
        query = {name for name, _ in parse_qsl(request.query_string)}
        seen.add((request.method, request.path.rpartition("/")[2], response.status))
        answered = json.loads(response.body)
        for what in description.problems(request.method, request.path, query, sent, response.status, answered):
            if not any(known in what for known in UNDESCRIBED):
                problems[what] = None
    assert "\n".join(problems) == ""
    assert {("POST", "upsert", 200), ("POST", "create", 201), ("POST", "update", 207), ("POST", "search", 200)} <= seen


def test_a_wrong_request_is_noticed(description: Description) -> None:
    path = "/crm/objects/2026-09/contacts/search"
    wrong = {"filterGroups": [{"filters": [{"propertyName": "a", "operator": "LIKE"}]}], "limits": 3}
    found = list(description.problems("POST", path, set(), wrong, 200, {"total": "1", "results": []}))
    assert len(found) == 3
    assert list(description.problems("DELETE", "/crm/objects/2025-01/contacts/1", set(), None, 204, None))

"""The practice HubSpot: what it serves, how it writes, what it refuses and in which words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import pytest

from hubspot_driver.practice import serve
from integrator_practice import seeds
from integrator_practice.server import HttpServed

OBJECTS = "/crm/objects/2026-09"
CONTACTS = f"{OBJECTS}/contacts"


class HubSpot:
    """A practice account in this process, spoken to in plain HTTP."""

    def __init__(self, served: HttpServed) -> None:
        self.served = served
        self.token = served.env["HUBSPOT_ACCESS_TOKEN"]
        self.headers: dict[str, str] = {}  # of the last answer

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.served.port, timeout=20)
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {"Authorization": f"Bearer {self.token}", **headers})
            response = connection.getresponse()
            text = response.read()
            self.headers = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        return response.status, json.loads(text) if text else None

    def search(self, kind: str = "contacts", **body: Any) -> tuple[int, Any]:
        return self.send("POST", f"{OBJECTS}/{kind}/search", body)

    def found(self, operator: str, name: str, kind: str = "contacts", **more: Any) -> list[dict[str, Any]]:
        filters = [{"propertyName": name, "operator": operator, **more}]
        status, answer = self.search(
            kind, filterGroups=[{"filters": filters}], limit=200, properties=[name], sorts=["hs_object_id"]
        )
        assert status == 200, answer
        return list(answer["results"])

    def batch(self, operation: str, *inputs: Any, kind: str = "contacts", **more: Any) -> tuple[int, Any]:
        return self.send("POST", f"{OBJECTS}/{kind}/batch/{operation}", {"inputs": list(inputs), **more})

    def everybody(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = ""
        while True:
            names = "email,firstname,city,annualrevenue,lifecyclestage,createdate,hs_buying_role"
            _, page = self.send("GET", f"{CONTACTS}?limit=100&properties={names}{after}")
            rows += page["results"]
            if "paging" not in page:
                return rows
            after = f"&after={page['paging']['next']['after']}"


@pytest.fixture(scope="module")
def shared() -> Iterator[HubSpot]:
    yield from _serving(400)


@pytest.fixture
def hubspot() -> Iterator[HubSpot]:
    """An account of its own for one test."""
    yield from _serving(60)


def _serving(rows: int) -> Iterator[HubSpot]:
    served = serve(seed=5, rows=rows)
    worker = threading.Thread(target=served.serve_forever)
    worker.start()
    yield HubSpot(served)
    served.close()
    worker.join()


def test_without_the_token_nothing_is_answered(shared: HubSpot) -> None:
    status, answer = shared.send("GET", CONTACTS, Authorization="Bearer wrong")
    assert status == 401 and answer["category"] == "INVALID_AUTHENTICATION" and answer["status"] == "error"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/crm/v3/objects/contacts", 404),
        ("GET", "/crm/objects/2020-01/contacts", 404),
        ("GET", f"{OBJECTS}/nothings", 400),
        ("PUT", CONTACTS, 405),
        ("GET", f"{CONTACTS}/1", 404),
        ("GET", f"{CONTACTS}?limit=101", 400),
        ("GET", "/crm/properties/2026-09/contacts/nothing", 404),
    ],
)
def test_what_is_not_there_is_refused_as_hubspot_words_it(shared: HubSpot, method: str, path: str, status: int) -> None:
    found, answer = shared.send(method, path)
    assert found == status
    assert answer["status"] == "error" and answer["message"] and answer["category"] and answer["correlationId"]


def test_the_list_pages_by_after_and_shows_defaults_and_dates(shared: HubSpot) -> None:
    _, page = shared.send("GET", f"{CONTACTS}?limit=2")
    first = page["results"][0]
    assert {"email", "firstname", "lastname", "createdate", "lastmodifieddate", "hs_object_id"} == set(
        first["properties"]
    )
    assert first["createdAt"].endswith("Z") and first["archived"] is False
    rows = shared.everybody()
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})


def test_half_of_the_leads_of_the_practice_salesforce_are_known_by_their_address(shared: HubSpot) -> None:
    now = datetime.now(UTC)
    leads = {str(seeds.lead(5, n, now)["Email"]).lower() for n in range(400)} - {"none"}
    held = {row["properties"]["email"] for row in shared.everybody()}
    assert held <= leads
    assert 0.4 < len(held) / len(leads) < 0.6


def _matches(operator: str, name: str, row: dict[str, Any], more: dict[str, Any]) -> bool:
    held = row["properties"][name]
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return (held is not None) == (operator == "HAS_PROPERTY")
    if held is None:
        return False
    if name == "annualrevenue":
        held, more = float(held), {key: float(value) for key, value in more.items()}
    if name == "createdate":
        held = datetime.fromisoformat(held).timestamp() * 1000
        more = {key: float(value) for key, value in more.items()}
    if isinstance(held, str):
        held = held.lower()
    value = more.get("value")
    value = value.lower() if isinstance(value, str) else value
    return bool(
        {
            "EQ": lambda: held == value,
            "NEQ": lambda: held != value,
            "LT": lambda: held < value,
            "LTE": lambda: held <= value,
            "GT": lambda: held > value,
            "GTE": lambda: held >= value,
            "BETWEEN": lambda: value <= held <= more["highValue"],
            "IN": lambda: held in more["values"],
            "NOT_IN": lambda: held not in more["values"],
            "CONTAINS_TOKEN": lambda: str(value).strip("*") in held,
            "NOT_CONTAINS_TOKEN": lambda: str(value).strip("*") not in held,
        }[operator]()
    )


Q1 = str(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000))


@pytest.mark.parametrize(
    ("operator", "name", "more"),
    [
        ("EQ", "city", {"value": "berlin"}),
        ("NEQ", "city", {"value": "Berlin"}),
        ("IN", "city", {"values": ["berlin", "lyon"]}),
        ("NOT_IN", "city", {"values": ["berlin", "lyon"]}),
        ("IN", "lifecyclestage", {"values": ["lead", "customer"]}),
        ("HAS_PROPERTY", "lifecyclestage", {}),
        ("NOT_HAS_PROPERTY", "lifecyclestage", {}),
        ("LT", "annualrevenue", {"value": "125000"}),
        ("LTE", "annualrevenue", {"value": "125000"}),
        ("GT", "annualrevenue", {"value": "125000"}),
        ("GTE", "annualrevenue", {"value": "125000"}),
        ("BETWEEN", "annualrevenue", {"value": "0", "highValue": "125000"}),
        ("BETWEEN", "createdate", {"value": "0", "highValue": Q1}),
        ("GTE", "createdate", {"value": Q1}),
        ("CONTAINS_TOKEN", "email", {"value": "*northwind*"}),
        ("NOT_CONTAINS_TOKEN", "email", {"value": "*northwind*"}),
    ],
)
def test_each_operator_finds_what_a_look_at_all_finds(
    shared: HubSpot, operator: str, name: str, more: dict[str, Any]
) -> None:
    expected = [row["id"] for row in shared.everybody() if _matches(operator, name, row, more)]
    assert expected
    assert [row["id"] for row in shared.found(operator, name, **more)] == expected


def test_a_list_of_plain_text_is_compared_in_small_letters_only(shared: HubSpot) -> None:
    assert shared.found("IN", "city", values=["Berlin"]) == []
    assert shared.found("IN", "city", values=["berlin"])


def test_groups_are_alternatives_and_a_page_begins_where_the_last_ended(shared: HubSpot) -> None:
    def filters(city: str) -> dict[str, Any]:
        return {"filters": [{"propertyName": "city", "operator": "EQ", "value": city}]}

    body = {"filterGroups": [filters("Berlin"), filters("Lyon")], "limit": 3, "sorts": ["-createdate"]}
    _, first = shared.search(**body)
    _, second = shared.search(**body, after=first["paging"]["next"]["after"])
    berlin, lyon = (len(shared.found("EQ", "city", value=city)) for city in ("Berlin", "Lyon"))
    assert first["total"] == berlin + lyon
    times = [row["properties"]["createdate"] for row in [*first["results"], *second["results"]]]
    assert times == sorted(times, reverse=True) and len(times) == 6


ONE = {"propertyName": "city", "operator": "EQ", "value": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [ONE]}] * 6},
        {"filterGroups": [{"filters": [ONE] * 7}]},
        {"filterGroups": [{"filters": [ONE] * 5}] * 4},
        {"limit": 201},
        {"limit": 200, "after": "9900"},
        {"after": "x"},
        {"sorts": ["city", "email"]},
        {"sorts": ["nothing"]},
        {"where": "x"},
        {"filterGroups": [{"filters": [{"propertyName": "nothing", "operator": "EQ", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "LIKE", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "EQ", "value": 3}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "IN", "values": []}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "IN", "values": ["x"] * 101}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "annualrevenue", "operator": "GT", "value": "much"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "lifecyclestage", "operator": "GT", "value": "lead"}]}]},
        {"query": "x" * 3_000},
    ],
)
def test_a_search_that_is_not_understood_is_refused(shared: HubSpot, body: dict[str, Any]) -> None:
    status, answer = shared.search(**body)
    assert status == 400 and answer["category"] == "VALIDATION_ERROR"


def test_a_batch_create_with_a_known_address_fails_whole_and_names_one(hubspot: HubSpot) -> None:
    known = hubspot.everybody()[0]
    inputs = [{"properties": {"email": "new@x.example"}}, {"properties": {"email": known["properties"]["email"]}}]
    status, answer = hubspot.batch("create", *inputs)
    assert (status, answer["category"]) == (409, "CONFLICT")
    assert answer["message"] == f"Contact already exists. Existing ID: {known['id']}"
    assert hubspot.found("EQ", "email", value="new@x.example") == []


def test_a_batch_update_with_an_address_as_id_changes_nothing_and_says_nothing(hubspot: HubSpot) -> None:
    email = hubspot.everybody()[0]["properties"]["email"]
    status, answer = hubspot.batch("update", {"id": email, "properties": {"city": "Nowhere"}})
    assert (status, answer["results"]) == (200, []) and "errors" not in answer
    status, answer = hubspot.batch("update", {"id": email, "idProperty": "email", "properties": {"city": "Nowhere"}})
    assert status == 400 and "non-unique" in answer["message"]
    assert hubspot.found("EQ", "city", value="Nowhere") == []


def test_an_upsert_by_address_adds_or_changes_and_tells_which(hubspot: HubSpot) -> None:
    known = hubspot.everybody()[0]["properties"]["email"]
    inputs = [
        {"id": "New@X.example", "idProperty": "email", "properties": {"city": "Lyon"}, "objectWriteTraceId": "a"},
        {"id": known.upper(), "idProperty": "email", "properties": {"city": "Lyon"}, "objectWriteTraceId": "b"},
    ]
    status, answer = hubspot.batch("upsert", *inputs)
    assert status == 200
    assert [(one["objectWriteTraceId"], one["new"]) for one in answer["results"]] == [("a", True), ("b", False)]
    assert hubspot.found("EQ", "email", value="new@x.example")


def test_an_upsert_by_address_is_whole_or_not_at_all_by_another_key_each_counts(hubspot: HubSpot) -> None:
    def inputs(key: str, *values: str) -> list[dict[str, Any]]:
        facts = [{"firstname": "A"}, {"firstname": "B", "annualrevenue": "much"}]
        return [
            {"id": value, "idProperty": key, "properties": entry, "objectWriteTraceId": value}
            for value, entry in zip(values, facts, strict=True)
        ]

    status, answer = hubspot.batch("upsert", *inputs("email", "a@x.example", "b@x.example"))
    assert status == 400 and answer["message"].startswith("Property values were not valid: [")
    assert hubspot.found("EQ", "email", value="a@x.example") == []
    status, answer = hubspot.batch("upsert", *inputs("salesforce_lead_id", "L1", "L2"))
    assert status == 207 and answer["numErrors"] == 1 and len(answer["results"]) == 1
    assert answer["errors"][0]["context"]["objectWriteTraceId"] == ["L2"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([{"id": "a@x.example", "idProperty": "email", "properties": {}}] * 2, "Duplicate IDs"),
        (
            [{"id": f"a{n}@x.example", "idProperty": "email", "properties": {}} for n in range(101)],
            "must not exceed 100",
        ),
        ([{"id": "x", "idProperty": "city", "properties": {}}], "non-unique"),
        ([{"id": "x", "properties": {}}], "idProperty"),
        ([{"id": "x", "idProperty": "email"}], "required fields"),
        ([{"id": "x", "idProperty": "email", "properties": {}}], "is invalid"),
        ([{"id": "a@x.example", "idProperty": "email", "properties": {"nothing": "1"}}], "does not exist"),
        ([{"id": "a@x.example", "idProperty": "email", "properties": {"createdate": "1"}}], "read only"),
        ([{"id": "a@x.example", "idProperty": "email", "properties": {"lifecyclestage": "Lead"}}], "allowed options"),
        ([{"id": "a@x.example", "idProperty": "email", "properties": {"hubspot_owner_id": "1"}}], "allowed options"),
    ],
)
def test_an_upsert_that_is_not_understood_is_refused(hubspot: HubSpot, inputs: list[Any], words: str) -> None:
    status, answer = hubspot.batch("upsert", *inputs)
    assert status == 400 and words in answer["message"]
    assert hubspot.send("GET", "/_practice/requests")[1]["changed"] == 0


def test_a_batch_read_leaves_out_what_is_not_there_and_says_so(hubspot: HubSpot) -> None:
    known = hubspot.everybody()[0]
    more = {"properties": ["email"], "propertiesWithHistory": [], "idProperty": "email"}
    status, answer = hubspot.batch("read", {"id": known["properties"]["email"].upper()}, {"id": "no@x.example"}, **more)
    assert status == 207 and [one["id"] for one in answer["results"]] == [known["id"]]
    assert answer["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer["errors"][0]["context"] == {"ids": ["no@x.example"]}


def test_an_empty_text_clears_a_stage_does_not_go_back_and_the_stamp_moves(hubspot: HubSpot) -> None:
    row = next(one for one in hubspot.everybody() if one["properties"]["lifecyclestage"] == "customer")
    wish = {"city": "", "lifecyclestage": "lead", "firstname": "Other"}
    status, answer = hubspot.send("PATCH", f"{CONTACTS}/{row['id']}", {"properties": wish})
    assert status == 200 and answer["updatedAt"] > row["updatedAt"]
    _, after = hubspot.send("GET", f"{CONTACTS}/{row['id']}?properties=city,lifecyclestage,firstname")
    assert after["properties"]["city"] is None and after["properties"]["firstname"] == "Other"
    assert after["properties"]["lifecyclestage"] == "customer"


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", f"{CONTACTS}/15000000000"), ("POST", f"{CONTACTS}/batch/archive"), ("POST", f"{CONTACTS}/gdpr-delete")],
)
def test_archiving_is_refused_and_counts_as_a_wish_for_change(hubspot: HubSpot, method: str, path: str) -> None:
    before = len(hubspot.everybody())
    status, _ = hubspot.send(method, path, {"inputs": []})
    assert status in (403, 404, 405)
    log = hubspot.send("GET", "/_practice/requests")[1]
    assert log["mutations"] == 1 and log["changed"] == 0
    assert len(hubspot.everybody()) == before


def test_searches_and_batch_reads_are_no_wish_for_change(hubspot: HubSpot) -> None:
    hubspot.search()
    hubspot.batch("read", {"id": "1"}, properties=["email"], propertiesWithHistory=[])
    assert hubspot.send("GET", "/_practice/requests")[1]["mutations"] == 0


def test_the_allowance_is_told_but_not_by_searches(hubspot: HubSpot) -> None:
    hubspot.everybody()
    assert {"x-hubspot-ratelimit-max", "x-hubspot-ratelimit-remaining"} <= set(hubspot.headers)
    hubspot.search()
    assert "x-hubspot-ratelimit-max" not in hubspot.headers


def test_limits_can_be_switched_on(hubspot: HubSpot) -> None:
    hubspot.send("POST", "/_practice/faults", {"fault": "rate_limit", "calls": 1})
    hubspot.send("GET", CONTACTS)
    status, answer = hubspot.send("GET", CONTACTS)
    assert (status, answer["policyName"], hubspot.headers["retry-after"]) == (429, "TEN_SECONDLY_ROLLING", "1")
    hubspot.send("DELETE", "/_practice/faults")
    hubspot.send("POST", "/_practice/faults", {"fault": "daily_limit"})
    status, answer = hubspot.send("GET", CONTACTS)
    assert (status, answer["policyName"]) == (429, "DAILY") and "retry-after" not in hubspot.headers
    hubspot.send("DELETE", "/_practice/faults")
    assert hubspot.send("GET", CONTACTS)[0] == 200


def test_a_token_without_a_scope_is_told_which_one(hubspot: HubSpot) -> None:
    hubspot.send("POST", "/_practice/faults", {"fault": "hide_object", "object": "deals"})
    status, answer = hubspot.send("GET", f"{OBJECTS}/deals")
    assert (status, answer["category"]) == (403, "MISSING_SCOPES")
    assert answer["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.deals.read"]


def test_the_same_seed_gives_the_same_people() -> None:
    held = []
    for _ in range(2):
        for one in _serving(40):
            held.append([(row["id"], row["properties"]["email"]) for row in one.everybody()])
    assert held[0] == held[1]

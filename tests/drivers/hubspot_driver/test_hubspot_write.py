from __future__ import annotations

from typing import Any

import pytest

from hubspot_driver import HubSpotClient
from integrator_drivers import Records, Source, Target, sync
from integrator_drivers.errors import ConnectionError, RateLimitError, ReadOnlyError, RowLimitError, ValidationError

TEXT: Any = {"type": "text", "native_type": "text", "nullable": True}


def contact(portal: Any, **wanted: str) -> Any:
    rows = portal.account.kinds["contacts"].rows.values()
    return next(row for row in rows if all(row.properties.get(k) == v for k, v in wanted.items()))


def some(portal: Any, count: int = 1) -> list[Any]:
    rows = [row for row in portal.account.kinds["contacts"].rows.values() if row.properties.get("lastname")]
    return rows[:count]


def test_a_preview_compares_and_counts_and_sends_nothing(
    own_portal: Any, writable: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, same = some(own_portal, 2)
    rows = [
        {"email": "New@Customer.Example", "firstname": "New"},
        {"email": known.properties["email"], "firstname": "Changed"},
        {"email": same.properties["email"], "lastname": same.properties["lastname"]},
        {"email": "no address", "firstname": "x"},
    ]
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    shown = writable.upsert("contacts", rows, key="email")
    assert (shown.inserted, shown.updated, shown.unchanged, len(shown.rejected)) == (1, 1, 1, 1)
    (difference,) = shown.differences
    assert difference["column"] == "firstname" and difference["new"] == "Changed"
    assert own_portal.mutations() == 0
    monkeypatch.setenv("INTEGRATOR_MODE", "apply")
    done = writable.upsert("contacts", rows, key="email")
    assert (done.inserted, done.updated, done.unchanged, len(done.rejected)) == (1, 1, 1, 1)
    again = writable.upsert("contacts", rows, key="email")
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 3)
    assert contact(own_portal, email="new@customer.example").properties["firstname"] == "New"


def test_an_address_is_trimmed_and_in_small_letters_and_the_first_of_several_counts(
    own_portal: Any, writable: HubSpotClient
) -> None:
    rows = [
        {"email": "  Ann@Customer.Example ", "firstname": "First"},
        {"email": "ann@customer.example", "firstname": "Second"},
        {"email": "", "firstname": "Nobody"},
        {"email": None, "firstname": "Nobody"},
    ]
    done = writable.upsert("contacts", rows, key="email")
    assert done.inserted == 1
    assert [entry.reason for entry in done.rejected] == [
        "a record with the same email came before in this run; the first one counts",
        "no value in the key email",
        "no value in the key email",
    ]
    assert contact(own_portal, email="ann@customer.example").properties["firstname"] == "First"


def test_an_empty_value_clears_and_an_absent_one_leaves_alone(own_portal: Any, writable: HubSpotClient) -> None:
    person = next(row for row in some(own_portal, 50) if row.properties.get("phone") and row.properties.get("city"))
    done = writable.update("contacts", [{"id": person.id, "phone": ""}])
    assert done.updated == 1
    after = own_portal.account.kinds["contacts"].rows[person.id].properties
    assert "phone" not in after and after["city"] == person.properties["city"]
    assert writable.update("contacts", [{"id": person.id, "phone": None}]).unchanged == 1


def test_a_choice_can_be_named_by_its_label_and_a_wrong_one_is_rejected(
    own_portal: Any, writable: HubSpotClient
) -> None:
    rows = [
        {"email": "a@customer.example", "hs_lead_status": "in progress", "hs_buying_role": ["Champion", "BLOCKER"]},
        {"email": "b@customer.example", "hs_lead_status": "Lukewarm"},
        {"email": "c@customer.example", "annualrevenue": "much"},
    ]
    done = writable.upsert("contacts", rows, key="email")
    assert done.inserted == 1
    assert 'hs_lead_status can\'t be "Lukewarm"; it can be NEW, OPEN' in done.rejected[0].reason
    assert done.rejected[1].reason == 'annualrevenue is a number, not "much"'
    held = contact(own_portal, email="a@customer.example").properties
    assert held["hs_lead_status"] == "IN_PROGRESS" and held["hs_buying_role"] == "CHAMPION;BLOCKER"


def test_an_insert_looks_for_what_must_be_unique(own_portal: Any, writable: HubSpotClient) -> None:
    known = some(own_portal)[0].properties["email"]
    people = [{"email": known.upper()}, {"email": "a@x.example"}, {"email": "A@X.example"}, {"firstname": "No address"}]
    done = writable.insert("contacts", people)
    assert done.inserted == 2
    assert [entry.reason for entry in done.rejected] == [
        f"another record of contacts ({some(own_portal)[0].id}) has this email already",
        "a record with the same email came before in this run; the first one counts",
    ]
    again = writable.insert("subscriptions", [{"subscription_number": "SUB-00001"}, {"plan": "Team"}])
    assert [entry.reason for entry in again.rejected] == [
        "subscription_number must not be empty in a new record of subscriptions",
        f"another record of subscriptions ({sorted(own_portal.account.kinds['subscriptions'].rows)[1]})"
        " has this subscription_number already",
    ]


def test_a_preview_foresees_that_another_record_holds_a_unique_value(
    own_portal: Any, writable: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = some(own_portal, 3)
    rows = [
        {"salesforce_lead_id": "A", "email": one.properties["email"]},
        {"salesforce_lead_id": "B", "email": "fresh@customer.example"},
        {"salesforce_lead_id": "C", "email": "Fresh@customer.example"},
    ]
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    shown = writable.upsert("contacts", rows, key="salesforce_lead_id")
    monkeypatch.setenv("INTEGRATOR_MODE", "apply")
    done = writable.upsert("contacts", rows, key="salesforce_lead_id")
    assert (shown.inserted, len(shown.rejected)) == (done.inserted, len(done.rejected)) == (1, 2)
    assert [entry.reason for entry in shown.rejected] == [entry.reason for entry in done.rejected]
    moved = [{"id": two.id, "email": three.properties["email"]}, {"id": three.id, "salesforce_lead_id": "D"}]
    done = writable.update("contacts", moved)
    assert done.updated == 1 and done.rejected[0].reason.startswith(f"another record of contacts ({three.id})")
    assert writable.update("contacts", [{"id": three.id, "salesforce_lead_id": "D", "city": "Lyon"}]).rejected == []


def test_a_life_cycle_stage_does_not_go_back_and_counts_as_unchanged(own_portal: Any, writable: HubSpotClient) -> None:
    person = contact(own_portal, lifecyclestage="customer")
    assert writable.update("contacts", [{"id": person.id, "lifecyclestage": "Lead"}]).unchanged == 1
    assert own_portal.mutations() == 0


def test_each_item_of_a_partly_refused_batch_is_counted_on_its_own(own_portal: Any, writable: HubSpotClient) -> None:
    """Somebody gives away an id between our look and our write: HubSpot answers 207 and says so for each."""
    one, two, three = some(own_portal, 3)
    kind = own_portal.account.kinds["contacts"]
    own_portal.app.before_write = lambda: own_portal.account.change(kind, one, {"salesforce_lead_id": "TAKEN"})
    done = writable.update(
        "contacts",
        [
            {"id": two.id, "salesforce_lead_id": "TAKEN"},
            {"id": three.id, "salesforce_lead_id": "FREE"},
            {"id": "12345678", "city": "x"},
        ],
    )
    assert done.updated == 1
    reasons = sorted(entry.reason for entry in done.rejected)
    assert reasons[0].startswith("Cannot set property salesforce_lead_id to TAKEN.")
    assert reasons[1] == "there is no record of contacts with this id"
    assert 207 in [response.status for _, response in own_portal.app.exchanges]


def test_a_batch_refused_whole_is_halved_until_the_one_is_found(own_portal: Any, writable: HubSpotClient) -> None:
    """Somebody adds the same person in between: batch create fails whole and names one."""
    people = [{"email": f"p{n}@customer.example", "lastname": f"P{n}"} for n in range(12)]
    kind = own_portal.account.kinds["contacts"]
    own_portal.app.before_write = lambda: own_portal.account.make(kind, {"email": "p7@customer.example"})
    done = writable.insert("contacts", people)
    assert done.inserted == 11
    (rejected,) = done.rejected
    assert rejected.record["lastname"] == "P7" and rejected.reason.startswith("Contact already exists. Existing ID: ")


def test_somebody_adding_the_same_person_in_between_makes_no_second_one(
    own_portal: Any, writable: HubSpotClient
) -> None:
    kind = own_portal.account.kinds["contacts"]
    own_portal.app.before_write = lambda: own_portal.account.make(kind, {"email": "ann@customer.example"})
    done = writable.upsert("contacts", [{"email": "ann@customer.example", "firstname": "Ann"}], key="email")
    assert (done.inserted, done.updated) == (0, 1)
    assert len([row for row in kind.rows.values() if row.properties.get("email") == "ann@customer.example"]) == 1


def test_a_contact_is_known_by_a_further_address_of_its_own(own_portal: Any, writable: HubSpotClient) -> None:
    kind = own_portal.account.kinds["contacts"]
    person = next(row for row in kind.rows.values() if row.properties.get("hs_additional_emails"))
    other = person.properties["hs_additional_emails"]
    done = writable.upsert("contacts", [{"email": other, "jobtitle": "Poet"}], key="email")
    assert (done.inserted, done.updated) == (0, 1)
    assert kind.rows[person.id].properties["email"] == person.properties["email"]


def test_a_key_that_fits_several_records_is_refused_and_one_that_fits_one_is_taken(
    own_portal: Any, writable: HubSpotClient
) -> None:
    kind = own_portal.account.kinds["companies"]
    for _ in range(2):
        own_portal.account.make(kind, {"name": "Twin", "domain": "twin.example"})
    rows = [{"domain": "twin.example", "name": "T"}, {"domain": "fresh.example", "name": "Fresh"}]
    done = writable.upsert("companies", rows, key="domain")
    assert done.inserted == 1
    assert done.rejected[0].reason == "2 companies have the same domain; it is not clear which one is meant"
    assert writable.upsert("companies", [{"domain": "FRESH.example", "name": "Fresher"}], key="domain").updated == 1


def test_custom_objects_are_written_by_their_unique_property(own_portal: Any, writable: HubSpotClient) -> None:
    rows = [
        {"subscription_number": "SUB-NEW", "plan": "Team", "starts_on": "2026-11-01", "is_paused": False},
        {"plan": "nothing to know it by", "subscription_number": " "},
    ]
    done = writable.upsert("subscriptions", rows, key="subscription_number")
    assert done.inserted == 1 and done.rejected[0].reason == "no value in the key subscription_number"
    assert any(path.startswith("POST /crm/objects/2026-09/2-3456789/batch/upsert") for path in own_portal.paths())
    assert writable.upsert("subscriptions", rows[:1], key="subscription_number").unchanged == 1


def test_writes_are_refused_in_discovery_and_for_what_can_only_be_read(
    own_portal: Any, writable: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValidationError, match="can only be read"):
        writable.insert("owners", [{"name": "x"}])
    with pytest.raises(ValidationError, match="createdate can't be written"):
        writable.insert("contacts", [{"email": "x@customer.example", "createdate": "2026-01-01"}])
    monkeypatch.setenv("INTEGRATOR_MODE", "discovery")
    with pytest.raises(ReadOnlyError):
        writable.upsert("contacts", [{"email": "x@customer.example"}], key="email")
    assert own_portal.mutations() == 0


def test_a_run_stops_before_the_batch_that_would_exceed_the_approved_rows(
    own_portal: Any, writable: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_MAX_ROWS", "150")
    people = [{"email": f"p{n}@customer.example"} for n in range(260)]
    with pytest.raises(RowLimitError):
        writable.upsert("contacts", people, key="email")
    assert own_portal.log()["changed"] == 100


def test_a_keyed_write_is_repeated_and_one_without_a_key_is_not(
    own_portal: Any, writable: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(writable._connection._api, "_sleep", waits.append)
    own_portal.fault("next_status", status=503, path="batch/upsert")
    assert writable.upsert("contacts", [{"email": "a@customer.example"}], key="email").inserted == 1
    assert len(waits) == 1
    own_portal.fault("next_status", status=503, path="batch/create")
    with pytest.raises(RateLimitError, match="HubSpot is busy"):
        writable.insert("contacts", [{"email": "b@customer.example"}])
    own_portal.fault("drop", path="batch/create")
    with pytest.raises(ConnectionError, match="may or may not have been written"):
        writable.insert("contacts", [{"email": "b@customer.example"}])
    assert len(waits) == 1


def test_an_answer_lost_on_the_way_is_made_good_by_the_key(
    own_portal: Any, writable: HubSpotClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writable._connection._api, "_sleep", lambda seconds: None)
    own_portal.fault("truncate", path="batch/upsert")
    done = writable.upsert("contacts", [{"email": "a@customer.example", "city": "Lyon"}], key="email")
    assert done.inserted + done.updated == 1
    kind = own_portal.account.kinds["contacts"]
    assert len([row for row in kind.rows.values() if row.properties.get("email") == "a@customer.example"]) == 1


def test_a_sync_accounts_for_every_row_and_changes_nothing_the_second_time(
    own_portal: Any, writable: HubSpotClient
) -> None:
    rows = [{"email": f"P{n % 240}@Customer.example" if n % 9 else None, "firstname": f"P{n}"} for n in range(250)]
    fields = {"email": TEXT, "firstname": TEXT}
    first = sync(source=Records(fields, rows), target=Target(writable, "contacts"), key="email")
    assert first.read == first.inserted + first.rejected + first.duplicates == 250
    second = sync(source=Records(fields, rows), target=Target(writable, "contacts"), key="email")
    assert second.written == 0 and second.unchanged == first.inserted


def test_a_sync_within_hubspot_reads_while_it_writes(own_portal: Any, writable: HubSpotClient) -> None:
    source = Source(writable, "contacts", {"id": "id", "company": "jobtitle"})
    done = sync(source=source, target=Target(writable, "contacts"), key="id")
    assert done.rejected == 0 and done.updated + done.unchanged == done.read


def test_writing_by_address_does_not_depend_on_searches_which_lag(own_portal: Any, writable: HubSpotClient) -> None:
    own_portal.fault("search_lag")
    rows = [{"email": f"p{n}@customer.example", "firstname": f"P{n}"} for n in range(5)]
    assert writable.upsert("contacts", rows, key="email").inserted == 5
    assert writable.upsert("contacts", rows, key="email").unchanged == 5
    assert (
        list(
            writable.read("contacts", ["id"], [("firstname", "=", "P1"), ("email", "=", "p1@customer.example")]).rows()
        )
        == []
    )
    assert len(writable.lookup("contacts", "email", ["P1@customer.example"], ["id"])) == 1

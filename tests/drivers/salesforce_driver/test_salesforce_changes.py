"""Which records changed or were deleted, as Salesforce lists them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrator_drivers import ObjectNotFoundError, ValidationError
from salesforce_driver import SalesforceClient

NOW = datetime.now(UTC)


def test_changed_and_deleted_records_of_the_last_minutes_are_listed(org: Any, salesforce: SalesforceClient) -> None:
    salesforce.insert("Lead", [{"LastName": "New", "Company": f"Changes {n}"} for n in range(2)])
    made = salesforce.lookup("Lead", "Company", ["Changes 0", "Changes 1"], ["Id"])
    gone, stays = made["Changes 0"]["Id"], made["Changes 1"]["Id"]
    salesforce._connection.call("DELETE", f"sobjects/Lead/{gone}")
    records = salesforce.changes("lead", since=NOW - timedelta(minutes=2))
    rows = {row["Id"]: row for row in records.rows()}
    assert (rows[stays]["IsDeleted"], rows[stays]["DeletedDate"]) == (False, None)
    assert rows[gone]["IsDeleted"] and NOW - timedelta(minutes=1) < rows[gone]["DeletedDate"]
    assert list(records.fields) == ["Id", "IsDeleted", "DeletedDate"]
    earlier = salesforce.changes("Lead", NOW - timedelta(days=20), NOW - timedelta(minutes=5))
    assert not {gone, stays} & {row["Id"] for row in earlier.rows()}


def test_a_span_that_can_not_be_answered_is_refused_in_words(salesforce: SalesforceClient) -> None:
    with pytest.raises(ValidationError, match=r"the last 30 days only.*Read with since instead"):
        salesforce.changes("Lead", NOW - timedelta(days=45))
    with pytest.raises(ValidationError, match="since must be before until"):
        salesforce.changes("Lead", NOW, NOW - timedelta(hours=1))
    with pytest.raises(ValidationError, match="no time zone"):
        salesforce.changes("Lead", datetime(2026, 11, 1))
    with pytest.raises(ObjectNotFoundError, match="Close matches: Lead"):
        salesforce.changes("Leads", NOW - timedelta(days=1))

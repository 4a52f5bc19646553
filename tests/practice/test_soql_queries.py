"""Answers of the SOQL engine over the seeded org, asked over HTTP."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrator_practice import seeds
from salesforce_driver.practice import soql
from salesforce_driver.practice.org import Org
from salesforce_driver.practice.soql import ranges

GOLDEN = [
    "SELECT Id, FirstName, LastName, Email, Company, LeadSource, Status, IsConverted, CreatedDate, (SELECT "
    "CampaignId, Campaign.Name, Campaign.Type, Status, HasResponded, FirstRespondedDate, CreatedDate FROM "
    "CampaignMembers ORDER BY CreatedDate) FROM Lead WHERE CreatedDate = LAST_N_DAYS:30 ORDER BY CreatedDate, Id",
    "SELECT Id, LeadId, CampaignId, Campaign.Name, Campaign.Type, Status, HasResponded, FirstRespondedDate, "
    "CreatedDate FROM CampaignMember WHERE LeadId != null AND Lead.CreatedDate >= {start} AND Lead.CreatedDate < "
    "{end}",
    "SELECT Id, FirstName, LastName, Email, LeadSource, CreatedDate FROM Lead WHERE CreatedDate = LAST_N_DAYS:30 "
    "AND Id NOT IN (SELECT LeadId FROM CampaignMember WHERE LeadId != null)",
    "SELECT CampaignId, Campaign.Name cname, COUNT_DISTINCT(LeadId) leads FROM CampaignMember WHERE LeadId != "
    "null GROUP BY CampaignId, Campaign.Name LIMIT 2000",
    "SELECT CampaignId, COUNT_DISTINCT(LeadId) converted FROM CampaignMember WHERE LeadId != null AND "
    "Lead.IsConverted = true GROUP BY CampaignId LIMIT 2000",
    "SELECT Id, LeadId, CampaignId, Campaign.Name, HasResponded, CreatedDate, Lead.IsConverted, "
    "Lead.ConvertedDate, Lead.ConvertedOpportunityId FROM CampaignMember WHERE LeadId != null",
    "SELECT Id, LeadSource, ConvertedDate, ConvertedOpportunityId, ConvertedOpportunity.CampaignId, "
    "ConvertedOpportunity.Amount, ConvertedOpportunity.IsClosed, ConvertedOpportunity.IsWon FROM Lead WHERE "
    "IsConverted = true",
    "SELECT CampaignId, Campaign.Name cname, COUNT(Id) opps, SUM(Amount) amount FROM Opportunity WHERE CampaignId"
    " != null AND IsWon = true GROUP BY CampaignId, Campaign.Name LIMIT 2000",
    "SELECT Id, FirstName, LastName, Email, Phone, Company, LeadSource, Status, IsConverted, IsDeleted, "
    "CreatedDate, SystemModstamp FROM Lead WHERE SystemModstamp >= {start} AND SystemModstamp < {end} ORDER BY "
    "SystemModstamp, Id",
]


def literal(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("soql", GOLDEN)
def test_golden_queries_run_and_find_something(seeded: Any, soql: str) -> None:
    end = datetime.now(UTC)
    text = soql.format(start=literal(end - timedelta(days=30)), end=literal(end))
    assert seeded.rows(text)


def test_leads_with_campaigns_keep_leads_without_any(seeded: Any) -> None:
    rows = seeded.rows(GOLDEN[0])
    without = seeded.total(GOLDEN[2])
    assert len(rows) == seeded.total("SELECT COUNT() FROM Lead WHERE CreatedDate = LAST_N_DAYS:30")
    assert sum(row["CampaignMembers"] is None for row in rows) == without > 0
    members = {row["CampaignMembers"]["totalSize"] for row in rows if row["CampaignMembers"]}
    assert {1, 3} <= members


def test_names_come_back_as_the_schema_spells_them(seeded: Any) -> None:
    row = seeded.rows("select id, firstname, owner.NAME from lead limit 1")[0]
    assert list(row) == ["attributes", "Id", "FirstName", "Owner"]
    assert row["attributes"]["url"] == f"/services/data/v59.0/sobjects/Lead/{row['Id']}"
    assert row["Owner"]["attributes"]["type"] == "Name"


def test_text_is_compared_without_regard_to_case(seeded: Any) -> None:
    email = seeded.rows("SELECT Email FROM Lead WHERE Email != null LIMIT 1")[0]["Email"]
    assert seeded.total(f"SELECT COUNT() FROM Lead WHERE Email = '{email.upper()}'") >= 1


def test_unequal_keeps_null_and_equal_does_not(seeded: Any) -> None:
    every = seeded.total("SELECT COUNT() FROM Lead")
    web = seeded.total("SELECT COUNT() FROM Lead WHERE LeadSource = 'Web'")
    null = seeded.total("SELECT COUNT() FROM Lead WHERE LeadSource = null")
    assert null > 0
    assert seeded.total("SELECT COUNT() FROM Lead WHERE LeadSource != 'Web'") == every - web
    assert seeded.total("SELECT COUNT() FROM Lead WHERE LeadSource NOT IN ('Web')") == every - web
    assert seeded.total("SELECT COUNT() FROM Lead WHERE (NOT LeadSource = 'Web')") == every - web
    assert seeded.total("SELECT COUNT() FROM Lead WHERE LeadSource IN ('Web', null)") == web + null
    assert seeded.total("SELECT COUNT() FROM Lead WHERE LeadSource = ''") == null


def test_a_condition_on_a_missing_parent_sees_null(seeded: Any) -> None:
    without = seeded.total("SELECT COUNT() FROM Lead WHERE ConvertedOpportunityId = null")
    assert seeded.total("SELECT COUNT() FROM Lead WHERE ConvertedOpportunity.Name = null") == without


def test_like_knows_both_wildcards_and_their_escapes(seeded: Any) -> None:
    assert seeded.total("SELECT COUNT() FROM Lead WHERE LastName LIKE '%drop table%'") == 1
    assert seeded.total(r"SELECT COUNT() FROM Lead WHERE LastName LIKE 'O\'B____%'") > 0
    assert seeded.total(r"SELECT COUNT() FROM Lead WHERE LastName LIKE '\%'") == 0
    assert seeded.total(r"SELECT COUNT() FROM Lead WHERE FirstName = 'Line\nBreak'") == 1


def test_ids_of_15_and_18_characters_find_the_same_record(seeded: Any) -> None:
    record_id = seeded.rows("SELECT Id FROM Lead LIMIT 1")[0]["Id"]
    for text in (record_id, record_id[:15]):
        assert seeded.rows(f"SELECT Id FROM Lead WHERE Id = '{text}'")[0]["Id"] == record_id
    code, message = seeded.error("SELECT Id FROM Lead WHERE Id = 'nobody'")
    assert code == "INVALID_QUERY_FILTER_OPERATOR"
    assert message.endswith("invalid ID field: nobody")


def test_relative_dates_follow_the_midnights_of_the_user(seeded: Any) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for name, start, end in (
        ("TODAY", today, today + timedelta(days=1)),
        ("LAST_N_DAYS:30", today - timedelta(days=30), today + timedelta(days=1)),
        ("LAST_WEEK", *week(today, -1)),
        ("THIS_YEAR", today.replace(month=1, day=1), today.replace(year=today.year + 1, month=1, day=1)),
    ):
        plain = f"CreatedDate >= {literal(start)} AND CreatedDate < {literal(end)}"
        found = seeded.total(f"SELECT COUNT() FROM Lead WHERE CreatedDate = {name}")
        assert found == seeded.total(f"SELECT COUNT() FROM Lead WHERE {plain}"), name
        outside = seeded.total(f"SELECT COUNT() FROM Lead WHERE CreatedDate < {name} OR CreatedDate > {name}")
        assert found + outside == 1240


def week(today: datetime, ago: int) -> tuple[datetime, datetime]:
    sunday = today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=ago)
    return sunday, sunday + timedelta(weeks=1)


def test_nulls_come_first_unless_asked_otherwise(seeded: Any) -> None:
    def emails(order: str) -> list[str | None]:
        return [row["Email"] for row in seeded.rows(f"SELECT Email FROM Lead ORDER BY Email {order}")]

    up, down = emails(""), emails("DESC")
    assert up[0] is None
    assert down[0] is None
    assert emails("NULLS LAST")[-1] is None
    known = [email.casefold() for email in up if email]
    assert all(one <= other for one, other in pairwise(known))
    assert [email.casefold() for email in down if email] == known[::-1]


def test_a_picklist_sorts_in_the_order_of_its_choices(seeded: Any) -> None:
    found = [row["StageName"] for row in seeded.rows("SELECT StageName FROM Opportunity ORDER BY StageName")]
    _, described = seeded.rest("GET", "/sobjects/Opportunity/describe")
    stage = next(field for field in described["fields"] if field["name"] == "StageName")
    choices = [choice["value"] for choice in stage["picklistValues"]]
    assert [choices.index(name) for name in found] == sorted(choices.index(name) for name in found)


def test_groups_carry_aliases_and_numbered_names(seeded: Any) -> None:
    rows = seeded.rows(
        "SELECT LeadSource, COUNT(Id), MAX(CreatedDate) newest, COUNT(Email) FROM Lead GROUP BY LeadSource"
    )
    assert list(rows[0]) == ["attributes", "LeadSource", "expr0", "newest", "expr1"]
    assert rows[0]["attributes"] == {"type": "AggregateResult"}
    assert sum(row["expr0"] for row in rows) == 1240
    assert None in [row["LeadSource"] for row in rows]


def test_having_and_order_work_on_aggregates(seeded: Any) -> None:
    rows = seeded.rows(
        "SELECT Status, COUNT(Id) n FROM Lead GROUP BY Status HAVING COUNT(Id) > 200 ORDER BY COUNT(Id) DESC"
    )
    counts = [row["n"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert all(count > 200 for count in counts)


def test_dates_can_be_grouped_by_their_parts(seeded: Any) -> None:
    rows = seeded.rows(
        "SELECT CALENDAR_YEAR(CreatedDate) y, CALENDAR_MONTH(CreatedDate) m, COUNT(Id) n FROM Lead "
        "GROUP BY CALENDAR_YEAR(CreatedDate), CALENDAR_MONTH(CreatedDate) "
        "ORDER BY CALENDAR_YEAR(CreatedDate), CALENDAR_MONTH(CreatedDate)"
    )
    assert sum(row["n"] for row in rows) == 1240
    assert [(row["y"], row["m"]) for row in rows] == sorted((row["y"], row["m"]) for row in rows)


def test_an_aggregate_without_group_answers_one_row(seeded: Any) -> None:
    rows = seeded.rows("SELECT COUNT(Id), SUM(Amount) total FROM Opportunity WHERE Id = null")
    assert rows == [{"attributes": {"type": "AggregateResult"}, "expr0": 0, "total": None}]


def test_semi_joins_find_what_a_join_would(seeded: Any) -> None:
    joined = {row["LeadId"] for row in seeded.rows("SELECT LeadId FROM CampaignMember WHERE LeadId != null")}
    found = seeded.rows("SELECT Id FROM Lead WHERE Id IN (SELECT LeadId FROM CampaignMember)")
    assert {row["Id"] for row in found} == joined


def test_limit_and_offset_cut_after_sorting(seeded: Any) -> None:
    every = [row["Id"] for row in seeded.rows("SELECT Id FROM Lead ORDER BY Id")]
    page = [row["Id"] for row in seeded.rows("SELECT Id FROM Lead ORDER BY Id LIMIT 5 OFFSET 3")]
    assert page == every[3:8]


def test_fields_all_stands_for_every_field(seeded: Any) -> None:
    _, described = seeded.rest("GET", "/sobjects/Lead/describe")
    row = seeded.rows("SELECT FIELDS(ALL) FROM Lead LIMIT 1")[0]
    assert list(row)[1:] == [field["name"] for field in described["fields"]]
    assert list(seeded.rows("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 1")[0])[1:] == ["External_Id__c"]
    assert set(row["Address"]) >= {"city", "street", "postalCode"}


def test_deleted_records_are_seen_by_queryall_only(seeded: Any) -> None:
    _, answer = seeded.rest("GET", "/queryAll?q=SELECT+COUNT()+FROM+Lead+WHERE+IsDeleted+%3D+true")
    assert answer["totalSize"] == 6
    assert seeded.total("SELECT COUNT() FROM Lead WHERE IsDeleted = true") == 0


def test_members_show_what_their_person_says_now(small: Any) -> None:
    member = small.rows(
        "SELECT LeadId, Email, Name, LeadOrContact.Name FROM CampaignMember WHERE Lead.IsConverted = false"
    )[0]
    assert member["LeadOrContact"]["Name"] == member["Name"]
    status, _ = small.rest("PATCH", f"/sobjects/Lead/{member['LeadId']}", {"Email": "new@practice.example"})
    assert status == 204
    found = small.rows(f"SELECT Email FROM CampaignMember WHERE LeadId = '{member['LeadId']}'")
    assert found[0]["Email"] == "new@practice.example"


def test_long_results_come_in_pages(seeded: Any) -> None:
    status, page = seeded.query("SELECT Id FROM Lead ORDER BY Id", Sforce_Query_Options="batchSize=200")
    pages = [page]
    while not pages[-1]["done"]:
        status, page = seeded.send("GET", pages[-1]["nextRecordsUrl"])
        assert status == 200
        pages.append(page)
    assert [len(page["records"]) for page in pages] == [200] * 6 + [40]
    assert {page["totalSize"] for page in pages} == {1240}
    assert len({row["Id"] for page in pages for row in page["records"]}) == 1240
    status, errors = seeded.rest("GET", "/query/01gnone-200")
    assert (status, errors[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_a_long_list_of_children_has_pages_of_its_own(make_salesforce: Any) -> None:
    with make_salesforce(rows=2_600) as salesforce:
        _, page = salesforce.query(
            "SELECT Id, (SELECT Id FROM CampaignMembers ORDER BY Id) FROM Campaign ORDER BY Name LIMIT 1",
            Sforce_Query_Options="batchSize=200",
        )
        children = page["records"][0]["CampaignMembers"]
        assert (page["done"], children["done"], len(children["records"])) == (True, False, 200)
        _, more = salesforce.send("GET", children["nextRecordsUrl"])
        assert more["done"]
        found = {row["Id"] for row in children["records"] + more["records"]}
        assert len(found) == children["totalSize"] > 200


def test_names_may_be_prefixed_with_the_object_or_an_alias(seeded: Any) -> None:
    plain = seeded.rows("SELECT Id FROM Lead WHERE Name = 'Singh' ORDER BY Id")
    for prefix, source in (("Lead", "Lead"), ("l", "Lead l"), ("L", "Lead AS l")):
        text = f"SELECT {prefix}.Id FROM {source} WHERE {prefix}.Name = 'Singh' ORDER BY {prefix}.Id"
        assert seeded.rows(text) == plain


def test_relative_dates_of_another_user_begin_at_that_users_midnight() -> None:
    org = Org()
    new_york = soql.Clock(datetime(2026, 3, 9, 3, tzinfo=UTC), ZoneInfo("America/New_York"))  # 8 March, 23:00 there
    stamps = [datetime(2026, 3, 8, 4, 59, tzinfo=UTC), datetime(2026, 3, 8, 5, tzinfo=UTC), new_york.now]
    stamps.append(datetime(2026, 3, 9, 4, tzinfo=UTC))  # clocks went forward that night: 8 March had 23 hours
    org.fill("Lead", ({"Id": seeds.lead_id(1, n), "CreatedDate": stamp} for n, stamp in enumerate(stamps)))
    text = "SELECT Id FROM Lead WHERE CreatedDate = TODAY"
    result = soql.run(text, org, new_york, include_deleted=False, children=lambda rows, render, base: {})
    assert [row["CreatedDate"] for row in result.found] == stamps[1:3]


@pytest.mark.parametrize(
    ("name", "n", "first", "after"),
    [
        ("LAST_WEEK", None, "2026-11-08", "2026-11-15"),
        ("THIS_WEEK", None, "2026-11-15", "2026-11-22"),
        ("NEXT_MONTH", None, "2026-12-01", "2027-01-01"),
        ("LAST_QUARTER", None, "2026-07-01", "2026-10-01"),
        ("THIS_FISCAL_YEAR", None, "2026-01-01", "2027-01-01"),
        ("LAST_90_DAYS", None, "2026-08-23", "2026-11-22"),
        ("NEXT_90_DAYS", None, "2026-11-22", "2027-02-20"),
        ("LAST_N_DAYS", 1, "2026-11-20", "2026-11-22"),
        ("N_DAYS_AGO", 3, "2026-11-18", "2026-11-19"),
        ("LAST_N_WEEKS", 2, "2026-11-01", "2026-11-15"),
        ("LAST_N_MONTHS", 3, "2026-08-01", "2026-11-01"),
        ("NEXT_N_MONTHS", 2, "2026-12-01", "2027-02-01"),
        ("N_MONTHS_AGO", 11, "2025-12-01", "2026-01-01"),
        ("LAST_N_QUARTERS", 4, "2025-10-01", "2026-10-01"),
        ("N_YEARS_AGO", 2, "2024-01-01", "2025-01-01"),
    ],
)
def test_relative_dates_are_whole_days(name: str, n: int | None, first: str, after: str) -> None:
    found = ranges.days(name, n, date(2026, 11, 21))  # a Saturday
    assert tuple(day.isoformat() for day in found) == (first, after)


def test_readers_are_not_disturbed_by_writers(small: Any) -> None:
    def write() -> None:
        for n in range(20):
            small.rest("POST", "/sobjects/Lead", {"LastName": f"New {n}", "Company": "B", "External_Id__c": f"w{n}"})

    writer = threading.Thread(target=write)
    writer.start()
    totals = []
    while writer.is_alive():
        totals.append(small.total("SELECT COUNT() FROM Lead WHERE LastName != null"))
    writer.join()
    assert totals == sorted(totals)
    assert small.total("SELECT COUNT() FROM Lead") == 80


def test_typeof_shows_a_parent_with_the_fields_of_what_it_is(seeded: Any) -> None:
    soql = "SELECT Id, TYPEOF Owner WHEN user THEN Username, Email WHEN Group THEN Id ELSE Name END FROM Lead LIMIT 5"
    for row in seeded.rows(soql):
        assert list(row) == ["attributes", "Id", "Owner"]
        assert row["Owner"]["attributes"]["type"] == "User"
        assert "@" in row["Owner"]["Username"] and set(row["Owner"]) == {"attributes", "Username", "Email"}
    members = "SELECT TYPEOF LeadOrContact WHEN Lead THEN Company WHEN Contact THEN AccountId END FROM CampaignMember"
    kinds = {row["LeadOrContact"]["attributes"]["type"]: set(row["LeadOrContact"]) for row in seeded.rows(members)}
    assert kinds == {"Lead": {"attributes", "Company"}, "Contact": {"attributes", "AccountId"}}
    only = "SELECT TYPEOF LeadOrContact WHEN Lead THEN Id END FROM CampaignMember WHERE ContactId != null LIMIT 1"
    assert seeded.rows(only)[0]["LeadOrContact"] is None


def test_rollup_and_cube_add_subtotals(seeded: Any) -> None:
    counted = "SELECT Status, LeadSource, COUNT(Id) n FROM Lead GROUP BY {0}(Status, LeadSource)"
    plain = seeded.rows("SELECT Status, LeadSource, COUNT(Id) n FROM Lead GROUP BY Status, LeadSource")
    total = seeded.total("SELECT COUNT() FROM Lead")
    rolled = seeded.rows(
        "SELECT Status, LeadSource, GROUPING(Status) s, GROUPING(LeadSource) l, COUNT(Id) n FROM Lead "
        "GROUP BY ROLLUP(Status, LeadSource)"
    )
    by_kind: dict[Any, list[Any]] = {(s, t): [] for s in (0, 1) for t in (0, 1)}
    for row in rolled:
        by_kind[row["s"], row["l"]].append(row)
    assert len(by_kind[0, 0]) == len(plain)
    assert [row["n"] for row in by_kind[1, 1]] == [total]
    assert not by_kind[1, 0]
    assert {row["Status"]: row["n"] for row in by_kind[0, 1]} == {
        row["Status"]: row["n"] for row in seeded.rows("SELECT Status, COUNT(Id) n FROM Lead GROUP BY Status")
    }
    cube = seeded.rows(counted.format("CUBE"))
    sources = seeded.rows("SELECT LeadSource, COUNT(Id) n FROM Lead GROUP BY LeadSource")
    assert len(cube) == len(rolled) + len(sources)
    kept = "SELECT Status FROM Lead GROUP BY ROLLUP(Status) HAVING GROUPING(Status) = 1"
    assert [row["Status"] for row in seeded.rows(kept)] == [None]


def test_date_functions_can_count_in_the_time_zone_of_the_user() -> None:
    org = Org()
    org.fill("Lead", [{"Id": seeds.lead_id(1, 0), "CreatedDate": datetime(2026, 3, 1, 2, 30, tzinfo=UTC)}])

    def parts(zone: str, argument: str) -> Any:
        text = f"SELECT CALENDAR_MONTH({argument}) m, HOUR_IN_DAY({argument}) h FROM Lead GROUP BY "
        text += f"CALENDAR_MONTH({argument}), HOUR_IN_DAY({argument})"
        clock = soql.Clock(datetime(2026, 3, 1, 12, tzinfo=UTC), ZoneInfo(zone))
        found = soql.run(text, org, clock, include_deleted=False, children=lambda rows, render, base: {})
        row = found.render(found.found[0], "")
        return row["m"], row["h"]

    assert parts("America/New_York", "CreatedDate") == (3, 2)
    assert parts("America/New_York", "convertTimezone(CreatedDate)") == (2, 21)
    assert parts("Asia/Kolkata", "convertTimezone(CreatedDate)") == (3, 8)

"""What SOQL does not allow is refused as Salesforce words it, and never answered wrongly."""

from __future__ import annotations

from typing import Any

import pytest

REFUSED = [
    # query, error code, part of the message
    ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT Id FRM Lead", "MALFORMED_QUERY", "unexpected token: 'Lead'"),
    ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT * FROM Lead", "MALFORMED_QUERY", "unexpected token: '*'"),
    ("SELECT Id, FROM Lead", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
    ("DELETE FROM Lead", "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
    ("SELECT Id FROM Lead; SELECT Id FROM Lead", "MALFORMED_QUERY", "no viable alternative at character ';'"),
    ('SELECT Id FROM Lead WHERE Name = "Ann"', "MALFORMED_QUERY", "no viable alternative at character '\"'"),
    ("SELECT Id FROM Lead WHERE Name = 'Ann", "MALFORMED_QUERY", "mismatched character '<EOF>' expecting '''"),
    ("SELECT Id FROM Lead WHERE Name = 'a\\q'", "MALFORMED_QUERY", "in string literal."),
    ("SELECT Id FROM Lead WHERE Name", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Lead WHERE Name = Email", "MALFORMED_QUERY", "unexpected token: 'Email'"),
    ("SELECT Id FROM Lead WHERE Name = :name", "MALFORMED_QUERY", "unexpected token: ':'"),
    ("SELECT Id FROM Lead WHERE Name IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
    ("SELECT Id FROM Lead WHERE Name = 'a' AND City = 'b' OR City = 'c'", "MALFORMED_QUERY", "token: 'OR'"),
    ("SELECT Id FROM Lead WHERE NOT Name = 'a' AND City = 'b'", "MALFORMED_QUERY", "token: 'AND'"),
    ("SELECT Id FROM Lead WHERE Name = 'a' AND NOT (City = 'b')", "MALFORMED_QUERY", "token: 'NOT'"),
    ("SELECT Id FROM Opportunity WHERE Amount > 1e5", "MALFORMED_QUERY", "unexpected token: '1e5'"),
    ("SELECT Id FROM Order", "INVALID_TYPE", "sObject type 'Order' is not supported."),
    ("SELECT Id FROM Lead WHERE ((Name = 'a')", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Lead LIMIT -1", "MALFORMED_QUERY", "unexpected token: '-1'"),
    ("SELECT Id FROM Lead LIMIT 1 WHERE Name = 'a'", "MALFORMED_QUERY", "unexpected token: 'WHERE'"),
    ("SELECT Id FROM Lead LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "offset allowed is 2000"),
    ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", "unexpected token: 'ALL'"),
    ("SELECT Id FROM Lead FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
    ("SELECT Id FROM Lead USING SCOPE mine", "MALFORMED_QUERY", "unexpected token: 'USING'"),
    ("SELECT TYPEOF Owner WHEN User THEN Id FROM Lead", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
    ("SELECT TYPEOF Owner END FROM Lead", "MALFORMED_QUERY", "unexpected token: 'END'"),
    ("SELECT TYPEOF Owner WHEN User THEN END FROM Lead", "MALFORMED_QUERY", "unexpected token: 'END'"),
    ("SELECT TYPEOF Owner WHEN Account THEN Id END FROM Lead", "INVALID_TYPE", "Account is no type of Owner"),
    ("SELECT TYPEOF Owner WHEN User THEN Nme END FROM Lead", "INVALID_FIELD", "No such column 'Nme' on entity 'User'"),
    ("SELECT TYPEOF CreatedBy WHEN User THEN Id END FROM Lead", "INVALID_FIELD", "is no polymorphic relationship"),
    ("SELECT TYPEOF Owner WHEN User THEN Id END, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "aggregates or GROUP BY"),
    ("SELECT FORMAT(CreatedDate) FROM Lead", "MALFORMED_QUERY", "unexpected token: '('"),
    ("SELECT GROUPING(Status) g, COUNT(Id) FROM Lead GROUP BY Status", "MALFORMED_QUERY", "GROUPING needs GROUP BY"),
    ("SELECT GROUPING(City) FROM Lead GROUP BY CUBE(Status)", "MALFORMED_QUERY", "GROUPING needs a field of GROUP BY"),
    ("SELECT COUNT(Id) FROM Lead GROUP BY CUBE(Status, City, State, Title)", "MALFORMED_QUERY", "unexpected token"),
    (
        "SELECT CALENDAR_YEAR(convertTimezone(ConvertedDate)) FROM Lead GROUP BY "
        "CALENDAR_YEAR(convertTimezone(ConvertedDate))",
        "MALFORMED_QUERY",
        "which is no dateTime",
    ),
    ("SELECT Id, Id FROM Lead", "MALFORMED_QUERY", "duplicate field selected: Id"),
    ("SELECT Id x FROM Lead", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
    ("SELECT FIELDS(ALL) FROM Lead", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
    ("SELECT FIELDS(SOME) FROM Lead", "MALFORMED_QUERY", "unexpected token: 'SOME'"),
    ("SELECT Id FROM Leed", "INVALID_TYPE", "the describe call for the appropriate names."),
    ("SELECT Id FROM Name", "INVALID_TYPE", "the describe call for the appropriate names."),
    ("SELECT Id, (SELECT Id FROM CampaignMember) FROM Lead", "INVALID_TYPE", "for the appropriate names."),
    ("SELECT Id, (SELECT COUNT() FROM CampaignMembers) FROM Lead", "MALFORMED_QUERY", "aggregate expressions"),
    ("SELECT Lead_Origin__c FROM Lead", "INVALID_FIELD", "the describe call for the appropriate names."),
    ("SELECT Campaign.Name FROM Lead", "INVALID_FIELD", "the describe call for the appropriate names."),
    ("SELECT Owner.Birthday FROM Lead", "INVALID_FIELD", "the describe call for the appropriate names."),
    ("SELECT Id FROM Lead ORDER BY Nothing", "INVALID_FIELD", "the describe call for the appropriate names."),
    (
        "SELECT Id FROM Lead WHERE IsConverted = 'true'",
        "INVALID_FIELD",
        "must be of type boolean and should not be",
    ),
    (
        "SELECT Id FROM Lead WHERE NumberOfEmployees > '5'",
        "INVALID_FIELD",
        "must be of type int and should not be",
    ),
    (
        "SELECT Id FROM Opportunity WHERE Amount = 'x'",
        "INVALID_FIELD",
        "must be of type double and should not be",
    ),
    ("SELECT Id FROM Lead WHERE Name = 5", "INVALID_FIELD", "of type string and should be enclosed in quotes"),
    (
        "SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01",
        "INVALID_FIELD",
        "type dateTime and should not",
    ),
    (
        "SELECT Id FROM Lead WHERE ConvertedDate > 2026-01-01T00:00:00Z",
        "INVALID_FIELD",
        "type date and should not",
    ),
    (
        "SELECT Id FROM Lead WHERE CreatedDate > 2026-13-01T00:00:00Z",
        "INVALID_FIELD",
        "invalid date: 2026-13",
    ),
    ("SELECT Id FROM Lead WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT Id FROM Lead WHERE Description LIKE '%a%'", "INVALID_FIELD", "can not be filtered in a query call"),
    ("SELECT Id FROM Lead WHERE Address = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
    ("SELECT Id FROM Lead WHERE Id LIKE '00Q%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
    ("SELECT Id FROM Lead WHERE IsConverted > true", "INVALID_QUERY_FILTER_OPERATOR", "operator on boolean field"),
    ("SELECT Id FROM Lead WHERE Email > null", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on email field"),
    ("SELECT Id FROM Lead WHERE LeadSource INCLUDES ('Web')", "INVALID_QUERY_FILTER_OPERATOR", "on picklist field"),
    ("SELECT Id FROM Lead ORDER BY Description", "MALFORMED_QUERY", "can not be sorted in a query call"),
    ("SELECT CreatedDate FROM Lead GROUP BY CreatedDate", "MALFORMED_QUERY", "can not be grouped in a query call"),
    ("SELECT Name, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name"),
    ("SELECT Status FROM Lead GROUP BY Status ORDER BY Name", "MALFORMED_QUERY", "grouped or aggregated: Name"),
    ("SELECT SUM(Name) FROM Lead", "MALFORMED_QUERY", "field Name does not support aggregate operator SUM"),
    ("SELECT COUNT(), Id FROM Lead", "MALFORMED_QUERY", "unexpected token: 'COUNT'"),
    (
        "SELECT Parent.Name, Owner.Name FROM Campaign GROUP BY Parent.Name, Owner.Name",
        "MALFORMED_QUERY",
        "duplicate alias: Name",
    ),
    (
        "SELECT CALENDAR_YEAR(Name) FROM Lead GROUP BY CALENDAR_YEAR(Name)",
        "MALFORMED_QUERY",
        "date function CALENDAR",
    ),
    ("SELECT Id FROM Lead WHERE Id IN (SELECT Id FROM Lead)", "MALFORMED_QUERY", "on the same object type"),
    (
        "SELECT Id FROM Lead WHERE Id IN (SELECT CampaignId FROM CampaignMember)",
        "MALFORMED_QUERY",
        "same object type",
    ),
    (
        "SELECT Id FROM Lead WHERE Id IN (SELECT Name FROM CampaignMember)",
        "MALFORMED_QUERY",
        "cannot use: 'Name'",
    ),
    (
        "SELECT Id FROM Lead WHERE Name = 'a' OR Id IN (SELECT LeadId FROM CampaignMember)",
        "MALFORMED_QUERY",
        "not in nested WHERE expressions.",
    ),
    (
        "SELECT Id FROM Lead WHERE Id IN (SELECT LeadId FROM CampaignMember WHERE LeadId IN (SELECT Id FROM Lead))",
        "MALFORMED_QUERY",
        "Nesting of semi join sub-selects is not supported",
    ),
]


@pytest.mark.parametrize(("soql", "code", "part"), REFUSED, ids=[soql for soql, _, _ in REFUSED])
def test_refused(seeded: Any, soql: str, code: str, part: str) -> None:
    found, message = seeded.error(soql)
    assert found == code
    assert part in message


def test_an_unknown_object_is_framed_as_in_a_recording(seeded: Any) -> None:
    code, message = seeded.error("select count() from XYZZY")
    assert code == "INVALID_TYPE"
    assert message == (
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not "
        "supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )


def test_an_unknown_field_in_the_second_line_is_found_there(seeded: Any) -> None:
    _, message = seeded.error("SELECT Id\n FROM Lead\n WHERE Nme = 'x'")
    assert message.startswith(
        "\n WHERE Nme = 'x'\n       ^\nERROR at Row:3:Column:8\nNo such column 'Nme' on entity 'Lead'."
    )


def test_more_than_2000_groups_need_a_limit(make_salesforce: Any) -> None:
    with make_salesforce(rows=2_100) as salesforce:
        code, _ = salesforce.error("SELECT Id, COUNT(Email) FROM Lead GROUP BY Id")
        assert code == "EXCEEDED_ID_LIMIT"
        assert len(salesforce.rows("SELECT Id, COUNT(Email) FROM Lead GROUP BY Id LIMIT 2000")) == 2_000


def test_an_empty_query_is_refused(seeded: Any) -> None:
    assert seeded.rest("GET", "/query?q=")[1][0]["message"] == "A query string has to be specified"


def test_a_hidden_field_is_not_there(small: Any) -> None:
    small.fault(fault="hide_field", object="Lead", field="Email")
    code, message = small.error("SELECT Email FROM Lead")
    assert code == "INVALID_FIELD"
    assert "No such column 'Email' on entity 'Lead'" in message
    _, described = small.rest("GET", "/sobjects/Lead/describe")
    assert "Email" not in [field["name"] for field in described["fields"]]
    small.send("DELETE", "/_practice/faults")
    assert small.total("SELECT COUNT() FROM Lead WHERE Email != null") > 0

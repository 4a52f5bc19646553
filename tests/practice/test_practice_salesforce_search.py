"""Text search by SOSL."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest


def find(salesforce: Any, text: str) -> list[dict[str, Any]]:
    status, answer = salesforce.rest("GET", f"/search?q={quote(text)}")
    assert status == 200, answer
    records: list[dict[str, Any]] = answer["searchRecords"]
    return records


def test_words_are_found_wherever_they_stand(small: Any) -> None:
    for name in ("Zebulon Quist", "Quist, Zebulon & Sons", "Zebulonia Quist"):
        small.rest("POST", "/sobjects/Account", {"Name": name, "Website": "quist.example"})
    small.rest("POST", "/sobjects/Lead", {"LastName": "Zebulon", "Company": "Quist", "Email": "z@quist.example"})
    both = find(small, "FIND {zebulon quist} RETURNING Account(Id, Name ORDER BY Name), Lead(LastName, Company)")
    assert [row.get("Name") for row in both] == ["Quist, Zebulon & Sons", "Zebulon Quist"]
    assert [row["attributes"]["type"] for row in find(small, "FIND {Zebulon} RETURNING Lead, Account")] == [
        "Lead",
        "Account",
        "Account",
    ]
    only = 'FIND {"Zebulon Quist"} IN NAME FIELDS RETURNING Account(Name)'
    assert [row["Name"] for row in find(small, only)] == ["Zebulon Quist"]
    assert len(find(small, "FIND {zebulon* quist} IN NAME FIELDS RETURNING Account(Name LIMIT 2)")) == 2
    assert len(find(small, "FIND {zebuloni?} RETURNING Account(Name WHERE Website = 'quist.example')")) == 1
    assert [row["attributes"]["type"] for row in find(small, "FIND {quist} IN EMAIL FIELDS")] == ["Lead"]
    assert len(find(small, "FIND {quist} LIMIT 3")) == 3
    assert find(small, "FIND {nobodyatall}") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Lead", "MALFORMED_SEARCH"),
        ("FIND {a}", "MALFORMED_SEARCH"),
        ("FIND {}", "MALFORMED_SEARCH"),
        ("FIND {ann OR bob}", "MALFORMED_SEARCH"),
        ("FIND {ann} RETURNING Nothing(Id)", "INVALID_TYPE"),
        ("FIND {ann} RETURNING Lead(Nothing)", "INVALID_FIELD"),
        ("FIND {ann} RETURNING CampaignMember(Id)", "INVALID_SEARCH"),
        ("FIND {ann} RETURNING Lead(Id WHERE)", "MALFORMED_QUERY"),
        ("FIND {ann} WITH DATA CATEGORY", "MALFORMED_SEARCH"),
    ],
)
def test_what_is_not_understood_is_refused(seeded: Any, text: str, code: str) -> None:
    status, errors = seeded.rest("GET", f"/search?q={quote(text)}")
    assert (status, errors[0]["errorCode"]) == (400, code)

"""The practice Salesforce answers in the shapes that were recorded from real orgs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from salesforce_driver.practice import extract_describe

RECORDINGS = Path(__file__).parents[3] / "shared" / "salesforce-fixtures"
pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="needs the recordings in ../shared/salesforce-fixtures")
# Left out on purpose, or different in a practice org.
LEFT_OUT = {"inlineHelpText", "filteredLookupInfo", "defaultValueFormula", "byteLength", "picklistValues"}
ADDED = {"External_Id__c"}


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / "describe" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", extract_describe.RECORDED)
def test_describe_agrees_with_its_recording(seeded: Any, name: str) -> None:
    _, mine = seeded.rest("GET", f"/sobjects/{name}/describe")
    theirs = recorded(name)
    missing = set(theirs) - set(mine)
    assert missing <= {"compactLayoutable", "lookupLayoutable", "listviewable", "searchLayoutable", "extendedBy"} | {
        "defaultImplementation",
        "extendsInterfaces",
        "implementedBy",
        "implementsInterfaces",
        "networkScopeFieldName",
    }
    fields = {field["name"]: field for field in mine["fields"]}
    standard = [field for field in theirs["fields"] if not field["custom"]]
    assert [name for name in fields if name not in ADDED] == [field["name"] for field in standard]
    for field in standard:
        shown = fields[field["name"]]
        assert set(shown) == set(field)
        assert {k: v for k, v in shown.items() if k not in LEFT_OUT} == {
            k: v for k, v in field.items() if k not in LEFT_OUT
        }
        assert [c["value"] for c in shown["picklistValues"]] == [c["value"] for c in field["picklistValues"]]
        assert shown["byteLength"] == field["byteLength"] or field["type"] not in ("id", "reference")


def test_the_shipped_facts_are_what_the_script_extracts(tmp_path: Path) -> None:
    target = tmp_path / "describe.json"
    extract_describe.main(RECORDINGS / "describe", target)
    shipped = Path(extract_describe.__file__).with_name("describe.json")
    assert json.loads(target.read_text()) == json.loads(shipped.read_text())


def shape(value: Any) -> Any:
    """Keys and kinds, without the values: lists by their first entry."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "value"


def interactions(method: str, path: str) -> list[dict[str, Any]]:
    every = json.loads((RECORDINGS / "responses" / "cumulusci_interactions.json").read_text(encoding="utf-8"))
    return [one for one in every if one["method"] == method and urlsplit(one["url"]).path.rstrip("/").endswith(path)]


def test_recorded_queries_are_answered_in_the_recorded_shape(seeded: Any) -> None:
    compared = 0
    for one in interactions("GET", "/query"):
        text = parse_qs(urlsplit(one["url"]).query)["q"][0]
        theirs = json.loads(one["response_body"])
        status, mine = seeded.query(text)
        if status != 200:
            assert mine[0]["errorCode"] in ("INVALID_TYPE", "INVALID_FIELD", "MALFORMED_QUERY"), text
            continue
        assert list(mine)[:2] == list(theirs)[:2] == ["totalSize", "done"]
        if theirs["records"] and mine["records"]:
            assert list(shape(mine["records"][0])) == list(shape(theirs["records"][0])), text
            compared += 1
    assert compared > 5


def test_recorded_collections_are_answered_in_the_recorded_shape(small: Any) -> None:
    for method in ("POST", "PATCH"):
        theirs = [json.loads(one["response_body"]) for one in interactions(method, "/composite/sobjects")]
        assert theirs
        record = {"attributes": {"type": "Account"}, "Name": "Smith Corp."}
        if method == "PATCH":
            record["Id"] = small.rows("SELECT Id FROM Account LIMIT 1")[0]["Id"]
        _, mine = small.rest(method, "/composite/sobjects", {"allOrNone": False, "records": [record]})
        for answer in theirs:
            assert shape(mine[0]) == shape(answer[0])


def test_recorded_inserts_are_answered_in_the_recorded_shape(small: Any) -> None:
    for one in interactions("POST", "/sobjects/Account"):
        status, mine = small.rest("POST", "/sobjects/Account/", json.loads(one["request_body"]))
        assert status == one["status"]
        assert shape(mine) == shape(json.loads(one["response_body"]))


def test_counts_of_records_have_the_recorded_shape(seeded: Any) -> None:
    theirs = [json.loads(one["response_body"]) for one in interactions("GET", "/limits/recordCount")]
    _, mine = seeded.rest("GET", "/limits/recordCount?sObjects=Lead")
    assert shape(mine) in [shape(answer) for answer in theirs]

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import salesforce_driver
from integrator_drivers import registry
from integrator_drivers.testing import Subject
from integrator_drivers.testing.running import requests_are_allowed
from salesforce_driver import SalesforceClient
from salesforce_driver.src import extract_schema

DOCS = registry.docs("salesforce")
BLOCKS = [
    pytest.param(block, id=f"{path}-{number}")
    for path, text in DOCS.items()
    if path.endswith(".md")
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL), 1)
]
FIXTURES = Path(__file__).parents[4] / "shared" / "salesforce-fixtures" / "describe"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.mark.parametrize("block", BLOCKS)
def test_every_piece_of_code_in_the_documents_runs(org: Any, elsewhere: Path, block: str) -> None:
    exec(compile(block, "document", "exec"), {"__name__": "document"})


def test_the_readme_says_how_each_login_is_set_up() -> None:
    readme = DOCS["README.md"]
    assert readme.index("Client credentials") < readme.index("User name, password and security token")
    for words in ("External Client App", "Run As", "My Domain", "Summer '27"):
        assert words in readme
    assert salesforce_driver.API_VERSION in readme


def test_the_api_reference_names_every_public_method() -> None:
    public = [name for name in vars(SalesforceClient) if not name.startswith("_")]
    assert [name for name in public if f"## {name}(" not in DOCS["docs/api_reference.md"]] == []


def test_the_public_face_is_the_sorted_all() -> None:
    assert sorted(salesforce_driver.__all__) == salesforce_driver.__all__
    public = {name for name in vars(salesforce_driver) if not name.startswith("_")}
    assert public - {"main", "practice", "src"} == set(salesforce_driver.__all__)


def test_the_standard_schema_is_what_the_script_extracts() -> None:
    if not FIXTURES.exists():
        pytest.skip("the recorded describes are not beside this checkout")
    assert extract_schema.schema(FIXTURES)["objects"] == registry.standard_schema("salesforce")


def test_the_standard_schema_marks_what_was_written_and_what_is_personal() -> None:
    schema = registry.standard_schema("salesforce")
    assert {name for name, entry in schema.items() if entry["source"] == "written"} == {
        "Campaign",
        "CampaignMember",
        "Task",
        "User",
    }
    personal = {f"{obj}.{name}" for obj in schema for name, field in schema[obj]["fields"].items() if field["personal"]}
    assert {"Lead.Email", "Lead.Name", "Contact.MailingStreet", "Case.SuppliedName", "User.Username"} <= personal
    assert not {"Lead.LeadSource", "Lead.Company", "Account.Name", "Opportunity.Name", "Campaign.Name"} & personal
    assert not [field for obj in schema.values() for field in obj["fields"] if field.endswith("__c")]


def test_what_the_practice_org_shows_is_in_the_standard_schema(salesforce: SalesforceClient) -> None:
    schema = registry.standard_schema("salesforce")
    for obj in ("Lead", "Contact", "Account", "Opportunity", "Campaign", "CampaignMember"):
        live = {name for name in salesforce.get_fields(obj) if not name.endswith("__c")}
        assert live == set(schema[obj]["fields"])


def test_a_request_that_the_manifest_does_not_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = registry.manifest("salesforce").folder
    one = {"list_leads.py": folder / "examples" / "list_leads.py"}
    monkeypatch.setattr(Subject, "examples", property(lambda self: one))
    with Subject("salesforce") as subject:
        assert list(requests_are_allowed(subject)) == []
        subject.manifest = replace(subject.manifest, http={"read": ["GET /services/data/**"], "never": ["* **/query"]})
        found = list(requests_are_allowed(subject))
    login = "list_leads.py sends POST /services/oauth2/token in preview, which [http] does not allow"
    assert login in found
    assert "list_leads.py sends GET /services/data/v62.0/query, which [http] never allows" in found

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import hubspot_driver
from hubspot_driver import HubSpotClient
from hubspot_driver.practice import standard_schema
from integrator_drivers import registry

DOCS = registry.docs("hubspot")
FOLDER = registry.manifest("hubspot").folder
BLOCKS = [
    pytest.param(block, id=f"{path}-{number}")
    for path, text in DOCS.items()
    if path.endswith(".md")
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_piece_of_code_in_the_documents_runs(
    portal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: str
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "document", "exec"), {"__name__": "document"})


def test_the_api_reference_names_every_public_method() -> None:
    public = [name for name in vars(HubSpotClient) if not name.startswith("_")]
    assert [name for name in public if f"## {name}(" not in DOCS["docs/api_reference.md"]] == []


def test_the_public_face_is_the_sorted_all() -> None:
    assert sorted(hubspot_driver.__all__) == hubspot_driver.__all__
    public = {name for name in vars(hubspot_driver) if not name.startswith("_")}
    assert public - {"main", "practice", "src"} == set(hubspot_driver.__all__)


def test_the_version_stands_in_one_place_of_the_code() -> None:
    holding = [path.name for path in FOLDER.glob("src/*.py") if f'"{hubspot_driver.API_VERSION}"' in path.read_text()]
    assert holding == ["settings.py"]
    assert hubspot_driver.API_VERSION not in (FOLDER / "driver.toml").read_text()
    assert hubspot_driver.API_VERSION in DOCS["README.md"]


def test_the_standard_schema_is_what_the_script_makes() -> None:
    assert standard_schema.schema() == registry.standard_schema("hubspot")


def test_the_standard_schema_holds_no_property_of_one_account(portal: Any, hubspot: HubSpotClient) -> None:
    schema = registry.standard_schema("hubspot")
    assert set(hubspot.get_fields("contacts")) - set(schema["contacts"]["fields"]) == {"salesforce_lead_id"}
    assert set(hubspot.list_objects()) - set(schema) == {"subscriptions"}


def test_the_light_wheel_asks_for_what_the_manifest_requires() -> None:
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())["project"]
    assert tuple(project["optional-dependencies"]["hubspot"]) == registry.manifest("hubspot").requires

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from integrator_drivers import Manifest, registry
from integrator_drivers.testing import CHECKS, Skipped, Subject, assert_conforms, conformance, run_check
from integrator_drivers.testing.running import allows

MANIFEST = """
name = "shaky"
purpose = "Breaks every promise a driver makes"
aliases = ["wobbly"]
client = "shaky_driver:ShakyClient"
[[env]]
name = "SHAKY_TOKEN"
auth = "token"
[[host]]
name = "shaky.example"
[http]
read = ["GET /**", "DELETE /things"]
[[question]]
words = ["how much"]
object = "Nothing"
choices = [{ label = "Amount" }]
"""
CLIENT = """
from integrator_drivers import Identity, ObjectInfo, Records, ObjectNotFoundError

class ShakyClient:
    def __enter__(self): return self
    def __exit__(self, *args): pass
    def check(self): return Identity("", "", "")
    def close(self): pass
    def list_objects(self): return ["things", "things"]
    def describe_objects(self): return [ObjectInfo("other", "")]
    def get_fields(self, obj):
        if obj != "things":
            raise ObjectNotFoundError("no")
        return {"id": {"type": "string", "native_type": "s", "nullable": 1, "colour": "red"}, "note": {"type": "text"}}
    def read(self, obj, fields=None, where=None, since=None, until=None, limit=None):
        rows = [{"id": 1, "extra": 2}] * 3
        return Records({"id": {"type": "text"}, "extra": {"type": "text"}}, lambda: rows)
    def insert(self, obj, records): pass
    def upsert(self, obj, records, key): pass
    def update(self, obj, records, key): pass
    def lookup(self, obj, key, values, fields): return {}
    def purge_things(self): pass
"""
EXAMPLE = """
import sys
sys.exit("it broke")
"""


@pytest.fixture
def shaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    folder = tmp_path / "shaky_driver"
    (folder / "examples").mkdir(parents=True)
    (folder / "driver.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "__init__.py").write_text(CLIENT, encoding="utf-8")
    (folder / "README.md").write_text("# Shaky\n\n## Overview\n\n```python\nif\n```\n", encoding="utf-8")
    (folder / "examples" / "bad.py").write_text(EXAMPLE, encoding="utf-8")
    (folder / "schema.json").write_text('{"objects": {"things": {"label": "Things", "fields": {}}}}', encoding="utf-8")
    found = {"shaky": Manifest.load(folder / "driver.toml")}
    monkeypatch.setattr(registry, "manifests", lambda: found)
    monkeypatch.syspath_prepend(tmp_path)
    with Subject("shaky") as subject:
        practice: Any = SimpleNamespace(env={}, control_url=None)
        subject._practice["shaky"] = practice
        yield subject
    sys.modules.pop("shaky_driver", None)


FOUND = {
    "the manifest is complete": [
        "SHAKY_TOKEN has no help",
        "SHAKY_TOKEN looks like a secret",
        '[http] read allows "DELETE /things"',
        "there is no practice system",
    ],
    "the manifest says where joins and questions lead": [
        "[[question]] is about Nothing, which the standard schema does not have"
    ],
    "the README has every section": ['README.md has no section "pitfalls"', "README.md does not mention SHAKY_TOKEN"],
    "the docs folder has every page": ["docs/overview.md is missing, too short or has no title"],
    "the standard schema has the shape of the contract": ["things has no purpose", "things has no fields"],
    "every example has the shape of a script": [
        "bad.py has no docstring",
        "bad.py does not start with a script header",
    ],
    "the client speaks the protocols": ["check() says neither account nor user"],
    "the client has no way to delete": ["the client has purge_things"],
    "the client lists objects": ["list_objects names an object twice"],
    "fields have the shape of the contract": [
        "things.id has the unknown key colour",
        "things.id: nullable is int",
        "things.id has the unknown type 'string'",
        "things.note has no native_type",
    ],
    "a read gives the fields it was asked for": ["asked for 2 rows of things, got 3"],
    "an unknown object is answered with near matches": [
        "ObjectNotFoundError for thingsx does not offer things, but []"
    ],
    "an unknown field is answered with near matches": ["the unknown field notx of things in fields is not refused"],
    "discovery refuses to write": ["insert is not refused in discovery"],
    "every example runs as a preview and changes nothing": ["bad.py fails in a preview: it broke"],
    "every example runs, and a second time changes nothing": ["bad.py fails: it broke"],
}


@pytest.mark.parametrize("check", [check for check in CHECKS if check.name in FOUND], ids=lambda check: check.name)
def test_every_check_finds_what_it_is_for(shaky: Subject, check: Any) -> None:
    found = [problem.what for problem in run_check(shaky, check)]
    assert set(FOUND[check.name]) <= set(found), found


def test_no_check_is_without_a_test() -> None:
    assert {check.name for check in CHECKS} - set(FOUND) == {
        "documents are readable without the vendor's library",
        "requests are those that the manifest allows",
    }


@pytest.mark.parametrize(
    ("rule", "method", "path", "expected"),
    [
        ("GET /data/**", "GET", "/data/v1/x", True),
        ("GET /data/**", "POST", "/data/v1/x", False),
        ("GET /data/*/x", "GET", "/data/v1/x", True),
        ("GET /data/*/x", "GET", "/data/v1/y/x", False),
        ("DELETE **", "DELETE", "/anything/at/all", True),
        ("* **/composite", "POST", "/data/v1/composite", True),
        ("* **/composite", "POST", "/data/v1/composite/things", False),
        ({"on": "POST /jobs", "body": {"operation": ["insert"]}}, "POST", "/jobs", True),
        ("GET /a.b", "GET", "/aXb", False),
    ],
)
def test_rules_cover_the_paths_they_name(rule: Any, method: str, path: str, expected: bool) -> None:
    assert allows(rule, method, path) is expected


def test_one_call_lists_all_problems(shaky: Subject) -> None:
    assert len(conformance("shaky")) > 15
    with pytest.raises(AssertionError, match="shaky does not conform:\n- the manifest is complete: "):
        assert_conforms("shaky")


def test_a_client_without_a_practice_system_is_skipped_with_the_reason(shaky: Subject) -> None:
    shaky._practice.clear()
    check = next(check for check in CHECKS if check.name == "the client lists objects")
    with pytest.raises(Skipped, match="shaky has no practice system"):
        run_check(shaky, check)

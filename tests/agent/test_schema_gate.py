"""The gate: every name in a script must have been seen, before a run is spent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from agent_desk import SYNC

from integrator_magics.agent import Workspace
from integrator_magics.agent.gate import check
from integrator_magics.agent.queries import selected
from integrator_magics.agent.uses import objects_named

TEXT = {"type": "text", "native_type": "string", "nullable": True}
HEAD, _, _ = SYNC.partition("def main()")


def field(**more: Any) -> dict[str, Any]:
    return {**TEXT, **more}


@pytest.fixture
def seen() -> Workspace:
    """Lead with a custom field and a reference, and two tables, as they were looked at."""
    nothing: Any = SimpleNamespace()
    workspace = Workspace(nothing, nothing, nothing, nothing, nothing, nothing, print, nothing)
    lead = {
        "Id": field(primary_key=True, writable=False),
        "Name": field(writable=False),
        "LastName": field(),
        "Email": field(personal=True),
        "LeadSource": field(),
        "CreatedDate": field(writable=False),
        "Origin__c": field(),
        "OwnerId": {
            "type": "reference",
            "native_type": "reference",
            "nullable": False,
            "references": ["Group", "User"],
        },
        "Region__c": {"type": "reference", "native_type": "reference", "nullable": True, "references": ["Region__c"]},
    }
    workspace.keep("salesforce", "Lead", lead, verified=True)
    workspace.keep("salesforce", "Region__c", {"Id": field(), "Code__c": field()}, verified=True)
    columns = ("salesforce_id", "name", "email", "lead_source")
    workspace.keep("postgresql", "public.leads", {name: field() for name in columns}, verified=True)
    customers = {name: field() for name in ("id", "name", "city")}
    workspace.keep("postgresql", "public.customers", customers, verified=True)
    return workspace


def script(body: str) -> str:
    lines = "\n".join(f"        {line}" if line else "" for line in body.strip().splitlines())
    opening = "def main() -> None:\n    with SalesforceClient() as salesforce, PostgresClient() as postgresql:"
    return f'{HEAD}{opening}\n{lines}\n\n\nif __name__ == "__main__":\n    run(main, SCHEDULE)\n'


def problems(code: str, workspace: Workspace) -> list[str]:
    return check(code, workspace)[0]


def test_a_script_of_seen_names_passes(seen: Workspace) -> None:
    assert check(SYNC, seen) == ([], [])


def test_an_unknown_field_is_named_with_its_line_and_near_matches(seen: Workspace) -> None:
    (problem,) = problems(SYNC.replace('"LeadSource"', '"Lead_Source"'), seen)
    assert problem.startswith("Line 23: Lead in Salesforce has no field 'Lead_Source' that this user can see")
    assert "Close matches: LeadSource" in problem


def test_an_unknown_field_in_a_condition_is_found(seen: Workspace) -> None:
    (problem,) = problems(SYNC.replace('"CreatedDate"', '"Created_Date"'), seen)
    assert "'Created_Date'" in problem


@pytest.mark.parametrize(
    "body",
    [
        'salesforce.read("Lead", fields=["Nmae"])',
        'salesforce.read("Lead", ["Nmae"])',
        'salesforce.read(obj="Lead", fields=("Nmae",))',
        'salesforce.read("Lead", where=[("Nmae", "=", 1)])',
        'salesforce.lookup("Lead", "Nmae", ["x"], ["Id"])',
        'salesforce.lookup("Lead", key="Id", values=["x"], fields=["Nmae"])',
        'wanted = ["Id", "Nmae"]\nsalesforce.read("Lead", fields=wanted)',
        'obj = "Lead"\nsalesforce.read(obj, fields=["Nmae"])',
        'Source(client=salesforce, object="Lead", fields={"Nmae": "name"})',
        'salesforce.query("SELECT Id, Nmae FROM Lead WHERE Id != null")',
        "salesforce.query(\"SELECT Id FROM Lead WHERE Nmae = 'x' LIMIT 5\")",
        "salesforce.query(f\"SELECT Id FROM Lead WHERE Nmae = '{1}'\")",
        'salesforce.query("SELECT l.Id, l.Nmae FROM Lead l")',
        'salesforce.query("SELECT COUNT(Nmae) FROM Lead GROUP BY LeadSource")',
        'salesforce.upsert("Lead", [{"LastName": "x", "Nmae": "y"}], key="Id")',
        'salesforce.upsert("Lead", [{"LastName": "x"}], key="Nmae")',
        'salesforce.insert("Lead", [{"Nmae": "y"}])',
    ],
)
def test_a_wrong_field_is_found_wherever_it_stands(seen: Workspace, body: str) -> None:
    found = problems(script(body), seen)
    assert len(found) == 1, found
    assert "'Nmae'" in found[0]
    assert "Name" in found[0]


@pytest.mark.parametrize(
    "body",
    [
        'salesforce.read("Lead", fields=["Owner.Email", "Owner.Name"])',
        'salesforce.read("Lead", fields=["Region__r.Code__c"])',
        'salesforce.query("SELECT Id, Owner.Name, (SELECT Id FROM CampaignMembers) FROM Lead ORDER BY Name DESC")',
        "salesforce.query(\"SELECT COUNT() FROM Lead WHERE CreatedDate = LAST_N_DAYS:3 AND LeadSource IN ('a', 'b')\")",
        'postgresql.query("SELECT name, city FROM public.customers WHERE id = %s", (1,))',
        'postgresql.query("WITH x AS (SELECT name AS n FROM public.customers) SELECT n FROM x")',
        'postgresql.read("customers", fields=["name"])',
        "names = [str(1)]\nsalesforce.read(names[0], fields=names)",
    ],
)
def test_what_is_right_or_made_at_run_time_passes(seen: Workspace, body: str) -> None:
    assert problems(script(body), seen) == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('salesforce.read("Lead", fields=["Region__r.Cod__c"])', "Region__c in Salesforce has no field 'Cod__c'"),
        ('salesforce.read("Lead", fields=["Ownr.Name"])', "has no parent 'Ownr'"),
        ('salesforce.read("Leed", fields=["Id"])', "Leed"),
        ('postgresql.read("public.custmers", fields=["name"])', "look at public.custmers with get_fields first"),
        ('postgresql.query("SELECT town FROM public.customers")', "has no field 'town'"),
        (
            'sync(source=Source(salesforce, "Lead", {"Id": "id"}), target=Target(postgresql, "public.leads"), key="x")',
            "the key 'x' is not among the columns",
        ),
        (
            'sync(Source(postgresql, "public.customers", {"name": "Name"}), Target(salesforce, "Lead"), key="Name")',
            "Name of Lead in Salesforce can't be written",
        ),
        (
            'sync(Source(postgresql, "public.customers", {"name": "LastNam"}), Target(salesforce, "Lead"), "LastNam")',
            "has no field 'LastNam'",
        ),
    ],
)
def test_other_mistakes_have_their_sentences(seen: Workspace, body: str, sentence: str) -> None:
    found = problems(script(body), seen)
    assert any(sentence in problem for problem in found), found


def test_a_table_that_is_not_there_yet_and_new_columns_are_for_the_sync_to_make(seen: Workspace) -> None:
    assert problems(SYNC.replace("public.leads", "public.fresh_leads"), seen) == []
    assert problems(SYNC.replace('"lead_source"', '"origin"'), seen) == []


def test_names_of_the_standard_schema_pass_with_a_note(seen: Workspace) -> None:
    found, notes = check(script('salesforce.read("Opportunity", fields=["Name", "StageName"])'), seen)
    assert found == []
    assert notes == ["Not verified: Opportunity in Salesforce: Name, StageName (from the vendor's standard schema)."]
    (problem,) = problems(script('salesforce.read("Opportunity", fields=["Forecast__c"])'), seen)
    assert "look at Opportunity with get_fields" in problem


def test_an_object_that_the_system_does_not_list_is_unknown(seen: Workspace) -> None:
    seen.objects["salesforce"] = [{"name": "Lead"}, {"name": "Account"}]
    (problem,) = problems(script('salesforce.read("Leads", fields=["Id"])'), seen)
    assert "Salesforce has no object 'Leads' that this user can see. Close matches: Lead" in problem


def test_what_is_no_python_or_not_allowed_is_said_at_once(seen: Workspace) -> None:
    assert problems("def main(:\n", seen)[0].startswith("Line 1: this is not valid Python")
    (problem,) = problems(script('import subprocess\nsubprocess.run(["ls"])'), seen)
    assert "subprocess" in problem
    (problem,) = problems(script('postgresql.query("DELETE FROM public.leads")'), seen)
    assert "never deletes" in problem


def test_a_part_of_the_shape_that_is_missing_is_named(seen: Workspace) -> None:
    (problem,) = problems(SYNC.replace("SCHEDULE = None", "SCHEDULE: None = None"), seen)
    assert "SCHEDULE = None" in problem
    assert len(problems("print(1)\n", seen)) == 4


def test_objects_and_systems_of_a_script_are_told() -> None:
    systems, objects = objects_named(SYNC)
    assert systems == ["postgresql", "salesforce"]
    assert set(objects) == {("salesforce", "Lead"), ("postgresql", "public.leads")}
    assert objects_named("not python (") == ([], [])


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("SELECT Id, Name FROM Lead", "saas", {"Lead": ["Id", "Name"]}),
        ("select id from Lead where IsConverted = true and (Email != null or Phone like '%4')", "saas",
         {"Lead": ["id", "IsConverted", "Email", "Phone"]}),
        ("SELECT FIELDS(STANDARD) FROM Lead LIMIT 5", "saas", {"Lead": []}),
        ("SELECT MAX(Amount) top, StageName s FROM Opportunity GROUP BY StageName", "saas",
         {"Opportunity": ["Amount", "StageName"]}),
        ("FIND {x} IN ALL FIELDS", "saas", {}),
        ("SELECT a.x, b.y FROM a JOIN b ON a.id = b.id", "sql", {"a": [], "b": []}),
        ("SELECT count(*) AS n, city FROM public.customers GROUP BY city ORDER BY n", "sql",
         {"public.customers": ["city"]}),
        ("SELECT FROM FROM", "sql", {}),
        ("SELECT column_name FROM information_schema.columns", "sql", {}),
    ],
)  # fmt: skip
def test_queries_tell_their_objects_and_fields(text: str, kind: str, names: dict[str, list[str]]) -> None:
    assert {entry.object: entry.fields for entry in selected(text, kind)} == names

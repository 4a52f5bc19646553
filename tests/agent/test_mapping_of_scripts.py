"""Which field goes where, read from scripts: those of the guided mode and those that a model might write."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from integrator_magics.agent.mapping import mapped
from integrator_magics.agent.workspace import Schema, Workspace

HEAD = "from integrator_drivers import Source, Target, sync\nfrom postgresql_driver import PostgresClient\n"
HEAD += "from salesforce_driver import SalesforceClient\n"
LEAD = {
    "Id": {"type": "text", "label": "Lead ID"},
    "Email": {"type": "text", "label": "Email"},
    "Address": {"type": "json", "compound": "Address"},
    "City": {"type": "text", "compound": "Address"},
}


def workspace(**schemas: Any) -> Workspace:
    seen = {name: Schema(fields, True, 0) for name, fields in schemas.items()}
    return cast(Workspace, SimpleNamespace(seen=lambda system, obj: seen.get(obj)))


def test_a_literal_mapping_is_read_with_labels_types_and_what_else_there_is() -> None:
    code = HEAD + (
        "with SalesforceClient() as sf, PostgresClient() as pg:\n"
        "    sync(source=Source(sf, 'Lead', {'Id': 'sf_id', 'Email': 'email'}), "
        "target=Target(pg, 'public.leads'), key='sf_id')\n"
    )
    (found,) = mapped("lead_sync", code, workspace(Lead=LEAD))
    assert (found.source, found.target) == ("Salesforce Lead", "PostgreSQL public.leads")
    assert [(entry.field, entry.column, entry.label, entry.type, entry.is_key) for entry in found.fields] == [
        ("Id", "sf_id", "Lead ID", "text", True),
        ("Email", "email", "Email", "text", False),
    ]
    assert found.more == ["City"]


def test_names_behind_variables_lists_and_joined_records_are_read_too() -> None:
    code = HEAD + (
        "FIELDS = ['Id', 'Email']\n"
        "with SalesforceClient() as sf, PostgresClient() as pg:\n"
        "    source = Source(sf, 'Lead', fields=FIELDS)\n"
        "    sync(source, Target(pg, 'leads'), 'Id')\n"
        "    sync(rows.renamed({'Campaign.Name': 'campaign'}), Target(pg, 'members'), key='campaign')\n"
    )
    first, second = mapped("x", code, workspace())
    assert [entry.column for entry in first.fields] == ["Id", "Email"]
    assert [(entry.field, entry.column, entry.is_key) for entry in second.fields] == [
        ("Campaign.Name", "campaign", True)
    ]


def test_what_is_put_together_at_run_time_is_not_guessed() -> None:
    code = HEAD + (
        "with SalesforceClient() as sf, PostgresClient() as pg:\n"
        "    sync(Source(sf, 'Lead', names()), Target(pg, 'leads'), key='a')\n"
        "    sync(Source(sf, 'Lead', {'Id': column()}), Target(pg, 'leads'), key='a')\n"
        "    sync(Source(sf, 'Lead', {**more, 'Id': 'a'}), Target(pg, 'leads'), key='a')\n"
    )
    assert mapped("x", code, workspace()) == []
    assert mapped("x", "def (", workspace()) == []

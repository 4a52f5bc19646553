"""The events of one dialog, as the session emits them."""

from __future__ import annotations

from integrator_magics import events as e

LEAD = e.Table(
    "salesforce.Lead",
    ["field", "type", "filled"],
    [{"field": "LeadSource", "type": "text", "filled": 0.93}, {"field": "Email", "type": "text", "filled": 1.0}],
    58,
)
TARGET = e.TargetCounts(
    system="postgresql",
    object="public.leads",
    columns=["salesforce_id", "name", "email", "lead_source"],
    key="salesforce_id",
    add=380,
    update=32,
    reject=2,
    read=414,
    source_count=414,
    differences=[{"key": "00Q1", "field": "email", "old": "ann@old.example", "new": "ann@new.example"}],
    rejects=[{"reason": "email longer than 255 characters", "record": {"salesforce_id": "00Q41"}}],
)
PREVIEWED = e.Previewed(
    name="lead_sync",
    sha256="3f2a9c" + "0" * 58,
    targets=[TARGET],
    tables=[],
    files=[],
    seconds=0.9,
    sandbox="embedded",
    writes=True,
    needs_decision=True,
    code="7K2Q",
    expires="2026-10-22T14:18:00+00:00",
)
RAN = e.Ran("lead_sync", [TARGET], [], [], 1.1, "jana", "2026-10-22T14:03:00+00:00", 27, True)
WROTE = e.Wrote("lead_sync", '%%integration lead_sync\nprint("hello")\n', "3f2a9c" + "0" * 58, 1)
DIALOG: list[e.Event] = [
    e.Opened("Sync leads from Salesforce to PostgreSQL", "guided mode, no model key", "embedded (full)"),
    e.Step("load-salesforce", "Salesforce", "", "running"),
    e.Step("load-salesforce", "Salesforce", "practice system, connected", "done", 0.2),
    e.Step("look", "Looked at", "Lead: 58 fields, 1,240 records", "done", 0.4, [LEAD], "show(1)"),
    e.Asked(
        'Salesforce has two things that could mean "how they got to us". Which one do you mean?',
        [e.Option("Lead Source", "one value per lead"), e.Option("Campaign", "a lead can be in several")],
    ),
    e.Answered("Lead Source, and only the leads of the last 30 days"),
    WROTE,
    e.Explained("lead_sync", ["reads leads created since 22 October 2026", "never deletes anything"]),
    PREVIEWED,
    e.Decided("lead_sync", True, "jana", "2026-10-22T14:03:00+00:00"),
    e.Progress("Running", 260, 412, 1900.0),
    RAN,
    e.Usage(12300, 900, 0.05, 2.0),
    e.Ended(),
]

"""Use case 3, word for word: leads from Salesforce to HubSpot, then to the database, as a person goes through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrator_drivers import registry
from integrator_magics.config import Settings
from integrator_magics.events import Asked, Event, Failed, Previewed, Ran, Wrote
from integrator_magics.session import DIALOG, Session, run_channel

PROMPT = "Sync leads from Salesforce to Hubspot, then to our DB"
LEADS = 150


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    import integrator_practice

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(tmp_path_factory.mktemp("home")))
        settings = Settings.load()
        settings.model = "guided"
        folder: Path = tmp_path_factory.mktemp("notebook")
        opened = Session("three.ipynb", folder, settings)
        try:
            for system in ("salesforce", "postgresql", "hubspot"):
                opened.practice[system] = integrator_practice.start(system, rows=LEADS)
                opened.credentials.use_practice(system, opened.practice[system].env)
        except integrator_practice.PracticeError as exc:
            pytest.skip(f"practice systems do not start here: {exc}")
        yield opened
        opened.close()


def converse(session: Session, *texts: str) -> tuple[Wrote, list[Event]]:
    events: list[Event] = []
    stop = session.listen(DIALOG, events.append)
    session.integrate(texts[0], new=True)
    session.wait()
    for text in texts[1:]:
        assert session.dialog.state == "asking", events[-3:]
        session.answer(text)
        session.wait()
    stop()
    written = [event for event in events if isinstance(event, Wrote)]
    assert written, events[-3:]
    return written[-1], events


def preview_of(session: Session, name: str) -> Previewed:
    events: list[Any] = []
    stop = session.listen(run_channel(name), events.append)
    session.run_script(name)
    session.wait()
    stop()
    assert not [event for event in events if isinstance(event, Failed)]
    return next(event for event in events if isinstance(event, Previewed))


def run(session: Session, name: str) -> tuple[Previewed, Ran]:
    """Preview, approve, run."""
    shown = preview_of(session, name)
    events: list[Any] = []
    stop = session.listen(run_channel(name), events.append)
    session.approve(name, shown.code)
    session.wait()
    stop()
    assert not [event for event in events if isinstance(event, Failed)]
    return shown, next(event for event in events if isinstance(event, Ran))


def variables(session: Session, system: str, patch: pytest.MonkeyPatch) -> None:
    for name, value in session.credentials.env_for(registry.manifest(system)).items():
        patch.setenv(name, value)


def rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    env = session.credentials.env_for(registry.manifest("postgresql"))
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    with psycopg.connect(**{key: env[name] for key, name in names.items()}) as connection:  # type: ignore[arg-type]
        return connection.execute(query.encode()).fetchall()


def test_leads_reach_both_systems_and_the_database_keeps_the_hubspot_ids(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote, events = converse(session, PROMPT, "Email")
    asked = next(event for event in events if isinstance(event, Asked))
    assert asked.question == "By which field do I recognise the contacts that HubSpot already has?"
    assert "without one stay out of it" in asked.options[0].hint
    variables(session, "salesforce", monkeypatch)
    from salesforce_driver import SalesforceClient

    # A lead that HubSpot will refuse: its address is none, and two that are one person.
    with SalesforceClient() as salesforce:
        named = [{"LastName": name, "Company": "Three", "Email": None} for name in ("Broken", "Older", "Newer")]
        salesforce.insert("Lead", named)
        ids = {row["LastName"]: row["Id"] for row in salesforce.read("Lead", where=[("Company", "=", "Three")])}
        salesforce.update("Lead", [{"Id": ids["Older"], "Email": "One.Person@Three.example"}], key="Id")
        salesforce.update("Lead", [{"Id": ids["Newer"], "Email": "one.person@three.example"}], key="Id")

    preview, ran = run(session, wrote.name)
    assert [(target.system, target.object) for target in preview.targets] == [
        ("hubspot", "contacts"),
        ("postgresql", "public.leads"),
    ]
    hubspot, database = ran.targets
    assert hubspot.add == preview.targets[0].add > 40
    assert hubspot.update == preview.targets[0].update > 40
    assert (database.add, database.update) == (preview.targets[1].add, preview.targets[1].update)
    assert hubspot.read == database.read == hubspot.source_count
    assert hubspot.duplicates > 0 and hubspot.newest == "SystemModstamp"
    assert hubspot.reasons["no value in the key email"] > 5

    # Leads without an address, and those that HubSpot refused, are in the database all the same.
    counts = rows(session, "SELECT count(*), count(hubspot_id), count(email) FROM public.leads")[0]
    assert counts[0] == database.add + database.update + database.unchanged
    assert counts[1] == counts[2] > 100
    found = dict(rows(session, "SELECT salesforce_id, hubspot_id FROM public.leads WHERE company = 'Three'"))
    assert found[ids["Broken"]] is None
    assert found[ids["Older"]] == found[ids["Newer"]] is not None

    # Nothing changed: nothing is written.
    again = preview_of(session, wrote.name)
    assert [(target.add, target.update) for target in again.targets] == [(0, 0), (0, 0)]

    # What HubSpot could not take is tried again, and its id comes to the database then.
    with SalesforceClient() as salesforce:
        salesforce.update("Lead", [{"Id": ids["Broken"], "Email": "mended@three.example"}], key="Id")
    _, third = run(session, wrote.name)
    assert [(target.add, target.update) for target in third.targets] == [(1, 0), (0, 1)]
    mended = rows(session, f"SELECT hubspot_id, email FROM public.leads WHERE salesforce_id = '{ids['Broken']}'")[0]
    assert mended[0] and mended[1] == "mended@three.example"
    assert list(session.workdir.iterdir()) == []


OTHERS = [
    (
        ("Sync contacts from HubSpot to Postgres and then to Salesforce", "Email"),
        [("postgresql", "public.contacts"), ("salesforce", "Contact")],
    ),
    (
        (
            "Sync customers from our database to HubSpot contacts and to a second table: name, email, city",
            "customers_copy",
            "Email",
        ),
        [("hubspot", "contacts"), ("postgresql", "public.customers_copy")],
    ),
    (
        (
            "Sync contacts with an email from Salesforce to HubSpot by email, then to our DB, then to a third table "
            "called people: first name, last name, email",
        ),
        [("hubspot", "contacts"), ("postgresql", "public.contacts"), ("postgresql", "public.people")],
    ),
]


@pytest.mark.parametrize(("texts", "places"), OTHERS, ids=[entry[0][0] for entry in OTHERS])
def test_any_source_and_any_targets_are_previewed_together(
    session: Session, texts: tuple[str, ...], places: list[tuple[str, str]]
) -> None:
    wrote, _ = converse(session, *texts)
    shown = preview_of(session, wrote.name)
    assert [(target.system, target.object) for target in shown.targets] == places
    for target in shown.targets:
        assert target.read == target.add + target.update + target.unchanged + target.reject + target.duplicates
        assert target.add + target.update + target.unchanged > 0

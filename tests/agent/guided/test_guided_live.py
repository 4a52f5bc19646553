"""The planner with the real tools, drivers and sandbox, on practice systems: its scripts run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrator_drivers import Mode
from integrator_magics.config import Settings
from integrator_magics.events import Asked, Event, Failed, Mapped, MappedField, Previewed, Ran, Wrote
from integrator_magics.mapping import change_request
from integrator_magics.session import DIALOG, Session, run_channel


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    from integrator_practice import PracticeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(tmp_path_factory.mktemp("home")))
        settings = Settings.load()
        settings.model = "guided"
        folder: Path = tmp_path_factory.mktemp("notebook")
        opened = Session("live.ipynb", folder, settings)
        try:
            opened.start_practice("salesforce", "postgresql")
        except PracticeError as exc:
            pytest.skip(f"practice systems do not start here: {exc}")
        yield opened
        opened.close()


def converse(session: Session, *texts: str) -> Wrote:
    """The script that a fresh dialog of these prompts and answers ends with."""
    events: list[Event] = []
    stop = session.listen(DIALOG, events.append)
    session.integrate(texts[0], new=True)
    session.wait()
    for text in texts[1:]:
        assert session.dialog.state == "asking", events[-3:]
        session.answer(text)
        session.wait()
    stop()
    assert not [event for event in events if isinstance(event, Failed)]
    written = [event for event in events if isinstance(event, Wrote)]
    assert written, [event for event in events if isinstance(event, Asked)] or events[-3:]
    return written[-1]


def preview(session: Session, name: str) -> Previewed:
    """A read-only run of a script."""
    events: list[Event] = []
    stop = session.listen(run_channel(name), events.append)
    session.run_script(name)
    session.wait()
    stop()
    failed = [event for event in events if isinstance(event, Failed)]
    assert not failed, failed
    return next(event for event in events if isinstance(event, Previewed))


WRITES: list[tuple[tuple[str, ...], str]] = [
    (
        (
            "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us",
            "LeadSource - and only the leads of the last 30 days",
        ),
        "public.leads",
    ),
    (("Sync open opportunities over 10000 from Salesforce to our database",), "public.opportunities"),
    (("Copy all fields of accounts to our database since 1 March",), "public.accounts"),
    (("Copy the table customers from postgres to the table customers_copy in postgres",), "public.customers_copy"),
    (("sync leads without a campaign from Salesforce to Postgres table public.lonely",), "public.lonely"),
    (("Sync contacts from Salesforce to PostgreSQL this year: name, account name",), "public.contacts"),
]


@pytest.mark.parametrize(("texts", "table"), WRITES, ids=[entry[0][0] for entry in WRITES])
def test_a_sync_previews_with_rows_to_add(session: Session, texts: tuple[str, ...], table: str) -> None:
    shown = preview(session, converse(session, *texts).name)
    (target,) = shown.targets
    assert target.object == table
    assert target.add > 0
    assert target.read == target.add + target.update + target.unchanged + target.reject


READS: list[tuple[str, str]] = [
    ("leads from Salesforce with campaign info, last 30 days, as CSV and JSON", "leads.csv"),
    ("Export contacts with an email from salesforce to contacts.csv", "contacts.csv"),
    ("all orders over 100 from postgres as json lines", "orders.jsonl"),
]


@pytest.mark.parametrize(("text", "path"), READS, ids=[entry[0] for entry in READS])
def test_an_export_previews_its_files(session: Session, text: str, path: str) -> None:
    shown = preview(session, converse(session, text).name)
    assert not shown.writes
    assert shown.files[0]["path"] == path
    assert shown.files[0]["rows"] > 0


QUESTIONS: list[tuple[str, list[str]]] = [
    ("how many leads per source?", ["lead_source", "leads"]),
    ("which campaign has the most leads?", ["campaign", "leads"]),
    ("average amount of opportunities per stage", ["stage", "average_amount"]),
]


@pytest.mark.parametrize(("text", "columns"), QUESTIONS, ids=[entry[0] for entry in QUESTIONS])
def test_a_question_previews_a_table(session: Session, text: str, columns: list[str]) -> None:
    (table,) = preview(session, converse(session, text).name).tables
    assert table.columns == columns
    assert table.count > 1


def test_joined_records_are_written_and_a_second_run_changes_nothing(session: Session) -> None:
    prompt = "Sync leads from Salesforce to PostgreSQL table public.touched: name, how they got to us"
    name = converse(session, prompt, "Campaign").name
    shown = preview(session, name)
    events: list[Any] = []
    stop = session.listen(run_channel(name), events.append)
    session.approve(name, shown.code)
    session.wait()
    stop()
    ran = next(event for event in events if isinstance(event, Ran))
    assert ran.targets[0].add == shown.targets[0].add > 1000
    again = preview(session, name).targets[0]
    assert (again.add, again.update) == (0, 0)
    assert again.unchanged == ran.targets[0].add


def test_an_edited_mapping_changes_the_script(session: Session) -> None:
    events: list[Event] = []
    stop = session.listen(DIALOG, events.append)
    converse(session, "Sync contacts from Salesforce to PostgreSQL: first name, last name, email, phone")
    before = next(event for event in reversed(events) if isinstance(event, Mapped))
    columns = {entry.field: entry for entry in before.fields}
    assert columns["Email"].type == "text"
    edited = [replace(entry, column="mail") if entry.field == "Email" else entry for entry in before.fields]
    edited = [entry for entry in edited if entry.field != "Phone"] + [MappedField("Title", "title")]
    session.change(change_request(before, edited))
    session.wait()
    stop()
    after = next(event for event in reversed(events) if isinstance(event, Mapped))
    assert {entry.field: entry.column for entry in after.fields} == {entry.field: entry.column for entry in edited}
    wrote = next(event for event in reversed(events) if isinstance(event, Wrote))
    assert wrote.version > 1
    assert "Phone" in wrote.diff
    assert preview(session, wrote.name).targets[0].columns


MEMBERS = """
from integrator_drivers import show
from salesforce_driver import SalesforceClient

with SalesforceClient() as salesforce:
    fields = "Campaign.Name, LeadId, CreatedDate, Lead.IsConverted, Lead.ConvertedDate"
    soql = f"SELECT {fields} FROM CampaignMember WHERE LeadId != null"
    show([list(row.values()) for row in salesforce.query(soql)], name="members")
"""


def test_the_best_campaign_is_the_one_that_plain_soql_finds(session: Session) -> None:
    question = "Which campaign brings the highest quality leads (ones that converted)?"
    answers = ("Converted", "Every campaign it was in", "All leads", "At least 20")
    shown = preview(session, converse(session, question, *answers).name)
    (table,) = shown.tables
    assert table.chart == "converted_percent"
    outcome = session.runner.run(MEMBERS, mode=Mode.DISCOVERY, purpose="I am counting members.")
    (members,) = [line["value"] for line in outcome.report if line["kind"] == "value"]
    leads: dict[str, set[str]] = {}
    converted: dict[str, set[str]] = {}
    for campaign, lead, touched, is_converted, day in members:
        if not day or touched[:10] <= day[:10]:
            leads.setdefault(campaign, set()).add(lead)
            converted.setdefault(campaign, set()).update({lead} if is_converted else set())
    wanted = {name: (len(leads[name]), len(converted[name])) for name in leads}
    assert {row["campaign"]: (row["leads"], row["converted"]) for row in table.rows} == wanted
    rates = {name: many / all_ for name, (all_, many) in wanted.items() if all_ >= 20}
    assert table.rows[0]["campaign"] in [name for name, rate in rates.items() if rate == max(rates.values())]
    assert shown.answers[0].startswith(f"{table.rows[0]['campaign']} brings the best leads: ")


def test_revenue_per_customer_is_what_sql_says(session: Session) -> None:
    question = "Which product category brings the most revenue per customer?"
    (table,) = preview(session, converse(session, question).name).tables
    sql = (
        "SELECT category, sum(quantity * unit_price), count(DISTINCT customer_id) FROM order_items "
        "JOIN orders USING (order_id) JOIN products USING (product_id) GROUP BY 1"
    )
    variables = session.practice["postgresql"].env
    with psycopg.connect(
        host=variables["PGHOST"],
        port=variables["PGPORT"],
        dbname=variables["PGDATABASE"],
        user=variables["PGUSER"],
        password=variables["PGPASSWORD"],
    ) as connection:
        wanted = {category: (float(total), buyers) for category, total, buyers in connection.execute(sql).fetchall()}
    found = {row["product_category"]: (row["revenue"], row["customers"]) for row in table.rows}
    assert found == wanted

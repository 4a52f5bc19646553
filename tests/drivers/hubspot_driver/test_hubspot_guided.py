"""The guided planner knows nothing of HubSpot, and works with it all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrator_magics.config import Settings
from integrator_magics.events import Event, Failed, Previewed, Wrote
from integrator_magics.session import DIALOG, Session, run_channel


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    from integrator_practice import PracticeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(tmp_path_factory.mktemp("home")))
        settings = Settings.load()
        settings.model = "guided"
        folder: Path = tmp_path_factory.mktemp("notebook")
        opened = Session("hubspot.ipynb", folder, settings)
        try:
            opened.start_practice("salesforce", "postgresql", "hubspot")
        except PracticeError as exc:
            pytest.skip(f"practice systems do not start here: {exc}")
        yield opened
        opened.close()


def preview(session: Session, *texts: str) -> tuple[str, Previewed]:
    """The script that these prompts and answers end with, and its preview."""
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
    shown: list[Event] = []
    stop = session.listen(run_channel(written[-1].name), shown.append)
    session.run_script(written[-1].name)
    session.wait()
    stop()
    assert not [event for event in [*events, *shown] if isinstance(event, Failed)]
    return written[-1].code, next(event for event in shown if isinstance(event, Previewed))


def test_contacts_are_copied_from_hubspot_to_postgresql(session: Session) -> None:
    code, shown = preview(session, "copy contacts from HubSpot to PostgreSQL")
    assert "from hubspot_driver import HubSpotClient" in code
    (target,) = shown.targets
    assert target.object == "public.contacts" and target.add > 500 and target.reject == 0


def test_leads_are_synced_from_salesforce_to_hubspot(session: Session) -> None:
    code, shown = preview(session, "sync leads from Salesforce to HubSpot: email, first name, last name", "email")
    assert '"FirstName": "firstname"' in code and 'key="email"' in code
    (target,) = shown.targets
    assert (target.system, target.object) == ("hubspot", "contacts")
    assert target.add > 300 and target.update > 300 and target.reject > 0
    assert target.read == target.add + target.update + target.unchanged + target.reject + target.duplicates


def test_deals_come_with_their_company(session: Session) -> None:
    code, shown = preview(session, "export deals with company name from HubSpot to deals.csv")
    assert "hs_primary_associated_company" in code and 'read("companies"' in code
    assert shown.files[0]["path"] == "deals.csv"

"""The main job on practice systems, through the session: sentence, question, script, preview, approval, export."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from integrator_magics.audit import keeping
from integrator_magics.config import Settings
from integrator_magics.errors import ApprovalRequired, AuditUnavailable, IntegratorError
from integrator_magics.events import Asked, Event, Explained, Failed, Previewed, Ran, Wrote
from integrator_magics.session import DIALOG, Session, run_channel

E = TypeVar("E", bound=Event)
PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us"
ANSWER = "LeadSource - and only the leads of the last 30 days"


class Talk:
    """A session and everything it told; methods wait until it needs the user."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[Event] = []
        session.listen(DIALOG, self.events.append)

    def say(self, text: str, *answers: str) -> None:
        self.session.integrate(text)
        self.session.wait()
        for answer in answers:
            self.session.answer(answer)
            self.session.wait()

    def run(self, name: str, code: str | None = None) -> list[Event]:
        return self._heard(name, lambda: self.session.run_script(name, code))

    def approve(self, name: str, code: str = "") -> list[Event]:
        return self._heard(name, lambda: self.session.approve(name, code))

    def _heard(self, name: str, act: object) -> list[Event]:
        heard: list[Event] = []
        stop = self.session.listen(run_channel(name), heard.append)
        act()  # type: ignore[operator]
        self.session.wait()
        stop()
        return heard

    def last(self, kind: type[E]) -> E:
        return [event for event in self.events if isinstance(event, kind)][-1]


def only(events: list[Event], kind: type[E]) -> E:
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, events
    return found[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


@pytest.fixture(scope="module")
def talk(folder: Path) -> Iterator[Talk]:
    """One conversation, gone through step by step by the tests of this module, in order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(folder / "home"))
        work = folder / "work"
        work.mkdir()
        session = Session("job.ipynb", work, Settings(model="guided"))
        session.start_practice()
        yield Talk(session)
        session.close()


def test_the_sentence_leads_to_the_question_that_matters(talk: Talk) -> None:
    talk.say(PROMPT)
    asked = talk.last(Asked)
    assert "how they got to us" in asked.question
    assert [option.label for option in asked.options][:2] == ["Lead Source", "Campaign"]


def test_the_answer_leads_to_a_script_that_says_what_it_will_do(talk: Talk) -> None:
    talk.session.answer(ANSWER)
    talk.session.wait()
    wrote = talk.last(Wrote)
    assert wrote.name == "lead_sync"
    assert '"LeadSource"' in wrote.code
    assert 'where=[("CreatedDate", ">=", days_ago(30))]' in wrote.code
    assert "last 30 days" in wrote.explanation
    assert "never deletes" in wrote.explanation


def test_the_preview_counts_and_writes_nothing(talk: Talk) -> None:
    preview = only(talk.run("lead_sync"), Previewed)
    target = preview.targets[0]
    assert (target.system, target.object) == ("postgresql", "public.leads")
    assert target.update == 32
    assert target.add > 300
    assert target.read == target.add + target.update + target.unchanged + target.reject
    assert target.differences
    assert len(talk.session.runner.call("postgresql", "sample", "public.leads", 200)) == 32


def test_an_edit_of_one_space_voids_the_approval(talk: Talk) -> None:
    code = talk.session.store.latest("lead_sync").code
    talk.session.store.save("lead_sync", code.replace("days_ago(30)", "days_ago( 30)"))
    with pytest.raises(ApprovalRequired, match="has changed since this preview"):
        talk.session.integrations.approve("lead_sync", "", lambda event: None)
    talk.session.store.save("lead_sync", code)


def test_approval_writes_exactly_what_was_previewed(talk: Talk) -> None:
    previewed = only(talk.run("lead_sync"), Previewed).targets[0]
    receipt = only(talk.approve("lead_sync"), Ran)
    done = receipt.targets[0]
    assert (done.add, done.update, done.reject) == (previewed.add, previewed.update, previewed.reject)
    assert receipt.audit_whole


def test_an_approval_is_used_up_by_one_run(talk: Talk) -> None:
    with pytest.raises(ApprovalRequired, match="No preview of lead_sync is waiting"):
        talk.session.approve("lead_sync")


def test_the_second_run_changes_nothing(talk: Talk) -> None:
    target = only(talk.run("lead_sync"), Previewed).targets[0]
    assert (target.add, target.update) == (0, 0)
    assert target.unchanged > 300
    talk.session.reject("lead_sync")


def test_every_night_changes_one_line_and_shows_the_next_runs(talk: Talk) -> None:
    before = talk.session.store.latest("lead_sync").code
    talk.say("Perfect! But I want this to run every night.")
    wrote = talk.last(Wrote)
    assert wrote.version > 1
    changed = [pair for pair in zip(before.splitlines(), wrote.code.splitlines(), strict=True) if pair[0] != pair[1]]
    assert changed == [("SCHEDULE = None", 'SCHEDULE = "0 2 * * *"')]
    assert len(talk.last(Explained).next_runs) == 3


@pytest.fixture(scope="module")
def exported(talk: Talk) -> Path:
    return talk.session.export("lead_sync", "lead_sync.py").path


def test_the_export_is_the_approved_script_and_runs_from_anywhere(talk: Talk, exported: Path, tmp_path: Path) -> None:
    assert exported.read_text(encoding="utf-8") == talk.session.store.latest("lead_sync").code
    site = tmp_path / "site"
    wheel = next((exported.parent / "wheels").glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*pip, str(wheel)], check=True)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(site)}
    lines = [f"{key}='{value}'" for entry in talk.session.practice.values() for key, value in entry.env.items()]
    (exported.parent / ".env").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, str(exported), "--once"]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0 added + 0 updated" in done.stderr
    (exported.parent / ".env").unlink()


def test_the_log_holds_the_whole_story_and_is_whole(talk: Talk) -> None:
    assert talk.session.audit.verify().whole
    events = [record["event"] for record in talk.session.audit.records()]
    for event in ("prompt", "load", "discovery", "answer", "script", "preview", "decision", "run", "export"):
        assert event in events, event
    assert events.index("prompt") < events.index("load") < events.index("script") < events.index("decision")


def test_each_act_of_the_conversation_has_its_record_before_it(talk: Talk) -> None:
    records = {record["n"]: record for record in talk.session.audit.records()}
    assert list(records) == list(range(1, len(records) + 1))
    after = [record for record in records.values() if record.get("phase") == "after"]
    assert {record["event"] for record in after} == {"discovery", "preview", "run", "export"}
    for record in after:
        begun = records[record["of"]]
        assert (begun["event"], begun["phase"]) == (record["event"], "before")
        assert begun["n"] < record["n"]
    kinds: dict[str, set[str]] = {}
    for record in records.values():
        kinds.setdefault(record["event"], set()).add(record.get("actor", "keeper"))
    for event in ("prompt", "answer", "decision", "run", "receipt", "export"):
        assert kinds[event] == {"human"}, event
    for event in ("load", "script"):
        assert kinds[event] == {"agent"}, event
    looks = [record for record in after if record["event"] == "discovery" and record["actor"] == "agent"]
    fields = next(record for record in looks if record.get("method") == "get_fields" and record["object"] == "Lead")
    assert "LeadSource" in fields["fields"]
    assert fields["count"] == len(fields["fields"])
    assert fields["calls"][0].keys() >= {"method", "template", "status", "rows"}
    run = next(record for record in records.values() if record["event"] == "run")
    decision = next(record for record in records.values() if record["event"] == "decision" and record["n"] > 1)
    assert decision["n"] < run["n"]
    assert decision["script_sha256"] == run["code_sha256"]
    for record in records.values():
        if record["event"] in ("decision", "receipt", "script", "export"):
            assert len(record["script_sha256"]) == 64
            assert record["person"]


def test_no_credential_is_in_anything_that_was_kept(talk: Talk, folder: Path) -> None:
    secrets = [
        value.encode()
        for entry in talk.session.practice.values()
        for key, value in entry.env.items()
        if key.endswith(("SECRET", "PASSWORD", "PGPASSWORD"))
    ]
    assert len(secrets) >= 3
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert len(kept) > 5
    assert [path for path in kept for secret in secrets if secret in path.read_bytes()] == []


def test_a_reason_for_a_rejection_goes_back_into_the_dialog(talk: Talk) -> None:
    only(talk.run("lead_sync"), Previewed)
    talk.session.reject("lead_sync", "only the leads of the last 7 days")
    talk.session.wait()
    assert "days_ago(7)" in talk.last(Wrote).code


@pytest.fixture
def log_that_cannot_grow(talk: Talk) -> Iterator[None]:
    """The kernel refuses every write that would make the log longer, as a full disk does."""
    talk.session.audit.append({"event": "test"})
    keeper = keeping.process_id()
    assert keeper
    soft, hard = resource.prlimit(keeper, resource.RLIMIT_FSIZE)
    size = (talk.session.home / "audit" / "log.jsonl").stat().st_size
    resource.prlimit(keeper, resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.prlimit(keeper, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("log_that_cannot_grow")
def test_nothing_runs_when_the_log_cannot_be_written(talk: Talk) -> None:
    asked = list(talk.session.dialog.prompts)
    with pytest.raises(AuditUnavailable, match=r"can't be written .* so nothing runs"):
        talk.session.integrate("Sync contacts from Salesforce to PostgreSQL: name", new=True)
    assert talk.session.dialog.prompts == asked
    failed = only(talk.run("lead_sync"), Failed)
    assert "can't be written" in failed.what


def test_an_unapproved_script_is_not_exported(talk: Talk) -> None:
    with pytest.raises(IntegratorError, match="has changed since it was approved"):
        talk.session.export("lead_sync", "again.py")


def test_a_write_that_hangs_on_a_condition_needs_an_approval_too(talk: Talk) -> None:
    code = (
        "from datetime import date\n\n"
        "from postgresql_driver import PostgresClient\n\n"
        "with PostgresClient() as postgresql:\n"
        "    if date.today().year > 2999:\n"
        '        postgresql.upsert("public.leads", [{"salesforce_id": "1"}], key="salesforce_id")\n'
    )
    preview = only(talk.run("sleeper", code), Previewed)
    assert preview.targets == []
    assert preview.writes
    assert preview.needs_decision

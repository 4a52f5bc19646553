"""What an approval stands for when scripts really run: this script, these rows, this database, once, by a person."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

import integrator_practice
from integrator_drivers.unattended import permit
from integrator_magics.config import Settings
from integrator_magics.errors import ApprovalRequired, IntegratorError, RunFailed
from integrator_magics.events import Decided, Event, Failed, Previewed, Ran
from integrator_magics.export import Exported
from integrator_magics.session import Session, run_channel

E = TypeVar("E", bound=Event)
SCRIPT = '''"""People into another table."""
from integrator_drivers import Source, Target, run, sync
from postgresql_driver import PostgresClient

SCHEDULE = None


def main():
    with PostgresClient() as postgresql:
        sync(source=Source(postgresql, "people"), target=Target(postgresql, "{target}"), key="id")


run(main, SCHEDULE)
'''


@pytest.fixture(scope="module")
def postgres() -> Iterator[dict[str, str]]:
    practice = integrator_practice.start("postgresql")
    yield practice.env
    practice.close()


@dataclass
class Desk:
    """One notebook on the practice database, and what happened in it."""

    folder: Path
    env: dict[str, str]
    sessions: list[Session] = field(default_factory=list)

    def session(self, notebook: str = "job.ipynb") -> Session:
        """A new one, as after a restart of the kernel."""
        session = Session(notebook, self.folder, Settings(model="guided"))
        session.credentials.use_practice("postgresql", self.env)
        self.sessions.append(session)
        return session

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
        place = {names[name]: value for name, value in self.env.items() if name in names}
        with psycopg.connect(**place, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def count(self, table: str) -> int:
        if self.sql(f"SELECT to_regclass('{table}')") == [(None,)]:
            return 0
        number = self.sql(f"SELECT count(*) FROM {table}")[0][0]
        assert isinstance(number, int)
        return number


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Not the one that knows the practice database: here it is a database like any other, and needs codes."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("approvals")
        patch.setenv("INTEGRATOR_HOME", str(folder / "home"))
        yield folder / "home"


@pytest.fixture(scope="module")
def room(postgres: dict[str, str], home: Path) -> Iterator[Desk]:
    desk = Desk(home.parent, postgres)
    desk.session()
    yield desk
    for session in desk.sessions:
        session.close()


@pytest.fixture
def desk(room: Desk) -> Iterator[Desk]:
    room.sql("DROP TABLE IF EXISTS people")
    room.sql("CREATE TABLE people (id integer PRIMARY KEY, name text)")
    room.sql("INSERT INTO people SELECT n, 'person ' || n FROM generate_series(1, 100) n")
    yield room
    room.sessions[0].credentials.use_practice("postgresql", room.env)


@pytest.fixture
def session(desk: Desk) -> Session:
    return desk.sessions[0]


def heard(session: Session, name: str, act: object) -> list[Event]:
    events: list[Event] = []
    stop = session.listen(run_channel(name), events.append)
    act()  # type: ignore[operator]
    session.wait()
    stop()
    return events


def only(events: list[Event], kind: type[E]) -> E:
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, events
    return found[0]


def previewed(session: Session, name: str, code: str | None = None) -> Previewed:
    return only(
        heard(session, name, lambda: session.run_script(name, code or SCRIPT.replace("{target}", name))), Previewed
    )


def test_the_first_ten_rows_then_a_look_then_the_rest(desk: Desk, session: Session) -> None:
    preview = previewed(session, "ten")
    assert (preview.targets[0].add, preview.first) == (100, 10)
    with pytest.raises(ApprovalRequired, match="can't begin with 50 rows"):
        session.integrations.approve("ten", "", lambda event: None, 50)
    events = heard(session, "ten", lambda: session.approve("ten", preview.code, 10))
    assert only(events, Decided).first == 10
    assert only(events, Ran).targets[0].add == desk.count("ten") == 10
    assert [row["name"] for row in only(events, Ran).tables[0].rows] == [f"person {n}" for n in range(1, 11)]
    rest = only(events, Previewed)
    assert (rest.rest, rest.first, rest.targets[0].add, rest.targets[0].unchanged) == (True, 0, 90, 10)
    assert rest.needs_decision
    assert session.store.latest("ten").approved_at == ""  # only the whole of it counts as approved
    assert only(heard(session, "ten", lambda: session.approve("ten", rest.code)), Ran).targets[0].add == 90
    assert desk.count("ten") == 100
    records = [record for record in session.audit.records() if record.get("name") == "ten"]
    decisions = [record for record in records if record["event"] == "decision"]
    assert [(record["approved"], record["first"]) for record in decisions] == [(True, 10), (True, None)]
    runs = [record for record in records if record["event"] == "run" and record["phase"] == "before"]
    assert [(record["max_rows"], record.get("first")) for record in runs] == [(10, 10), (109, None)]


def test_the_first_rows_are_first_ones_that_change(desk: Desk, session: Session) -> None:
    desk.sql("CREATE TABLE part (LIKE people INCLUDING ALL)")
    desk.sql("INSERT INTO part SELECT * FROM people WHERE id <> ALL ('{7,40,41,42,43,44,45,46,47,48,49,99}')")
    preview = previewed(session, "part")
    assert preview.targets[0].add == 12
    heard(session, "part", lambda: session.approve("part", preview.code, 10))
    assert desk.sql("SELECT id FROM people EXCEPT SELECT id FROM part ORDER BY 1") == [(49,), (99,)]


def test_what_waits_survives_a_restart_and_can_be_approved(desk: Desk, session: Session) -> None:
    before = previewed(session, "later")
    again = desk.session()
    assert "later" in again.integrations.waiting_names()
    assert again.integrations.waiting("later") == before
    assert only(heard(again, "later", lambda: again.approve("later", before.code)), Ran).targets[0].add == 100
    assert desk.count("later") == 100
    assert "later" not in desk.session().integrations.waiting_names()


def test_what_was_rejected_does_not_wait_after_a_restart(desk: Desk, session: Session) -> None:
    previewed(session, "never")
    session.reject("never", "wrong table")
    assert "never" not in desk.session().integrations.waiting_names()
    record = [record for record in session.audit.records() if record["event"] == "decision"][-1]
    assert (record["approved"], record["reason"], record["actor"]) == (False, "wrong table", "human")


def test_a2_one_space_more_voids_it(desk: Desk, session: Session) -> None:
    preview = previewed(session, "space")
    session.store.save("space", SCRIPT.replace("{target}", "space") + " ")
    failed = only(heard(session, "space", lambda: session.approve("space", preview.code)), Failed)
    assert "has changed since this preview" in failed.what
    assert desk.count("space") == 0


def test_a2_a_second_use_is_refused(desk: Desk, session: Session) -> None:
    preview = previewed(session, "twice")
    entry = session.integrations._waiting["twice"]
    only(heard(session, "twice", lambda: session.approve("twice", preview.code)), Ran)
    session.integrations._waiting["twice"] = entry  # as if somebody kept it
    failed = only(heard(session, "twice", lambda: session.approve("twice", preview.code)), Failed)
    assert "Nothing waits for approval" in failed.what
    with pytest.raises(ApprovalRequired, match="used already"):
        session.approvals.use(entry.facts)


def test_a2_a_copy_in_another_notebook_is_not_approved(desk: Desk, session: Session) -> None:
    copy = desk.session("copy.ipynb")
    preview = previewed(session, "mine")
    copy.store.save("mine", preview.script)
    with pytest.raises(ApprovalRequired, match="No preview of mine is waiting"):
        copy.approve("mine")
    copy.integrations._waiting["mine"] = session.integrations._waiting["mine"]
    failed = only(heard(copy, "mine", lambda: copy.approve("mine", preview.code)), Failed)
    assert "Nothing waits for approval" in failed.what
    assert desk.count("mine") == 0


def test_a2_another_database_with_the_same_script_is_not_approved(desk: Desk, session: Session) -> None:
    preview = previewed(session, "place")
    session.credentials.use_practice("postgresql", {**desk.env, "PGDATABASE": "postgres"})
    failed = only(heard(session, "place", lambda: session.approve("place", preview.code)), Failed)
    assert "This is not what was approved" in failed.what
    assert "account" in failed.what
    assert desk.count("place") == 0


def test_a_fifth_more_rows_than_previewed_are_not_written(desk: Desk, session: Session) -> None:
    desk.sql("INSERT INTO people SELECT n, 'more ' || n FROM generate_series(101, 200) n")
    preview = previewed(session, "more")
    assert preview.targets[0].add == 200
    desk.sql("INSERT INTO people SELECT n, 'late ' || n FROM generate_series(201, 240) n")
    failed = only(heard(session, "more", lambda: session.approve("more", preview.code)), Failed)
    assert "240 rows are more than the 230 that were approved" in failed.what
    assert desk.count("more") == 0


def test_a4_the_panel_says_whose_rights_which_columns_and_what_stays(desk: Desk) -> None:
    from integrator_magics.ui.html import fragment
    from integrator_magics.ui.text import lines

    session = desk.session()
    preview = previewed(session, "shown")
    text = " ".join(" ".join(lines(preview)).split())
    assert "With the rights of PostgreSQL: " in text
    assert "id (key), name" in text
    assert "100 rows are added and stay: this product never deletes." in text
    assert "--first 10" in text
    page = fragment(replace(preview, script=preview.script + "# \x07bell\u202e"))
    assert "The script that would run, whole" in page
    assert r"# \x07bell\u202e" in page
    assert preview.code not in page.replace(preview.sha256[:6], "")  # a saved notebook must not be able to approve


def test_a3_code_in_the_sandbox_can_not_approve(desk: Desk, session: Session, home: Path) -> None:
    previewed(session, "target")
    code = (
        "import sqlite3\n"
        f"sqlite3.connect({str(home / 'approvals.sqlite')!r}).execute(\"UPDATE decision SET state='approved'\")\n"
    )
    with pytest.raises(IntegratorError):
        session.integrations.preview("thief", code, lambda event: None)
    through = "from integrator_magics.policy import Approvals\n"
    with pytest.raises((IntegratorError, RunFailed)):
        session.integrations.preview("thief", through, lambda event: None)
    assert [pending.name for pending in session.approvals.pending()][-1] == "target"
    assert desk.count("target") == 0


def test_a3_no_tool_of_the_agent_approves(desk: Desk) -> None:
    import inspect

    from integrator_magics.agent import discovering, scripting, tools, workspace

    offered = set(tools.toolset().tools)
    assert "run_script" in offered
    assert not [name for name in offered if "approv" in name or "apply" in name]
    for module in (tools, discovering, scripting, workspace):
        assert "approv" not in inspect.getsource(module).casefold(), module.__name__
        assert "Mode.APPLY" not in inspect.getsource(module)
    session = desk.session()
    assert not {"approvals", "integrations"} & set(vars(session.workspace))


@pytest.fixture
def exported(desk: Desk, session: Session) -> Exported:
    """A script that wrote once with a person's approval, exported to run every night."""
    desk.sql("DROP TABLE IF EXISTS nightly")
    preview = previewed(session, "nightly")
    only(heard(session, "nightly", lambda: session.approve("nightly", preview.code)), Ran)
    desk.sql("INSERT INTO people SELECT n, 'new ' || n FROM generate_series(301, 320) n")
    (desk.folder / "nightly.receipt.json").unlink(missing_ok=True)
    return session.export("nightly", "nightly.py", "0 2 * * *")


def command(desk: Desk, *words: str) -> dict[str, Any]:
    """What `integrator ... --json` says in the notebook's folder, and its exit code."""
    (desk.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in desk.env.items()))
    (desk.folder / ".env").chmod(0o600)
    program = "import sys; from integrator_magics.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, *words, "--json"],
        cwd=desk.folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    (desk.folder / ".env").unlink()
    answer = json.loads(done.stdout)
    return {**(answer if isinstance(answer, dict) else {"rows": answer}), "exit": done.returncode}


def test_a5_unattended_writes_need_a_standing_approval(desk: Desk, session: Session, exported: Exported) -> None:
    run = ("run", "nightly.py", "--mode", "apply")
    answer = command(desk, *run)
    assert answer["exit"] == 1
    assert "nobody approved that, so nothing was written" in answer["error"]["message"]
    assert desk.count("nightly") == 100
    standing, code = session.unattended.ask(exported)
    assert command(desk, *run)["exit"] == 1  # asked for is not approved
    for wrong in ("", "0000"):
        with pytest.raises(ApprovalRequired):
            session.unattended.approve("nightly", wrong)
    session.unattended.approve("nightly", code)
    receipt = json.loads((desk.folder / "nightly.receipt.json").read_text())
    assert receipt["standing"]["max_rows"] == standing.max_rows == 120
    assert session.audit.verify(receipt["audit"]).whole
    answer = command(desk, *run)
    assert (answer["exit"], answer["counts"][0]["add"]) == (0, 20)
    assert desk.count("nightly") == 120
    record = [entry for entry in session.audit.records() if entry["event"] == "decision"][-1]
    assert standing.id in record["reason"]

    desk.sql("INSERT INTO people SELECT n, 'many ' || n FROM generate_series(1001, 1130) n")
    answer = command(desk, *run)  # more rows than a run may write
    assert (answer["exit"], desk.count("nightly")) == (1, 120)
    assert "130 rows are more than the 120" in answer["error"]["message"]

    exported.path.write_text(exported.path.read_text() + "\n")
    answer = command(desk, *run)
    assert (answer["exit"], desk.count("nightly")) == (1, 120)
    assert "nightly.py has changed since its standing approval" in answer["error"]["message"]
    exported.path.write_text(exported.path.read_text()[:-1])

    assert command(desk, "approvals")["rows"][0]["id"] == standing.id
    command(desk, "approvals", "revoke", standing.id)
    answer = command(desk, *run)
    assert (answer["exit"], desk.count("nightly")) == (1, 120)
    assert "its standing approval was revoked" in answer["error"]["message"]
    assert "was revoked" in permit(exported.path).reason
    assert command(desk, "audit", "verify", "--receipt", "nightly.receipt.json")["whole"]


def test_a5_the_scheduled_path_of_the_file_checks_its_receipt(desk: Desk, session: Session, exported: Exported) -> None:
    assert permit(exported.path).reason == "Nobody approved that nightly.py writes unattended."
    _, code = session.unattended.ask(exported, until="2099-01-01", max_rows=30)
    session.unattended.approve("nightly", code)
    assert permit(exported.path, "0 2 * * *").max_rows == 30
    assert "another schedule" in permit(exported.path, "0 3 * * *").reason
    assert "ended on" in permit(exported.path, now=datetime(2100, 1, 1, tzinfo=UTC)).reason
    exported.path.write_text(exported.path.read_text() + " ")
    assert permit(exported.path).reason == "nightly.py has changed since its standing approval."
    exported.path.with_suffix(".receipt.json").write_text("[1, 2")
    assert "can't be read as a receipt" in permit(exported.path).reason

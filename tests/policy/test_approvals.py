"""An approval stands for exactly one set of facts, once, for a quarter of an hour, by a person."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrator_magics.errors import ApprovalRequired, ConfigError
from integrator_magics.policy import Approvals, Facts, TargetFacts

FACTS = Facts(
    name="lead_sync",
    notebook="notebooks/leads.ipynb",
    script_sha256="ab" * 32,
    systems=(("postgresql", "0.1.0", "demo", "integrator"), ("salesforce", "0.1.0", "acme", "ann")),
    hosts=("127.0.0.1:5432",),
    sandbox=("embedded", "full"),
    targets=(TargetFacts("postgresql", "public.leads", ("salesforce_id", "name"), ("insert", "update")),),
    counts=(("add", 380), ("update", 32)),
    max_rows=463,
    window_end="2026-11-21T02:00:00+00:00",
)
OTHER = {
    "name": "other",
    "notebook": "other.ipynb",
    "script_sha256": "cd" * 32,
    "mode": "preview",
    "systems": (("postgresql", "0.1.0", "production", "integrator"),),
    "hosts": ("db.example:5432",),
    "sandbox": ("embedded", "none"),
    "targets": (TargetFacts("postgresql", "public.customers", ("name",), ("insert",)),),
    "counts": (("add", 457), ("update", 32)),
    "max_rows": 464,
    "window_end": "2026-11-22T02:00:00+00:00",
    "practice": True,
    "nonce": "0" * 32,
    "expires": "2030-01-01T00:00:00+00:00",
}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def approvals(tmp_path: Path, clock: Clock) -> Approvals:
    return Approvals(tmp_path / "home" / "approvals.sqlite", clock=clock)


def test_facts_have_one_canonical_form() -> None:
    assert Facts.from_json(FACTS.to_json()) == FACTS
    assert Facts.from_json(FACTS.to_json()).digest == FACTS.digest
    assert json.loads(FACTS.to_json())["targets"][0]["object"] == "public.leads"
    assert re.fullmatch("[0-9a-f]{64}", FACTS.digest)
    lists = Facts(**json.loads(FACTS.to_json()))
    assert lists == FACTS
    assert hash(lists) == hash(FACTS)


def test_every_single_fact_counts() -> None:
    assert set(OTHER) == {entry.name for entry in fields(Facts)}
    digests = {replace(FACTS, **{name: value}).digest for name, value in OTHER.items()}
    assert len(digests | {FACTS.digest}) == len(OTHER) + 1


def test_the_code_shown_approves_once(approvals: Approvals, clock: Clock) -> None:
    pending = approvals.request(FACTS)
    assert re.fullmatch("[2-9A-HJKMNP-Z]{4}", pending.code)
    assert pending.expires == clock.now + timedelta(minutes=15)
    assert approvals.pending("notebooks/leads.ipynb") == [pending]
    approval = approvals.approve("lead_sync", pending.code.lower(), "jana")
    assert (approval.person, approval.at, approval.digest) == ("jana", clock.now, pending.digest)
    assert approvals.pending() == []
    assert approvals.use(pending.facts).person == "jana"
    with pytest.raises(ApprovalRequired, match="was used already; each one counts once"):
        approvals.use(pending.facts)
    with pytest.raises(ApprovalRequired, match="Nothing waits for approval"):
        approvals.approve("lead_sync", pending.code)


def test_the_person_is_who_runs_it(approvals: Approvals) -> None:
    import getpass

    pending = approvals.request(FACTS)
    assert approvals.approve("lead_sync", pending.code).person == getpass.getuser()


def test_nothing_is_approved_without_a_request(approvals: Approvals) -> None:
    with pytest.raises(ApprovalRequired):
        approvals.approve("lead_sync", "ABCD")
    with pytest.raises(ApprovalRequired, match="Nobody approved this run"):
        approvals.use(FACTS)
    pending = approvals.request(FACTS)
    with pytest.raises(ApprovalRequired, match="lead_sync waits for approval"):
        approvals.use(pending.digest)


@pytest.mark.parametrize("name", [name for name in OTHER if name not in ("nonce", "expires")])
def test_one_difference_and_it_is_not_approved(approvals: Approvals, name: str) -> None:
    pending = approvals.request(FACTS)
    approvals.approve("lead_sync", pending.code)
    with pytest.raises(ApprovalRequired) as caught:
        approvals.use(replace(pending.facts, **{name: OTHER[name]}))
    assert "Nothing was written" in str(caught.value)
    if name not in ("name", "notebook"):
        assert "is not what was approved" in str(caught.value)
    assert approvals.use(pending.facts)


def test_a_copy_with_another_nonce_or_expiry_is_not_approved(approvals: Approvals) -> None:
    pending = approvals.request(FACTS)
    approvals.approve("lead_sync", pending.code)
    for name in ("nonce", "expires"):
        with pytest.raises(ApprovalRequired):
            approvals.use(replace(pending.facts, **{name: OTHER[name]}))
    with pytest.raises(ApprovalRequired):
        approvals.use(FACTS)


def test_too_late_to_approve_and_too_late_to_run(approvals: Approvals, clock: Clock) -> None:
    pending = approvals.request(FACTS)
    clock.now += timedelta(minutes=15)
    with pytest.raises(ApprovalRequired, match="too old to approve"):
        approvals.approve("lead_sync", pending.code)
    assert approvals.pending() == []
    pending = approvals.request(FACTS)
    approvals.approve("lead_sync", pending.code)
    clock.now += timedelta(minutes=15)
    with pytest.raises(ApprovalRequired, match="too old"):
        approvals.use(pending.facts)


def test_a_wrong_code_does_not_approve_and_five_void_it(approvals: Approvals) -> None:
    pending = approvals.request(FACTS)
    with pytest.raises(ApprovalRequired, match="A code is needed"):
        approvals.approve("lead_sync", "")
    for _ in range(3):
        with pytest.raises(ApprovalRequired, match="not the code shown"):
            approvals.approve("lead_sync", "0000")
    with pytest.raises(ApprovalRequired, match="void after 5 wrong codes"):
        approvals.approve("lead_sync", "0000")
    with pytest.raises(ApprovalRequired, match="Nothing waits"):
        approvals.approve("lead_sync", pending.code)


def test_practice_systems_need_no_code_but_a_wrong_one_is_wrong(approvals: Approvals) -> None:
    approvals.request(replace(FACTS, practice=True))
    with pytest.raises(ApprovalRequired, match="not the code"):
        approvals.approve("lead_sync", "0000")
    assert approvals.approve("lead_sync").facts.practice


def test_a_new_preview_replaces_the_old_one(approvals: Approvals) -> None:
    old = approvals.request(FACTS)
    approvals.approve("lead_sync", old.code)
    new = approvals.request(FACTS)
    assert old.digest != new.digest
    with pytest.raises(ApprovalRequired, match="replaced by a newer preview"):
        approvals.use(old.facts)
    assert approvals.pending() == [new]


def test_the_same_name_in_two_notebooks_is_two_things(approvals: Approvals) -> None:
    one = approvals.request(FACTS)
    two = approvals.request(replace(FACTS, notebook="copy.ipynb"))
    assert [entry.digest for entry in approvals.pending()] == [one.digest, two.digest]
    assert approvals.pending("copy.ipynb") == [two]
    with pytest.raises(ApprovalRequired, match="2 notebooks wait"):
        approvals.approve("lead_sync", one.code)
    approvals.approve("lead_sync", two.code, notebook="copy.ipynb")
    with pytest.raises(ApprovalRequired):
        approvals.use(one.facts)


def test_a_rejection_keeps_its_reason(approvals: Approvals) -> None:
    pending = approvals.request(FACTS)
    assert approvals.reject("lead_sync", "jana", "wrong table").digest == pending.digest
    with pytest.raises(ApprovalRequired, match=r"was rejected by jana: wrong table\."):
        approvals.use(pending.facts)
    with pytest.raises(ApprovalRequired, match="Nothing waits"):
        approvals.reject("lead_sync", "jana")


def test_it_survives_a_restart_and_is_for_the_owner_only(approvals: Approvals, tmp_path: Path, clock: Clock) -> None:
    pending = approvals.request(FACTS)
    again = Approvals(tmp_path / "home" / "approvals.sqlite", clock=clock)
    assert again.pending() == [pending]
    again.approve("lead_sync", pending.code)
    assert approvals.use(pending.facts)
    mode = (tmp_path / "home" / "approvals.sqlite").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


RACE = """
import sys
from pathlib import Path
from integrator_magics.errors import ApprovalRequired
from integrator_magics.policy import Approvals
approvals = Approvals(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    approvals.use(sys.argv[2])
    print("used")
except ApprovalRequired:
    print("refused")
"""


def test_two_processes_can_not_use_one_approval_twice(tmp_path: Path) -> None:
    path = tmp_path / "approvals.sqlite"
    approvals = Approvals(path)
    for _ in range(2):
        pending = approvals.request(FACTS)
        approvals.approve("lead_sync", pending.code)
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACE, str(path), pending.digest],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for racer in racers:
            assert racer.stdout and racer.stdout.readline() == "ready\n"
        outcomes = []
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
        for racer in racers:
            outcomes.append(racer.communicate()[0].strip())
        assert sorted(outcomes) == ["refused", "refused", "used"]


def test_a_script_that_reads_is_remembered_exactly(approvals: Approvals) -> None:
    systems = [("salesforce", "acme", "ann")]
    approvals.remember_reader("ab" * 32, notebook="a.ipynb", systems=systems, person="jana")
    assert approvals.reader_known("ab" * 32, notebook="a.ipynb", systems=systems)
    assert not approvals.reader_known("cd" * 32, notebook="a.ipynb", systems=systems)
    assert not approvals.reader_known("ab" * 32, notebook="b.ipynb", systems=systems)
    assert not approvals.reader_known("ab" * 32, notebook="a.ipynb", systems=[("salesforce", "other", "ann")])


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "approvals.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigError, match="can't be opened"):
        Approvals(path).pending()


def test_a_code_can_not_be_read_out_of_a_notebook(approvals: Approvals) -> None:
    codes = {approvals.request(FACTS).code for _ in range(50)}
    assert len(codes) > 45

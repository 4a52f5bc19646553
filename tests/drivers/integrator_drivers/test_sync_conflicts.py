"""What `sync` does where somebody else has changed a record of the target since the last run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_sync_several_targets import Club, People, Sheet, text

from integrator_drivers import Receipt, Source, Target, ValidationError, sync


class Dated(Sheet):
    """A sheet that knows when a row was changed, and remembers what a person does to it."""

    def get_fields(self, obj: str) -> dict[str, Any]:
        return {"id": text(primary_key=True), "name": text(), "edited": text()}


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("INTEGRATOR_MODE", "INTEGRATOR_MAX_ROWS", "INTEGRATOR_REPORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("integrator_drivers.statefile._beside", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def people() -> People:
    return People(("a", "ann@x.example", "Ann"), ("b", "bob@x.example", "Bob"), ("c", "cy@x.example", "Cy"))


class Checked(Dated):
    def check(self) -> Any:
        from integrator_drivers import Identity

        return Identity("sheet", "test", "me")


def run(people: People, sheet: Sheet, conflict: Any, **more: Any) -> Receipt:
    source = Source(people, "People", {"Id": "id", "Name": "name"})
    changed = more.pop("changed", "")
    return sync(source, Target(sheet, "rows", changed=changed), key="id", conflict=conflict, **more)


def test_by_default_the_source_wins_and_nothing_is_remembered(people: People, beside: Path) -> None:
    sheet = Checked()
    run(people, sheet, "source")
    sheet.held["b"]["name"] = "Robert"
    assert (run(people, sheet, "source").updated, sheet.held["b"]["name"]) == (1, "Bob")
    assert list(beside.iterdir()) == []


@pytest.mark.parametrize("conflict", ["target", "ask"])
def test_what_was_changed_there_is_kept_and_listed(people: People, conflict: str) -> None:
    sheet = Checked()
    assert run(people, sheet, conflict).inserted == 3
    sheet.held["b"]["name"] = "Robert"
    people.rows[0]["Name"] = "Anna"
    done = run(people, sheet, conflict)
    assert (done.updated, done.unchanged, done.kept) == (1, 1, 1)
    assert done.read == done.updated + done.unchanged + done.kept
    assert (sheet.held["a"]["name"], sheet.held["b"]["name"]) == ("Anna", "Robert")
    assert done.conflicts == [{"key": "b", "column": "name", "old": "Robert", "new": "Bob"}]
    assert run(people, sheet, conflict).kept == 1  # until somebody decides
    assert run(people, sheet, "source").updated == 1
    assert sheet.held["b"]["name"] == "Bob"


def test_a_preview_says_so_beforehand(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = Checked()
    run(people, sheet, "ask")
    sheet.held["c"]["name"] = "Cyrus"
    monkeypatch.setenv("INTEGRATOR_MODE", "preview")
    seen = run(people, sheet, "ask")
    assert (seen.kept, seen.conflicts[0]["old"], sheet.held["c"]["name"]) == (1, "Cyrus", "Cyrus")


def test_the_newest_wins_by_the_times_of_both_sides(people: People) -> None:
    sheet = Checked()
    for row in people.rows:
        row["Id"] = row["Id"].upper()
    run(people, sheet, "newest", newest="Changed", changed="edited")
    older, newer = people.rows[0], people.rows[1]
    sheet.held["A"] |= {"name": "Annie", "edited": older["Changed"].replace(year=2025)}
    sheet.held["B"] |= {"name": "Bobby", "edited": newer["Changed"].replace(year=2027)}
    done = run(people, sheet, "newest", newest="Changed", changed="edited")
    assert (sheet.held["A"]["name"], sheet.held["B"]["name"], done.kept) == ("Ann", "Bobby", 1)


def test_several_targets_each_keep_their_own_account(people: People) -> None:
    club, sheet = Club(), Checked()
    club.check = sheet.check  # type: ignore[attr-defined]
    targets = [
        Target(club, "members", {"Mail": "email", "Name": "name"}, key="email", id_as="club_id"),
        Target(sheet, "rows", {"Id": "id", "Name": "name", "club_id": "club_id"}, key="id"),
    ]
    sync(Source(people, "People"), targets, conflict="target")
    club.held["ann@x.example"]["name"] = "Annie"
    first, second = sync(Source(people, "People"), targets, conflict="target")
    assert (first.kept, second.kept, first.updated, second.updated) == (1, 0, 0, 0)
    assert sheet.held["a"]["club_id"] == "501"


def test_a_policy_that_makes_no_sense_is_said(people: People) -> None:
    with pytest.raises(ValidationError, match='conflict is one of source, target, newest, ask, not "mine"'):
        run(people, Checked(), "mine")
    with pytest.raises(ValidationError, match="each Target changed="):
        run(people, Checked(), "newest", newest="Changed")

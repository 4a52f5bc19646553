from __future__ import annotations

from pathlib import Path

import pytest

from integrator_magics.errors import IntegratorError
from integrator_magics.export import ScriptStore, build_light_wheel, export, set_schedule

CODE = '"""Copies."""\n\nSCHEDULE = None\n\n\ndef main() -> None:\n    pass\n'


@pytest.fixture
def store(tmp_path: Path) -> ScriptStore:
    return ScriptStore(tmp_path / "home", "/somewhere/report.ipynb")


def test_every_version_is_kept_and_the_same_code_is_the_same_version(store: ScriptStore) -> None:
    first = store.save("lead_sync", CODE, ["reads"])
    assert store.save("lead_sync", CODE) == first
    second = store.save("lead_sync", CODE + "# more\n")
    assert [entry.number for entry in store.versions("lead_sync")] == [1, 2]
    assert store.versions("lead_sync")[0].code == CODE
    assert "+# more" in store.diff(second)


def test_going_back_to_earlier_code_makes_a_new_version_that_keeps_its_approval(store: ScriptStore) -> None:
    first = store.save("lead_sync", CODE)
    store.mark_approved("lead_sync", first.sha256, "jana")
    store.save("lead_sync", CODE + "# more\n")
    third = store.save("lead_sync", CODE)
    assert third.number == 3
    assert third.approved_by == "jana"


def test_two_notebooks_do_not_see_each_others_scripts(tmp_path: Path) -> None:
    ScriptStore(tmp_path, "/a/report.ipynb").save("lead_sync", CODE)
    assert ScriptStore(tmp_path, "/b/report.ipynb").names() == []


@pytest.mark.parametrize("name", ["", "Lead", "1st", "a-b", "../x", "a" * 42])
def test_a_name_that_is_no_lower_case_identifier_is_refused(store: ScriptStore, name: str) -> None:
    with pytest.raises(IntegratorError, match="can't name a script"):
        store.save(name, CODE)


def test_an_unknown_script_names_the_known_ones(store: ScriptStore) -> None:
    store.save("lead_sync", CODE)
    with pytest.raises(IntegratorError, match="lead_sync"):
        store.latest("leed_sync")


def test_export_writes_the_approved_bytes(store: ScriptStore, tmp_path: Path) -> None:
    version = store.save("lead_sync", CODE)
    store.mark_approved("lead_sync", version.sha256, "jana")
    exported = export(store, "lead_sync", tmp_path / "lead_sync.py")
    assert exported.path.read_bytes() == CODE.encode()
    assert exported.wheel.exists()
    assert exported.wheel.parent == tmp_path / "wheels"


def test_what_nobody_approved_is_not_exported(store: ScriptStore, tmp_path: Path) -> None:
    store.save("lead_sync", CODE)
    with pytest.raises(IntegratorError, match="has not been approved"):
        export(store, "lead_sync", tmp_path / "lead_sync.py")
    assert not (tmp_path / "lead_sync.py").exists()


def test_a_change_after_the_approval_is_not_exported_but_a_new_schedule_is(store: ScriptStore, tmp_path: Path) -> None:
    version = store.save("lead_sync", CODE)
    store.mark_approved("lead_sync", version.sha256, "jana")
    store.save("lead_sync", set_schedule(CODE, "0 2 * * *"))
    exported = export(store, "lead_sync", tmp_path / "lead_sync.py")
    assert 'SCHEDULE = "0 2 * * *"' in exported.path.read_text()
    store.save("lead_sync", CODE.replace("pass", "print()"))
    with pytest.raises(IntegratorError, match="has changed since it was approved"):
        export(store, "lead_sync", tmp_path / "again.py")


def test_the_schedule_option_changes_exactly_one_line(store: ScriptStore, tmp_path: Path) -> None:
    version = store.save("lead_sync", CODE)
    store.mark_approved("lead_sync", version.sha256, "jana")
    exported = export(store, "lead_sync", tmp_path / "lead_sync.py", schedule="30 6 * * 1-5")
    before, after = CODE.splitlines(), exported.path.read_text().splitlines()
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("SCHEDULE = None", 'SCHEDULE = "30 6 * * 1-5"')
    ]


def test_a_file_that_is_somebody_elses_is_left_alone(store: ScriptStore, tmp_path: Path) -> None:
    version = store.save("lead_sync", CODE)
    store.mark_approved("lead_sync", version.sha256, "jana")
    (tmp_path / "lead_sync.py").write_text("print('mine')\n")
    with pytest.raises(IntegratorError, match="left alone"):
        export(store, "lead_sync", tmp_path / "lead_sync.py")
    assert (tmp_path / "lead_sync.py").read_text() == "print('mine')\n"


def test_the_light_wheel_is_the_same_each_time_and_holds_no_practice(tmp_path: Path) -> None:
    import zipfile

    first, second = build_light_wheel(tmp_path / "a"), build_light_wheel(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert "salesforce_driver/driver.toml" in names
    assert "salesforce_driver/README.md" in names
    assert not [name for name in names if "practice" in name or "integrator_magics" in name]

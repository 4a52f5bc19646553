"""Files of a run: what leaves, under which name, and what never does."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from integrator_magics.credentials import Redactor
from integrator_magics.sandbox.outputs import carry_out, carry_state, list_files, read_state

SECRET = "fake-secret-value-0815"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "scratch"
    found.mkdir()
    return found


@pytest.fixture
def target(tmp_path: Path) -> Path:
    found = tmp_path / "notebooks"
    found.mkdir()
    return found


@pytest.fixture
def redactor() -> Redactor:
    return Redactor({"PGPASSWORD": SECRET})


def test_a_listing_has_rows_size_hash_and_the_first_lines(folder: Path, redactor: Redactor) -> None:
    (folder / "leads.csv").write_text("id,name\n" + "1,a\n" * 100)
    found = list_files(folder, [{"kind": "file", "path": "./leads.csv", "rows": 100, "bytes": 1}], redactor)
    assert found.files == [
        {
            "path": "leads.csv",
            "rows": 100,
            "bytes": 408,
            "sha256": hashlib.sha256((folder / "leads.csv").read_bytes()).hexdigest(),
            "head": ["id,name", *["1,a"] * 19],
        }
    ]
    assert found.notes == []


def test_a_file_keeps_its_bytes(folder: Path, target: Path, redactor: Redactor) -> None:
    content = b"\xff\xfe odd \r\n bytes \x00 \xc3\xa9\n"
    (folder / "a.csv").write_bytes(content)
    (folder / "b.parquet").write_bytes(content)
    found = carry_out(folder, target, [], redactor)
    assert [(target / name).read_bytes() for name in ("a.csv", "b.parquet")] == [content, content]
    assert [entry["sha256"] for entry in found.files] == [hashlib.sha256(content).hexdigest()] * 2
    assert [entry["rows"] for entry in found.files] == [None, None]


def test_names_that_are_taken_get_a_number(folder: Path, target: Path, redactor: Redactor) -> None:
    (folder / "a.tar.csv").write_text("new")
    for name in ("a.tar.csv", "a.tar (2).csv"):
        (target / name).write_text("old")
    found = carry_out(folder, target, [], redactor)
    assert [entry["path"] for entry in found.files] == ["a.tar (3).csv"]
    assert (target / "a.tar.csv").read_text() == "old"
    assert sorted(path.name for path in target.iterdir()) == ["a.tar (2).csv", "a.tar (3).csv", "a.tar.csv"]


def test_a_link_with_the_wanted_name_is_not_followed(
    folder: Path, target: Path, redactor: Redactor, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_text("mine")
    (target / "a.csv").symlink_to(tmp_path / "victim")
    (target / "sub").symlink_to(tmp_path)
    (folder / "a.csv").write_text("new")
    (folder / "sub").mkdir()
    (folder / "sub" / "victim").write_text("new")
    found = carry_out(folder, target, [], redactor)
    assert (tmp_path / "victim").read_text() == "mine"
    assert [entry["path"] for entry in found.files] == ["a (2).csv"]
    assert any(note.startswith("sub/victim could not be saved") for note in found.notes)


def test_folders_come_along(folder: Path, target: Path, redactor: Redactor) -> None:
    (folder / "2026" / "11").mkdir(parents=True)
    (folder / "2026" / "11" / "a.csv").write_text("x")
    assert [entry["path"] for entry in carry_out(folder, target, [], redactor).files] == ["2026/11/a.csv"]
    assert (target / "2026" / "11" / "a.csv").read_text() == "x"


def test_links_pipes_and_odd_names_stay_behind(folder: Path, target: Path, redactor: Redactor, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("not the script's")
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    os.link(tmp_path / "outside.csv", folder / "hard.csv")
    (folder / "dir").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    (folder / "new\nline.csv").write_text("x")
    (folder / "back\\slash.csv").write_text("x")
    (folder / "esc\x1b[31m.csv").write_text("x")
    (folder / ("long" * 60)).write_text("x")
    (folder / ".bashrc").write_text("x")
    (folder / ".ssh").mkdir()
    (folder / ".ssh" / "authorized_keys").write_text("x")
    (folder / "good.csv").write_text("x")
    found = carry_out(folder, target, [], redactor)
    assert [path.name for path in target.iterdir()] == ["good.csv"]
    assert len(found.notes) == 8
    assert not any("\n" in note or "\x1b" in note for note in found.notes)


def test_a_folder_that_cannot_be_read_is_named(folder: Path, target: Path, redactor: Redactor) -> None:
    if os.getuid() == 0:
        pytest.skip("root reads everything")
    (folder / "locked").mkdir(mode=0)
    (folder / "good.csv").write_text("x")
    found = carry_out(folder, target, [], redactor)
    assert [entry["path"] for entry in found.files] == ["good.csv"]
    assert found.notes


def test_secrets_are_replaced_also_across_borders_and_in_names(folder: Path, target: Path, redactor: Redactor) -> None:
    block = 1 << 20
    (folder / "a.csv").write_text("x" * (block - 5) + SECRET + "y" * block)
    (folder / f"{SECRET}.csv").write_text("x")
    found = carry_out(folder, target, [], redactor)
    text = (target / "a.csv").read_text()
    assert text == "x" * (block - 5) + "[PGPASSWORD]" + "y" * block
    assert found.files[0]["bytes"] == len(text)
    assert SECRET not in repr(found)
    assert not any(SECRET in path.name for path in target.iterdir())


@pytest.mark.parametrize("before", [10, (1 << 20) - 5])
def test_a_binary_file_with_a_secret_stays_behind(folder: Path, target: Path, redactor: Redactor, before: int) -> None:
    (folder / "a.parquet").write_bytes(b"x" * before + SECRET.encode() + b"y" * 1000)
    found = carry_out(folder, target, [], redactor)
    assert list(target.iterdir()) == []
    assert found.notes == ["a.parquet was not saved: it holds the value of PGPASSWORD."]


def test_a_full_disk_leaves_no_half_file(
    folder: Path, target: Path, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (folder / "a.csv").write_text("x")
    monkeypatch.setattr(os, "fsync", full)
    found = carry_out(folder, target, [], redactor)
    assert found.notes == ["a.csv could not be saved (No space left on device)."]
    assert list(target.iterdir()) == []


def test_resume_points_go_in_and_replace_those_that_changed(folder: Path, target: Path, redactor: Redactor) -> None:
    for place in (folder, target):
        (place / "integrator_state").mkdir()
    (target / "integrator_state" / "a.json").write_text('{"watermark": "old"}')
    (target / "integrator_state" / "b.json").write_text('{"watermark": "same"}')
    before = read_state(target)
    assert set(before) == {"integrator_state/a.json", "integrator_state/b.json"}
    (folder / "integrator_state" / "a.json").write_text('{"watermark": "new"}')
    (folder / "integrator_state" / "b.json").write_text('{"watermark": "same"}')
    (folder / "leads.csv").write_text("id\n")
    found = carry_state(folder, target, before, redactor)
    assert [entry["path"] for entry in found.files] == ["integrator_state/a.json"]
    assert (target / "integrator_state" / "a.json").read_text() == '{"watermark": "new"}'
    assert sorted(path.name for path in target.rglob("*.json")) == ["a.json", "b.json"]
    assert [entry["path"] for entry in carry_out(folder, target, [], redactor).files] == ["leads.csv"]
    assert [entry["path"] for entry in list_files(folder, [], redactor).files] == ["leads.csv"]


def test_what_is_no_resume_point_replaces_none(folder: Path, target: Path, redactor: Redactor, tmp_path: Path) -> None:
    for place in (folder, target):
        (place / "integrator_state").mkdir()
    good = '{"watermark": "good"}'
    (target / "integrator_state" / "a.json").write_text(good)
    (folder / "integrator_state" / "a.json").write_text("[1, 2")
    (folder / "integrator_state" / "notes.txt").write_text("not carried")
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    (folder / "integrator_state" / "link.json").symlink_to(elsewhere)
    found = carry_state(folder, target, read_state(target), redactor)
    assert found.files == []
    assert any("so the last one was kept" in note for note in found.notes)
    assert [path.name for path in (target / "integrator_state").iterdir()] == ["a.json"]
    assert (target / "integrator_state" / "a.json").read_text() == good


def test_a_folder_of_resume_points_that_is_a_link_is_not_followed(
    folder: Path, target: Path, redactor: Redactor, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.json").write_text("{}")
    (target / "integrator_state").symlink_to(elsewhere)
    (folder / "integrator_state").mkdir()
    (folder / "integrator_state" / "a.json").write_text('{"watermark": 1}')
    assert read_state(target) == {}
    found = carry_state(folder, target, {}, redactor)
    assert found.files == [] and found.notes
    assert (elsewhere / "a.json").read_text() == "{}"

"""Every script that is written: valid, formatted, allowed, the same each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from guided_worlds import invented, play, real

REAL = [
    ("Sync leads from Salesforce to PostgreSQL: name, email, how they got to us", "1"),
    ("Sync leads from Salesforce to PostgreSQL: name, email, how they got to us", "2"),
    ("leads from Salesforce with campaign info, last 30 days, as CSV and JSON",),
    ("Sync all fields of contacts from Salesforce to PostgreSQL",),
    ("Sync open opportunities over 10000 from Salesforce to our database every night",),
    ("Sync contacts from Salesforce to PostgreSQL: name, account name, owner",),
    ("copy the table customers to the table customers_copy in postgres since 1 March",),
    ("orders from postgres of the last 6 hours as json lines",),
    ("sync leads without a campaign from Salesforce to Postgres",),
    ("top 10 opportunities by amount from Salesforce to top.csv",),
    ("first 100 accounts from Salesforce to our database: name",),
    ("how many leads per source?",),
    ("which campaign has the most leads?",),
    ("which campaign has the fewest leads?",),
    ("how many contacts are there in Salesforce?",),
    ("average amount of opportunities per stage",),
    ("median amount of opportunities",),
    ("total amount of opportunities",),
    ("show me all campaigns from Salesforce",),
    ("opportunities closed this quarter from Salesforce to parquet",),
    ("customers from PostgreSQL to Salesforce contacts: email, city", "1", "1"),
]
INVENTED = [
    ("Sync guests from Foodtruck to Ledger: name, email, how hungry they are", "2"),
    ("Copy confirmed bookings of the last 2 weeks with truck info from Foodtruck CRM to our database",),
    ("Send Foodtruck guests to Pigeon Mail subscribers: email, city", "1"),
    ("bookings served in October to csv",),
    ("guests without a rating as json",),
    ('Export guests from Foodtruck whose city is "O\'Brien" to csv: name',),
]


def _codes() -> list[tuple[str, str]]:
    found = []
    for texts in REAL:
        player = play(*texts, systems=real())
        assert player.scripts, (texts, player.question or player.final)
        found.append((texts[0], player.code))
    for texts in INVENTED:
        player = play(*texts, systems=invented())
        assert player.scripts, (texts, player.question or player.final)
        found.append((texts[0], player.code))
    return found


@pytest.fixture(scope="module")
def codes() -> list[tuple[str, str]]:
    return _codes()


def test_the_same_dialog_gives_the_same_bytes(codes: list[tuple[str, str]]) -> None:
    assert _codes() == codes


def test_scripts_are_formatted_and_clean(codes: list[tuple[str, str]], tmp_path: Path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if not ruff:
        pytest.skip("ruff is not installed")
    for number, (_, code) in enumerate(codes):
        (tmp_path / f"script_{number}.py").write_text(code, encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length=120"]
    rules = ["--select=E,F,W,I,UP,B,SIM,C4"]
    for command in (["format", "--check", "--diff", *options], ["check", *rules, *options]):
        done = subprocess.run([ruff, *command, str(tmp_path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_scripts_hold_no_delete_and_no_credential(codes: list[tuple[str, str]]) -> None:
    for _, code in codes:
        assert "delete(" not in code.casefold()
        assert "environ" not in code
        assert code.isascii() or "city" in code


def test_scripts_have_the_shape_that_export_and_scheduling_rely_on(codes: list[tuple[str, str]]) -> None:
    for text, code in codes:
        assert code.startswith('# /// script\n# requires-python = ">=3.11"\n'), text
        assert sum(line.startswith("SCHEDULE = ") for line in code.splitlines()) == 1, text
        assert code.endswith('if __name__ == "__main__":\n    run(main, SCHEDULE)\n'), text


def test_scripts_pass_the_policy(codes: list[tuple[str, str]]) -> None:
    from integrator_drivers import Mode
    from integrator_magics.policy import allowed

    for _, code in codes[: len(REAL)]:
        allowed(code, Mode.APPLY)


def test_values_of_users_stay_values() -> None:
    evil = 'x"); import os; os.system("id") #'
    player = play(f"Export leads from Salesforce where company is {evil} to CSV: name")
    if player.scripts:
        assert "import os" not in player.code.replace(f'"{evil}"', "").split('"""')[2].replace(repr(evil), "")
        compile(player.code, "script", "exec")

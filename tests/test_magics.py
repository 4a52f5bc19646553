"""The magics as somebody types them, in a plain IPython: what they say, and that nobody sees a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import integrator_practice


class Notebook:
    """A shell with the extension loaded; `run` returns everything that was shown."""

    def __init__(self) -> None:
        self.shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
        self.run("%load_ext integrator_magics")

    def run(self, cell: str) -> str:
        with capture_output() as seen:
            self.shell.run_cell(cell)
        shown = [str(output.data.get("text/plain", "")) for output in seen.outputs]
        text = "\n".join([seen.stdout, seen.stderr, *shown])
        assert "Traceback" not in text, text
        return " ".join(text.split())

    def completions(self, line: str) -> list[str]:
        with provisionalcompleter():
            return [found.text for found in self.shell.Completer.completions(line, len(line))]

    def close(self) -> None:
        self.run("%unload_ext integrator_magics")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("magics")


@pytest.fixture(scope="module")
def notebook(folder: Path) -> Iterator[Notebook]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEGRATOR_HOME", str(folder / "home"))
        patch.chdir(folder)
        made = Notebook()
        yield made
        made.close()


@pytest.fixture(scope="module")
def practised(notebook: Notebook) -> Notebook:
    assert "A practice Salesforce runs on this machine" in notebook.run("%integrator demo")
    return notebook


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%discover salesfroce", 'There is no driver for "salesfroce". Did you mean salesforce?'),
        ("%%integrate\n   \n", "the cell is empty"),
        ("%%integrate --bogus\nsync leads", "unrecognized arguments: --bogus"),
        ("%%integrate --model nonsense:x\nsync leads", '"nonsense:x" names no model'),
        ("%discover", "the following arguments are required: system"),
        ('%discover "salesforce', "no closing quotation"),
        ("%answer LeadSource", "No question is waiting for an answer"),
        ("%approve lead_sync", "No preview of lead_sync is waiting"),
        ("%approve", "Waiting for a decision: nothing"),
        ("%reject", "Reject which script?"),
        ("%integration nothing_here", 'There is no script "nothing_here"'),
        ("%%integration Not-A-Name\npass", "can't name a script"),
        ("%export nothing_here x.py", 'There is no script "nothing_here"'),
        ("%docs", "Docs of which system?"),
        ("%docs salesforce zzqqxx", 'have nothing on "zzqqxx"'),
        ("%integrator config --ceiling much", "invalid float value"),
        ("%audit export", "Export where to?"),
        ("%connect salesforce", "Nobody can fill in a form"),
    ],
)
def test_bad_input_gets_a_sentence(notebook: Notebook, cell: str, sentence: str) -> None:
    assert sentence in notebook.run(cell)


def test_a_system_that_is_not_connected_says_what_it_needs_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    notebook = Notebook()
    said = notebook.run("%discover postgresql")
    assert "PGHOST" in said
    assert "%connect postgresql" in said
    assert "%integrator demo" in said
    notebook.close()


def test_an_unknown_object_offers_close_matches(practised: Notebook) -> None:
    assert "Close matches: Lead" in practised.run("%discover salesforce Leed")


def test_a_typed_password_is_neither_sent_nor_stored(practised: Notebook, folder: Path) -> None:
    said = practised.run("%%integrate --new\nSync leads to PostgreSQL, the password is hunter2-hunter2")
    assert "neither sent nor stored" in said
    kept = [path for path in folder.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert kept == []


def test_a_request_to_delete_is_answered_with_what_is_possible_instead(practised: Notebook) -> None:
    said = practised.run("%%integrate --new\ndelete all leads older than a year from Salesforce")
    assert "never deletes records" in said
    assert "report" in said


def test_a_cell_that_would_reach_the_machine_is_refused(practised: Notebook) -> None:
    said = practised.run("%%integration mine\nimport os\nos.system('echo harm')")
    assert "Line 1 would import os" in said
    assert "Nothing was run" in said


def test_what_the_system_does_not_understand_comes_back_as_its_reason(practised: Notebook) -> None:
    said = practised.run(
        "%%integration mine\nfrom salesforce_driver import SalesforceClient\n"
        "with SalesforceClient() as salesforce:\n    list(salesforce.query('SELECT FROM Lead').rows())\n"
    )
    assert "did not understand the query" in said
    assert "Nothing was written" in said


def test_discovery_gives_dataframes_and_leaves_the_users_names_alone(practised: Notebook) -> None:
    practised.shell.user_ns["salesforce_campaign"] = "mine"
    practised.run("%discover salesforce Campaign --out fields")
    import pandas as pd

    names = practised.shell.user_ns
    assert isinstance(names["fields"], pd.DataFrame)
    assert names["discovered"]["salesforce.Campaign"] is names["fields"]
    assert names["salesforce_campaign"] == "mine"
    practised.run("%discover salesforce Lead --sample 30")
    sample = names["discovered"]["salesforce.Lead.sample"]
    assert len(sample) == 30
    assert not any("@" in str(value) and "*" not in str(value) for value in sample["Email"])
    assert names["salesforce_lead"] is names["discovered"]["salesforce.Lead"]


def test_status_names_the_next_step(practised: Notebook) -> None:
    said = practised.run("%integrator")
    assert "guided mode, no model key" in said
    assert "Next" in said


@pytest.mark.parametrize("name", ["answer", "approve", "audit", "connect", "discover", "docs", "drivers", "export"])
def test_every_magic_explains_itself(notebook: Notebook, name: str) -> None:
    assert f"usage: %{name}" in notebook.run(f"%{name} --help")


@pytest.mark.parametrize("name", ["integrate", "integration"])
def test_cell_magics_explain_themselves(notebook: Notebook, name: str) -> None:
    assert f"usage: %%{name}" in notebook.run(f"%%{name} --help\nx")


def test_tab_completes_systems_and_what_was_discovered_without_a_call(practised: Notebook) -> None:
    practised.run("%discover salesforce")
    practised.run("%discover salesforce Lead")
    assert "salesforce" in practised.completions("%discover s")
    assert "Lead" in practised.completions("%discover salesforce Le")


def test_unloading_takes_the_magics_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path / "home"))
    notebook = Notebook()
    notebook.close()
    assert "integrate" not in notebook.shell.magics_manager.magics["cell"]


def test_a_failed_run_can_be_tried_again_by_number(practised: Notebook) -> None:
    practised.run("%%integration broken\nprint(1 / 0)\n")
    assert "division by zero" in practised.run("%answer 1")
    assert '"seven" is not one of the options' in practised.run("%answer seven")


def test_only_the_environment_that_the_kernel_was_started_with_allows_headless_approval() -> None:
    code = "import os; os.environ['INTEGRATOR_HEADLESS_APPROVAL'] = '1'; from integrator_magics import magics; "
    code += "print(magics.HEADLESS_APPROVAL)"
    env = {key: value for key, value in os.environ.items() if key != "INTEGRATOR_HEADLESS_APPROVAL"}
    for started, expected in (({}, "False"), ({"INTEGRATOR_HEADLESS_APPROVAL": "1"}, "True")):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=env | started, capture_output=True, text=True, check=True)
        if sys.platform == "linux":
            assert done.stdout.strip() == expected


def test_an_executed_notebook_never_writes_to_a_real_system_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path / "elsewhere"))
    with integrator_practice.start("postgresql") as database:
        # Registered in another state folder, so for this notebook it is a real database.
        monkeypatch.setenv("INTEGRATOR_HOME", str(tmp_path / "home"))
        (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in database.env.items()))
        (tmp_path / ".env").chmod(0o600)
        notebook = Notebook()
        if "(full)" not in notebook.run("%integrator"):
            pytest.skip("without isolation nothing runs with real credentials at all")
        said = notebook.run(
            "%%integration adds\nfrom postgresql_driver import PostgresClient\n"
            "with PostgresClient() as postgresql:\n"
            "    rows = [{'salesforce_id': 'x1', 'name': 'New'}]\n"
            "    postgresql.upsert('public.leads', rows, key='salesforce_id')\n"
        )
        assert "needs a person's approval" in said
        assert "nothing was written" in said
        assert "needs a person's approval" in notebook.run("%approve adds ABCD")
        notebook.run("%discover postgresql public.leads --sample 100")
        rows = notebook.shell.user_ns["discovered"]["postgresql.public.leads.sample"]
        assert "x1" not in set(rows["salesforce_id"])
        notebook.close()

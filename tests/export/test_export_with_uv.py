"""`uv run lead_sync.py`: the header of an exported script is enough to run it, in an environment made from nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from integrator_magics.export import ScriptStore, export

CODE = '''\
# /// script
# requires-python = ">=3.11"
# dependencies = ["integrator-drivers[postgresql,salesforce]"]
#
# [tool.uv.sources]
# integrator-drivers = { path = "wheels/integrator_drivers-0.1.0-py3-none-any.whl" }
# ///
"""Says where its drivers come from."""

import integrator_drivers
import postgresql_driver
import salesforce_driver
from integrator_drivers import run

SCHEDULE = None


def main() -> None:
    for module in (integrator_drivers, postgresql_driver, salesforce_driver):
        print(module.__file__)


if __name__ == "__main__":
    run(main, SCHEDULE)
'''


def test_uv_runs_the_exported_script_from_another_folder(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        pytest.skip("uv is not installed")
    store = ScriptStore(tmp_path / "home", "a notebook")
    store.mark_approved("lead_sync", store.save("lead_sync", CODE).sha256, "jana")
    (tmp_path / "out").mkdir()
    path = export(store, "lead_sync", tmp_path / "out" / "lead_sync.py").path
    env = {key: value for key, value in os.environ.items() if not key.startswith(("VIRTUAL_ENV", "PYTHON"))}
    done = subprocess.run(
        [uv, "run", "--no-project", "--python", sys.executable, str(path)],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if "error sending request" in done.stderr or "Could not connect" in done.stderr:
        pytest.skip("no package index can be reached from here")
    assert done.returncode == 0, done.stderr
    places = done.stdout.split()
    assert len(places) == 3
    assert not [place for place in places if str(Path(__file__).parents[2]) in place]

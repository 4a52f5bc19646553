"""The Python in the README of the practice systems runs."""

from __future__ import annotations

import re
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

import integrator_practice

TEXT = (Path(integrator_practice.__file__).parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_that_starts_one_runs(state_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(BLOCKS[0], "README.md", "exec"), {})
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


def test_the_example_of_a_new_one_serves() -> None:
    names: dict[str, Any] = {}
    exec(compile(BLOCKS[1], "README.md", "exec"), names)
    served = names["serve"](port=0, seed=1, rows=3, tls=False, nonce="n")
    worker = threading.Thread(target=served.serve_forever)
    worker.start()
    connection = HTTPConnection("127.0.0.1", served.port, timeout=10)
    try:
        for path, status in (("/products/2", 200), ("/products/3", 404), ("/else", 404)):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            assert response.status == status
    finally:
        connection.close()
        served.close()
        worker.join()

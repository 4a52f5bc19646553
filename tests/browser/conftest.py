"""A real JupyterLab in the system's Chromium. Screenshots go to tests/browser/artefacts/ (not committed)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_pages import Lab, Server

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Where the system's Chromium is; INTEGRATOR_CHROMIUM names another."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return os.environ.get("INTEGRATOR_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


# Not for the session: playwright keeps an event loop running on this thread, which breaks others' asyncio.run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        yield found
        found.close()


@pytest.fixture(scope="module")
def lab_server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture
def lab(lab_server: Server, browser: Any, request: pytest.FixtureRequest) -> Iterator[Lab]:
    found = Lab(lab_server, browser)
    yield found
    if request.node.stash.get(FAILED, False):
        found.shot(f"failed-{request.node.name}")
    found.close()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report

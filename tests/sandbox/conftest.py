"""Back-ends to run scripts in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from sandbox_runs import run_in
from stand_ins.e2b.cloud import Cloud
from stand_ins.e2b.machine import is_possible

from integrator_magics.sandbox import Outcome, Sandbox
from integrator_magics.sandbox.bubblewrap import Bubblewrap
from integrator_magics.sandbox.child import ChildProcess
from integrator_magics.sandbox.e2b import E2BSandbox
from integrator_magics.sandbox.e2b.bundle import DRIVERS, bundle
from integrator_magics.sandbox.landlocked import Landlocked

Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def walled() -> Iterator[Bubblewrap]:
    """The back-end of level full; skips where this machine has none."""
    sandbox = Bubblewrap()
    level = sandbox.probe()
    if level.name != "full":
        pytest.skip(f"no bubblewrap here: {level.reason}")
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def landlocked() -> Iterator[Landlocked]:
    """The back-end of level reduced; skips where this machine has none."""
    sandbox = Landlocked()
    level = sandbox.probe()
    if level.name != "reduced":
        pytest.skip(level.reason)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def child() -> Iterator[ChildProcess]:
    sandbox = ChildProcess("a test")
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The stand-in of E2B; skips where it can make no machines."""
    if reason := is_possible():
        pytest.skip(f"no machines can be made here: {reason}")
    with Cloud() as found:
        yield found


@pytest.fixture(scope="session")
def e2b(cloud: Cloud) -> E2BSandbox:
    """The back-end of E2B, talking to the stand-in by E2B's own SDK; the template is there."""
    found = bundle()
    cloud.add_template(found.name, found.archive, DRIVERS)
    return E2BSandbox(cloud.key, **cloud.connection)


@pytest.fixture(scope="session")
def e2b_live() -> E2BSandbox:
    """The back-end of E2B in earnest."""
    key = os.environ.get("INTEGRATOR_TESTS_E2B_API_KEY")
    if not key:
        pytest.skip("needs E2B_API_KEY")
    return E2BSandbox(key)


@pytest.fixture(params=["walled", "landlocked", "child"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each local back-end in turn."""
    found: Sandbox = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """run(code, env=..., egress=..., limits={...}) in each back-end."""
    return lambda code, **spec: run_in(sandbox, code, **spec)

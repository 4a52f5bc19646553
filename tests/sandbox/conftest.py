"""Back-ends to run scripts in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sandbox_runs import run_in

from integrator_magics.sandbox import Outcome, Sandbox
from integrator_magics.sandbox.bubblewrap import Bubblewrap
from integrator_magics.sandbox.child import ChildProcess

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
def child() -> Iterator[ChildProcess]:
    sandbox = ChildProcess("a test")
    yield sandbox
    sandbox.close()


@pytest.fixture(params=["bubblewrap", "child"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each local back-end in turn."""
    name = "walled" if request.param == "bubblewrap" else "child"
    found: Sandbox = request.getfixturevalue(name)
    return found


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """run(code, env=..., egress=..., limits={...}) in each back-end."""
    return lambda code, **spec: run_in(sandbox, code, **spec)

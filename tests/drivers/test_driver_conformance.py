from __future__ import annotations

from collections.abc import Iterator

import pytest

from integrator_drivers import registry
from integrator_drivers.testing import CHECKS, Check, Skipped, Subject, run_check


@pytest.fixture(scope="module", params=registry.names())
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with Subject(request.param) as made:
        yield made


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_a_registered_driver_keeps_its_promises(subject: Subject, check: Check) -> None:
    try:
        problems = run_check(subject, check)
    except Skipped as exc:
        pytest.skip(str(exc))
    assert not problems, "\n".join(problem.what for problem in problems)

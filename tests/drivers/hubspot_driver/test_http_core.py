"""The HTTP core that drivers share."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from integrator_drivers.pacing import Pace, backoff, retry_after


def test_a_pace_lets_so_many_through_and_spaces_the_rest() -> None:
    pace = Pace(3, 1.0)
    assert [pace.take(10.0) for _ in range(7)] == [0, 0, 0, 1.0, 1.0, 1.0, 2.0]
    assert pace.take(20.0) == 0
    pace.hold(25.0)
    assert pace.take(21.0) == 4.0


@pytest.mark.parametrize(("text", "seconds"), [("3", 3.0), ("0.5", 0.5), ("", None), ("soon", None), ("-1", None)])
def test_retry_after_is_read_in_seconds(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    wait = retry_after({"retry-after": later})
    assert wait is not None and 25 < wait <= 30
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


def test_backoff_doubles_with_jitter_and_has_an_end() -> None:
    for attempt in range(1, 12):
        longest = min(30.0, 0.5 * 2 ** (attempt - 1))
        assert longest / 2 <= backoff(attempt) <= longest


def test_the_contract_is_importable_without_httpx() -> None:
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "import integrator_drivers; print('integrator_drivers.http' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"

"""Asking no faster than a system allows, and how long to wait before asking again."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["Pace", "backoff", "retry_after"]


class Pace:
    """At most `calls` in any `seconds`. Safe across threads; times are those of the caller's clock, in seconds."""

    def __init__(self, calls: int, seconds: float) -> None:
        self._calls = calls
        self._seconds = seconds
        self._taken: deque[float] = deque(maxlen=calls)
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def take(self, now: float) -> float:
        """Reserve the next call; how many seconds it has to wait."""
        with self._lock:
            start = max(now, self._closed_until)
            if len(self._taken) == self._calls:
                start = max(start, self._taken[0] + self._seconds)
            self._taken.append(start)
            return start - now

    def hold(self, until: float) -> None:
        """No call before `until`, because the system said so."""
        with self._lock:
            self._closed_until = max(self._closed_until, until)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait, from a number or a date; None where it does not say."""
    text = headers.get("retry-after", "").strip()
    if text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def backoff(attempt: int, longest: float = 30.0) -> float:
    """Seconds before attempt number `attempt` + 1: doubling from half a second, with jitter."""
    return min(longest, 0.5 * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)

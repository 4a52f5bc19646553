"""Whatever ends a sync, the next run ends with the rows of an undisturbed one.

INTEGRATOR_FAULT_POINTS=200 tries that many random points of each kind; a handful is tried otherwise.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cutting_proxy import Proxy
from killed_sync import BATCH, WAYS, transfer

from integrator_drivers import ConnectionError

Admin = psycopg.Connection[Any]
POINTS = int(os.environ.get("INTEGRATOR_FAULT_POINTS", "4"))
ROWS = 150
LAST = datetime(2026, 11, 20, tzinfo=UTC)
SOURCE = f"""
CREATE TABLE source (id int PRIMARY KEY, v text, n numeric(10,2), changed timestamptz NOT NULL);
INSERT INTO source SELECT n, 'value ' || n, n / 4.0, '{LAST}'::timestamptz - (n * 7 % {ROWS}) * interval '30 minutes'
  FROM generate_series(0, {ROWS - 1}) n;
"""


@pytest.fixture
def place(schema: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(import_module("integrator_drivers.transfer"), "BATCH", BATCH)
    monkeypatch.setattr(import_module("integrator_drivers.paging"), "BATCH_BYTES", 1)
    monkeypatch.setenv("INTEGRATOR_NOW", datetime(2026, 12, 1, tzinfo=UTC).isoformat())
    return schema(SOURCE)


def make_target(admin: Admin, place: str, name: str, *, unique: bool) -> None:
    """A table that knows a third of the rows, some of them out of date."""
    admin.execute(
        f"CREATE TABLE {place}.{name} (id int {'PRIMARY KEY' if unique else ''}, value text, n numeric(10,2))"
    )
    admin.execute(f"INSERT INTO {place}.{name} SELECT id, 'old', n FROM {place}.source WHERE id % 3 = 0")
    admin.execute(f"ALTER TABLE {place}.{name} OWNER TO integrator")


def watermark(admin: Admin, place: str, name: str) -> datetime | None:
    if admin.execute("SELECT to_regclass(%s)", [f"{place}.integrator_state"]).fetchone() == (None,):
        return None
    found = admin.execute(
        f"SELECT watermark FROM {place}.integrator_state WHERE sync_id LIKE %s", [f"%.{name} by %"]
    ).fetchall()
    assert len(found) <= 1
    return found[0][0] if found else None


def nothing_is_lost(admin: Admin, place: str, name: str) -> None:
    """Rows before the watermark are in; no key comes twice; batches are whole."""
    reached = watermark(admin, place, name)
    if reached is not None:
        missing = admin.execute(
            f"SELECT count(*) FROM {place}.source s WHERE changed < %s AND NOT EXISTS"
            f" (SELECT 1 FROM {place}.{name} t WHERE (t.id, t.value, t.n) = (s.id, s.v, s.n))",
            [reached],
        ).fetchone()
        assert missing == (0,)
    assert admin.execute(f"SELECT count(*) - count(DISTINCT id) FROM {place}.{name}").fetchone() == (0,)
    new = admin.execute(f"SELECT count(*) FROM {place}.{name} WHERE value <> 'old'").fetchone()
    assert new is not None
    assert new[0] in (ROWS, *range(0, ROWS, BATCH))


def is_as_undisturbed(admin: Admin, place: str, name: str, way: str) -> None:
    different = admin.execute(
        f"(SELECT id, v, n FROM {place}.source EXCEPT ALL TABLE {place}.{name}) UNION ALL"
        f" (TABLE {place}.{name} EXCEPT ALL SELECT id, v, n FROM {place}.source)"
    ).fetchall()
    assert different == []
    assert watermark(admin, place, name) == (LAST if "cursor" in way else None)


@contextmanager
def worker(place: str) -> Iterator[Callable[..., int | None]]:
    command = [sys.executable, str(Path(__file__).with_name("killed_sync.py")), place]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(target: str, kill_at: int | None, way: str) -> int | None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"target": target, "kill_at": kill_at, "way": way}) + "\n")
            process.stdin.flush()
            calls: int | None = json.loads(process.stdout.readline())
            return calls

        yield run
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.timeout(60 + 3 * POINTS)
def test_a_run_that_is_killed_anywhere_loses_and_repeats_nothing(admin: Admin, place: str, way: str) -> None:
    dice = random.Random(POINTS)
    with worker(place) as run:
        make_target(admin, place, "whole", unique=True)
        calls = run("whole", None, way)
        assert calls is not None
        is_as_undisturbed(admin, place, "whole", way)
        killed = 0
        for number in range(POINTS):
            name, kill_at = f"t{number}", dice.randrange(1, calls)
            make_target(admin, place, name, unique=number % 3 != 0)
            killed += run(name, kill_at, way) is None  # some runs are done in fewer calls
            nothing_is_lost(admin, place, name)
            assert run(name, None, way) is not None
            is_as_undisturbed(admin, place, name, way)
        assert killed >= POINTS * 0.8


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.timeout(60 + 3 * POINTS)
def test_a_connection_that_is_cut_anywhere_loses_and_repeats_nothing(
    admin: Admin, place: str, way: str, postgres: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(POINTS)
    with Proxy(int(postgres["PGPORT"])) as proxy:
        monkeypatch.setenv("PGPORT", str(proxy.port))
        make_target(admin, place, "whole", unique=True)
        transfer(place, "whole", way)
        is_as_undisturbed(admin, place, "whole", way)
        every = proxy.passed
        for number in range(POINTS):
            name = f"t{number}"
            make_target(admin, place, name, unique=number % 3 != 0)
            proxy.cut_after(dice.randrange(1, every))
            with pytest.raises(ConnectionError):
                transfer(place, name, way)
            assert proxy.was_cut
            nothing_is_lost(admin, place, name)
            proxy.cut_after(None)
            transfer(place, name, way)
            is_as_undisturbed(admin, place, name, way)

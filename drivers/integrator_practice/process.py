"""A practice system as a process of its own, which ends when the one that started it ends."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

__all__ = ["Practice", "PracticeError", "start"]

START_TIMEOUT = 60.0  # seconds, for up to 20,000 rows; more take longer
ROWS_PER_SECOND = 1_000
STOP_TIMEOUT = 10.0


class PracticeError(Exception):
    """A practice system could not be started; the text is one sentence."""


@dataclass
class Practice:
    """A running practice system. Use it as a context manager, or call `close`."""

    system: str
    base_url: str
    env: dict[str, str]  # all variables a client needs
    control_url: str | None
    pid: int
    ca_file: str | None  # the CA to trust, with tls=True
    _process: subprocess.Popen[str] = field(repr=False)

    def close(self) -> None:
        """Stop it. Calling this twice does no harm."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(system: str, *, port: int = 0, seed: int = 1, rows: int | None = None, tls: bool = False) -> Practice:
    """Start a practice system and wait until it answers. It ends with this process, however that one ends.

    `rows` = leads, or rows of the largest table. Raises PracticeError in one sentence.
    """
    command = [sys.executable, "-m", "integrator_practice", system, "--port", str(port), "--seed", str(seed)]
    if rows is not None:
        command += ["--rows", str(rows)]
    if tls:
        command.append("--tls")
    # It watches its stdin and stops at the end of it: that holds for every way this process can end, and, unlike
    # PR_SET_PDEATHSIG, does not fire when only the thread that called `start` ends. A session of its own keeps
    # Ctrl-C and the notebook's Stop away from it.
    process = subprocess.Popen(
        [*command, "--while-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    errors: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=_keep_last, args=(process.stderr, errors), daemon=True)
    reader.start()
    timeout = START_TIMEOUT + max(0, (rows or 0) - 20_000) / ROWS_PER_SECOND
    line = _first_line(process, timeout)
    try:
        told = json.loads(line)
    except ValueError:
        told = {}
    if "base_url" not in told:
        process.kill()
        process.wait()
        reader.join(STOP_TIMEOUT)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        raise PracticeError(_reason(system, told, errors, timeout))
    ca_file = told.get("ca_file")
    return Practice(told["system"], told["base_url"], told["env"], told["control_url"], process.pid, ca_file, process)


def _first_line(process: subprocess.Popen[str], timeout: float) -> str:
    assert process.stdout is not None
    if os.name == "posix" and not select.select([process.stdout], [], [], timeout)[0]:
        return ""
    return process.stdout.readline()


def _keep_last(pipe: object, lines: list[str]) -> None:
    for line in pipe:  # type: ignore[attr-defined]
        lines.append(line.rstrip())
        del lines[:-20]
    pipe.close()  # type: ignore[attr-defined]


def _reason(system: str, told: dict[str, object], errors: list[str], timeout: float) -> str:
    error = told.get("error")
    if isinstance(error, dict):
        return str(error.get("message"))
    last = errors[-1] if errors else f"it did not answer within {timeout:.0f} s"
    return f"The practice system for {system} could not be started: {last}"

"""Where generated code runs: what goes in, what comes out, and what every back-end must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from integrator_drivers import Mode

from ..broker import System

__all__ = [
    "Egress",
    "Event",
    "Frame",
    "Level",
    "Limits",
    "OnEvent",
    "Outcome",
    "Output",
    "Reported",
    "RunSpec",
    "Sandbox",
    "SandboxSession",
    "ScriptError",
    "Status",
]

Status = Literal["ok", "script_error", "timeout", "limit", "sandbox_lost", "unavailable", "blocked", "cancelled"]


@dataclass(frozen=True)
class Level:
    """How well a back-end keeps a script in: full, reduced, none, or remote (another machine). As text: that word."""

    name: Literal["full", "reduced", "none", "remote"]
    reason: str = ""  # one sentence

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Limits:
    """What a run may use. A script may start threads, but never a process."""

    seconds: float = 60.0
    memory: int = 2 * 1024**3  # bytes on top of what the loaded libraries take
    output: int = 10_000_000  # bytes of stdout and stderr that are kept; the rest is dropped with a note
    report: int = 32_000_000  # bytes of results
    disk: int = 512 * 1024**2  # bytes of all files together
    files: int = 1_000


@dataclass(frozen=True)
class RunSpec:
    """One run. `env` holds the variables of its systems, credentials included; it never appears in a command line.

    `systems` is what a broker needs to stand between: where there is one, the script gets placeholders instead.
    `inputs` are copies: what the script does to them stays in its folder until somebody takes them out.
    """

    code: str
    mode: Mode
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    egress: tuple[tuple[str, int], ...] = ()  # host and port it may reach
    limits: Limits = Limits()
    inputs: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # files in its folder, by relative name
    systems: tuple[System, ...] = ()


@dataclass(frozen=True)
class Output:
    """Text the script printed."""

    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True)
class Reported:
    """A line of the report: see integrator_drivers.report."""

    line: dict[str, Any]


@dataclass(frozen=True)
class Egress:
    """A connection the script made or tried."""

    host: str
    port: int
    allowed: bool


Event = Output | Reported | Egress
OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Frame:
    """A place in the user's script; lines count from 1 in the script (the cell has the line of its magic above)."""

    line: int
    function: str


@dataclass(frozen=True)
class ScriptError:
    """Why a run did not end well. `message` is a sentence where the product or a driver made it."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    driver: bool = False  # raised by a driver on purpose
    near: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """One sentence for a person: the message alone, or for a mistake in the script also where it is."""
        if self.driver or not self.frames:
            return self.message
        return f"Line {self.frames[-1].line} of the script ended with {self.type}: {self.message}".rstrip(": ")


@dataclass
class Outcome:
    """How a run ended. Always comes back; a back-end raises only when the run could not begin."""

    status: Status
    exit_code: int | None = None
    error: ScriptError | None = None
    report: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)  # path, rows, bytes, sha256, head
    state: list[dict[str, Any]] = field(default_factory=list)  # resume points that were replaced: path, bytes, sha256
    stdout: str = ""  # and stderr, as they came
    seconds: float = 0.0
    level: str = ""
    level_reason: str = ""  # what there is to say about the level
    backend: str = ""
    audit_record: int = 0
    egress: list[dict[str, Any]] = field(default_factory=list)  # host, port, allowed, count
    calls: list[dict[str, Any]] | None = None  # system, method, template, status, rows, count, as the broker saw them
    notes: list[str] = field(default_factory=list)  # sentences: output cut, a file not exported


class SandboxSession(Protocol):
    """A sandbox for exactly one run."""

    @property
    def outputs(self) -> Path:
        """A local folder with the files the run left, until `close`. Untrusted: links and odd names may be there."""

    def run(self, on_event: OnEvent) -> Outcome:
        """Run to the end or to a limit. Raises SandboxUnavailable when it could not begin; cleans up on interrupt."""

    def cancel(self) -> None:
        """End the run now, from any thread; before the run begins too."""

    def close(self) -> None:
        """Kill what is left and remove its files. Calling this twice does no harm."""


class Sandbox(Protocol):
    """Where generated code runs. One run per session."""

    @property
    def name(self) -> str:
        """embedded or e2b."""

    def probe(self) -> Level:
        """How well it isolates here, tried out at the first call."""

    def open(self, spec: RunSpec) -> SandboxSession:
        """Ready to run. SandboxUnavailable says why not, in one sentence."""

    def warm(self) -> None:
        """Prepare for the next run in the background, where that helps."""

    def close(self) -> None:
        """End what was prepared."""

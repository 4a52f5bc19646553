"""What the tools of one notebook work on, and what was discovered so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..events import Event, Previewed

if TYPE_CHECKING:
    from ..audit import AuditLog
    from ..config import Settings
    from ..credentials import Credentials
    from ..export import ScriptStore
    from ..knowledge import Index
    from ..sandbox import Runner

__all__ = ["Schema", "Workspace"]


@dataclass(frozen=True)
class Schema:
    """The fields of one object. `verified`: seen at the system, not taken from the vendor's standard."""

    fields: dict[str, dict[str, Any]]
    verified: bool
    at: float  # seconds, time.monotonic()


@dataclass
class Workspace:
    """The rooms that tools use. `emit` may be called from any thread; `preview(name)` runs read-only and blocks."""

    runner: Runner
    credentials: Credentials
    index: Index
    audit: AuditLog
    settings: Settings
    scripts: ScriptStore
    emit: Callable[[Event], None]
    preview: Callable[[str], Previewed]
    schemas: dict[tuple[str, str], Schema] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    standard: set[str] = field(default_factory=set)  # systems to describe from the standard schema
    failed: dict[str, dict[str, Any]] = field(default_factory=dict)  # calls that failed since the user last spoke
    repairs: int = 0  # failed previews and gates since the user last spoke
    personal: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def user_spoke(self, text: str) -> None:
        """A prompt or an answer: failed calls may be tried again; "go on from the standard schema" is remembered."""
        if "standard schema" in text.casefold():
            self.standard |= {entry["system"] for entry in self.failed.values() if entry.get("system")}
        self.failed.clear()
        self.repairs = 0

    def keep(self, system: str, obj: str, fields: dict[str, dict[str, Any]], *, verified: bool) -> None:
        """Remember the fields of an object for the gate."""
        self.schemas[system, obj] = Schema(fields, verified, time.monotonic())

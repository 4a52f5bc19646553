"""What the tools of one notebook work on, and what was discovered so far."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from integrator_drivers import DriverError, registry

from ..events import Event, Previewed
from .failures import Failures

if TYPE_CHECKING:
    from ..audit import AuditLog
    from ..config import Settings
    from ..credentials import Credentials
    from ..export import ScriptStore
    from ..knowledge import Index
    from ..sandbox import Runner

__all__ = ["REPAIRS", "Schema", "Workspace", "resolved"]

REPAIRS = 3  # rounds of repair before the user is asked
FRESH = 300.0  # seconds for which a look at fields is not repeated


@dataclass(frozen=True)
class Schema:
    """The fields of one object. `verified`: seen at the system, not taken from the vendor's standard."""

    fields: dict[str, dict[str, Any]]
    verified: bool
    at: float  # seconds since the epoch

    @property
    def age(self) -> float:
        """Seconds since it was seen."""
        return max(0.0, time.time() - self.at)


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
    notebook: str = ""
    schemas: dict[tuple[str, str], Schema] = field(default_factory=dict)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)  # systems whose driver was loaded
    standard: set[str] = field(default_factory=set)  # systems to describe from the vendor's standard schema
    failures: Failures = field(default_factory=Failures)
    failed_tries: int = 0  # failed previews and gates since the user last spoke
    in_guided_mode: bool = False  # the user went on without a model
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)  # one question at a time to each system

    def user_spoke(self, text: str, *, is_answer: bool = False) -> None:
        """A prompt or an answer: failed calls may be made again; "go on from the standard schema" is remembered."""
        if not is_answer or "try again" in text.casefold():
            self.standard.clear()
        if "standard schema" in text.casefold():
            self.standard |= self.failures.systems
        self.failures.clear()
        self.failed_tries = 0
        self.locks.clear()

    @property
    def repairs_used_up(self) -> bool:
        """True when the first try and all repairs of it failed."""
        return self.failed_tries > REPAIRS

    def keep(
        self, system: str, obj: str, fields: dict[str, dict[str, Any]], *, verified: bool, at: float | None = None
    ) -> None:
        """Remember the fields of an object for the gate."""
        self.schemas[system, obj] = Schema(fields, verified, time.time() if at is None else at)

    def seen(self, system: str, obj: str) -> Schema | None:
        """The fields of an object as they were seen in this dialog; a table is also known without its schema."""
        if found := self.schemas.get((system, obj)):
            return found
        tail = obj.rpartition(".")[2]
        near = [
            schema
            for (name, known), schema in self.schemas.items()
            if name == system and known.rpartition(".")[2] == tail and ("." in known) != ("." in obj)
        ]
        is_table = system in registry.manifests() and registry.manifests()[system].kind == "sql"
        return near[0] if is_table and len(near) == 1 else None

    def recent(self, system: str, obj: str) -> Schema | None:
        """Fields that were seen at the system so lately that looking again would tell nothing new."""
        found = self.schemas.get((system, obj))
        return found if found and found.verified and found.age < FRESH else None

    def personal_fields(self, objects: Iterable[tuple[str, str]] = ()) -> dict[str, dict[str, Any]]:
        """Personal fields by lower-case name, of these objects or of all that were seen."""
        wanted = [schema for key in objects if (schema := self.seen(*key))] or list(self.schemas.values())
        return {
            name.casefold(): entry
            for schema in wanted
            for name, entry in schema.fields.items()
            if entry.get("personal")
        }

    def restore(self, results: Iterable[tuple[str, dict[str, Any], float]]) -> None:
        """Learn again, after a restart, from (tool, metadata, time) of the stored results, oldest first."""
        for tool, told, at in results:
            if "error" in told:
                continue
            if tool == "get_fields" and (told["system"], told["object"]) not in self.schemas:
                self.keep(told["system"], told["object"], told["fields"], verified=told["verified"], at=at)
            elif tool == "list_objects":
                self.objects.setdefault(told["system"], told["objects"])
            elif tool == "load_driver" and told["driver"]["name"] not in self.loaded:
                self.loaded.append(told["driver"]["name"])

    def lock(self, system: str) -> asyncio.Lock:
        """Held while a system is asked something."""
        return self.locks.setdefault(system, asyncio.Lock())


def resolved(system: str) -> str:
    """The driver's name for what somebody calls a system, "" where there is none."""
    try:
        return registry.resolve(system) if system else ""
    except DriverError:
        return ""

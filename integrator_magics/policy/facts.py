"""What a person approves: exactly this script, these systems, these targets, these counts, this hour."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

__all__ = ["Facts", "TargetFacts", "differences"]


@dataclass(frozen=True)
class TargetFacts:
    """One object that would be written."""

    system: str
    object: str
    columns: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("upsert",)


@dataclass(frozen=True)
class Facts:
    """The digest over all of these is what an approval stands for; one difference and it stands for nothing.

    `nonce` and `expires` are set by `Approvals.request` and carried along.
    """

    name: str  # of the script
    notebook: str
    script_sha256: str
    mode: str = "apply"
    systems: tuple[tuple[str, ...], ...] = ()  # (name, driver version, account, role)
    hosts: tuple[str, ...] = ()  # "host:port"
    sandbox: tuple[str, str] = ("", "")  # back-end, level
    targets: tuple[TargetFacts, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()  # ("add", 380), ("update", 32)
    max_rows: int = 0
    window_end: str = ""  # ISO time, the INTEGRATOR_NOW of preview and run
    practice: bool = False  # every system is a practice system
    nonce: str = ""
    expires: str = ""  # ISO time

    def __post_init__(self) -> None:
        plain = {name: _frozen(getattr(self, name)) for name in ("systems", "hosts", "sandbox", "targets", "counts")}
        plain["targets"] = tuple(
            target if isinstance(target, TargetFacts) else TargetFacts(**_lists_frozen(dict(target)))
            for target in self.targets
        )
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of all facts."""
        return hashlib.sha256(self.to_json().encode("ascii")).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces, ASCII."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The facts that `to_json` wrote."""
        return cls(**json.loads(text))


def differences(approved: Facts, now: Facts) -> list[str]:
    """Names of the facts that differ, nonce and expiry left out."""
    return [
        entry.name
        for entry in fields(Facts)
        if entry.name not in ("nonce", "expires") and getattr(approved, entry.name) != getattr(now, entry.name)
    ]


def _frozen(value: Any) -> Any:
    return tuple(_frozen(entry) for entry in value) if isinstance(value, (list, tuple)) else value


def _lists_frozen(values: dict[str, Any]) -> dict[str, Any]:
    return {key: _frozen(value) for key, value in values.items()}

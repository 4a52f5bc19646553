"""What a classification says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Classification", "Label", "Reason", "summed"]


class Label(StrEnum):
    """What a text would do. Only read and write can ever run."""

    READ = "read"
    WRITE = "write"
    UNKNOWN = "unknown"  # can't be told, so it counts as not allowed
    DELETE = "delete"  # refused in every mode
    DANGEROUS = "dangerous"  # leaves the sandbox's purpose: files, processes, network, introspection


_SEVERITY = list(Label)


@dataclass(frozen=True)
class Reason:
    """One finding: the line (from 1), what it would do ("would create a Lead"), what to do instead."""

    line: int
    what: str
    instead: str = ""
    label: Label = Label.UNKNOWN
    never: bool = False  # refused in every mode, whatever the label


@dataclass(frozen=True)
class Classification:
    """The worst label of all findings, the systems a script talks to, and why."""

    label: Label
    systems: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def summed(reasons: Iterable[Reason], systems: Iterable[str] = ()) -> Classification:
    """Put findings together, in order of lines."""
    found = sorted(set(reasons), key=lambda reason: (reason.line, _SEVERITY.index(reason.label), reason.what))
    label = max((reason.label for reason in found), key=_SEVERITY.index, default=Label.READ)
    return Classification(label, sorted(set(systems)), found)

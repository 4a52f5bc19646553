"""`Source` and `Target`: the two ends of a sync."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .protocols import Condition
from .records import Records

__all__ = ["Source", "Target", "label_of", "system_of"]


@dataclass
class Source:
    """Where records come from. `fields` maps source field -> target column, or lists fields that keep their names.

    With several targets each of them says its own fields, and the source reads what they need.
    """

    client: Any  # a Reader
    object: str
    fields: Mapping[str, str] | Sequence[str] | None = None
    where: Iterable[Condition] | None = None
    since: datetime | None = None
    until: datetime | None = None

    def read(self) -> Records:
        """The records as the source has them."""
        wanted = None if self.fields is None else list(self.fields)
        found: Records = self.client.read(
            self.object, fields=wanted, where=self.where, since=self.since, until=self.until
        )
        return found


@dataclass
class Target:
    """Where records go. The rest is for a sync with several targets, of which each has its own `fields` and `key`.

    `fields` maps source field -> column, or lists fields that keep their names; `key` is the column by which known
    records are recognised. `id_as` names the id that this target gives to each record; targets further down take it
    like a source field. `changed` is its field with the time of the last change, for conflict="newest".
    """

    client: Any  # a Writer
    object: str
    fields: Mapping[str, str] | Sequence[str] | None = None
    key: str = ""
    id_as: str = ""
    changed: str = ""


def system_of(client: Any) -> str:
    """The name of the driver that a client belongs to."""
    named = getattr(client, "system", None)
    return named if isinstance(named, str) else type(client).__module__.partition("_driver")[0]


def label_of(system: str) -> str:
    """What people call a system."""
    from . import registry

    found = registry.manifests().get(system)
    return found.label if found else system

"""One system that a run may use, as the broker is told of it: where it is, what may be asked, and the credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Destination", "System"]

Destination = tuple[str, int]


@dataclass(frozen=True)
class System:
    """`endpoints` are hosts and ports; `prefix` is what comes before the paths of [http]; `env` holds credentials."""

    name: str
    label: str
    kind: Literal["http", "sql"]
    endpoints: tuple[Destination, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    http: Mapping[str, Any] = field(default_factory=dict)
    authorize: str = ""  # "module:function"; "" = requests need no credential
    prefix: str = ""
    secrets: tuple[str, ...] = ()  # names in `env` for which scripts get the placeholder

    def as_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**self.__dict__, "env": dict(self.env), "endpoints": [list(entry) for entry in self.endpoints]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> System:
        """What `as_data` gave."""
        endpoints = tuple((str(host), int(port)) for host, port in data["endpoints"])
        return cls(**{**data, "endpoints": endpoints, "secrets": tuple(data["secrets"])})
